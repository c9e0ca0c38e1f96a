"""Rows whose keeping time is over when they come: an old file sent again brings back nothing that was let go of.

They are rejected with a finding of their own, L4, by the schedule in force on that day; nothing that the schedule would
keep is. No list of what was let go of is needed for it, and none that could be one. What a hold covers is taken.
Neither the kept report nor the kept rejected rows show any of them: their submitter has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

import duckdb

from swaddle.dictionary.model import Dictionary
from swaddle.intake.engine import literal
from swaddle.intake.findings import sort_key, words
from swaddle.intake.summarise import EXAMPLES
from swaddle.intake.tables import REFUSED_OVER, Checked, Example, FindingSummary
from swaddle.registry.holds import Scope, covers_sql
from swaddle.registry.letting_go import own_types
from swaddle.registry.records import Placement
from swaddle.registry.retention import Schedule, due_sql
from swaddle.registry.rows import tells

RULE, FIELD = "L4", "event_date"
PERSONS = ("mother_subject", "child_subject", "person_subject")


def refuse(
    connection: duckdb.DuckDBPyConnection,
    checked: Checked,
    dictionary: Dictionary,
    schedule: Schedule,
    *,
    form: str,
    submitter: str,
    transfer: str,
    carried: Iterable[str],
    placement: Placement,
    scopes: Sequence[Scope],
    today: date,
) -> Checked:
    """Reject the accepted rows whose time is over; what was found, with that said.

    Args:
        connection: in which `validate` and `link` ran.
        checked: what they found.
        dictionary: for the words.
        schedule: in force.
        form: what a row of the file is.
        submitter: whose rows these are.
        transfer: in which they came.
        carried: wide fields that the layout holds.
        placement: which of them make which record.
        scopes: of the holds in force.
        today: in UTC.
    """
    there = {column[0] for column in connection.execute("select * from checked_rows limit 0").description or ()}
    has = set(carried)
    types = [f"case when true then {literal(name)} end" for name in own_types(form)]
    for name, columns in placement.types.items():
        told = [column for column in columns if column in has]
        if told and name not in own_types(form):
            types.append(f"case when {tells(told)} then {literal(name)} end")
    persons = ", ".join(name for name in PERSONS if name in there)
    born = "child_birth_date" if "child_birth_date" in there else "null::date"
    connection.execute(
        "create or replace temp table load_outlived as with told as (select line, local_record_id,"
        f" {literal(submitter)} as submitter, {literal(transfer)} as transfer, {literal(form)} as form,"
        # The store keeps an event's month for this, so a row is judged by its month here too.
        f" date_trunc('month', event_first)::date as event_first, last_day(event_last) as event_last,"
        f" try_cast({born} as date) as birth_last, $today::date as received,"
        f" list_filter([{', '.join(types)}], lambda each: each is not null) as types,"
        f" list_filter([{persons}]::varchar[], lambda each: each is not null) as persons"
        " from checked_rows where verdict = 'accepted'),"
        " each as (select *, unnest(types) as type from told)"
        f" select line, any_value(local_record_id) as number from (select *, {due_sql(schedule)} as due from each)"
        f" where not {covers_sql(scopes)}"
        " group by line having not bool_or(due is null) and max(due) <= $today",
        {"today": today},
    )
    row = connection.execute(
        "select count(*), count(*) filter (line in (select line from checked_marks where not rejected))"
        " from load_outlived"
    ).fetchone()
    count, duplicates = (0, 0) if row is None else (int(row[0]), int(row[1]))
    return _said(connection, checked, dictionary, count, duplicates) if count else checked


def _said(
    connection: duckdb.DuckDBPyConnection, checked: Checked, dictionary: Dictionary, count: int, duplicates: int
) -> Checked:
    """Mark them, and take out of what is told of the others whatever was found in them."""
    about = dictionary.checks[RULE]
    text, fix = words(dictionary, RULE, FIELD, None, {})
    lines = "select line from load_outlived"
    counted = {
        (rule, field): int(number)
        for rule, field, number in connection.execute(
            f"select rule, field, count(*) from checked_findings where line in ({lines}) group by all"
        ).fetchall()
    }
    connection.execute(f"delete from checked_findings where line in ({lines})")
    connection.execute(f"delete from checked_marks where line in ({lines})")
    connection.execute("insert into checked_marks select line, true from load_outlived")
    shown = connection.execute(f"{lines} order by line limit ?", [EXAMPLES]).fetchall()
    finding = FindingSummary(
        rule=RULE, scope=about.scope, severity=about.severity, count=count, field=FIELD, text=text, fix=fix,
        examples=tuple(Example(line=line, field=FIELD, value=None) for (line,) in shown),
    )  # fmt: skip
    others = [_less(connection, found, counted.get((found.rule, found.field), 0)) for found in checked.findings]
    rejected_before = connection.execute("select count_if(rejected) from checked_marks").fetchone()
    assert rejected_before is not None
    rejected = int(rejected_before[0])
    return replace(
        checked,
        findings=tuple(sorted((*(found for found in others if found.count), finding), key=sort_key)),
        accepted=checked.rows_read - rejected,
        duplicates=checked.duplicates - duplicates,
        rejected=rejected,
        refused=checked.refused or rejected > checked.rows_read * REFUSED_OVER,
    )


def _less(connection: duckdb.DuckDBPyConnection, found: FindingSummary, number: int) -> FindingSummary:
    """A finding without the rows whose time is over; one that is told once for the file keeps its count."""
    lines = [each.line for each in found.examples]
    over = connection.execute(
        "select line from load_outlived where line in (select unnest($lines::bigint[]))", {"lines": lines}
    ).fetchall()
    gone = {line for (line,) in over}
    return replace(
        found,
        count=found.count if found.scope == "file" else max(found.count - number, 0),
        examples=tuple(each for each in found.examples if each.line not in gone),
    )
