"""HL7 v2 made to do harm, read as any file is: behind the wall, bounded, named by message, the rest kept."""

import os

import pytest

from swaddle.intake import opened
from swaddle.intake.faults import EmptyFile, NoMessages
from swaddle.intake.mapping import load_builtin
from swaddle.intake.readers.how import How
from swaddle.intake.wall.apart import read_apart

MSH = b"MSH|^~\\&|LAB|PLACE|REG|REG|20240226034304||%s|7|P|2.5.1\r"
ADT = MSH % b"ADT^A01" + b"EVN|A01|20240225\rPID|1||7^^^H^MR||EXAMPLE^ANN||20240221|F\r"
MEBIBYTE = 1024 * 1024


def read(*pieces):
    """Rows, (message, why) of the broken ones, and what is told of the file."""
    fd = opened.memory_file(0)
    try:
        for each in pieces:
            opened.write_all(fd, each)
        sheets = read_apart(fd, os.fstat(fd).st_size, How(kind="hl7", mappings=tuple(load_builtin().values())))
    finally:
        os.close(fd)
    rows, broken, told = 0, [], {}
    for sheet in sheets:
        rows += sheet.rows
        lines = opened.read_piece(sheet.broken_fd, 10_000_000, 0).decode().split("\n")[:-1]
        broken += [tuple(each.split("\x1f")[:2]) for each in lines]
        told |= {each.rule: each.facts.get("names", "") for each in sheet.findings}
        sheet.close()
    return rows, sorted(broken), told


def test_a_message_of_300_megabytes_is_one_broken_row():
    endless = MSH % b"ORU^R01" + b"OBX|1|ED|"
    rows, broken, _ = read(ADT, endless, *(b"A" * MEBIBYTE for _ in range(300)), b"\r", ADT)
    assert rows == 2
    assert broken == [("2", "M5")]


def test_a_line_of_100_megabytes_that_is_no_message_is_refused():
    with pytest.raises(EmptyFile):
        read(*(b"A" * MEBIBYTE for _ in range(100)))


def test_as_many_headers_as_fit_are_as_many_messages():
    with pytest.raises(NoMessages, match="50000 without a header"):
        read(b"MSH|^~\\&|" * 50_000)


def test_a_message_of_nothing_but_segments_is_one_broken_row():
    rows, broken, _ = read(ADT, MSH % b"ORU^R01", b"OBX|\r" * 200_000, ADT)
    assert (rows, broken) == (2, [("2", "M5")])


def test_names_out_of_a_message_are_told_only_where_they_are_names():
    strange = MSH % b"<img src=x onerror=alert(1)>^A01" + b"PID|1\r"
    result = (
        MSH % b"ORU^R01" + b"PID|1||7\rOBR|1|1||54089-8\rOBX|1|ST|=cmd|'/c calc'!A1||x\rOBX|2|ST|Jane Doe 1990||x\r"
    )
    _, _, told = read(ADT, strange, result)
    assert told["M10"] == "another (1)"
    assert told["M12"] == "another (2)"


@pytest.mark.parametrize("filling", [b"\\", b"\\F", b"\\X41", b"^", b"~", b"&"])
def test_escapes_and_delimiters_without_end_are_a_value_or_a_row_too_long(filling):
    rows, broken, _ = read(ADT.replace(b"EXAMPLE", b"E" + filling * (900_000 // len(filling))), ADT)
    assert (rows, broken) == (2, [])
    rows, broken, _ = read(ADT.replace(b"EXAMPLE", b"E" + filling * (6_000_000 // len(filling))), ADT)
    assert rows + len(broken) == 2
    assert broken in ([], [("1", "B5")])


def test_a_value_longer_than_any_row_breaks_its_row():
    rows, broken, _ = read(ADT.replace(b"EXAMPLE", b"E" * 3_000_000), ADT)
    assert (rows, broken) == (1, [("1", "B5")])
