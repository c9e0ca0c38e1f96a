"""`swaddle doctor` in a registry's home: looks, asks the gateway for its time and the owner for its status."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from swaddle import checkup
from swaddle.canonical import parse_instant
from swaddle.checkup import LOOK, MEND, Finding, good, guarded
from swaddle.custody.entry import FIRST_PREVIOUS, parse_entry
from swaddle.custody.ledger import FILE_NAME
from swaddle.feedback import pdf
from swaddle.home import Kind, open_home
from swaddle.intake.wall.standing import seen
from swaddle.registry import holding, outbox, settings
from swaddle.registry.alarm import UNOPENED
from swaddle.registry.backup_keys import PRIVATE, PUBLIC
from swaddle.registry.inside import now as utc_now
from swaddle.registry.owner import Asker, Lock
from swaddle.wire.client import GatewayClient

MAIL_WAITS = timedelta(hours=24)
BACKED_UP_WITHIN = timedelta(days=7)


def examine(
    path: Path, environment: Mapping[str, str] = os.environ, clock: Callable[[], datetime] = utc_now
) -> list[Finding]:
    """Everything that can be seen of a registry from its home, without its passphrase.

    Raises:
        HomeFault, SettingWrong: there is no registry in it, or its settings cannot be used.
    """
    home = open_home(path, Kind.REGISTRY)
    read = settings.read(home.settings(), environment)
    at = clock().replace(microsecond=0)
    return [
        good("settings", "settings.toml can be used"),
        *guarded("permissions", lambda: checkup.permissions(path)),
        *guarded("disk", lambda: checkup.disk(path)),
        *guarded("offline keys", lambda: offline_keys(path)),
        *guarded("certificate", lambda: certificate(path, at)),
        *guarded("intake", lambda: intake(path, at)),
        *guarded("reading", seen),
        *(guarded("printing", pdf.seen) if read.report_pdf == "yes" else ()),
        *guarded("custody", lambda: custody(path, at)),
        *guarded("database", lambda: database(path)),
        *guarded("mail", lambda: mail(path, read, at)),
        *guarded("holds", lambda: holds(path, at)),
        *guarded("clock", lambda: gateway(path, read, clock)),
        *guarded("gateway", lambda: asked(path)),
    ]


def offline_keys(path: Path) -> Iterator[Finding]:
    """The root key and the private half of the backup pair belong elsewhere."""
    here = [name for name in ("root.key", PRIVATE) if (path / "keys" / name).exists()]
    if here:
        why = f"keys/{' and keys/'.join(here)}: whoever takes this machine has them too"
        yield Finding(
            "offline keys", LOOK, "keys lie here that no daily work needs", why, "move them offline (docs/keys.md)"
        )
    else:
        yield good("offline keys", "the root key and the private backup key are not here")
    if not (path / "keys" / PUBLIC).exists():
        fix = "run `swaddle registry backup-keys`"
        yield Finding("backup key", LOOK, "the gateway can make no backup", "there is no backup pair", fix)


def certificate(path: Path, at: datetime) -> Iterator[Finding]:
    """The statement key's certificate."""
    value = json.loads(json.loads((path / "statements" / "certificate.json").read_bytes())["message"])
    fix = "run `swaddle registry rotate-keys` with the root key (docs/guide-administrator.md)"
    end = parse_instant(value["not_after"])
    yield from checkup.life("certificate", "the statement key's certificate", end, at, timedelta(days=30), fix)


def intake(path: Path, at: datetime) -> Iterator[Finding]:
    """The intake statement's end, and pairs that should be destroyed."""
    statement = path / "statements" / "intake.json"
    fix = "let `swaddle registry run` or a `registry pull` do its work"
    if not statement.exists():
        yield Finding("intake", MEND, "nobody can send", "there is no intake statement", fix)
        return
    end = parse_instant(json.loads(json.loads(statement.read_bytes())["message"])["seal_until"])
    yield from checkup.life("intake", "the intake statement", end, at, timedelta(days=2), fix)
    late = sum(parse_instant(until.read_text()) <= at for until in (path / "keys" / "intake").glob("*.until"))
    if late:
        yield Finding("intake", MEND, "an intake key outlived its time", f"{late} should be destroyed", fix)


def custody(path: Path, at: datetime) -> Iterator[Finding]:
    """The ledger's chain, and the last backup that it names."""
    entry, previous, number, backed_up = None, FIRST_PREVIOUS, 0, None
    with (path / FILE_NAME).open("rb") as file:  # read beside its owner, whose own index is left alone
        for line in file:
            if line.endswith(b"\n"):  # else its owner writes it just now
                entry = parse_entry(line[:-1], entry, previous)
                previous, number = sha256(line[:-1]).hexdigest(), number + 1
                if entry.event == "registry-backed-up":
                    backed_up = parse_instant(entry.at)
    yield good("custody", f"the ledger's chain holds, {number:,} entries")
    if backed_up is not None and at - backed_up < BACKED_UP_WITHIN:
        yield good("backup", f"the registry was backed up at {backed_up:%Y-%m-%d %H:%M} UTC")
    else:
        why = "there is none" if backed_up is None else f"the last one is of {backed_up:%Y-%m-%d}"
        fix = "run `swaddle registry backup` every night, and copy it off this machine"
        yield Finding("backup", LOOK, "the registry has no fresh backup", why, fix)


