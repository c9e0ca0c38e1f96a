"""Opened bodies live in memory and nowhere else: a file without a name, gone when it is closed.

On Linux it is memfd, on other Unix systems a temporary file that has no name any more once it is open; the database
opens it by its descriptor. The registry never writes an opened body to a named file. Windows can open nothing by
descriptor: there a submitter's check writes the rows it reads to a file in a folder of its own, only readable by its
user, and removes it at once afterwards.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from swaddle.envelope.positioned import read_at
from swaddle.intake.faults import TooLarge

MEMORY_FILE_LIMIT_BYTES = 4 * 1024**3
_COPY_BYTES = 4 * 1024 * 1024
_DESCRIPTORS = next((each for each in ("/proc/self/fd/", "/dev/fd/") if Path(each).is_dir()), "")


def memory_file(limit_bytes: int) -> int:
    """A descriptor of a new nameless file that the caller will write at most `limit_bytes` to, and closes.

    Raises:
        TooLarge: more than MEMORY_FILE_LIMIT_BYTES.
    """
    if limit_bytes > MEMORY_FILE_LIMIT_BYTES:
        raise TooLarge(f"it has over {MEMORY_FILE_LIMIT_BYTES // 1024**3} GiB")
    if hasattr(os, "memfd_create"):
        return os.memfd_create("swaddle", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as nameless:
        return os.dup(nameless.fileno())


def folders() -> list[str]:
    """Where the database may open files: this process's descriptors, or the one folder that stands in for them."""
    return [_DESCRIPTORS] if _DESCRIPTORS else [str(_folder())]


@contextmanager
def path_of(memory_fd: int, size_bytes: int) -> Iterator[str]:
    """The path under which this process's database can open a memory file, for the time of the block."""
    if _DESCRIPTORS:
        yield f"{_DESCRIPTORS}{memory_fd}"
        return
    stand_in = _folder() / secrets.token_hex(16)
    try:
        with stand_in.open("xb") as file:
            for piece in chunks(memory_fd, size_bytes):
                file.write(piece)
        yield str(stand_in)
    finally:
        stand_in.unlink(missing_ok=True)


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="swaddle-"))


def read_piece(fd: int, size_bytes: int, offset: int) -> bytes:
    """Up to `size_bytes` at `offset`; the file's position does not matter."""
    piece = bytearray(max(0, size_bytes))
    return bytes(memoryview(piece)[: read_at(fd, memoryview(piece), offset)])


def chunks(fd: int, size_bytes: int, chunk_bytes: int = _COPY_BYTES) -> Iterator[bytes]:
    """The first `size_bytes` of `fd`, from the start, piece by piece; its file position does not matter."""
    offset = 0
    while offset < size_bytes:
        piece = read_piece(fd, min(chunk_bytes, size_bytes - offset), offset)
        if not piece:
            return
        offset += len(piece)
        yield piece


def copy_into_memory(fd: int, size_bytes: int) -> int:
    """A memory file with the first `size_bytes` of `fd`, which cannot change under the reader.

    Raises:
        TooLarge: more than MEMORY_FILE_LIMIT_BYTES.
    """
    copy = memory_file(size_bytes)
    try:
        for piece in chunks(fd, size_bytes):
            write_all(copy, piece)
    except BaseException:
        os.close(copy)
        raise
    return copy


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data` at the file's position."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
