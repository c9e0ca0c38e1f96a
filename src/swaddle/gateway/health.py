"""Whether the gateway lives and whether it takes work: one word, to anybody, and nothing about itself.

On the main bind the usual rules hold (one Host, the gateway's own). Those who watch from inside ask the metrics bind.
"""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from swaddle.gateway.app import Call, Gateway
from swaddle.gateway.index import Index
from swaddle.gateway.refusal import Refusal

PATIENCE_SECONDS = 2.0


async def alive(call: Call) -> Response:  # noqa: ARG001 - the form of a route
    """`GET /healthz`: the process answers."""
    return Response(b"ok\n", media_type="text/plain")


async def ready(call: Call) -> Response:
    """`GET /readyz`: rows can be read and there is room.

    Raises:
        Refusal: `busy` or `full`.
    """
    await must_be_ready(call.gateway)
    return Response(b"ok\n", media_type="text/plain")


async def must_be_ready(gateway: Gateway) -> None:
    """Refuse when new work would fail.

    Raises:
        Refusal: `busy` when the rows do not answer in two seconds or it is stopping, `full` when the disk is.
    """
    if gateway.is_stopping:
        raise Refusal("busy")
    if gateway.store.free_bytes() <= gateway.settings.reserve_bytes:
        raise Refusal("full")
    try:
        await asyncio.wait_for(gateway.thread.outside(_look, gateway.thread.index), PATIENCE_SECONDS)
    except TimeoutError:
        raise Refusal("busy") from None


def _look(index: Index) -> None:
    index.fact("registry")
