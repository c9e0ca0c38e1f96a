"""The Merkle tree over custody: hashes, and proofs made and checked. Pure.

RFC 6962 section 2.1, RFC 9162 section 2.1: a leaf is SHA-256(0x00 || entry), a node SHA-256(0x01 || left || right), and
a tree of n leaves is split at the largest power of two below n. A proof that an entry is in a tree, or that one tree
is the beginning of another, is a list of hashes; a checker needs nothing else.

Hashes are 32 bytes. Whoever makes proofs hands in a function that gives the root of a *complete* subtree: level 0 are
the leaves, level k has 2**k of them, and `place` counts subtrees of that level from the left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from swaddle.errors import IntegrityFault

HASH_BYTES = 32
EMPTY = sha256(b"").digest()  # the root of no leaves
Subtree = Callable[[int, int], bytes]


class ProofWrong(IntegrityFault):
    """A proof that does not show what it is said to show."""

    code = "SWD-CUSTODY-05"
    what = "this proof does not hold"
    why = "{reason}"
    fix = "ask the registry for a new one; if that does not hold either, its log was changed: treat it as an incident"


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry's bytes."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that grows leaf by leaf, held as the roots of its complete subtrees: at most one a level."""

    def __init__(self) -> None:
        """Begin without leaves."""
        self.size = 0
        self._roots: list[tuple[int, bytes]] = []  # (level, hash), the largest first

    def add(self, leaf: bytes) -> None:
        """Put a leaf's hash at the right end."""
        level, found = 0, leaf
        while self._roots and self._roots[-1][0] == level:
            found = node_hash(self._roots.pop()[1], found)
            level += 1
        self._roots.append((level, found))
        self.size += 1

    def root(self) -> bytes:
        """The root of all leaves so far."""
        if not self._roots:
            return EMPTY
        found = self._roots[-1][1]
        for _, left in reversed(self._roots[:-1]):
            found = node_hash(left, found)
        return found


def root(size: int, subtree: Subtree) -> bytes:
    """The root of the first `size` leaves."""
    return _root(0, size, subtree) if size else EMPTY


def inclusion(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The proof that leaf `index` (from 0) is in the tree of the first `size` leaves, from the leaf up.

    Raises:
        ProofWrong: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ProofWrong("the tree has no leaf of this number")
    return _path(index, 0, size, subtree)


def consistency(before: int, size: int, subtree: Subtree) -> list[bytes]:
    """The proof that the tree of the first `before` leaves is the beginning of that of the first `size`.

    Raises:
        ProofWrong: it is larger, or empty: an empty tree is the beginning of any other.
    """
    if not 0 < before <= size:
        raise ProofWrong("a tree cannot be the beginning of a smaller one, and an empty one proves nothing")
    return _subproof(before, 0, size, subtree, is_whole=True) if before < size else []


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf's hash is at `index` of the tree with this root (RFC 9162, 2.1.3.2).

    Raises:
        ProofWrong: it is not, or the proof is too short, too long, or not made of hashes.
    """
    if not 0 <= index < size:
        raise ProofWrong("the tree has no leaf of this number")
    _check_hashes((leaf, root, *proof))
    found = leaf
    for each, is_left in zip(proof, _sides(index, size - 1, len(proof)), strict=True):
        found = node_hash(each, found) if is_left else node_hash(found, each)
    if found != root:
        raise ProofWrong("it leads to another root")


def check_consistency(before: int, size: int, proof: Sequence[bytes], first_root: bytes, root: bytes) -> None:
    """Check that the tree of `before` leaves with `first_root` is the beginning of the other (RFC 9162, 2.1.4.2).

    Raises:
        ProofWrong: it is not, or the proof is too short, too long, or not made of hashes.
    """
    if not 0 <= before <= size:
        raise ProofWrong("the second tree is smaller than the first: entries are gone")
    if before == size:
        _check_same(size, proof, first_root, root)
    elif before == 0:
        raise ProofWrong("an empty tree is the beginning of any other: that proves nothing")
    else:
        _check_larger(before, size, proof, first_root, root)


def _check_larger(before: int, size: int, proof: Sequence[bytes], first_root: bytes, root: bytes) -> None:
    _check_hashes((first_root, root, *proof))
    path = [first_root, *proof] if before & (before - 1) == 0 else list(proof)
    if not path:
        raise ProofWrong("it is empty")
    first, last = before - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old = new = path[0]
    for each, is_left in zip(path[1:], _sides(first, last, len(path) - 1), strict=True):
        if is_left:
            old, new = node_hash(each, old), node_hash(each, new)
        else:
            new = node_hash(new, each)
    if old != first_root or new != root:
        raise ProofWrong("the first tree is not the beginning of the second: the log was forked or rewritten")


def _check_same(size: int, proof: Sequence[bytes], first_root: bytes, root: bytes) -> None:
    if proof:
        raise ProofWrong("there is nothing to prove, and a proof is given")
    if first_root != root or (size == 0 and root != EMPTY):
        raise ProofWrong("two trees of one size have two roots")


def _sides(first: int, last: int, length: int) -> list[bool]:
    """For each hash on the way up from place `first` in a level whose last place is `last`: does it stand at the left?

    Raises:
        ProofWrong: the way is not `length` long.
    """
    sides: list[bool] = []
    while last and len(sides) < length:
        sides.append(bool(first & 1) or first == last)
        if sides[-1]:
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        first, last = first >> 1, last >> 1
    if last or len(sides) < length:
        raise ProofWrong("it is not as long as the tree is high")
    return sides


def _check_hashes(values: Sequence[bytes]) -> None:
    if any(len(each) != HASH_BYTES for each in values):
        raise ProofWrong("a part of it is not a hash")


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _root(start: int, size: int, subtree: Subtree) -> bytes:
    """The root of `size` leaves from `start` on; `start` is a multiple of the next power of two at or above `size`."""
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return subtree(level, start >> level)
    left = _split(size)
    return node_hash(_root(start, left, subtree), _root(start + left, size - left, subtree))


def _path(index: int, start: int, size: int, subtree: Subtree) -> list[bytes]:
    if size == 1:
        return []
    left = _split(size)
    if index < left:
        return [*_path(index, start, left, subtree), _root(start + left, size - left, subtree)]
    return [*_path(index - left, start + left, size - left, subtree), _root(start, left, subtree)]


def _subproof(before: int, start: int, size: int, subtree: Subtree, *, is_whole: bool) -> list[bytes]:
    if before == size:
        return [] if is_whole else [_root(start, size, subtree)]
    left = _split(size)
    if before <= left:
        found = _subproof(before, start, left, subtree, is_whole=is_whole)
        return [*found, _root(start + left, size - left, subtree)]
    found = _subproof(before - left, start + left, size - left, subtree, is_whole=False)
    return [*found, _root(start, left, subtree)]
