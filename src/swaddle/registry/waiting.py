"""Records that still wait for another one: found in the night, asked of their submitter once, ended when it came.

    found -> asked (in a notice) -> came | answered | decided

A row of clinical.waiting is a record, a rule and a keyed digest of what the rule read in the record: another value asks
again. Nothing is removed: what ended bears when and how. A notice is what one night asks of one submitter; its id
stands where a transfer's would, so that it is answered like a report (`swaddle answer NOTICE X34@2 verified`).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from swaddle.dictionary.model import Rule
from swaddle.intake.engine import identifier
from swaddle.intake.overdue import Question, questions
from swaddle.registry.held import Held
from swaddle.registry.store import Store

# How a row ends.
CAME, ANSWERED, DECIDED = "came", "answered", "decided"
SAME = "submitter, form, local_record_id, rule, field"
STANDS = "ended_at is null"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a night came to.

    Attributes:
        notices: submitter to the notice that asks it.
        new: rule to records that were found for the first time.
        ended: records that no longer wait.
        standing: records that wait now.
        not_tried: rule to records without a key by which the other could be looked up.
    """

    notices: Mapping[str, str] = field(default_factory=dict)
    new: Mapping[str, int] = field(default_factory=dict)
    ended: int = 0
    standing: int = 0
    not_tried: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """One line of a notice: a record, by its submitter's own number, and the rule for which it waits."""

    line: int
    rule: str
    field: str
    form: str
    record: str
    event: str


def look(store: Store, at: datetime, new_id: Callable[[], str]) -> Found:
    """Ask the rules that wait of all that is held; what is found for the first time gets a notice.

    One transaction on the clinical file: a kill leaves a night done or not done.

    Args:
        store: all submitters' records.
        at: now.
        new_id: makes the id of a notice.
    """
    run = store.connection.execute
    asked = list(questions(store.dictionary, Held(store, store.connection, ""), at.date()))
    run(f"create or replace temp table night ({SAME.replace(',', ' varchar,')} varchar, asked varchar, event date)")
    not_tried = {}
    for each in asked:
        _find(store, each)
        number = _count(store.connection, each.not_tried)
        if number:
            not_tried[each.rule.id] = number
    try:
        run("begin")
        ended = _end(store.connection, [each.rule for each in asked], at)
        _leave_out_known(store.connection)
        told = run("select distinct submitter from night order by submitter").fetchall()
        notices = {submitter: new_id() for (submitter,) in told}
        for submitter, notice in notices.items():
            run(
                f"insert into clinical.waiting by name select $notice as notice, {SAME}, asked, event,"
                " row_number() over (order by rule, event, local_record_id) as line, $at::timestamp as found_at"
                " from night where submitter = $submitter",
                {"notice": notice, "submitter": submitter, "at": _utc(at)},
            )
        new = dict(run("select rule, count(*) from night group by rule order by rule").fetchall())
        run("commit")
    except duckdb.Error:
        run("rollback")
        raise
    standing = _count(store.connection, f"select count(*) from clinical.waiting where {STANDS}")
    run("drop table night")
    return Found(notices=notices, new=new, ended=ended, standing=standing, not_tried=not_tried)


def notices(store: Store) -> list[tuple[str, str, datetime]]:
    """Every notice with its submitter and the night it is of, oldest first."""
    rows = store.connection.execute(
        "select notice, submitter, min(found_at) from clinical.waiting group by all order by 3, 1"
    ).fetchall()
    return [(notice, submitter, at.replace(tzinfo=UTC)) for notice, submitter, at in rows]


def told(store: Store, notice: str) -> list[Asked]:
    """What a notice asks, line by line."""
    rows = store.connection.execute(
        "select line, rule, field, form, local_record_id, coalesce(event::varchar, '') from clinical.waiting"
        " where notice = ? order by line",
        [notice],
    ).fetchall()
    return [Asked(*row) for row in rows]


def end_answered(connection: duckdb.DuckDBPyConnection, at: datetime) -> int:
    """End what its submitter has answered."""
    return _ended(connection, f"({SAME}, asked) in (select ({SAME}, asked) from clinical.answers)", ANSWERED, at)


def end_decided(connection: duckdb.DuckDBPyConnection, at: datetime) -> int:
    """End what somebody in the registry found right as it is."""
    known = f"({SAME}, asked) in (select ({SAME}, asked) from clinical.decisions where word = 'right')"
    return _ended(connection, known, DECIDED, at)


def _find(store: Store, question: Question) -> None:
    """Add to `night` what breaks one rule, each record with the digest of what was looked at."""
    key = hmac.digest(store.subject_key, b"swaddle answered", "sha256").hex()
    parts = ", ".join(f"coalesce({identifier(name)}::varchar, chr(1))" for name in question.own)
    store.connection.execute(
        "insert into night select distinct submitter, form, local_record_id, $rule, $field,"
        f" sha256(concat_ws(chr(31), $key, 'waits', {parts or 'chr(2)'})), event_first from ({question.broken})",
        {"rule": question.rule.id, "field": question.rule.shows, "key": key},
    )


def _end(connection: duckdb.DuckDBPyConnection, rules: list[Rule], at: datetime) -> int:
    """End what the night does not find any more; a rule that could not be asked ends nothing."""
    ended = 0
    for rule in rules:
        ended += _ended(
            connection,
            f"rule = $rule and field = $field and ({SAME}, asked) not in (select ({SAME}, asked) from night)",
            CAME,
            at,
            {"rule": rule.id, "field": rule.shows},
        )
    return ended


def _ended(
    connection: duckdb.DuckDBPyConnection,
    where: str,
    how: str,
    at: datetime,
    values: Mapping[str, object] | None = None,
) -> int:
    row = connection.execute(
        f"update clinical.waiting set ended_at = $at::timestamp, ended_by = $how where {STANDS} and {where}",
        {"at": _utc(at), "how": how, **(values or {})},
    ).fetchone()
    return int(row[0]) if row is not None else 0


def _leave_out_known(connection: duckdb.DuckDBPyConnection) -> None:
    """Of `night`, what was asked and still stands, was answered or was decided is not asked again for that value."""
    same = " and ".join(f"night.{name} = known.{name}" for name in (*SAME.split(", "), "asked"))
    for table, where in (
        ("clinical.waiting", f" and (known.{STANDS} or known.ended_by <> '{CAME}')"),
        ("clinical.answers", ""),
        ("clinical.decisions", ""),
    ):
        connection.execute(f"delete from night using {table} known where {same}{where}")


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def _count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return int(row[0])
