"""SFTP version 3 on the wire: what the door understands of it, and how it answers. Pure.

Source: draft-ietf-secsh-filexfer-02 and OpenSSH's PROTOCOL file. Only what a client needs to bring files and to fetch
its answers is here; anything else is answered "not supported". The data of a write is handed on as it comes, piece by
piece, so that no request is ever assembled in memory, whatever length it says.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

VERSION = 3
MOST_PACKET_BYTES = 34_000  # of every request but a write: two paths of 16 KiB
MOST_WRITE_BYTES = 4 * 1024 * 1024
MOST_READ_BYTES = 256 * 1024
WRITE_BYTES = 1024 * 1024  # what clients that ask are told to use
_MOST_HANDLE_BYTES = 256


class Kind(IntEnum):
    """What a client asks."""

    INIT = 1
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    SETSTAT = 9
    FSETSTAT = 10
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RMDIR = 15
    REALPATH = 16
    STAT = 17
    RENAME = 18
    EXTENDED = 200


class Status(IntEnum):
    """How it ended; version 3 has these and no more."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4
    BAD_MESSAGE = 5
    NOT_SUPPORTED = 8


class Flag(IntEnum):
    """How a file is opened."""

    READ = 0x01
    WRITE = 0x02
    APPEND = 0x04
    CREATE = 0x08
    TRUNCATE = 0x10
    EXCLUSIVE = 0x20


POSIX_RENAME = b"posix-rename@openssh.com"
FSYNC = b"fsync@openssh.com"
LIMITS = b"limits@openssh.com"
LSETSTAT = b"lsetstat@openssh.com"
EXTENSIONS = ((POSIX_RENAME, b"1"), (FSYNC, b"1"), (LIMITS, b"1"), (LSETSTAT, b"1"))

_SIZE, _OWNER, _PERMISSIONS, _TIMES, _FURTHER = 0x01, 0x02, 0x04, 0x08, 0x80000000
_FOLDER_MODE, _TAKEN_MODE, _ANSWER_MODE = 0o040700, 0o100200, 0o100400


class BadPacket(Exception):
    """The client does not speak the protocol; the session ends."""


@dataclass(frozen=True)
class Attributes:
    """What may be said of a file or a folder; times in seconds since 1970."""

    size_bytes: int | None = None
    mode: int | None = None
    modified: int | None = None

    @classmethod
    def folder(cls) -> Attributes:
        """Of any folder."""
        return cls(0, _FOLDER_MODE, 0)

    @classmethod
    def sent(cls, size_bytes: int, modified: int) -> Attributes:
        """Of a file on its way in, or one just taken."""
        return cls(size_bytes, _TAKEN_MODE, modified)

    @classmethod
    def answer(cls, size_bytes: int, modified: int) -> Attributes:
        """Of a file under `answers/`."""
        return cls(size_bytes, _ANSWER_MODE, modified)

    def encode(self) -> bytes:
        """As it travels."""
        flags = (_SIZE if self.size_bytes is not None else 0) | (_PERMISSIONS if self.mode is not None else 0)
        flags |= _TIMES if self.modified is not None else 0
        data = struct.pack(">I", flags)
        if self.size_bytes is not None:
            data += struct.pack(">Q", self.size_bytes)
        if self.mode is not None:
            data += struct.pack(">I", self.mode)
        if self.modified is not None:
            data += struct.pack(">II", self.modified, self.modified)
        return data


