"""Taking in a pack: every file of a folder as a file of its own, so that one bad file does not sink the rest.

    look_through (names, digests, index) -> each member: sheets.take_file, committed on its own -> the whole, in one row

Twice through the sealed parts in the spool: what a member is worth is known only when the index at the end was read.
A kill anywhere goes on behind the last member that was committed. One member is in memory at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Self

from swaddle.durable import write_all
from swaddle.envelope.manifest import Description
from swaddle.envelope.pack_reader import Member, contents, look_through
from swaddle.envelope.refusals import NotAPack
from swaddle.errors import FileFault, NetworkFault, SettingsFault, UsageFault
from swaddle.intake.opened import memory_file
from swaddle.registry import loads
from swaddle.registry.inside import Registry
from swaddle.registry.sheets import sum_up, take_file
from swaddle.registry.submission import Load
from swaddle.registry.taking import OneFile, nothing_stored

# A member at which the process ended this often is left out: the next try takes the others.
DEATHS = 2

Pieces = Callable[[], Iterator[memoryview]]


class TooLargeToOpen(FileFault):
    """The data set is larger than this registry opens in memory."""

    code = "SWD-REG-31"
    what = "this data set is too large to be opened in one piece"
    fix = "send it in several files, or ask the registry to raise opened_limit_bytes"


class NotWhole(FileFault):
    """Its sender could not read this file of a folder to its end."""

    code = "SWD-REG-33"
    what = "this file did not come whole"
    fix = "nothing to do if it is still there: the next run of `swaddle send` on its folder sends it"


class MemberRefused(FileFault):
    """A file of a folder breaks the rules for packs; the others do not suffer for it."""

    code = "SWD-REG-34"
    what = "this file of the folder is refused"
    why = "{reason}"
    fix = "rename it, or send it on its own"


class MemberGivenUp(FileFault):
    """The registry failed on this one file of a folder."""

    code = "SWD-REG-35"
    what = "this file could not be taken in"
    why = "the registry failed while opening it; the fault is most likely the registry's"
    fix = "send it on its own; the registry's operator sees the same code"


WHY_NOT_WHOLE = {
    "changed": "it changed while it was sent",
    "gone": "it was gone when its turn came",
    "unreadable": "it could not be read where it was sent from",
}


def take_in_members(
    inside: Registry, one: OneFile, pieces: Pieces, said: Description, at: datetime
) -> tuple[Load, bool]:
    """Take in each member of a pack; what they came to together, and whether any was stored.

    Args:
        inside: the registry.
        one: the transfer; its kind holds for every member.
        pieces: the opened body from its start, as often as asked.
        said: its description.
        at: now.

    Raises:
        NotAPack: the body is no pack, or not the one described; nothing of it is used.
        swaddle.envelope.refusals: a part is not what was signed.
        DiskFault: there is no room; it goes on later.
    """
    (entry,) = said.files
    if entry.sha256 is None or said.members is None:
        raise NotAPack("its description names no index")
    members = look_through(pieces(), index_sha256=entry.sha256, members=said.members)
    with _Deaths(inside.spool / one.transfer / "members-begun") as deaths:
        is_moving = False
        for member, content in contents(pieces(), members):
            own = replace(one, member=member.number, name=member.name)
            if loads.load_of(inside.store.connection, one.transfer, member.number) is not None:
                continue
            deaths.begin(member.number)
            _take_one(inside, own, member, content, at, deaths)
            if not is_moving:
                inside.state.update(one.transfer, attempts=1)  # it is not this pack that ends the process
                is_moving = True
    whole = sum_up(inside, one, at)
    return whole.load, not whole.refused


def _take_one(
    inside: Registry, own: OneFile, member: Member, content: Iterator[memoryview], at: datetime, deaths: _Deaths
) -> None:
    """One member: stored, or refused on its own with its reason."""
    try:
        _admit(member, deaths)
        with _in_memory(inside, member, content) as descriptor:
            take_file(inside, descriptor, member.digest, own, at)
    except (FileFault, UsageFault) as reason:
        nothing_stored(inside, own, "refused", reason, at)
    except (NetworkFault, SettingsFault):
        raise  # the disk: nothing is wrong with the member
    except Exception:  # noqa: BLE001  a fault of ours; its message may hold a value and is not told
        inside.store.remove_strays()
        nothing_stored(inside, own, "refused", MemberGivenUp(), at)


def _admit(member: Member, deaths: _Deaths) -> None:
    if member.fault is not None:
        raise MemberRefused(member.fault)
    if member.state != "whole":
        raise NotWhole(WHY_NOT_WHOLE[member.state])
    if deaths.of(member.number) > DEATHS:
        raise MemberGivenUp


@contextmanager
def _in_memory(inside: Registry, member: Member, content: Iterator[memoryview]) -> Iterator[int]:
    """A member's content in a nameless memory file, gone at the end of the block."""
    if member.size_bytes > inside.settings.opened_limit_bytes:
        raise TooLargeToOpen("it is over the registry's limit for one file")
    descriptor = memory_file(member.size_bytes)
    try:
        for piece in content:
            write_all(descriptor, piece)
        yield descriptor
    finally:
        os.close(descriptor)


class _Deaths:
    """Which member was begun last, and how often: one that ends the process is found by it. Gone when all are done."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._member = self._times = 0

    def __enter__(self) -> Self:
        if self._path.exists():
            words = self._path.read_text("ascii").split()
            if len(words) == 2 and all(word.isdigit() for word in words):
                self._member, self._times = map(int, words)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._path.unlink(missing_ok=True)

    def begin(self, member: int) -> None:
        """Note it before it is opened; a kill leaves the note."""
        self._times = self._times + 1 if member == self._member else 1
        self._member = member
        self._path.write_text(f"{member} {self._times}", "ascii")

    def of(self, member: int) -> int:
        """How often this member was begun, this time included."""
        return self._times if member == self._member else 0
