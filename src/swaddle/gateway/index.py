"""The rows of the gateway: read and written by one thread, one transaction to a request.

An operation is a plain function that takes an `Index` first. Either everything that it wrote is durable when `run`
returns, the journal's entries included, or nothing of it is there.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from swaddle.durable import DiskFault
from swaddle.envelope.signature import SigningKey
from swaddle.gateway import adjustable, schema
from swaddle.gateway.refusal import Refusal
from swaddle.gateway.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class Index:
    """What an operation works with: the rows, the settings, the journal's key, the clock."""

    connection: sqlite3.Connection
    settings: Settings
    journal_key: SigningKey
    clock: Callable[[], datetime]
    frozen: set[str | None] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    stated: Settings = field(init=False)

    def __post_init__(self) -> None:
        """Remember the settings as they were stated at the start; `settings` is what is in force."""
        self.stated = self.settings

    def now(self) -> datetime:
        """The gateway's time, whole seconds."""
        return self.clock().replace(microsecond=0)

    def reload(self) -> None:
        """Know again what is kept outside the database too: freezes, revocations, settings changed from inside."""
        self.frozen = {row["reader"] for row in self.rows("SELECT reader FROM freezes")}
        self.revoked = {row["id"] for row in self.rows("SELECT id FROM submitters WHERE revoked > 0")}
        changed = {row["name"]: row["value"] for row in self.rows("SELECT name, value FROM changed_settings")}
        self.settings = adjustable.apply(self.stated, changed)

    def new_id(self) -> str:
        """128 random bits, 32 hex digits."""
        return secrets.token_hex(16)

    def fact(self, name: str) -> str | None:
        """One of the few single values: the root, the certificate, the intake statement, counters."""
        row = self.connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def set_fact(self, name: str, value: str) -> None:
        """Write one of them."""
        self.connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def drop_fact(self, name: str) -> None:
        """Erase one of them."""
        self.connection.execute("DELETE FROM facts WHERE name = ?", (name,))

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """All rows; values are bound, never written into the text."""
        return self.connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The one row, or None."""
        found: sqlite3.Row | None = self.connection.execute(sql, values).fetchone()
        return found

    def write(self, sql: str, *values: object) -> int:
        """Write; how many rows it was."""
        return self.connection.execute(sql, values).rowcount


class IndexThread:
    """The one thread that touches the transfers database, and the way into it from the event loop."""

    def __init__(self, index: Index) -> None:
        """Take the index over; nobody else may use it until `close`."""
        self.index = index
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="index")

    async def run(self, operation: Callable[Concatenate[Index, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do `operation` in one transaction.

        Raises:
            Refusal: what the operation refused, or `full` when the disk took nothing.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: transact(self.index, operation, *args, **kwargs))

    def call(self, operation: Callable[Concatenate[Index, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do `operation` in one transaction, asked by another thread than the event loop's: the door's.

        Raises:
            Refusal: as `run`.
        """
        return self._pool.submit(lambda: transact(self.index, operation, *args, **kwargs)).result()

    async def note(self, operation: Callable[Concatenate[Index, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do an operation that a kill must not undo but a power cut may: the nonces, which live for a minute.

        Without a sync of the disk for each request; a machine that lost its power is not up again within their minute.

        Raises:
            Refusal: as `run`.
        """

        def lightly() -> T:
            self.index.connection.execute("PRAGMA synchronous = NORMAL")
            try:
                return transact(self.index, operation, *args, **kwargs)
            finally:
                self.index.connection.execute("PRAGMA synchronous = FULL")

        return await asyncio.get_running_loop().run_in_executor(self._pool, lightly)

    async def outside(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do other blocking work in the same thread, in no transaction."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: work(*args, **kwargs))

    async def elsewhere(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do blocking work that touches no rows in another thread."""
        return await asyncio.get_running_loop().run_in_executor(None, lambda: work(*args, **kwargs))

    async def shrink(self) -> None:
        """Empty the write-ahead log, where deleted rows still stand; tried again after the next deletion."""

        def checkpoint() -> None:
            with suppress(sqlite3.OperationalError):
                self.index.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        await self.outside(checkpoint)

    def close(self) -> None:
        """Wait for the last operation, then let the database go."""
        self._pool.shutdown(wait=True)
        self.index.connection.close()


def transact(index: Index, operation: Callable[Concatenate[Index, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do `operation` in one transaction: whole and durable, or not at all.

    Raises:
        Refusal: what the operation refused (what it wrote stays only if the refusal says `keep`), or `full`.
    """
    connection = index.connection
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            answer = operation(index, *args, **kwargs)
        except Refusal as refusal:
            connection.execute("COMMIT" if refusal.keep else "ROLLBACK")
            if not refusal.keep:
                index.reload()
            raise
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise Refusal("full") from _disk_fault(error)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
            index.reload()
    return answer


def open_index(
    home: Path, settings: Settings, journal_key: SigningKey, clock: Callable[[], datetime] | None = None
) -> Index:
    """The index of a gateway's home, as it was left."""
    connection = schema.open_transfers(home / "transfers.db")
    index = Index(connection, settings, journal_key, clock or (lambda: datetime.now(UTC)))
    index.reload()
    return index


def seconds(moment: datetime) -> int:
    """A moment as the rows keep it."""
    return int(moment.timestamp())


def moment(value: int) -> datetime:
    """What the rows kept as a moment."""
    return datetime.fromtimestamp(value, UTC)


def _disk_fault(error: sqlite3.OperationalError) -> DiskFault:
    """SQLite's refusal; its text names no path or value."""
    return DiskFault("the database could not be written") if error.sqlite_errorcode else DiskFault("it is locked")
