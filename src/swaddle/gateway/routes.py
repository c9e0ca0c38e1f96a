"""The paths of docs/spec/transfer.md section 3, each a few lines: who asks, what is asked, which operation."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.requests import Request as Asked
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from swaddle.canonical import format_instant
from swaddle.durable import DiskFault
from swaddle.gateway import counts, enrolment, health, instructions, reading, restored, sending, sweep, trust, uploads
from swaddle.gateway.access import Who, must_be_registry
from swaddle.gateway.app import UNSIGNED_LIMIT_BYTES, Call, Gateway, answer, call_of
from swaddle.gateway.bodies import give_out
from swaddle.gateway.refusal import Refusal
from swaddle.wire import messages
from swaddle.wire.statements import Invite, Revoke

_ID = re.compile(r"[0-9a-f]{32}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,5}")
_AFTER = re.compile(r"after=(0|[1-9][0-9]{0,14})")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
RENEW_SECONDS = 30


async def server_time(call: Call) -> Response:
    """The gateway's clock; anybody may ask."""
    return answer(messages.Time(server_time=format_instant(call.gateway.thread.index.now())))


async def claim(call: Call) -> Response:
    """A registry claims this gateway."""
    return answer(await call.gateway.thread.run(enrolment.claim, await _unsigned(call, messages.Claim)))


async def enrol(call: Call) -> Response:
    """A submitter posts its keys."""
    await call.gateway.thread.run(enrolment.enrol, await _unsigned(call, messages.Enrolment))
    return Response(b"{}", 202, media_type="application/json")


async def enrolment_state(call: Call) -> Response:
    """A submitter asks how far it is."""
    asked = await _unsigned(call, messages.EnrolmentQuestion)
    return answer(await call.gateway.thread.run(enrolment.state, asked.lookup))


async def instruct(call: Call) -> Response:
    """The registry instructs."""
    must_be_registry(await call.who())
    taken = await call.gateway.thread.run(instructions.take, await call.json(messages.SignedText))
    call.gateway.settings = call.gateway.thread.index.settings  # one object, exchanged whole
    if isinstance(taken, Revoke):
        call.gateway.cut(taken.submitter)
    if isinstance(taken, Invite):  # by now `registry init` is done and needs its claim no more
        await call.gateway.drop_claim()
    await _destroy_refused(call.gateway)
    return Response(b"{}", 200, media_type="application/json")


async def pending_enrolments(call: Call) -> Response:
    """The registry reads who wants to be let in."""
    must_be_registry(await call.who())
    return answer(await call.gateway.thread.run(enrolment.pending))


async def journal_page(call: Call) -> Response:
    """The registry drains the journal."""
    must_be_registry(await call.who())
    match = _AFTER.fullmatch(call.request.query)
    if match is None:
        raise Refusal("malformed")
    await call.gateway.thread.run(counts.freeze_if_broken, int(match[1]))
    return answer(await call.gateway.thread.run(restored.journal_page, int(match[1])))


async def gateway_status(call: Call) -> Response:
    """The registry asks for counts."""
    must_be_registry(await call.who())
    return answer(await call.gateway.thread.run(counts.count, call.gateway.store.free_bytes()))


async def intake(call: Call) -> Response:
    """What to seal to, for every enrolled key."""
    await call.who()
    run = call.gateway.thread.run
    return answer(messages.Intake(certificate=await run(trust.certificate_text), intake=await run(trust.intake_text)))


async def announce(call: Call) -> Response:
    """A sender announces."""
    who = await call.who()
    message = await call.json(messages.Announce)
    free = call.gateway.store.free_bytes()
    announced, is_new = await call.gateway.thread.run(sending.announce, who, message, free)
    return answer(announced, 201 if is_new else 200)


async def finish(call: Call, transfer: str) -> Response:
    """A sender says that all is there."""
    who = await call.who()
    message = await call.json(messages.Finish)
    try:
        held = await call.gateway.thread.run(sending.finish, who, transfer, message)
    except Refusal as refusal:
        if refusal.keep:
            await _destroy_refused(call.gateway)
            await call.gateway.count("refused")
        raise
    await call.gateway.count("transfers")
    return answer(held)


async def view(call: Call, transfer: str) -> Response:
    """A sender or reader asks where it is."""
    who = await call.who()
    seen, is_told = await call.gateway.thread.run(reading.view, who, transfer)
    if is_told:
        await _destroy(call.gateway, transfer)
    return answer(seen)


async def inbox(call: Call) -> Response:
    """A reader asks what waits."""
    return answer(await call.gateway.thread.run(reading.inbox, await call.who()))


async def lease(call: Call, transfer: str) -> Response:
    """A reader asks for a lease."""
    who = await call.who()
    message = await call.json(messages.LeaseRequest)
    return answer(await call.gateway.thread.run(reading.lease, who, transfer, message.lease_sha256))


async def get_part(call: Call, transfer: str, number: int) -> Response:
    """A reader reads a part."""
    gateway, who = call.gateway, await call.who()
    tokens = call.request.all_of("swaddle-lease")
    if len(tokens) != 1 or not _TOKEN.fullmatch(tokens[0]):
        raise Refusal("not-found")
    if gateway.downloads >= gateway.settings.downloads:
        raise Refusal("busy")
    found = await gateway.thread.run(reading.open_part, who, transfer, number, tokens[0])
    return PartResponse(gateway, who, transfer, found)


