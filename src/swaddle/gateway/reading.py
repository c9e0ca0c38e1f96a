"""What a reader does: inbox, lease, parts, acknowledgement, give-back; and what both sides see of a transfer."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from swaddle.canonical import format_instant, parse_instant
from swaddle.envelope.signature import ACKNOWLEDGEMENT, GIVE_BACK, open_signed
from swaddle.errors import SwaddleError
from swaddle.gateway import door_sending, freeze, journal, rows, trust
from swaddle.gateway.access import Kind, Who, is_intruding, must_read, must_see
from swaddle.gateway.index import Index, seconds
from swaddle.gateway.refusal import Refusal
from swaddle.gateway.transfer import ENDED, Event, State
from swaddle.wire.messages import Garbled, Inbox, InboxEntry, Lease, SignedText, TransferView, convert, encode
from swaddle.wire.statements import Acknowledgement, GiveBack

M = TypeVar("M")
INBOX_ENTRIES = 1000
MOST_RECEIPT_CHARACTERS = 65_536
GIVE_BACK_SLACK = timedelta(minutes=5)


@dataclass(frozen=True)
class Reading:
    """A part that may be read now."""

    body: str
    size_bytes: int


def inbox(index: Index, who: Who) -> Inbox:
    """What waits for this reader.

    Raises:
        Refusal: `frozen`.
    """
    rows.must_not_be_frozen(index, who)
    if who.kind is Kind.REGISTRY:
        door_sending.note_collected(index)
    now = index.now()
    return Inbox(
        transfers=tuple(
            InboxEntry(
                id=row.id,
                created=format_instant(row.created),
                expires=format_instant(row.expires),
                body_bytes=row.body_bytes,
                leased_until=(
                    format_instant(row.leased_until)
                    if row.state is State.LEASED and row.leased_until is not None and row.leased_until > now
                    else None
                ),
            )
            for row in rows.alive_of_reader(index, who.id, INBOX_ENTRIES)
        )
    )


def view(index: Index, who: Who, transfer: str) -> tuple[TransferView, bool]:
    """A transfer as its sender or reader sees it; True when its sender was told that it could not be read.

    Raises:
        Refusal: `not-found`.
    """
    row = rows.find(index, transfer)
    if row is None:
        raise Refusal("not-found")
    must_see(who, row.parties, row.state)
    parts = index.rows("SELECT number FROM parts WHERE transfer = ? ORDER BY number", transfer)
    is_over = row.state not in ENDED and row.is_over(index.now())
    seen = TransferView(
        id=row.id,
        state=State.EXPIRED.value if is_over else row.state.value,
        parts=tuple(int(part["number"]) for part in parts),
        expires=format_instant(row.expires),
        outcome=row.outcome,  # type: ignore[arg-type]
        receipt=None if row.receipt is None else trust.signed_text(row.receipt),
        held=None if row.held is None else trust.signed_text(row.held),
    )
    is_told = who.id == row.parties.sender and row.state is State.ACKNOWLEDGED and row.outcome == "unreadable"
    if is_told:
        index.set_fact(f"told {row.id}", "")
    return seen, is_told


def lease(index: Index, who: Who, transfer: str, digest: str) -> Lease:
    """A lease for the token of this digest: new, or the one it has already.

    Raises:
        Refusal: `not-found`, `conflict`, `leased`, or `frozen` (also when this very request froze reading).
    """
    row = rows.find(index, transfer)
    parties = None if row is None else row.parties
    if is_intruding(who, parties):
        rows.begin_freeze(index, freeze.Cause.STRANGER, who.id, transfer)
        raise Refusal("not-found", keep=True)
    must_read(who, parties, State.ANNOUNCED if row is None else row.state)
    assert row is not None
    rows.must_not_be_frozen(index, who)
    rows.must_be_in_time(index, row)
    row = lapse_if_due(index, row)
    now = index.now()
    is_same = row.lease_sha256 is not None and row.lease_is(digest)
    if row.state is State.LEASED and not is_same:
        raise Refusal("leased", until=row.leased_until)
    if row.state is not State.LEASED:
        rows.next_state(row, Event.LEASE)
        _check_invariants(index, who, row, is_new=not is_same)
        rows.change(index, row, Event.LEASE)
        index.write(
            "UPDATE transfers SET lease_sha256 = ?, leases = leases + ?, lease_open = 1, leased_at = ? WHERE id = ?",
            digest, 0 if is_same else 1, seconds(now), transfer,
        )  # fmt: skip
        journal.append(index, "leased", transfer, reader=who.id, lease_sha256=digest)
    until = renew_lease(index, row)
    assert row.manifest is not None and row.header is not None and row.description is not None  # noqa: PT018 - a held row has all three
    return Lease(
        manifest=trust.signed_text(row.manifest),
        header=base64.b64encode(row.header).decode("ascii"),
        description=base64.b64encode(row.description).decode("ascii"),
        expires=until,
    )


def open_part(index: Index, who: Who, transfer: str, number: int, token: str) -> Reading:
    """A part that may be read; its bytes are counted as served, the lease is renewed.

    Raises:
        Refusal: `not-found`, `conflict` when the lease lapsed, or `frozen` (also when this very request froze reading).
    """
    row = rows.find(index, transfer)
    must_read(who, None if row is None else row.parties, State.ANNOUNCED if row is None else row.state)
    assert row is not None
    is_mine = row.lease_is(sha256(token.encode("utf-8")).hexdigest())
    if row.state in ENDED:
        cause = freeze.on_late_read(acknowledged=row.acknowledgement_sha256 is not None, lease_was_good=is_mine)
        if cause is not None:
            rows.begin_freeze(index, cause, who.id, transfer)
            raise Refusal("frozen", keep=True)
        raise Refusal("not-found")
    rows.must_not_be_frozen(index, who)
    if not is_mine or row.is_over(index.now()):
        raise Refusal("not-found")
    row = lapse_if_due(index, row)
    if row.state is not State.LEASED:
        raise Refusal("conflict", state=row.state.value, keep=True)
    part = index.row("SELECT body, bytes FROM parts WHERE transfer = ? AND number = ?", transfer, number)
    if part is None:
        raise Refusal("not-found")
    size = int(part["bytes"])
    cause = freeze.on_read(served_bytes=row.served_bytes, asked_bytes=size, body_bytes=row.body_bytes)
    if cause is not None:
        rows.begin_freeze(index, cause, who.id, transfer)
        raise Refusal("frozen", keep=True)
    index.write("UPDATE transfers SET served_bytes = served_bytes + ? WHERE id = ?", size, transfer)
    renew_lease(index, row)
    return Reading(part["body"], size)


def renew(index: Index, transfer: str) -> bool:
    """Bytes still move: the lease goes on; False when the transfer has ended meanwhile."""
    row = rows.find(index, transfer)
    if row is None or row.state is not State.LEASED or row.is_over(index.now()):
        return False
    renew_lease(index, row)
    return True


def acknowledge(index: Index, who: Who, transfer: str, statement: SignedText) -> None:
    """End a transfer by its reader's signed word. The same outcome again changes nothing.

    Raises:
        Refusal: `not-found`, `unsigned`, `malformed`, `refused`, `conflict`.
    """
    row = _readable(index, who, transfer)
    said = _opened(index, who, statement, ACKNOWLEDGEMENT, Acknowledgement)
    if said.transfer != transfer or (said.receipt is not None and len(encode(said.receipt)) > MOST_RECEIPT_CHARACTERS):
        raise Refusal("refused", reason="it is not about this transfer, or its receipt is too long")
    if row.acknowledgement_sha256 is not None:
        if row.outcome != said.outcome:
            raise Refusal("conflict", state=row.state.value)
        return
    if said.manifest_sha256 != row.manifest_sha256:
        raise Refusal("refused", reason="it is about another manifest")
    rows.must_be_in_time(index, row)
    rows.change(index, row, Event.ACKNOWLEDGE)
    index.write(
        "UPDATE transfers SET outcome = ?, receipt = ?, acknowledgement_sha256 = ?, lease_open = 0, forget_at = ?"
        " WHERE id = ?",
        said.outcome,
        None if said.receipt is None else encode(said.receipt).decode(),
        sha256(statement.message.encode("utf-8")).hexdigest(),
        seconds(index.now()) + index.settings.tombstone_seconds,
        transfer,
    )
    journal.append(
        index, "acknowledged", transfer,
        reader=who.id, outcome=said.outcome, acknowledgement_sha256=sha256(statement.message.encode()).hexdigest(),
    )  # fmt: skip


def give_back(index: Index, who: Who, transfer: str, statement: SignedText) -> None:
    """End a lease without ending the transfer. An old statement, kept by somebody, gives nothing back.

    Raises:
        Refusal: `not-found`, `unsigned`, `malformed`, `refused`, `conflict`.
    """
    row = _readable(index, who, transfer)
    said = _opened(index, who, statement, GIVE_BACK, GiveBack)
    at = _instant(said.at)
    if said.transfer != transfer:
        raise Refusal("refused", reason="it is not about this transfer")
    if row.leased_at is not None and at + GIVE_BACK_SLACK < row.leased_at:
        raise Refusal("refused", reason="it is older than the lease")
    if row.state is State.LEASED:
        rows.change(index, row, Event.LEASE_END)
        journal.append(index, "given-back", transfer, reader=who.id)
    elif row.state is not State.HELD:
        raise Refusal("conflict", state=row.state.value)
    index.write("UPDATE transfers SET lease_open = 0, lease_sha256 = NULL, leased_until = NULL WHERE id = ?", transfer)


def lapse_if_due(index: Index, row: rows.Row) -> rows.Row:
    """A lease whose time is over ends, swept or not; it stays open for the allowance."""
    if row.state is not State.LEASED or row.leased_until is None or row.leased_until > index.now():
        return row
    rows.change(index, row, Event.LEASE_END)
    journal.append(index, "lapsed", row.id, reader=row.parties.reader)
    found = rows.find(index, row.id)
    assert found is not None
    return found


def _check_invariants(index: Index, who: Who, row: rows.Row, *, is_new: bool) -> None:
    """Freeze when this lease would break an invariant; a submitter reads its own as it likes, but not for ever."""
    elsewhere = rows.open_leases_elsewhere(index, who.id, row.id)
    allowance = int(index.fact("allowance") or 1) if who.kind is Kind.REGISTRY else elsewhere + 1
    leases = row.leases if is_new else 0
    cause = freeze.on_lease(leases_before=leases, open_elsewhere=elsewhere, allowance=allowance)
    if cause is not None:
        rows.begin_freeze(index, cause, who.id, row.id)
        raise Refusal("frozen", keep=True)


def renew_lease(index: Index, row: rows.Row) -> str:
    """The lease goes on from now; until when."""
    until = min(index.now() + timedelta(seconds=index.settings.lease_seconds), row.expires)
    index.write("UPDATE transfers SET leased_until = ? WHERE id = ?", seconds(until), row.id)
    return format_instant(until)


def _readable(index: Index, who: Who, transfer: str) -> rows.Row:
    row = rows.find(index, transfer)
    must_read(who, None if row is None else row.parties, State.ANNOUNCED if row is None else row.state)
    assert row is not None
    return row


def _opened(index: Index, who: Who, statement: SignedText, namespace: str, kind: type[M]) -> M:
    """What a reader's statement says, once its signature holds."""
    try:
        return convert(open_signed(statement.signed(), namespace, (trust.signer(index, who),)), kind)
    except Garbled:
        raise Refusal("malformed") from None
    except SwaddleError:
        raise Refusal("unsigned") from None


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except SwaddleError:
        raise Refusal("malformed") from None
