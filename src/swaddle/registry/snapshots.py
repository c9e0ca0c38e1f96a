"""Snapshots: what counted in a period at a moment, as counts and as the load up to which it can be counted again."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC
from hashlib import sha256
from typing import Any

from swaddle.canonical import canonical, format_instant
from swaddle.errors import NotThere
from swaddle.indicators.compute import compute
from swaddle.registry import units, views
from swaddle.registry.consent import Purpose
from swaddle.registry.inside import Registry
from swaddle.registry.store import Store


def in_period(period: str) -> str:
    """SQL: whether a row's event lies in a period; a row of which only the year is known lies in years alone."""
    year, _, part = period.partition("-")
    where = f"event_year = {int(year)}"
    if part.startswith("Q"):
        last = 3 * int(part[1:])
        where += f" and event_month between {last - 2} and {last}"
    elif part:
        where += f" and event_month = {int(part)}"
    return where


def last_load(store: Store) -> int:
    """The number of the last committed load; 0 where there is none."""
    row = store.connection.execute("select coalesce(max(load_id), 0) from clinical.loads").fetchone()
    assert row is not None
    return int(row[0])


def state_of(store: Store) -> str:
    """The state of the store as it is now, by its last load; counting up to it again gives the same counts."""
    return f"load {last_load(store)}"


def received(store: Store, period: str, until: int | None = None) -> dict[tuple[str, str], int]:
    """(submitter, form) to the records of a period that count, now or up to a load."""
    rows = store.connection.execute(
        f"select submitter, form, count(*) from {views.shown(Purpose.PERIOD, until)}"
        f" where {in_period(period)} group by all"
    ).fetchall()
    return {(submitter, form): int(number) for submitter, form, number in rows}


def take(inside: Registry, period: str, act: str, submitter: str | None = None) -> dict[str, Any]:
    """Keep what counts in a period now, of everybody or of one submitter; the snapshot with its id."""
    until = last_load(inside.store)
    body = {
        "period": period,
        "act": act,
        "made_at": format_instant(inside.now()),
        "until_load": until,
        "dictionary": inside.store.dictionary.version,
        "submitters": counted(inside, period, until, submitter),
    }
    text = canonical(body)
    digest = sha256(text).hexdigest()
    inside.store.connection.execute(
        "insert into clinical.snapshots select ?, ?, ?, ?, ?, ?"
        " where ? not in (select id from clinical.snapshots)",
        [digest, period, act, inside.now().astimezone(UTC).replace(tzinfo=None), until, text.decode(), digest],
    )  # fmt: skip
    return {"id": digest, **body}


def counted(inside: Registry, period: str, until: int, only: str | None = None) -> list[dict[str, Any]]:
    """Each submitter's records by form, unanswered warnings, and the counts of its indicators, in whole numbers."""
    store = inside.store
    by_form = received(store, period, until)
    submitters = [only] if only else sorted({submitter for submitter, _ in by_form})
    warned = dict(
        store.connection.execute(
            f"select submitter, count(*) from {views.shown(Purpose.PERIOD, until)} kept"
            " join clinical.warnings using (load_id, line)"
            f" where {in_period(period)} group by submitter"
        ).fetchall()
    )
    told = []
    with closing(store.cursor()) as tables:
        for name in units.RELATIONS:
            tables.execute(
                f"create or replace temp view {name} as select * from ({units.relation(name, store.placement, until)})"
                f" where {in_period(period)}"
            )
        for submitter in submitters:
            results = compute(tables, submitter, as_of=inside.now(), threshold=inside.settings.report_threshold)
            told.append({
                "submitter": submitter,
                "records": {form: number for (whose, form), number in by_form.items() if whose == submitter},
                "warnings": int(warned.get(submitter, 0)),
                "indicators": [
                    {"id": each.id, "group": row.group, "numerator": row.numerator, "denominator": row.denominator,
                     "unknown": row.unknown}
                    for each in results
                    for row in each.rows
                    if row.whose == "own"
                ],
            })  # fmt: skip
    return told


def of(store: Store, snapshot: str) -> dict[str, Any]:
    """A kept snapshot by its id.

    Raises:
        NotThere: there is none.
    """
    row = store.connection.execute("select body from clinical.snapshots where id = ?", [snapshot]).fetchone()
    if row is None:
        raise NotThere
    kept: dict[str, Any] = json.loads(row[0])
    return kept


def changed_since_last(inside: Registry, period: str) -> bool:
    """Whether records of the period came, went or changed after its last closing: its figures are revised."""
    row = inside.store.connection.execute(
        "select max(until_load) from clinical.snapshots where period = ? and act = 'close'", [period]
    ).fetchone()
    if row is None or row[0] is None:
        return False
    later = inside.store.connection.execute(
        f"select 1 from clinical.stored_rows where load_id > {int(row[0])} and {in_period(period)} union all"
        " select 1 from clinical.superseded join clinical.stored_rows using (load_id, line)"
        f" where by_load > {int(row[0])} and {in_period(period)} limit 1"
    ).fetchone()
    return later is not None
