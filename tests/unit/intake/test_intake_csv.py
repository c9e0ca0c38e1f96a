"""CSV files as they come: nothing lost, one clear error where a file cannot be taken."""

import pytest

from swaddle.errors import FileFault
from swaddle.intake.faults import (
    ColumnsMissing,
    EmptyFile,
    HeaderFault,
    LayoutUnknown,
    NotADataSet,
    Unreadable,
    WrongEncoding,
)

HEADER = "local_record_id,event_date,outcome,mother_family_name,birth_weight_g"


def text(*lines, header=HEADER, end="\n"):
    return end.join([header, *lines, ""]).encode()


def good(n):
    return f"B{n},2024-11-02,live,Okafor,3400"


def broken(result):
    return result.connection.execute("SELECT line, why FROM staged_broken ORDER BY line").fetchall()


def kept(result):
    return [line for (line,) in result.connection.execute("SELECT line FROM staged_raw ORDER BY line").fetchall()]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system_are_read(taken, end):
    result = taken(text(good(1), good(2), end=end))
    assert result.checked.rows_read == 2
    assert kept(result) == [2, 3]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(taken, delimiter):
    data = text(good(1), good(2)).replace(b",", delimiter.encode())
    assert taken(data).rows("mother_family_name") == [("Okafor",), ("Okafor",)]


def test_a_byte_order_mark_is_no_part_of_the_first_name(taken):
    result = taken(b"\xef\xbb\xbf" + text(good(1)))
    assert result.staged.columns[0] == "local_record_id"
    assert result.checked.rejected == 0 or result.checked.rows_read == 1


def test_the_last_line_need_not_end(taken):
    assert taken(text(good(1), good(2)).rstrip(b"\n")).checked.rows_read == 2


@pytest.mark.parametrize("data", [b"", b"\n\n  \n", b"\xef\xbb\xbf", b" "])
def test_an_empty_file_is_said_to_be_empty(taken, data):
    with pytest.raises(EmptyFile):
        taken(data)


def test_a_header_without_rows_is_said_to_be_empty(taken):
    with pytest.raises(EmptyFile):
        taken(text())


def test_an_open_quote_costs_its_own_line_and_no_other(taken):
    lines = [good(n) for n in range(5000)]
    lines[10] = 'B10,2024-11-02,live,"Okafor,3400'
    result = taken(text(*lines))
    assert broken(result) == [(12, "B4")]
    assert len(kept(result)) == 4999
    assert result.checked.rows_read == 5000


def test_an_open_quote_on_the_last_line_costs_that_line(taken):
    result = taken(text(good(1), 'B2,2024-11-02,live,"Okafor,3400'))
    assert broken(result) == [(3, "B4")]


def test_two_open_quotes_do_not_close_each_other_over_rows(taken):
    lines = [good(n) for n in range(50)]
    lines[10] = 'B10,2024-11-02,live,"Okafor,3400'
    lines[30] = 'B30,2024-11-02,live,"Okafor,3400'
    result = taken(text(*lines))
    assert broken(result) == [(12, "B4"), (32, "B4")]
    assert len(kept(result)) == 48


def test_an_address_over_two_lines_is_one_row(taken):
    header = HEADER + ",mother_address_line"
    data = text(good(1) + ',"12 King St\nUnit 4"', good(2) + ",", good(3) + ',"a\r\nb\r\nc"', header=header)
    result = taken(data)
    assert broken(result) == []
    assert kept(result) == [2, 4, 5]
    assert result.rows("mother_address_line") == [("12 King St\nUnit 4",), (None,), ("a\nb\nc",)]


def test_quotes_commas_and_doubled_quotes_are_read(taken):
    result = taken(text('B1,2024-11-02,live,"O""Neil, Jr",3400', "B2,2024-11-02,live,5'6\" tall,3400"))
    assert result.rows("mother_family_name") == [('O"Neil, Jr',), ("5'6\" tall",)]


def test_ragged_rows_are_rejected_with_their_line(taken):
    result = taken(text(good(1), "B2,2024-11-02,live", good(3), good(4) + ",extra"))
    assert broken(result) == [(3, "B1"), (5, "B1")]
    assert result.checked.rejected == 2
    assert result.checked.accepted + result.checked.rejected == result.checked.rows_read == 4
    assert result.summary("B1")[0].examples[0].line == 3


def test_nul_and_control_characters_break_their_row_alone(taken):
    result = taken(text(good(1), "B2,2024-11-02,live,Oka\x00for,3400", "B3,2024-11-02,live,Oka\x1ffor,3400", good(4)))
    assert broken(result) == [(3, "B3"), (4, "B3")]


def test_latin_1_rows_are_rejected_and_the_fix_says_how(taken):
    data = text(good(1), "B2,2024-11-02,live,Müller,3400").decode().encode("latin-1")
    result = taken(data)
    assert broken(result) == [(3, "B2")]
    assert "windows-1252" in result.summary("B2")[0].fix


