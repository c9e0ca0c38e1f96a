"""`swaddle doctor` in a gateway's home: looks, also while it runs, and changes nothing."""

from __future__ import annotations

import os
import socket
import sqlite3
import ssl
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from swaddle import checkup
from swaddle.canonical import format_instant, parse_canonical, parse_instant
from swaddle.checkup import LOOK, MEND, Finding, good, guarded
from swaddle.envelope.backup import read_backup
from swaddle.envelope.signature import SigningKey
from swaddle.errors import SwaddleError
from swaddle.gateway import journal, revisions, schema, settings, tls_keys, trust
from swaddle.gateway.backup import FOLDER, SUFFIX
from swaddle.gateway.door_sending import COLLECTED
from swaddle.gateway.index import Index, moment
from swaddle.gateway.initialise import CERTIFICATE, JOURNAL_KEY, TLS_KEY
from swaddle.gateway.restored import BACKUP_KEY, is_waiting
from swaddle.home import Kind, open_home

UNDRAINED = timedelta(hours=24)
BACKUP_AGE = timedelta(days=7)


def examine(
    path: Path, environment: Mapping[str, str] = os.environ, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> list[Finding]:
    """Everything that can be seen of a gateway from its home.

    Raises:
        HomeFault, SettingWrong: there is no gateway in it, or its settings cannot be used.
    """
    home = open_home(path, Kind.GATEWAY)
    stated = settings.load(home, environment)
    now = clock().replace(microsecond=0)
    found = [
        good("settings", "settings.toml can be used"),
        *guarded("permissions", lambda: checkup.permissions(path)),
        *guarded("disk", lambda: checkup.disk(path, stated.reserve_bytes)),
        *guarded("certificate", lambda: certificate(path, now)),
        *guarded("door", lambda: door(stated.door_socket)),
        *guarded("listening", lambda: listening(stated)),
        *guarded("backups", lambda: backups(path, now)),
    ]
    rows: list[Finding] = []
    try:
        connection = schema.open_to_look(path / "transfers.db")
        try:
            rows += guarded("schema", lambda: form(connection))
            if not rows[-1].fix:
                index = Index(connection, stated, SigningKey.load((path / JOURNAL_KEY).read_bytes()), clock)
                for name, check in (("journal", drained), ("freeze", frozen), ("registry", registry), ("clock", time)):
                    rows += guarded(name, lambda check=check: check(index, now))  # type: ignore[misc]
        finally:
            connection.close()
    except sqlite3.Error:
        fix = "stop the gateway, keep a copy of the file, and restore from a backup"
        rows.append(Finding("database", MEND, "the database cannot be read", "SQLite says no", fix))
    return found + rows


def form(connection: sqlite3.Connection) -> Iterator[Finding]:
    """The database is whole, and of this program's form."""
    revisions.must_fit(revisions.revision_of(connection) or "")
    broken = connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok"
    if broken:
        fix = "stop the gateway, keep a copy of the file, and restore from a backup"
        yield Finding("schema", MEND, "the database is damaged", "SQLite's own check fails", fix)
    else:
        yield good("schema", f"the database is whole and of form {revisions.PRESENT}")


def certificate(home: Path, now: datetime) -> Iterator[Finding]:
    """The certificate, its key, its end."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(home / CERTIFICATE, home / TLS_KEY)
    except ssl.SSLError:
        fix = "put the two files of one pair in place, from a backup if need be"
        yield Finding("certificate", MEND, "nobody can connect", "the TLS key is not of the certificate", fix)
        return
    end = tls_keys.end_of((home / CERTIFICATE).read_bytes())
    fix = "let the registry pull (it announces the next key), or put a new certificate of your authority in place"
    yield from checkup.life("certificate", "the TLS certificate", end, now, timedelta(days=30), fix)


def door(path: str) -> Iterator[Finding]:
    """The SFTP door's socket takes connections."""
    if not path:
        yield good("door", "no SFTP door is asked for")
        return
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(2)
            probe.connect(path)
    except OSError as error:
        fix = "start the gateway; see that the folder of `door_socket` is there and that its user may write to it"
        yield Finding("door", MEND, "the SFTP door finds no gateway", f"its socket: {type(error).__name__}", fix)
    else:
        yield good("door", "the SFTP door's socket takes connections")


def listening(stated: settings.Settings) -> Iterator[Finding]:
    """Somebody answers at the gateway's port."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(stated.host, stated.host)  # noqa: S104 - compared, not bound
    try:
        with socket.create_connection((host, stated.port), timeout=2):
            yield good("listening", "it takes connections")
    except OSError:
        yield Finding("listening", LOOK, "it does not run", "nothing answers at its port", "start it, if it should run")


def backups(home: Path, now: datetime) -> Iterator[Finding]:
    """How old the newest backup is, and whether one lies here past its time."""
    heads = []
    for file in (home / FOLDER).glob(f"*{SUFFIX}") if (home / FOLDER).is_dir() else ():
        try:
            heads.append(read_backup(file.read_bytes()).head)
        except SwaddleError:
            yield Finding("backups", LOOK, "a file among the backups is none", "it does not read as one", "remove it")
    if any(head.expires <= now for head in heads):
        yield Finding("backups", LOOK, "a backup lies here past its time", "nobody may restore it", "run a new backup")
    newest = max((head.made for head in heads), default=None)
    if newest is None or now - newest > BACKUP_AGE:
        why = "none lies in its folder" if newest is None else f"the newest is of {format_instant(newest)}"
        yield Finding(
            "backups", LOOK, "there is no recent backup here", why, "run `swaddle gateway backup`, by a timer"
        )
    else:
        yield good("backups", f"the newest backup here is of {format_instant(newest)}")


def drained(index: Index, now: datetime) -> Iterator[Finding]:
    """The journal's chain, and how long the registry has not come."""
    journal.check(index)
    last = index.fact(COLLECTED)
    if last is not None and now - parse_instant(last) > UNDRAINED:
        why = f"it last came at {last}"
        fix = "see that `swaddle registry run` runs and reaches this gateway; what expires meanwhile is sent again"
        yield Finding("journal", MEND, "the registry has not come for a day", why, fix)
    else:
        yield good("journal", "its chain holds" + ("" if last is None else f"; the registry last came at {last}"))


def frozen(index: Index, now: datetime) -> Iterator[Finding]:  # noqa: ARG001 - the form of these checks
    """Whether reading is frozen, and why."""
    rows = index.rows("SELECT cause, reader, since FROM freezes ORDER BY since")
    for row in rows:
        whose = "all reading" if row["reader"] is None else "one reader's reading"
        fix = "find out why, then run `swaddle registry release-freeze` at the registry"
        if is_waiting(index):
            fix = "run `swaddle registry release-freeze` at the registry: it says where the journal goes on"
        why = f"cause {row['cause']}, since {format_instant(moment(row['since']))}"
        yield Finding("freeze", MEND, f"{whose} is frozen", why, fix)
    if not rows:
        yield good("freeze", "nothing is frozen")


def registry(index: Index, now: datetime) -> Iterator[Finding]:
    """It is claimed, has a key to seal to, and a key to seal backups to."""
    if index.fact("registry") is None:
        fix = "carry claim.json to the registry and run `swaddle registry init` there; after 72 hours make a new home"
        yield Finding("registry", LOOK, "no registry has claimed this gateway", "its claim was not used", fix)
        return
    yield good("registry", "a registry has claimed this gateway")
    if index.fact("intake") is None:
        yield Finding("intake", MEND, "nobody can send", "there is no intake statement", "let the registry pull")
    else:
        end = trust.intake(index).seal_until
        yield from checkup.life("intake", "the intake statement", end, now, timedelta(days=2), "let the registry pull")
    if index.fact(BACKUP_KEY) is None:
        fix = "run `swaddle registry backup-keys` at the registry"
        yield Finding("backup key", LOOK, "no backup can be made", "the registry has named no backup pair", fix)


def time(index: Index, now: datetime) -> Iterator[Finding]:
    """The clock does not stand before what was written already."""
    row = index.row("SELECT entry FROM journal ORDER BY sequence DESC LIMIT 1")
    if row is not None and parse_instant(parse_canonical(bytes(row["entry"]))["at"]) > now + timedelta(minutes=1):
        why = "it stands before the newest entry of the journal"
        yield Finding("clock", MEND, "this machine's clock went back", why, "set it right (see your time service)")
    else:
        yield good("clock", "the clock does not stand before the journal")
