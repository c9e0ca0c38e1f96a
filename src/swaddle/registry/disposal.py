"""Letting go: what is due and not held is removed from the store, for good, with proof.

    plan -> begun (custody: how much, and a commitment to what) -> removed from the clinical file, in one transaction
         -> emptied: removed from the other two -> the three files written anew, under new keys -> done (custody)

A kill before `removed` leaves everything as it was, and the next look drops the plan; a kill after it is gone on with.
Until then a hold stops it. The proof is a list of salted digests, one a record number, kept in the encrypted store; its
own digest is in custody, whose chain nobody changes unseen. It tells who asks with a number that this record was let
go, and nobody else anything.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from hashlib import sha256
from typing import Any

import duckdb

from swaddle.durable import DiskFault
from swaddle.registry import adopted, holding, letting_go, rewriting
from swaddle.registry.inside import Registry
from swaddle.registry.records import DELIVERY, TABLES
from swaddle.registry.renewing import renew_store
from swaddle.registry.retention import PROOFS, SNAPSHOTS, Schedule
from swaddle.registry.store_tables import FIXED

NIGHTLY = "disposal_looked"  # the fact that says on which day the nightly look was last done


class DisposalState(Enum):
    """Where a disposal is."""

    BEGUN = "begun"
    REMOVED = "removed"
    EMPTIED = "emptied"
    DONE = "done"
    DROPPED = "dropped"


class DisposalStep(Enum):
    """What is done to it."""

    REMOVE = "remove"
    EMPTY = "empty"
    RENEW = "renew"
    DROP = "drop"


TRANSITIONS: Mapping[tuple[DisposalState, DisposalStep], DisposalState] = {
    (DisposalState.BEGUN, DisposalStep.REMOVE): DisposalState.REMOVED,
    (DisposalState.BEGUN, DisposalStep.DROP): DisposalState.DROPPED,
    (DisposalState.REMOVED, DisposalStep.EMPTY): DisposalState.EMPTIED,
    (DisposalState.EMPTIED, DisposalStep.RENEW): DisposalState.DONE,
}


def preview(inside: Registry) -> dict[str, Any]:
    """What `dispose` would do now, by the schedule that was adopted, and what a hold keeps. Nothing changes."""
    schedule = adopted.schedule(inside)
    found = _plan(inside, schedule) if schedule is not None else letting_go.Plan()
    return _told(schedule, found) | {"id": None}


def dispose(inside: Registry) -> dict[str, Any]:
    """Let go of what is due by the adopted schedule and not held.

    Raises:
        ScheduleUnusable: none was adopted.
        DiskFault: there is no room for the copies; what was removed by then stays removed, and it is gone on with.
    """
    settle(inside)
    schedule = adopted.needed(inside)
    found = _plan(inside, schedule)
    if found.is_empty:
        return _told(schedule, found) | {"id": None}
    rewriting.check_room(inside.home / "store")
    disposal = secrets.token_hex(16)
    commitment = _begin(inside, disposal, schedule, found)
    detail = {"schedule_sha256": schedule.digest, "commitment": commitment, **found.counts()}
    inside.ledger.append("disposal-begun", disposal, detail, inside.now())
    _go_on(inside, disposal)
    return _told(schedule, found) | {"id": disposal, "commitment": commitment}


def nightly(inside: Registry) -> dict[str, Any] | None:
    """Once a day, what `dispose` does, where a schedule was adopted; None where today's was done."""
    if inside.state.fact(NIGHTLY) == inside.now().date().isoformat():
        return None
    holding.settle(inside)
    result = dispose(inside) if adopted.schedule(inside) is not None else None
    looked(inside)
    return result


def looked(inside: Registry) -> None:
    """No other nightly look on this day."""
    inside.state.set_fact(NIGHTLY, inside.now().date().isoformat())


def settle(inside: Registry) -> None:
    """Go on with a disposal that was killed; one that had removed nothing is dropped, for a hold may have come."""
    rows = inside.store.connection.execute(
        "select id, state from clinical.disposals where state not in ('done', 'dropped') order by begun_at"
    ).fetchall()
    for disposal, state in rows:
        if DisposalState(state) is not DisposalState.BEGUN:
            _go_on(inside, disposal)
            continue
        with inside.store.transaction():
            inside.store.connection.execute("delete from clinical.disposing where disposal = ?", [disposal])
            inside.store.connection.execute("delete from clinical.disposed where disposal = ?", [disposal])
            _step(inside, disposal, DisposalStep.DROP)
        if inside.ledger.entries(disposal):
            inside.ledger.append("disposal-dropped", disposal, {}, inside.now())


