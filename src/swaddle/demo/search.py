"""Where any of a million strings stands in hundreds of megabytes: the raid's search.

Every offset of the searched bytes is looked at, not words or lines. The eight bytes at each offset are hashed and
looked up in a table of the needles' first eight bytes; what passes two such tables is compared exactly. So a needle
has at least `LEAST_BYTES` = 8 bytes: fewer would need other tables, and by chance alone a string of four or five bytes
is found in any memory image, which would prove nothing in either direction. Memory: the needles and two tables, a
window of `WINDOW_BYTES` at a time, whatever the size of what is searched.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LEAST_BYTES = 8
WINDOW_BYTES = 1 << 20
LONGEST_BYTES = 65_536
_FURTHER_BYTES = 24
_FIRST = np.uint64(0x9E3779B97F4A7C15)  # odd multipliers of good spread (golden ratio; splitmix64)
_SECOND = np.uint64(0xBF58476D1CE4E5B9)
_DIGITS = frozenset(b"0123456789")


@dataclass(frozen=True)
class Hit:
    """A needle and the first place where it was found."""

    needle: bytes
    category: int
    place: str
    offset: int


class Search:
    """A set of needles, ready to be looked for in any number of places.

    A needle made of digits only must stand alone: ten digits inside a longer number are another number.
    """

    def __init__(self, needles: Mapping[bytes, int]) -> None:
        """Build the tables.

        Args:
            needles: each string and the category it is counted under.

        Raises:
            ValueError: a needle is shorter than LEAST_BYTES or longer than LONGEST_BYTES.
        """
        if any(not LEAST_BYTES <= len(needle) <= LONGEST_BYTES for needle in needles):
            raise ValueError(f"a needle has {LEAST_BYTES} to {LONGEST_BYTES} bytes")
        self._needles = needles
        starts = np.frombuffer(b"".join(needle[:LEAST_BYTES] for needle in needles), dtype=np.uint64)
        self._starts = np.unique(starts)
        self._first_shift, self._first = _table(self._starts, _FIRST, min_bits=16, max_bits=21)
        self._second_shift, self._second = _table(self._starts, _SECOND, min_bits=16, max_bits=26)
        # Many rows begin alike: those of 24 bytes and more are told apart by their first 24.
        lengths: dict[bytes, set[int]] = {}
        for needle in needles:
            lengths.setdefault(needle[: _FURTHER_BYTES if len(needle) >= _FURTHER_BYTES else LEAST_BYTES], set()).add(
                len(needle)
            )
        self._lengths = {start: tuple(sorted(found)) for start, found in lengths.items()}
        self._has_zeros = any(needle.startswith(bytes(LEAST_BYTES)) for needle in needles)

    def __len__(self) -> int:
        """How many needles are looked for."""
        return len(self._needles)

    def in_bytes(self, data: bytes | mmap.mmap, place: str, known: Iterable[bytes] = ()) -> dict[bytes, Hit]:
        """The needles that stand in `data`, each with its first offset; those in `known` are passed over."""
        found: dict[bytes, Hit] = {}
        passed = set(known)
        for offset in self._candidates(data):
            start = data[offset : offset + _FURTHER_BYTES]
            for length in (*self._lengths.get(start[:LEAST_BYTES], ()), *self._lengths.get(start, ())):
                piece = data[offset : offset + length]
                if piece in found or piece in passed:
                    continue
                category = self._needles.get(piece)
                if category is not None and not _inside_a_number(data, offset, piece):
                    found[piece] = Hit(piece, category, place, offset)
        return found

    def in_file(self, path: Path, place: str, known: Iterable[bytes] = ()) -> dict[bytes, Hit]:
        """The needles that stand in the file at `path`."""
        if path.stat().st_size == 0:
            return {}
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return self.in_bytes(data, place, known)

    def _candidates(self, data: bytes | mmap.mmap) -> Iterator[int]:
        """Offsets whose eight bytes begin a needle, window by window, in order inside a window."""
        if not self._needles:
            return
        words = np.empty(WINDOW_BYTES // 8, dtype=np.uint64)
        as_bytes = words.view(np.uint8)
        keys = np.empty_like(words)
        may_be = np.empty(words.size, dtype=np.bool_)
        last = len(data) - LEAST_BYTES
        for start in range(0, last + 1, WINDOW_BYTES):
            window = data[start : start + WINDOW_BYTES + LEAST_BYTES - 1]
            if not self._has_zeros and not window.strip(b"\0"):
                continue
            raw = np.frombuffer(window, dtype=np.uint8)
            offsets: list[NDArray[np.int64]] = []
            for shift in range(8):
                size = (raw.size - shift) // 8
                as_bytes[: size * 8] = raw[shift : shift + size * 8]
                at = self._sift(words[:size], keys[:size], may_be[:size])
                if at.size:
                    offsets.append(at * 8 + (start + shift))
            if offsets:
                yield from np.sort(np.concatenate(offsets)).tolist()

    def _sift(
        self, words: NDArray[np.uint64], keys: NDArray[np.uint64], may_be: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Which of `words` are the first eight bytes of a needle."""
        np.multiply(words, _FIRST, out=keys)
        np.right_shift(keys, self._first_shift, out=keys)
        np.take(self._first, keys.view(np.int64), out=may_be, mode="wrap")
        at = np.flatnonzero(may_be)
        if at.size == 0:
            return at
        left = words[at]
        passed = self._second[((left * _SECOND) >> self._second_shift).view(np.int64)]
        at, left = at[passed], left[passed]
        near = np.minimum(np.searchsorted(self._starts, left), self._starts.size - 1)
        exact: NDArray[np.int64] = at[self._starts[near] == left]
        return exact


def _table(
    starts: NDArray[np.uint64], multiplier: np.uint64, *, min_bits: int, max_bits: int
) -> tuple[np.uint64, NDArray[np.bool_]]:
    """A table that is true where the hash of a needle's start falls; thirty-two places a needle where it may grow."""
    bits = min(max_bits, max(min_bits, (32 * max(1, starts.size)).bit_length()))
    table = np.zeros(1 << bits, dtype=np.bool_)
    shift = np.uint64(64 - bits)
    table[((starts * multiplier) >> shift).view(np.int64)] = True
    return shift, table


def _inside_a_number(data: bytes | mmap.mmap, offset: int, piece: bytes) -> bool:
    """Whether `piece` is all digits and a digit stands right before or behind it."""
    if not piece.isdigit():
        return False
    before = data[offset - 1 : offset] if offset else b""
    behind = data[offset + len(piece) : offset + len(piece) + 1]
    return (bool(before) and before[0] in _DIGITS) or (bool(behind) and behind[0] in _DIGITS)
