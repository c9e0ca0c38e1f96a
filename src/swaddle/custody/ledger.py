"""The custody ledger: one append-only file of entries, each naming the digest of the one before it.

Opening reads the whole file and checks every link; an entry is in the ledger once `append` has returned. Whoever can
write the file can also write a new chain: what makes that visible is the head, which goes out with every receipt.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from swaddle import durable
from swaddle.custody.entry import FIRST_PREVIOUS, Entry, LedgerBroken, entry_bytes, next_entry, parse_entry

FILE_NAME = "custody.jsonl"


class Ledger:
    """The entries of one home, in order.

    One process appends; others may read beside it. Two that append in turn see each other's entries, two at the same
    moment do not: the registry's one owner keeps it so.
    """

    def __init__(self, path: Path) -> None:
        """Open the ledger at `path`, made by the first entry, and check its chain.

        Raises:
            LedgerBroken: an entry is not what it was.
        """
        self._path = path
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._by_subject: dict[str, list[Entry]] = {}
        self._head = FIRST_PREVIOUS
        self._read_bytes = 0
        self._catch_up()

    def append(self, event: str, subject: str, detail: Mapping[str, Any], at: datetime) -> Entry:
        """Write one entry; it survives a crash once this returns.

        Raises:
            EntryUnsafe: an event that is not in the table, or a value that is not opaque; nothing is written.
            DiskFault: the disk said no; whether the entry is there is found out before the next one.
            LedgerBroken: somebody else wrote to the file, and not an entry.
        """
        with self._lock:
            self._catch_up()
            last = self._entries[-1] if self._entries else None
            entry = next_entry(last, at=at, event=event, subject=subject, detail=detail)
            line = entry_bytes(entry)
            durable.append_line(self._path, line)
            self._take(entry, line)
            return entry

    def entries(self, subject: str | None = None) -> tuple[Entry, ...]:
        """All entries in order, or those about one subject."""
        with self._lock:
            return tuple(self._entries if subject is None else self._by_subject.get(subject, ()))

    def head(self) -> tuple[int, str]:
        """The number of the last entry and its digest; `(0, 64 zeros)` where there is none."""
        with self._lock:
            return len(self._entries), self._head

    def _catch_up(self) -> None:
        """Read and check what the file has beyond what was read; a torn last line is not there yet."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(self._read_bytes)
                data = file.read() if size > self._read_bytes else b""
        except FileNotFoundError:
            size, data = 0, b""
        if size < self._read_bytes:
            raise LedgerBroken("the file is shorter than it was", sequence=len(self._entries))
        *lines, _torn = data.split(b"\n")
        for line in lines:
            self._take(parse_entry(line, self._entries[-1] if self._entries else None, self._head), line)

    def _take(self, entry: Entry, line: bytes) -> None:
        """Keep an entry that is on the disk."""
        self._entries.append(entry)
        self._by_subject.setdefault(entry.subject, []).append(entry)
        self._head = sha256(line).hexdigest()
        self._read_bytes += len(line) + 1
