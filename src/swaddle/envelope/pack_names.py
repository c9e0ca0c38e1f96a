"""Names inside a pack: what a sender may write and a reader takes (docs/spec/envelope.md section 5a). Pure.

A name is a label for people. Nothing here or anywhere makes a path of it.
"""

from __future__ import annotations

import re
import unicodedata

INDEX_NAME = "swaddle-index.sha256"
MOST_NAME_BYTES = 1_024
MOST_PART_BYTES = 255

# What nearly every name looks like: plain ASCII, no part that begins with a dot, short.
_PLAIN = re.compile(r"(?![A-Za-z]:)[ !-\-0-\[\]-~][ -.0-\[\]-~]{0,79}(?:/[ !-\-0-\[\]-~][ -.0-\[\]-~]{0,79}){0,2}")
_DRIVE = re.compile(r"[A-Za-z]:")
# Control, format (bidirectional marks, joiners), surrogate, line and paragraph separators.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def fault_of(name: str) -> str | None:
    """Why a name cannot stand in a pack, in words that follow "its name …"; None where it can."""
    if _PLAIN.fullmatch(name):
        return "is kept for the index" if name.casefold() == INDEX_NAME else None
    for fault, is_so in (
        ("is empty", not name),
        ("is absolute", name.startswith("/") or _DRIVE.match(name) is not None),
        ("holds a backslash", "\\" in name),
        ("holds a character that is not seen or that reorders text", _hidden(name)),
        ("is not in Unicode normal form C", not unicodedata.is_normalized("NFC", name)),
        ("has a part that is no name", any(part in {"", ".", ".."} for part in name.split("/"))),
        ("is too long", _is_too_long(name)),
        ("is kept for the index", folded(name) == INDEX_NAME),
    ):
        if is_so:
            return fault
    return None


def composed(name: str) -> str:
    """A name as a pack writes it: Unicode normal form C, whatever form the file system keeps."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def folded(name: str) -> str:
    """What two names may not share: a file system that folds case or form would make one file of them."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _hidden(name: str) -> bool:
    return any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in name)


def _is_too_long(name: str) -> bool:
    parts = [len(part.encode("utf-8", "surrogatepass")) for part in name.split("/")]
    return max(parts) > MOST_PART_BYTES or sum(parts) + len(parts) - 1 > MOST_NAME_BYTES
