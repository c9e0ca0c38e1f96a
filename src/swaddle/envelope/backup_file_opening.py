"""Opening a large backup with the private half of the backup pair, as a stream. Never imported by the gateway."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Self

from cryptography.exceptions import InvalidTag

from swaddle.durable import disk_fault
from swaddle.envelope import crypt4gh
from swaddle.envelope.backup import BackupUnreadable
from swaddle.envelope.backup_file import HEAD_BYTES, BackupFile
from swaddle.envelope.backup_opening import BackupExpired, BackupOfAnotherKey
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.parts import Layout
from swaddle.envelope.positioned import BINARY, read_at
from swaddle.envelope.refusals import EnvelopeRefused, WrongCore
from swaddle.envelope.segments import SEALED_BATCH_BYTES, Batches


class Plaintext:
    """What is sealed in a backup, in order, half a mebibyte at a time; for a `with` statement."""

    def __init__(self, found: BackupFile, data_key: bytes) -> None:
        """Open the file at its body.

        Raises:
            DiskFault: it cannot be read.
        """
        try:
            self._descriptor = os.open(found.path, os.O_RDONLY | BINARY)
        except OSError as error:
            raise disk_fault(error) from error
        self._batches = Batches(data_key)
        self._at, self._end = HEAD_BYTES, HEAD_BYTES + found.head.body_bytes
        self._piece = memoryview(b"")
        self.left_bytes = Layout.from_body(found.head.body_bytes).plaintext_bytes

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def pieces(self, size_bytes: int) -> Iterator[memoryview]:
        """The next so many bytes; a piece is good until the next one.

        Raises:
            BackupUnreadable: there are fewer, or a segment does not authenticate.
            DiskFault: it cannot be read.
        """
        if size_bytes > self.left_bytes:
            raise BackupUnreadable("it ends before what it lists does")
        self.left_bytes -= size_bytes
        while size_bytes:
            if not self._piece:
                self._next()
            step = min(size_bytes, len(self._piece))
            yield self._piece[:step]
            self._piece = self._piece[step:]
            size_bytes -= step

    def read(self, size_bytes: int) -> bytes:
        """The next so many bytes as one object; the caller has bounded it.

        Raises:
            BackupUnreadable, DiskFault: as `pieces`.
        """
        return b"".join(bytes(piece) for piece in self.pieces(size_bytes))

    def _next(self) -> None:
        """Open the next batch of segments."""
        sealed = self._batches.ciphertext[: min(SEALED_BATCH_BYTES, self._end - self._at)]
        try:
            done = read_at(self._descriptor, sealed, self._at)
        except OSError as error:
            raise disk_fault(error) from error
        if not sealed or done < len(sealed):
            raise BackupUnreadable("it was cut while it was read")
        self._at += done
        self._piece = self._batches.plaintext[: Layout.from_body(done).plaintext_bytes]
        try:
            self._batches.open(sealed, self._piece)
        except InvalidTag:
            raise BackupUnreadable("a segment in it does not authenticate") from None


def open_backup_file(found: BackupFile, pair: SealingPair, at: datetime, *, expired: bool = False) -> Plaintext:
    """What is sealed in a backup; `check_body` has looked at the whole of it before.

    Args:
        found: as `read_head` read it.
        pair: the backup pair.
        at: now.
        expired: open it although its time is over.

    Raises:
        BackupExpired: its time is over.
        BackupOfAnotherKey: it was sealed to another pair.
        BackupUnreadable: its sealed header is broken.
    """
    if found.head.expires <= at and not expired:
        raise BackupExpired(expires=found.head.expires.isoformat(" ", "minutes"))
    if found.head.key_id != pair.public.key_id:
        raise BackupOfAnotherKey
    try:
        clear = pair.open_sealed(found.header, found.head.info())
        data_key = crypt4gh.read_header(clear, pair.crypt4gh_secret)
        return Plaintext(found, data_key)
    except WrongCore:
        raise BackupOfAnotherKey from None
    except EnvelopeRefused as error:
        raise BackupUnreadable("its sealed header does not hold") from error
