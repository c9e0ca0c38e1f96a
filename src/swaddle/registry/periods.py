"""Periods: open, previewed, closed, reopened; who signed off, who decided; each step with a snapshot of what counted.

A period is a year, a quarter or a month of events: 2026, 2026-Q3, 2026-10. Nothing in the store is overwritten, so a
snapshot is a load's number, up to which everything can be counted again, and the counts that were shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from swaddle.canonical import format_instant
from swaddle.errors import UsageFault
from swaddle.registry import snapshots
from swaddle.registry.admin import named
from swaddle.registry.inside import Registry
from swaddle.registry.signed_by import word_if_people
from swaddle.wire.spoken import PERIOD, SignOff

SCHEMA = """
create table if not exists periods (period text primary key, state text not null, changed_at text not null) strict;
create table if not exists sign_offs (
    period text not null, submitter text not null, person text not null, role text not null, key text not null,
    said_at text not null, received_at text not null, transfer text not null unique, word text not null,
    snapshot text not null) strict;
create table if not exists period_words (
    period text not null, act text not null, person text not null, role text not null, key text not null,
    said_at text not null, snapshot text not null, word text not null) strict;
create table if not exists expected (
    submitter text not null, period text not null, form text not null, number integer not null, said_at text not null,
    primary key (submitter, period, form)) strict;
"""


class PeriodState(Enum):
    """Where a period is."""

    OPEN = "open"
    PREVIEWED = "previewed"
    CLOSED = "closed"


class PeriodEvent(Enum):
    """What can happen to it."""

    PREVIEW = "preview"
    SIGN_OFF = "sign-off"
    CLOSE = "close"
    REOPEN = "reopen"


TRANSITIONS: Mapping[tuple[PeriodState, PeriodEvent], PeriodState] = {
    (PeriodState.OPEN, PeriodEvent.PREVIEW): PeriodState.PREVIEWED,
    (PeriodState.PREVIEWED, PeriodEvent.PREVIEW): PeriodState.PREVIEWED,
    (PeriodState.OPEN, PeriodEvent.SIGN_OFF): PeriodState.OPEN,
    (PeriodState.PREVIEWED, PeriodEvent.SIGN_OFF): PeriodState.PREVIEWED,
    # What nobody has looked at is not closed.
    (PeriodState.PREVIEWED, PeriodEvent.CLOSE): PeriodState.CLOSED,
    (PeriodState.CLOSED, PeriodEvent.REOPEN): PeriodState.OPEN,
}


# What changes a period's figures is a person's word, and a custody entry.
SIGNED: Mapping[PeriodEvent, str] = {PeriodEvent.CLOSE: "period-closed", PeriodEvent.REOPEN: "period-reopened"}


class NotInPeriod(UsageFault):
    """A period that is where it is cannot take this step."""

    code = "SWD-REG-96"
    what = "this cannot be done with the period now"
    why = "{reason}"
    fix = "`swaddle registry period list` shows where each period is: open, previewed, closed, and open again"


def after(state: PeriodState, event: PeriodEvent) -> PeriodState:
    """The state that `event` leads to.

    Raises:
        NotInPeriod: the table has no such step; nothing changes.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise NotInPeriod(f"it is {state.value}, and takes no {event.value}") from None


def begin(inside: Registry, period: str) -> dict[str, Any]:
    """Open a period: submitters may sign it off from now on. One that is open already stays so.

    Raises:
        NotInPeriod: it is no period.
    """
    if not PERIOD.fullmatch(period):
        raise NotInPeriod("a period is a year, a quarter or a month: 2026, 2026-Q3, 2026-10")
    _prepare(inside)
    inside.state.run(
        "insert into periods values (?, ?, ?) on conflict do nothing",
        (period, PeriodState.OPEN.value, format_instant(inside.now())),
    )
    return one(inside, period)


def step(inside: Registry, period: str, event: str, word: Any = None) -> dict[str, Any]:
    """Preview, close or reopen a period; each keeps a snapshot. A preview says what would count if this were final.

    Args:
        inside: the registry.
        period: which.
        event: what is done.
        word: for close and reopen, a person's signature over what `to_sign` says; needed once the registry has people.

    Raises:
        NotInPeriod: it is not open, or takes no such step now.
        SignatureNeeded: there are people, and none of them signed this.
    """
    what = PeriodEvent(event)
    state = after(state_of(inside, period), what)
    said = None if what not in SIGNED else word_if_people(inside, word, to_sign(inside, period, event))
    taken = snapshots.take(inside, period, what.value)
    at = format_instant(inside.now())
    if what in SIGNED:
        detail: dict[str, Any] = {"seen": _seen(inside, period, what)}
        if said is not None:
            detail |= {"key": said.person.public.fingerprint, "word_sha256": said.sha256}
            inside.state.run(
                "insert into period_words values (?, ?, ?, ?, ?, ?, ?, ?)",
                (period, what.value, said.person.name, said.person.role, said.person.key, said.at, taken["id"],
                 json.dumps(said.signed.to_json())),
            )  # fmt: skip
        inside.ledger.append(SIGNED[what], taken["id"], detail, inside.now())
    inside.state.run("update periods set state = ?, changed_at = ? where period = ?", (state.value, at, period))
    return one(inside, period) | {"snapshot": taken}


