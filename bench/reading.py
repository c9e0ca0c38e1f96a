"""What a reading process needs in memory as files grow: 0.1 to 10 million rows, through the wall: a table and a plot.

    python bench/reading.py [--rows 100000,1000000] [--plot docs/reading-memory.svg]

The peak is the reading process's own (VmHWM). The rows that it hands over lie in memory files, which the table shows
apart: they are what the database loads.
"""

import argparse
import os
import sys
import threading
import time
from pathlib import Path

import duckdb

from swaddle.intake import opened
from swaddle.intake.readers.how import How, Limits
from swaddle.intake.wall.apart import read_apart

ROWS = "100000,300000,1000000,3000000,10000000"
NAMES = (
    "local_record_id",
    "event_date",
    "outcome",
    "birth_weight_g",
    "ga_weeks",
    "child_sex",
    "mother_family_name",
    "apgar5",
)
ROW = b"B%07d,2024-11-02,live,3400,39,F,Okafor,9\n"
BLOCK = 50_000
MEBIBYTE = 1024 * 1024


def csv_file(rows):
    fd = opened.memory_file(0)
    opened.write_all(fd, ",".join(NAMES).encode() + b"\n")
    for start in range(0, rows, BLOCK):
        opened.write_all(fd, b"".join([ROW % n for n in range(start, min(rows, start + BLOCK))]))
    return fd


def parquet_file(rows):
    fd = opened.memory_file(0)
    cells = ROW.decode().strip().split(",")[1:]
    listed = ", ".join(f"'{value}' AS {name}" for name, value in zip(NAMES[1:], cells, strict=True))
    duckdb.execute(
        f"COPY (SELECT printf('B%07d', range) AS local_record_id, {listed} FROM range({rows})) "
        f"TO '/proc/self/fd/{fd}' (FORMAT parquet, USE_TMP_FILE false)"
    )
    return fd


class Peak(threading.Thread):
    """Looks at the reading process until it is gone."""

    def __init__(self):
        super().__init__(daemon=True)
        self.kibibytes, self.over = 0, False

    def run(self):
        child = None
        while not self.over:
            child = child or next((each for each in Path("/proc").glob("[0-9]*") if ours(each)), None)
            if child is not None:
                try:
                    status = (child / "status").read_text()
                except OSError:
                    return
                if "VmHWM:" in status:
                    self.kibibytes = max(self.kibibytes, int(status.partition("VmHWM:")[2].split()[0]))
            time.sleep(0.005)


def ours(process):
    try:
        return (
            b"swaddle.intake.wall.child" in (process / "cmdline").read_bytes()
            and int((process / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid()
        )
    except OSError:
        return False


def measure(kind, rows):
    fd = {"csv": csv_file, "parquet": parquet_file}[kind](rows)
    size = os.fstat(fd).st_size
    peak = Peak()
    peak.start()
    started = time.monotonic()
    (sheet,) = read_apart(fd, size, How(kind=kind, limits=Limits(base_seconds=600)))
    seconds = time.monotonic() - started
    peak.over = True
    peak.join()
    assert sheet.rows == rows, sheet.broken
    handed = os.fstat(sheet.rows_fd).st_size
    sheet.close()
    os.close(fd)
    print(
        f"{kind:8} {rows:>10,} rows  file {size / MEBIBYTE:7.1f} MiB  handed over {handed / MEBIBYTE:7.1f} MiB  "
        f"own peak {peak.kibibytes / 1024:6.0f} MiB  {rows / seconds:>9,.0f} rows/s",
        flush=True,
    )
    return peak.kibibytes / 1024


def plot(path, rows, peaks):
    """Rows to the right (each step as wide as its factor), mebibytes upwards."""
    top = 512
    places = [80 + 480 * n / (len(rows) - 1) for n in range(len(rows))]
    colours = ("#0b5fa5", "#b5532a")
    drawn = []
    for colour, (kind, values) in zip(colours, peaks.items(), strict=True):
        points = [(x, 300 - 260 * value / top) for x, value in zip(places, values, strict=True)]
        line = " ".join(f"{x:.0f},{y:.1f}" for x, y in points)
        drawn.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [f'<circle cx="{x:.0f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in points]
        drawn.append(f'<text x="565" y="{points[-1][1] + 4:.1f}" fill="{colour}">{kind}</text>')
    for x, n in zip(places, rows, strict=True):
        drawn.append(f'<text x="{x:.0f}" y="322" text-anchor="middle">{n / 1e6:g} M</text>')
    for value in (0, 128, 256, 384, 512):
        y = 300 - 260 * value / top
        drawn.append(f'<path d="M80 {y}H560" stroke="#ddd"/><text x="72" y="{y + 4}" text-anchor="end">{value}</text>')
    Path(path).write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 350" font-family="sans-serif" font-size="13">\n'
        "<title>Peak memory of a reading process, MiB, over rows of the file</title>\n"
        '<text x="80" y="24">Peak memory of the reading process, MiB</text>\n'
        '<text x="320" y="345" text-anchor="middle">rows</text>\n' + "\n".join(drawn) + "\n</svg>\n",
        "utf-8",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default=ROWS)
    parser.add_argument("--plot", default="")
    asked = parser.parse_args()
    rows = [int(each) for each in asked.rows.split(",")]
    peaks = {kind: [measure(kind, each) for each in rows] for kind in ("csv", "parquet")}
    if asked.plot:
        plot(asked.plot, rows, peaks)


if __name__ == "__main__":
    sys.exit(main())
