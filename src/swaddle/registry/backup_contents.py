"""What a backup of the registry holds: which files of its home, which secrets, and the list that stands in front.

Everything in the home is in it, but for what LEFT_OUT names; of the two folders that hold keys and the store, nothing
but what is named here is in it. The secrets lie in the backup as they are, under the backup pair alone: whoever has the
offline half can bring the registry back, although the passphrase was lost with the machine.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swaddle import durable
from swaddle.canonical import NotCanonical, canonical, parse_canonical
from swaddle.envelope.backup import BackupUnreadable
from swaddle.envelope.members import Members
from swaddle.registry import outbox
from swaddle.registry.keys import STORE_KEY_NAMES
from swaddle.registry.store import FILES

STATE = "registry.db"
DATABASES = (STATE, outbox.FILE_NAME)  # copied by SQLite itself, whatever is written meanwhile
STORE = tuple(f"store/{name}.duckdb" for name in FILES)
KEYS = ("keys/registry.json", "keys/backup.pub.json")
# The private halves that are in a backup: the name of the key, its file in the home.
SECRET_KEYS: Mapping[str, str] = {
    "statement": "keys/statement.key",
    "pull": "keys/pull.key",
    "next statement": "keys/statement.next.key",
    "next pull": "keys/pull.next.key",
}
STORE_KEYS = "store"
# Never in a backup: why. A name ends in `/` where all beneath it is meant.
LEFT_OUT: Mapping[str, str] = {
    "home.json": "a restored home gets its own, last of all",
    "keys/root.key": "belongs offline",
    "keys/backup.json": "belongs offline, and opens the backup",
    "keys/intake/": "destroyed in its time; a copy elsewhere would outlive it",
    "keys/store.json": "its keys are among the secrets",
    "keys/store.next.json": "a rewriting of the store that has not come to its end; it begins again",
    **dict.fromkeys(SECRET_KEYS.values(), "among the secrets"),
    "store/": "the three files alone; what spilled there is nobody's",
    "spool/": "sealed to intake keys; it comes again from the gateway or from its sender",
    "outbox/": "sealed reports on their way; they are made again from what was issued",
    "run/": "the lock and the socket of the process that works here",
    "backups/": "backups",
    "custody.index": "made again from the ledger",
}
MOST_LIST_BYTES = 64 * 1024 * 1024
_DEEPEST = 6
_PART = re.compile(r"[^/\\\x00-\x1f\x7f\ud800-\udfff]{1,200}")


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The list in front of a backup's files.

    Attributes:
        files: name in the home to length in bytes, in the order in which they follow.
        secrets: of SECRET_KEYS and STORE_KEYS, those that there were.
        rows: table of the store or of the small database to its number of rows.
        entries: how many custody entries are in it.
        custody_head: the digest of the last of them.
        intake_keys: ids of the intake pairs that there were, which are not in it.
    """

    files: Mapping[str, int]
    secrets: Mapping[str, bytes]
    rows: Mapping[str, int]
    entries: int
    custody_head: str
    intake_keys: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """Its length in 8 bytes, then canonical JSON."""
        text = canonical(
            {
                "contents": 1,
                "custody_head": self.custody_head,
                "entries": self.entries,
                "files": [{"name": name, "size_bytes": size} for name, size in self.files.items()],
                "intake_keys": list(self.intake_keys),
                "rows": dict(self.rows),
                "secrets": {name: base64.b64encode(value).decode("ascii") for name, value in self.secrets.items()},
            }
        )
        return len(text).to_bytes(8, "big") + text


def parse(text: bytes) -> Contents:
    """The list that `to_bytes` wrote, without its length.

    Raises:
        BackupUnreadable: any other form, or a name that has no place in a home.
    """
    names = ("contents", "custody_head", "entries", "files", "intake_keys", "rows", "secrets")
    try:
        members = Members(parse_canonical(text, MOST_LIST_BYTES), names, BackupUnreadable)
    except NotCanonical as error:
        raise BackupUnreadable("the list in it is not canonical JSON") from error
    members.exactly("contents", 1)
    files: dict[str, int] = {}
    for told in members.array("files"):
        each = Members(told, ("name", "size_bytes"), BackupUnreadable)
        name = each.text("name")
        if not is_taken(name) or name in files:
            raise BackupUnreadable("it lists a file that has no place in a home, or one twice")
        files[name] = each.integer("size_bytes")
    rows = members.anything("rows")
    if not isinstance(rows, dict) or not all(type(count) is int for count in rows.values()):
        raise BackupUnreadable("its numbers of rows are of another form")
    return Contents(
        files=files, secrets=_secrets(members.anything("secrets")), rows=rows, entries=members.integer("entries"),
        custody_head=members.hex("custody_head", 64),
        intake_keys=tuple(members.is_hex("intake_keys", each, 32) for each in members.array("intake_keys")),
    )  # fmt: skip


def is_taken(name: str) -> bool:
    """Whether a file of this name, relative to the home and with `/`, belongs in a backup. Pure."""
    parts = name.split("/")
    if len(parts) > _DEEPEST or not all(_PART.fullmatch(part) and part not in {".", ".."} for part in parts):
        return False
    return name in STORE or name in KEYS or (parts[0] != "keys" and not is_left_out(name))


def is_left_out(name: str) -> bool:
    """Whether a file is never in a backup, by LEFT_OUT or as what a write leaves behind. Pure."""
    if name in STORE or name in KEYS:
        return False
    if durable.is_leftover(Path(name)) or name.endswith(("-wal", "-shm", "-journal")):
        return True
    return name in LEFT_OUT or any(name.startswith(left) for left in LEFT_OUT if left.endswith("/"))


def files_of(home: Path) -> tuple[list[str], int]:
    """The files of a home that belong in a backup, by name; and how many others there are that LEFT_OUT does not name.

    Nothing is followed: what is no plain file, or has a name that no archive should carry, is among the others.
    """
    found, others = [], 0
    for folder, folders, names in os.walk(home):
        folders.sort()
        for name in names:
            path = Path(folder) / name
            relative = path.relative_to(home).as_posix()
            if is_taken(relative) and path.is_file() and not path.is_symlink():
                found.append(relative)
            elif not is_left_out(relative):
                others += 1
    return sorted(found), others


def _secrets(told: object) -> dict[str, bytes]:
    if not isinstance(told, dict):
        raise BackupUnreadable("it holds no keys")
    members = Members(told, told.keys() & {*SECRET_KEYS, STORE_KEYS}, BackupUnreadable)
    found = {name: members.base64(name) for name in told}
    if not {"statement", "pull", STORE_KEYS} <= found.keys() or len(found[STORE_KEYS]) != 32 * len(STORE_KEY_NAMES):
        raise BackupUnreadable("keys are missing in it")
    return found