def state(inside: Registry) -> dict[str, Any]:
    """For `registry status`: the schedule in force, the last disposal, holds and overdue reviews."""
    schedule = adopted.schedule(inside)
    row = inside.store.connection.execute(
        "select id, state from clinical.disposals where state <> 'dropped' order by begun_at desc limit 1"
    ).fetchone()
    fact = inside.state.fact(holding.REVIEWS)
    return {
        "schedule": None if schedule is None else schedule.version,
        "last_disposal": None if row is None else {"id": row[0], "state": row[1]},
        "holds": len(holding.scopes(inside)),
        "holds_overdue": len(holding.overdue(fact, inside.now().date())),
    }


def _plan(inside: Registry, schedule: Schedule) -> letting_go.Plan:
    unanswered = [each.id for each in inside.state.unanswered()]
    return letting_go.plan(inside.store.connection, schedule, holding.scopes(inside), inside.now().date(), unanswered)


def _begin(inside: Registry, disposal: str, schedule: Schedule, found: letting_go.Plan) -> str:
    """Write down exactly what goes, and the proof of it; its commitment."""
    run, salt = inside.store.connection.execute, secrets.token_bytes(32)
    values = {"disposal": disposal, "salt": salt.hex()}
    with inside.store.transaction():
        for what, columns, table in (
            ("row", "load_id, line, null", "go_rows"),
            ("report", "null, null, transfer", "go_reports"),
            ("presence", "load_id, null, subject", "go_presence"),
            ("other", "null, null, what || ':' || id", "go_others"),
        ):
            run(
                f"insert into clinical.disposing select $disposal, '{what}', {columns} from {table}",
                {"disposal": disposal},
            )
        run(
            "insert into clinical.disposed select $disposal, sha256(concat_ws(chr(31), $salt, 'record', submitter,"
            " form, number)) from go_numbers where not held",
            values,
        )
        run(
            "insert into clinical.disposed select $disposal,"
            " sha256(concat_ws(chr(31), $salt, 'report', transfer)) from go_reports",
            values,
        )
        commitment = committed(inside.store.connection, disposal)
        run(
            "insert into clinical.disposals values (?, ?, ?, null, ?, ?, ?, ?, ?)",
            [disposal, DisposalState.BEGUN.value, _naive(inside.now()), schedule.digest, schedule.version, salt,
             commitment, json.dumps(found.counts())],
        )  # fmt: skip
    return commitment


def committed(connection: duckdb.DuckDBPyConnection, disposal: str) -> str:
    """The digest over a disposal's list: SHA-256 of its lines in order, each with a newline."""
    digest = sha256()
    # On this very connection: another would not see what its transaction has written.
    connection.execute("select leaf from clinical.disposed where disposal = ? order by leaf", [disposal])
    while rows := connection.fetchmany(10_000):
        digest.update("".join(f"{leaf}\n" for (leaf,) in rows).encode("ascii"))
    return digest.hexdigest()


def _go_on(inside: Registry, disposal: str) -> None:
    """From wherever it is to its end."""
    try:
        if _state(inside, disposal) is DisposalState.BEGUN:
            _remove(inside, disposal)
        if _state(inside, disposal) is DisposalState.REMOVED:
            _empty(inside, disposal)
    except duckdb.IOException as error:
        raise DiskFault("the store could not be written") from error
    if _state(inside, disposal) is DisposalState.EMPTIED:
        keys = renew_store(inside)
        for each in keys:
            inside.ledger.append("key-destroyed", each, {"key": "store"}, inside.now())
        _finish(inside, disposal)


