"""`registry backup`: the whole registry in one file, sealed to the backup pair whose private half is offline.

    small database copied -> store closed and at rest -> all sealed as a stream -> custody entry -> head -> its name

The owner of the store does it, in its turn, so nothing changes meanwhile: the three files, the small database, custody
and the settings are of one moment. Custody names the backup before there is one under its name (decision 0080).
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import duckdb

from swaddle import durable
from swaddle.canonical import format_instant
from swaddle.custody.ledger import FILE_NAME as CUSTODY
from swaddle.custody.ledger import Ledger
from swaddle.envelope.backup_file import BackupWriter, read_head
from swaddle.envelope.signature import SigningKey
from swaddle.errors import SettingsFault, SwaddleError
from swaddle.intake.engine import identifier
from swaddle.registry import backup_contents as contents
from swaddle.registry import backup_keys, forms
from swaddle.registry.backup_contents import Contents
from swaddle.registry.inside import Registry
from swaddle.registry.keys import STORE_KEY_NAMES, Keyring
from swaddle.registry.settings import Settings
from swaddle.registry.store import FILES

FOLDER = "backups"
SUFFIX = ".swaddle-registry-backup"
KIND = "registry"
_WORK = "backup-"
_READ_BYTES = 1_048_576


class NoBackupPair(SettingsFault):
    """There is nothing to seal a backup to."""

    code = "SWD-BACKUP-10"
    what = "no backup can be made"
    why = "this registry has no backup pair"
    fix = "run `swaddle registry backup-keys`, and move keys/backup.json offline"


class Changed(SettingsFault):
    """A file changed while it was copied."""

    code = "SWD-BACKUP-11"
    what = "no backup was made"
    why = "a file of this home changed while it was copied"
    fix = "see that nobody edits files in this home, and run it again"


class Holder(Protocol):
    """What a backup is made of: an opened registry, or one whose store nobody has opened (upgrade.py)."""

    home: Path
    settings: Settings
    keyring: Keyring
    ledger: Ledger
    passphrase: bytes

    def now(self) -> datetime:
        """The present."""
        ...


def make_backup(inside: Registry, out: str | None = None) -> dict[str, Any]:
    """Make a backup of an opened registry; what `seal_home` returns and raises."""
    return seal_home(inside, lambda: at_rest(inside), forms.PRESENT, out)


def seal_home(
    inside: Holder, rest: Callable[[], AbstractContextManager[Mapping[str, int]]], form: int, out: str | None = None
) -> dict[str, Any]:
    """Make a backup; expired ones in the same folder are removed.

    Args:
        inside: whose home it is.
        rest: keeps the three files closed and at rest for its block, and gives the rows of their tables.
        form: of the home (forms.py).
        out: the folder to put it in; `backups` in the home by default.

    Returns:
        `backup` (the file), `sha256`, `made`, `expires`, `key_id`, `bytes`, `files`, `entries` (of custody),
        `not_taken` (files of the home that were passed over: links, strange names), `removed` (expired ones).

    Raises:
        NoBackupPair: there is nothing to seal it to.
        Changed: somebody edited a file meanwhile.
        DiskFault: the disk said no; at worst custody names a copy that is not there.
    """
    recipient = backup_keys.public(inside.home)
    if recipient is None:
        raise NoBackupPair
    folder = Path(out) if out else inside.home / FOLDER
    durable.make_folder(folder)
    removed = remove_expired(folder, inside)
    now = inside.now()
    with copies_of_databases(inside.home) as copies, rest() as rows:
        temporary = folder / f".{secrets.token_hex(8)}.part"
        writer = BackupWriter(temporary)
        try:
            listed, not_taken = list_contents(inside, copies, rows)
            writer.write(listed.to_bytes())
            for name, size in listed.files.items():
                copy(copies.get(name, inside.home / name), size, writer)
            head, front = writer.finish(
                recipient, inside.keyring.statement, inside.keyring.certificate,
                kind=KIND, registry=inside.keyring.registry_id, made=now,
                expires=now + timedelta(days=inside.settings.backup_days), revision=str(form),
            )  # fmt: skip
            detail = {
                "key_id": head.key_id, "made": format_instant(head.made), "expires": format_instant(head.expires),
                "entries": listed.entries,
            }  # fmt: skip
            inside.ledger.append("registry-backed-up", head.body_sha256, detail, now)
            writer.put_in_front(front)
            path = folder / f"registry-{head.made:%Y%m%dT%H%M%SZ}-{head.body_sha256[:8]}{SUFFIX}"
            temporary.replace(path)
            durable.sync_folder(folder)
        except OSError as error:
            raise durable.disk_fault(error) from error
        finally:
            writer.close()
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    return {
        "backup": str(path),
        "sha256": head.body_sha256,
        "made": format_instant(head.made),
        "expires": format_instant(head.expires),
        "key_id": head.key_id,
        "bytes": path.stat().st_size,
        "files": len(listed.files),
        "entries": listed.entries,
        "not_taken": not_taken,
        "removed": removed,
    }


def list_contents(inside: Holder, copies: Mapping[str, Path], rows: Mapping[str, int]) -> tuple[Contents, int]:
    """The list that stands in front, and how many files were passed over."""
    names, not_taken = contents.files_of(inside.home)
    files = {name: copies.get(name, inside.home / name).stat().st_size for name in names}
    entries, head = -1, ""
    while (entries, head) != inside.ledger.head():  # an alarm may be written down just now
        entries, head = inside.ledger.head()
        files[CUSTODY] = (inside.home / CUSTODY).stat().st_size
    listed = Contents(
        files=files, secrets=secrets_of(inside), rows=dict(rows) | rows_of_databases(copies), entries=entries,
        custody_head=head, intake_keys=tuple(sorted(p.stem for p in (inside.home / "keys" / "intake").glob("*.json"))),
    )  # fmt: skip
    return listed, not_taken


def secrets_of(inside: Holder) -> dict[str, bytes]:
    """The private keys that are in a backup, without a passphrase: the backup pair is what guards them."""
    found = {contents.STORE_KEYS: b"".join(inside.keyring.store[name] for name in STORE_KEY_NAMES)}
    for name, path in contents.SECRET_KEYS.items():
        with suppress(FileNotFoundError):
            key = SigningKey.load((inside.home / path).read_bytes(), inside.passphrase)
            found[name] = key.to_openssh()
    return found


@contextmanager
def copies_of_databases(home: Path) -> Iterator[dict[str, Path]]:
    """Copies of the small databases as of one moment, by name in the home; gone at the end of the block.

    Raises:
        DiskFault: there is no room.
    """
    folder = home / "run"
    durable.make_folder(folder)
    for left in folder.glob(f"{_WORK}*"):
        durable.remove_file(left)
    copies = {}
    try:
        for name in contents.DATABASES:
            if (home / name).exists():
                copies[name] = folder / f"{_WORK}{secrets.token_hex(8)}.db"
                with closing(sqlite3.connect(home / name, timeout=30)) as connection:
                    connection.execute("vacuum into ?", (str(copies[name]),))
        yield copies
    except sqlite3.Error as error:
        raise durable.DiskFault("a small database could not be copied") from error
    finally:
        for path in copies.values():
            with suppress(OSError):
                path.unlink(missing_ok=True)


@contextmanager
def at_rest(inside: Registry) -> Iterator[dict[str, int]]:
    """The three files closed, so that a copy of their bytes is whole; the rows of each table. Opened again after it.

    Opening and closing them while they are attached would drop the database's lock on them (owner.py).
    """
    store = inside.store
    rows = rows_of_store(store.connection)
    for name in FILES:
        store.connection.execute(f"checkpoint {name}")
    store.close()
    try:
        yield rows
    finally:
        store.reopen(inside.keyring.store)


def rows_of_store(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """`identifiers.persons` and so on to the number of their rows, of the three files attached to `connection`."""
    tables = connection.execute(
        "select database_name, table_name from duckdb_tables() where list_contains(?, database_name) and not temporary",
        [list(FILES)],
    ).fetchall()
    found = {}
    for database, table in tables:
        row = connection.execute(f"select count(*) from {identifier(database)}.{identifier(table)}").fetchone()
        assert row is not None
        found[f"{database}.{table}"] = int(row[0])
    return found


def rows_of_databases(copies: Mapping[str, Path]) -> dict[str, int]:
    """`registry.db.transfers` and so on to the number of their rows."""
    found: dict[str, int] = {}
    for name, path in copies.items():
        with closing(sqlite3.connect(path)) as connection:
            found |= rows_of_database(name, connection)
    return found


def rows_of_database(name: str, connection: sqlite3.Connection) -> dict[str, int]:
    """One small database's tables to the number of their rows."""
    tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table' order by name")]
    return {
        # nosemgrep: sql-is-written-never-built (of the database's own catalogue)
        f"{name}.{table}": int(connection.execute(f"select count(*) from {identifier(table)}").fetchone()[0])
        for table in tables
    }


