"""Files of sizes that nobody checks for: memory stays bounded, the fault is named, and the rows around it are kept."""

import os
import subprocess
import sys
import time

import pytest

from swaddle.intake import opened
from swaddle.intake.faults import FileFault, HeaderFault
from swaddle.intake.readers.how import How
from swaddle.intake.wall.apart import read_apart

HEADER = b"local_record_id,event_date,outcome\n"
MEBIBYTE = 1024 * 1024


def read(pieces, kind="csv"):
    """Lines and why of the broken rows, the number of rows, for a file of these pieces."""
    fd = opened.memory_file(0)
    try:
        for each in pieces:
            opened.write_all(fd, each)
        (sheet,) = read_apart(fd, os.fstat(fd).st_size, How(kind=kind))
    finally:
        os.close(fd)
    broken = opened.read_piece(sheet.broken_fd, 10_000_000, 0).split(b"\n")
    rows = sheet.rows
    sheet.close()
    return [tuple(each.decode("utf-8").split("\x1f")[:2]) for each in broken if each], rows


def blocks(letter, mebibytes):
    return (letter * MEBIBYTE for _ in range(mebibytes))


def test_one_open_quote_among_a_million_rows_costs_one_row():
    good = b"".join(b"B%d,2024-11-02,live\n" % n for n in range(500_000))
    broken, rows = read([HEADER, good, b'B,"2024-11-02,live\n', good])
    assert broken == [("500002", "B4")]
    assert rows == 1_000_000


def test_ten_thousand_columns_are_refused():
    names = b",".join(b"c%d" % n for n in range(10_000))
    with pytest.raises(HeaderFault, match="columns"):
        read([names + b"\n", b"," * 9_999 + b"\n"])


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_a_line_of_300_megabytes_is_one_broken_row(kind):
    first, last = (HEADER + b"B1,2024,live\n", b"B2,2024,live\n") if kind == "csv" else (b'{"a":1}\n', b'{"a":2}\n')
    broken, rows = read([first, *blocks(b"x", 300), b"\n", last], kind)
    assert broken == [("3" if kind == "csv" else "2", "B5")]
    assert rows == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_a_line_of_a_gigabyte_is_one_broken_row(kind):
    first, last = (HEADER + b"B1,2024,live\n", b"B2,2024,live\n") if kind == "csv" else (b'{"a":1}\n', b'{"a":2}\n')
    broken, rows = read([first, *blocks(b'"', 1024), b"\n", last], kind)
    assert broken == [("3" if kind == "csv" else "2", "B5")]
    assert rows == 2


@pytest.mark.slow
@pytest.mark.parametrize("head", [b"", b"MSH|^~\\&|", b'{"resourceType":"Bundle","x":"', b"[", b"\xff\xfe"])
def test_a_gigabyte_without_a_line_end_is_refused_in_time(head):
    started = time.monotonic()
    from swaddle.intake.read import read_sheets

    fd = opened.memory_file(0)
    try:
        opened.write_all(fd, head)
        for each in blocks(b"x", 1024):
            opened.write_all(fd, each)
        with pytest.raises(FileFault):
            read_sheets(fd, os.fstat(fd).st_size, kind=None, mapping=None)
    finally:
        os.close(fd)
    assert time.monotonic() - started < 120


MEASURE = """
import os, sys
from swaddle.intake import opened
from swaddle.intake.readers.how import How
from swaddle.intake.readers.kinds import reader_of
fd = opened.memory_file(0)
line = {"csv": b"B1,2024-11-02,live\\n", "ndjson": b'{"local_record_id":"B1","event_date":"2024-11-02","outcome":"live"}\\n'}
kind, rows = sys.argv[1], int(sys.argv[2])
opened.write_all(fd, b"local_record_id,event_date,outcome\\n" if kind == "csv" else b"")
for _ in range(rows // 10_000):
    opened.write_all(fd, line[kind] * 10_000)
(sheet,) = reader_of(kind)(fd, os.fstat(fd).st_size, How(kind=kind))
assert sheet.rows == rows
status = open('/proc/self/status').read()
print(int(status.partition('VmHWM:')[2].split()[0]) // 1024)  # ru_maxrss would be the test runner's
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory files are counted apart on Linux only")
@pytest.mark.parametrize(("kind", "few", "many"), [("csv", 400_000, 4_000_000), ("ndjson", 60_000, 400_000)])
def test_a_readers_own_memory_is_the_same_for_many_times_the_rows(kind, few, many):
    def mebibytes(rows):
        done = subprocess.run([sys.executable, "-c", MEASURE, kind, str(rows)], capture_output=True, check=True)
        return int(done.stdout)

    few, many = mebibytes(few), mebibytes(many)
    assert many < few + 48  # pieces and blocks that few rows do not fill
    assert many < 160
