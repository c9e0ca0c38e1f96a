"""Running the gateway: one process, one event loop, TLS 1.3; and looking at it from beside.

The server says nothing about who asks for what: there is no access log, and what is logged is a kind of fault and its
place in our code.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from swaddle.envelope.signature import SigningKey
from swaddle.gateway import adjustable, counts, schema, settings, upload_rows
from swaddle.gateway.app import Gateway, build
from swaddle.gateway.door import DoorServer
from swaddle.gateway.index import Index, IndexThread, open_index, transact
from swaddle.gateway.initialise import BODIES, CERTIFICATE, CLAIM, JOURNAL_KEY, TLS_KEY, pin_of
from swaddle.gateway.lock import AlreadyRunning as AlreadyRunning  # noqa: PLC0414 - told by `run`
from swaddle.gateway.lock import Lock
from swaddle.gateway.routes import ROUTES
from swaddle.gateway.store import Store, unfinished_name
from swaddle.gateway.usage import Usage
from swaddle.home import Home, Kind, open_home

HEADER_BYTES = 32 * 1024
HEADER_MILLISECONDS = 10_000
MOST_BUFFERED_BYTES = 1024 * 1024  # of one body, by the server: fewer, larger pieces cost less on their way to the disk
STOP_SECONDS = 10


def run(home_path: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Serve until SIGTERM or SIGINT; then finish what is under way, for ten seconds at most.

    Raises:
        HomeFault, SettingWrong, AlreadyRunning: it cannot start.
    """
    home = open_home(home_path, Kind.GATEWAY)
    with Lock(home.path):
        asyncio.run(_serve(home, settings.load(home, environment)))


def open_gateway(home: Home, stated: settings.Settings, clock: Callable[[], datetime] | None = None) -> Gateway:
    """The gateway of a home as a value, its strays removed and its journal checked; `close_gateway` ends it."""
    journal_key = SigningKey.load((home.path / JOURNAL_KEY).read_bytes())
    index = open_index(home.path, stated, journal_key, clock)
    store = Store(home.path / BODIES)
    broken_off = {unfinished_name(upload) for upload in upload_rows.known(index)}
    store.remove_strays(broken_off | {row["body"] for row in index.rows("SELECT body FROM parts")})
    transact(index, counts.freeze_if_broken)
    usage = Usage(schema.open_usage(home.path / "usage.db"))
    return Gateway(IndexThread(index), store, index.settings, usage, home.path / CLAIM)


def close_gateway(gateway: Gateway) -> None:
    """Let the databases go."""
    gateway.thread.close()
    gateway.usage.close()


def status(home_path: Path) -> dict[str, Any]:
    """Counts of a gateway's home, also while it runs: the databases are only looked at.

    Raises:
        HomeFault, SettingWrong: there is no gateway in it.
    """
    home = open_home(home_path, Kind.GATEWAY)
    stated = settings.load(home)
    connection = schema.open_to_look(home.path / "transfers.db")
    try:
        journal_key = SigningKey.load((home.path / JOURNAL_KEY).read_bytes())
        index = Index(connection, stated, journal_key, lambda: datetime.now(UTC))
        counted = msgspec.to_builtins(counts.count(index, Store(home.path / BODIES).free_bytes()))
        is_claimed = index.fact("registry") is not None
        index.reload()
        in_force = {name: getattr(index.settings, name) for name in adjustable.ADJUSTABLE}
    finally:
        connection.close()
    pin = pin_of((home.path / CERTIFICATE).read_bytes())
    return {"url": stated.url, "pin": pin, "claimed": is_claimed, "settings": in_force, **counted}


async def _serve(home: Home, stated: settings.Settings) -> None:
    gateway = open_gateway(home, stated)
    try:
        server = Server(
            build(gateway, ROUTES),
            address=stated.host,
            port=stated.port,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS, max_buffer_size=MOST_BUFFERED_BYTES),
            websockets=False,
            log_enabled=False,
            log_access=False,
            ssl_cert=home.path / CERTIFICATE,
            ssl_key=home.path / TLS_KEY,
        )
        with DoorServer(gateway) if stated.door_socket else nullcontext():
            await _until_told(server, stated)
    finally:
        close_gateway(gateway)


async def _until_told(server: Server, stated: settings.Settings) -> None:
    """Serve until a signal comes; say on stderr when connections are taken."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    serving = asyncio.create_task(server.serve())
    while not serving.done():
        if await _answers(stated):
            print(f"listening on {stated.url}", file=sys.stderr, flush=True)  # noqa: T201 - for the person who started it
            break
        await asyncio.sleep(0.05)
    await serving


async def _answers(stated: settings.Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(stated.host, stated.host)  # noqa: S104 - compared, not bound
    try:
        _, writer = await asyncio.open_connection(host, stated.port)
    except OSError:
        return False
    writer.close()
    return True


logging.getLogger("swaddle.gateway").addHandler(logging.NullHandler())
