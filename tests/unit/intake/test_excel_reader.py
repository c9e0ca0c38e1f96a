"""Excel workbooks as hospitals make them: values as a person sees them, everything that is left out is named."""

import pytest

from swaddle.intake.faults import EmptyFile, HeaderFault, LayoutUnknown, NotADataSet, Unreadable
from swaddle.intake.readers.excel_values import NoDate, date_text, kind_of_format, number_text
from workbook import Date, Formula, sheet_xml, workbook

HEADER = ["local_record_id", "event_date", "outcome", "mother_family_name", "birth_weight_g"]


def birth(n=1, **change):
    row = {"local_record_id": f"B{n}", "event_date": "2024-11-02", "outcome": "live", "mother_family_name": "Okafor",
           "birth_weight_g": 3400}  # fmt: skip
    return list({**row, **change}.values())


def broken(result):
    return result.connection.execute("SELECT line, why FROM staged_broken ORDER BY line").fetchall()


def test_rows_are_numbered_as_excel_numbers_them(taken):
    result = taken(workbook([HEADER, birth(1), [], [None], birth(2)]))
    assert result.staged.format == "excel"
    assert result.staged.where == "row"
    assert result.rows("line, birth_weight_g") == [(2, 3400), (5, 3400)]
    assert result.checked.accepted == 2


@pytest.mark.parametrize("style", [1, 2, 3, 6])
def test_a_date_is_the_same_day_whatever_its_format(taken, style):
    result = taken(workbook([HEADER, birth(event_date=Date(45598, style))]))
    assert result.rows("event_date") == [("2024-11-02",)]


def test_dates_since_1904_are_counted_so(taken):
    result = taken(workbook([HEADER, birth(event_date=Date(44136, 1))], since_1904=True))
    assert result.rows("event_date") == [("2024-11-02",)]


def test_a_date_typed_as_text_stays_as_it_was_typed(taken):
    result = taken(workbook([HEADER, birth(event_date="02/11/2024")]))
    assert result.connection.execute("SELECT c1 FROM staged_raw").fetchall() == [("02/11/2024",)]


def test_a_number_that_is_no_date_breaks_its_row_only(taken):
    result = taken(workbook([HEADER, birth(1, event_date=Date(-5, 1)), birth(2)]))
    assert broken(result) == [(2, "B13")]
    assert result.checked.accepted == 1


@pytest.mark.parametrize(
    ("written", "kind", "text"),
    [
        ("1", "date", "1900-01-01"),
        ("59", "date", "1900-02-28"),
        ("61", "date", "1900-03-01"),
        ("45598", "moment", "2024-11-02 00:00"),
        ("45598.604166666664", "moment", "2024-11-02 14:30"),
        ("45598.604166666664", "date", "2024-11-02 14:30"),
        ("0.604166666666667", "time", "14:30"),
        ("0.999999", "time", "00:00"),
        ("2958465", "date", "9999-12-31"),
    ],
)
def test_days_since_1900_as_excel_counts_them(written, kind, text):
    assert date_text(written, kind, since_1904=False) == text


@pytest.mark.parametrize("written", ["-1", "2958466", "1e300"])
def test_days_that_excel_does_not_count(written):
    with pytest.raises(NoDate):
        date_text(written, "date", since_1904=False)


@pytest.mark.parametrize(
    ("number", "code", "kind"),
    [
        (14, None, "date"), (22, None, "moment"), (20, None, "time"), (0, None, ""), (4, None, ""),
        (170, "0.00", ""), (170, "General", ""), (170, '0 "days"', ""), (170, "[Red]0", ""), (170, "@", ""),
        (170, "yyyy\\-mm\\-dd", "date"), (170, "[$-F800]dddd, mmmm dd, yyyy", "date"), (170, "[h]:mm:ss", "time"),
        (170, "mmm", "date"), (170, "dd/mm/yy hh:mm", "moment"), (170, "0.0;[Red]-0.0", ""), (170, "_-* #,##0.00", ""),
    ],
)  # fmt: skip
def test_which_formats_are_dates(number, code, kind):
    assert kind_of_format(number, code) == kind


