"""A date is read where it is written in full and exists, and nowhere else: every slip of two signs is tried."""

import itertools
import re
from datetime import date, datetime

import duckdb
import pytest

from swaddle.dictionary.load import load
from swaddle.intake.cast import typed

SIGNS = "0159-/:. T+xZ,é"
DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(f"{DAY.pattern}[T ][0-9]{{2}}:[0-9]{{2}}")


def slips(written):
    """`written` with one or two of its signs replaced, or one put in and the last left out."""
    found = {written}
    for places in itertools.combinations_with_replacement(range(len(written)), 2):
        for signs in itertools.product(SIGNS, repeat=2):
            cells = list(written)
            for place, sign in zip(places, signs, strict=True):
                cells[place] = sign
            found.add("".join(cells).strip())
    found |= {written[:n] + sign + written[n:-1] for n in range(len(written)) for sign in SIGNS}
    return sorted(found)


def meant(written):
    try:
        if DAY.fullmatch(written):
            read = date.fromisoformat(written)
        elif MOMENT.fullmatch(written):
            read = datetime.fromisoformat(written)
        else:
            return None
    except ValueError:
        return None
    return read if 1850 <= read.year < 2150 else None


@pytest.mark.parametrize("kind", ["date", "datetime"])
@pytest.mark.parametrize("written", ["2025-01-05", "2024-12-31 23:59", "2025-01-05T12:30", "9999-99-99", "1850-01-01"])
def test_no_slip_is_read_as_another_day(kind, written):
    field = next(each.field for each in load().wide("birth").values() if each.field.type == kind)
    tried = [each for each in slips(written) if len(each) in {10, 16}]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE tried AS SELECT unnest(?::VARCHAR[]) AS cell", [tried])
        found = connection.execute(f"SELECT cell, {typed(field, None, 'cell')} FROM tried").fetchall()
    for cell, read in found:
        expected = meant(cell)
        if kind == "date" and len(cell) == 16:
            expected = None
        elif kind == "datetime" and expected is not None and len(cell) == 10:
            expected = datetime(expected.year, expected.month, expected.day)  # noqa: DTZ001
        assert read == expected, cell


@pytest.mark.parametrize("kind", ["date", "datetime"])
@pytest.mark.parametrize(
    "written",
    [
        *("10000-1-01", "infinity", "-infinity", "epoch", "20250105", "2025/01/05", "0001-01-01", "2150-01-01"),
        *("2025-01-05 1:30Z", "2025-01-05 12:60", "2025-01-05 00:00 BC", "290000-01-05 1:00", "+2025-1-05"),
    ],
)
def test_what_the_engine_reads_kindly_is_no_date(kind, written):
    field = next(each.field for each in load().wide("birth").values() if each.field.type == kind)
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {typed(field, None, 'cell')} FROM (SELECT ?::VARCHAR AS cell)", [written])
        assert found.fetchone() == (None,)
