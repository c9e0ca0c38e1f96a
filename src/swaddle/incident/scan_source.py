"""What the scan reads: bytes whose beginning can be looked at, of a file or out of a package; what it hands on.

A source is read once, front to back, in pieces. Only a source on a descriptor can also be read at any place, which
workbooks, Parquet and packages need: one that comes out of a package is copied into memory for those, up to a limit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from swaddle.intake import opened

MEBIBYTE = 1024 * 1024
HEAD_BYTES = MEBIBYTE
PIECE_BYTES = MEBIBYTE
LIMIT_IN_MEMORY_BYTES = 160 * MEBIBYTE  # of a member of a package that must be read at any place

Rows = list[Sequence[str]]  # the first cell of a row belongs to the reader; the columns begin at the second


class NotRead(Exception):
    """Something that the scan does not read; its text says why and holds nothing out of the file."""


@dataclass
class Source:
    """Bytes of one file, or of a member of a package.

    Attributes:
        pieces: the bytes after `head`; taken once.
        head: the first HEAD_BYTES, or all there is.
        size_bytes: how many there are; None where a package does not say it in a way that can be believed.
        fd: where it can be read at any place; None inside a package.
    """

    pieces: Iterator[bytes]
    head: bytes
    size_bytes: int | None = None
    fd: int | None = None
    begin: int = 0
    stop: int | None = None

    def all(self) -> Iterator[bytes]:
        """Everything, from the start."""
        yield self.head
        yield from self.pieces

    @property
    def is_part(self) -> bool:
        """Whether only a part of it is to be read."""
        return self.fd is not None and self.stop is not None

    def part(self, overlap: int = 0) -> Iterator[bytes]:
        """What is to be read of it, and `overlap` bytes more."""
        if self.fd is None or self.size_bytes is None or self.stop is None:
            yield from self.all()
            return
        at, stop = self.begin, min(self.stop + overlap, self.size_bytes)
        while at < stop:
            piece = opened.read_piece(self.fd, min(PIECE_BYTES, stop - at), at)
            if not piece:
                raise NotRead("it became shorter while it was read")
            at += len(piece)
            yield piece

    def part_of_lines(self, end: bytes) -> Iterator[bytes]:
        """The lines that begin in the part that is to be read."""
        if self.fd is None or self.size_bytes is None or self.stop is None:
            yield from self.all()
            return
        at, stop = _next_line(self.fd, self.begin, end), _next_line(self.fd, self.stop, end)
        while at < stop:
            piece = opened.read_piece(self.fd, min(PIECE_BYTES, stop - at), at)
            if not piece:
                return
            at += len(piece)
            yield piece

    def whole(self) -> bool:
        """Whether the head is all there is."""
        return self.size_bytes is not None and self.size_bytes <= len(self.head)

    def in_memory(self) -> tuple[int, int]:
        """A descriptor that can be read at any place, and the size; the caller closes it.

        Raises:
            NotRead: it would take too much memory.
        """
        if self.fd is not None and self.size_bytes is not None:
            return os.dup(self.fd), self.size_bytes
        copy, written = opened.memory_file(0), 0
        try:
            for piece in self.all():
                written += len(piece)
                _bear(written)
                opened.write_all(copy, piece)
        except BaseException:
            os.close(copy)
            raise
        return copy, written


def _bear(size_bytes: int) -> None:
    if size_bytes > LIMIT_IN_MEMORY_BYTES:
        raise NotRead(f"inside a package, and over {LIMIT_IN_MEMORY_BYTES // MEBIBYTE} MiB of this kind")


def _next_line(fd: int, at: int, end: bytes) -> int:
    """Where the first line begins that begins at `at` or later."""
    if at == 0:
        return 0
    at -= 1
    while piece := opened.read_piece(fd, PIECE_BYTES, at):
        found = piece.find(end)
        if found >= 0:
            return at + found + 1
        at += len(piece)
    return at


def of_file(fd: int, size_bytes: int, begin: int = 0, stop: int | None = None) -> Source:
    """The source on a descriptor; of a text that can be read in parts, only the part from `begin` to `stop`."""
    head = opened.read_piece(fd, min(HEAD_BYTES, size_bytes), 0)

    def rest() -> Iterator[bytes]:
        at = len(head)
        while at < size_bytes:
            piece = opened.read_piece(fd, min(PIECE_BYTES, size_bytes - at), at)
            if not piece:
                raise NotRead("it became shorter while it was read")
            at += len(piece)
            yield piece

    return Source(rest(), head, size_bytes, fd, begin, stop)


def of_stream(pieces: Iterator[bytes]) -> Source:
    """The source of a member of a package."""
    held = bytearray()
    ended = True
    for piece in pieces:
        held += piece
        if len(held) >= HEAD_BYTES:
            ended = False
            break
    return Source(pieces, bytes(held), len(held) if ended else None)


@dataclass
class Table:
    """Rows of one kind out of a source.

    Attributes:
        kind: csv, fixed, excel, parquet, hl7, fhir, json, text.
        names: the headers; empty texts where there is none.
        rows: blocks of rows, taken once.
        spoilt: rows that could not be told apart, counted while the blocks are taken.
        samples: rows from further on in the source, for its columns to be known by.
        known: place -> (element, whose), where the format itself says what a column is.
    """

    kind: str
    names: tuple[str, ...]
    rows: Iterator[Rows]
    spoilt: list[int] = field(default_factory=lambda: [0])
    samples: list[Sequence[str]] = field(default_factory=list)
    known: dict[int, tuple[str, str]] = field(default_factory=dict)
    apart: bool = False  # its columns are known by the samples alone


class Taker(Protocol):
    """Takes the rows of one table."""

    def feed(self, rows: Rows) -> None:
        """Further rows."""
        ...

    def end(self) -> None:
        """There are no more."""
        ...
