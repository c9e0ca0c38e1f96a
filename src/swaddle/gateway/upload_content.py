"""The content of one request on its way into a growing file: as much as comes, in order, and how it ended.

While one piece is digested and written in a thread the next is gathered, so two pieces are in memory at most. Whatever
ends it (a cut line, a newer request, silence, a full disk), what came before is written when this returns.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from swaddle.durable import DiskFault
from swaddle.gateway.upload_file import Growing
from swaddle.gateway.upload_turns import Turn

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Told = Callable[[int], Awaitable[None]]

PIECE_BYTES = 1024 * 1024
MOST_GATHERED = 1024  # content in drops must not pile up as objects
TELL_BYTES = 64 * 1024 * 1024


class Ending(Enum):
    """How the content of a request ended."""

    WHOLE = "whole"
    CUT = "cut"
    INTERRUPTED = "interrupted"
    SLOW = "slow"
    TOO_MUCH = "too much"
    FULL = "full"


@dataclass(frozen=True)
class Pace:
    """How patient the server is: seconds of silence, and bytes a second on the whole."""

    idle_seconds: float = 30
    slowest_bytes_per_second: int = 1024


class Intake:
    """Takes the content of one request in."""

    def __init__(
        self, receive: Receive, growing: Growing, room: int, size: int | None, tell: Told | None = None
    ) -> None:
        """Nothing is read yet.

        Args:
            receive: of the ASGI server.
            growing: where it goes.
            room: bytes that may come at most; the first byte beyond ends it.
            size: bytes that must come, or None where the content is in chunks.
            tell: hears the offset of what was written, every 64 MiB; or None.
        """
        self._receive, self._growing, self._room, self._size, self._tell = receive, growing, room, size, tell
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._came = 0
        self._told = growing.offset
        self._writing: asyncio.Future[None] | None = None

    async def take(self, turn: Turn, pace: Pace) -> Ending:
        """Read until it ends; everything that came is in the file then."""
        try:
            ending = await self._read(turn, pace)
            await self._write()
            await self._written()
        except DiskFault:
            return Ending.FULL
        finally:
            if self._writing is not None:  # only when we are being cancelled
                await asyncio.wait((self._writing,))
                self._writing.exception()
        return ending

    async def _read(self, turn: Turn, pace: Pace) -> Ending:
        began = time.monotonic()
        try:
            async with asyncio.timeout(pace.idle_seconds) as turn.timer:
                while not turn.is_over:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        return Ending.CUT
                    is_last = not message.get("more_body", False)
                    if not await self._gather(message.get("body", b"")):
                        return Ending.TOO_MUCH
                    if is_last:
                        return Ending.WHOLE if self._size in {None, self._came} else Ending.CUT
                    seconds = time.monotonic() - began
                    if self._came < (seconds - pace.idle_seconds) * pace.slowest_bytes_per_second:
                        return Ending.SLOW
                    self._wind(turn, pace)
        except TimeoutError:
            return Ending.INTERRUPTED if turn.is_over else Ending.SLOW
        finally:
            turn.timer = None
        return Ending.INTERRUPTED

    async def _gather(self, data: bytes) -> bool:
        """Take a piece; False when it is more than there is room for (what fits is taken)."""
        fits = self._room - self._came
        self._came += min(len(data), fits)
        if data:
            self._gathered.append(data[:fits] if len(data) > fits else data)
            self._gathered_bytes += len(data)
        if self._gathered_bytes >= PIECE_BYTES or len(self._gathered) >= MOST_GATHERED:
            await self._write()
        return len(data) <= fits

    async def _write(self) -> None:
        await self._written()
        if self._tell is not None and self._growing.offset - self._told >= TELL_BYTES:
            self._told = self._growing.offset
            await self._tell(self._told)
        pieces, self._gathered, self._gathered_bytes = self._gathered, [], 0
        self._writing = asyncio.get_running_loop().run_in_executor(None, self._growing.write, pieces)

    async def _written(self) -> None:
        """Wait for the piece that is being written; a timeout meanwhile leaves it known, so nothing overlaps."""
        if self._writing is not None:
            await asyncio.wait((self._writing,))
            writing, self._writing = self._writing, None
            writing.result()

    @staticmethod
    def _wind(turn: Turn, pace: Pace) -> None:
        """Give the next piece its time, when a second of it is used up: one timer for all costs least."""
        due = asyncio.get_running_loop().time() + pace.idle_seconds
        if turn.timer is not None and not turn.is_over and due - (turn.timer.when() or 0) > 1:
            turn.timer.reschedule(due)
