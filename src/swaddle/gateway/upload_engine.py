"""The requests of resumable uploads, in the order of things: creation, append, offset, cancel; for both protocols.

The rules are wire/resumable.py; where uploads are kept is a `Shelf`: a folder (gateway/resumable.py, alone) or the
gateway's own store and rows (gateway/uploads.py). One request at a time has an upload, and an offset goes out only once
its bytes are synced.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol as Form

from swaddle.durable import DiskFault
from swaddle.gateway.upload_content import Ending, Intake, Pace, Receive
from swaddle.gateway.upload_file import Growing, Hash, ShortFile
from swaddle.gateway.upload_turns import Turn, Turns
from swaddle.wire import resumable_requests as said
from swaddle.wire.resumable import (
    Content,
    Event,
    Limits,
    Pairs,
    Protocol,
    Refused,
    State,
    Upload,
    keeps_what_was_cut,
    received,
    room,
)
from swaddle.wire.upload_fields import Digests, Fields

MOST_DIGESTS_KEPT = 256

Interim = Callable[[Pairs], Awaitable[None]]


class HungUp(Exception):
    """The other side went away: what came is kept, nobody is left to answer."""


@dataclass
class Kept:
    """An upload on a shelf: what is known of it, and the file that its bytes are in."""

    id: str
    path: Path
    upload: Upload


@dataclass(frozen=True)
class Asked:
    """A request about uploads, its content not read yet.

    Attributes:
        interim: sends a 104 with these fields, or None where the server cannot or the client does not want it.
    """

    method: str
    fields: Fields
    receive: Receive
    interim: Interim | None = None


@dataclass(frozen=True)
class Answer:
    """What goes out."""

    status: int
    fields: Pairs = ()
    body: bytes = b""


class Shelf(Form):
    """Where uploads are kept.

    It promises that what `make` and `keep` were given is found again after a kill, its offset never more than what lies
    in the file; and after a power cut never more than what was synced.
    """

    limits: Limits
    pace: Pace

    def now(self) -> datetime:
        """The time."""

    async def make(self, upload: Upload) -> Kept:
        """A new upload with an id of the shelf's making."""

    async def find(self, upload: str) -> Kept | None:
        """The upload of this id, as its file is."""

    async def keep(self, kept: Kept, *, is_sure: bool = True) -> None:
        """Write down what is known; not `is_sure`: bytes beyond the offset count for nothing until the next time."""

    async def complete(self, kept: Kept) -> Answer:
        """All of it is here and synced: the resource it was sent to takes it, and answers."""

    async def drop(self, kept: Kept) -> None:
        """Nothing of it is needed any more."""

    def location(self, kept: Kept) -> str:
        """The address of its upload resource."""

    def turn(self, upload: str) -> str:
        """What one request at a time may have: the upload, or what it is of."""


