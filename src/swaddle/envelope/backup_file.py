"""A backup of any size as one file: a signed head in a room of its own, then Crypt4GH segments (docs/spec/transfer.md).

Written from the front to the back in a few mebibytes of memory; the head, which names length and digest of what came
behind it, is put in front last. Making and looking need public keys alone; opening is in `backup_file_opening`.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from swaddle.canonical import NotCanonical, canonical, format_instant, parse_canonical
from swaddle.durable import disk_fault, write_all
from swaddle.envelope import crypt4gh, suite
from swaddle.envelope.backup import NAMESPACE, PURPOSE, BackupUnreadable
from swaddle.envelope.members import Members
from swaddle.envelope.parts import sealed_bytes
from swaddle.envelope.positioned import BINARY
from swaddle.envelope.public import SealingPublic, open_certificate
from swaddle.envelope.segments import BATCH_BYTES, Batches
from swaddle.envelope.signature import PublicSigningKey, Signed, SigningKey, open_signed, sign, signer_of
from swaddle.errors import IntegrityFault

FORM = 2
HEAD_BYTES = 16_384
_NAMES = (
    "backup", "body_bytes", "body_sha256", "certificate", "expires", "header", "key_id", "kind", "made", "registry",
    "revision",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class FileHead:
    """What everybody may know of such a backup.

    Attributes:
        kind: whose it is: `registry`.
        registry: its id.
        made: when.
        expires: past it, it is to be removed.
        key_id: of the backup pair that it is sealed to.
        revision: the form of what is in it.
        body_bytes: length of the sealed body behind the head.
        body_sha256: its digest, hex: what custody calls the backup.
    """

    kind: str
    registry: str
    made: datetime
    expires: datetime
    key_id: str
    revision: str
    body_bytes: int
    body_sha256: str

    def to_json(self) -> dict[str, Any]:
        """The members that the sealing is bound to."""
        return {
            "body_bytes": self.body_bytes,
            "body_sha256": self.body_sha256,
            "expires": format_instant(self.expires),
            "key_id": self.key_id,
            "kind": self.kind,
            "made": format_instant(self.made),
            "registry": self.registry,
            "revision": self.revision,
        }

    def info(self) -> bytes:
        """What the data key is sealed under: it opens with this head alone."""
        return suite.info(PURPOSE, canonical(self.to_json()))


@dataclass(frozen=True)
class BackupFile:
    """A backup as it was found: its head, the keys that vouch for it, its sealed header; nothing is opened.

    Attributes:
        signer: the statement key that signed it.
        root: the root key that had certified that one when the backup was made.
    """

    path: Path
    head: FileHead
    signer: PublicSigningKey
    root: PublicSigningKey
    header: bytes


class BackupWriter:
    """Seals what it is given, piece by piece, into a file behind the room of the head."""

    def __init__(self, path: Path) -> None:
        """Begin the file, which must not be there.

        Raises:
            DiskFault: the disk said no.
        """
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
            write_all(self._descriptor, bytes(HEAD_BYTES))
        except OSError as error:
            raise disk_fault(error) from error
        self._data_key = os.urandom(crypt4gh.DATA_KEY_BYTES)
        self._batches = Batches(self._data_key)
        self._filled = 0
        self._digest = sha256()
        self.plaintext_bytes = 0
        self.body_bytes = 0

    def write(self, data: bytes | memoryview) -> None:
        """Take the next bytes.

        Raises:
            DiskFault: the disk said no.
        """
        left = memoryview(data)
        while left:
            step = min(len(left), BATCH_BYTES - self._filled)
            self._batches.plaintext[self._filled : self._filled + step] = left[:step]
            self._filled += step
            left = left[step:]
            if self._filled == BATCH_BYTES:
                self._flush()

    def finish(
        self, recipient: SealingPublic, signer: SigningKey, certificate: Signed, **of_head: Any
    ) -> tuple[FileHead, bytes]:
        """Seal what is left, and the data key to `recipient`; the head, and the bytes that stand in front.

        Nothing is in front yet: `put_in_front` does that, once custody has said that there is a copy.

        Args:
            recipient: the backup pair's public half.
            signer: the statement key.
            certificate: the root's, of that key.
            of_head: kind, registry, made, expires, revision.

        Raises:
            DiskFault: the disk said no.
        """
        self._flush()
        head = FileHead(
            key_id=recipient.key_id, body_bytes=self.body_bytes, body_sha256=self._digest.hexdigest(), **of_head
        )
        clear = crypt4gh.write_header(self._data_key, recipient.crypt4gh, os.urandom(32), os.urandom(12))
        sealed = suite.seal(clear, recipient.hpke, head.info())
        value = head.to_json() | {
            "backup": FORM,
            "certificate": certificate.to_json(),
            "header": base64.b64encode(sealed).decode("ascii"),
        }
        front = canonical(sign(NAMESPACE, value, signer).to_json())
        return head, front + b"\n" * (HEAD_BYTES - len(front))

    def put_in_front(self, front: bytes) -> None:
        """Write the head and sync the file: it is whole.

        Raises:
            DiskFault: the disk said no.
        """
        try:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            write_all(self._descriptor, front)
            os.fsync(self._descriptor)
        except OSError as error:
            raise disk_fault(error) from error

    def close(self) -> None:
        """Let the file go; without its head it is no backup."""
        os.close(self._descriptor)

    def _flush(self) -> None:
        if not self._filled:
            return
        plaintext = self._batches.plaintext[: self._filled]
        ciphertext = self._batches.ciphertext[: sealed_bytes(self._filled)]
        self._batches.seal(plaintext, ciphertext)
        self._digest.update(ciphertext)
        try:
            write_all(self._descriptor, ciphertext)
        except OSError as error:
            raise disk_fault(error) from error
        self.plaintext_bytes += self._filled
        self.body_bytes += len(ciphertext)
        self._filled = 0


def read_head(path: Path) -> BackupFile:
    """The head of a backup's file, once it is known to be signed by a key that the root which it names had certified.

    Whether that root is the registry's is for the caller to know; so is whether the body is whole (`check_body`).

    Raises:
        BackupUnreadable: no backup of a registry, or changed.
        DiskFault: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            front, size_bytes = file.read(HEAD_BYTES), os.fstat(file.fileno()).st_size
    except OSError as error:
        raise disk_fault(error) from error
    try:
        found = _vouched_for(path, Signed.from_json(parse_canonical(front.rstrip(b"\n"), HEAD_BYTES)))
    except BackupUnreadable:
        raise
    except NotCanonical:
        raise BackupUnreadable("it does not begin as a backup of a registry does") from None
    except IntegrityFault as error:
        raise BackupUnreadable("its head is not signed as a registry signs") from error
    whole_bytes = HEAD_BYTES + found.head.body_bytes
    if size_bytes != whole_bytes:
        raise BackupUnreadable(f"it should have {whole_bytes:,} bytes and has {size_bytes:,}")
    return found


