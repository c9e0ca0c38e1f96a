"""Bodies between the network and the disk, a piece at a time: memory does not grow with a part, or with slow clients.

While one piece of an arriving part is digested and written in a thread, the next one is gathered; so at most two pieces
of each part are in memory. A body that is silent too long, or slow on the whole, is given up.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from hashlib import sha256
from typing import Any

from swaddle.gateway.refusal import Refusal
from swaddle.gateway.seams import PartComing
from swaddle.gateway.settings import Settings
from swaddle.gateway.store import PIECE_BYTES
from swaddle.wire.signing import Request, Unsigned, parse_content_digest

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

DRAIN_BYTES = 256 * 1024 * 1024
DRAIN_SECONDS = 10
MOST_GATHERED = 1024  # a body in drops must not pile up as objects


class Gone(Exception):
    """The other side hung up; nobody is left to answer."""


class Body:
    """The body of one request, read once."""

    def __init__(self, receive: Receive, length: int, settings: Settings) -> None:
        """Nothing is read yet; `length` is what the head says."""
        self._receive = receive
        self._length = length
        self._idle_seconds = settings.idle_seconds
        self._deadline = time.monotonic() + settings.idle_seconds + length / settings.slowest_bytes_per_second
        self._came = 0
        self._is_read = False

    async def read(self, take: Callable[[bytes], Awaitable[None] | None]) -> None:
        """Give the body to `take` as it comes. One timer runs for all pieces: one for each would cost more than they.

        Raises:
            Refusal: `slow`, or `malformed` when more or less comes than the head says.
            Gone: the other side hung up.
        """
        try:
            async with asyncio.timeout(self._idle_seconds) as timer:
                while not self._is_read:
                    data = self._checked(await self._receive())
                    waiting = take(data)
                    if waiting is not None:
                        await waiting
                    self._wind(timer)
        except TimeoutError:
            self._is_read = True  # nobody waits for the rest of it again
            raise Refusal("slow") from None

    async def receive(self) -> Message:
        """The next message as it came, for a reader with a clock of its own; counted, so `drain` knows the rest."""
        message = await self._receive()
        self._came += len(message.get("body", b""))
        self._is_read = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Throw the rest away, so that a refusal finds a client that listens; not for ever."""
        if self._length - self._came > DRAIN_BYTES:
            return
        self._deadline = min(self._deadline, time.monotonic() + DRAIN_SECONDS)
        await self.read(lambda _: None)

    def _checked(self, message: Message) -> bytes:
        if message["type"] == "http.disconnect":
            raise Gone
        data: bytes = message.get("body", b"")
        self._came += len(data)
        self._is_read = not message.get("more_body", False)
        if self._came > self._length or (self._is_read and self._came < self._length):
            raise Refusal("malformed")
        return data

    def _wind(self, timer: asyncio.Timeout) -> None:
        """Give the next piece its time, when a second of it is used up."""
        loop_time = asyncio.get_running_loop().time()
        due = loop_time + min(self._idle_seconds, self._deadline - time.monotonic())
        if due - (timer.when() or 0) > 1:
            timer.reschedule(due)


async def read_small(body: Body, request: Request) -> bytes:
    """A whole small body, its digest checked.

    Raises:
        Refusal: `digest`, `unsigned` for a digest field of another form, and what `Body.read` raises.
    """
    expected = stated_digest(request)
    data = bytearray()
    await body.read(data.extend)
    if sha256(data).digest() != expected:
        raise Refusal("digest")
    return bytes(data)


def stated_digest(request: Request) -> bytes:
    """The digest that the head says.

    Raises:
        Refusal: `unsigned`: a body always carries it, and the signature covers it.
    """
    values = request.all_of("content-digest")
    if len(values) != 1:
        raise Refusal("unsigned")
    try:
        return parse_content_digest(values[0])
    except Unsigned:
        raise Refusal("unsigned") from None


async def take_in(body: Body, incoming: PartComing) -> None:
    """Write a body into a part that is coming in; when this returns or raises, no thread writes any more.

    Raises:
        DiskFault: the disk said no.
        Refusal, Gone: what `Body.read` raises.
    """
    loop = asyncio.get_running_loop()
    writing: asyncio.Future[None] | None = None
    gathered: list[bytes] = []
    gathered_bytes = 0

    async def write() -> None:
        nonlocal writing, gathered, gathered_bytes
        if writing is not None:
            await writing
        writing = loop.run_in_executor(None, incoming.write, gathered)
        gathered, gathered_bytes = [], 0

    def take(data: bytes) -> Awaitable[None] | None:
        nonlocal gathered_bytes
        gathered.append(data)
        gathered_bytes += len(data)
        return write() if gathered_bytes >= PIECE_BYTES or len(gathered) >= MOST_GATHERED else None

    try:
        try:
            await body.read(take)
        finally:
            await write()  # of a body that broke off too: an upload goes on behind it
    finally:
        if writing is not None:
            await asyncio.wait((writing,))
            writing.exception()  # seen, when something else is being raised
    if writing is not None:
        writing.result()


async def give_out(
    descriptor: int, size_bytes: int, send: Send, settings: Settings, still: Callable[[], Awaitable[bool]]
) -> bool:
    """Send a stored part, asking before each piece whether it may still go; False when it was broken off."""
    loop = asyncio.get_running_loop()
    deadline = time.monotonic() + settings.idle_seconds + size_bytes / settings.slowest_bytes_per_second
    offset = 0
    while offset < size_bytes:
        left = deadline - time.monotonic()
        if left <= 0 or not await still():
            return False
        piece = await loop.run_in_executor(None, os.pread, descriptor, min(PIECE_BYTES, size_bytes - offset), offset)
        if not piece:
            return False
        offset += len(piece)
        sending = send({"type": "http.response.body", "body": piece, "more_body": offset < size_bytes})
        try:
            await asyncio.wait_for(sending, min(settings.idle_seconds, left))
        except TimeoutError:
            return False
    return True
