"""The life of a record is one table: whole, and the same in Python and in SQL."""

from datetime import UTC, datetime, timedelta
from itertools import product

import duckdb
import pytest

from swaddle.registry.lifecycle import FATES, STEPS, Age, Fate, Known, Sent, Step, Version, age, age_sql, step, step_sql

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)


def test_every_case_has_a_step_and_every_step_a_fate():
    assert set(STEPS) == set(product(Known, Sent, Age, (False, True)))
    assert set(STEPS.values()) == set(Step) == set(FATES)


@pytest.mark.parametrize(
    ("known", "sent", "its_age", "same", "after"),
    [
        (Known.NOTHING, Sent.RECORD, Age.NEWER, False, Step.NEW),
        (Known.NOTHING, Sent.VOID, Age.NEWER, False, Step.NOTHING_TO_VOID),
        (Known.RECORD, Sent.RECORD, Age.NEWER, False, Step.REPLACED),
        (Known.RECORD, Sent.RECORD, Age.NEWER, True, Step.UNCHANGED),
        (Known.RECORD, Sent.RECORD, Age.OLDER, True, Step.UNCHANGED),
        (Known.RECORD, Sent.RECORD, Age.OLDER, False, Step.LATE),
        (Known.RECORD, Sent.VOID, Age.NEWER, False, Step.VOIDED),
        (Known.RECORD, Sent.VOID, Age.OLDER, False, Step.LATE),
        (Known.TOMBSTONE, Sent.VOID, Age.NEWER, False, Step.VOIDED_BEFORE),
        (Known.TOMBSTONE, Sent.RECORD, Age.OLDER, True, Step.LATE),
        (Known.TOMBSTONE, Sent.RECORD, Age.NEWER, True, Step.REVIVED),
    ],
)
def test_what_becomes_of_a_row(known, sent, its_age, same, after):
    assert step(known, sent, its_age, same=same) is after


def test_a_void_of_nothing_is_the_only_step_that_rejects():
    assert [each for each, fate in FATES.items() if fate is Fate.REJECTED] == [Step.NOTHING_TO_VOID]


VERSIONS = [
    Version(number=number, instant=instant, sent=sent)
    for number, instant, sent in product((None, 1, 2), (None, MONDAY, TUESDAY), (MONDAY, TUESDAY))
]


@pytest.mark.parametrize(
    ("known", "sent", "expected"),
    [
        (Version(sent=MONDAY), Version(sent=TUESDAY), Age.NEWER),
        (Version(sent=TUESDAY), Version(sent=MONDAY), Age.OLDER),
        (Version(sent=MONDAY), Version(sent=MONDAY), Age.NEWER),
        (Version(number=9, sent=MONDAY), Version(number=10, sent=MONDAY), Age.NEWER),
        (Version(number=2, sent=MONDAY), Version(number=1, sent=TUESDAY), Age.OLDER),
        (Version(number=2, sent=MONDAY), Version(number=2, sent=TUESDAY), Age.NEWER),
        (Version(number=2, sent=MONDAY), Version(instant=MONDAY, sent=TUESDAY), Age.NEWER),
        (Version(instant=TUESDAY, sent=MONDAY), Version(instant=MONDAY, sent=TUESDAY), Age.OLDER),
        (Version(number=2, sent=TUESDAY), Version(sent=MONDAY), Age.OLDER),
    ],
)
def test_the_stated_version_orders_before_the_file(known, sent, expected):
    assert age(known, sent) is expected


def test_sql_says_of_every_pair_of_versions_what_python_says():
    connection = duckdb.connect()
    connection.execute(
        "create table versions (id int, version_number bigint, version_instant timestamp, sent_at timestamp)"
    )
    for n, each in enumerate(VERSIONS):
        moments = [None if m is None else m.replace(tzinfo=None) for m in (each.instant, each.sent)]
        connection.execute("insert into versions values (?, ?, ?, ?)", [n, each.number, *moments])
    rows = connection.execute(
        f"select known.id, sent.id, {age_sql('known', 'sent')} from versions known, versions sent"
    ).fetchall()
    assert len(rows) == len(VERSIONS) ** 2
    for known, sent, said in rows:
        assert said == age(VERSIONS[known], VERSIONS[sent]).value


def test_sql_says_of_every_case_what_the_table_says():
    connection = duckdb.connect()
    for (known, sent, its_age, same), after in STEPS.items():
        sql = step_sql("$known", "$sent", "$age", "$same")
        values = {"known": known.value, "sent": sent.value, "age": its_age.value, "same": same}
        assert connection.execute(f"select {sql}", values).fetchone() == (after.value,)
