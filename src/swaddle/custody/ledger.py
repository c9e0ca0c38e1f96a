"""The custody ledger: one append-only file of entries, each naming the digest of the one before it.

Opening looks at every byte: what was read and checked before is compared with its digest, what is new is read and each
link of it checked. An entry is in the ledger once `append` has returned. Whoever can write the file can also write a
new chain: what makes that visible is the head, which goes out with every receipt.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from swaddle import durable
from swaddle.canonical import NotCanonical, parse_canonical
from swaddle.custody.entry import (
    ENTRY_LIMIT_BYTES,
    FIRST_PREVIOUS,
    Entry,
    LedgerBroken,
    entry_bytes,
    next_entry,
    parse_entry,
)
from swaddle.custody.places import IN_MEMORY, Mark, Place, Places

FILE_NAME = "custody.jsonl"
BLOCK_BYTES = 1 << 20


class Ledger:
    """The entries of one home, in order.

    One process appends; others may read beside it. Two that append in turn see each other's entries, two at the same
    moment do not: the registry's one owner keeps it so. Memory does not grow with the entries; they are found by
    number and subject through an index that can be thrown away (places.py).
    """

    def __init__(self, path: Path) -> None:
        """Open the ledger at `path`, made by the first entry, and check its chain.

        Raises:
            LedgerBroken: an entry is not what it was.
        """
        self._path = path
        self._lock = threading.RLock()
        self._last: Entry | None = None
        self._head = FIRST_PREVIOUS
        self._digest = sha256()  # of the file as far as it was read
        self._read_bytes = 0
        self._places = self._known_places()
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
            entry = next_entry(self._last, at=at, event=event, subject=subject, detail=detail)
            line = entry_bytes(entry)
            durable.append_line(self._path, line)
            self._keep([self._take(entry, line)])
            return entry

    def entries(self, subject: str | None = None) -> tuple[Entry, ...]:
        """All entries in order, or those about one subject."""
        if subject is None:
            return tuple(self.walk())
        with self._lock:
            return tuple(self._read(self._places.of_subject(subject)))

    def newest(self, subject: str) -> Iterator[Entry]:
        """The entries about a subject, the newest first; as many are read as are asked for."""
        yield from self._read(self._places.of_subject(subject, newest_first=True))

    def of_event(self, event: str) -> tuple[Entry, ...]:
        """The entries of a rare event (places.RARE), in order."""
        with self._lock:
            return tuple(self._read(self._places.of_event(event)))

    def walk(self, after: int = 0) -> Iterator[Entry]:
        """All entries there are now behind number `after`, in order, read as they are asked for."""
        yield from self._read(self._places.all(self._count(), after))

    def head(self) -> tuple[int, str]:
        """The number of the last entry and its digest; `(0, 64 zeros)` where there is none."""
        with self._lock:
            return self._count(), self._head

    def close(self) -> None:
        """Let the index go; the file is opened for each entry only."""
        self._places.close()

    def _count(self) -> int:
        return 0 if self._last is None else self._last.sequence

    def _known_places(self) -> Places:
        """The index, if it is of this file; else an empty one, in memory where the disk takes none."""
        if not self._path.exists():
            return self._anew()
        places = None
        try:
            places = Places(self._path.with_suffix(".index"))
            mark = places.mark()
            digest = self._digest_of(mark.size_bytes)
            last = places.of_number(mark.entries)
            if digest is not None and digest.digest() == mark.sha256 and last is not None:
                (self._last,) = self._read(iter([last]))
                self._head = last.sha256.hex()
                self._digest, self._read_bytes = digest, mark.size_bytes
            else:
                places.clear()
        except (sqlite3.Error, LedgerBroken):
            if places is not None:
                places.close()
            return self._anew()
        return places

    def _anew(self) -> Places:
        """An empty index; what was read is forgotten with the old one."""
        self._last, self._head, self._digest, self._read_bytes = None, FIRST_PREVIOUS, sha256(), 0
        path = self._path.with_suffix(".index")
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            with suppress(OSError):
                (path.parent / name).unlink()
        try:
            return Places(path)
        except sqlite3.Error:
            return Places(IN_MEMORY)

    def _digest_of(self, size_bytes: int) -> Any:
        """The running digest of the file's first bytes; None where it has fewer."""
        digest, left = sha256(), size_bytes
        with self._path.open("rb", buffering=0) as file:
            while left and (block := file.read(min(left, BLOCK_BYTES))):
                digest.update(block)
                left -= len(block)
        return digest if size_bytes and not left else None

    def _catch_up(self) -> None:
        """Read and check what the file has beyond what was read; a torn last line is not there yet."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(self._read_bytes)
                coming: list[Place] = []
                if size > self._read_bytes:
                    for whole in file:
                        if not whole.endswith(b"\n"):
                            break
                        line = whole[:-1]
                        coming.append(self._take(parse_entry(line, self._last, self._head), line))
                        if len(coming) == 10_000:
                            self._keep(coming)
                            coming = []
        except FileNotFoundError:
            size, coming = 0, []
        if size < self._read_bytes:
            raise LedgerBroken("the file is shorter than it was", sequence=self._count())
        self._keep(coming)

    def _take(self, entry: Entry, line: bytes) -> Place:
        """Go on behind an entry that is on the disk."""
        digest = sha256(line)
        place = Place(entry.sequence, entry.subject, self._read_bytes, len(line), digest.digest(), entry.event)
        self._last, self._head = entry, digest.hexdigest()
        self._digest.update(line + b"\n")
        self._read_bytes += len(line) + 1
        return place

    def _keep(self, places: list[Place]) -> None:
        """Note where entries stand; an index that the disk does not take is made anew, in memory at worst."""
        if not places:
            return
        try:
            self._places.add(places, Mark(self._count(), self._read_bytes, self._digest.digest()))
        except sqlite3.Error:
            self._places.close()
            self._places = Places(IN_MEMORY)
            self._last, self._head, self._digest, self._read_bytes = None, FIRST_PREVIOUS, sha256(), 0
            self._catch_up()

    def _read(self, places: Iterator[Place]) -> Iterator[Entry]:
        """The entries that stand at these places.

        Raises:
            LedgerBroken: a line is no longer what it was.
        """
        descriptor = -1
        try:
            for place in places:
                if descriptor < 0:
                    descriptor = os.open(self._path, os.O_RDONLY)
                line = os.pread(descriptor, place.size_bytes, place.start)
                if sha256(line).digest() != place.sha256:
                    raise LedgerBroken("it was changed after it was read", sequence=place.sequence)
                try:
                    yield Entry(**parse_canonical(line, ENTRY_LIMIT_BYTES))
                except (NotCanonical, TypeError) as error:
                    raise LedgerBroken("the line is not an entry", sequence=place.sequence) from error
        finally:
            if descriptor >= 0:
                os.close(descriptor)
