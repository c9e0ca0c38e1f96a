"""What checking needs in memory as files grow: 0.1 to 1.9 million rows of 30 columns, CSV to findings: a table, a plot.

    python bench/checking.py [--rows 100000,1900000] [--plot docs/checking-memory.svg]

The peak is the checking process's own (VmHWM), as `swaddle check` opens its database: large sheets are kept packed
(swaddle/intake/packing.py). The reading process has its own figures (bench/reading.py).
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from born import make_births

ROWS = "100000,300000,490000,1000000,1900000"
LIMIT_MEBIBYTES = 1024
_ONE = "import sys; sys.path.insert(0, sys.argv[1]); import checking; checking.one(sys.argv[2])"


def one(path: str) -> None:
    """Check one file and print the seconds of processor and the peak of this process."""
    import os
    from datetime import UTC, datetime

    from swaddle.dictionary.load import load
    from swaddle.intake.engine import connect
    from swaddle.intake.read import read
    from swaddle.intake.validate import validate

    source, started = os.open(path, os.O_RDONLY), time.monotonic()
    with connect(packed=True) as tables:
        size = os.fstat(source).st_size
        staged = read(source, size, kind="births", mapping=None, file_digest="0" * 64, connection=tables)
        validate(staged, load(), tables, submitter=None, sites=None, at=datetime(2026, 11, 22, 12, tzinfo=UTC))
    spent = sum(os.times()[:4])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(staged.rows_read, f"{time.monotonic() - started:.1f}", f"{spent:.1f}", peak)


def plot(path: Path, peaks: dict[int, int]) -> None:
    """Rows to the right, as they are; mebibytes upwards."""
    most = max(peaks)
    points = [(80 + 480 * rows / most, 300 - 260 * peak / LIMIT_MEBIBYTES, rows) for rows, peak in peaks.items()]
    drawn = [f'<polyline points="{" ".join(f"{x:.0f},{y:.1f}" for x, y, _ in points)}" fill="none" stroke="#0b5fa5"/>']
    drawn += [f'<circle cx="{x:.0f}" cy="{y:.1f}" r="4" fill="#0b5fa5"/>' for x, y, _ in points]
    drawn += [f'<text x="{x:.0f}" y="322" text-anchor="middle">{rows / 1e6:g} M</text>' for x, _, rows in points]
    for value in range(0, LIMIT_MEBIBYTES + 1, 256):
        y = 300 - 260 * value / LIMIT_MEBIBYTES
        drawn.append(f'<path d="M80 {y}H560" stroke="#ddd"/><text x="72" y="{y + 4}" text-anchor="end">{value}</text>')
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 350" font-family="sans-serif" font-size="13">\n'
        "<title>Peak memory of the checking process, MiB, over rows of the file</title>\n"
        '<text x="80" y="24">Peak memory of the checking process, MiB</text>\n'
        '<text x="320" y="345" text-anchor="middle">rows</text>\n' + "\n".join(drawn) + "\n</svg>\n",
        "utf-8",
    )


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=ROWS)
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args()
    peaks = {}
    with tempfile.TemporaryDirectory() as scratch:
        for rows in map(int, asked.rows.split(",")):
            path = Path(scratch) / "births.csv"
            make_births(path, rows)
            command = [sys.executable, "-c", _ONE, str(Path(__file__).parent), str(path)]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            peaks[rows] = int(told[3])
            print(f"{rows:>10,} rows  {told[1]:>6} s  {told[2]:>6} s of processor  peak {told[3]:>5} MiB", flush=True)
    if asked.plot:
        plot(asked.plot, peaks)


if __name__ == "__main__":
    main()
