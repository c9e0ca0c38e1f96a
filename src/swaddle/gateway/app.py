"""The gateway as an ASGI application: routes, and the guard that every request passes before any of them.

docs/spec/transfer.md section 3 has the table of paths. An answer never says what software gives it, and never repeats
anything of the request.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request as Asked
from starlette.responses import Response
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swaddle import durable
from swaddle.durable import DiskFault
from swaddle.gateway import sweep, trust
from swaddle.gateway.access import Who
from swaddle.gateway.bodies import Body, Gone, read_small
from swaddle.gateway.given_up import apart
from swaddle.gateway.head import length_of, read_head
from swaddle.gateway.refusal import Refusal
from swaddle.gateway.seams import BodyStore, RowStore
from swaddle.gateway.settings import Settings
from swaddle.gateway.upload_engine import Engine
from swaddle.gateway.usage import Usage
from swaddle.wire.messages import Garbled, decode, encode
from swaddle.wire.signing import Request

JSON_LIMIT_BYTES = 4 * 1024 * 1024
UNSIGNED_LIMIT_BYTES = 64 * 1024
NAMELESS = (b"server", b"")  # the server would else name itself; it cannot be made to say nothing at all

log = logging.getLogger("swaddle.gateway")
log.addHandler(logging.NullHandler())
M = TypeVar("M")


@dataclass
class Gateway:
    """Everything that requests share."""

    thread: RowStore
    store: BodyStore
    settings: Settings
    usage: Usage
    claim_file: Path
    uploads: Counter[str] = field(default_factory=Counter)
    downloads: int = 0
    unsigned: int = 0
    is_stopping: bool = False
    answers: Counter[int] = field(default_factory=Counter)
    bytes_in: int = 0
    bytes_out: int = 0
    under_way: dict[str, set[asyncio.Timeout]] = field(default_factory=dict)
    resumed: Engine = field(default_factory=Engine)

    def cut(self, party: str) -> None:
        """Break off every request of a party that is under way, waiting or not: it is no longer let in."""
        now = asyncio.get_running_loop().time()
        for timer in self.under_way.get(party, ()):
            timer.reschedule(now)

    async def drop_claim(self) -> None:
        """Remove the claim file of `gateway init`, if it still lies here: the registry has this gateway now."""
        if self.claim_file.exists():
            with suppress(DiskFault):
                await self.thread.elsewhere(durable.remove_file, self.claim_file)

    async def count(self, what: str) -> None:
        """Count in the usage database; a disk that says no stops nothing."""
        with suppress(Exception):
            await self.thread.outside(self.usage.count, what, self.thread.index.now())

    async def count_bytes(self, number: int) -> None:
        """Likewise for bytes."""
        self.bytes_in += number
        with suppress(Exception):
            await self.thread.outside(self.usage.count_bytes, number, self.thread.index.now())


class Cut(Refusal):
    """The party of this request is no longer let in: it was broken off, and is told no more than a stranger."""

    def __init__(self) -> None:
        """One text for all reasons."""
        super().__init__("unsigned")


class Call:
    """One request on its way through: its head checked, its body not read yet."""

    def __init__(self, gateway: Gateway, request: Request, receive: Receive) -> None:
        """Nothing is read yet."""
        self.gateway = gateway
        self.request = request
        self._receive = receive
        self._body: Body | None = None
        self.is_known = False
        self._party: str | None = None
        self._timer: asyncio.Timeout | None = None

    async def who(self) -> Who:
        """The party that signed.

        Raises:
            Refusal: `unsigned` or `clock`.
        """
        who = await self.gateway.thread.note(trust.authenticate, self.request)
        self.is_known = True
        if self._timer is not None and self._party is None:
            self._party = who.id
            self.gateway.under_way.setdefault(who.id, set()).add(self._timer)
            if who.id in self.gateway.thread.index.revoked:  # between its look-up and here
                raise Refusal("unsigned")
        return who

    async def within(self, answering: Awaitable[None]) -> None:
        """Answer this request until it is done, or until `Gateway.cut` says that its party is no longer let in.

        Raises:
            Cut: it was broken off.
        """
        try:
            async with asyncio.timeout(None) as self._timer:
                await answering
        except TimeoutError:
            if self._timer is not None and self._timer.expired():
                raise Cut from None
            raise
        finally:
            if self._party is not None:
                timers = self.gateway.under_way.get(self._party, set())
                timers.discard(self._timer)
                if not timers:
                    self.gateway.under_way.pop(self._party, None)

    def body(self, limit_bytes: int) -> Body:
        """The body, to be read once.

        Raises:
            Refusal: `length`, `malformed` or `too-large`.
        """
        self._body = Body(self._receive, length_of(self.request, limit_bytes), self.gateway.settings)
        return self._body

    async def receive(self) -> Any:
        """The next message of the body as it came, for a reader that keeps its own time."""
        return await (self._receive() if self._body is None else self._body.receive())

    def body_read(self) -> Body:
        """The body whose length was checked by `body`."""
        assert self._body is not None
        return self._body

    async def json(self, kind: type[M], limit_bytes: int = JSON_LIMIT_BYTES) -> M:
        """The message that the body is.

        Raises:
            Refusal: `malformed` and what reading raises.
        """
        data = await read_small(self.body(limit_bytes), self.request)
        try:
            return decode(data, kind)
        except Garbled:
            raise Refusal("malformed") from None

    async def settle(self) -> None:
        """Before a refusal: let a known client finish, so that it hears the answer; a stranger only a little."""
        values = self.request.all_of("content-length")
        is_small = bool(values) and values[0].isdigit() and int(values[0]) <= UNSIGNED_LIMIT_BYTES
        is_cut = self._timer is not None and self._timer.expired()
        if not values or is_cut or not (self.is_known or is_small):
            return
        with suppress(Refusal):
            if self._body is None:
                self._body = self.body(2**50)
            await self._body.drain()


class Guard:
    """What stands before the routes: the head is checked, refusals become answers, nothing else gets out."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        """Stand before `app`."""
        self._app = app
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run the lifespan."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        receive, send = apart(receive, send)
        is_begun = False

        async def send_nameless(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                self._gateway.answers[message["status"]] += 1
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() != b"server"]
                message = {**message, "headers": [*kept, NAMELESS, (b"cache-control", b"no-store")]}
            else:
                self._gateway.bytes_out += len(message.get("body", b""))
            await send(message)

        call: Call | None = None
        try:
            request = read_head(
                scope["method"],
                scope.get("raw_path") or b"",
                scope["query_string"],
                scope["headers"],
                self._gateway.settings.authority,
            )
            call = Call(self._gateway, request, receive)
            await call.within(self._app({**scope, "app": self, "swaddle.call": call}, receive, send_nameless))
        except Gone:
            return
        except Exception as error:  # noqa: BLE001 - the last line: whatever it was, nothing of it goes out
            refusal = refusal_of(error)
            if call is not None:
                with suppress(Gone):
                    await call.settle()
            if not is_begun:
                await problem(refusal)(scope, receive, send_nameless)


def refusal_of(error: Exception) -> Refusal:
    """What an error is to the outside; a fault of ours is logged by its kind and place, never by its text."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, HTTPException):
        return Refusal("not-found")
    if isinstance(error, DiskFault):
        return Refusal("full")
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "nowhere" if trace is None else f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
    log.error("fault %s at %s", type(error).__name__, place)
    return Refusal("fault")


