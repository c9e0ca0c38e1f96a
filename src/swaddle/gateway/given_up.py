"""A read that was given up is over before the answer begins.

granian holds a connection's body while a read of it is pending, and a read that asyncio has cancelled is pending a
moment longer. An answer that begins in that moment never leaves, and the connection hangs as long as its client likes
(seen with granian 2.8.7: every second slow sender). Enough of those and nobody gets in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
PAUSE_SECONDS = 0.1


def apart(
    receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> tuple[Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]]:
    """The two ends of a request, with a pause between a read that was given up and the answer."""
    is_given_up = False

    async def read() -> Message:
        nonlocal is_given_up
        try:
            return await receive()
        except asyncio.CancelledError:
            is_given_up = True
            raise

    async def answer(message: Message) -> None:
        nonlocal is_given_up
        if is_given_up:
            is_given_up = False
            await asyncio.sleep(PAUSE_SECONDS)
        await send(message)

    return read, answer
