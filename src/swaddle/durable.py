"""Durable writes: the only place that promises something survives a crash.

Every function here either has happened after a power cut, whole, or has not happened at all; none leaves half. Each
raises `DiskFault` when the disk said no, and what was there before is still there. tests/faults proves each of them
failing both ways (not persisted; persisted but reported failed).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
from pathlib import Path

from swaddle.errors import SettingsFault


class DiskFault(SettingsFault):
    """The disk refused a write; what was there before is untouched."""

    code = "SWD-DISK-01"
    what = "the disk refused to keep something"
    fix = "make room or mend the disk, then run the same command again; nothing is half there"


def write_file(path: Path, data: bytes | memoryview, mode: int = 0o600) -> None:
    """Write `data` as `path`, whole or not at all, replacing what was there.

    Raises:
        DiskFault: full, read-only or broken.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise disk_fault(error) from error


def is_leftover(path: Path) -> bool:
    """Whether `path` is what a killed `write_file` leaves: nobody reads it, and it may be removed."""
    return re.fullmatch(r"\.[0-9a-f]{16}\.part", path.name) is not None


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte of `data` at the descriptor's place; short writes go on."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def append_line(path: Path, line: bytes, mode: int = 0o600) -> None:
    """Append `line` and a newline to `path` and sync; a torn last line of an earlier crash is cut off first.

    Raises:
        DiskFault: full, read-only or broken; the file is as before, at worst with a torn line that the next call cuts.
        ValueError: `line` holds a newline.
    """
    if b"\n" in line:
        raise ValueError("one line at a time")
    try:
        is_new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, mode)
        try:
            end = _whole_lines_end(descriptor)
            os.ftruncate(descriptor, end)
            os.lseek(descriptor, end, os.SEEK_SET)
            write_all(descriptor, line + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync_folder(path.parent)
    except OSError as error:
        raise disk_fault(error) from error


def _whole_lines_end(descriptor: int) -> int:
    """The offset just behind the last newline."""
    end = os.lseek(descriptor, 0, os.SEEK_END)
    step = 65_536
    while end > 0:
        start = max(0, end - step)
        os.lseek(descriptor, start, os.SEEK_SET)
        block = os.read(descriptor, end - start)
        newline = block.rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def remove_file(path: Path) -> None:
    """Remove `path` so that it stays removed; one that is not there is fine.

    Raises:
        DiskFault: the disk said no.
    """
    try:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise disk_fault(error) from error


def make_folder(path: Path, mode: int = 0o700) -> None:
    """Make a folder that only its owner may enter, parents included; one that is there is fine.

    Raises:
        DiskFault: the disk said no.
    """
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise disk_fault(error) from error


def sync_folder(path: Path) -> None:
    """Make renames and removals in a folder survive a crash (not needed, nor possible, on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def disk_fault(error: OSError) -> DiskFault:
    """The disk's refusal in words, without the path it was about."""
    words = {
        errno.ENOSPC: "it is full",
        errno.EDQUOT: "the quota is used up",
        errno.EROFS: "it is read-only",
        errno.EACCES: "this user may not write there",
        errno.EIO: "it reports an input/output error",
    }
    return DiskFault(words.get(error.errno or 0, os.strerror(error.errno) if error.errno else "unknown"))
