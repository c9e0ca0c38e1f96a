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
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from swaddle.envelope.signature import SigningKey
from swaddle.gateway import adjustable, counts, logs, memory, schema, settings, tls_keys, upload_rows
from swaddle.gateway.app import Gateway, build, refusal_of
from swaddle.gateway.backup import FOLDER, remove_expired
from swaddle.gateway.door import DoorServer
from swaddle.gateway.index import Index, IndexThread, open_index, transact
from swaddle.gateway.initialise import BODIES, CERTIFICATE, CLAIM, JOURNAL_KEY, TLS_KEY, pin_of
from swaddle.gateway.lock import AlreadyRunning as AlreadyRunning  # noqa: PLC0414 - told by `run`
from swaddle.gateway.lock import Lock
from swaddle.gateway.metrics import Metrics
from swaddle.gateway.routes import ROUTES
from swaddle.gateway.store import Store, unfinished_name
from swaddle.gateway.usage import Usage
from swaddle.home import Home, Kind, open_home

HEADER_BYTES = 32 * 1024
BACKLOG = 1024
CONNECTIONS = 512  # taken at once; more wait their turn, and a silent one is given up after `idle_seconds`
HEADER_MILLISECONDS = 10_000
MOST_BUFFERED_BYTES = 512 * 1024  # of one body, by the server: larger pieces cost less, and a thousand senders more
KEYS_SECONDS = 600

log = logging.getLogger(logs.NAME)


def run(home_path: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Serve until SIGTERM or SIGINT; then finish what is under way, for `drain_seconds` at most.

    Raises:
        HomeFault, SettingWrong, AlreadyRunning: it cannot start.
    """
    home = open_home(home_path, Kind.GATEWAY)
    memory.keep_freed_pieces()
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
    """Serve until told to stop; once in two years, stop and serve again with the next TLS key."""
    logs.begin(stated.log_format)
    gateway = open_gateway(home, stated)
    watched = Metrics(gateway, home.path / CERTIFICATE)
    try:
        if stated.metrics_port:
            await watched.start(stated.metrics_host, stated.metrics_port)
        told = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
        with DoorServer(gateway) if stated.door_socket else nullcontext():
            while not told.is_set():
                tls_keys.settle(home.path)
                if await _serve_until(told, gateway, home, stated):
                    tls_keys.show_next(home.path)
                    await gateway.thread.run(tls_keys.changed, home.path)
                    log.warning("the next TLS key is shown from now on")
        log.info("stopped")
    finally:
        await watched.stop()
        close_gateway(gateway)


async def _serve_until(told: asyncio.Event, gateway: Gateway, home: Home, stated: settings.Settings) -> bool:
    """Serve until told, or until another TLS key is due (True); then let what is under way end.

    The server refuses new connections from the moment it is stopped and answers the requests that it has; whatever is
    not over after `drain_seconds` is cut, and sent again by its sender.
    """
    server = Server(
        build(gateway, ROUTES),
        address=stated.host,
        port=stated.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS, max_buffer_size=MOST_BUFFERED_BYTES),
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        websockets=False,
        log_enabled=False,
        log_access=False,
        ssl_cert=home.path / CERTIFICATE,
        ssl_key=home.path / TLS_KEY,
    )
    serving = asyncio.create_task(server.serve())
    keys = asyncio.create_task(_watch_keys(gateway, home.path))
    waiting = asyncio.create_task(told.wait())
    try:
        await _say_when_up(serving, stated)
        await asyncio.wait({serving, keys, waiting}, return_when=asyncio.FIRST_COMPLETED)
        is_due = keys.done() and not told.is_set()
        gateway.is_stopping = not is_due
        log.info("stopping: what is under way may end")
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait({serving}, timeout=stated.drain_seconds)
        if not serving.done():
            log.warning("stopped with requests under way: they took longer than drain_seconds")
            serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        return is_due
    finally:
        for task in (keys, waiting):
            task.cancel()


async def _watch_keys(gateway: Gateway, home: Path) -> None:
    """Return when the next TLS key is to be shown; remove backups whose time is over meanwhile."""
    while True:
        try:
            await gateway.thread.elsewhere(remove_expired, home / FOLDER, gateway.thread.index.now())
            if await gateway.thread.run(tls_keys.look, home):
                return
        except Exception as error:  # noqa: BLE001 - a full disk today must not end the looking
            refusal_of(error)
        await asyncio.sleep(KEYS_SECONDS)


async def _say_when_up(serving: asyncio.Task[None], stated: settings.Settings) -> None:
    """Say on stderr when connections are taken."""
    while not serving.done():
        if await _answers(stated):
            print(f"listening on {stated.url}", file=sys.stderr, flush=True)  # noqa: T201 - for the person who started it
            log.info("serving")
            return
        await asyncio.sleep(0.05)


async def _answers(stated: settings.Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(stated.host, stated.host)  # noqa: S104 - compared, not bound
    try:
        _, writer = await asyncio.open_connection(host, stated.port)
    except OSError:
        return False
    writer.close()
    return True
