"""A file sealed as it streams: bytes in order come in, sealed parts go out through descriptors of the gateway.

With public keys only: the data key is made here, used here, and sealed to the registry when the envelope is closed. It
and the plaintext are in this process's memory and nowhere else. A file that is Crypt4GH already passes as it is; its
header is taken off and kept in memory until it is sealed, so that no classic header is ever written.

One thread seals, hashes and writes; another speaks to the gateway, so that a part is made durable while the next one
fills. The event loop only copies into a batch of one mebibyte; four batches may be under way, then the client waits.
Where there are two processors at most and one file comes alone, the event loop seals a batch itself when nothing can
make it wait: two threads that pass Python's lock to and fro cost more than they win (docs/decisions/0067).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from swaddle import durable
from swaddle.envelope import crypt4gh
from swaddle.envelope.parts import PART_BYTES, SEGMENT_BYTES, Layout, sealed_bytes
from swaddle.envelope.refusals import ManifestMalformed
from swaddle.envelope.seal import new_data_key
from swaddle.envelope.segments import Batches
from swaddle.errors import FileFault

BATCH_BYTES = 16 * SEGMENT_BYTES
MOST_BATCHES = 4
MOST_PARTS = 50_000
_SEALED_ALREADY = crypt4gh.MAGIC + struct.pack("<I", crypt4gh.VERSION)
_ONE_PACKET = struct.pack("<II", 1, crypt4gh.HEADER_BYTES - 16)


class Unpassable(FileFault):
    """It is a Crypt4GH file of a form that cannot pass sealed as it is, or one cut short."""

    code = "SWD-SFTP-01"
    what = "this Crypt4GH file cannot be taken as it is"
    fix = "seal it to the registry's published key alone, without an edit list, or send it unsealed"


class Parts(Protocol):
    """Where sealed parts go; methods block and are called from one thread."""

    def begin(self, number: int) -> int:
        """A descriptor to write part `number` into."""

    def keep(self, number: int, size_bytes: int, digest: str) -> None:
        """Make it durable."""


@dataclass(frozen=True)
class Stream:
    """A file when its last byte is sealed."""

    layout: Layout
    parts: tuple[str, ...]
    data_key: bytes
    header: bytes | None  # the clear Crypt4GH header that it came with


class Sealing:
    """One file on its way through. `take` and `is_full` belong to one thread, `finish` to another, after the last."""

    def __init__(
        self,
        parts: Parts,
        on_room: Callable[[], None],
        part_bytes: int = PART_BYTES,
        is_alone: Callable[[], bool] = lambda: False,
    ) -> None:
        """Begin an empty file.

        Args:
            parts: where the sealed parts go.
            on_room: told, from another thread, after each batch.
            part_bytes: of plaintext.
            is_alone: whether `take` may seal where it is called.
        """
        self._is_alone = is_alone
        self._out = _Out(parts, part_bytes)
        self._on_room = on_room
        self._batch = memoryview(b"")
        self._filled = 0
        self._free: list[memoryview] = []
        self._under_way = 0
        self._worker = ThreadPoolExecutor(1, "door-seal")
        self._fault: BaseException | None = None

    @property
    def is_full(self) -> bool:
        """Whether the client must wait: what it sends is taken all the same, in memory."""
        return self._under_way >= MOST_BATCHES

    def take(self, data: memoryview) -> None:
        """The next bytes; copied before this returns.

        Raises:
            SwaddleError, OSError: sealing or writing failed meanwhile.
        """
        if self._fault is not None:
            raise self._fault
        while data:
            if not self._batch:
                self._batch = self._free.pop() if self._free else memoryview(bytearray(BATCH_BYTES))
            piece = data[: BATCH_BYTES - self._filled]
            self._batch[self._filled : self._filled + len(piece)] = piece
            self._filled += len(piece)
            data = data[len(piece) :]
            if self._filled == BATCH_BYTES:
                self._submit()

    def finish(self) -> Stream:
        """Seal what is left and keep the last part; blocks.

        Raises:
            SwaddleError, OSError: something failed, now or before.
        """
        if self._filled:
            self._submit()
        self._worker.shutdown()
        if self._fault is not None:
            self._out.close()
            raise self._fault
        return self._out.finish()

    def abandon(self) -> None:
        """Give the file up; blocks until nothing of it is under way."""
        self._worker.shutdown(cancel_futures=True)
        self._out.close()

    def _submit(self) -> None:
        batch, size = self._batch, self._filled
        self._batch, self._filled = memoryview(b""), 0
        self._under_way += 1
        if self._under_way == 1 and self._is_alone() and self._out.has_room_for(size):
            self._work(batch, size)
            return
        self._worker.submit(self._work, batch, size)

    def _work(self, batch: memoryview, size: int) -> None:
        try:
            if self._fault is None:
                self._out.feed(batch[:size])
        except BaseException as fault:  # noqa: BLE001 - told to the client at its next write or at the close
            self._fault = fault
        self._free.append(batch)
        self._under_way -= 1  # only this thread takes away, only the other adds; both under the interpreter's lock
        self._on_room()


class _Out:
    """What the sealing thread holds: the cipher, the digests, the part being written."""

    def __init__(self, parts: Parts, part_bytes: int) -> None:
        self._parts = parts
        self._part_bytes = part_bytes
        self._data_key = new_data_key()
        self._sealer: Batches | None = None
        self._sealed = memoryview(b"")
        self._header: bytes | None = None
        self._is_begun = False
        self._digests: list[str] = []
        self._digest = sha256()
        self._part_filled = 0
        self._body_bytes = 0
        self._descriptor: int | None = None
        self._next: Future[int] | None = None
        self._keeping: Future[None] | None = None
        self._gateway = ThreadPoolExecutor(1, "door-part")

    def feed(self, data: memoryview) -> None:
        """The next bytes of the file, whole segments but for the last call."""
        if not self._is_begun:
            self._is_begun = True
            data = self._first(data)
        if self._header is not None:
            self._pass(data)
            return
        if self._sealer is None:
            self._sealer = Batches(self._data_key)
            self._sealed = memoryview(bytearray(sealed_bytes(BATCH_BYTES)))
        full = sealed_bytes(self._part_bytes)
        while data:
            room = (full - self._part_filled) // sealed_bytes(SEGMENT_BYTES) * SEGMENT_BYTES
            piece, data = data[:room], data[room:]
            out = self._sealed[: sealed_bytes(len(piece))]
            self._sealer.seal(piece, out)
            self._put(out)

    def has_room_for(self, size: int) -> bool:
        """Whether `feed` of so many bytes ends inside the part being written, so that it waits for nobody."""
        return self._descriptor is not None and self._part_filled + sealed_bytes(size) < sealed_bytes(self._part_bytes)

    def finish(self) -> Stream:
        """Keep the last part; the layout and the digests."""
        try:
            if self._part_filled:
                self._end_part()
            if self._keeping is not None:
                self._keeping.result()
        finally:
            self.close()
        try:
            layout = Layout.from_body(self._body_bytes, self._part_bytes)
        except ManifestMalformed:
            raise Unpassable("it ends in the middle of a segment") from None
        return Stream(layout, tuple(self._digests), self._data_key, self._header)

    def close(self) -> None:
        """Let go of threads and descriptors."""
        self._gateway.shutdown(cancel_futures=True)
        if self._next is not None and not self._next.cancelled():
            with suppress(Exception):
                os.close(self._next.result())
        self._next = None
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _first(self, data: memoryview) -> memoryview:
        """Whether the file is sealed already; then its header is taken off."""
        if data[: len(_SEALED_ALREADY)] != _SEALED_ALREADY:
            return data
        if len(data) < crypt4gh.HEADER_BYTES:
            raise Unpassable("it ends inside its header")
        if data[len(_SEALED_ALREADY) :][: len(_ONE_PACKET)] != _ONE_PACKET:
            raise Unpassable("its header is not that of one data key for one reader")
        self._header = bytes(data[: crypt4gh.HEADER_BYTES])
        return data[crypt4gh.HEADER_BYTES :]

    def _pass(self, data: memoryview) -> None:
        full = sealed_bytes(self._part_bytes)
        while data:
            room = full - self._part_filled
            piece, data = data[:room], data[room:]
            self._put(piece)

    def _put(self, sealed: memoryview) -> None:
        if self._descriptor is None:
            self._descriptor = self._open_part()
        self._digest.update(sealed)
        try:
            durable.write_all(self._descriptor, sealed)
        except OSError as error:
            raise durable.disk_fault(error) from error
        self._part_filled += len(sealed)
        self._body_bytes += len(sealed)
        full = sealed_bytes(self._part_bytes)
        if self._part_filled == full:
            self._end_part()
        elif self._next is None and self._part_filled > full // 2:
            self._next = self._gateway.submit(self._parts.begin, len(self._digests) + 1)

    def _open_part(self) -> int:
        if len(self._digests) >= MOST_PARTS:
            raise Unpassable("it is larger than one file may be")
        asked = self._next or self._gateway.submit(self._parts.begin, len(self._digests))
        self._next = None
        return asked.result()

    def _end_part(self) -> None:
        assert self._descriptor is not None
        os.close(self._descriptor)
        self._descriptor = None
        if self._keeping is not None:
            self._keeping.result()  # what went wrong with the part before
        digest = self._digest.hexdigest()
        number, size = len(self._digests), self._part_filled
        self._keeping = self._gateway.submit(self._parts.keep, number, size, digest)
        self._digests.append(digest)
        self._digest, self._part_filled = sha256(), 0
