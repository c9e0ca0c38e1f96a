"""A look at a whole ledger by whoever has its file: every link of the chain, and the root of the tree over it.

No key is needed and nothing is opened: the file alone is read, once, in constant memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from swaddle.custody.entry import FIRST_PREVIOUS, Entry, LedgerBroken, parse_entry
from swaddle.custody.tree import Frontier, leaf_hash


@dataclass(frozen=True)
class Audited:
    """What a ledger's file came to.

    Attributes:
        entries: how many there are.
        last_at: when the last one was written; None where there is none.
        head: SHA-256 of the last line, hex: what the next entry and every receipt rest on.
        root: of the Merkle tree over the lines (RFC 6962), hex.
        torn_bytes: of a last line without an end: a write that a crash cut off; it is no entry.
    """

    entries: int
    last_at: str | None
    head: str
    root: str
    torn_bytes: int


def audit(path: Path, known_head: str | None = None) -> Audited:
    """Read a ledger's file from its first entry to its last.

    A file that was cut at its end, or whose last entry was changed, follows the chain as well as a whole one does: only
    a head that somebody kept shows it.

    Args:
        path: of the file.
        known_head: a head that was printed or came in a receipt before; it has to be the digest of some entry.

    Raises:
        LedgerBroken: naming the entry at which it is seen not to hold: that one, or the one before it, was changed.
    """
    last: Entry | None = None
    head, tree, torn = FIRST_PREVIOUS, Frontier(), 0
    is_known = known_head is None
    if not path.is_file():
        raise LedgerBroken("there is no file of it", sequence=0)
    with path.open("rb") as file:
        for whole in file:
            if not whole.endswith(b"\n"):
                torn = len(whole)
                break
            line = whole[:-1]
            last = parse_entry(line, last, head)
            head = sha256(line).hexdigest()
            tree.add(leaf_hash(line))
            is_known = is_known or head == known_head
    if not is_known:
        raise LedgerBroken(
            "none of its entries has the head that was given: it was cut, changed at its end, or is another ledger",
            sequence=tree.size,
        )
    return Audited(tree.size, None if last is None else last.at, head, tree.root().hex(), torn)
