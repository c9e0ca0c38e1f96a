"""The mother's age by year, month and day is the engine's own count of whole years, on every day and leap day."""

import duckdb

from swaddle.intake.layers import _AGE, _YEARS

DAYS = """
SELECT born AS mother_birth_date, event AS event_first
FROM (SELECT DATE '1995-12-20' + CAST(n AS INTEGER) AS born FROM range(1560) r(n)),
     (SELECT DATE '1999-06-01' + CAST(n * 3 AS INTEGER) AS event FROM range(700) r(n))
"""


def test_no_pair_of_days_gives_another_age():
    with duckdb.connect() as connection:
        count, wrong = connection.execute(
            f"SELECT count(*), count_if(({_AGE}) IS DISTINCT FROM {_YEARS}) FROM ({DAYS})"
        ).fetchone()
    assert (count, wrong) == (1560 * 700, 0)


def test_no_date_gives_no_age():
    with duckdb.connect() as connection:
        dates = "SELECT CAST(NULL AS DATE) AS mother_birth_date, DATE '2024-02-29' AS event_first"
        assert connection.execute(f"SELECT {_AGE} FROM ({dates})").fetchone() == (None,)
