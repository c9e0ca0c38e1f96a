"""Sealing, with public keys only: parts of a body, the envelope around them, a whole file.

Start with `new_data_key`; seal each part with a `PartSealer`; make a `Core` of the parts' digests; `close_envelope`
makes what travels beside the body. `seal_file` does the body in one call, in small batches, at any size.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Self

from swaddle.envelope import crypt4gh, suite
from swaddle.envelope.manifest import Core, Description, Manifest
from swaddle.envelope.parts import PART_BYTES, Layout, sealed_bytes
from swaddle.envelope.positioned import BINARY, AtDescriptor, Positioned, read_at, write_at
from swaddle.envelope.public import SealingPublic
from swaddle.envelope.refusals import SourceChanged
from swaddle.envelope.segments import Batches, batches_of
from swaddle.envelope.signature import MANIFEST, Signed, SigningKey, sign
from swaddle.errors import OurBug


def new_data_key() -> bytes:
    """A fresh data key, one for each transfer."""
    return os.urandom(crypt4gh.DATA_KEY_BYTES)


@dataclass(frozen=True)
class SealedPart:
    """A part as it travels. `data` is valid until the sealer seals the next one."""

    data: memoryview
    sha256: bytes


class PartSealer:
    """Seals one part after another into one reused buffer; its size is a part's and the memory it takes.

    Use it as a context manager or close it: it holds a thread that hashes behind the sealing.
    """

    def __init__(self, data_key: bytes, part_bytes: int = PART_BYTES, threads: int = 2) -> None:
        """Prepare for parts of at most `part_bytes` of plaintext; `threads` is 1 or 2."""
        self._batches = Batches(data_key)
        self._part_bytes = part_bytes
        self._buffer = memoryview(bytearray(0))
        self._hasher = ThreadPoolExecutor(1, "swaddle-digest") if threads > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the hashing thread."""
        if self._hasher is not None:
            self._hasher.shutdown()

    def seal(
        self,
        source: int | Positioned,
        offset: int,
        length: int,
        on_plaintext: Callable[[memoryview], object] | None = None,
    ) -> SealedPart:
        """Seal `length` bytes of a source from `offset`, under fresh nonces.

        Args:
            source: a descriptor, or whatever else can be read at a place.
            offset: where the part's plaintext starts.
            length: 1 to the part size.
            on_plaintext: told every piece of plaintext in order, such as a digest's `update`; it must not keep it.

        Raises:
            SourceChanged: the source ends early.
        """
        source = AtDescriptor(source) if isinstance(source, int) else source
        if not 0 < length <= self._part_bytes:
            raise OurBug("a part has one byte to its full size")
        out = self._room(sealed_bytes(length))
        digest = sha256()
        hashing: list[Future[None]] = []
        for at, size, sealed_at, sealed_size in batches_of(length):
            plaintext = self._batches.plaintext[:size]
            if source.read_at(offset + at, plaintext) != size:
                raise SourceChanged
            if on_plaintext is not None:
                on_plaintext(plaintext)
            sealed = out[sealed_at : sealed_at + sealed_size]
            self._batches.seal(plaintext, sealed)
            if self._hasher is None:
                digest.update(sealed)
            else:
                hashing.append(self._hasher.submit(digest.update, sealed))
        for future in hashing:
            future.result()
        return SealedPart(out, digest.digest())

    def _room(self, size_bytes: int) -> memoryview:
        """The buffer, grown if it must be; small files never take a whole part's memory."""
        if len(self._buffer) < size_bytes:
            self._buffer = memoryview(bytearray(size_bytes))
        return self._buffer[:size_bytes]


@dataclass(frozen=True)
class Sealed:
    """What travels beside the body."""

    manifest: Signed
    header: bytes
    description: bytes


