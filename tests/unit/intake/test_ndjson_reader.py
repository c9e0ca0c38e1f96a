"""NDJSON and JSON: every object is a row or broken, nothing is rounded, and what JSON leaves to chance is an error."""

import json
import os

import pytest

from swaddle.intake import opened
from swaddle.intake.faults import EmptyFile, LayoutUnknown, NotADataSet, TooLarge, Unreadable, WrongEncoding
from swaddle.intake.readers import ndjson
from swaddle.intake.readers.how import How
from swaddle.intake.wall.prescan import look_through

BIRTH = {"local_record_id": "B1", "event_date": "2024-11-02", "outcome": "live", "birth_weight_g": 3400}


def lines(*entries):
    return b"".join((each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n" for each in entries)


def birth(n=1, **change):
    return {**BIRTH, "local_record_id": f"B{n}", **change}


def sheet_of(data):
    fd = opened.memory_file(0)
    try:
        opened.write_all(fd, data)
        (sheet,) = ndjson.read(fd, len(data), How(kind="ndjson"))
    finally:
        os.close(fd)
    look_through(sheet)
    rows = opened.read_piece(sheet.rows_fd, 1_000_000, 0).decode().splitlines()
    broken = opened.read_piece(sheet.broken_fd, 1_000_000, 0).decode().splitlines()
    sheet.close()
    return sheet, [each.split("\x1f") for each in rows], [each.split("\x1f")[:2] for each in broken]


def test_rows_are_read_and_numbered_by_line(taken):
    result = taken(lines(birth(1), b"", birth(2)))
    assert result.staged.format == "ndjson"
    assert result.rows("line, birth_weight_g") == [(1, 3400), (3, 3400)]
    assert result.summary("H4")[0].count == 1


def test_a_list_of_objects_is_read_by_entry(taken):
    result = taken(json.dumps([birth(1), birth(2)], indent=1).encode())
    assert result.staged.where == "entry"
    assert result.rows("line") == [(1,), (2,)]


def test_a_name_that_comes_later_is_a_further_column():
    sheet, rows, _ = sheet_of(lines({"a": "1"}, {"b": "2"}, {"b": "3", "a": "4"}))
    assert sheet.columns == ("a", "b")
    assert rows == [["1", "1", ""], ["2", "", "2"], ["3", "4", "3"]]


def test_numbers_stay_as_they_are_written():
    _, rows, _ = sheet_of(b'{"a":0.10,"b":12345678901234567890123,"c":1e400,"d":-0,"e":true,"f":null}\n')
    assert rows == [["1", "0.10", "12345678901234567890123", "1e400", "-0", "true", ""]]


def test_objects_and_lists_inside_a_row():
    sheet, rows, _ = sheet_of(lines({"mother": {"name": "Ada", "born": {"year": 1994}}, "signs": ["a", 2, None]}))
    assert sheet.columns == ("mother.name", "mother.born.year", "signs")
    assert rows == [["1", "Ada", "1994", "a;2;"]]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "B10"), (b"nonsense", "B10"), (b"[1]", "B10"), (b'"text"', "B10"), (b'{"a":NaN}', "B10"),
        (b'{"a":Infinity}', "B10"), (b'{"a":1}{"a":2}', "B10"), (b'{"a":"\x01"}', "B10"), (b"{'a':1}", "B10"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "B10"), (b'{"a":' * 100_000, "B10"),
        (b'{"a":1,"a":2}', "B11"), (b'{"m":{"a":1,"a":2}}', "B11"), (b'{"a.b":1,"a":{"b":2}}', "B11"),
        (b'{"a":[{"b":1}]}', "B12"), (b'{"a":' * 10 + b"1" + b"}" * 10, "B12"),
        (b'{"a":"\xff"}', "B2"), (b'{"a":"\\ud800"}', "B2"), (b'{"\\udfff":"x"}', "B2"),
        (b'{"a":"\\u0000"}', "B3"), (b'{"a":"x\\u001fy"}', "B3"),
        (b'{"a":"' + b"x" * 2_000_000 + b'"}', "B5"),
    ],
)  # fmt: skip
def test_what_is_no_row_is_broken_and_the_others_are_kept(line, why):
    _, rows, broken = sheet_of(lines({"a": "first"}, line, {"a": "last"}))
    assert broken == [["2", why]]
    assert [each[:2] for each in rows] == [["1", "first"], ["3", "last"]]


def test_line_ends_in_a_value_stay_in_the_value(taken):
    result = taken(lines(birth(mother_family_name="Oka\nfor")))
    assert result.rows("mother_family_name") == [("Oka\nfor",)]


def test_a_byte_order_mark_is_no_part_of_the_first_object(taken):
    assert taken(b"\xef\xbb\xbf" + lines(birth())).checked.rows_read == 1


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"[", Unreadable), (b'[{"a":1}', Unreadable), (b"[" * 100_000, Unreadable), (b"{\n{\n", Unreadable),
        (b'{\n "a": 1\n}\n', NotADataSet), (b"[]", EmptyFile), (b"{}\n{}\n", EmptyFile), (b'[{"a":"\xff"}]', WrongEncoding),
        (b"".join(b'{"c%d":1}\n' % n for n in range(2001)), TooLarge),
    ],
)  # fmt: skip
def test_what_cannot_be_read_as_a_whole(data, fault):
    with pytest.raises(fault):
        sheet_of(data)


def test_json_of_other_things_is_an_unknown_layout(taken):
    with pytest.raises(LayoutUnknown):
        taken(b'{"name":"anna","colour":"red"}\n')
