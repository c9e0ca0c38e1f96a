"""A shelf that is a folder: each upload two files, what is known of it and its bytes. For the app that runs alone.

After a kill the length of the bytes' file is the offset: the kernel has what was written. After a power cut (the boot
id is another one) it is what was synced last. What an unfinished request brought under a digest of its own counts for
nothing in both.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from swaddle import durable
from swaddle.gateway.upload_content import Pace
from swaddle.gateway.upload_engine import Answer, Kept
from swaddle.gateway.upload_file import boot_id, length_of
from swaddle.wire.resumable import Limits, Protocol, Refused, State, Upload
from swaddle.wire.upload_fields import Digests

ID = re.compile(r"[0-9a-f]{32}")


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is written down of an upload."""

    protocol: str
    state: str
    expires: int
    offset: int
    length: int | None
    expected: tuple[tuple[str, bytes], ...]
    wanted: tuple[str, ...]
    metadata: str | None
    is_sure: bool
    boot: str

    def upload(self, boot: str, file_bytes: int) -> Upload:
        """The upload, its offset as the file allows."""
        state = State(self.state)
        offset = self.offset
        if state is State.OPEN and self.is_sure and self.boot == boot:
            offset = max(offset, file_bytes if self.length is None else min(file_bytes, self.length))
        return Upload(
            protocol=Protocol(self.protocol),
            expires=datetime.fromtimestamp(self.expires, UTC),
            offset=offset,
            length=self.length,
            state=state,
            expected=Digests(self.expected),
            wanted=self.wanted,
            metadata=self.metadata,
        )


def note_of(upload: Upload, boot: str, *, is_sure: bool) -> Note:
    """What is written down of `upload`."""
    return Note(
        protocol=upload.protocol.value,
        state=upload.state.value,
        expires=int(upload.expires.timestamp()),
        offset=upload.offset,
        length=upload.length,
        expected=upload.expected.values,
        wanted=upload.wanted,
        metadata=upload.metadata,
        is_sure=is_sure,
        boot=boot,
    )


@dataclass
class Folder:
    """Uploads in a folder."""

    path: Path
    limits: Limits
    pace: Pace
    base: str = ""
    most_open: int = 10_000
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __post_init__(self) -> None:
        """Know this boot."""
        self._boot = boot_id()
        self._open = [sum(1 for _ in self._notes())]  # one count for all copies that `at` makes

    def at(self, base: str) -> Folder:
        """The same folder, for a request to the collection at `base` (an absolute URL)."""
        here = copy(self)
        here.base = base
        return here

    def now(self) -> datetime:
        """The time."""
        return self.clock()

    def expiry(self) -> datetime:
        """When an upload that is made now expires."""
        return self.now().replace(microsecond=0) + timedelta(seconds=self.limits.max_age_seconds)

    async def make(self, upload: Upload) -> Kept:
        """A new upload.

        Raises:
            Refused: `busy`, or `full` when the disk said no.
        """
        if self._open[0] >= self.most_open:
            raise Refused("busy")
        name = secrets.token_hex(16)
        kept = Kept(name, self.path / f"{name}.bytes", upload)
        await self.keep(kept)
        self._open[0] += 1
        return kept

    async def find(self, upload: str) -> Kept | None:
        """The upload of this id."""
        return await asyncio.to_thread(self._read, upload)

    async def keep(self, kept: Kept, *, is_sure: bool = True) -> None:
        """Write down what is known; the bytes of one that is over go.

        Raises:
            Refused: `full`, the disk said no.
        """
        note = msgspec.json.encode(note_of(kept.upload, self._boot, is_sure=is_sure))
        try:
            await asyncio.to_thread(durable.write_file, self.path / f"{kept.id}.json", note)
            if kept.upload.state not in {State.OPEN, State.COMPLETE}:
                await asyncio.to_thread(durable.remove_file, kept.path)
        except durable.DiskFault:
            raise Refused("full") from None

    async def complete(self, kept: Kept) -> Answer:
        """There is no resource behind this one: the bytes stay where they are."""
        await self.keep(kept)
        return Answer(200)

    async def drop(self, kept: Kept) -> None:
        """Remove both files."""
        for path in (kept.path, self.path / f"{kept.id}.json"):
            with suppress(durable.DiskFault):
                await asyncio.to_thread(durable.remove_file, path)
        self._open[0] -= 1

    def location(self, kept: Kept) -> str:
        """The address of its upload resource."""
        return f"{self.base}{kept.id}"

    def turn(self, upload: str) -> str:
        """One request at a time has an upload."""
        return upload

    async def sweep(self) -> None:
        """Remove what has expired long ago; until then it is remembered as expired."""
        for name in list(self._notes()):
            kept = await self.find(name)
            if kept is not None and kept.upload.expires + timedelta(seconds=self.limits.max_age_seconds) <= self.now():
                await self.drop(kept)

    def _notes(self) -> Iterator[str]:
        return (path.stem for path in self.path.glob("*.json") if ID.fullmatch(path.stem))

    def _read(self, name: str) -> Kept | None:
        if not ID.fullmatch(name):
            return None
        try:
            note = msgspec.json.decode((self.path / f"{name}.json").read_bytes(), type=Note)
        except (OSError, msgspec.DecodeError):
            return None
        path = self.path / f"{name}.bytes"
        return Kept(name, path, note.upload(self._boot, length_of(path)))