def copy(path: Path, size_bytes: int, writer: BackupWriter) -> None:
    """Seal exactly the first `size_bytes` of a file; custody may be longer by then, nothing may be shorter.

    Raises:
        Changed: it is shorter than it was.
        DiskFault: it cannot be read.
    """
    room = memoryview(bytearray(_READ_BYTES))
    try:
        with path.open("rb", buffering=0) as file:
            while size_bytes:
                count = file.readinto(room[: min(size_bytes, _READ_BYTES)])
                if not count:
                    raise Changed
                writer.write(room[:count])
                size_bytes -= count
    except OSError as error:
        raise durable.disk_fault(error) from error


def remove_expired(folder: Path, inside: Holder) -> int:
    """Remove this registry's backups of a folder whose time is over; how many. Everything else is left alone."""
    removed = 0
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            head = read_head(path).head
        except (SwaddleError, OSError):
            continue
        if head.registry == inside.keyring.registry_id and head.expires <= inside.now():
            durable.remove_file(path)
            inside.ledger.append("backup-removed", head.body_sha256, {}, inside.now())
            removed += 1
    for left in folder.iterdir():
        if durable.is_leftover(left) and os.path.getmtime(left) < inside.now().timestamp() - 86_400:  # noqa: PTH204
            durable.remove_file(left)
    return removed
