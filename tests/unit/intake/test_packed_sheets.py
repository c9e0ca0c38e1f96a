"""A large sheet, packed piece by piece, is found to be just what it is found to be in one piece."""

import csv
import io
from contextlib import closing

import pytest

from swaddle.intake import packing
from swaddle.intake.engine import connect

ODD = (
    {},
    {"ga_weeks": "99", "child_sex": "girl"},
    {"birth_weight_g": "7", "mother_family_name": 'O"Brien, "Ada"'},
    {"birth_weight_g": "340", "apgar5": "11"},
    {"mother_family_name": "two\nlines"},
    {"mother_given_names": "  Zoë  ", "mother_birth_date": "2024-02-30"},
    {"event_date": "2042-01-01"},
)


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(packing, "PACKED_FROM_CELLS", 100)
    monkeypatch.setattr(packing, "PIECE_BYTES", 700)
    monkeypatch.setattr(packing, "PIECE_ROWS", 8)


def told(result):
    return (
        result.checked,
        result.findings("line", "rule", "severity", "field", "value"),
        result.rows(),
        result.rejected_csv(),
    )


@pytest.mark.usefixtures("small_pieces")
def test_packed_and_whole_say_the_same(taken, file_of):
    data = (
        file_of(*(ODD[n % len(ODD)] for n in range(60))) + b'B99,"open\n' + file_of({})[file_of({}).index(b"\n") + 1 :]
    )
    whole = taken(data)
    with closing(connect(packed=True)) as tables:
        packed = taken(data, connection=tables)
        assert tables.execute("SELECT count(*) FROM packed.staged_raw").fetchone() == (61,)
        assert told(packed) == told(whole)
    assert whole.checked.rejected
    assert whole.checked.duplicates == 1


@pytest.mark.usefixtures("small_pieces")
def test_a_small_sheet_after_a_large_one_and_the_other_way_round(taken, file_of):
    large, small = file_of(*({} for _ in range(30))), file_of({}, {"ga_weeks": "99"})
    with closing(connect(packed=True)) as tables:
        for data, rows in ((large, 30), (small, 2), (large, 30)):
            assert taken(data, connection=tables).checked.rows_read == rows
            assert tables.execute("SELECT count(*) FROM staged_raw").fetchone() == (rows,)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('"a",b,""', ["a", "b", None]),
        ('"a,"",b",c,d', ['a,",b', "c", "d"]),
        ('"a""b",c,"d"', ['a"b', "c", "d"]),
        ('5\'6",c,"d"', ["5'6\"", "c", "d"]),
        ('"","",x', [None, None, "x"]),
    ],
)
def test_marks_are_taken_off_without_a_parser_only_where_they_stand_around_a_plain_cell(taken, file_of, written, read):
    """Three cells of a row as a person may write them; the rest of the row is plain."""
    header, row = file_of({}).decode().splitlines()
    names = header.split(",")
    places = [names.index(name) for name in ("mother_family_name", "mother_given_names")]
    assert places[1] == places[0] + 1
    cells = next(csv.reader(io.StringIO(row)))
    before, after = cells[: places[0]], cells[places[1] + 1 :]
    line = ",".join([*before, written, *after])
    data = "\n".join([f"{','.join(names[: places[1] + 1])},another,{','.join(names[places[1] + 1 :])}", line, line])
    result = taken(data.encode() + b"\n")
    shown = ", ".join(f"c{n}" for n in range(places[0], places[0] + 3))
    assert result.connection.execute(f"SELECT {shown} FROM staged_raw").fetchall() == [tuple(read)] * 2
