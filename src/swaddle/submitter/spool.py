"""`send --spool`: a sealed copy in the home until the receipt, so that the file itself may be deleted at once.

    HOME/spool/ID/NNNNNN.part      ciphertext, the very bytes that were sent
    Outgoing.entry                 what the description tells of the file, and each part's digest, sealed to our pair

Whoever copies the home without its passphrase reads nothing of it. A transfer that got lost on the gateway is sent
again from here: the same sealed bytes under a new header, sealed to the registry's key of that day.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Self

from swaddle import durable
from swaddle.envelope import suite
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.manifest import FileEntry
from swaddle.envelope.positioned import Positioned
from swaddle.envelope.seal import PartSealer, SealedPart
from swaddle.errors import FileFault
from swaddle.submitter.state import Outgoing

ENTRY = "spool-entry"
READ_BYTES = 1_048_576


class SpoolBroken(FileFault):
    """The sealed copy is not what was written."""

    code = "SWD-SUB-44"
    what = "the sealed copy in this home is damaged"
    why = "a part of it is missing or was changed"
    fix = "if the file is still there, send it again; look at the disk of this machine"


def seal_entry(pair: SealingPair, send: Outgoing, entry: FileEntry) -> str:
    """What will be told of the file, as it lies in the home: for this spool alone."""
    said = [entry.name, entry.size_bytes, entry.sha256, *send.parts]
    return b64encode(suite.seal(json.dumps(said).encode(), pair.public.hpke, _info(send))).decode()


def open_entry(pair: SealingPair, send: Outgoing) -> tuple[FileEntry, list[str]]:
    """The file's entry and its parts' digests.

    Raises:
        swaddle.envelope.refusals: it was changed.
    """
    name, size_bytes, digest, *parts = json.loads(pair.open_sealed(b64decode(str(send.entry)), _info(send)))
    return FileEntry(name, size_bytes, digest), parts


class SpoolSealer:
    """A `PartSealer` that keeps each part, and gives out a part that was kept before instead of sealing it anew."""

    def __init__(self, sealer: PartSealer, folder: Path, part_bytes: int, digests: list[str] | None) -> None:
        """Keep parts in `folder`; `digests` of all of them, where they are known, are compared."""
        self._sealer = sealer
        self._folder = folder
        self._part_bytes = part_bytes
        self._digests = digests
        durable.make_folder(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._sealer.close()

    def seal(
        self,
        source: Positioned,
        offset: int,
        length: int,
        on_plaintext: Callable[[memoryview], object] | None = None,
    ) -> SealedPart:
        """The part whose plaintext starts at `offset`: from the folder, or sealed and kept there.

        Raises:
            SpoolBroken: a part that was kept is not what it was.
            SourceChanged: the source ends early.
            DiskFault: there is no room.
        """
        n = offset // self._part_bytes
        path = self._folder / f"{n:06d}.part"
        if path.exists():
            data = path.read_bytes()
            kept = SealedPart(memoryview(data), sha256(data).digest())
            self._compare(n, kept)
            _read_again(source, offset, length, on_plaintext)
            return kept
        if self._digests is not None:
            raise SpoolBroken
        part = self._sealer.seal(source, offset, length, on_plaintext)
        durable.write_file(path, part.data)
        return part

    def _compare(self, n: int, part: SealedPart) -> None:
        if self._digests is not None and self._digests[n] != part.sha256.hex():
            raise SpoolBroken


class SpooledPlaintext:
    """The plaintext of a send that lies whole in the spool: it is not needed any more."""

    def __init__(self, entry: FileEntry, left_out: tuple[tuple[int, str], ...]) -> None:
        """Keep what was told of it."""
        self._entry = entry
        self._left_out = left_out

    def start(self, offset: int) -> None:
        """Nothing: its digest is known."""

    def read_at(self, offset: int, buffer: memoryview) -> int:  # noqa: ARG002  the shape of a source
        """All of it, unread."""
        return len(buffer)

    def take(self, piece: memoryview) -> None:
        """Nothing: its digest is known."""

    def end(self) -> FileEntry:
        """What was told of it when it was sealed."""
        return self._entry

    def left_out(self) -> tuple[tuple[int, str], ...]:
        """What was left out then."""
        return self._left_out


def _read_again(
    source: Positioned, offset: int, length: int, on_plaintext: Callable[[memoryview], object] | None
) -> None:
    """Tell the source's digest of a part that an earlier run has sealed."""
    buffer = memoryview(bytearray(min(READ_BYTES, length)))
    done = 0
    while done < length:
        piece = buffer[: min(READ_BYTES, length - done)]
        if source.read_at(offset + done, piece) != len(piece):
            raise SpoolBroken
        if on_plaintext is not None:
            on_plaintext(piece)
        done += len(piece)


def _info(send: Outgoing) -> bytes:
    return suite.info(ENTRY, bytes.fromhex(str(send.spool)))
