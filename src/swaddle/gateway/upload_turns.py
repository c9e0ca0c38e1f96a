"""Whose turn it is at an upload: one request at a time, and the newest one never waits for an older one to tire.

A client whose line broke comes again while the server still believes in the old connection. So whoever comes tells
those before him to stop; they keep what they have, and he begins when they have let go (draft 12, "Concurrency").
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from swaddle.wire.resumable import Refused


@dataclass(eq=False)
class Turn:
    """One request's place."""

    is_over: bool = False
    timer: asyncio.Timeout | None = None

    def stop(self) -> None:
        """Have the request give up its turn; what waits for more content wakes at once."""
        self.is_over = True
        if self.timer is not None:
            self.timer.reschedule(0)


@dataclass(eq=False)
class _Line:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    turns: list[Turn] = field(default_factory=list)


class Turns:
    """The turns at every upload of one process."""

    def __init__(self) -> None:
        """Nobody is there."""
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def take(self, upload: str, *, is_writer: bool) -> AsyncIterator[Turn]:
        """The turn at `upload`, once everybody before has stopped.

        Raises:
            Refused: `interrupted`, for a writer that was overtaken while it waited.
        """
        line = self._lines.setdefault(upload, _Line())
        for older in line.turns:
            older.stop()
        turn = Turn()
        line.turns.append(turn)
        try:
            async with line.lock:
                if is_writer and turn.is_over:
                    raise Refused("interrupted")
                yield turn
        finally:
            line.turns.remove(turn)
            if not line.turns:
                self._lines.pop(upload, None)

    def under_way(self) -> int:
        """How many requests have or await a turn."""
        return sum(len(line.turns) for line in self._lines.values())