def to_sign(inside: Registry, period: str, event: str) -> dict[str, str]:
    """What a person of the registry signs to close or reopen a period: it names the counts that they have seen.

    Raises:
        NotInPeriod: it was never opened, or takes no such step now.
    """
    what = PeriodEvent(event)
    after(state_of(inside, period), what)
    return {"act": f"{what.value}-period", "period": period, "snapshot": _seen(inside, period, what)}


def _seen(inside: Registry, period: str, what: PeriodEvent) -> str:
    """The snapshot of the step before: the last preview of what is closed, the closing of what is opened again."""
    before = PeriodEvent.PREVIEW if what is PeriodEvent.CLOSE else PeriodEvent.CLOSE
    row = inside.store.connection.execute(
        "select id from clinical.snapshots where period = ? and act = ? order by made_at desc limit 1",
        [period, before.value],
    ).fetchone()
    if row is None:
        raise NotInPeriod("nobody has looked at what would count")
    return str(row[0])


def sign_off(inside: Registry, said: SignOff, transfer: str) -> bool:
    """Keep a submitter's sign-off with what counted then; False where the period takes none.

    The caller has checked that the transfer is that submitter's. The same transfer again changes nothing.
    """
    _prepare(inside)
    if inside.state.run("select 1 from sign_offs where transfer = ?", (transfer,)).fetchone() is not None:
        return True
    try:
        after(state_of(inside, said.period), PeriodEvent.SIGN_OFF)
    except NotInPeriod:
        return False
    taken = snapshots.take(inside, said.period, PeriodEvent.SIGN_OFF.value, submitter=said.submitter)
    inside.state.run(
        "insert into sign_offs values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (said.period, said.submitter, said.person.name, said.person.role, said.person.key, said.at,
         format_instant(inside.now()), transfer, json.dumps(said.word.to_json()), taken["id"]),
    )  # fmt: skip
    return True


def state_of(inside: Registry, period: str) -> PeriodState:
    """Where a period is.

    Raises:
        NotInPeriod: it was never opened.
    """
    _prepare(inside)
    row = inside.state.run("select state from periods where period = ?", (period,)).fetchone()
    if row is None:
        raise NotInPeriod("it was never opened")
    return PeriodState(row[0])


def one(inside: Registry, period: str) -> dict[str, Any]:
    """A period as it is shown: its state, who signed off, whether data came after the last snapshot."""
    state = state_of(inside, period)
    signed = inside.state.run(
        "select submitter, person, role, said_at, snapshot from sign_offs where period = ? order by rowid", (period,)
    ).fetchall()
    decided = inside.state.run(
        "select act, person, role, said_at, snapshot from period_words where period = ? order by rowid", (period,)
    ).fetchall()
    names = {each.id: each.name for each in inside.state.submitters()}
    changed = snapshots.changed_since_last(inside, period) if state is PeriodState.CLOSED else False
    return {
        "period": period,
        "state": state.value,
        "revised": changed,
        "decided_by": [
            {"act": act, "person": person, "role": role, "at": at, "snapshot": snapshot}
            for act, person, role, at, snapshot in decided
        ],
        "signed_off": [
            {
                "submitter": submitter, "name": names.get(submitter, "unknown"), "person": person, "role": role,
                "at": at, "snapshot": snapshot,
            }
            for submitter, person, role, at, snapshot in signed
        ],
    }  # fmt: skip


def listed(inside: Registry) -> dict[str, Any]:
    """All periods, the latest first."""
    _prepare(inside)
    rows = inside.state.run("select period from periods order by period desc").fetchall()
    return {"periods": [one(inside, period) for (period,) in rows]}


def expect(inside: Registry, name: str, period: str, form: str, number: int) -> dict[str, Any]:
    """Note how many records of a form a submitter will have for a period, by its own list (a birth register).

    Raises:
        NotInPeriod: it is no period, or no form, or a number below nothing.
        NoSuchSubmitter: nobody has that name.
    """
    if not PERIOD.fullmatch(period) or form not in inside.store.dictionary.forms or number < 0:
        raise NotInPeriod("an expected number needs a period, a form of the dictionary and a number")
    _prepare(inside)
    inside.state.run(
        "insert or replace into expected values (?, ?, ?, ?, ?)",
        (named(inside, name).id, period, form, number, format_instant(inside.now())),
    )
    return expected(inside, period)


def expected(inside: Registry, period: str) -> dict[str, Any]:
    """Expected against received, by submitter and form; what nobody expected is shown as received alone."""
    _prepare(inside)
    rows = inside.state.run("select submitter, form, number from expected where period = ?", (period,)).fetchall()
    wanted = {(submitter, form): number for submitter, form, number in rows}
    received = snapshots.received(inside.store, period)
    names = {each.id: each.name for each in inside.state.submitters()}
    return {
        "period": period,
        "rows": [
            {
                "submitter": submitter, "name": names.get(submitter, "unknown"), "form": form,
                "expected": wanted.get((submitter, form)), "received": received.get((submitter, form), 0),
                "missing": None if (submitter, form) not in wanted
                else wanted[submitter, form] - received.get((submitter, form), 0),
            }
            for submitter, form in sorted({*wanted, *received})
        ],
    }  # fmt: skip


def _prepare(inside: Registry) -> None:
    inside.state.prepare(SCHEMA)
