"""How long: the rules of a schedule, in Python and in SQL, over every kind of date; what is no schedule is refused."""

from datetime import date
from itertools import product

import duckdb
import pytest
from quiet_registry import schedule

from swaddle.registry import adopted
from swaddle.registry.retention import (
    HOLDINGS,
    RECORDS,
    ScheduleUnusable,
    Times,
    due,
    due_sql,
    holding_due,
    holding_due_sql,
    later,
    parse,
    rounded_up,
)

DAYS = [None, date(1972, 2, 29), date(2000, 12, 31), date(2024, 1, 1), date(2024, 2, 29)]


@pytest.mark.parametrize("round_up", ["day", "month", "year"])
def test_the_rule_in_sql_is_the_rule_in_python(round_up):
    text = schedule(round_up, birth_child=28, antenatal=10, labour_birth_mother=0, nicu_stay=None)
    text += '[keep.person]\nyears = 3\nafter = "received"\nsource = "a law"\nstanding = "verified"\n'
    text += '[keep.newborn_screen]\nyears = 3\nafter = "birth"\nsource = "?"\nstanding = "unverified"\n'
    known = parse(
        text.replace('[keep.antenatal]\nyears = 10\nafter = "event"', '[keep.antenatal]\nyears = 10\nafter = "birth"')
    )
    received = date(2026, 11, 22)
    with duckdb.connect() as connection:
        for name, form, event, born in product(RECORDS, ("birth", "antenatal", "nicu_stay"), DAYS, DAYS):
            times = Times(form=form, event_last=event, birth_last=born, received=received)
            told = connection.execute(
                f"select {due_sql(known)} from (select ? as type, ? as form, ?::date as event_last,"
                " ?::date as birth_last, ?::date as received)",
                [name, form, event, born, received],
            ).fetchone()
            assert told == (due(known, [name], times),), (name, form, event, born)


def test_the_time_of_what_is_kept_beside_records_is_one_rule_too():
    known = parse(schedule("month", quality_report=2, presence=10))
    assert holding_due(known, "quality_report", date(2026, 11, 22)) == date(2028, 12, 1)
    assert holding_due(known, "snapshot", date(2026, 11, 22)) is None
    with duckdb.connect() as connection:
        sql = f"select {holding_due_sql(known, 'presence', 'timestamp 2024-02-29 23:59:59'.replace('2024', chr(39) + '2024') + chr(39))}"
        assert connection.execute(sql).fetchone() == (holding_due(known, "presence", date(2024, 2, 29)),)


def test_the_latest_time_of_a_row_decides_and_one_without_a_time_keeps_it():
    known = parse(schedule(labour_birth_mother=10, birth_child=28))
    times = Times(form="birth", event_last=date(1990, 5, 31), birth_last=None, received=date(2026, 1, 1))
    assert due(known, ["labour_birth_mother"], times) == date(2000, 6, 1)
    assert due(known, ["labour_birth_mother", "birth_child"], times) == date(2018, 6, 1)
    assert due(known, ["labour_birth_mother", "birth_child", "nicu_stay"], times) is None
    assert due(known, [], times) is None


def test_a_time_that_ends_on_a_day_may_be_acted_upon_the_day_after_at_the_earliest():
    assert rounded_up(later(date(2000, 2, 29), 1), "day") == date(2001, 3, 1)
    assert rounded_up(date(2026, 12, 31), "month") == date(2027, 1, 1)
    assert rounded_up(date(2026, 1, 1), "year") == date(2027, 1, 1)


def test_the_shipped_proposal_names_everything_and_vouches_for_nothing():
    shipped = parse(adopted.shipped())
    assert set(shipped.keeps) == {*RECORDS, *HOLDINGS}
    assert not any(keep.is_verified for keep in shipped.keeps.values())
    assert all(keep.source for keep in shipped.keeps.values())


GOOD = schedule(birth_child=28)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml [",
        GOOD.replace('version = "1"', ""),
        GOOD.replace('version = "1"', "version = 1"),
        GOOD.replace('"day"', '"week"'),
        GOOD.replace("keep.birth_child", "keep.births; drop table"),
        GOOD.replace("years = 28", "years = -1"),
        GOOD.replace("years = 28", "years = 28.5"),
        GOOD.replace("years = 28", "years = true"),
        GOOD.replace("years = 28", "years = 1000"),
        GOOD.replace("years = 28", 'years = "28"'),
        GOOD.replace('after = "birth"', 'after = "the flood"'),
        GOOD.replace('source = "a law"', 'source = " "'),
        GOOD.replace('source = "a law"\n', ""),
        GOOD.replace('"verified"', '"true"'),
        GOOD + "more = 1\n",
        GOOD + '[keep.snapshot]\nyears = 1\nafter = "event"\nsource = "x"\nstanding = "verified"\n',
        GOOD + "#" * 70_000,
    ],
)
def test_what_is_no_schedule_is_refused(text):
    with pytest.raises(ScheduleUnusable):
        parse(text)
