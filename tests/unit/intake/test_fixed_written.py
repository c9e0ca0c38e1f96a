"""How a mapping says that its files are written, and how a file that names no columns is recognised."""

from __future__ import annotations

from typing import Any

import pytest

from swaddle.intake.faults import LayoutUnknown, MappingFault
from swaddle.intake.readers.betrayed import recognise_records
from swaddle.intake.written import Writing, only, parse_writing

PLACES = {"year": [1, 4], "sex": [5, 1], "weight": [6, 4], "flag": [10, 1]}
KNOWN = {"year": "digits", "sex": ["M", "F"], "flag": ["Y", "N", ""]}
BIRTHS: dict[str, Any] = {"format": "fixed", "columns": PLACES, "length": 12, "known_by": KNOWN}
ROWS = [b"2021F3450Y  ", b"2021M2900N  ", b"2022F3100   "]


def layouts(*entries: dict[str, Any]) -> dict[int, tuple[Writing, str]]:
    return {number: (parse_writing(each), "utf-8") for number, each in enumerate(entries)}


def recognised(data: bytes, *entries: dict[str, Any]) -> int | None:
    return recognise_records(data, len(data), layouts(*(entries or (BIRTHS,))))


@pytest.mark.parametrize(
    "entry",
    [
        {"format": "card"},
        {"format": "fixed"},
        {"format": "fixed", "columns": ["a"]},
        {"format": "fixed", "columns": {"a": [1, 1]}, "layout": "x.csv"},
        {"format": "fixed", "layout": "../secret.csv"},
        {"format": "fixed", "layout": "/etc/passwd"},
        {"format": "fixed", "layout": ".hidden"},
        {"format": "fixed", "layout": "C:x.csv"},
        {"format": "fixed", "layout": "a.csv"},
        {"format": "fixed", "columns": {"a": [1, 1]}, "length": "12"},
        {"format": "fixed", "columns": {"a": [1, 1]}, "length": True},
        {**BIRTHS, "known_by": {"colour": "digits"}},
        {**BIRTHS, "known_by": {"sex": "letters"}},
        {**BIRTHS, "known_by": {"sex": []}},
        {**BIRTHS, "known_by": {"sex": [1]}},
        {**BIRTHS, "known_by": ["sex"]},
        {"columns": {"a": [1, 1]}},
        {"length": 12},
        {"columns": []},
        {"columns": ["a", "A "]},
        {"columns": ["a", ""]},
        {"columns": ["a", 1]},
        {"columns": "a,b"},
        {"format": "excel", "columns": ["a"]},
    ],
)
def test_what_describes_no_file_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(MappingFault):
        parse_writing(entry)


def test_a_layout_table_is_read_beside_the_mapping() -> None:
    asked = []

    def beside(name: str) -> str:
        asked.append(name)
        return "Field,Start,End\nyear,1,4\nsex,5,5\n"

    writing = parse_writing({"format": "fixed", "layout": "Column_Info.csv", "length": 12}, beside)
    assert asked == ["Column_Info.csv"]
    assert writing.positions is not None
    assert writing.positions.places == ((0, 4), (4, 5))


def test_only_columns_that_are_used_are_cut() -> None:
    kept = only(parse_writing(BIRTHS), ["WEIGHT", "submitter"])
    assert (kept.names, kept.places, kept.length) == (("weight",), ((5, 9),), 12)
    with pytest.raises(MappingFault):
        only(parse_writing(BIRTHS), ["height"])


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_file_is_recognised_by_what_its_columns_hold(end: bytes) -> None:
    assert recognised(end.join(ROWS)) == 0
    assert recognised(ROWS[0]) == 0


def test_blanks_taken_off_do_not_matter() -> None:
    assert recognised(b"\n".join(each.rstrip() for each in ROWS)) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"year,sex,weight\n2021,F,3450\n",
        b"\n".join([*ROWS, b"20x1F3450Y  "]),
        b"\n".join(each[1:] for each in ROWS),
        b"\n".join(each + b" " * 300 for each in ROWS),
        b"\n".join(each + b"more" for each in ROWS),
        b"\n".join([ROWS[0], *[b"\x00" * 12] * 5]),
        b"\xff" * 5000,
    ],
)
def test_another_file_is_not_recognised(data: bytes) -> None:
    assert recognised(data) is None


def test_of_two_that_fit_the_one_with_more_to_show_for_it_wins() -> None:
    vague = {**BIRTHS, "known_by": {"flag": ["Y", "N", ""]}}
    assert recognised(b"\n".join(ROWS), vague, BIRTHS) == 1
    with pytest.raises(LayoutUnknown):
        recognised(b"\n".join(ROWS), BIRTHS, dict(BIRTHS))


def test_a_layout_that_nothing_betrays_is_never_guessed() -> None:
    assert recognised(b"\n".join(ROWS), {**BIRTHS, "known_by": {}}) is None
