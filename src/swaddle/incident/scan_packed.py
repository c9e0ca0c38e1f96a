"""Packages: ZIP, gzip, bzip2, xz and tar, also one within another; nothing is unpacked to a place.

A bomb is stopped where it goes off: what comes out is counted against what went in, and against a depth and a number of
members. What lies under a password is said to.
"""

from __future__ import annotations

import bz2
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from swaddle.incident.scan_source import MEBIBYTE, NotRead, Source, of_stream

LIMIT_DEPTH = 6
LIMIT_MEMBERS = 200_000
LIMIT_RATIO = 250
LIMIT_UNPACKED_BYTES = 64 * 1024 * MEBIBYTE
_FREE_BYTES = 64 * MEBIBYTE  # what any package may unpack to, whatever its ratio
_PIECE_BYTES = 256 * 1024
_MOST_AT_ONCE_BYTES = 64 * MEBIBYTE
_BOMB = "it unpacks to far more than a package of its size holds: a bomb, or it looks like one"
_FORMATS = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
)

Member = Callable[[str, Source, int], None]  # its name in the package, its bytes, how deep it lies
Trouble = Callable[[str, str], None]  # its name in the package, why it is not read


def package_of(head: bytes) -> str:
    """zip, gzip, bzip2, xz, tar, or nothing."""
    if head[257:262] == b"ustar":
        return "tar"
    return next((name for signature, name in _FORMATS if head.startswith(signature)), "")


class Budget:
    """How much may still come out of packages."""

    def __init__(self, packed_bytes: int) -> None:
        """For a file of so many bytes."""
        self.left = min(LIMIT_UNPACKED_BYTES, max(_FREE_BYTES, LIMIT_RATIO * packed_bytes))
        self.members = LIMIT_MEMBERS

    def take(self, size: int) -> None:
        """Count what came out.

        Raises:
            NotRead: a bomb.
        """
        self.left -= size
        if self.left < 0:
            raise NotRead(_BOMB)

    def member(self) -> None:
        """Count a member."""
        self.members -= 1
        if self.members < 0:
            raise NotRead(f"it has over {LIMIT_MEMBERS} members")


def unpack(kind: str, source: Source, budget: Budget, depth: int, member: Member, trouble: Trouble) -> None:
    """Hand over every member of a package.

    Raises:
        NotRead: it lies too deep, is damaged, or a bomb.
    """
    if depth >= LIMIT_DEPTH:
        raise NotRead(f"packages lie more than {LIMIT_DEPTH} deep in one another")
    try:
        if kind == "zip":
            _zip(source, budget, depth, member, trouble)
        elif kind == "tar":
            _tar(source.all(), budget, depth, member, trouble)
        else:
            member("", of_stream(_unpressed(kind, source, budget)), depth + 1)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError):
        raise NotRead("the package is damaged or cut short") from None
    except NotImplementedError:
        raise NotRead("the package is packed in a way that is not known here") from None


def _zip(source: Source, budget: Budget, depth: int, member: Member, trouble: Trouble) -> None:
    fd, _ = source.in_memory()
    try:
        with open(fd, "rb", closefd=False) as file, zipfile.ZipFile(file) as archive:
            if len(archive.infolist()) > LIMIT_MEMBERS:
                raise NotRead(f"it has over {LIMIT_MEMBERS} members")
            for each in archive.infolist():
                if each.is_dir():
                    continue
                budget.member()
                if each.flag_bits & 0x1:
                    trouble(each.filename, "under a password")
                    continue
                try:
                    with archive.open(each) as packed:
                        member(each.filename, of_stream(_counted(packed, budget)), depth + 1)
                except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError):
                    trouble(each.filename, "this part of the package is damaged")
                except (NotImplementedError, RuntimeError):
                    trouble(each.filename, "packed in a way that is not known here, or under a password")
    finally:
        os.close(fd)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _counted(file: _Readable, budget: Budget) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        budget.take(len(piece))
        yield piece


def _unpressed(kind: str, source: Source, budget: Budget) -> Iterator[bytes]:
    """What a gzip, bzip2 or xz file holds; several one after another are one."""
    fresh: dict[str, Callable[[], Any]] = {
        "gzip": lambda: zlib.decompressobj(31),
        "bzip2": bz2.BZ2Decompressor,
        "xz": lambda: lzma.LZMADecompressor(memlimit=128 * MEBIBYTE),
    }
    worker: Any = None  # zlib's class has no name
    for piece in source.all():
        data = piece
        while data:
            worker = worker or fresh[kind]()
            out, data, ended = _step(worker, data)
            budget.take(len(out))
            if out:
                yield out
            if ended:
                data, worker = data.lstrip(b"\0"), None
    if worker is not None:
        raise EOFError


def _step(worker: Any, data: bytes) -> tuple[bytes, bytes, bool]:
    """Some of what comes out, what is still to be taken, whether the stream has ended."""
    if isinstance(worker, bz2.BZ2Decompressor | lzma.LZMADecompressor):
        out = worker.decompress(data, _PIECE_BYTES)
        while not worker.eof and not worker.needs_input and len(out) < _MOST_AT_ONCE_BYTES:
            out += worker.decompress(b"", _PIECE_BYTES)
        if not worker.eof and not worker.needs_input:
            raise NotRead(_BOMB)
        return out, worker.unused_data if worker.eof else b"", worker.eof
    out = worker.decompress(data, _PIECE_BYTES)
    return out, worker.unused_data if worker.eof else worker.unconsumed_tail, worker.eof


class _Stream:
    """Pieces as a file that is read forwards, for tarfile."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def read(self, size: int = -1) -> bytes:
        held = [self._rest]
        have = len(self._rest)
        while size < 0 or have < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            held.append(piece)
            have += len(piece)
        data = b"".join(held)
        taken = data if size < 0 else data[:size]
        self._rest = data[len(taken) :]
        return taken


def _tar(pieces: Iterator[bytes], budget: Budget, depth: int, member: Member, trouble: Trouble) -> None:
    stream: Any = _Stream(pieces)  # tarfile only reads
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for each in archive:
            budget.member()
            if not each.isfile():
                continue
            file = archive.extractfile(each)
            if file is None:
                trouble(each.name, "this part of the package cannot be read")
                continue
            member(each.name, of_stream(_counted(file, budget)), depth + 1)
