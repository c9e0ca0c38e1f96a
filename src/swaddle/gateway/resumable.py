"""Resumable uploads as an ASGI application of their own: IETF draft 12 and tus 1.0, told apart by their fields.

Any path is a collection that uploads are made in; an upload's resource is `<collection>/<32 hex digits>`. Nobody is
asked who he is: this is for loopback and for test suites (`python -m swaddle.gateway.resumable --port N --open`).
Inside the gateway the same engine stands behind signatures: gateway/uploads.py.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import msgspec

from swaddle.gateway.given_up import apart
from swaddle.gateway.upload_content import Receive
from swaddle.gateway.upload_engine import Answer, Asked, Engine, HungUp, Interim
from swaddle.gateway.upload_folder import Folder
from swaddle.wire import resumable_requests as said
from swaddle.wire.resumable import Pairs, Refused
from swaddle.wire.upload_fields import Fields

INFORMATIONAL = "http.response.informational"
DRAIN_BYTES = 64 * 1024 * 1024
DRAIN_SECONDS = 5
_UPLOAD = re.compile(r"(?P<collection>/.*/|/)(?P<id>[0-9a-f]{32})")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,255}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?")
_PATH = re.compile(r"/[A-Za-z0-9/._~%!$&'()*+,;=:@-]{0,400}")
CREATING = frozenset({"POST", "PUT", "PATCH"})

log = logging.getLogger("swaddle.gateway")


class Resumable:
    """The application."""

    def __init__(self, folder: Folder) -> None:
        """Keep uploads in `folder`."""
        self._folder = folder
        self._engine = Engine()

    async def __call__(self, scope: Any, receive: Receive, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        receive, send = apart(receive, send)
        fields = Fields((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        heard = _Heard(receive)
        asked = Asked(said.method_of(scope["method"], fields), fields, heard, interim(scope, fields, send))
        try:
            answer = await self._answer(asked, scope)
        except HungUp:
            return
        except Refused as refused:
            if refused.name not in {"interrupted", "slow"}:
                await heard.out(fields)
            answer = answer_of(refused)
        except Exception as error:  # noqa: BLE001 - the last line: whatever it was, nothing of it goes out
            log.error("fault %s in an upload", type(error).__name__)  # noqa: TRY400 - its text may hold what came
            answer = answer_of(Refused("fault"))
        always = (("tus-resumable", said.TUS_VERSION),) if "tus-resumable" in fields else ()
        await _send(send, answer, (("server", ""), *always))

    async def _answer(self, asked: Asked, scope: Any) -> Answer:
        target = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        if asked.method == "OPTIONS":
            return Answer(204, said.offer(self._folder.limits))
        if not _PATH.fullmatch(target):
            raise Refused("not-found")
        match = _UPLOAD.fullmatch(target)
        if match is None:
            return await self._collection(asked, scope, target)
        return await self._upload(asked, match["id"])

    async def _collection(self, asked: Asked, scope: Any, target: str) -> Answer:
        if asked.method in {"HEAD", "DELETE"} or asked.fields.media_type() == said.PARTIAL_UPLOAD:
            raise Refused("not-found")
        if asked.method not in CREATING:
            raise Refused("method", fields=(("allow", "OPTIONS, POST, PUT, PATCH"),))
        upload, content = said.creation(asked.method, asked.fields, self._folder.limits, self._folder.expiry())
        base = base_of(scope, asked.fields, target if target.endswith("/") else f"{target}/")
        return await self._engine.create(asked, self._folder.at(base), upload, content)

    async def _upload(self, asked: Asked, name: str) -> Answer:
        work = {"HEAD": self._engine.look, "PATCH": self._engine.append, "DELETE": self._engine.cancel}.get(
            asked.method
        )
        if work is None:
            raise Refused("method", fields=(("allow", "OPTIONS, HEAD, PATCH, DELETE"),))
        return await work(asked, self._folder, name)


class _Heard:
    """The content of a request as it comes, and whether it is all there."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_over = False

    async def __call__(self) -> Any:
        message = await self._receive()
        self._is_over = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def out(self, fields: Fields) -> None:
        """Hear a refused client out, so that it hears the answer; not for ever, and not what it holds back."""
        size = fields.integer("content-length")
        if size is None or size > DRAIN_BYTES or "expect" in fields:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self._is_over:
                    await self()


def base_of(scope: Any, fields: Fields, collection: str) -> str:
    """The absolute URL of a collection; of a Host that is none, only the path."""
    host = fields.text("host") or ""
    return f"{scope['scheme']}://{host}{collection}" if _HOST.fullmatch(host) else collection


def interim(scope: Any, fields: Fields, send: Any) -> Interim | None:
    """Sends 104 responses, where the server can and the client speaks our interop version; else None."""
    if INFORMATIONAL not in (scope.get("extensions") or {}) or not said.may_announce(fields):
        return None

    async def announce(pairs: Pairs) -> None:
        version = ("upload-draft-interop-version", str(said.INTEROP_VERSION))
        await send({"type": INFORMATIONAL, "status": 104, "headers": _encoded((*pairs, version))})

    return announce


def answer_of(refused: Refused) -> Answer:
    """A refusal as an answer."""
    pairs = (("content-type", "application/problem+json"), ("cache-control", "no-store"), *refused.fields)
    return Answer(refused.status, pairs, msgspec.json.encode(refused.problem()))


async def _send(send: Any, answer: Answer, always: Pairs) -> None:
    pairs = {**dict(always), **dict(answer.fields)}
    if answer.status != HTTPStatus.NO_CONTENT:
        pairs["content-length"] = str(len(answer.body))
    await send({"type": "http.response.start", "status": answer.status, "headers": _encoded(pairs.items())})
    await send({"type": "http.response.body", "body": answer.body})


def _encoded(pairs: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in pairs]


async def _lifespan(receive: Receive, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


if __name__ == "__main__":
    from swaddle.gateway.resumable_alone import command

    command(Resumable).main(prog_name="python -m swaddle.gateway.resumable")