@pytest.mark.parametrize(
    ("written", "text"),
    [("3400", "3400"), ("3400.0", "3400"), ("0.10000000000000001", "0.1"), ("-2.5", "-2.5"), ("1.2E3", "1200"), ("3100.0000000000005", "3100"),
     ("007", "7"), ("1E+15", "1000000000000000.0")],
)  # fmt: skip
def test_numbers_are_as_short_as_a_person_writes_them(written, text):
    assert number_text(written) == text


@pytest.mark.parametrize(
    ("written", "zeros", "text"), [("42", "00000", "00042"), ("1234567", "00000", "1234567"), ("-4", "00", "-4")]
)
def test_an_identifier_that_is_filled_up_with_zeros_keeps_them(written, zeros, text):
    assert kind_of_format(170, zeros) == zeros
    assert number_text(written, zeros) == text


@pytest.mark.parametrize("written", ["nan", "inf", "-inf", "x", "1e999"])
def test_what_is_no_number_is_none(written):
    with pytest.raises(ValueError):
        number_text(written)


def test_a_formulas_last_value_is_taken_and_said(taken):
    result = taken(workbook([HEADER, birth(1, mother_family_name=Formula("Okafor")), birth(2)]))
    assert result.rows("mother_family_name") == [("Okafor",), ("Okafor",)]
    (said,) = result.summary("H32")
    assert said.count == 1
    assert "D2" in said.text


def test_a_formula_that_was_never_calculated_is_blank(taken):
    result = taken(workbook([HEADER, birth(1, mother_family_name=Formula(""))]))
    assert result.rows("mother_family_name") == [(None,)]
    assert result.summary("H32")


def test_hidden_sheets_are_named_and_not_read(taken):
    sheets = [
        ("Births", "visible", [HEADER, birth()]),
        ("Old births", "hidden", [HEADER, birth(2)]),
        ("Keys", "veryHidden", [["secret"]]),
    ]
    result = taken(workbook(sheets=sheets))
    assert result.checked.rows_read == 1
    assert "Old births, Keys" in result.summary("H31")[0].text


def test_a_sheet_of_instructions_is_named_and_the_records_are_found(taken):
    sheets = [
        ("Read me", "visible", [["How to fill this in"], ["Be careful"]]),
        ("Births", "visible", [HEADER, birth()]),
    ]
    result = taken(workbook(sheets=sheets))
    assert result.checked.rows_read == 1
    assert "Read me" in result.summary("H34")[0].text


def test_the_header_may_stand_below_a_title(taken):
    rows = [["Monthly report"], ["Northshore", None, "November"], HEADER, birth()]
    result = taken(workbook(rows, merged=["A1:E1"]))
    assert result.rows("line") == [(4,)]
    assert result.summary("H35")[0].count == 2
    assert not result.summary("H33")


def test_a_group_header_over_the_names_does_no_harm(taken):
    rows = [["Record", None, None, "Mother", None], HEADER, birth()]
    result = taken(workbook(rows, merged=["A1:C1", "D1:E1"]))
    assert result.checked.accepted == 1


def test_a_merged_header_that_hides_the_names_is_said(taken):
    rows = [["Record", None, "Mother"], ["id", "date", "name"], ["B1", "2024-11-02", "Okafor"]]
    with pytest.raises(HeaderFault, match="merged"):
        taken(workbook(rows, merged=["A1:B1"]))


def test_merged_cells_among_the_rows_are_named(taken):
    rows = [HEADER, birth(1), [None, "2024-11-02", "live", None, 3000]]
    result = taken(workbook(rows, merged=["A2:A3"]))
    assert "A2:A3" in result.summary("H33")[0].text
    assert result.checked.rows_read == 2


