"""Segments in batches: ChaCha20-Poly1305 from one reused buffer into another, no bytes object in between.

The binding works outside Python's lock, so threads with a `Batches` each run side by side.
"""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from swaddle.envelope.parts import (
    NONCE_BYTES,
    SEALED_SEGMENT_BYTES,
    SEGMENT_BYTES,
    SEGMENT_EXTRA_BYTES,
    sealed_bytes,
)

SEGMENTS_PER_BATCH = 8  # half a mebibyte: what was just sealed is still in the processor's cache when it is hashed
BATCH_BYTES = SEGMENTS_PER_BATCH * SEGMENT_BYTES
SEALED_BATCH_BYTES = SEGMENTS_PER_BATCH * SEALED_SEGMENT_BYTES


class Batches:
    """One data key and one pair of batch buffers; for one thread at a time."""

    def __init__(self, data_key: bytes) -> None:
        """Make the buffers; `data_key` has 32 bytes."""
        self._cipher = ChaCha20Poly1305(data_key)
        self.plaintext = memoryview(bytearray(BATCH_BYTES))
        self.ciphertext = memoryview(bytearray(SEALED_BATCH_BYTES))

    def seal(self, plaintext: memoryview, ciphertext: memoryview) -> None:
        """Seal whole segments (the body's last may be shorter) under fresh random nonces.

        Args:
            plaintext: any length that starts at a segment's start.
            ciphertext: written; exactly `sealed_bytes(len(plaintext))` long.
        """
        at = 0
        nonces = os.urandom(-(-len(plaintext) // SEGMENT_BYTES) * NONCE_BYTES)
        for n, start in enumerate(range(0, len(plaintext), SEGMENT_BYTES)):
            segment = plaintext[start : start + SEGMENT_BYTES]
            nonce = nonces[n * NONCE_BYTES : (n + 1) * NONCE_BYTES]
            end = at + len(segment) + SEGMENT_EXTRA_BYTES
            ciphertext[at : at + NONCE_BYTES] = nonce
            self._cipher.encrypt_into(nonce, segment, None, ciphertext[at + NONCE_BYTES : end])
            at = end

    def open(self, ciphertext: memoryview, plaintext: memoryview) -> None:
        """Open whole segments (the body's last may be shorter).

        Args:
            ciphertext: `sealed_bytes(len(plaintext))` bytes.
            plaintext: written; what it holds after an error means nothing.

        Raises:
            InvalidTag: a segment does not authenticate.
        """
        at = 0
        for start in range(0, len(plaintext), SEGMENT_BYTES):
            segment = plaintext[start : start + SEGMENT_BYTES]
            end = at + len(segment) + SEGMENT_EXTRA_BYTES
            self._cipher.decrypt_into(
                ciphertext[at : at + NONCE_BYTES], ciphertext[at + NONCE_BYTES : end], None, segment
            )
            at = end


def batches_of(plaintext_bytes: int) -> list[tuple[int, int, int, int]]:
    """The batches of a part: plaintext offset and length, ciphertext offset and length of each."""
    found = []
    for offset in range(0, plaintext_bytes, BATCH_BYTES):
        length = min(BATCH_BYTES, plaintext_bytes - offset)
        found.append((offset, length, sealed_bytes(offset), sealed_bytes(length)))
    return found