def problem(refusal: Refusal) -> Response:
    """A refusal as an answer."""
    return Response(encode(refusal.problem()), refusal.status, media_type="application/problem+json")


def answer(message: object, status: int = 200) -> Response:
    """A message as an answer."""
    return Response(encode(message), status, media_type="application/json")


def call_of(asked: Asked) -> Call:
    """The call that the guard let through."""
    call = asked.scope["swaddle.call"]
    assert isinstance(call, Call)
    return call


def build(gateway: Gateway, routes: list[BaseRoute], *, on_ready: Callable[[], None] = lambda: None) -> ASGIApp:
    """The application around `gateway`; its sweeper runs while it does."""

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(sweep_for_ever(gateway))
        on_ready()
        try:
            yield
        finally:
            sweeper.cancel()
            with suppress(asyncio.CancelledError):
                await sweeper

    # The bare router: Starlette's own error pages would say whose they are.
    return Guard(Router(routes, redirect_slashes=False, default=nowhere, lifespan=lifespan), gateway)


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - the form of an ASGI application
    """Every path that is none."""
    raise Refusal("not-found")


async def sweep_for_ever(gateway: Gateway) -> None:
    """Sweep, pause, sweep; what goes wrong is tried again at the next one."""
    while True:
        try:
            await sweep.sweep(gateway.thread, gateway.store)
        except Exception as error:  # noqa: BLE001 - a sweeper that stops would keep everything for ever
            refusal_of(error)
        await asyncio.sleep(gateway.settings.sweep_seconds)
