"""The values that the registry's small database is made of: a submitter, a transfer, and their columns. Pure."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from hashlib import sha256

from swaddle.envelope.public import SealingPublic
from swaddle.envelope.signature import PublicSigningKey, Signed


@dataclass(frozen=True)
class Submitter:
    """An organisation that sends: its opaque id, its name (known only here), its public keys once it is active.

    `contact` is the mail address for content-free mail, in `language`; where there is none, none is sent. `ssh_keys`
    let it in at the SFTP door, `ssh_keys_told` are those that the gateway was told; one that has no other keys is
    active all the same, and its reports wait here until it has a sealing pair.
    """

    id: str
    name: str
    state: str
    signing_key: PublicSigningKey | None
    sealing: SealingPublic | None
    words: str | None
    invited_at: str
    active_at: str | None
    sites: tuple[str, ...]
    contact: str | None = None
    language: str = "en"
    ssh_keys: tuple[str, ...] = ()
    ssh_keys_told: tuple[str, ...] = ()

    @property
    def is_by_door_only(self) -> bool:
        """Whether it has SSH keys and no others yet."""
        return self.signing_key is None and bool(self.ssh_keys)


@dataclass(frozen=True)
class Transfer:
    """How far the registry is with a transfer.

    `step` is one of leasing, taken-in, acknowledged; after each the next run goes on from there. `attempts` counts how
    often it was begun to be opened: one that ends its process each time is not opened for ever. `door` is the
    fingerprint of the SSH key that brought it through the SFTP door; `content` a keyed digest of what was in it.
    """

    id: str
    submitter: str
    step: str
    token: str
    held_at: str | None
    outcome: str | None
    reason: str | None
    kind: str | None
    stated_subjects: int | None
    load_id: int | None
    receipt: Signed | None
    attempts: int
    feedback: str | None
    door: str | None = None
    content: str | None = None


def ssh_fingerprint(ssh_key: str) -> str:
    """`SHA256:…` of an SSH public key line, as `ssh-keygen -l` prints it."""
    digest = sha256(base64.b64decode(ssh_key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


def dump(signed: Signed) -> str:
    """A signed text as one column."""
    return json.dumps(signed.to_json())


def load(text: str | None) -> Signed | None:
    """Back again."""
    return None if text is None else Signed.from_json(json.loads(text))


def submitter(row: tuple[str | None, ...]) -> Submitter:
    """A row of the table of submitters."""
    return Submitter(
        id=str(row[0]),
        name=str(row[1]),
        state=str(row[2]),
        signing_key=None if row[3] is None else PublicSigningKey.from_line(row[3]),
        sealing=None if row[4] is None else SealingPublic.from_json(json.loads(row[4])),
        words=row[5],
        invited_at=str(row[6]),
        active_at=row[7],
        sites=tuple(json.loads(row[8] or "[]")),
        contact=row[9],
        language=row[10] or "en",
        ssh_keys=tuple(json.loads(row[11] or "[]")),
        ssh_keys_told=tuple(json.loads(row[12] or "[]")),
    )
