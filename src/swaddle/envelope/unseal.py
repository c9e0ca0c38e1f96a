"""Opening: first all that public keys can tell, then what only the reader's keys open, then the body.

`check_envelope`, `open_envelope`, `BodyOpener` in this order. No plaintext of a part is given out before the signed
digest of the whole part was compared. Only `registry.pipeline` and `submitter.inbox` import this.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Collection, Container, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from cryptography.exceptions import InvalidTag

from swaddle.canonical import NotCanonical
from swaddle.envelope import crypt4gh, suite
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.manifest import Description, Manifest, parse_description, parse_manifest
from swaddle.envelope.positioned import BINARY, read_at, write_at
from swaddle.envelope.refusals import (
    CutShort,
    DescriptionChanged,
    DescriptionMalformed,
    HeaderChanged,
    HeaderMalformed,
    ManifestMalformed,
    PartChanged,
    Replayed,
    SegmentUnauthentic,
    TrailingBytes,
    WrongRecipient,
)
from swaddle.envelope.segments import Batches, batches_of
from swaddle.envelope.signature import MANIFEST, PublicSigningKey, Signed, open_signed
from swaddle.errors import OurBug

_MOST_SEALED_HEADER_BYTES = crypt4gh.MOST_HEADER_BYTES + suite.SEALED_EXTRA_BYTES
_MOST_SEALED_DESCRIPTION_BYTES = 1_048_576 + suite.SEALED_EXTRA_BYTES


def check_envelope(
    manifest: Signed, header: bytes, description: bytes, signers: Collection[PublicSigningKey], seen: Container[str]
) -> Manifest:
    """Everything that needs no private key.

    Args:
        manifest: as it came.
        header: sealed, as it came.
        description: sealed, as it came.
        signers: the keys enrolled for the submitter that the manifest must be of; the caller compares
            `manifest.core.submitter` with whose keys they are.
        seen: transfer ids met before.

    Raises:
        WrongSigner, SignatureInvalid, ManifestMalformed, Replayed, HeaderChanged, DescriptionChanged: refused.
    """
    try:
        open_signed(manifest, MANIFEST, signers)
    except NotCanonical:
        raise ManifestMalformed("it is not canonical JSON") from None
    parsed = parse_manifest(manifest.message)
    if parsed.core.transfer in seen:
        raise Replayed
    if not _is_digest(header, parsed.header_sha256):
        raise HeaderChanged
    if not _is_digest(description, parsed.description_sha256):
        raise DescriptionChanged
    return parsed


@dataclass(frozen=True, repr=False)
class Opened:
    """An opened envelope: what is needed for its body, and what its sender told the reader alone."""

    manifest: Manifest
    data_key: bytes
    description: Description


def open_envelope(manifest: Manifest, header: bytes, description: bytes, pairs: Mapping[str, SealingPair]) -> Opened:
    """Open header and description with the pair that the manifest names.

    Raises:
        WrongRecipient: no such pair is here.
        WrongCore: they were sealed for another core or key.
        HeaderMalformed, EditList, DataKeys, DescriptionMalformed: what was in them is refused.
    """
    core = manifest.core
    pair = pairs.get(core.recipient)
    if pair is None or pair.public.key_id != core.recipient:
        raise WrongRecipient
    if len(header) > _MOST_SEALED_HEADER_BYTES:
        raise HeaderMalformed("it is longer than any header")
    if len(description) > _MOST_SEALED_DESCRIPTION_BYTES:
        raise DescriptionMalformed("it is longer than any description")
    context = core.canonical()
    clear = pair.open_sealed(header, suite.info(suite.HEADER, context))
    data_key = crypt4gh.read_header(clear, pair.crypt4gh_secret)
    described = parse_description(pair.open_sealed(description, suite.info(suite.DESCRIPTION, context)))
    if sum(entry.size_bytes for entry in described.files) != core.layout.plaintext_bytes:
        raise DescriptionMalformed("it tells of another length than the manifest")
    return Opened(manifest, data_key, described)


class BodyOpener:
    """Takes the parts of one body and gives out their plaintext; `finish` says that it was all."""

    def __init__(self, opened: Opened) -> None:
        """Prepare for the body of `opened`."""
        self._core = opened.manifest.core
        self._layout = self._core.layout
        self._batches = Batches(opened.data_key)
        self._done: set[int] = set()

    def open_part(
        self,
        n: int,
        ciphertext: bytes | bytearray | memoryview,
        into: int | Callable[[memoryview], object],
        *,
        is_checked: bool = False,
    ) -> None:
        """Check part `n` against its signed digest, then open it.

        Args:
            n: from 0; in any order into a descriptor, in order and once each into a callable.
            ciphertext: the whole part.
            into: a descriptor, written at the part's place; or a callable that is told each piece and must not keep it.
            is_checked: this process has compared the digest already, when it wrote the part down: not once more.

        Raises:
            CutShort, PartChanged, TrailingBytes: not the part that was signed; nothing was given out.
            SegmentUnauthentic: signed so, and yet it does not open; pieces before it may have been given out.
        """
        if not 0 <= n < self._layout.parts:
            raise TrailingBytes
        span = self._layout.span(n)
        sealed = memoryview(ciphertext)
        if len(sealed) < span.body_bytes:
            raise CutShort
        if not is_checked and not _is_digest(sealed[: span.body_bytes], self._core.parts[n]):
            raise PartChanged
        if len(sealed) > span.body_bytes:
            raise TrailingBytes
        if not isinstance(into, int) and n != len(self._done):
            raise OurBug("a stream takes parts in their order")
        for at, size, sealed_at, sealed_size in batches_of(span.plaintext_bytes):
            plaintext = self._batches.plaintext[:size]
            try:
                self._batches.open(sealed[sealed_at : sealed_at + sealed_size], plaintext)
            except InvalidTag:
                raise SegmentUnauthentic from None
            if isinstance(into, int):
                write_at(into, plaintext, span.plaintext_offset + at)
            else:
                into(plaintext)
        self._done.add(n)

    def finish(self) -> None:
        """Say that no more parts come.

        Raises:
            CutShort: some did not come; what was given out must be thrown away.
        """
        if len(self._done) != self._layout.parts:
            raise CutShort


def unseal_file(opened: Opened, source: Path, target: Path, threads: int = 2) -> None:
    """Open the body in the file `source` as `target`, in a few mebibytes of memory.

    One pass: what is hashed is what is opened, so nobody can change the body in between. The plaintext has a name
    of its own, readable by its owner only, until the digest of the last part was compared; then it is named `target`.
    On any refusal it is removed.

    Raises:
        CutShort, PartChanged, TrailingBytes, SegmentUnauthentic: refused; `target` is as before.
    """
    unnamed = target.with_name(f".{secrets.token_hex(8)}.part")
    source_fd = os.open(source, os.O_RDONLY | BINARY)
    try:
        target_fd = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
        try:
            _open_body(opened, source_fd, target_fd, threads)
        finally:
            os.close(target_fd)
        unnamed.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            unnamed.unlink()
        raise
    finally:
        os.close(source_fd)


def _open_body(opened: Opened, source_fd: int, target_fd: int, threads: int) -> None:
    layout = opened.manifest.core.layout
    if os.fstat(source_fd).st_size < layout.body_bytes:
        raise CutShort
    work = _FileOpening(source_fd, target_fd, opened)
    with ThreadPoolExecutor(threads, "swaddle-open") as pool:
        for _ in pool.map(work.part, range(layout.parts)):
            pass
    if os.fstat(source_fd).st_size > layout.body_bytes:
        raise TrailingBytes


@dataclass(frozen=True)
class _FileOpening:
    """One run of `unseal_file`; each thread calls `part` for the parts that it gets."""

    source_fd: int
    target_fd: int
    opened: Opened

    def part(self, n: int) -> None:
        """Open part `n` in place; a part that is not the signed one is told apart from one sealed wrongly."""
        core = self.opened.manifest.core
        span = core.layout.span(n)
        batches = Batches(self.opened.data_key)
        digest = sha256()
        is_authentic = True
        for at, size, sealed_at, sealed_size in batches_of(span.plaintext_bytes):
            plaintext, ciphertext = batches.plaintext[:size], batches.ciphertext[:sealed_size]
            if read_at(self.source_fd, ciphertext, span.body_offset + sealed_at) != sealed_size:
                raise CutShort
            digest.update(ciphertext)
            if not is_authentic:
                continue
            try:
                batches.open(ciphertext, plaintext)
            except InvalidTag:
                is_authentic = False  # whether the part was changed or sealed wrongly, its digest will say
                continue
            write_at(self.target_fd, plaintext, span.plaintext_offset + at)
        if not compare_digest(digest.hexdigest(), core.parts[n]):
            raise PartChanged
        if not is_authentic:
            raise SegmentUnauthentic


def _is_digest(data: bytes | memoryview, expected_hex: str) -> bool:
    return compare_digest(sha256(data).hexdigest(), expected_hex)
