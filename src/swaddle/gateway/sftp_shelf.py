"""The files of one SSH key, across its sessions: by name, in memory, for ten minutes at most once nobody is there.

A client with several connections is one client: what it made by one it looks for by the next.

All of this runs on the event loop; what blocks (the gateway, the disk, the sealing) is awaited in threads.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from swaddle.errors import SwaddleError
from swaddle.gateway.sftp_files import Event, Refused, State, after
from swaddle.gateway.sftp_names import base_name
from swaddle.gateway.sftp_packets import Attributes
from swaddle.gateway.sftp_upload import Gateway, Upload
from swaddle.gateway.sftp_window import OutOfPlace, Window

T = TypeVar("T")
_PROCESSORS = os.cpu_count() or 1


@dataclass(eq=False)
class DoorFile:
    """One file between its first byte and the gateway's word."""

    path: str
    upload: Upload
    state: State = State.COMING
    window: Window = field(default_factory=Window)
    modified: int = field(default_factory=lambda: int(time.time()))
    owner: object = None  # the session that has it open
    last: object = None  # the session that had it open last
    on_room: Callable[[], None] | None = None
    timer: asyncio.TimerHandle | None = None

    @property
    def attributes(self) -> Attributes:
        """As `stat` shows it: what came of it in order."""
        return Attributes.sent(self.window.end, self.modified)

    def move(self, event: Event) -> None:
        """Change the state by the table.

        Raises:
            Refused: the table does not have it.
        """
        self.state = after(self.state, event)

    def write(self, offset: int, data: memoryview) -> None:
        """Take bytes from the client.

        Raises:
            Refused: they have no place in the stream, or what is behind it failed.
        """
        try:
            self.window.write(offset, data, self.upload.sealing.take)
        except OutOfPlace as error:
            raise Refused(str(error)) from None
        except (SwaddleError, OSError) as error:
            raise refused(error) from error


class Shelf:
    """The files of one SSH key."""

    def __init__(self, keeper: Keeper, ssh_key: str, fingerprint: str) -> None:
        """Begin empty."""
        self._keeper = keeper
        self.ssh_key = ssh_key
        self._fingerprint = fingerprint
        self.files: dict[str, DoorFile] = {}
        self.taken: dict[str, Attributes] = {}
        self.folders: set[str] = set()
        self._sessions = 0

    def enter(self) -> None:
        """One more session."""
        self._sessions += 1

    def leave(self) -> None:
        """One session less; with the last one all names are forgotten but those of files that may be gone on with."""
        self._sessions -= 1
        if not self._sessions:
            self.taken.clear()
            self.folders.clear()
        self._keeper.forget(self)

    @property
    def is_empty(self) -> bool:
        """Whether nothing needs it."""
        return not self.files and not self._sessions

    async def new(self, path: str, owner: object, on_room: Callable[[], None]) -> DoorFile:
        """Begin a file; the name must be free.

        Raises:
            Refused: too many at once, or the gateway takes none.
        """
        keeper = self._keeper
        if len(self.files) >= keeper.files_each or keeper.open_files >= keeper.files:
            raise Refused("too many files at once; finish one first")
        keeper.open_files += 1
        loop = asyncio.get_running_loop()
        made: list[DoorFile] = []

        def room() -> None:
            # The loop is closed when the door ends in the middle of a file: then nobody waits for room.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(lambda: made and made[0].on_room and made[0].on_room())

        try:
            upload = await keeper.run(
                lambda: Upload(keeper.gateway, self.ssh_key, self._fingerprint, room, keeper.is_alone)
            )
        except BaseException as error:
            keeper.open_files -= 1
            if isinstance(error, SwaddleError | OSError):
                raise refused(error) from error
            raise
        if path in self.files:  # another session was quicker
            await self._release(upload.drop)
            raise Refused("this file is open already")
        file = DoorFile(path, upload, owner=owner, last=owner, on_room=on_room)
        made.append(file)
        self.files[path] = file
        return file

    def take_over(self, file: DoorFile, owner: object, on_room: Callable[[], None]) -> None:
        """Go on with a file in another session; what lay behind a gap is sent again."""
        file.move(Event.OPEN)
        file.window.cut()
        file.owner = file.last = owner
        file.on_room = on_room
        self._stop_timer(file)

    def lay(self, file: DoorFile, event: Event) -> None:
        """Nobody has it open any more: it waits for its name, or to be gone on with; not for ever."""
        file.move(event)
        file.owner = None
        self._stop_timer(file)
        loop = asyncio.get_running_loop()
        lapse = lambda: self._keeper.spawn(self.drop(file, Event.LAPSE))  # noqa: E731 - one line, used once
        file.timer = loop.call_later(self._keeper.resume_seconds, lapse)

    def rename(self, file: DoorFile, path: str) -> None:
        """Another name; nothing else changes."""
        del self.files[file.path]
        file.path = path
        self.files[path] = file

    async def commit(self, file: DoorFile, event: Event) -> None:
        """Hand a whole file to the gateway; returns when it holds it.

        Raises:
            Refused: it is not held, and nothing of it is left here.
        """
        file.move(event)
        self._stop_timer(file)
        file.owner = None
        try:
            _must_be_whole(file)
            await self._release(lambda: file.upload.commit(base_name(file.path)))
            file.move(Event.HELD)
            self.taken[file.path] = file.attributes
        except Refused:
            await self._gone(file, Event.FAIL)
            raise
        except (SwaddleError, OSError) as error:
            file.move(Event.FAIL)
            raise refused(error) from error
        finally:
            self.files.pop(file.path, None)
            self._keeper.forget(self)

    async def drop(self, file: DoorFile, event: Event) -> None:
        """Give a file up.

        Raises:
            Refused: it is taken, or just being taken.
        """
        after(file.state, event)
        self.files.pop(file.path, None)
        self._stop_timer(file)
        await self._gone(file, event)
        self._keeper.forget(self)

    async def _gone(self, file: DoorFile, event: Event) -> None:
        file.move(event)
        file.owner = None
        await self._release(file.upload.drop)

    async def _release(self, last: Callable[[], None]) -> None:
        """The last thing that happens to an upload."""
        try:
            await self._keeper.run(last)
        finally:
            self._keeper.open_files -= 1

    @staticmethod
    def _stop_timer(file: DoorFile) -> None:
        if file.timer is not None:
            file.timer.cancel()
            file.timer = None