def _vouched_for(path: Path, signed: Signed) -> BackupFile:
    """What a head says, signed by the key that the root in it had certified."""
    signer = signer_of(signed)
    members = Members(open_signed(signed, NAMESPACE, (signer,)), _NAMES, BackupUnreadable)
    if members.integer("backup") != FORM:
        raise BackupUnreadable("it is of another version")
    head = FileHead(
        kind=members.text("kind"), registry=members.hex("registry", 32), made=members.instant("made"),
        expires=members.instant("expires"), key_id=members.hex("key_id", 32), revision=members.text("revision"),
        body_bytes=members.integer("body_bytes"), body_sha256=members.hex("body_sha256", 64),
    )  # fmt: skip
    certificate = Signed.from_json(members.anything("certificate"))
    root = signer_of(certificate)
    if open_certificate(certificate, root.fingerprint, head.made) != signer:
        raise BackupUnreadable("the key that signed it is not the one that its root certified")
    return BackupFile(path, head, signer, root, members.base64("header"))


def check_body(found: BackupFile) -> None:
    """Read the whole file: every byte is as it was signed.

    Raises:
        BackupUnreadable: one is not.
        DiskFault: it cannot be read.
    """
    digest, room = sha256(), memoryview(bytearray(4 * 1024 * 1024))
    try:
        with found.path.open("rb", buffering=0) as file:
            file.seek(HEAD_BYTES)
            while count := file.readinto(room):
                digest.update(room[:count])
    except OSError as error:
        raise disk_fault(error) from error
    if digest.hexdigest() != found.head.body_sha256:
        raise BackupUnreadable("its bytes are not those that were signed; it was cut or changed")
