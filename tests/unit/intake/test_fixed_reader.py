"""Fixed-width files as a whole: what a reader hands over, and that no record is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from swaddle.intake import opened
from swaddle.intake.faults import EmptyFile, TooLarge, Unreadable
from swaddle.intake.positions import from_table
from swaddle.intake.readers.fixed import read_fixed
from swaddle.intake.sheet import Sheet

LAYOUT = from_table({"id": [1, 7], "weight": [12, 4], "sex": [16, 1]}, 20)


def read(data: bytes, *, encoding: str = "utf-8", limit_bytes: int | None = None) -> Sheet:
    source = opened.memory_file(len(data))
    try:
        opened.write_all(source, data)
        (sheet,) = read_fixed(source, len(data), LAYOUT, encoding, limit_bytes=limit_bytes)
        return sheet
    finally:
        os.close(source)


def text(descriptor: int) -> str:
    return b"".join(opened.chunks(descriptor, os.fstat(descriptor).st_size)).decode()


def record(number: int) -> bytes:
    return b"%07d    3450F    " % number


def test_a_sheet_holds_each_record_once() -> None:
    sheet = read(b"\r\n".join(map(record, range(20_000))) + b"\r\n")
    assert sheet.columns == ("id", "weight", "sex")
    assert (sheet.rows, sheet.broken, sheet.where, sheet.format) == (20_000, 0, "record", "fixed")
    lines = text(sheet.rows_fd).splitlines()
    assert len(lines) == 20_000
    assert lines[-1] == "20000\x1f0019999\x1f3450\x1fF"
    sheet.close()


def test_records_without_line_ends_over_several_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"".join(map(record, range(500_000)))
    assert len(data) > 2 * 4 * 1024 * 1024  # two pieces of opened.chunks
    sheet = read(data)
    assert sheet.rows == 500_000
    assert text(sheet.rows_fd).splitlines()[350_000].startswith("350001\x1f0350000")
    sheet.close()


def test_broken_records_stand_apart_with_their_number() -> None:
    sheet = read(b"\n".join([record(1), record(2)[:9], b"", record(3)[:-1] + b"\x00", record(4)]))
    assert text(sheet.broken_fd).splitlines() == ["2\x1fB21\x1f0000002  ", "4\x1fB3\x1f0000003    3450F   \ufffd"]
    assert [(each.rule, each.count) for each in sheet.findings] == [("H4", 1)]
    sheet.close()


def test_what_most_records_have_beyond_the_layout_is_said() -> None:
    sheet = read(b"\n".join([record(1) + b"AB", record(2) + b"CD"]))
    (finding,) = sheet.findings
    assert (finding.rule, finding.facts["names"]) == ("H3", "characters 21 to 22 of every record")
    sheet.close()


def test_a_byte_order_mark_is_no_part_of_the_first_record() -> None:
    sheet = read(b"\xef\xbb\xbf" + record(1) + b"\n" + record(2))
    assert text(sheet.rows_fd).startswith("1\x1f0000001\x1f3450")
    sheet.close()


@pytest.mark.parametrize("data", [b"   \n  \n", b"\x1a", b"\r\n\r\n"])
def test_a_file_of_blanks_is_empty(data: bytes) -> None:
    with pytest.raises(EmptyFile):
        read(data)


def test_no_row_comes_out_of_a_file_that_is_something_else() -> None:
    sheet = read(bytes(range(1, 256)) * 50)
    assert sheet.rows == 0
    assert sheet.broken == sheet.read
    sheet.close()


def test_one_line_of_a_hundred_megabytes_is_one_broken_record() -> None:
    sheet = read(record(1) + b"\n" + b"x" * 100_000_000 + b"\n" + record(2))
    assert (sheet.rows, sheet.broken) == (2, 1)
    sheet.close()


def test_more_rows_than_may_be_held_are_refused_and_nothing_stays_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
    with pytest.raises(TooLarge):
        read(b"\n".join(map(record, range(200_000))), limit_bytes=2_000_000)
    after = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
    assert before == after


def test_a_file_that_becomes_shorter_is_refused() -> None:
    data = b"\n".join(map(record, range(10)))
    source = opened.memory_file(len(data))
    opened.write_all(source, data)
    with pytest.raises(Unreadable):
        read_fixed(source, len(data) + 500, LAYOUT, "utf-8")
    os.close(source)
