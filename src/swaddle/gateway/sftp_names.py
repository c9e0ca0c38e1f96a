"""Names that SFTP clients send: what they may be, which stand for a folder, which are only for the time being. Pure.

A name is data. It is a key in a session's memory and a word inside the sealed description; it is never a path of this
machine, a log line or a row.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from enum import Enum
from fnmatch import fnmatchcase

ROOT = "/"
ANSWERS = "/answers"
MOST_NAME_BYTES = 255
MOST_PATH_BYTES = 1024
MOST_DEPTH = 16


class NameRefused(Exception):
    """No file can have this name here."""


class Sort(Enum):
    """What a name says of the file under it."""

    FINAL = "final"  # whole when it is closed
    WORKING = "working"  # its client renames it when it is whole, always
    PASSING = "passing"  # scripts rename it when it is whole, most of them


# Clients that never leave a whole file under such a name: WinSCP; rclone since 1.63 (`.`, 8 hex digits, `.partial`);
# lftp.
_WORKING = re.compile(r".*\.filepart|.*\.[0-9a-f]{8}\.partial|\.in\..+", re.IGNORECASE)
# What scripts use, each in its own way.
_PASSING = re.compile(r".*\.(part|partial|tmp|temp|uploading|incomplete|transfer)|(part|tmp|temp)\..+", re.IGNORECASE)


def sort_of(path: str, further: Collection[str] = ()) -> Sort:
    """What the last part of `path` says; `further` are patterns of the operator (`*` and `?`), counted as working."""
    name = base_name(path)
    if _WORKING.fullmatch(name) or any(fnmatchcase(name, pattern) for pattern in further):
        return Sort.WORKING
    return Sort.PASSING if _PASSING.fullmatch(name) else Sort.FINAL


def canonical_path(raw: bytes) -> str:
    """The one form of a client's path: absolute, without `.`, `..` and doubled slashes; `/` is where it begins.

    Raises:
        NameRefused: not UTF-8, a control or invisible formatting character, too long or too deep.
    """
    if len(raw) > MOST_PATH_BYTES:
        raise NameRefused("the name is too long")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise NameRefused("the name is not UTF-8") from None
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in text):
        raise NameRefused("the name holds a control character")
    kept: list[str] = []
    for step in text.split("/"):
        if step == "..":
            del kept[-1:]
        elif step not in {"", "."}:
            kept.append(unicodedata.normalize("NFC", step))
    if len(kept) > MOST_DEPTH:
        raise NameRefused("the name is too deep")
    if any(len(step.encode()) > MOST_NAME_BYTES for step in kept):
        raise NameRefused("the name is too long")
    return ROOT + "/".join(kept)


def base_name(path: str) -> str:
    """The last part of a canonical path."""
    return path.rpartition("/")[2]


def parent_of(path: str) -> str:
    """The folder of a canonical path."""
    return path.rpartition("/")[0] or ROOT


def is_answer(path: str) -> bool:
    """Whether a path lies under `answers/`, or is that folder."""
    return path == ANSWERS or path.startswith(ANSWERS + "/")
