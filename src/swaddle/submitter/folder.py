"""A folder before sending: every file in it as it is now, what has to be left out, and why.

Links and special files are looked at, never followed and never opened. Nothing is left out in silence.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from swaddle.envelope import pack_names
from swaddle.envelope.pack import MOST_MEMBERS, pack_bytes
from swaddle.submitter.prepare import FileUnusable, SourceGone

SPECIAL = "it is a device, a pipe or a socket, which is never opened"
_READS_ALL = hasattr(os, "geteuid") and os.geteuid() == 0  # asking would cost and say yes
LINK = "it is a symbolic link, which is never followed"


class Planned(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A file of a folder as it was when sending was planned.

    Attributes:
        name: in the pack, relative to the folder.
        mtime_ns: of its last change.
        path: relative to the folder, where the file system writes the name in another Unicode form; else None.
    """

    name: str
    size_bytes: int
    mtime_ns: int
    path: str | None = None


@dataclass(frozen=True)
class LeftOut:
    """A file that is not sent, and why.

    Attributes:
        is_usual: a link or a special file: never sent, and no fault.
        is_late: it was planned, and found wanting when its turn came.
    """

    name: str
    why: str
    is_usual: bool = False
    is_late: bool = False


@dataclass
class Folder:
    """A folder as it is now."""

    path: Path
    members: list[Planned] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True)
class Packed:
    """Files of one folder that go as one transfer."""

    path: Path
    members: tuple[Planned, ...]

    @property
    def size_bytes(self) -> int:
        """Length of the pack."""
        return pack_bytes((member.name, member.size_bytes) for member in self.members)


def look_into(path: Path, home: Path) -> Folder:
    """All files at and below `path`; the submitter's own home is passed over.

    Raises:
        FileUnusable: the folder itself cannot be read, or its name is not text.
    """
    try:
        whole = path.resolve(strict=True)
        str(whole).encode("utf-8")
        os.scandir(whole).close()
    except UnicodeEncodeError as error:
        raise FileUnusable("the folder's name is not Unicode text; rename it") from error
    except OSError as error:
        raise FileUnusable("there is no such folder, or this user may not read it") from error
    found = Folder(whole)
    seen: set[str] = set()
    below = [""]
    while below:
        prefix = below.pop()
        below += reversed(list(_look_at_one(found, prefix, seen, home)))
    return found


def _look_at_one(found: Folder, prefix: str, seen: set[str], home: Path) -> Iterator[str]:
    """Plan the files of one folder; gives out the folders in it, as prefixes."""
    try:
        with os.scandir(found.path / prefix if prefix else found.path) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        found.left_out.append(LeftOut(prefix, "this folder cannot be read"))
        return
    for entry in listed:
        name = prefix + entry.name
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            found.left_out.append(LeftOut(name, "it is gone, or this user may not look at it"))
            continue
        if stat.S_ISREG(status.st_mode):
            _plan(found, entry, name, status, seen)
        elif stat.S_ISDIR(status.st_mode):
            if found.path / name != home:
                yield f"{name}/"
        else:
            is_link = stat.S_ISLNK(status.st_mode)
            found.left_out.append(LeftOut(name, LINK if is_link else SPECIAL, is_usual=True))


def _plan(found: Folder, entry: os.DirEntry[str], name: str, status: os.stat_result, seen: set[str]) -> None:
    """One regular file: into the plan, or left out with its reason."""
    composed = pack_names.composed(name)
    fault = pack_names.fault_of(composed)
    if fault is None and not (_READS_ALL or os.access(entry.path, os.R_OK)):
        why = "this user may not read it"
    elif fault is not None:
        why = f"its name {fault}; rename it"
    else:
        key = pack_names.folded(composed)
        if key not in seen:
            seen.add(key)
            path = None if composed == name else name
            found.members.append(Planned(composed, status.st_size, status.st_mtime_ns, path))
            return
        why = "another file has the same name but for upper and lower case; rename one"
    found.left_out.append(LeftOut(name, why))


def packs_of(path: Path, members: Collection[Planned]) -> list[Packed]:
    """Files as the transfers that they go in: one, or more where there are more files than a pack may have."""
    known = list(members)
    return [Packed(path, tuple(known[at : at + MOST_MEMBERS])) for at in range(0, len(known), MOST_MEMBERS)]


def still_there(pack: Packed) -> Packed:
    """The files of a pack that are what they were.

    Raises:
        SourceGone: none is.
    """
    left = tuple(member for member in pack.members if _is_same(pack.path, member))
    if not left:
        raise SourceGone
    return Packed(pack.path, left)


def _is_same(folder: Path, member: Planned) -> bool:
    try:
        status = (folder / (member.path or member.name)).lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and (status.st_size, status.st_mtime_ns) == (member.size_bytes, member.mtime_ns)
