"""Where in the ledger's file each entry stands, by number and by subject: so that millions are not kept in memory.

`custody.index` beside the ledger is a convenience and nothing else. It says of which bytes it was made (their number
and SHA-256); where these are not the beginning of the file, or where it cannot be used, it is made anew, or kept in
memory only. Nothing in it is believed about an entry: each line that is read is compared with its digest.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

IN_MEMORY = Path(":memory:")
RARE = ("alarm-raised", "gateway-frozen", "transfer-lost")  # events that are asked for by their name
_AMONG_RARE = f"event IN ({', '.join(map(repr, RARE))})"
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS places (
    sequence INTEGER PRIMARY KEY, subject TEXT NOT NULL, start INTEGER NOT NULL, bytes INTEGER NOT NULL,
    sha256 BLOB NOT NULL, event TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS places_by_subject ON places (subject, sequence);
CREATE INDEX IF NOT EXISTS places_rare ON places (event, sequence) WHERE {_AMONG_RARE};
CREATE TABLE IF NOT EXISTS mark (
    one INTEGER PRIMARY KEY CHECK (one = 1), entries INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 BLOB NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class Place:
    """Where a line stands, without its newline, and what it must be."""

    sequence: int
    subject: str
    start: int
    size_bytes: int
    sha256: bytes
    event: str


@dataclass(frozen=True)
class Mark:
    """The beginning of the file that the index was made of."""

    entries: int
    size_bytes: int
    sha256: bytes


class Places:
    """The index of one ledger. May lose its last moments in a power cut; then it is behind, and catches up."""

    def __init__(self, path: Path) -> None:
        """Open or make it.

        Raises:
            sqlite3.Error: it cannot be used.
        """
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=5, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)
        if path != IN_MEMORY:
            path.chmod(0o600)

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def mark(self) -> Mark:
        """What it was made of."""
        row = self._connection.execute("SELECT entries, bytes, sha256 FROM mark").fetchone()
        return Mark(0, 0, b"") if row is None else Mark(int(row[0]), int(row[1]), bytes(row[2]))

    def add(self, places: list[Place], mark: Mark) -> None:
        """Take more entries in, in one transaction.

        Raises:
            sqlite3.Error: the disk said no.
        """
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?, ?, ?)",
                [(one.sequence, one.subject, one.start, one.size_bytes, one.sha256, one.event) for one in places],
            )
            self._connection.execute(
                "INSERT OR REPLACE INTO mark VALUES (1, ?, ?, ?)", (mark.entries, mark.size_bytes, mark.sha256)
            )

    def clear(self) -> None:
        """It is of another file: forget everything.

        Raises:
            sqlite3.Error: the disk said no.
        """
        self._connection.executescript("BEGIN IMMEDIATE; DELETE FROM places; DELETE FROM mark; COMMIT;")

    def of_number(self, sequence: int) -> Place | None:
        """Where entry `sequence` stands."""
        return next(self._found("WHERE sequence = ?", sequence), None)

    def of_subject(self, subject: str, *, newest_first: bool = False) -> Iterator[Place]:
        """Where the entries about `subject` stand, in order or the newest first."""
        return self._found(f"WHERE subject = ? ORDER BY sequence {'DESC' if newest_first else ''}", subject)

    def of_event(self, event: str) -> Iterator[Place]:
        """Where the entries of a rare event stand, in order."""
        return self._found(f"WHERE {_AMONG_RARE} AND event = ? ORDER BY sequence", event)

    def all(self, through: int, after: int = 0) -> Iterator[Place]:
        """Where all entries behind number `after` and up to number `through` stand, in order."""
        return self._found("WHERE sequence > ? AND sequence <= ? ORDER BY sequence", after, through)

    def _found(self, where: str, *values: str | int) -> Iterator[Place]:
        for row in self._connection.execute(
            f"SELECT sequence, subject, start, bytes, sha256, event FROM places {where}", values
        ):
            yield Place(int(row[0]), str(row[1]), int(row[2]), int(row[3]), bytes(row[4]), str(row[5]))
