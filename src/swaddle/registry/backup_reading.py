"""Reading a backup: its list first, then file after file; and `registry verify-backup`, which looks at all of it.

Nothing is written in the clear: the small databases are opened in memory, the ledger is followed as it streams by, and
the three files of the store are written as they are, encrypted, into a folder that goes again.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import tomllib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from swaddle import durable
from swaddle.canonical import format_instant
from swaddle.custody.entry import ENTRY_LIMIT_BYTES, FIRST_PREVIOUS, Entry, LedgerBroken, parse_entry
from swaddle.custody.ledger import FILE_NAME as CUSTODY
from swaddle.envelope.backup import BackupUnreadable
from swaddle.envelope.backup_file import BackupFile, check_body
from swaddle.envelope.backup_file_opening import Plaintext, open_backup_file
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.refusals import KeyFileUnreadable, PassphraseWrong
from swaddle.envelope.signature import SigningKey
from swaddle.errors import SwaddleError
from swaddle.home import SETTINGS
from swaddle.registry import backup, backup_contents, settings
from swaddle.registry.backup_contents import DATABASES, MOST_LIST_BYTES, STORE, STORE_KEYS, Contents
from swaddle.registry.keys import STORE_KEY_NAMES
from swaddle.registry.store import FILES, extension_path, quoted

MOST_SMALL_BYTES = 16 * 1024 * 1024
MOST_DATABASE_BYTES = 2 * 1024**3
IDENTITY = "keys/registry.json"


@contextmanager
def opened(
    found: BackupFile, pair: SealingPair, at: datetime, *, expired: bool
) -> Iterator[tuple[Plaintext, Contents]]:
    """A backup at its first file, every byte of it compared with what was signed; and its list.

    Raises:
        BackupUnreadable, BackupExpired, BackupOfAnotherKey: of swaddle.envelope.
    """
    if found.head.kind != backup.KIND:
        raise BackupUnreadable("it is not a backup of a registry")
    check_body(found)
    with open_backup_file(found, pair, at, expired=expired) as plaintext:
        size_bytes = int.from_bytes(plaintext.read(8), "big")
        if size_bytes > MOST_LIST_BYTES:
            raise BackupUnreadable("the list in it is too long")
        listed = backup_contents.parse(plaintext.read(size_bytes))
        if sum(listed.files.values()) != plaintext.left_bytes:
            raise BackupUnreadable("its files are not as long as it lists them")
        key = secret_key(listed, "statement")
        if key.public != found.signer:
            raise BackupUnreadable("the statement key in it is not the one that signed it")
        yield plaintext, listed


def secret_key(listed: Contents, name: str) -> SigningKey:
    """A private signing key of a backup.

    Raises:
        BackupUnreadable: it is none.
    """
    try:
        return SigningKey.load(listed.secrets[name])
    except (KeyFileUnreadable, PassphraseWrong) as error:
        raise BackupUnreadable(f"its {name} key is no key") from error


def store_keys(listed: Contents) -> dict[str, bytes]:
    """The keys of the three files, by name."""
    box = listed.secrets[STORE_KEYS]
    return {name: box[32 * place : 32 * place + 32] for place, name in enumerate(STORE_KEY_NAMES)}


def verify(
    found: BackupFile, pair: SealingPair, at: datetime, *, expired: bool = False, scratch: Path | None = None
) -> dict[str, Any]:
    """Look at all of a backup: every byte, the ledger's chain, each table's number of rows under the store's keys.

    Args:
        found: as it was read.
        pair: the backup pair.
        at: now.
        expired: look although its time is over.
        scratch: where the three files are put, encrypted as they are, while their rows are counted.

    Returns:
        `sha256`, `made`, `expires`, `key_id`, `registry`, `root`, `form`, `bytes`, `files`, `entries`, `custody_head`,
        `rows` (in the three files), `transfers`, `submitters`.

    Raises:
        BackupUnreadable and its like: it would not come back whole.
        DiskFault: there is no room in `scratch`.
    """
    rows: dict[str, int] = {}
    with (
        opened(found, pair, at, expired=expired) as (plaintext, listed),
        tempfile.TemporaryDirectory(prefix="swaddle-verify-", dir=scratch) as folder,
    ):
        for name, size_bytes in listed.files.items():
            pieces = plaintext.pieces(size_bytes)
            if name == CUSTODY:
                follow(pieces, listed)
            elif name in STORE:
                write_stream(Path(folder) / name.rpartition("/")[2], pieces)
            elif name in DATABASES:
                rows |= rows_in_memory(name, pieces, size_bytes)
            elif size_bytes <= MOST_SMALL_BYTES:
                check_small(name, b"".join(bytes(piece) for piece in pieces), found)
            else:
                for _ in pieces:
                    pass
        missing = {CUSTODY, SETTINGS, IDENTITY, DATABASES[0], *STORE} - listed.files.keys()
        if missing:
            raise BackupUnreadable("a file that a registry cannot do without is not in it")
        rows |= rows_of_files(Path(folder), store_keys(listed))
        if rows != dict(listed.rows):
            raise BackupUnreadable("a table in it has another number of rows than when it was made")
        return told(found, listed) | {"bytes": found.path.stat().st_size}


def told(found: BackupFile, listed: Contents) -> dict[str, Any]:
    """A backup in numbers, as commands print it."""
    stored = sum(count for table, count in listed.rows.items() if table.split(".")[0] in FILES)
    return {
        "sha256": found.head.body_sha256,
        "made": format_instant(found.head.made),
        "expires": format_instant(found.head.expires),
        "key_id": found.head.key_id,
        "registry": found.head.registry,
        "root": found.root.fingerprint,
        "form": found.head.revision,
        "files": len(listed.files),
        "entries": listed.entries,
        "custody_head": listed.custody_head,
        "rows": stored,
        "transfers": listed.rows.get(f"{DATABASES[0]}.transfers", 0),
        "submitters": listed.rows.get(f"{DATABASES[0]}.submitters", 0),
    }


def follow(pieces: Iterator[memoryview], listed: Contents) -> None:
    """Follow the ledger's chain to the head that the list names.

    Raises:
        BackupUnreadable: it does not hold, or is another one.
    """
    entry: Entry | None = None
    previous, left = FIRST_PREVIOUS, b""
    try:
        for piece in pieces:
            *lines, left = (left + bytes(piece)).split(b"\n")
            for line in lines:
                entry = parse_entry(line, entry, previous)
                previous = sha256(line).hexdigest()
            if len(left) > ENTRY_LIMIT_BYTES:
                raise BackupUnreadable("the custody ledger in it has a line that is no entry")
    except LedgerBroken as error:
        raise BackupUnreadable("the custody ledger in it does not hold") from error
    count = 0 if entry is None else entry.sequence
    if (count, previous) != (listed.entries, listed.custody_head) or left:
        raise BackupUnreadable("the custody ledger in it is not as long as it was, or another one")


def check_small(name: str, data: bytes, found: BackupFile) -> None:
    """Settings that can be used, and an identity that is the head's.

    Raises:
        BackupUnreadable: they are not.
    """
    is_ours = True
    try:
        if name == SETTINGS:
            settings.read(tomllib.loads(data.decode("utf-8")), {})
        elif name == IDENTITY:
            identity = json.loads(data)
            is_ours = (identity["registry"], identity["root"]) == (found.head.registry, found.root.line)
    except (ValueError, KeyError, TypeError, SwaddleError) as error:
        raise BackupUnreadable("its settings or its identity cannot be used") from error
    if not is_ours:
        raise BackupUnreadable("the registry in it is another one than its head says")


def rows_in_memory(name: str, pieces: Iterator[memoryview], size_bytes: int) -> dict[str, int]:
    """A small database's tables to their numbers of rows, opened in memory.

    Raises:
        BackupUnreadable: it is damaged, or too large to be opened so.
    """
    if size_bytes > MOST_DATABASE_BYTES:
        raise BackupUnreadable("its small database is not small: restore it into another home to look at it")
    data = bytearray()
    for piece in pieces:
        data += piece
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(data)
            if connection.execute("pragma quick_check(1)").fetchone()[0] != "ok":
                raise BackupUnreadable("a small database in it is damaged")
            return backup.rows_of_database(name, connection)
    except (sqlite3.Error, OverflowError) as error:
        raise BackupUnreadable("a small database in it is damaged") from error


def rows_of_files(folder: Path, keys: Mapping[str, bytes], *, read_only: bool = True) -> dict[str, int]:
    """The rows of each table of the three files in a folder.

    Args:
        folder: where they lie; nobody has them open.
        keys: of the files, by name.
        read_only: else what a killed process left in a log beside a file is taken into it first.

    Raises:
        BackupUnreadable: a file does not open under its key.
    """
    with closing(duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})) as connection:
        connection.execute(f"load '{quoted(str(extension_path()))}'")
        try:
            for name in FILES:
                key = f"encryption_key '{b64encode(keys[name]).decode()}', encryption_cipher 'GCM'"
                how = f"({'read_only, ' * read_only}{key})"
                connection.execute(f"attach '{quoted(str(folder / name))}.duckdb' as {name} {how}")
                if not read_only:
                    connection.execute(f"checkpoint {name}")
            return backup.rows_of_store(connection)
        except duckdb.Error as error:
            raise BackupUnreadable("a file of the store in it does not open under its key") from error


def write_stream(path: Path, pieces: Iterator[memoryview]) -> None:
    """Write a file from pieces and sync it.

    Raises:
        DiskFault: the disk said no.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            for piece in pieces:
                durable.write_all(descriptor, piece)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise durable.disk_fault(error) from error
