"""Parts coming in: whole, or in pieces where the line breaks (docs/spec/transfer.md, "A part that breaks off").

A part that comes whole takes the short way it always took. Only when it breaks off does it become an upload, and its
sender finds it by what it is: an empty `PUT` with the digest of the part is answered with where the upload stands.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256

from starlette.responses import Response

from swaddle.canonical import canonical
from swaddle.gateway import upload_rows
from swaddle.gateway.access import Who
from swaddle.gateway.app import Call, Gateway
from swaddle.gateway.bodies import Gone, stated_digest, take_in
from swaddle.gateway.index import moment
from swaddle.gateway.parts import keep_part
from swaddle.gateway.refusal import Refusal
from swaddle.gateway.seams import PartComing
from swaddle.gateway.upload_engine import Answer, Asked, HungUp
from swaddle.gateway.upload_rows import Beginning
from swaddle.gateway.upload_shelf import PART_LIMIT_BYTES, OfPart, PartShelf
from swaddle.gateway.upload_turns import Turn
from swaddle.wire import resumable_requests as said
from swaddle.wire.resumable import REGISTERED, Content, Limits, Pairs, Protocol, Refused, State, Upload
from swaddle.wire.upload_fields import Digests, Fields

UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
COVERED = ("content-length", "content-type", "content-digest", "repr-digest")
LIMITS = Limits(PART_LIMIT_BYTES, 0)
NEVER = datetime.max.replace(tzinfo=UTC)
NOTHING = sha256(b"").digest()
# What a resumable upload is refused for, in the words of docs/spec/transfer.md section 2.
WORDS = {
    "digest-mismatched-values": "digest", "checksum": "digest", "too-large": "too-large", "slow": "slow",
    "full": "full", "busy": "busy", "interrupted": "busy", "fault": "fault", "not-found": "not-found",
    "gone": "not-found", "version": "not-found", "method": "not-found",
}  # fmt: skip


async def put_part(call: Call, transfer: str, number: int) -> Response:
    """A part comes in, whole, in pieces, or as a question how far it came."""
    who = await call.who()
    body = call.body(PART_LIMIT_BYTES)
    try:
        part, content = _part_of(call, transfer, number)
        shelf = PartShelf(call.gateway, who, part)
        if content.completes:
            return await _whole(call, who, shelf, part)
        if content.size:
            return await _first_piece(call, who, shelf, part, content)
        if content.digests != Digests((("sha-256", NOTHING),)):
            raise Refusal("digest")
        await body.drain()
        return await _question(call, who, shelf, part)
    except Refused as refused:
        return await _refusal(call, refused)


async def on_upload(call: Call, upload: str) -> Response:
    """HEAD, PATCH or DELETE of what broke off."""
    gateway, who = call.gateway, await call.who()
    found = await gateway.thread.run(upload_rows.find, who, upload) if UPLOAD_ID.fullmatch(upload) else None
    if found is None:
        raise Refusal("not-found")
    row, _ = found
    part = OfPart(row.transfer, row.number, row.size_bytes, row.sha256)
    shelf, engine, fields = PartShelf(gateway, who, part), gateway.resumed, _fields(call)
    try:
        if call.request.method == "HEAD":
            return _response(await engine.look(_asked(call, fields), shelf, upload))
        if call.request.method == "DELETE":
            return _response(await engine.cancel(_asked(call, fields), shelf, upload))
        stated_digest(call.request)
        call.body(PART_LIMIT_BYTES)
        with _slot(gateway, who, part.size_bytes - row.came):
            answer = await engine.append(_asked(call, fields), shelf, upload)
        await gateway.count_bytes(fields.count("content-length") or 0)
        return _response(answer)
    except Refused as refused:
        return await _refusal(call, refused)
    except HungUp:
        raise Gone from None


async def options_of_part(call: Call, transfer: str, number: int) -> Response:  # noqa: ARG001 - the same for all
    """What the creation of an upload may ask for."""
    await call.who()
    limits = Limits(PART_LIMIT_BYTES, call.gateway.settings.submission_seconds)
    return Response(status_code=204, headers={"accept-patch": said.PARTIAL_UPLOAD, "upload-limit": limits.field()})


def _part_of(call: Call, transfer: str, number: int) -> tuple[OfPart, Content]:
    """What the head says is coming.

    Raises:
        Refusal, Refused: nothing that a part could be.
    """
    stated = stated_digest(call.request)
    fields = _fields(call)
    if "upload-complete" not in fields:
        length = int(call.request.all_of("content-length")[0])
        return OfPart(transfer, number, length, stated.hex()), Content(completes=True, size=length)
    upload, content = said.creation("PUT", fields, LIMITS, NEVER)
    expected = dict(upload.expected.values).get("sha-256")
    if expected is None or upload.length is None:
        raise Refusal("malformed")
    return OfPart(transfer, number, upload.length, expected.hex()), content


async def _whole(call: Call, who: Who, shelf: PartShelf, part: OfPart) -> Response:
    """The whole part in this request; the newest request for a part has it."""
    gateway = call.gateway
    async with gateway.resumed.turns.take(shelf.turn(""), is_writer=True) as turn:
        begun = await _begin(gateway, who, part)
        if begun.place.present_sha256 == part.sha256:
            await call.body_read().drain()
            return _done(call, part)
        with _slot(gateway, who, part.size_bytes):
            incoming = gateway.store.receive()
            try:
                await _take_in(call, incoming, turn)
                _must_be(part, incoming)
            except _BrokenOff as broken:
                await _leave(call, shelf, part, incoming)
                raise broken.why from None
            except BaseException:
                incoming.drop()
                raise
            size = incoming.size_bytes
            await keep_part(gateway, who, part.transfer, part.number, incoming.keep, size, part.sha256)
        if begun.earlier is not None:
            await shelf.drop_id(begun.earlier.id)
    await gateway.count_bytes(part.size_bytes)
    return _done(call, part)


async def _question(call: Call, who: Who, shelf: PartShelf, part: OfPart) -> Response:
    """How far did this part come? If nowhere, an empty upload is made."""
    gateway = call.gateway
    async with gateway.resumed.turns.take(shelf.turn(""), is_writer=False):
        begun = await _begin(gateway, who, part)
        if begun.place.present_sha256 == part.sha256:
            return _done(call, part)
        kept = await shelf.find(begun.earlier.id) if begun.earlier is not None else None
        is_same = begun.earlier is not None and begun.earlier.sha256 == part.sha256
        if kept is None or not is_same or kept.upload.state is not State.OPEN:
            kept = await shelf.make(_new(part, begun))
            await shelf.keep(kept)
        told = said.describe(kept.upload, shelf.limits, shelf.now(), Protocol.DRAFT)
        return _response(Answer(201, (("location", shelf.location(kept)), *told)))


async def _first_piece(call: Call, who: Who, shelf: PartShelf, part: OfPart, content: Content) -> Response:
    """The beginning of a part, the rest to follow."""
    gateway = call.gateway
    begun = await _begin(gateway, who, part)
    if begun.place.present_sha256 == part.sha256:
        await call.body_read().drain()
        return _done(call, part)
    with _slot(gateway, who, part.size_bytes):
        try:
            answer = await gateway.resumed.create(_asked(call, _fields(call)), shelf, _new(part, begun), content)
        except HungUp:
            raise Gone from None
    await gateway.count_bytes(content.size or 0)
    return _response(answer)


class _BrokenOff(Exception):
    """The body of a part ended early; what came of it may be gone on with."""

    def __init__(self, why: Exception) -> None:
        super().__init__()
        self.why = why


async def _take_in(call: Call, incoming: PartComing, turn: Turn) -> None:
    try:
        async with asyncio.timeout(None) as turn.timer:
            await take_in(call.body_read(), incoming)
    except Gone as gone:
        raise _BrokenOff(gone) from None
    except TimeoutError:
        if not turn.is_over:
            raise
        raise _BrokenOff(Refusal("busy")) from None
    except Refusal as refusal:
        if refusal.name not in {"slow", "malformed"}:  # malformed: the server takes some cuts for the body's end
            raise
        raise _BrokenOff(refusal) from None
    finally:
        turn.timer = None


def _must_be(part: OfPart, incoming: PartComing) -> None:
    if incoming.sha256().hex() != part.sha256:
        raise Refusal("digest")


async def _leave(call: Call, shelf: PartShelf, part: OfPart, incoming: PartComing) -> None:
    """What came of a part that broke off becomes an upload, if its sender knows how to go on."""
    if not call.request.all_of("upload-complete") or not 0 < incoming.size_bytes < part.size_bytes:
        incoming.drop()
        return
    came = await call.gateway.thread.elsewhere(incoming.leave)
    await shelf.keep_row(part.row(incoming.id, came))


async def _begin(gateway: Gateway, who: Who, part: OfPart) -> Beginning:
    return await gateway.thread.run(upload_rows.begin, who, part.transfer, part.number, part.size_bytes)


def _new(part: OfPart, begun: Beginning) -> Upload:
    expected = Digests((("sha-256", bytes.fromhex(part.sha256)),))
    return Upload(Protocol.DRAFT, moment(begun.expires), length=part.size_bytes, expected=expected)


@contextmanager
def _slot(gateway: Gateway, who: Who, size_bytes: int) -> Iterator[None]:
    """One of the places for parts that come in at once.

    Raises:
        Refusal: `full` or `busy`.
    """
    settings = gateway.settings
    if gateway.store.free_bytes() - size_bytes < settings.reserve_bytes:
        raise Refusal("full")
    if gateway.uploads.total() >= settings.uploads or gateway.uploads[who.id] >= settings.uploads_each:
        raise Refusal("busy")
    gateway.uploads[who.id] += 1
    try:
        yield
    finally:
        gateway.uploads[who.id] -= 1


def _fields(call: Call) -> Fields:
    """What the signature covers of a request, and nothing else: no field of tus, no other method than its own."""
    return Fields(
        (name, value) for name, value in call.request.headers if name in COVERED or name.startswith("upload-")
    )


def _asked(call: Call, fields: Fields) -> Asked:
    return Asked(call.request.method, fields, call.receive)


def _done(call: Call, part: OfPart) -> Response:
    if not call.request.all_of("upload-complete"):
        return Response(status_code=204)
    return _response(Answer(204, (("upload-complete", "?1"), ("upload-offset", str(part.size_bytes)))))


def _response(answer: Answer) -> Response:
    """An answer; every one is `no-store` already."""
    headers = {name: value for name, value in answer.fields if name != "cache-control"}
    return Response(answer.body, answer.status, headers=headers)


async def _refusal(call: Call, refused: Refused) -> Response:
    """The draft's own problems in its own words; all others as the gateway's.

    Raises:
        Refusal: the gateway's.
    """
    if refused.base != REGISTERED or refused.name == "digest-mismatched-values":
        raise Refusal(WORDS.get(refused.name, "malformed"))
    await call.settle()
    fields: Pairs = refused.fields
    headers = {name: value for name, value in fields if name != "cache-control"}
    return Response(canonical(refused.problem()), refused.status, headers, media_type="application/problem+json")