def test_a_cell_beyond_the_columns_breaks_its_row(taken):
    result = taken(workbook([HEADER, [*birth(1), None, "a note"], birth(2)]))
    assert broken(result) == [(2, "B1")]


def test_shared_rich_and_japanese_texts_are_what_is_shown(taken):
    shared = [
        "<r><t>Oka</t></r><r><t xml:space='preserve'>for </t></r>",
        "<t>山田</t><rPh sb='0' eb='2'><t>ヤマダ</t></rPh>",
    ]
    cells = '<c r="A2" t="inlineStr"><is><t>B1</t></is></c><c r="B2" t="str"><v>2024</v></c><c r="C2" t="str"><v>live</v></c>'
    rows = (
        sheet_xml([HEADER]).replace("</sheetData>", "")
        .replace("</worksheet>", f'<row r="2">{cells}<c r="D2" t="s"><v>0</v></c></row>'
        f'<row r="3">{cells.replace("2", "3", 1).replace("B2", "B3").replace("C2", "C3")}<c r="D3" t="s"><v>1</v></c></row></sheetData></worksheet>')
    )  # fmt: skip
    result = taken(workbook([HEADER], shared=shared, replaced={"xl/worksheets/sheet1.xml": rows}), check=False)
    assert result.connection.execute("SELECT c3 FROM staged_raw ORDER BY line").fetchall() == [("Okafor",), ("山田",)]


def test_truth_errors_and_line_breaks_in_cells(taken):
    rows = [[*HEADER, "x", "y"], [*birth(1, mother_family_name="Oka\nfor"), True, "#N/A"]]
    result = taken(workbook(rows), check=False)
    assert result.connection.execute("SELECT c3, c5, c6 FROM staged_raw").fetchall() == [("Oka\nfor", "true", "#N/A")]


def test_nothing_to_see_is_an_empty_file(taken):
    with pytest.raises(EmptyFile):
        taken(workbook(sheets=[("A", "visible", []), ("B", "hidden", [HEADER, birth()])]))
    with pytest.raises(EmptyFile):
        taken(workbook([HEADER]))


def test_unknown_columns_are_said_as_in_any_file(taken):
    with pytest.raises(LayoutUnknown):
        taken(workbook([["name", "colour"], ["anna", "red"]]))


def test_a_column_name_twice_is_refused(taken):
    with pytest.raises(HeaderFault, match="twice"):
        taken(workbook([[*HEADER, "Outcome"], birth()]))


@pytest.mark.parametrize(
    ("part", "what"),
    [
        ("xl/workbook.bin", "xlsb"),
        ("word/document.xml", "Word"),
        ("content.xml", "OpenDocument"),
    ],
)
def test_other_packages_are_named(taken, part, what):
    with pytest.raises(NotADataSet, match=what):
        taken(workbook([HEADER, birth()], replaced={part: "x"}))


def test_a_zip_of_something_else_is_named(taken):
    with pytest.raises(NotADataSet, match="no Excel workbook"):
        taken(workbook([HEADER], replaced={"xl/workbook.xml": None}))


@pytest.mark.parametrize(
    "sheet",
    [
        "",
        "<worksheet><sheetData><row>",
        "<worksheet><sheetData><row r='5'/><row r='4'><c><v>1</v></c></row></sheetData></worksheet>",
        "<worksheet><sheetData><row r='2'><c r='B2'><v>1</v></c><c r='A2'><v>1</v></c></row></sheetData></worksheet>",
        "<worksheet><sheetData><row r='1'><c r='A1' t='s'><v>7</v></c></row></sheetData></worksheet>",
        "<worksheet><sheetData><row r='99999999999'/></sheetData></worksheet>",
        "<worksheet><sheetData><row r='1'><c r='AAAA1'><v>1</v></c></row></sheetData></worksheet>",
    ],
)
def test_a_damaged_sheet_refuses_the_workbook(taken, sheet):
    with pytest.raises(Unreadable):
        taken(workbook([HEADER], replaced={"xl/worksheets/sheet1.xml": sheet}))
