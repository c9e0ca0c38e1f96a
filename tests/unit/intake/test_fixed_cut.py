"""Fixed-width records: what is cut where, what is broken, and that every record is accounted for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaddle.intake.faults import HeaderFault, MappingFault, Unreadable
from swaddle.intake.positions import Positions, from_layout, from_table
from swaddle.intake.readers.cut import Cutter, idle_end, survey

LAYOUT = from_table({"id": [1, 4], "name": [5, 6], "weight": [12, 4], "sex": [16, 1]}, 20)
ROW = b"0001ANNA   3450F    "


def cut(data: bytes, positions: Positions = LAYOUT, encoding: str = "utf-8") -> Cutter:
    """What becomes of a file; the rows stand in `text`."""
    size = len(data) - idle_end(data[-16:])
    shape = survey(data[:size], size, positions)
    cutter = Cutter(shape, encoding)
    if shape.end:
        records = data[:size].split(shape.end)
    else:
        records = [data[at : at + shape.usual] for at in range(0, size, shape.usual)]
    cutter.text = cutter.feed(records)  # type: ignore[attr-defined]
    counts = cutter.counts
    assert counts.lines == counts.rows + counts.broken + counts.blank == len(records)
    assert counts.broken == len(cutter.broken)
    return cutter


def rows(data: bytes, positions: Positions = LAYOUT, encoding: str = "utf-8") -> list[list[str]]:
    return [each.split("\x1f") for each in cut(data, positions, encoding).text.splitlines()]  # type: ignore[attr-defined]


def broken(data: bytes, positions: Positions = LAYOUT, encoding: str = "utf-8") -> list[tuple[int, str]]:
    return [(each.line, each.why) for each in cut(data, positions, encoding).broken]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b""])
@pytest.mark.parametrize("last", [b"", b"\n", b"\r\n", b"\x1a", b"\r\n\x1a"])
def test_each_kind_of_line_end_gives_the_same_rows(end: bytes, last: bytes) -> None:
    assert rows(end.join([ROW, ROW, ROW]) + last) == [
        [str(number), "0001", "ANNA", "3450", "F"] for number in (1, 2, 3)
    ]


def test_a_record_cut_short_among_full_ones_is_broken() -> None:
    assert broken(b"\n".join([ROW, ROW[:13], ROW])) == [(2, "B21")]


def test_a_last_record_cut_short_is_broken() -> None:
    assert broken(b"\n".join([ROW, ROW, ROW[:10]])) == [(3, "B21")]


def test_a_file_without_line_ends_that_lost_a_byte_is_refused() -> None:
    with pytest.raises(Unreadable):
        cut(ROW + ROW[1:] + ROW)


def test_blanks_taken_off_the_ends_are_blanks_again() -> None:
    data = b"\n".join([b"0001ANNA   3450F", b"0002ROSE", b"0003EVE    2900M"])
    assert rows(data)[1] == ["2", "0002", "ROSE", "", ""]
    assert cut(data).early == 1


def test_a_number_cut_in_two_is_no_number() -> None:
    data = b"\n".join([b"0001ANNA   3450F", b"0002ROSE   34", b"0003EVE    2900M"])
    assert broken(data) == [(2, "B21")]


def test_a_record_with_a_sign_too_many_is_broken() -> None:
    assert broken(b"\n".join([ROW, ROW[:-1] + b"x9", ROW])) == [(2, "B20")]


def test_two_records_without_a_line_end_between_are_broken() -> None:
    assert broken(b"\n".join([ROW, ROW + ROW, ROW])) == [(2, "B20")]


def test_blanks_beyond_the_layout_do_no_harm_where_every_record_has_them() -> None:
    assert len(rows(b"\n".join([ROW + b"     "] * 3))) == 3


def test_a_record_of_another_length_is_broken_though_only_blanks_differ() -> None:
    longer, shorter = ROW.replace(b"ANNA", b"ANNAX"), ROW.replace(b"ANNA", b"ANN")
    assert broken(b"\n".join([ROW, longer, ROW, shorter, ROW])) == [(2, "B20"), (4, "B21")]


def test_what_all_records_have_beyond_the_layout_is_counted_and_not_read() -> None:
    cutter = cut(b"\n".join([ROW + b"new", ROW + b"old"]))
    assert cutter.beyond == 3
    assert not cutter.broken


def test_an_edition_without_the_last_columns_does_not_have_them() -> None:
    assert cut(b"\n".join([b"0001ANNA  ", b"0002ROSE  "])).shape.positions.names == ("id", "name")


def test_records_too_short_for_any_column_are_refused() -> None:
    with pytest.raises(HeaderFault):
        cut(b" 1 \n 2 \n", from_table({"weight": [12, 4]}, 20))


def test_control_characters_and_tabs_break_a_record() -> None:
    data = b"\n".join([ROW, ROW.replace(b"ANNA", b"AN\x00A"), ROW.replace(b"ANNA", b"AN\tA"), ROW])
    assert broken(data) == [(2, "B3"), (3, "B3")]


def test_a_field_separator_of_our_own_cannot_be_smuggled_in() -> None:
    assert broken(b"\n".join([ROW, ROW.replace(b"ANNA", b"A\x1fNA")])) == [(2, "B3")]


def test_bytes_of_another_encoding_break_a_record() -> None:
    assert broken(b"\n".join([ROW, "0001ZOÉ    3450F    ".encode("windows-1252")])) == [(2, "B2")]
    assert rows("0001ZOÉ    3450F    ".encode("windows-1252"), encoding="windows-1252")[0][2:] == ["ZOÉ", "3450", "F"]


def test_letters_of_two_bytes_are_counted_as_the_writer_counted_them() -> None:
    by_letters = "0001ZOÉ    3450F    ".encode()
    by_bytes = "0001ZOÉ   3450F    ".encode()
    for record in (by_letters, by_bytes):
        assert rows(b"\n".join([ROW, ROW, record]))[2] == ["3", "0001", "ZOÉ", "3450", "F"]


def test_where_nobody_can_say_how_letters_were_counted_the_record_is_broken() -> None:
    assert broken(b"\n".join([b"0001ANNA   3450F", b"0003EVE    2900M", "0001ZOÉ".encode()])) == [(3, "B22")]


def test_a_letter_cut_in_two_is_broken() -> None:
    assert broken(b"\n".join([ROW, ROW, b"000\xc3\x89ANNA  3450F    "])) == [(3, "B22")]


def test_blank_records_are_counted_and_keep_their_number() -> None:
    assert [each[0] for each in rows(b"\n".join([ROW, b"", b" " * 20, ROW]))] == ["1", "4"]


def test_a_record_blank_where_columns_are_is_blank() -> None:
    assert cut(b"\n".join([ROW, b" " * 17 + b"x  "])).counts.blank == 1


@given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")), min_size=1, max_size=8))
def test_every_record_is_a_row_broken_or_blank(lines: list[bytes]) -> None:
    try:
        cut(b"\n".join([ROW, *lines]))
    except (HeaderFault, Unreadable):
        return


@given(st.lists(st.text("ABé ", min_size=20, max_size=20), min_size=1, max_size=5))
def test_the_quick_way_and_the_careful_way_agree(lines: list[str]) -> None:
    records = [each.encode("iso-8859-1") for each in lines]
    shape = survey(b"\n".join([ROW, *records]), 21 * (len(lines) + 1) - 1, LAYOUT)
    quick, careful = Cutter(shape, "iso-8859-1"), Cutter(shape, "iso-8859-1")
    careful._quick = lambda _: None  # type: ignore[method-assign]
    assert quick.feed(records) == careful.feed(records)
    assert quick.counts == careful.counts


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"a": [0, 1]},
        {"a": [1, 0]},
        {"a": [1, 1, 1]},
        {"a": "1-2"},
        {"a": [True, 1]},
        {"a": [1.0, 2]},
        {"a": [1, 10**9]},
        {"a": [1, 1], "A ": [2, 1]},
        {"a": [1, 30]},
    ],
)
def test_what_is_no_place_is_refused(columns: dict[str, object]) -> None:
    with pytest.raises(MappingFault):
        from_table(columns, 20)


def test_a_layout_table_gives_the_same_as_writing_the_columns() -> None:
    by_end = "\ufeff,Position,Length,Field,Start,End\n1,1-4,9,id,1,4\n2,5-10,,FILLER,5,10\n3,,,weight,12,15\n4,,,,1,2\n"
    by_length = "Beginning Location,Length,Name\n1,4,id\nNA,NA,x\n12,4,weight\n1,9,ID\n"
    by_range = "Positions;Field\n".replace(";", ",") + "1-4,id\n12-15,weight\n"
    expected = from_table({"id": [1, 4], "weight": [12, 4]}, None)
    assert from_layout(by_end, None) == from_layout(by_length, None) == from_layout(by_range, None) == expected


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", 'Name,Start\n"a,1\n', "Name,Start,Length\nx,0,4\n"])
def test_what_is_no_layout_table_is_refused(text: str) -> None:
    with pytest.raises(MappingFault):
        from_layout(text, None)
