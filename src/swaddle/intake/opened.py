"""Opened bodies live in memory and nowhere else: a file without a name, gone when it is closed.

On Linux it is memfd; elsewhere a temporary file that has no name any more once it is open. The registry never writes an
opened body to a named file.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

from swaddle.intake.faults import TooLarge

MEMORY_FILE_LIMIT_BYTES = 4 * 1024**3
_COPY_BYTES = 4 * 1024 * 1024


def memory_file(limit_bytes: int) -> int:
    """A descriptor of a new nameless file that the caller will write at most `limit_bytes` to, and closes.

    Raises:
        TooLarge: more than MEMORY_FILE_LIMIT_BYTES.
    """
    if limit_bytes > MEMORY_FILE_LIMIT_BYTES:
        raise TooLarge(f"it has over {MEMORY_FILE_LIMIT_BYTES // 1024**3} GiB")
    if hasattr(os, "memfd_create"):
        return os.memfd_create("swaddle", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as nameless:
        return os.dup(nameless.fileno())


def path_of(memory_fd: int) -> str:
    """The path under which this process's database engine can open a memory file."""
    return f"/proc/self/fd/{memory_fd}" if os.path.isdir("/proc/self/fd") else f"/dev/fd/{memory_fd}"  # noqa: PTH112


def chunks(fd: int, size_bytes: int, chunk_bytes: int = _COPY_BYTES) -> Iterator[bytes]:
    """The first `size_bytes` of `fd`, from the start, piece by piece; its file position is left alone."""
    offset = 0
    while offset < size_bytes:
        piece = os.pread(fd, min(chunk_bytes, size_bytes - offset), offset)
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
