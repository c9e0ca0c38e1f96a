"""The rows of parts that broke off: one to a part, gone with the part or the transfer. Operations on the index."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from swaddle.gateway import journal, rows, sending
from swaddle.gateway.access import Who, must_send
from swaddle.gateway.index import Index, moment
from swaddle.gateway.refusal import Refusal
from swaddle.gateway.transfer import Event
from swaddle.wire.resumable import Protocol, State, Upload
from swaddle.wire.upload_fields import Digests

MOST_OPEN = 64  # of one transfer at once; a sender has a few lanes, and rows must not grow with what somebody asks


@dataclass(frozen=True)
class Row:
    """An upload of the gateway.

    Attributes:
        came: bytes that were synced when this was written.
        boot: the machine's boot then; while it is the same, the file may have more.
    """

    id: str
    transfer: str
    number: int
    sha256: str
    size_bytes: int
    came: int
    boot: str
    state: State

    def upload(self, expires: int, boot: str, file_bytes: int) -> Upload:
        """As the rules know it; its offset as the file allows."""
        offset = self.came
        if self.state is State.OPEN and self.boot == boot:
            offset = max(self.came, min(file_bytes, self.size_bytes))
        return Upload(
            Protocol.DRAFT,
            moment(expires),
            offset=offset,
            length=self.size_bytes,
            state=self.state,
            expected=Digests((("sha-256", bytes.fromhex(self.sha256)),)),
        )


@dataclass(frozen=True)
class Beginning:
    """What lies where a part is about to come: its place, when its transfer expires, and what broke off before."""

    place: sending.Place
    expires: int
    earlier: Row | None


def begin(index: Index, who: Who, transfer: str, number: int, length: int) -> Beginning:
    """Where part `number` may go, before a byte of it is read.

    Raises:
        Refusal: as `sending.place_for_part`.
    """
    place = sending.place_for_part(index, who, transfer, number, length)
    row = index.row("SELECT expires FROM transfers WHERE id = ?", transfer)
    earlier = index.row("SELECT * FROM uploads WHERE transfer = ? AND number = ?", transfer, number)
    assert row is not None
    return Beginning(place, int(row["expires"]), None if earlier is None else _read(earlier))


def find(index: Index, who: Who, upload: str) -> tuple[Row, int] | None:
    """An upload of this sender whose transfer is still being sent, and when that expires; None else.

    Raises:
        Refusal: `unsigned`, if the sender was revoked meanwhile.
    """
    row = index.row("SELECT * FROM uploads WHERE id = ?", upload)
    if row is None:
        return None
    transfer = rows.find(index, row["transfer"])
    try:
        must_send(who, None if transfer is None else transfer.parties)
    except Refusal:
        return None
    assert transfer is not None
    if who.id in index.revoked:
        raise Refusal("unsigned")
    if transfer.is_over(index.now()):
        return None
    return _read(row), int(transfer.expires.timestamp())


def write(index: Index, who: Who, row: Row) -> str | None:
    """Keep a row; the id of another upload of the same part whose place it takes.

    Raises:
        Refusal: `not-found` or `conflict`: the transfer is no longer being sent; `busy`: too many of it broke off.
    """
    sending.place_for_part(index, who, row.transfer, row.number, row.size_bytes)
    others = index.row(
        "SELECT count(*) AS n FROM uploads WHERE transfer = ? AND state = 'open' AND number <> ?",
        row.transfer, row.number,
    )  # fmt: skip
    if row.state is State.OPEN and others is not None and others["n"] >= MOST_OPEN:
        raise Refusal("busy", reason="too many parts of this transfer broke off")
    _mark_receiving(index, row.transfer)
    older = index.row(
        "SELECT id FROM uploads WHERE transfer = ? AND number = ? AND id <> ?", row.transfer, row.number, row.id
    )
    index.write(
        "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        row.id, row.transfer, row.number, row.sha256, row.size_bytes, row.came, row.boot, row.state.value,
    )  # fmt: skip
    index.write(
        "DELETE FROM uploads WHERE transfer = ? AND state = 'complete' AND rowid NOT IN"
        " (SELECT rowid FROM uploads WHERE transfer = ? ORDER BY rowid DESC LIMIT ?)",
        row.transfer, row.transfer, MOST_OPEN,
    )  # fmt: skip
    return None if older is None else str(older["id"])


def remove(index: Index, upload: str) -> None:
    """Drop a row; its file is the caller's."""
    index.write("DELETE FROM uploads WHERE id = ?", upload)


def idle(index: Index) -> list[str]:
    """Uploads whose transfer is not being sent any more."""
    found = index.rows(
        "SELECT id FROM uploads WHERE NOT EXISTS"
        " (SELECT 1 FROM transfers WHERE id = uploads.transfer AND state IN ('announced', 'receiving'))"
    )
    return [str(row["id"]) for row in found]


def known(index: Index) -> set[str]:
    """Ids of all uploads that are not whole, whose files are no strays."""
    return {str(row["id"]) for row in index.rows("SELECT id FROM uploads WHERE state = 'open'")}


def _mark_receiving(index: Index, transfer: str) -> None:
    """Bytes of it lie here from now on, whole part or not: that is where exposure begins."""
    found = rows.find(index, transfer)
    assert found is not None
    if rows.change(index, found, Event.PART) is not found.state:
        journal.append(index, "receiving", transfer)


def _read(row: sqlite3.Row) -> Row:
    return Row(
        id=row["id"],
        transfer=row["transfer"],
        number=row["number"],
        sha256=row["sha256"],
        size_bytes=row["bytes"],
        came=row["came"],
        boot=row["boot"],
        state=State(row["state"]),
    )