def close_envelope(
    core: Core,
    data_key: bytes,
    description: Description,
    recipient: SealingPublic,
    signer: SigningKey,
    door: str | None = None,
    clear_header: bytes | None = None,
) -> Sealed:
    """Seal header and description to `recipient`, bound to `core`, and sign the manifest over all.

    `door` is the fingerprint of the SSH key that brought it, where the SFTP door seals and signs. `clear_header` is the
    Crypt4GH header of a body that came sealed already: it is sealed as it is, and `data_key` is not used.

    Raises:
        KeyMalformed: nothing can be sealed to the recipient's key.
        DescriptionMalformed: the description has no place in the format.
        OurBug: the pieces are not of one transfer.
    """
    if core.recipient != recipient.key_id:
        raise OurBug("the core names another recipient")
    if sum(entry.size_bytes for entry in description.files) != core.layout.plaintext_bytes:
        raise OurBug("the description tells of another length")
    context = core.canonical()
    clear = clear_header or crypt4gh.write_header(data_key, recipient.crypt4gh, os.urandom(32), os.urandom(12))
    header = suite.seal(clear, recipient.hpke, suite.info(suite.HEADER, context))
    described = suite.seal(description.pack(), recipient.hpke, suite.info(suite.DESCRIPTION, context))
    manifest = Manifest(core, sha256(header).hexdigest(), sha256(described).hexdigest(), door)
    return Sealed(sign(MANIFEST, manifest.to_json(), signer), header, described)


@dataclass(frozen=True)
class SealedBody:
    """A sealed body's layout and the digests of its parts, hex, in order."""

    layout: Layout
    parts: tuple[str, ...]

    def core(self, *, transfer: str, submitter: str, recipient: str, created: datetime, expires: datetime) -> Core:
        """The core of a transfer with this body."""
        return Core(
            transfer=transfer,
            submitter=submitter,
            recipient=recipient,
            created=created,
            expires=expires,
            body_bytes=self.layout.body_bytes,
            segments=self.layout.segments,
            part_bytes=self.layout.part_bytes,
            parts=self.parts,
        )


def seal_file(
    source: Path, target: Path, data_key: bytes, part_bytes: int = PART_BYTES, threads: int = 2
) -> SealedBody:
    """Seal the file `source` as the body `target`, with a digest for each part, in a few mebibytes of memory.

    Threads take a part each; `target` is no durable write: a killed run leaves a body that no manifest names.

    Raises:
        SourceChanged: the file's length changed meanwhile.
    """
    source_fd = os.open(source, os.O_RDONLY | BINARY)
    try:
        layout = Layout(os.fstat(source_fd).st_size, part_bytes)
        target_fd = os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC | BINARY, 0o600)
        try:
            with ThreadPoolExecutor(threads, "swaddle-seal") as pool:
                work = _FileSealing(source_fd, target_fd, layout, data_key)
                digests = tuple(pool.map(work.part, range(layout.parts)))
        finally:
            os.close(target_fd)
        if os.fstat(source_fd).st_size != layout.plaintext_bytes:
            raise SourceChanged
    finally:
        os.close(source_fd)
    return SealedBody(layout, digests)


@dataclass(frozen=True)
class _FileSealing:
    """One run of `seal_file`; each thread calls `part` for the parts that it gets."""

    source_fd: int
    target_fd: int
    layout: Layout
    data_key: bytes

    def part(self, n: int) -> str:
        """Seal part `n` in place and return its digest, hex."""
        span = self.layout.span(n)
        batches = Batches(self.data_key)
        digest = sha256()
        for at, size, sealed_at, sealed_size in batches_of(span.plaintext_bytes):
            plaintext, ciphertext = batches.plaintext[:size], batches.ciphertext[:sealed_size]
            if read_at(self.source_fd, plaintext, span.plaintext_offset + at) != size:
                raise SourceChanged
            batches.seal(plaintext, ciphertext)
            digest.update(ciphertext)
            write_at(self.target_fd, ciphertext, span.body_offset + sealed_at)
        return digest.hexdigest()