def database(path: Path) -> Iterator[Finding]:
    """The small database is whole."""
    fix = "stop the registry, keep a copy of the file, and restore from a backup"
    try:
        with sqlite3.connect(f"{(path / 'registry.db').absolute().as_uri()}?mode=ro", uri=True) as connection:
            is_whole = connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        connection.close()
    except sqlite3.Error:
        is_whole = False
    yield (
        good("database", "the small database is whole")
        if is_whole
        else Finding("database", MEND, "registry.db is damaged", "SQLite's own check fails", fix)
    )


def mail(path: Path, read: settings.Settings, at: datetime) -> Iterator[Finding]:
    """Whether mail is sent, and whether any waits for long."""
    if not read.smtp_host:
        yield good("mail", "no mail is asked for")
        return
    file = path / outbox.FILE_NAME
    oldest = None
    if file.exists():
        with sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True) as connection:
            row = connection.execute("SELECT min(due) FROM mails WHERE state IN ('waiting', 'sending')").fetchone()
            oldest = row[0]
        connection.close()
    if oldest is not None and at.timestamp() - int(oldest) > MAIL_WAITS.total_seconds():
        why, fix = "the mail server does not take it", "see the registry's log and the `smtp_` settings"
        yield Finding("mail", MEND, "mail has waited for more than a day", why, fix)
    else:
        yield good("mail", "no mail waits for long")


def holds(path: Path, at: datetime) -> Iterator[Finding]:
    """Holds whose review date has passed: they go on holding, and somebody should look whether they must."""
    with sqlite3.connect(f"{(path / 'registry.db').absolute().as_uri()}?mode=ro", uri=True) as connection:
        row = connection.execute("SELECT value FROM facts WHERE name = ?", (holding.REVIEWS,)).fetchone()
    connection.close()
    late = holding.overdue(None if row is None else row[0], at.date())
    if late:
        why, fix = f"{len(late)} of them", "see `swaddle registry hold list`; then `hold review` or `hold release`"
        yield Finding("holds", LOOK, "a hold's review date has passed; it still stops disposal", why, fix)
    else:
        yield good("holds", "no hold's review is overdue")


def gateway(path: Path, read: settings.Settings, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """The gateway answers, and its clock agrees with ours."""
    sql = "SELECT value FROM facts WHERE name IN ('gateway_pin', 'gateway_next_pin') AND value <> ''"
    with sqlite3.connect(f"{(path / 'registry.db').absolute().as_uri()}?mode=ro", uri=True) as connection:
        further = [row[0] for row in connection.execute(sql)]
    connection.close()
    with GatewayClient(read.gateway_url, read.gateway_pin or None, None, further_pins=further) as client:
        theirs = client.get_time()
    yield from checkup.clock((clock() - theirs).total_seconds())


def asked(path: Path) -> Iterator[Finding]:
    """What the owner of the store hears from the gateway: freezes, what was lost."""
    lock = Lock(path)
    if lock.take():
        lock.release()
        fix = "start `swaddle registry run`, if it should run"
        yield Finding("gateway", LOOK, "the gateway was not asked for freezes", "`registry run` does not run", fix)
        return
    told: dict[str, Any] = Asker(path).do("status")
    if "why" in told["gateway"]:
        yield Finding("gateway", MEND, "the registry does not reach its gateway", told["gateway"]["why"], "see its log")
        return
    freezes = told["gateway"]["freezes"]
    for freeze in freezes:
        fix = "find out why, then run `swaddle registry release-freeze`"
        why = f"cause {freeze['cause']}, since {freeze['since']}"
        yield Finding("freeze", MEND, "reading is frozen on the gateway", why, fix)
    if not freezes:
        yield good("freeze", "nothing is frozen on the gateway")
    unopened = [each for each in told["alarms"] if each["cause"] == UNOPENED]
    if unopened:
        why, fix = f"{len(unopened)} of them", "see `swaddle registry alerts`, and telephone the hospital"
        yield Finding("alerts", MEND, "alerts about newborns were not opened for 24 hours", why, fix)
    if told.get("lost"):
        why, fix = f"{len(told['lost'])} transfers", "see `swaddle registry status`; ask for what came by the door"
        yield Finding("lost", LOOK, "transfers were lost with a gateway's disk", why, fix)
