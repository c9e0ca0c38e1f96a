"""Backups: sealed to the registry's backup pair, signed by whoever made them (docs/spec/transfer.md section 8).

Making and looking at the head need public keys alone, so the gateway has this module; opening is in `backup_opening`,
which the gateway never imports.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from swaddle.canonical import NotCanonical, canonical, format_instant, parse_canonical
from swaddle.envelope import suite
from swaddle.envelope.members import Members
from swaddle.envelope.public import SealingPublic
from swaddle.envelope.signature import PublicSigningKey, Signed, SigningKey, open_signed, sign, signer_of
from swaddle.errors import IntegrityFault

NAMESPACE = "swaddle-backup-v1"
PURPOSE = "backup"
LIMIT_BYTES = 2**30
_HEAD_LIMIT_BYTES = 16_384
_OUTSIDE = ("backup", "expires", "key_id", "kind", "made", "revision", "sealed_bytes", "sealed_sha256")


class BackupUnreadable(IntegrityFault):
    """A file that is no backup, or one that was changed."""

    code = "SWD-BACKUP-01"
    what = "this backup is refused"
    fix = "use another copy; `swaddle custody show SHA256` at the registry says what the digest should be"


@dataclass(frozen=True)
class Head:
    """What everybody may know of a backup.

    Attributes:
        kind: whose it is: `gateway`.
        made: when.
        expires: past it nobody restores it, and the file is to be removed.
        key_id: of the backup pair that it is sealed to.
        revision: the form of the rows in it.
    """

    kind: str
    made: datetime
    expires: datetime
    key_id: str
    revision: str

    def context(self) -> bytes:
        """What the sealing is bound to: the bytes open under this head alone."""
        return canonical(self._members())

    def to_json(self, sealed: bytes) -> dict[str, Any]:
        """The object that is signed."""
        return {
            **self._members(),
            "backup": 1,
            "sealed_bytes": len(sealed),
            "sealed_sha256": sha256(sealed).hexdigest(),
        }

    def _members(self) -> dict[str, Any]:
        return {
            "expires": format_instant(self.expires),
            "key_id": self.key_id,
            "kind": self.kind,
            "made": format_instant(self.made),
            "revision": self.revision,
        }


@dataclass(frozen=True)
class Backup:
    """A backup as it was found: its head, whose key signed it, its sealed bytes; nothing is opened."""

    head: Head
    signer: PublicSigningKey
    sealed: bytes

    @property
    def sha256(self) -> str:
        """What custody calls it."""
        return sha256(self.sealed).hexdigest()


def seal_backup(plaintext: bytes, recipient: SealingPublic, head: Head, key: SigningKey) -> bytes:
    """The backup's file: a signed head, a newline, the sealed bytes."""
    sealed = suite.seal(plaintext, recipient.hpke, suite.info(PURPOSE, head.context()))
    return canonical(sign(NAMESPACE, head.to_json(sealed), key).to_json()) + b"\n" + sealed


def read_backup(data: bytes) -> Backup:
    """The backup of a file, once its head is known to be signed by the key that it names and to be of these bytes.

    Whether that key is the gateway's is for the caller to know.

    Raises:
        BackupUnreadable: no backup, or changed.
        SignatureInvalid: the head was changed.
    """
    line, newline, sealed = data[:_HEAD_LIMIT_BYTES].partition(b"\n")
    sealed = data[len(line) + 1 :]
    try:
        signed = Signed.from_json(parse_canonical(line))
        signer = signer_of(signed)
        content = open_signed(signed, NAMESPACE, (signer,))
    except NotCanonical:
        raise BackupUnreadable("it does not begin as a backup does") from None
    members = Members(content, _OUTSIDE, BackupUnreadable)
    is_whole = members.integer("sealed_bytes") == len(sealed)
    if not newline or not is_whole or members.text("sealed_sha256") != sha256(sealed).hexdigest():
        raise BackupUnreadable("its bytes are not those that were signed; it was cut or changed")
    if members.integer("backup") != 1:
        raise BackupUnreadable("it is of another version")
    head = Head(
        kind=members.text("kind"),
        made=members.instant("made"),
        expires=members.instant("expires"),
        key_id=members.hex("key_id", 32),
        revision=members.text("revision"),
    )
    return Backup(head, signer, sealed)