def _remove(inside: Registry, disposal: str) -> None:
    """The clinical file, in one transaction: from now on it counts nowhere, and there is no way back."""
    run = inside.store.connection.execute
    gone = "(select load_id, line from clinical.disposing where disposal = $disposal and what = 'row')"
    bound = {"disposal": disposal}
    with inside.store.transaction():
        # Rows of one delivery share its record: it goes with the last of them.
        left = (
            f"(select load_id, delivery_line as line from clinical.stored_rows anti join {gone} using (load_id, line))"
        )
        shared = (
            f"(select load_id, delivery_line as line from clinical.stored_rows semi join {gone} using (load_id, line))"
        )
        run(
            f"delete from clinical.{TABLES[DELIVERY]} where (load_id, line) in"
            f" (select (load_id, line) from (from {gone} union from {shared}) anti join {left} using (load_id, line))",
            bound,
        )
        numbers = (
            "(select distinct submitter, form, local_record_id from clinical.stored_rows"
            f" semi join {gone} using (load_id, line))"
        )
        for table in letting_go.by_number():
            run(
                f"delete from {table} where (submitter, form, local_record_id) in"
                f" (select (submitter, form, local_record_id) from {numbers})",
                bound,
            )
        if letting_go.DIRECTIVES in FIXED:  # what somebody asked stays while any record of theirs does
            of = "(select unnest([mother_subject, child_subject, person_subject]) as subject from clinical.stored_rows"
            run(
                f"delete from {letting_go.DIRECTIVES} where subject in"
                f" (select subject from {of} semi join {gone} using (load_id, line))) and subject not in"
                f" (select subject from {of} anti join {gone} using (load_id, line)) where subject is not null)",
                bound,
            )
        for table in (*letting_go.by_row(), "clinical.stored_rows"):
            run(f"delete from {table} where (load_id, line) in (select (load_id, line) from {gone})", bound)
        other = "select subject from clinical.disposing where disposal = $disposal and what = 'other'"
        run(f"delete from clinical.snapshots where '{SNAPSHOTS}:' || id in ({other})", bound)
        run(f"delete from clinical.disposed where '{PROOFS}:' || disposal in ({other})", bound)
        run(f"update clinical.disposals set salt = null where '{PROOFS}:' || id in ({other})", bound)
        _step(inside, disposal, DisposalStep.REMOVE)


def _empty(inside: Registry, disposal: str) -> None:
    """The other two files, each in its transaction; doing it again is fine."""
    run, bound = inside.store.connection.execute, {"disposal": disposal}
    plan = "clinical.disposing where disposal = $disposal and what"
    with inside.store.transaction():
        for table in ("persons", "records"):
            rows = f"select (load_id, line) from {plan} = 'row'"
            run(f"delete from identifiers.{table} where (load_id, line) in ({rows})", bound)
        for table in ("reports", "issued"):
            run(f"delete from identifiers.{table} where transfer in (select subject from {plan} = 'report')", bound)
    with inside.store.transaction():
        run(
            "delete from subjects.presence where (load_id, subject) in"
            f" (select (load_id, subject) from {plan} = 'presence')",
            bound,
        )
    transfers = run(f"select subject from {plan} = 'report'", bound).fetchall()
    for (transfer,) in transfers:
        known = inside.state.transfer(transfer)
        if known is not None and known.feedback is None:
            inside.state.update(transfer, feedback=disposal)  # nothing is left that could be told
    with inside.store.transaction():
        # So that an incident says of how many in a transfer nobody knows any more.
        run(
            "insert into clinical.thinned select transfer, count(distinct subject), $disposal"
            " from (select load_id, subject from clinical.disposing where disposal = $disposal and what = 'presence')"
            " join clinical.loads using (load_id) group by transfer",
            bound,
        )
        run("delete from clinical.disposing where disposal = $disposal", bound)
        _step(inside, disposal, DisposalStep.EMPTY)


def _finish(inside: Registry, disposal: str) -> None:
    """Say in custody that it is gone, then here."""
    row = inside.store.connection.execute(
        "select schedule, commitment, counts from clinical.disposals where id = ?", [disposal]
    ).fetchone()
    assert row is not None
    if not any(entry.event == "data-disposed" for entry in inside.ledger.newest(disposal)):
        detail = {"schedule_sha256": row[0], "commitment": row[1], **json.loads(row[2])}
        inside.ledger.append("data-disposed", disposal, detail, inside.now())
    with inside.store.transaction():
        inside.store.connection.execute(
            "update clinical.disposals set ended_at = ? where id = ?", [_naive(inside.now()), disposal]
        )
        _step(inside, disposal, DisposalStep.RENEW)


def _state(inside: Registry, disposal: str) -> DisposalState:
    row = inside.store.connection.execute("select state from clinical.disposals where id = ?", [disposal]).fetchone()
    assert row is not None
    return DisposalState(row[0])


def _step(inside: Registry, disposal: str, step: DisposalStep) -> None:
    state = TRANSITIONS[_state(inside, disposal), step]
    inside.store.connection.execute("update clinical.disposals set state = ? where id = ?", [state.value, disposal])


def _told(schedule: Schedule | None, found: letting_go.Plan) -> dict[str, Any]:
    return {
        "schedule": None if schedule is None else {"version": schedule.version, "sha256": schedule.digest},
        "counts": found.counts(),
        "held": {"numbers": found.held, "reports": found.held_reports},
    }


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
