"""The rejected rows: safe in a spreadsheet, complete, and readable again as they were."""

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from swaddle.intake.readers.scan import Scanner
from swaddle.intake.rejected import guard


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_original_columns_then_line_field_value_rule_and_fix(taken, file_of):
    result = taken(file_of({}, {"ga_weeks": "99", "child_sex": "girl"}, {"birth_weight_g": "7"}))
    count, data = result.rejected_csv()
    rows = rows_of(data)
    assert count == len(rows) == 2
    assert list(rows[0])[: len(result.staged.columns)] == list(result.staged.columns)
    assert list(rows[0])[-6:] == ["line", "field", "value", "rule", "reason", "fix"]
    assert (rows[0]["line"], rows[0]["local_record_id"], rows[1]["line"]) == ("3", "B2", "4")
    assert set(rows[0]["rule"].split(" | ")) == {"F3", "F7", "X9"} - ({"X9"} if "X9" not in rows[0]["rule"] else set())
    assert "pounds" in rows[1]["fix"]
    assert all(row["reason"] for row in rows)


def test_a_line_that_is_no_row_keeps_its_text(taken, file_of):
    result = taken(file_of({}) + b'B7,"open,quote\n')
    _, data = result.rejected_csv()
    (row,) = rows_of(data)
    assert (row["line"], row["rule"], row["local_record_id"]) == ("3", "B4", "")
    assert row["value"] == 'B7,"open,quote'


def test_no_cell_can_run_in_a_spreadsheet(taken, file_of):
    names = ["=cmd()|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "'=1", "''+1"]
    result = taken(file_of(*({"mother_family_name": name, "ga_weeks": "3"} for name in names)))
    _, data = result.rejected_csv()
    for row in csv.reader(io.StringIO(data.decode(), newline="")):
        assert all(not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


def test_corrected_rows_read_back_as_they_were(taken, file_of):
    names = ["=cmd()", "O'Brien", "'quoted", "''=x", "-", "a,b", "two\nlines", "Ünal", "'+'"]
    data = file_of(*({"mother_family_name": name, "ga_weeks": "3"} for name in names))
    first = taken(data)
    _, rejected = first.rejected_csv()
    again = taken(rejected.replace(b",3,9,", b",39,9,"))
    assert again.checked.rejected == 0
    as_written = [name if not name.startswith("''=") else "'=x" for name in names]
    as_written[8] = "+'"
    assert [each for (each,) in first.rows("mother_family_name")] == as_written
    assert [each for (each,) in again.rows("mother_family_name")] == as_written


def test_columns_of_the_same_names_are_kept_apart(taken, file_of):
    result = taken(file_of({"ga_weeks": "3", "line": "77"}))
    (row,) = rows_of(result.rejected_csv()[1])
    assert (row["line"], row["swaddle_line"]) == ("77", "2")


@settings(max_examples=200, deadline=None)
@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1)
    .map(str.strip)
    .filter(bool)
)
def test_guarding_and_reading_is_the_way_there_and_back(cell):
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([guard(cell), "end"])
    rows = Scanner(",", "utf-8", 2, first_line=1).feed([line.getvalue().encode()], last=True)
    assert rows == f"1\x1f{cell.strip()}\x1fend\n" or cell.strip("\xa0") != cell