async def acknowledge(call: Call, transfer: str) -> Response:
    """A reader ends a transfer; what it has read and stored or refused is gone when this answers."""
    who = await call.who()
    statement = await call.json(messages.SignedText)
    await call.gateway.thread.run(reading.acknowledge, who, transfer, statement)
    await _destroy_refused(call.gateway)
    await call.gateway.count("acknowledged")
    return Response(b"{}", 200, media_type="application/json")


async def give_back(call: Call, transfer: str) -> Response:
    """A reader ends its lease."""
    who = await call.who()
    statement = await call.json(messages.SignedText)
    await call.gateway.thread.run(reading.give_back, who, transfer, statement)
    return Response(b"{}", 200, media_type="application/json")


class PartResponse(Response):
    """A stored part on its way out; broken off when a freeze, a revocation or the expiry comes between two pieces."""

    def __init__(self, gateway: Gateway, who: Who, transfer: str, found: reading.Reading) -> None:
        """Nothing is opened yet."""
        super().__init__(media_type="application/octet-stream")
        self.headers["content-length"] = str(found.size_bytes)
        self._gateway, self._who, self._transfer, self._found = gateway, who, transfer, found
        self._renewed = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - an ASGI application's form
        """Send it."""
        descriptor = self._gateway.store.open(self._found.body)
        self._gateway.downloads += 1
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await give_out(descriptor, self._found.size_bytes, send, self._gateway.settings, self._still)
        finally:
            self._gateway.downloads -= 1
            os.close(descriptor)

    async def _still(self) -> bool:
        index = self._gateway.thread.index
        if not index.frozen.isdisjoint({self._who.id, None}) or self._who.id in index.revoked:
            return False
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            self._renewed = time.monotonic()
            return await self._gateway.thread.run(reading.renew, self._transfer)
        return True


async def _unsigned(call: Call, kind: type[messages.M]) -> messages.M:
    """The small body of a request that nobody signs; only so many at once."""
    if call.gateway.unsigned >= call.gateway.settings.unsigned:
        raise Refusal("busy")
    call.gateway.unsigned += 1
    try:
        return await call.json(kind, UNSIGNED_LIMIT_BYTES)
    finally:
        call.gateway.unsigned -= 1


async def _destroy(gateway: Gateway, transfer: str) -> None:
    """Destroy at once; what the disk refuses is tried again by the sweeper."""
    with suppress(DiskFault, Refusal):
        await sweep.destroy(gateway.thread, gateway.store, transfer)


async def _destroy_refused(gateway: Gateway) -> None:
    """Destroy what has just ended, now and not at the next sweep."""
    with suppress(DiskFault, Refusal):
        await sweep.sweep(gateway.thread, gateway.store)


Plain = Callable[[Call], Awaitable[Response]]
OfTransfer = Callable[[Call, str], Awaitable[Response]]
OfPart = Callable[[Call, str, int], Awaitable[Response]]


def _plain(operation: Plain) -> Callable[[Asked], Awaitable[Response]]:
    async def endpoint(asked: Asked) -> Response:
        return await operation(call_of(asked))

    return endpoint


def _of_transfer(operation: OfTransfer) -> Callable[[Asked], Awaitable[Response]]:
    async def endpoint(asked: Asked) -> Response:
        return await operation(call_of(asked), _matched(_ID, asked.path_params["id"]))

    return endpoint


def _of_part(operation: OfPart) -> Callable[[Asked], Awaitable[Response]]:
    async def endpoint(asked: Asked) -> Response:
        number = int(_matched(_NUMBER, asked.path_params["number"]))
        return await operation(call_of(asked), _matched(_ID, asked.path_params["id"]), number)

    return endpoint


def _matched(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise Refusal("not-found")
    return text


ROUTES: list[BaseRoute] = [
    Route("/healthz", _plain(health.alive), methods=["GET"]),
    Route("/readyz", _plain(health.ready), methods=["GET"]),
    Route("/v1/time", _plain(server_time), methods=["GET"]),
    Route("/v1/claim", _plain(claim), methods=["POST"]),
    Route("/v1/enrolments", _plain(enrol), methods=["POST"]),
    Route("/v1/enrolments", _plain(pending_enrolments), methods=["GET"]),
    Route("/v1/enrolments/state", _plain(enrolment_state), methods=["POST"]),
    Route("/v1/instructions", _plain(instruct), methods=["POST"]),
    Route("/v1/journal", _plain(journal_page), methods=["GET"]),
    Route("/v1/status", _plain(gateway_status), methods=["GET"]),
    Route("/v1/intake", _plain(intake), methods=["GET"]),
    Route("/v1/inbox", _plain(inbox), methods=["GET"]),
    Route("/v1/transfers", _plain(announce), methods=["POST"]),
    Route("/v1/transfers/{id}", _of_transfer(view), methods=["GET"]),
    Route("/v1/transfers/{id}/finish", _of_transfer(finish), methods=["POST"]),
    Route("/v1/transfers/{id}/lease", _of_transfer(lease), methods=["POST"]),
    Route("/v1/transfers/{id}/acknowledgement", _of_transfer(acknowledge), methods=["POST"]),
    Route("/v1/transfers/{id}/give-back", _of_transfer(give_back), methods=["POST"]),
    Route("/v1/transfers/{id}/parts/{number}", _of_part(uploads.put_part), methods=["PUT"]),
    Route("/v1/transfers/{id}/parts/{number}", _of_part(uploads.options_of_part), methods=["OPTIONS"]),
    Route("/v1/uploads/{id}", _of_transfer(uploads.on_upload), methods=["HEAD", "PATCH", "DELETE"]),
    Route("/v1/transfers/{id}/parts/{number}", _of_part(get_part), methods=["GET"]),
]
