"""Reading a pack as it streams by: each header must be the one that the format makes, then the index is compared.

Two passes: `look_through` reads all of it and says what each member is worth; `contents` gives the members out again,
once that is known. Nothing is kept but names, sizes and digests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from swaddle.envelope import pack
from swaddle.envelope.pack_names import INDEX_NAME, fault_of, folded
from swaddle.envelope.refusals import NotAPack

_MOST_INDEX_BYTES = pack.MOST_MEMBERS * (pack.DIGEST_DIGITS + 3 + 1_024)


@dataclass(frozen=True)
class Member:
    """One file of a pack. Its name is data: never a path, never shown unescaped.

    Attributes:
        number: from 1, in the order of the pack.
        digest: SHA-256 of its content, hex.
        state: `whole`, or why its sender could not send it whole: `changed`, `gone`, `unreadable`.
        fault: why it is refused alone although it is whole, in words; None where it is not.
    """

    number: int
    name: str
    size_bytes: int
    digest: str
    state: str = "whole"
    fault: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether its content is what its sender had."""
        return self.state == "whole" and self.fault is None


def look_through(pieces: Iterable[memoryview], *, index_sha256: str, members: int) -> list[Member]:
    """Read a pack to its end; what each member is worth, in order.

    Args:
        pieces: its bytes; each piece is used up before the next is asked for.
        index_sha256: what the description says of the index.
        members: how many the description says there are.

    Raises:
        NotAPack: it is not one, or contradicts itself or its description.
    """
    stream = _Stream(pieces)
    found: list[tuple[str, int, str]] = []
    for name, size_bytes in _headers(stream):
        if name == INDEX_NAME:
            index = stream.take(size_bytes)
            break
        digest = sha256()
        for piece in stream.pieces(size_bytes):
            digest.update(piece)
        stream.zeros(pack.padding(size_bytes))
        found.append((name, size_bytes, digest.hexdigest()))
    stream.zeros(pack.padding(len(index)) + len(pack.END))
    if not stream.is_at_end():
        raise NotAPack("there is something behind its end")
    if sha256(index).hexdigest() != index_sha256:
        raise NotAPack("its index is not the one that its description names")
    if len(found) != members or not found:
        raise NotAPack("it has another number of members than its description says")
    return list(_judged(found, index))


def contents(pieces: Iterable[memoryview], members: Iterable[Member]) -> Iterator[tuple[Member, Iterator[memoryview]]]:
    """The members of a pack that was looked through, each with its content, which is valid until the next is asked for.

    Raises:
        NotAPack: it is another one than was looked through.
    """
    stream = _Stream(pieces)
    for member, (name, size_bytes) in zip(members, _headers(stream), strict=False):
        if (member.name, member.size_bytes) != (name, size_bytes):
            raise NotAPack("it changed between two readings")
        content = stream.pieces(size_bytes)
        yield member, content
        for _ in content:
            pass
        stream.zeros(pack.padding(size_bytes))


def _headers(stream: _Stream) -> Iterator[tuple[str, int]]:
    """Name and size of each member, the index too; what follows each header is the caller's to read."""
    for number in range(1, pack.MOST_MEMBERS + 2):
        yield _header(stream, number)
    raise NotAPack("it has more members than a pack may have")


def _header(stream: _Stream, number: int) -> tuple[str, int]:
    block = stream.take(pack.BLOCK_BYTES)
    digits = block[124:135]
    if not digits.isdigit() or digits.translate(None, b"01234567"):
        raise NotAPack("a size in it is no number")
    size_bytes = int(digits, 8)
    if block[156] == pack.PAX:
        return _long_header(stream, block, size_bytes, number)
    name = block[:100].rstrip(b"\x00")
    if not name.isascii():
        raise NotAPack("a header in it is not as a pack's are")
    text = name.decode("ascii")
    if text == INDEX_NAME and block == pack.index_header(size_bytes):
        if size_bytes > _MOST_INDEX_BYTES:
            raise NotAPack("its index is too long")
        return text, size_bytes
    if block != pack.header(text, size_bytes, number):
        raise NotAPack("a header in it is not as a pack's are")
    return text, size_bytes


def _long_header(stream: _Stream, block: bytes, records_bytes: int, number: int) -> tuple[str, int]:
    """A member whose name or size has no room in one block."""
    if records_bytes > pack.MOST_RECORDS_BYTES:
        raise NotAPack("a header in it is longer than any")
    data = stream.take(records_bytes + pack.padding(records_bytes))
    own = stream.take(pack.BLOCK_BYTES)
    said = pack.read_records(data[:records_bytes])
    digits = own[124:135]
    if said is None or not digits.isdigit() or digits.translate(None, b"01234567"):
        raise NotAPack("a header in it is not as a pack's are")
    name, size_bytes = said[0], int(digits, 8) if said[1] is None else said[1]
    if block + data + own != pack.header(name, size_bytes, number) or name == INDEX_NAME:
        raise NotAPack("a header in it is not as a pack's are")
    return name, size_bytes


def _judged(found: Iterable[tuple[str, int, str]], index: bytes) -> Iterator[Member]:
    """Each member beside its line of the index."""
    at, seen = 0, set[str]()
    for number, (name, size_bytes, digest) in enumerate(found, start=1):
        line = b"  " + name.encode() + b"\n"
        said = index[at : at + pack.DIGEST_DIGITS]
        at += pack.DIGEST_DIGITS
        if index[at : at + len(line)] != line or said.translate(None, b"0123456789abcdef"):
            raise NotAPack("its index is of other members")
        at += len(line)
        key, fault = folded(name), fault_of(name)
        state = pack.STATE_OF.get(said.decode("ascii"), "whole")
        if fault is not None:
            fault = f"its name {fault}"
        elif key in seen:
            fault = "another file before it has the same name but for case"
        elif state == "whole" and said != digest.encode():
            fault = "its content is not what the index says"
        seen.add(key)
        yield Member(number, name, size_bytes, digest, state, fault)
    if at != len(index):
        raise NotAPack("its index is of other members")


class _Stream:
    """Pieces, one after another, as bytes that can be asked for by length."""

    def __init__(self, pieces: Iterable[memoryview]) -> None:
        self._pieces = iter(pieces)
        self._left = memoryview(b"")

    def pieces(self, size_bytes: int) -> Iterator[memoryview]:
        """The next `size_bytes`, as they lie."""
        while size_bytes:
            if not self._left:
                self._left = next(self._pieces, memoryview(b""))
                if not self._left:
                    raise NotAPack("it ends early")
            piece = self._left[:size_bytes]
            self._left = self._left[len(piece) :]
            size_bytes -= len(piece)
            yield piece

    def take(self, size_bytes: int) -> bytes:
        """The next `size_bytes`, whole."""
        return b"".join(self.pieces(size_bytes))

    def zeros(self, size_bytes: int) -> None:
        """The next `size_bytes`, which must be zero."""
        for piece in self.pieces(size_bytes):
            if any(piece):
                raise NotAPack("there are bytes between its members")

    def is_at_end(self) -> bool:
        """Whether nothing comes any more."""
        return not self._left and not next(self._pieces, b"")