class Cursor:
    """Reads the fields of one packet, each checked against what is left."""

    def __init__(self, data: bytes) -> None:
        """Begin at the first byte of `data`."""
        self._data = data
        self._at = 0

    def u32(self) -> int:
        """A whole number of 32 bits."""
        return int.from_bytes(self.take(4), "big")

    def u64(self) -> int:
        """A whole number of 64 bits."""
        return int.from_bytes(self.take(8), "big")

    def text(self) -> bytes:
        """A string: its length, then its bytes."""
        return self.take(self.u32())

    def take(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises:
            BadPacket: the packet ends before.
        """
        end = self._at + size
        if end > len(self._data):
            raise BadPacket
        found = self._data[self._at : end]
        self._at = end
        return found

    def attributes(self) -> Attributes:
        """Attributes; owner and unknown extensions are read over."""
        flags = self.u32()
        size = self.u64() if flags & _SIZE else None
        if flags & _OWNER:
            self.take(8)
        mode = self.u32() if flags & _PERMISSIONS else None
        modified = None
        if flags & _TIMES:
            self.take(4)
            modified = self.u32()
        if flags & _FURTHER:
            for _ in range(min(self.u32(), 64)):
                self.text()
                self.text()
        return Attributes(size, mode, modified)


@dataclass(frozen=True)
class Request:
    """Any request but a write; `fields` stand behind its number."""

    kind: int
    number: int
    fields: Cursor


@dataclass(frozen=True)
class WriteBegins:
    """A write; its data follows as `WriteData`."""

    number: int
    handle: bytes
    offset: int
    length: int


@dataclass(frozen=True)
class WriteData:
    """The next piece of the write that began last; `is_last` when nothing more of it comes."""

    data: memoryview
    is_last: bool


class Reader:
    """Cuts a stream of bytes into requests. What is not complete waits for the next `feed`."""

    def __init__(self) -> None:
        """Begin with the first byte of a session."""
        self._held = bytearray()
        self._write_left = 0
        self._skip_left = 0

    def feed(self, data: bytes) -> Iterator[Request | WriteBegins | WriteData]:
        """Everything that `data` completes, in order.

        Raises:
            BadPacket: a length out of bounds, or a packet too short for what it is.
        """
        view = memoryview(data)
        while view:
            if self._write_left:
                piece, view = view[: self._write_left], view[self._write_left :]
                self._write_left -= len(piece)
                yield WriteData(piece, is_last=not self._write_left)
                continue
            if self._skip_left:
                skipped = min(self._skip_left, len(view))
                self._skip_left, view = self._skip_left - skipped, view[skipped:]
                continue
            wanted = self._wanted() - len(self._held)
            self._held += view[:wanted]
            view = view[wanted:]
            if (found := self._complete()) is not None:
                yield found
                if isinstance(found, WriteBegins) and not found.length:
                    yield WriteData(memoryview(b""), is_last=True)

    def _wanted(self) -> int:
        """How many bytes must be held before something can be decided."""
        held = self._held
        if len(held) < 5:
            return 5
        length = int.from_bytes(held[:4], "big")
        if held[4] != Kind.WRITE:
            if not 5 <= length <= MOST_PACKET_BYTES:
                raise BadPacket
            return 4 + length
        if not 21 <= length <= MOST_WRITE_BYTES + 1024:
            raise BadPacket
        if len(held) < 13:
            return 13
        handle = int.from_bytes(held[9:13], "big")
        if handle > _MOST_HANDLE_BYTES:
            raise BadPacket
        return 13 + handle + 12

    def _complete(self) -> Request | WriteBegins | None:
        if len(self._held) < 5 or len(self._held) < self._wanted():
            return None
        held = bytes(self._held)
        self._held.clear()
        fields = Cursor(held[9:] if len(held) > 9 else b"")
        number = int.from_bytes(held[5:9], "big")
        if held[4] != Kind.WRITE:
            return Request(held[4], number, fields)
        handle, offset, length = fields.text(), fields.u64(), fields.u32()
        behind = int.from_bytes(held[:4], "big") - 21 - len(handle) - length
        if behind < 0:
            raise BadPacket
        # Some clients (pkg/sftp before 1.13.6, so rclone before 1.63) send bytes behind the data that mean nothing.
        self._write_left, self._skip_left = length, behind
        return WriteBegins(number, handle, offset, length)


def version() -> bytes:
    """The answer to INIT."""
    return _packet(2, struct.pack(">I", VERSION) + b"".join(text(name) + text(data) for name, data in EXTENSIONS))


def status(number: int, code: Status, words: str = "") -> bytes:
    """How request `number` ended, with a sentence for those clients that show it."""
    return _packet(101, struct.pack(">II", number, code) + text(words.encode()) + text(b"en"))


def handle(number: int, name: bytes) -> bytes:
    """A handle."""
    return _packet(102, struct.pack(">I", number) + text(name))


def data(number: int, piece: bytes) -> bytes:
    """What was read."""
    return _packet(103, struct.pack(">I", number) + text(piece))


def names(number: int, entries: list[tuple[bytes, bytes, Attributes]]) -> bytes:
    """Names with their long form and attributes."""
    body = b"".join(text(name) + text(long) + attributes.encode() for name, long, attributes in entries)
    return _packet(104, struct.pack(">II", number, len(entries)) + body)


def attributes(number: int, found: Attributes) -> bytes:
    """Attributes."""
    return _packet(105, struct.pack(">I", number) + found.encode())


def limits(number: int, open_handles: int) -> bytes:
    """The answer to `limits@openssh.com`: packet, read, write, handles."""
    stated = (MOST_WRITE_BYTES, MOST_READ_BYTES, WRITE_BYTES, open_handles)
    return _packet(201, struct.pack(">IQQQQ", number, *stated))


def text(value: bytes) -> bytes:
    """A string as it travels."""
    return struct.pack(">I", len(value)) + value


def _packet(kind: int, body: bytes) -> bytes:
    return struct.pack(">IB", len(body) + 1, kind) + body
