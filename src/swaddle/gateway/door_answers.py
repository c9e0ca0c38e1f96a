"""What lies under `answers/` at the SFTP door: how each file fared, and the sealed reports. Operations on the index.

The gateway itself stands for the reader here: the door gets descriptors, never a token. A report is given out by the
door until its bytes were read three times, so that a timer job that fetches everything each hour never freezes the
reading that `swaddle get` needs (a read of more than four times the length would).
"""

from __future__ import annotations

import base64
from hashlib import sha256

from swaddle.canonical import format_instant
from swaddle.gateway import journal, rows, trust
from swaddle.gateway.access import must_read
from swaddle.gateway.door_sending import Guest, must_be_enrolled, repeats_of
from swaddle.gateway.index import Index, moment, seconds
from swaddle.gateway.reading import Reading, lapse_if_due, renew_lease
from swaddle.gateway.refusal import Refusal
from swaddle.gateway.transfer import ENDED, Event, State
from swaddle.wire.door_messages import AnswersAnswer, DoorReport, DoorTransfer, ReportAnswer, report_head

TIMES = 3
MOST = 1000


def answers(index: Index, guest: Guest) -> AnswersAnswer:
    """How the files of this submitter that came by the door fared, the newest thousand; what it may read here.

    Raises:
        Refusal: `not-found`.
    """
    must_be_enrolled(index, guest)
    sent = index.rows(
        "SELECT id, state, outcome, created, expires, body_bytes, receipt FROM transfers"
        " WHERE sender = ? AND door IS NOT NULL ORDER BY created DESC, id LIMIT ?",
        guest.submitter, MOST,
    )  # fmt: skip
    for row in sent:
        if (row["state"], row["outcome"]) == (State.ACKNOWLEDGED.value, "unreadable"):
            index.set_fact(f"told {row['id']}", "")  # now it may be destroyed
    now = index.now()
    alive = {state.value for state in State if state not in ENDED}
    transfers = tuple(
        DoorTransfer(
            id=row["id"],
            state=State.EXPIRED.value if row["state"] in alive and moment(row["expires"]) <= now else row["state"],
            outcome=row["outcome"],
            created=format_instant(moment(row["created"])),
            expires=format_instant(moment(row["expires"])),
            body_bytes=row["body_bytes"],
            repeats=repeats_of(row["receipt"]),
        )
        for row in reversed(sent)
    )
    waiting = rows.alive_of_reader(index, guest.submitter, MOST) if _may_read(index, guest) else []
    reports = tuple(
        DoorReport(row.id, _file_bytes(row), format_instant(row.created), format_instant(row.expires))
        for row in waiting
        if _is_offered(row)
    )
    return AnswersAnswer(transfers=transfers, reports=reports)


def open_report(index: Index, guest: Guest, transfer: str, secret: bytes) -> ReportAnswer:
    """Begin to read a report: leased for this gateway process, no token anywhere.

    Raises:
        Refusal: `not-found`, `leased` while `swaddle get` reads it, `frozen`, `conflict`.
    """
    row = _readable(index, guest, transfer)
    if not _is_offered(row):
        raise Refusal("not-found")
    digest = lease_digest(secret, transfer)
    if row.state is State.LEASED and not row.lease_is(digest):
        raise Refusal("leased", until=row.leased_until)
    if row.state is not State.LEASED:
        rows.change(index, row, Event.LEASE)
        index.write(
            "UPDATE transfers SET lease_sha256 = ?, lease_open = 1, leased_at = ? WHERE id = ?",
            digest, seconds(index.now()), transfer,
        )  # fmt: skip
        journal.append(index, "leased", transfer, reader=guest.submitter, lease_sha256=digest)
    renew_lease(index, row)
    parts = index.rows("SELECT bytes FROM parts WHERE transfer = ? ORDER BY number", transfer)
    return _report(row, tuple(int(part["bytes"]) for part in parts))


def open_part(index: Index, guest: Guest, transfer: str, number: int, secret: bytes) -> Reading:
    """A part that may be read; its bytes count as served, whether or not they are.

    Raises:
        Refusal: `not-found`, `frozen`, `conflict` when the lease is over.
    """
    row = _readable(index, guest, transfer)
    if row.state is not State.LEASED or not row.lease_is(lease_digest(secret, transfer)):
        raise Refusal("conflict", state=row.state.value)
    part = index.row("SELECT body, bytes FROM parts WHERE transfer = ? AND number = ?", transfer, number)
    if part is None or row.served_bytes + int(part["bytes"]) > TIMES * row.body_bytes:
        raise Refusal("not-found")
    index.write("UPDATE transfers SET served_bytes = served_bytes + ? WHERE id = ?", part["bytes"], transfer)
    renew_lease(index, row)
    return Reading(part["body"], int(part["bytes"]))


def close_report(index: Index, guest: Guest, transfer: str, secret: bytes) -> None:
    """Reading is over: the lease is given back. One that is over already is fine."""
    row = rows.find(index, transfer)
    if row is None or row.state is not State.LEASED or row.parties.reader != guest.submitter:
        return
    if not row.lease_is(lease_digest(secret, transfer)):
        return
    rows.change(index, row, Event.LEASE_END)
    journal.append(index, "given-back", transfer, reader=guest.submitter)
    index.write("UPDATE transfers SET lease_open = 0, lease_sha256 = NULL, leased_until = NULL WHERE id = ?", transfer)


def lease_digest(secret: bytes, transfer: str) -> str:
    """What stands where a token's digest stands; nobody holds a token of it."""
    return sha256(secret + transfer.encode("ascii")).hexdigest()


def _readable(index: Index, guest: Guest, transfer: str) -> rows.Row:
    must_be_enrolled(index, guest)
    row = rows.find(index, transfer)
    must_read(guest.who, None if row is None else row.parties, State.ANNOUNCED if row is None else row.state)
    assert row is not None
    rows.must_not_be_frozen(index, guest.who)
    rows.must_be_in_time(index, row)
    if row.state in ENDED:
        raise Refusal("not-found")
    return lapse_if_due(index, row)


def _report(row: rows.Row, part_sizes: tuple[int, ...]) -> ReportAnswer:
    assert row.manifest is not None and row.header is not None and row.description is not None  # noqa: PT018 - a held row has all three
    return ReportAnswer(
        manifest=trust.signed_text(row.manifest),
        header=base64.b64encode(row.header).decode("ascii"),
        description=base64.b64encode(row.description).decode("ascii"),
        part_sizes=part_sizes,
    )


def _file_bytes(row: rows.Row) -> int:
    """How long the report's file is, as the door shows it: clients compare what they got with what was listed."""
    return len(report_head(_report(row, ()))) + row.body_bytes


def _may_read(index: Index, guest: Guest) -> bool:
    return index.frozen.isdisjoint({guest.submitter, None})


def _is_offered(row: rows.Row) -> bool:
    return row.served_bytes + row.body_bytes <= TIMES * row.body_bytes
