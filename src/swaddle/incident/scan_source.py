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
    read_bytes: int = 0

    def all(self) -> Iterator[bytes]:
        """Everything, from the start."""
        self.read_bytes += len(self.head)
        yield self.head
        for piece in self.pieces:
            self.read_bytes += len(piece)
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
            self.read_bytes = self.size_bytes
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


def of_file(fd: int, size_bytes: int) -> Source:
    """The source on a descriptor."""
    head = opened.read_piece(fd, min(HEAD_BYTES, size_bytes), 0)

    def rest() -> Iterator[bytes]:
        at = len(head)
        while at < size_bytes:
            piece = opened.read_piece(fd, min(PIECE_BYTES, size_bytes - at), at)
            if not piece:
                raise NotRead("it became shorter while it was read")
            at += len(piece)
            yield piece

    return Source(rest(), head, size_bytes, fd)


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


class Taker(Protocol):
    """Takes the rows of one table."""

    def feed(self, rows: Rows) -> None:
        """Further rows."""
        ...

    def end(self) -> None:
        """There are no more."""
        ...
