"""Care that cannot wait: found when data come or a day begins, told to the hospital of the birth, closed when opened.

    judged (alert_rules.py) -> a row for each baby -> one sealed bundle for each submitter and look -> opened | came

A look costs nothing where no load and no day is new. What was found is in the store before anything is sent; a kill is
made good at the next look. A row ends when the submitter opened its alert, when the record came, or when the birth is
void or its child has died; what came and went again is told again. Unopened for a day, the operator has an alarm, once.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb

from swaddle.canonical import format_instant
from swaddle.errors import SwaddleError
from swaddle.feedback.alert import Baby, alert
from swaddle.registry import alert_rules, issued
from swaddle.registry.alarm import UNOPENED, Alarms
from swaddle.registry.alert_rules import DAY, MISSED, NOT_JUDGED, SCREENED, WINDOW
from swaddle.registry.held import Held
from swaddle.registry.inside import Registry
from swaddle.registry.state import Submitter
from swaddle.registry.store import Store
from swaddle.registry.watch import raise_alarms

SCHEMA = """
create table if not exists alerts (
    alert text primary key, feedback text, sent_at text, opened_at text, told_at text) strict;
"""
SEEN = "alerts"  # the fact that holds what the last look saw
CAME, GONE, OPENED = "came", "gone", "opened"
TELL_AFTER = timedelta(hours=24)
_ID = "submitter, form, local_record_id"
_SAME = f"{_ID}, cause"
_STANDS = "ended_at is null"


def look(inside: Registry) -> dict[str, Any]:
    """What is new since the last look, as rows; what was opened; what the operator must be told.

    A fault of ours stops no data: it is said, and the next load or day is another try.
    """
    close_opened(inside)
    seen = _moment(inside)
    fault, found = None, 0
    if inside.state.fact(SEEN) != seen:
        try:
            found = find(inside.store, inside.now())
        except SwaddleError:
            raise
        except Exception as error:  # noqa: BLE001  its text may hold a value
            fault = type(error).__name__
        inside.state.set_fact(SEEN, seen)
    tell_operator(inside)
    return {"found": found, "fault": fault}


def find(store: Store, at: datetime) -> int:
    """Judge the births of the last weeks; the babies that are new. One transaction.

    Args:
        store: all submitters' records.
        at: now.
    """
    today, run = at.astimezone(UTC).date(), store.connection.execute
    oldest = run(f"select min(event) from clinical.alerts where {_STANDS}").fetchone()
    since = today - WINDOW - timedelta(days=DAY)
    standing: date | None = oldest[0] if oldest else None
    held = Held(store, store.connection, "", min(since, standing) if standing else since)
    if standing is None and held.relation("screen") is None:
        return 0  # no laboratory sends anything: nothing can be missed, and most small registries stop here
    alert_rules.judge(store.connection, held, today)
    try:
        run("begin")
        _end_what_is_over(store.connection, at)
        run(
            f"create or replace temp table alert_new as select {_SAME}, event from (select {_ID}, '{MISSED}' as cause,"
            f" event from alert_judged where fate = '{MISSED}' and event >= $since"
            f" union all {alert_rules.critical(today)})"
            f" where ({_SAME}) not in (select ({_SAME}) from clinical.alerts"
            f" where {_STANDS} or ended_by = '{OPENED}')",
            {"since": since},
        )
        told = run("select submitter, count(*) from alert_new group by all order by 1").fetchall()
        for submitter, _ in told:
            run(
                f"insert into clinical.alerts by name select $alert as alert, {_SAME}, event, $at::timestamp"
                " as found_at from alert_new where submitter = $submitter",
                {"alert": secrets.token_hex(16), "submitter": submitter, "at": _utc(at)},
            )
        run("commit")
    except BaseException:
        run("rollback")
        raise
    finally:
        run("drop table if exists alert_new")
        alert_rules.forget(store.connection)
    return sum(int(number) for _, number in told)


def not_judged(store: Store, at: datetime, first: date, last: date) -> dict[str, dict[str, int]]:
    """For reports: live births of these days whose missing screen could not be judged, by submitter and reason.

    Args:
        store: all submitters' records.
        at: now.
        first: day of birth from which.
        last: day of birth until which, itself in.
    """
    held = Held(store, store.connection, "", first)
    alert_rules.judge(store.connection, held, at.astimezone(UTC).date())
    rows = store.connection.execute(
        "select submitter, fate, count(*) from alert_judged where (event between ? and ? or event is null)"
        " and list_contains(?, fate) group by all order by all",
        [first, last, list(NOT_JUDGED)],
    ).fetchall()
    alert_rules.forget(store.connection)
    found: dict[str, dict[str, int]] = {}
    for submitter, fate, number in rows:
        found.setdefault(submitter, {})[fate] = int(number)
    return found


def unsent(inside: Registry) -> Iterator[tuple[str, Submitter, datetime]]:
    """Alerts about somebody who still waits, that the gateway was not given, whose submitter could open them."""
    inside.state.prepare(SCHEMA)
    sent = {each for (each,) in inside.state.run("select alert from alerts where feedback is not null").fetchall()}
    rows = inside.store.connection.execute(
        f"select alert, submitter, min(found_at) from clinical.alerts where {_STANDS} group by all order by 3, 1"
    ).fetchall()
    for each, submitter, at in rows:
        known = inside.state.submitter(submitter)
        if each not in sent and known is not None and known.state == "active" and known.sealing is not None:
            yield each, known, at.replace(tzinfo=UTC)


def issue(inside: Registry, each: str, submitter: Submitter) -> None:
    """Keep the bundle that an alert is sent as, once, and say in custody that it was raised."""
    rows = inside.store.connection.execute(
        f"select form, local_record_id, cause, event from clinical.alerts where alert = ? and {_STANDS}"
        " order by event, local_record_id",
        [each],
    ).fetchall()
    if issued.of(inside.store, each) is None:
        bundle = alert(each, [Baby(*row) for row in rows], inside.now(), alert_rules.FOLLOW_UP_DAYS)
        issued.keep(inside.store, each, submitter.id, bundle, inside.now())
    if not any(entry.event == "alert-raised" for entry in inside.ledger.newest(each)):
        inside.ledger.append("alert-raised", each, {"submitter": submitter.id, "count": len(rows)}, inside.now())


def is_sent(inside: Registry, each: str) -> bool:
    """Whether the gateway holds an alert, or held it."""
    inside.state.prepare(SCHEMA)
    row = inside.state.run("select 1 from alerts where alert = ? and feedback is not null", (each,)).fetchone()
    return row is not None


def sent(inside: Registry, each: str, feedback: str) -> None:
    """Note that the gateway holds an alert, as this transfer."""
    inside.state.run(
        "insert into alerts (alert, feedback, sent_at) values (?, ?, ?) on conflict (alert) do update set"
        " feedback = excluded.feedback, sent_at = excluded.sent_at",
        (each, feedback, format_instant(inside.now())),
    )


def close_opened(inside: Registry) -> None:
    """End what was fetched; an alert that expired or was lost unopened is sent again."""
    inside.state.prepare(SCHEMA)
    waiting = inside.state.run("select alert, feedback from alerts where feedback is not null and opened_at is null")
    for each, feedback in waiting.fetchall():
        events = {entry.event for entry in inside.ledger.newest(feedback)}
        if "transfer-acknowledged" in events:
            inside.store.connection.execute(
                f"update clinical.alerts set ended_at = ?, ended_by = '{OPENED}' where alert = ? and {_STANDS}",
                [_utc(inside.now()), each],
            )
            at = format_instant(inside.now())
            inside.state.run("update alerts set opened_at = ? where alert = ?", (at, each))
        elif events & {"transfer-expired", "transfer-lost"}:
            inside.state.run("update alerts set feedback = null where alert = ?", (each,))


def tell_operator(inside: Registry) -> None:
    """An alarm about each alert that nobody opened for a day: once, and over when the alert is."""
    inside.state.prepare(SCHEMA)
    at = inside.now()
    rows = inside.store.connection.execute(
        f"select alert, min(found_at) from clinical.alerts where {_STANDS} group by alert"
    ).fetchall()
    late = {each for each, found in rows if at - found.replace(tzinfo=UTC) >= TELL_AFTER}
    told = {each for (each,) in inside.state.run("select alert from alerts where told_at is not null").fetchall()}
    with closing(Alarms(inside.home / "registry.db")) as alarms:
        for each in sorted(late - told):
            raise_alarms(alarms, inside, UNOPENED, [each], at)
            inside.state.run(
                "insert into alerts (alert, told_at) values (?, ?) on conflict (alert) do update set"
                " told_at = excluded.told_at",
                (each, format_instant(at)),
            )
        alarms.end(UNOPENED, late, at)


def listed(inside: Registry) -> dict[str, Any]:
    """Every alert with its state: whom it was for, how many babies, when; no record and no person."""
    inside.state.prepare(SCHEMA)
    names = {each.id: each.name for each in inside.state.submitters()}
    sendings = {row[0]: row[1:] for row in inside.state.run("select alert, sent_at, opened_at, told_at from alerts")}
    rows = inside.store.connection.execute(
        f"select alert, submitter, cause, count(*), count(*) filter ({_STANDS}), min(found_at),"
        f" count(*) filter (ended_by = '{CAME}'), count(*) filter (ended_by = '{GONE}')"
        " from clinical.alerts group by all order by 6 desc, 1, 3"
    ).fetchall()
    return {
        "alerts": [
            {
                "id": each, "submitter": submitter, "name": names.get(submitter, "unknown"), "cause": cause,
                "babies": babies, "open": left, "found_at": format_instant(found.replace(tzinfo=UTC)),
                "came": came, "gone": gone,
                **dict(zip(("sent_at", "opened_at", "told_at"), sendings.get(each, (None,) * 3), strict=True)),
            }
            for each, submitter, cause, babies, left, found, came, gone in rows
        ]
    }  # fmt: skip


def _moment(inside: Registry) -> str:
    row = inside.store.connection.execute("select coalesce(max(load_id), 0) from clinical.loads").fetchone()
    return f"{row[0] if row else 0} {inside.now().date().isoformat()}"


def _end_what_is_over(connection: duckdb.DuckDBPyConnection, at: datetime) -> None:
    """What came, and births that are void, of no live child any more, or whose child has died."""
    live = f"select ({_ID}) from alert_judged where fate <> '{alert_rules.DIED}'"
    came = f"cause = '{MISSED}' and ({_ID}) in (select ({_ID}) from alert_judged where fate = '{SCREENED}')"
    open_results = f"select ({_SAME}) from ({alert_rules.still_open()})"
    for how, where in (
        (GONE, f"({_ID}) not in ({live})"),
        (CAME, came),
        (CAME, f"cause <> '{MISSED}' and ({_SAME}) not in ({open_results})"),
    ):
        connection.execute(
            f"update clinical.alerts set ended_at = $at::timestamp, ended_by = $how where {_STANDS} and {where}",
            {"at": _utc(at), "how": how},
        )


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
