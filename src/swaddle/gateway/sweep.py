"""What time does: leases lapse, transfers expire, what has ended is destroyed, what was remembered is forgotten.

Serving checks the times by itself, so a dead sweeper leaves bytes on the disk longer but serves none. A kill between
any two steps is mended by the next sweep: rows say what must still go.
"""

from __future__ import annotations

from dataclasses import dataclass

from swaddle.gateway import journal, rows, upload_rows
from swaddle.gateway.index import Index, seconds
from swaddle.gateway.reading import lapse_if_due
from swaddle.gateway.seams import BodyStore, RowStore
from swaddle.gateway.transfer import Event, State

_SOME = 200  # transfers per transaction, so that requests come between


@dataclass(frozen=True)
class Due:
    """What a sweep found."""

    to_destroy: tuple[str, ...]
    expired: int


def due(index: Index) -> Due:
    """Let leases lapse and transfers expire; which transfers must be destroyed."""
    now = seconds(index.now())
    over = index.rows(f"SELECT id FROM transfers WHERE {rows.ALIVE} AND expires <= ? LIMIT ?", now, _SOME)
    for found in over:
        row = _row(index, found["id"])
        rows.change(index, row, Event.EXPIRE)
        index.write("UPDATE transfers SET outcome = 'expired' WHERE id = ?", row.id)
        journal.append(index, "expired", row.id, sender=row.parties.sender, reader=row.parties.reader)
    lapsed = index.rows("SELECT id FROM transfers WHERE state = 'leased' AND leased_until <= ? LIMIT ?", now, _SOME)
    for found in lapsed:
        lapse_if_due(index, _row(index, found["id"]))
    ended = index.rows(
        "SELECT id FROM transfers WHERE state IN ('acknowledged', 'refused', 'expired') AND (state <> 'acknowledged'"
        " OR outcome <> 'unreadable' OR expires <= ? OR 'told ' || id IN (SELECT name FROM facts)) LIMIT ?",
        now, _SOME,
    )  # fmt: skip
    return Due(tuple(row["id"] for row in ended), len(over))


def bodies_of(index: Index, transfer: str) -> list[str]:
    """The stored parts of a transfer that has ended; none of one that has not."""
    row = rows.find(index, transfer)
    if row is None or (row.state, Event.DESTROY) not in _DESTROYABLE:
        return []
    return [str(part["body"]) for part in index.rows("SELECT body FROM parts WHERE transfer = ?", transfer)]


def record_destroyed(index: Index, transfer: str) -> None:
    """Empty the row of a transfer whose bytes are gone: a tombstone stays until it is forgotten."""
    row = rows.find(index, transfer)
    if row is None or (row.state, Event.DESTROY) not in _DESTROYABLE:
        return
    rows.change(index, row, Event.DESTROY)
    index.write("DELETE FROM parts WHERE transfer = ?", transfer)
    index.drop_fact(f"told {transfer}")
    index.write(
        "UPDATE transfers SET recipient = NULL, body_bytes = NULL, part_bytes = NULL, manifest = NULL,"
        " header = NULL, description = NULL, leased_at = NULL, leased_until = NULL,"
        " leases = 0, lease_open = 0, served_bytes = 0 WHERE id = ?",
        transfer,
    )
    journal.append(index, "destroyed", transfer, place="gateway")


def forget(index: Index) -> None:
    """Remove what was kept for a time only."""
    now = seconds(index.now())
    index.write("DELETE FROM nonces WHERE expires < ?", now)
    index.write("DELETE FROM transfers WHERE state = 'destroyed' AND forget_at <= ?", now)
    index.write("DELETE FROM enrolments WHERE forget_at <= ?", now)
    index.write(
        "DELETE FROM submitters WHERE revoked > 0 AND revoked <= ?"
        " AND NOT EXISTS (SELECT 1 FROM transfers WHERE sender = submitters.id)"
        " AND NOT EXISTS (SELECT 1 FROM transfers WHERE reader = submitters.id)",
        now - index.settings.tombstone_seconds,
    )
    index.write(
        "DELETE FROM quotas WHERE NOT EXISTS (SELECT 1 FROM submitters WHERE id = quotas.submitter)"
        " AND NOT EXISTS (SELECT 1 FROM door_keys WHERE submitter = quotas.submitter)"
    )
    index.write("DELETE FROM earlier_intakes WHERE seal_until <= ?", now)
    expires = index.fact("claim_expires")
    if expires is not None and expires <= index.now().strftime("%Y-%m-%dT%H:%M:%SZ"):
        index.drop_fact("claim_key")
        index.drop_fact("claim_expires")


async def destroy(thread: RowStore, store: BodyStore, transfer: str) -> None:
    """Destroy an ended transfer: its bytes first, then its row.

    Raises:
        DiskFault: bytes could not be removed; the next sweep tries again.
        Refusal: `full`, the row could not be written; likewise.
    """
    for body in await thread.run(bodies_of, transfer):
        await thread.outside(store.remove, body)
    await thread.run(record_destroyed, transfer)
    await thread.shrink()


async def sweep(thread: RowStore, store: BodyStore) -> int:
    """Once over everything; how many transfers were destroyed.

    Raises:
        DiskFault, Refusal: the disk said no; the next sweep goes on.
    """
    destroyed = 0
    while True:
        found = await thread.run(due)
        for transfer in found.to_destroy:
            await destroy(thread, store, transfer)
        destroyed += len(found.to_destroy)
        if len(found.to_destroy) < _SOME and found.expired < _SOME:
            break
    for upload in await thread.run(upload_rows.idle):  # its file first, so that none is forgotten
        await thread.outside(store.drop_unfinished, upload)
        await thread.run(upload_rows.remove, upload)
    await thread.run(forget)
    return destroyed


_DESTROYABLE = {(state, Event.DESTROY) for state in (State.ACKNOWLEDGED, State.REFUSED, State.EXPIRED)}


def _row(index: Index, transfer: str) -> rows.Row:
    row = rows.find(index, transfer)
    assert row is not None
    return row