class Keeper:
    """All shelves of the door, and the threads in which they wait."""

    def __init__(self, gateway: Gateway, files: int, files_each: int, resume_seconds: int) -> None:
        """Begin with none."""
        self.gateway = gateway
        self.files = files
        self.files_each = files_each
        self.resume_seconds = resume_seconds
        self.open_files = 0
        self._shelves: dict[str, Shelf] = {}
        self._pool = ThreadPoolExecutor(files + 16, "door-wait")
        self._tasks: set[asyncio.Future[None]] = set()

    def is_alone(self) -> bool:
        """Whether one file comes and there is no processor left over for a thread of its own."""
        return self.open_files == 1 and _PROCESSORS <= 2

    def shelf(self, ssh_key: str, fingerprint: str) -> Shelf:
        """The shelf of a key."""
        return self._shelves.setdefault(ssh_key, Shelf(self, ssh_key, fingerprint))

    def forget(self, shelf: Shelf) -> None:
        """Let an empty shelf go."""
        if shelf.is_empty:
            self._shelves.pop(shelf.ssh_key, None)

    async def run(self, work: Callable[[], T]) -> T:
        """Do in a thread what blocks; once begun it is done to its end, whoever stops waiting for it."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._pool, work))

    def spawn(self, work: Awaitable[None]) -> None:
        """Do something that nobody waits for."""
        task = asyncio.ensure_future(_quiet(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, seconds: float) -> None:
        """Wait for what is being handed over."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)

    @property
    def is_busy(self) -> bool:
        """Whether a client has a file open, or one is just being handed over."""
        at_work = {State.COMING, State.CLOSING}
        return any(file.state in at_work for shelf in self._shelves.values() for file in shelf.files.values())


def _must_be_whole(file: DoorFile) -> None:
    if file.window.has_gap:
        raise Refused("a piece of the file never came")


async def _quiet(work: Awaitable[None]) -> None:
    # The client is gone, or was answered already: `answers/` tells it later what became of the file.
    with suppress(Refused):
        await work


def refused(error: SwaddleError | OSError) -> Refused:
    """What a client is told of an error behind the door; our texts hold no name and no value."""
    if isinstance(error, SwaddleError):
        what, why, _ = error.lines()
        return Refused(f"{what}: {why}")
    return Refused("the disk or the gateway failed; send the file again")
