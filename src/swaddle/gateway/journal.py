"""What happened on the gateway, in a chain of digests that the registry drains (docs/spec/transfer.md section 7).

Entries are written in the transaction of the change that they tell, so neither is there without the other. The chain
begins with 64 zeros; when entries were drained the last digest stays, and the chain goes on from it.
"""

from __future__ import annotations

import sqlite3

from swaddle.canonical import canonical, digest_hex, format_instant, parse_canonical
from swaddle.envelope.signature import JOURNAL, sign
from swaddle.errors import IntegrityFault, SwaddleError
from swaddle.gateway.index import Index
from swaddle.wire.messages import JournalEntry, JournalPage, SignedText, convert

FIRST = "0" * 64
PAGE_ENTRIES = 1000
# Every event there is; the spec has the same list and a test compares.
EVENTS = (
    "claimed", "instruction", "enrolment", "announced", "receiving", "held", "leased", "given-back", "lapsed",
    "acknowledged", "refused", "expired", "destroyed", "frozen", "released",
    "backed-up", "restored", "next-tls-key", "tls-key",
)  # fmt: skip


class JournalBroken(IntegrityFault):
    """The chain does not hold: somebody changed or removed entries."""

    code = "SWD-GATE-01"
    what = "the gateway's journal does not hold"
    why = "an entry was changed or removed at or after number {sequence}"
    fix = "treat the gateway as broken into; reading is frozen until the registry releases it"


def append(index: Index, event: str, subject: str, **detail: str | int | None) -> None:
    """Write the next entry into the running transaction; `detail` takes ids, digests, instants and counts only."""
    if event not in EVENTS:
        raise ValueError("an event that the spec does not list")
    sequence = 1 + max(int(index.fact("journal_sequence") or 0), _last(index))
    entry = canonical(
        {
            "at": format_instant(index.now()),
            "event": event,
            "previous": index.fact("journal_tip") or FIRST,
            "sequence": sequence,
            "subject": subject,
            "detail": detail,
        }
    )
    index.write("INSERT INTO journal VALUES (?, ?)", sequence, entry)
    index.set_fact("journal_sequence", str(sequence))
    index.set_fact("journal_tip", digest_hex(entry))


def _last(index: Index) -> int:
    """The highest number there is; only in a broken journal another one than the counter says."""
    row = index.row("SELECT coalesce(max(sequence), 0) AS n FROM journal")
    return 0 if row is None else int(row["n"])


def page(index: Index, after: int) -> JournalPage:
    """Entries after number `after`, and the signed head of the whole journal."""
    rows = index.rows("SELECT entry FROM journal WHERE sequence > ? ORDER BY sequence LIMIT ?", after, PAGE_ENTRIES)
    head = {
        "at": format_instant(index.now()),
        "entry_sha256": index.fact("journal_tip") or FIRST,
        "sequence": int(index.fact("journal_sequence") or 0),
    }
    entries = tuple(convert(parse_canonical(bytes(row["entry"])), JournalEntry) for row in rows)
    return JournalPage(entries=entries, head=SignedText.of(sign(JOURNAL, head, index.journal_key)))


def drop(index: Index, through: int) -> None:
    """Remove entries that the registry has in custody; the digest of the last one stays."""
    row = index.row("SELECT entry FROM journal WHERE sequence <= ? ORDER BY sequence DESC LIMIT 1", through)
    if row is not None:
        index.set_fact("journal_base", digest_hex(bytes(row["entry"])))
        index.write("DELETE FROM journal WHERE sequence <= ?", through)


def check(index: Index) -> None:
    """Follow the chain from the last drained entry to the tip.

    Raises:
        JournalBroken: it does not hold.
    """
    last = int(index.fact("journal_sequence") or 0)
    rows = index.rows("SELECT sequence, entry FROM journal ORDER BY sequence")
    _follow(rows, last - len(rows), index.fact("journal_base") or FIRST, last, index.fact("journal_tip") or FIRST)


def check_page(index: Index, after: int) -> None:
    """Follow the chain through one page: the cost of draining stays that of what is drained.

    The rest of the chain is followed when its pages are asked for, and all of it at start.

    Raises:
        JournalBroken: it does not hold there.
    """
    last = int(index.fact("journal_sequence") or 0)
    before = index.row("SELECT sequence, entry FROM journal WHERE sequence <= ? ORDER BY sequence DESC LIMIT 1", after)
    sql = "SELECT sequence, entry FROM journal WHERE sequence > ? ORDER BY sequence LIMIT ?"
    rows = index.rows(sql, after, PAGE_ENTRIES)
    if before is not None:
        base, previous = int(before["sequence"]), digest_hex(bytes(before["entry"]))
        if base != min(after, last):
            raise JournalBroken(sequence=base + 1)
    else:
        previous = index.fact("journal_base") or FIRST
        base = last - length(index)
    is_whole = len(rows) < PAGE_ENTRIES or rows[-1]["sequence"] >= last
    tip = index.fact("journal_tip") or FIRST
    _follow(rows, base, previous, last if is_whole else base + len(rows), tip if is_whole else None)


def length(index: Index) -> int:
    """How many entries there are; in a broken journal as many as its numbers say."""
    row = index.row("SELECT (SELECT max(sequence) FROM journal) - (SELECT min(sequence) FROM journal) + 1 AS n")
    return 0 if row is None or row["n"] is None else int(row["n"])


def _follow(rows: list[sqlite3.Row], base: int, previous: str, last: int, tip: str | None) -> None:
    """Each entry names the one before it, from number `base` with digest `previous` to `last` with digest `tip`.

    Raises:
        JournalBroken: one does not.
    """
    expected = base
    for row in rows:
        expected += 1
        try:
            entry = convert(parse_canonical(bytes(row["entry"])), JournalEntry)
        except SwaddleError as error:
            raise JournalBroken(sequence=expected) from error
        if row["sequence"] != expected or entry.sequence != expected or entry.previous != previous:
            raise JournalBroken(sequence=expected)
        previous = digest_hex(bytes(row["entry"]))
    if expected != last or (tip is not None and previous != tip):
        raise JournalBroken(sequence=expected + 1)
