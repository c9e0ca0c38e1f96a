"""`registry restore`: a registry's home made anew from a backup, on an empty machine, by hand.

    restoring.json -> files -> keys, under a passphrase of today -> custody and counters go on -> home.json

Until `home.json` is there, nothing takes the folder for a home; a killed restore is begun again by the same command.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from swaddle import durable, home
from swaddle.canonical import canonical, format_instant
from swaddle.custody.ledger import FILE_NAME, Ledger
from swaddle.envelope.backup import BackupUnreadable
from swaddle.envelope.backup_file import BackupFile
from swaddle.envelope.keys import STORE_KEYS as STORE_KEYS_FILE
from swaddle.envelope.keys import SealingPair, seal_secrets
from swaddle.errors import IntegrityFault, UsageFault
from swaddle.registry import backup_reading, returning, settings
from swaddle.registry.backup_contents import SECRET_KEYS, STATE, STORE_KEYS, Contents
from swaddle.registry.state import State
from swaddle.settings import as_toml

BEGUN = "restoring.json"


class AlreadyThere(UsageFault):
    """There is something where the registry should be restored."""

    code = "SWD-BACKUP-12"
    what = "nothing was restored"
    why = "there is a home in that folder, or other things"
    fix = "name an empty folder, or one that is not there yet; keep the old one until the new one works"


class AnotherRoot(IntegrityFault):
    """The backup is of another registry than the one named."""

    code = "SWD-BACKUP-13"
    what = "this backup is refused"
    why = "its registry has another root key than the one that you named"
    fix = "stop: somebody else made this backup. Use another copy, and open an incident"


def restore(
    path: Path,
    found: BackupFile,
    pair: SealingPair,
    passphrase: bytes,
    at: datetime,
    *,
    passphrase_file: str | None = None,
    root: str | None = None,
    expired: bool = False,
) -> dict[str, Any]:
    """Make a registry's home from a backup.

    Args:
        path: an empty folder, or none yet, or one in which a restore was killed.
        found: the backup as it was read.
        pair: the backup pair.
        passphrase: what the keys of the new home are locked by from now on.
        at: now.
        passphrase_file: what the settings say of it; None: as they were.
        root: the fingerprint that its root must have.
        expired: take it although its time is over.

    Returns:
        what `backup_reading.told` says, and `home`.

    Raises:
        AlreadyThere: the folder is not empty; nothing was changed.
        AnotherRoot: it is of another registry.
        BackupUnreadable and its like: it is not whole.
        DiskFault: the disk said no; run it again.
    """
    if root is not None and found.root.fingerprint != root:
        raise AnotherRoot
    clear(path)
    with backup_reading.opened(found, pair, at, expired=expired) as (plaintext, listed):
        durable.make_folder(path)
        durable.write_file(path / BEGUN, canonical({"restoring": found.head.body_sha256}))
        for name, size_bytes in listed.files.items():
            make_folders(path, name)
            backup_reading.write_stream(path / name, plaintext.pieces(size_bytes))
    for name in ("keys/intake/", "statements/", "store/"):
        make_folders(path, name)
    write_keys(path, listed, passphrase)
    if passphrase_file is not None:
        name_passphrase_file(path, passphrase_file)
    go_on(path, found, listed, at)
    for each in path.rglob("*"):
        if each.is_dir():
            durable.sync_folder(each)
    durable.write_file(path / home.MARK, canonical({"swaddle-home": 1, "kind": home.Kind.REGISTRY.value}))
    durable.remove_file(path / BEGUN)
    return backup_reading.told(found, listed) | {"home": str(path)}


def clear(path: Path) -> None:
    """Make sure that the folder is empty; what a killed restore left goes.

    Raises:
        AlreadyThere: other things are in it.
    """
    if (path / home.MARK).exists():
        raise AlreadyThere
    if not path.exists() or not any(path.iterdir()):
        return
    if not (path / BEGUN).exists() and not all(durable.is_leftover(each) for each in path.iterdir()):
        raise AlreadyThere
    for each in sorted(path.iterdir(), key=lambda one: one.name == BEGUN):  # what says that it may be cleared goes last
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            durable.remove_file(each)


def make_folders(path: Path, name: str) -> None:
    """The folders in which the file `name` of a home lies; nobody but its owner enters any of them."""
    folder = path
    for part in name.split("/")[:-1]:
        folder /= part
        durable.make_folder(folder)


def write_keys(path: Path, listed: Contents, passphrase: bytes) -> None:
    """The private keys, locked by the passphrase of today."""
    for name, place in SECRET_KEYS.items():
        if name in listed.secrets:
            durable.write_file(path / place, backup_reading.secret_key(listed, name).to_openssh(passphrase))
    box = seal_secrets(STORE_KEYS_FILE, listed.secrets[STORE_KEYS], passphrase, {})
    durable.write_file(path / "keys" / "store.json", box)


def name_passphrase_file(path: Path, named: str) -> None:
    """Have the settings name the passphrase's file of this machine; every other line stays as it is."""
    place = path / home.SETTINGS
    try:
        text = place.read_bytes().decode("utf-8")
        stated = replace(settings.read(tomllib.loads(text), {}), passphrase_file=named)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BackupUnreadable("the settings in it are not readable TOML") from error
    line = next(one for one in as_toml(stated).splitlines() if one.startswith("passphrase_file"))
    kept = re.sub(r"(?m)^[ \t]*passphrase_file[ \t]*=.*\n?", "", text)
    durable.write_file(place, f"{line}\n{kept}".encode())


def go_on(path: Path, found: BackupFile, listed: Contents, at: datetime) -> None:
    """Custody says what came back; no counter is used twice; the gateway is met as one who was away.

    The numbers that the lost machine used since the backup are not known. Seconds since 1970 are above all of them, and
    above those of an earlier return from the same backup.
    """
    (path / STATE).chmod(0o600)
    with closing(State(path / STATE)) as state:
        returning.prepare(state, found.head.body_sha256, found.head.made, at)
    ledger = Ledger(path / FILE_NAME)
    try:
        detail = {
            "made": format_instant(found.head.made), "entries": listed.entries, "custody_head": listed.custody_head,
            "intake_keys": list(listed.intake_keys),
        }  # fmt: skip
        ledger.append("registry-restored", found.head.body_sha256, detail, at)
    finally:
        ledger.close()
