"""A transfer's row: read as a value, changed only by an event of the table in transfer.py."""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from swaddle.gateway import freeze, journal
from swaddle.gateway.access import Parties, Who
from swaddle.gateway.index import Index, moment, seconds
from swaddle.gateway.refusal import Refusal
from swaddle.gateway.transfer import ENDED, READABLE, SENDING, Event, NotNow, State, after


def _among(states: Iterable[State]) -> str:
    """SQL for states, written as the partial indices of schema.py are; the words are the table's own."""
    return f"state IN ({', '.join(repr(state.value) for state in State if state in states)})"


ALIVE = _among(set(State) - ENDED)
COMING = _among(SENDING)
WAITING = _among(READABLE)


@dataclass(frozen=True)
class Row:
    """What the gateway knows of a transfer; members that an ended one no longer has are None or 0."""

    id: str
    parties: Parties
    state: State
    created: datetime
    expires: datetime
    recipient: str
    body_bytes: int
    part_bytes: int
    manifest: str | None
    manifest_sha256: str | None
    header: bytes | None
    description: bytes | None
    finish_sha256: str | None
    held: str | None
    lease_sha256: str | None
    leased_at: datetime | None
    leased_until: datetime | None
    leases: int
    lease_open: bool
    served_bytes: int
    outcome: str | None
    receipt: str | None
    acknowledgement_sha256: str | None

    def is_over(self, now: datetime) -> bool:
        """Whether its time is over, swept or not."""
        return self.expires <= now

    def lease_is(self, digest: str) -> bool:
        """Whether this is the digest of the (last) lease's token."""
        return self.lease_sha256 is not None and hmac.compare_digest(self.lease_sha256, digest)


def find(index: Index, transfer: str) -> Row | None:
    """The row of an id."""
    row = index.row("SELECT * FROM transfers WHERE id = ?", transfer)
    return None if row is None else _read(row)


def find_by_reference(index: Index, sender: str, reference_sha256: str) -> Row | None:
    """The row that a sender's reference made."""
    row = index.row("SELECT * FROM transfers WHERE sender = ? AND reference_sha256 = ?", sender, reference_sha256)
    return None if row is None else _read(row)


def alive_of_reader(index: Index, reader: str, limit: int) -> list[Row]:
    """Held and leased transfers for a reader, oldest first, their time not over."""
    rows = index.rows(
        f"SELECT * FROM transfers WHERE reader = ? AND {WAITING} AND expires > ? ORDER BY created, id LIMIT ?",
        reader, seconds(index.now()), limit,
    )  # fmt: skip
    return [_read(row) for row in rows]


def alive_of_sender(index: Index, sender: str) -> tuple[int, int]:
    """How many of a sender's transfers are alive, and their bytes together."""
    row = index.row(f"SELECT count(*) AS n, total(body_bytes) AS b FROM transfers WHERE sender = ? AND {ALIVE}", sender)
    return (0, 0) if row is None else (int(row["n"]), int(row["b"]))


def open_leases_elsewhere(index: Index, reader: str, transfer: str) -> int:
    """A reader's other transfers that it leased and neither acknowledged nor gave back, lapsed ones included."""
    row = index.row(
        f"SELECT count(*) AS n FROM transfers WHERE reader = ? AND id <> ? AND lease_open = 1 AND +{ALIVE}",
        reader, transfer,
    )  # fmt: skip
    return 0 if row is None else int(row["n"])


def promised_bytes(index: Index) -> int:
    """Bytes that were announced and have not come yet."""
    row = index.row(f"SELECT total(body_bytes - came_bytes) AS b FROM transfers WHERE {COMING}")
    return 0 if row is None else int(row["b"])


def change(index: Index, row: Row, event: Event) -> State:
    """Take an event: the table decides, the row keeps it.

    Raises:
        Refusal: `conflict`, with the state, where the table has no such step.
    """
    state = next_state(row, event)
    if state is not row.state:
        index.write("UPDATE transfers SET state = ? WHERE id = ?", state.value, row.id)
    return state


def next_state(row: Row, event: Event) -> State:
    """The state that an event would lead to; nothing changes.

    Raises:
        Refusal: `conflict`, with the state, where the table has no such step.
    """
    try:
        return after(row.state, event)
    except NotNow as error:
        raise Refusal("conflict", state=error.state.value) from None


def must_be_in_time(index: Index, row: Row) -> None:
    """Past its expiry nothing happens to a transfer but its end.

    Raises:
        Refusal: `conflict`, state `expired`.
    """
    if row.state not in ENDED and row.is_over(index.now()):
        raise Refusal("conflict", state=State.EXPIRED.value)


def begin_freeze(index: Index, cause: freeze.Cause, reader: str | None, transfer: str | None) -> None:
    """Freeze a reader's reads, or all; one that is in force for the same cause is not doubled."""
    known = index.row("SELECT id FROM freezes WHERE reader IS ? AND cause = ?", reader, cause.value)
    if known is None:
        identity = index.new_id()
        since = seconds(index.now())
        index.write("INSERT INTO freezes VALUES (?, ?, ?, ?, ?)", identity, reader, cause.value, since, transfer)
        journal.append(index, "frozen", identity, reason=cause.value, reader=reader, transfer=transfer)
    index.frozen.add(reader)


def must_not_be_frozen(index: Index, who: Who) -> None:
    """Reading stops while a freeze is in force.

    Raises:
        Refusal: `frozen`.
    """
    if not index.frozen.isdisjoint({who.id, None}):
        raise Refusal("frozen")


def _read(row: sqlite3.Row) -> Row:
    return Row(
        id=row["id"],
        parties=Parties(sender=row["sender"], reader=row["reader"]),
        state=State(row["state"]),
        created=moment(row["created"]),
        expires=moment(row["expires"]),
        recipient=row["recipient"] or "",
        body_bytes=row["body_bytes"] or 0,
        part_bytes=row["part_bytes"] or 0,
        manifest=row["manifest"],
        manifest_sha256=row["manifest_sha256"],
        header=row["header"],
        description=row["description"],
        finish_sha256=row["finish_sha256"],
        held=row["held"],
        lease_sha256=row["lease_sha256"],
        leased_at=None if row["leased_at"] is None else moment(row["leased_at"]),
        leased_until=None if row["leased_until"] is None else moment(row["leased_until"]),
        leases=row["leases"],
        lease_open=bool(row["lease_open"]),
        served_bytes=row["served_bytes"],
        outcome=row["outcome"],
        receipt=row["receipt"],
        acknowledgement_sha256=row["acknowledgement_sha256"],
    )
