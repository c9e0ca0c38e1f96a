"""Serves an application alone, on loopback, asking nobody who he is: for conformance suites and for trying out."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from swaddle.gateway.upload_content import Pace
from swaddle.gateway.upload_folder import Folder
from swaddle.wire.resumable import Limits

SWEEP_SECONDS = 30

BYTES = click.IntRange(min=0)
OPTIONS = [
    click.Option(["--port"], type=click.IntRange(1, 65_535), required=True, help="the port to listen on"),
    click.Option(["--host"], default="127.0.0.1", show_default=True, help="an address of this machine's loopback"),
    click.Option(["--open", "is_open"], is_flag=True, help="say that anybody on this machine may upload; needed"),
    click.Option(
        ["--folder"], type=click.Path(path_type=Path, file_okay=False), help="where uploads go; else a new one"
    ),
    click.Option(["--max-size"], type=BYTES, default=2**40, show_default=True, help="bytes of one upload"),
    click.Option(["--max-age"], type=click.IntRange(1), default=86_400, show_default=True, help="seconds of its life"),
    click.Option(
        ["--idle"], type=click.FloatRange(0.1), default=30, show_default=True, help="seconds of silence taken"
    ),
]


def command(application: Callable[[Folder], Any]) -> click.Command:
    """The command that serves what `application` makes of a folder, until SIGTERM or SIGINT."""

    def callback(
        port: int, host: str, folder: Path | None, max_size: int, max_age: int, idle: float, *, is_open: bool
    ) -> None:
        if not is_open:
            raise click.UsageError("it asks nobody who he is: say --open if that is meant")
        if not _is_loopback(host):
            raise click.UsageError("it listens on loopback only; --host is another address")
        with tempfile.TemporaryDirectory(prefix="uploads-") as made:
            place = folder or Path(made)
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            shelf = Folder(place, Limits(max_size, max_age), Pace(idle))
            asyncio.run(_serve(application(shelf), shelf, host, port))

    words = "Resumable uploads (IETF draft 12, tus 1.0) alone, for tests: nothing is signed, nobody is asked."
    return click.Command("resumable", callback=callback, params=[*OPTIONS], help=words)


async def _serve(application: Any, folder: Folder, host: str, port: int) -> None:
    server = Server(
        application,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        websockets=False,
        log_enabled=False,
        log_access=False,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    sweeper = asyncio.create_task(_sweep(folder))
    serving = asyncio.create_task(server.serve())
    while not serving.done():
        with suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            click.echo(f"listening on http://{host}:{port}/, uploads in {folder.path}", err=True)
            break
        await asyncio.sleep(0.05)
    await serving
    sweeper.cancel()


async def _sweep(folder: Folder) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        await folder.sweep()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
