"""Parts on their way side by side: while one is being sent the next is sealed, and a long line carries several.

One lane is one connection. Another is opened only when a sealed part is ready and every lane is busy: then it is the
line that is waited for, and not the sealing. What is in memory is the parts on their way and the one being sealed;
`part_bytes_for` keeps that within `MEMORY_BYTES`, whatever the size of the file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from queue import SimpleQueue
from types import TracebackType
from typing import Protocol, Self

from swaddle.envelope.parts import MOST_PART_BYTES, SEGMENT_BYTES
from swaddle.envelope.positioned import Positioned
from swaddle.envelope.seal import SealedPart
from swaddle.wire.client import GatewayClient, retry

MIB = 1024 * 1024
MEMORY_BYTES = 48 * MIB
# A connection across a room takes well under a millisecond, across a country ten, to another continent a hundred.
LONG_LINE_S = 0.01
SHORT_LANES, LONG_LANES = 2, 8
SHORT_PART_BYTES, LONG_PART_BYTES, LEAST_PART_BYTES = 16 * MIB, 4 * MIB, MIB
MOST_PARTS = 40_000  # the gateway takes 50,000: their digests must fit one message


def lanes_for(round_trip_s: float) -> int:
    """How many lanes a line may get: over a long one each stream waits, and after a loss it waits longer."""
    return LONG_LANES if round_trip_s >= LONG_LINE_S else SHORT_LANES


def part_bytes_for(size_bytes: int, round_trip_s: float) -> int:
    """The part size for a file: small where many lanes will carry it, larger where there would be too many parts."""
    usual = SHORT_PART_BYTES
    if round_trip_s >= LONG_LINE_S:  # two parts a lane at least, so that none is idle while another has much to do
        usual = min(max(LEAST_PART_BYTES, size_bytes // (2 * LONG_LANES)), LONG_PART_BYTES)
    wanted = max(usual, -(-size_bytes // MOST_PARTS))
    return min(-(-wanted // SEGMENT_BYTES) * SEGMENT_BYTES, MOST_PART_BYTES)


def lanes_within(part_bytes: int, lanes: int) -> int:
    """As many lanes as memory allows beside the part that is being sealed; one at least."""
    return max(1, min(lanes, MEMORY_BYTES // part_bytes - 1))


class Sealer(Protocol):
    """What makes a part ready to be sent, in a buffer of its own that the next part overwrites."""

    def seal(
        self,
        source: Positioned,
        offset: int,
        length: int,
        on_plaintext: Callable[[memoryview], object] | None = None,
    ) -> SealedPart:
        """As `envelope.seal.PartSealer.seal`."""


class _Stopped(Exception):
    """The run has ended for another reason; nobody is told of this."""


class Lanes:
    """Sends sealed parts, in any order, over as many connections as the line can use. Leave it as a context manager."""

    def __init__(
        self,
        first: GatewayClient,
        another: Callable[[], GatewayClient],
        new_sealer: Callable[[], AbstractContextManager[Sealer]],
        part_bytes: int,
    ) -> None:
        """Nothing is sent yet.

        Args:
            first: stays the caller's.
            another: makes further clients, which are closed here.
            new_sealer: makes a sealer with a buffer of its own, which is closed here.
            part_bytes: of the transfer.
        """
        most = lanes_within(part_bytes, lanes_for(first.round_trip_s))
        self._another, self._new_sealer, self._most = another, new_sealer, most
        self._idle: SimpleQueue[GatewayClient] = SimpleQueue()
        self._idle.put(first)
        self._clients = [first]
        self._sealers = 0
        self._open_sealers = ExitStack()
        self._spare: list[Sealer] = []
        self._under_way: dict[Future[None], tuple[int, bytes, Sealer]] = {}
        self._done: dict[int, str] = {}
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(most, "swaddle-lane")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        if error is not None:
            for client in self._clients:
                client.cut()  # what is half sent would only be waited for
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._open_sealers.close()
        for client in self._clients[1:]:
            client.close()

    def sealer(self) -> Sealer:
        """A sealer whose buffer is free; waits for a part to get through where all are on their way.

        Raises:
            What sending a part raised, in its lane.
        """
        self._collect(block=False)
        if not self._spare and self._sealers <= self._most:
            self._sealers += 1
            return self._open_sealers.enter_context(self._new_sealer())
        while not self._spare:
            self._collect(block=True)
        return self._spare.pop()

    def send(self, number: int, path: str, part: SealedPart, sealer: Sealer) -> None:
        """Send part `number`, sealed by `sealer`, which is not used before the part has got through."""
        if len(self._under_way) >= len(self._clients) and len(self._clients) < self._most:
            self._clients.append(self._another())
            self._idle.put(self._clients[-1])
        future = self._pool.submit(self._carry, path, part)
        self._under_way[future] = (number, part.sha256, sealer)

    def finish(self) -> None:
        """Wait until every part has got through.

        Raises:
            What sending a part raised, in its lane.
        """
        while self._under_way:
            self._collect(block=True)

    def through(self, kept: tuple[str, ...]) -> tuple[str, ...]:
        """`kept`, the digests of the first parts, hex, with those that have got through since and follow them."""
        found = list(kept)
        while (digest := self._done.pop(len(found), None)) is not None:
            found.append(digest)
        return tuple(found)

    def _collect(self, *, block: bool) -> None:
        """Take in what has got through; the first error is raised when the rest is noted."""
        if not self._under_way:
            return
        done, _ = wait(self._under_way, timeout=None if block else 0, return_when=FIRST_COMPLETED)
        wrong: BaseException | None = None
        for future in done:
            number, digest, sealer = self._under_way.pop(future)
            self._spare.append(sealer)
            error = future.exception()
            if error is None:
                self._done[number] = digest.hex()
            wrong = wrong or error
        if wrong is not None:
            raise wrong

    def _carry(self, path: str, part: SealedPart) -> None:
        """One part over one lane, in the lane's thread."""
        client = self._idle.get()
        try:
            retry(partial(client.put_part, path, part.data, part.sha256), sleep=self._pause)
        finally:
            self._idle.put(client)

    def _pause(self, seconds: float) -> None:
        """Wait before a part is tried again; not when nobody wants it any more."""
        if self._stopped.wait(seconds):
            raise _Stopped
