"""How a body is cut: segments of 64 KiB, parts of whole segments. Arithmetic only, pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from swaddle.envelope.refusals import ManifestMalformed

SEGMENT_BYTES = 65_536
NONCE_BYTES = 12
TAG_BYTES = 16
SEGMENT_EXTRA_BYTES = NONCE_BYTES + TAG_BYTES
SEALED_SEGMENT_BYTES = SEGMENT_BYTES + SEGMENT_EXTRA_BYTES
PART_BYTES = 67_108_864
LEAST_PART_BYTES = SEGMENT_BYTES
MOST_PART_BYTES = 1_073_741_824
MOST_BODY_BYTES = 2**53 - 1  # what canonical JSON can say


@dataclass(frozen=True)
class Span:
    """Where one part lies: in the plaintext and in the body."""

    plaintext_offset: int
    plaintext_bytes: int
    body_offset: int
    body_bytes: int


@dataclass(frozen=True)
class Layout:
    """A plaintext of `plaintext_bytes` cut into parts of `part_bytes`.

    Raises:
        ManifestMalformed: a part size that is not allowed, or a negative or impossible length.
    """

    plaintext_bytes: int
    part_bytes: int = PART_BYTES

    def __post_init__(self) -> None:
        """Refuse a part size that is not allowed and lengths that cannot be."""
        if not LEAST_PART_BYTES <= self.part_bytes <= MOST_PART_BYTES or self.part_bytes % SEGMENT_BYTES:
            raise ManifestMalformed("the part size is not a multiple of 65,536 within its bounds")
        if self.plaintext_bytes < 0 or self.body_bytes > MOST_BODY_BYTES:
            raise ManifestMalformed("a length is out of bounds")

    @classmethod
    def from_body(cls, body_bytes: int, part_bytes: int = PART_BYTES) -> Self:
        """The layout whose ciphertext has `body_bytes`.

        Raises:
            ManifestMalformed: no plaintext gives that length.
        """
        segments = -(-body_bytes // SEALED_SEGMENT_BYTES)
        layout = cls(body_bytes - segments * SEGMENT_EXTRA_BYTES, part_bytes)
        if layout.body_bytes != body_bytes:
            raise ManifestMalformed("no body has that length")
        return layout

    @cached_property
    def segments(self) -> int:
        """Number of segments; none for an empty plaintext."""
        return -(-self.plaintext_bytes // SEGMENT_BYTES)

    @cached_property
    def parts(self) -> int:
        """Number of parts; none for an empty plaintext."""
        return -(-self.plaintext_bytes // self.part_bytes)

    @cached_property
    def body_bytes(self) -> int:
        """Length of the whole ciphertext."""
        return sealed_bytes(self.plaintext_bytes)

    def span(self, n: int) -> Span:
        """Where part `n` (from 0) lies.

        Raises:
            IndexError: there is no such part.
        """
        if not 0 <= n < self.parts:
            raise IndexError("no such part")
        offset = n * self.part_bytes
        length = min(self.part_bytes, self.plaintext_bytes - offset)
        return Span(offset, length, sealed_bytes(offset), sealed_bytes(length))


def sealed_bytes(plaintext_bytes: int) -> int:
    """Ciphertext length of `plaintext_bytes` that start at a segment's start."""
    return plaintext_bytes + -(-plaintext_bytes // SEGMENT_BYTES) * SEGMENT_EXTRA_BYTES
