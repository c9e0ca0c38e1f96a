"""A gateway's backup: its settings, its own keys and whom it knows; of transfers, nothing (transfer.md section 8).

It is sealed to the registry's backup pair, whose private half the gateway has never seen, and named in the journal
before it is a file, so that no copy is there that custody does not know.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from swaddle import durable
from swaddle.canonical import canonical, format_instant
from swaddle.envelope.backup import Head, read_backup, seal_backup
from swaddle.envelope.public import SealingPublic
from swaddle.envelope.signature import SigningKey
from swaddle.errors import SettingsFault, SwaddleError
from swaddle.gateway import journal, revisions, schema, settings
from swaddle.gateway.index import Index
from swaddle.gateway.initialise import CERTIFICATE, JOURNAL_KEY, NEXT_CERTIFICATE, NEXT_TLS_KEY, TLS_KEY
from swaddle.gateway.restored import BACKUP_KEY, WAITS
from swaddle.home import SETTINGS, Kind, open_home

FOLDER = "backups"
SUFFIX = ".swaddle-backup"
FILES = (SETTINGS, CERTIFICATE, TLS_KEY, NEXT_CERTIFICATE, NEXT_TLS_KEY, JOURNAL_KEY)
# Every table is in one of the two lists, or a test is red: what is in a backup is a decision, never an accident.
TABLES = ("facts", "submitters", "enrolments", "freezes", "quotas", "changed_settings", "earlier_intakes", "door_keys")
LEFT_OUT = ("transfers", "parts", "uploads", "journal", "nonces", "tallies", "alembic_version")
# Facts about one transfer, about a claim that nobody took, about a return that is not over.
_FACTS_LEFT_OUT = ("told ", "claim_", WAITS)


class NoBackupKey(SettingsFault):
    """The registry has named no backup pair."""

    code = "SWD-GATE-12"
    what = "no backup can be made"
    why = "the registry has not told this gateway which key to seal backups to"
    fix = "run `swaddle registry backup-keys` at the registry"


def make_backup(
    home_path: Path, folder: Path | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> dict[str, Any]:
    """Make a backup of the gateway at `home_path`, running or not; expired ones in the same folder are removed.

    Args:
        home_path: the gateway's home.
        folder: where to put it; its own `backups` by default.
        clock: for its times.

    Returns:
        `backup` (the file), `sha256`, `made`, `expires`, `key_id`, `removed` (how many expired ones).

    Raises:
        HomeFault, SettingWrong: there is no gateway in it.
        NoBackupKey: the registry has named none.
        DiskFault: it could not be written; it may stand in the journal all the same.
    """
    home = open_home(home_path, Kind.GATEWAY)
    stated = settings.load(home)
    journal_key = SigningKey.load((home.path / JOURNAL_KEY).read_bytes())
    connection = schema.open_any(home.path / "transfers.db")
    try:
        index = Index(connection, stated, journal_key, clock)
        connection.execute("BEGIN IMMEDIATE")  # not `transact`: the database may be of an older form
        head, sealed = _seal(index, home.path)
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise durable.DiskFault("the database could not be written") from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.close()
    target = folder or home.path / FOLDER
    durable.make_folder(target)
    removed = remove_expired(target, index.now())
    digest = sha256(read_backup(sealed).sealed).hexdigest()
    path = target / f"gateway-{head.made:%Y%m%dT%H%M%SZ}-{digest[:8]}{SUFFIX}"
    durable.write_file(path, sealed)
    return {
        "backup": str(path),
        "sha256": digest,
        "made": format_instant(head.made),
        "expires": format_instant(head.expires),
        "key_id": head.key_id,
        "removed": removed,
    }


def remove_expired(folder: Path, now: datetime) -> int:
    """Remove the backups of a folder whose time is over; how many. What is no backup is left alone."""
    removed = 0
    for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ():
        try:
            expires = read_backup(path.read_bytes()).head.expires
        except (SwaddleError, OSError):
            continue
        if expires <= now:
            durable.remove_file(path)
            removed += 1
    return removed


def _seal(index: Index, home: Path) -> tuple[Head, bytes]:
    """The backup's file, named in the journal."""
    wanted = index.fact(BACKUP_KEY)
    if wanted is None:
        raise NoBackupKey
    recipient = SealingPublic.from_json(json.loads(wanted))
    now = index.now()
    head = Head(
        kind="gateway",
        made=now,
        expires=now + timedelta(days=index.settings.backup_days),
        key_id=recipient.key_id,
        revision=revisions.revision_of(index.connection) or revisions.REVISIONS[0],
    )
    data = seal_backup(contents(index.connection, home), recipient, head, index.journal_key)
    journal.append(
        index, "backed-up", read_backup(data).sha256,
        key_id=head.key_id, made=format_instant(head.made), expires=format_instant(head.expires),
    )  # fmt: skip
    return head, data


def contents(connection: sqlite3.Connection, home: Path) -> bytes:
    """What is sealed: canonical JSON of files and tables."""
    files = {
        name: base64.b64encode((home / name).read_bytes()).decode("ascii") for name in FILES if (home / name).exists()
    }
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    tables = {name: _table(connection, name) for name in TABLES if name in there}
    return canonical({"files": files, "tables": tables})


def _table(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    cursor = connection.execute(f"SELECT * FROM {name}")  # nosemgrep: sql-is-written-never-built (of TABLES)
    columns = [column[0] for column in cursor.description]
    rows = [list(row) for row in cursor]
    if name == "facts":
        rows = [row for row in rows if not str(row[columns.index("name")]).startswith(_FACTS_LEFT_OUT)]
    if name == "freezes":  # that reading is frozen, and why, not which transfer it was about
        place = columns.index("transfer")
        rows = [[*row[:place], None, *row[place + 1 :]] for row in rows]
    return {"columns": columns, "rows": rows}
