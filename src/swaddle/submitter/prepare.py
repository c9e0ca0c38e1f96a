"""Before sending: is it a file that can be sent, and is it still the one that it was."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from swaddle.envelope.positioned import BINARY
from swaddle.errors import FileFault


class FileUnusable(FileFault):
    """There is no such file, or it is none."""

    code = "SWD-SUB-20"
    what = "this file cannot be sent"


class SourceGone(FileFault):
    """A file that was being sent is no longer there or no longer the same."""

    code = "SWD-SUB-21"
    what = "a file that was being sent has changed or is gone"
    why = "its size or time is another one than when sending began"
    fix = "send it again under its name; what was sent of the old one is left to expire"


@dataclass(frozen=True)
class Source:
    """A file as it is now.

    `ctime_ns` is when anything about it changed last: unlike the time of writing nobody can set it. None on Windows,
    which keeps no such time, and where a send was begun without it.
    """

    path: Path
    size_bytes: int
    mtime_ns: int
    ctime_ns: int | None = None


@dataclass(frozen=True)
class Counts:
    """What is known of a file's content before it is sent; None where it could not be counted."""

    kind: str
    rows: int | None = None
    subjects: int | None = None
    dictionary_version: str | None = None


def look_at(path: Path) -> Source:
    """The file at `path`.

    Raises:
        FileUnusable: it is no regular file, not readable, empty, or its name is not text.
    """
    try:
        found = path.stat()
        whole = path.resolve(strict=True)
        str(whole).encode("utf-8")
    except UnicodeEncodeError as error:
        raise FileUnusable("its name is not Unicode text; rename it") from error
    except OSError as error:
        raise FileUnusable("there is no such file, or this user may not read it") from error
    if stat.S_ISDIR(found.st_mode):
        raise FileUnusable("it is a folder; name the files in it, each is sent on its own")
    if not stat.S_ISREG(found.st_mode):
        raise FileUnusable("it is not a regular file")
    if not os.access(whole, os.R_OK):
        raise FileUnusable("this user may not read it")
    if found.st_size == 0:
        raise FileUnusable("it is empty")
    return Source(whole, found.st_size, found.st_mtime_ns, None if os.name == "nt" else found.st_ctime_ns)


def open_source(source: Source) -> int:
    """A descriptor on exactly that file.

    Raises:
        SourceGone: it is not there as it was.
    """
    try:
        descriptor = os.open(source.path, os.O_RDONLY | BINARY)
    except OSError as error:
        raise SourceGone from error
    try:
        check_unchanged(descriptor, source)
        _check_same_version(descriptor, source)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_same_version(descriptor: int, source: Source) -> None:
    """Nothing at all was done to it since: what an earlier run sent and what this one sends must be one version."""
    if source.ctime_ns is not None and os.fstat(descriptor).st_ctime_ns != source.ctime_ns:
        raise SourceGone


def check_unchanged(descriptor: int, source: Source) -> None:
    """Compare the open file with what it was.

    Raises:
        SourceGone: its size or time is another one.
    """
    found = os.fstat(descriptor)
    if (found.st_size, found.st_mtime_ns) != (source.size_bytes, source.mtime_ns):
        raise SourceGone