def test_latin_1_is_read_where_the_mapping_says_so(taken):
    from dataclasses import replace

    from swaddle.intake.mapping import by_kind

    data = text("B2,2024-11-02,live,Müller,3400").decode().encode("windows-1252")
    result = taken(data, mapping=replace(by_kind("births"), encoding="windows-1252"))
    assert result.rows("mother_family_name") == [("Müller",)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read_and_said(taken, encoding):
    result = taken(text(good(1), "B2,2024-11-02,live,Müller,3400").decode().encode(encoding))
    assert result.checked.rows_read == result.checked.accepted == 2
    assert ("Müller",) in result.rows("mother_family_name")
    assert result.summary("H30")[0].text.startswith("The file is in UTF-16")


def test_half_a_letter_of_utf_16_refuses_the_file(taken):
    with pytest.raises(Unreadable, match="UTF-16"):
        taken(text(good(1)).decode().encode("utf-16")[:-1])


def test_utf_32_is_refused_with_its_name(taken):
    with pytest.raises(WrongEncoding, match="UTF-32"):
        taken(text(good(1)).decode().encode("utf-32"))


def test_a_very_long_line_is_broken_and_memory_stays(taken):
    result = taken(text(good(1), "B2,2024-11-02,live," + "x" * 5_000_000 + ",3400", good(3)))
    assert broken(result) == [(3, "B5")]
    assert kept(result) == [2, 4]


@pytest.mark.parametrize(("told", "mark"), [(";", ";"), ("|", "|"), ("\t", "\t")])
def test_a_line_for_excel_that_says_what_parts_the_cells_is_no_header(taken, told, mark):
    data = text(good(1), good(2), end="\r\n").replace(b",", mark.encode())
    result = taken(f"sep={told}\r\n".encode() + data)
    assert (result.checked.rows_read, kept(result)) == (2, [3, 4])


def test_blank_lines_are_passed_over_and_counted(taken):
    result = taken(text(good(1), "", ",,,,", good(2), "  "))
    assert result.checked.rows_read == 2
    assert result.summary("H4")[0].count == 3


def test_a_doubled_column_name_is_refused(taken):
    with pytest.raises(HeaderFault, match="twice"):
        taken(text(good(1) + ",1", header=HEADER + ",Outcome"))


def test_a_missing_header_is_told_from_an_unknown_one(taken):
    with pytest.raises(HeaderFault, match="looks like data"):
        taken((good(1) + "\n" + good(2) + "\n").encode())
    with pytest.raises(LayoutUnknown):
        taken(b"name,colour\nanna,red\n")


def test_named_but_other_columns_are_said_by_name(taken):
    with pytest.raises(ColumnsMissing, match="event_date"):
        taken(b"local_record_id,outcome\nB1,live\n", kind="births")


def test_a_column_without_a_name_is_not_read_and_said(taken):
    result = taken(text("1," + good(1), header="," + HEADER))
    assert "column 1 (no name)" in result.summary("H3")[0].text


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"\xff\xd8\xff\xe0" + bytes(100),
        b"%PDF-1.7\n%\xe2\xe3",
        b"\x1f\x8b\x08" + bytes(50),
        b"\xd0\xcf\x11\xe0" + bytes(50),
        b"<!DOCTYPE html><html></html>",
        b"  <html>",
        b"crypt4gh\x01\x00\x00\x00",
        b"SQLite format 3\x00",
    ],
)
def test_what_is_no_data_set_is_named_whatever_the_file_is_called(taken, data):
    with pytest.raises(NotADataSet):
        taken(data)


def test_a_header_that_begins_like_a_signature_is_still_a_header(taken):
    result = taken(text("1," + good(1), header="BMI," + HEADER))
    assert result.checked.rows_read == 1


def test_every_fault_is_a_file_fault_with_its_own_code(taken):
    from swaddle.intake import faults

    codes = [each.code for each in vars(faults).values() if isinstance(each, type) and hasattr(each, "code")]
    assert len([code for code in codes if code.startswith("SWD-INTAKE")]) == len(set(codes) - {FileFault.code}) - 1


def test_quick_and_careful_reading_agree(taken):
    lines = [good(n) for n in range(9000)]
    quick = taken(text(*lines))
    lines[4500] = 'B4500,2024-11-02,live,"Oka\nfor",3400'
    careful = taken(text(*lines))
    assert quick.checked.rows_read == careful.checked.rows_read == 9000
    same = quick.connection.execute("SELECT count(*), min(line), max(line) FROM staged_raw").fetchone()
    assert same == (9000, 2, 9001)
    assert careful.connection.execute("SELECT max(line) FROM staged_raw").fetchone() == (9002,)


def test_a_hundred_thousand_broken_lines_are_all_kept_with_their_numbers(taken):
    result = taken(text(good(1), *("x,y" for _ in range(120_000)), good(2)))
    assert result.checked.rows_read == 120_002
    assert result.connection.execute("SELECT count(DISTINCT line), max(line) FROM staged_broken").fetchone() == (
        120_000,
        120_002,
    )
    assert result.checked.refused


def test_a_sender_who_cannot_tell_the_layout_says_unknown(taken):
    assert taken(text(good(1)), kind="unknown").checked.kind == "births"


def test_a_layout_that_is_not_known_is_a_fault_of_the_file_and_of_the_command(taken):
    from swaddle.intake.faults import KindUnknown

    with pytest.raises(FileFault) as refusal:
        taken(text(good(1)), kind="births-of-mars")
    assert isinstance(refusal.value, KindUnknown)
    assert refusal.value.exit_status == 2
    assert "mars" not in str(refusal.value)


def test_several_columns_without_a_name_keep_their_places(taken):
    result = taken(text("x,y," + good(1), header=",," + HEADER))
    assert "column 1 (no name), column 2 (no name)" in result.summary("H3")[0].text
    assert result.checked.accepted == 1


def test_the_mark_that_ends_a_text_of_dos_is_no_row(taken):
    result = taken(text(good(1), good(2), end="\r\n") + b"\x1a")
    assert (result.checked.rows_read, broken(result)) == (2, [])