class Engine:
    """Answers requests about the uploads of shelves; one to a process."""

    def __init__(self) -> None:
        """Nobody is uploading."""
        self.turns = Turns()
        self._digested: OrderedDict[str, tuple[int, Mapping[str, Hash]]] = OrderedDict()

    async def create(self, asked: Asked, shelf: Shelf, upload: Upload, content: Content) -> Answer:
        """A creation whose fields were read; with its content, however much of it comes.

        Raises:
            Refused: it is refused, or something went wrong on the way; what came is kept.
            HungUp: likewise, with nobody to tell.
        """
        kept = await shelf.make(upload)
        where = (("location", shelf.location(kept)),)
        async with self.turns.take(shelf.turn(kept.id), is_writer=True) as turn:
            if asked.interim is not None:
                await asked.interim((*where, ("upload-limit", shelf.limits.field())))
            answer = await self._take(asked, shelf, kept, content, turn)
        is_told = kept.upload.protocol is Protocol.TUS or kept.upload.state is not State.COMPLETE
        return replace(answer, status=201 if is_told else answer.status, fields=(*where, *answer.fields))

    async def append(self, asked: Asked, shelf: Shelf, name: str) -> Answer:
        """An append.

        Raises:
            Refused, HungUp: as `create`.
        """
        async with self.turns.take(shelf.turn(name), is_writer=True) as turn:
            kept = await self._find(shelf, name)
            try:
                upload, content = said.appending(kept.upload, asked.fields, shelf.limits)
            except said.Overrun as overrun:
                await self._end(shelf, kept, Event.OVERRUN)
                raise overrun.refused from None
            if upload.state is State.COMPLETE:
                return Answer(204, said.describe(upload, shelf.limits, shelf.now(), upload.protocol))
            kept.upload = upload
            return await self._take(asked, shelf, kept, content, turn)

    async def look(self, asked: Asked, shelf: Shelf, name: str) -> Answer:
        """Where an upload stands; whoever still sends to it is stopped first, so that the offset holds.

        Raises:
            Refused: `not-found`, `gone` or `version`.
        """
        async with self.turns.take(shelf.turn(name), is_writer=False):
            kept = await self._find(shelf, name)
            protocol = said.must_speak(asked.fields, kept.upload)
            if kept.upload.state not in {State.OPEN, State.COMPLETE}:
                raise Refused("gone")
            status = 200 if protocol is Protocol.TUS else 204
            return Answer(status, said.describe(kept.upload, shelf.limits, shelf.now(), protocol))

    async def cancel(self, asked: Asked, shelf: Shelf, name: str) -> Answer:
        """An upload is over, and its bytes are gone when this answers.

        Raises:
            Refused: `not-found`, `gone` or `version`.
        """
        async with self.turns.take(shelf.turn(name), is_writer=False):
            kept = await self._find(shelf, name)
            said.must_speak(asked.fields, kept.upload)
            kept.upload = kept.upload.take(Event.CANCEL)
            await shelf.drop(kept)
            self._digested.pop(name, None)
            return Answer(204)

    async def _find(self, shelf: Shelf, name: str) -> Kept:
        kept = await shelf.find(name)
        if kept is None:
            raise Refused("not-found")
        if kept.upload.state is not State.EXPIRED and kept.upload.expires <= shelf.now():
            await self._end(shelf, kept, Event.EXPIRE)
        if kept.upload.state is State.EXPIRED:
            raise Refused("gone")
        return kept

    async def _end(self, shelf: Shelf, kept: Kept, event: Event) -> None:
        """Nothing may follow; that it was there is remembered until it would have expired."""
        kept.upload = kept.upload.take(event)
        self._digested.pop(kept.id, None)
        await shelf.keep(kept)

    async def _take(self, asked: Asked, shelf: Shelf, kept: Kept, content: Content, turn: Turn) -> Answer:
        """Take content in, and say where the upload stands then."""
        loop = asyncio.get_running_loop()
        is_plain = not content.digests
        if not is_plain and not keeps_what_was_cut(kept.upload, content):
            await shelf.keep(kept, is_sure=False)
        try:
            growing = await loop.run_in_executor(None, self._open, kept)
        except ShortFile:
            await self._end(shelf, kept, Event.LOSE)
            raise Refused("gone") from None
        except DiskFault:
            raise Refused("full") from None

        async def tell(offset: int) -> None:
            await loop.run_in_executor(None, growing.sync)
            await shelf.keep(replace(kept, upload=replace(kept.upload, offset=offset)))
            if asked.interim is not None:
                await asked.interim((("upload-offset", str(offset)),))

        try:
            growing.begin(content.digests.algorithms)
            most = room(kept.upload, shelf.limits)
            intake = Intake(asked.receive, growing, most, content.size, tell if is_plain else None)
            ending = await intake.take(turn, shelf.pace)
            return await self._settle(shelf, kept, content, growing, ending)
        except DiskFault:
            raise Refused("full") from None
        finally:
            growing.close()

    async def _settle(self, shelf: Shelf, kept: Kept, content: Content, growing: Growing, ending: Ending) -> Answer:
        """What came is in the file; what of it counts, and what is said of it."""
        loop = asyncio.get_running_loop()
        if ending is Ending.TOO_MUCH and kept.upload.protocol is Protocol.DRAFT:
            await self._end(shelf, kept, Event.OVERRUN)
            raise _too_much(kept, shelf)
        refusal = _refusal(kept, content, growing, ending)
        if refusal is not None or (ending is not Ending.WHOLE and not keeps_what_was_cut(kept.upload, content)):
            await loop.run_in_executor(None, growing.forget_content)
        count, is_whole = growing.offset - kept.upload.offset, ending is Ending.WHOLE and refusal is None
        try:
            kept.upload = received(kept.upload, content, count, is_whole=is_whole)
        except Refused:
            await self._end(shelf, kept, Event.OVERRUN)
            raise
        await loop.run_in_executor(None, growing.sync)
        self._digested[kept.id] = (growing.offset, growing.running)
        while len(self._digested) > MOST_DIGESTS_KEPT:
            self._digested.popitem(last=False)
        if kept.upload.state is State.COMPLETE:
            return await self._complete(shelf, kept, growing)
        await shelf.keep(kept)
        if refusal is not None:
            raise refusal
        if ending is Ending.CUT:
            raise HungUp
        if ending is not Ending.WHOLE:
            raise Refused(_WORDS[ending], fields=said.describe(kept.upload, shelf.limits, shelf.now(), Protocol.DRAFT))
        return Answer(204, said.describe(kept.upload, shelf.limits, shelf.now(), kept.upload.protocol))

    async def _complete(self, shelf: Shelf, kept: Kept, growing: Growing) -> Answer:
        digests = await asyncio.get_running_loop().run_in_executor(None, lambda: growing.whole_digests)
        self._digested.pop(kept.id, None)
        if not _holds(kept.upload.expected, digests):
            kept.upload = replace(kept.upload, state=State.OPEN)
            await self._end(shelf, kept, Event.DIFFER)
            raise Refused("digest-mismatched-values", fields=(("upload-complete", "?1"),))
        answer = await shelf.complete(kept)
        told = (
            *said.describe(kept.upload, shelf.limits, shelf.now(), kept.upload.protocol),
            *said.digests_told(kept.upload, digests),
        )
        status = 204 if kept.upload.protocol is Protocol.TUS else answer.status
        return replace(answer, status=status, fields=(*told, *answer.fields))

    def _open(self, kept: Kept) -> Growing:
        """The file, its digests gone on with where an earlier request of this process left them."""
        offset, running = self._digested.pop(kept.id, (-1, None))
        known = running if offset == kept.upload.offset else None
        return Growing(kept.path, kept.upload.offset, kept.upload.algorithms, known)


_WORDS = {Ending.INTERRUPTED: "interrupted", Ending.SLOW: "slow", Ending.FULL: "full"}


def _holds(digests: Digests, computed: Mapping[str, bytes]) -> bool:
    return all(computed[name] == value for name, value in digests.values)


def _refusal(kept: Kept, content: Content, growing: Growing, ending: Ending) -> Refused | None:
    """Why the content of this request counts for nothing, if so; the upload stays as it was."""
    is_tus = kept.upload.protocol is Protocol.TUS
    if ending is Ending.TOO_MUCH:
        return Refused("too-large")
    if ending is Ending.WHOLE and not _holds(content.digests, growing.content_digests):
        return Refused("checksum" if is_tus else "digest-mismatched-values")
    return None


def _too_much(kept: Kept, shelf: Shelf) -> Refused:
    if kept.upload.length is None:
        return Refused("too-large", fields=(("upload-limit", shelf.limits.field()),))
    return Refused("inconsistent-upload-length")
