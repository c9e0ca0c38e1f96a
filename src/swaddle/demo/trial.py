"""Every string of 32 bytes that a thief finds is tried as a key.

A search for known keys would miss a key that nobody thought of. So each 32-byte window of what was copied is tried as
a body's data key: its first ChaCha20 block is computed and laid over the body's first bytes; only the true key gives
the bytes that were sent (the demo knows them, which saves the thief the work of checking a tag: the test is the same,
eight bytes against one chance in 2^64). Files that are no bodies are tried at every offset; memory, which is hundreds
of megabytes, at every eighth byte, where programs
put things. Windows that no random key looks like are left out
(`LEAST_KINDS`), and each window of the files is also tried as the seed of a key that headers are
sealed to.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import shake_256
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from numpy.typing import NDArray

KEY_BYTES = 32
# 32 random bytes hold 30 different values on average; fewer than 21 in one of 280 million keys.
LEAST_KINDS = 21
# And 12 of them are printable; more than 26 in one of 19 million keys. Text that encodes a key is decoded instead.
MOST_PRINTABLE = 26
_BATCH = 8_192
_READ_BYTES = 1 << 22
_CONSTANTS = np.frombuffer(b"expand 32-byte k", dtype="<u4")
_COLUMNS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
_DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
_ENCODED = re.compile(rb"[0-9A-Fa-f]{64,}|[A-Za-z0-9+/_-]{43,}")

Keys = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Body:
    """The beginning of a body that was copied: what is needed to see whether a key opens it."""

    transfer: str
    nonce: bytes
    sealed: bytes  # the first eight bytes of ciphertext
    known: bytes  # the first eight bytes of what was sent


def starts(path: Path) -> range:
    """Where the pieces of a file begin that `windows` takes one at a time."""
    return range(0, path.stat().st_size, _READ_BYTES)


def windows(path: Path, step: int, start: int | None = None) -> Iterator[Keys]:
    """Every 32-byte window at a multiple of `step` that could be a random key, in batches of rows.

    Of the whole file, or of the one piece that begins at `start`.
    """
    with path.open("rb") as file:
        for begin in starts(path) if start is None else (start,):
            file.seek(begin)
            data = file.read(_READ_BYTES + KEY_BYTES - 1)
            if len(data) >= KEY_BYTES and data.strip(b"\0"):
                yield from _likely(np.frombuffer(data, dtype=np.uint8), step)


def encoded_keys(path: Path) -> Keys:
    """The 32-byte windows of what is written in the file as hex or base64, decoded."""
    found: list[bytes] = []
    for match in _ENCODED.finditer(path.read_bytes()):
        text = match[0]
        if len(text) % 2 == 0 and re.fullmatch(rb"[0-9A-Fa-f]+", text):
            found.append(binascii.unhexlify(text))
        plain = text.translate(bytes.maketrans(b"-_", b"+/"))
        for skip in range(4):
            piece = plain[skip : skip + (len(plain) - skip) // 4 * 4]
            found.append(base64.b64decode(piece))
            if (left := (len(plain) - skip) % 4) > 1:
                found[-1] += base64.b64decode(plain[skip + len(piece) :] + b"=" * (4 - left))
    return different(
        window for data in found if len(data) >= KEY_BYTES for window in _likely(np.frombuffer(data, dtype=np.uint8), 1)
    )


def opening(keys: Keys, body: Body) -> list[bytes]:
    """Those of `keys` under which the body begins with what was sent."""
    wanted = np.frombuffer(bytes(a ^ b for a, b in zip(body.sealed, body.known, strict=True)), dtype="<u4")
    hits: list[bytes] = []
    for start in range(0, len(keys), _BATCH):
        batch = keys[start : start + _BATCH]
        first, second = _keystream(batch, body.nonce)
        at = np.flatnonzero((first == wanted[0]) & (second == wanted[1]))
        hits += [batch[place].tobytes() for place in at]
    return hits


def unsealing(keys: Keys, publics: frozenset[bytes]) -> list[bytes]:
    """Those of `keys` that are the seed of a key that headers are sealed to, known by its public X25519 half.

    A bare X25519 secret is not tried: alone it opens no header, which is the point of the hybrid.
    """
    hits = []
    for row in keys:
        key = row.tobytes()
        half = X25519PrivateKey.from_private_bytes(shake_256(key).digest(96)[64:])
        if half.public_key().public_bytes_raw() in publics:
            hits.append(key)
    return hits


def different(batches: Iterable[Keys]) -> Keys:
    """The different rows of all batches: databases and their logs hold the same page many times."""
    rows = list(batches)
    if not rows:
        return np.empty((0, KEY_BYTES), dtype=np.uint8)
    whole = np.ascontiguousarray(np.concatenate(rows)).view(f"V{KEY_BYTES}")
    return np.unique(whole).view(np.uint8).reshape(-1, KEY_BYTES)


def _likely(data: Keys, step: int) -> Iterator[Keys]:
    """Rows of windows that a random key could be: most of memory is zeros, text and code."""
    printable = np.concatenate(([0], np.cumsum((data >= 0x20) & (data < 0x7F), dtype=np.int64)))
    zeros = np.concatenate(([0], np.cumsum(data == 0, dtype=np.int64)))
    starts = np.arange(0, data.size - KEY_BYTES + 1, step)
    few = printable[starts + KEY_BYTES] - printable[starts] <= MOST_PRINTABLE
    few &= zeros[starts + KEY_BYTES] - zeros[starts] <= KEY_BYTES - LEAST_KINDS + 1
    rows = np.lib.stride_tricks.sliding_window_view(data, KEY_BYTES)
    for places in np.array_split(starts[few], 1 + few.size // (_BATCH * 8)):
        block = rows[places]
        if len(block):
            ordered = np.sort(block, axis=1)
            kinds = 1 + np.count_nonzero(ordered[:, 1:] != ordered[:, :-1], axis=1)
            block = block[kinds >= LEAST_KINDS]
        if len(block):
            yield block


def _keystream(keys: Keys, nonce: bytes) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The first two words of ChaCha20's block 1 (RFC 8439 section 2.3) under each key, all keys at once."""
    words = np.ascontiguousarray(keys.view("<u4").T)
    count = words.shape[1]
    start = np.empty((16, count), dtype=np.uint32)
    start[0:4] = _CONSTANTS[:, None]
    start[4:12] = words
    start[12] = 1
    start[13:16] = np.frombuffer(nonce, dtype="<u4")[:, None]
    state = start.copy()
    spare = np.empty(count, dtype=np.uint32)
    for _ in range(10):
        for a, b, c, d in (*_COLUMNS, *_DIAGONALS):
            _mix(state[a], state[b], state[d], 16, spare)
            _mix(state[c], state[d], state[b], 12, spare)
            _mix(state[a], state[b], state[d], 8, spare)
            _mix(state[c], state[d], state[b], 7, spare)
    return state[0] + start[0], state[1] + start[1]


def _mix(
    sum_: NDArray[np.uint32],
    addend: NDArray[np.uint32],
    turned: NDArray[np.uint32],
    bits: int,
    spare: NDArray[np.uint32],
) -> None:
    """One step of a quarter round, in place: add, exclusive or, turn left by `bits`."""
    sum_ += addend
    turned ^= sum_
    np.right_shift(turned, 32 - bits, out=spare)
    np.left_shift(turned, bits, out=turned)
    turned |= spare
