"""A gateway's return from its backup: a new home, frozen, that holds no transfer. Runs by hand, never in the gateway.

Opening the backup needs the private half of the backup pair; that is the command's part (`cli/gateway_backup.py`), what
comes here is what was sealed.
"""

from __future__ import annotations

import base64
import binascii
import sqlite3
import ssl
import tempfile
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from swaddle import durable
from swaddle.canonical import NotCanonical, format_instant, parse_canonical
from swaddle.envelope.backup import LIMIT_BYTES, Backup, BackupUnreadable
from swaddle.envelope.signature import SigningKey
from swaddle.gateway import backup as made
from swaddle.gateway import journal, rows, schema, settings
from swaddle.gateway.freeze import Cause
from swaddle.gateway.index import Index, transact
from swaddle.gateway.initialise import BODIES, CERTIFICATE, JOURNAL_KEY, TLS_KEY, AlreadyMade, pin_of
from swaddle.gateway.migrate import migrate
from swaddle.gateway.restored import WAITS
from swaddle.home import SETTINGS, Home, Kind, create


def restore(
    home_path: Path,
    backup: Backup,
    opened: bytes,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dict[str, Any]:
    """Make a gateway's home from a backup; killed half-way, it is simply run again.

    Args:
        home_path: an empty folder, or none yet.
        backup: as it was read.
        opened: what was sealed in it.
        clock: for the journal.

    Returns:
        `home`, `url`, `pin`, `backup_sha256`, `made`, `submitters`, `journal_key` (a fingerprint).

    Raises:
        AlreadyMade: there is a gateway in it.
        HomeFault: it is another party's home or holds other things.
        BackupUnreadable: what was sealed is not what this version seals.
        SchemaNewer: it was made by a newer version.
        DiskFault: the disk said no.
    """
    files, tables = _parse(opened)
    home = create(home_path, Kind.GATEWAY)
    if (home.path / SETTINGS).exists():
        raise AlreadyMade
    durable.make_folder(home.path / BODIES)
    for name in made.FILES:
        if name in files and name != SETTINGS:
            durable.write_file(home.path / name, files[name])
    for left in home.path.glob("transfers.db*"):
        durable.remove_file(left)
    connection = schema.open_any(home.path / "transfers.db")
    try:
        migrate(connection, backup.head.revision)
        _fill(connection, tables)
        migrate(connection)
        stated = _settings_of(files[SETTINGS])
        index = Index(connection, stated, SigningKey.load(files[JOURNAL_KEY]), clock)
        transact(index, _freeze, backup)
        submitters = connection.execute("SELECT count(*) FROM submitters WHERE revoked = 0").fetchone()[0]
    finally:
        connection.close()
    durable.write_file(home.path / SETTINGS, files[SETTINGS])  # last: the settings say that the home is whole
    return {
        "home": str(home.path),
        "url": stated.url,
        "pin": pin_of(files[CERTIFICATE]),
        "backup_sha256": backup.sha256,
        "made": format_instant(backup.head.made),
        "submitters": submitters,
        "journal_key": index.journal_key.public.fingerprint,
    }


def verify(backup: Backup, opened: bytes) -> dict[str, Any]:
    """Restore a backup into a folder of its own, open the gateway there, and remove it all again.

    Raises:
        what `restore` raises; what opening a gateway raises.
    """
    from swaddle.gateway.run import close_gateway, open_gateway  # noqa: PLC0415 - only here is a server's code needed

    with tempfile.TemporaryDirectory(prefix="swaddle-verify-") as folder:
        told = restore(Path(folder) / "gateway", backup, opened)
        home = Home(Path(folder) / "gateway", Kind.GATEWAY)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(home.path / CERTIFICATE, home.path / TLS_KEY)
        except ssl.SSLError:
            raise BackupUnreadable("its TLS key is not of its certificate") from None
        gateway = open_gateway(home, settings.load(home, {}))
        try:
            index = gateway.thread.index
            if index.frozen != {None} or index.fact("root") is None:
                raise BackupUnreadable("the gateway in it does not come back frozen and claimed")
        finally:
            close_gateway(gateway)
    return {name: told[name] for name in told if name != "home"}


def _parse(opened: bytes) -> tuple[dict[str, bytes], dict[str, Any]]:
    try:
        value = parse_canonical(opened, LIMIT_BYTES)
        files = {name: base64.b64decode(text, validate=True) for name, text in value["files"].items()}
        tables = value["tables"]
        missing = {SETTINGS, CERTIFICATE, TLS_KEY, JOURNAL_KEY} - files.keys()
        if missing or set(tables) - set(made.TABLES) or set(files) - set(made.FILES):
            raise BackupUnreadable("it does not hold what this version seals")
    except (NotCanonical, KeyError, AttributeError, TypeError, binascii.Error) as error:
        raise BackupUnreadable("what is sealed in it has another form") from error
    return files, tables


def _fill(connection: sqlite3.Connection, tables: dict[str, Any]) -> None:
    """Put the rows of each table in, by the names of their columns."""
    try:
        connection.execute("BEGIN EXCLUSIVE")
        for name, table in tables.items():
            columns = table["columns"]
            if not all(isinstance(column, str) and column.isidentifier() for column in columns):
                raise BackupUnreadable("a column's name is none")
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", table["rows"])
        connection.execute("COMMIT")
    except (sqlite3.Error, KeyError, TypeError) as error:
        raise BackupUnreadable("its rows do not fit the form that its head names") from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _freeze(index: Index, backup: Backup) -> None:
    """All reading stops until the registry has spoken; the journal goes on from the backup for so long."""
    index.set_fact("journal_base", index.fact("journal_tip") or journal.FIRST)
    index.set_fact(WAITS, backup.sha256)
    journal.append(index, "restored", backup.sha256, made=format_instant(backup.head.made))
    rows.begin_freeze(index, Cause.RESTORED, None, None)


def _settings_of(data: bytes) -> settings.Settings:
    """The settings in the backup, as they will lie in the home."""
    try:
        return settings.read(tomllib.loads(data.decode("utf-8")), {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BackupUnreadable("the settings in it are not readable TOML") from error
