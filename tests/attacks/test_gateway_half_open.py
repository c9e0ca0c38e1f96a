"""Threat 13: ten thousand uploads that are begun and never go on, and connections that only trickle.

A real gateway process. Through all of it an honest sender's transfer is taken and the memory stays bounded.
"""

import asyncio
import contextlib
import resource
import secrets
import ssl
import time
from pathlib import Path

import pytest

from gateway_world import SEALED, RealLine, World, b64, direct_world, make_home, running, signed_headers
from swaddle.wire.signing import content_digest


def resident_mib(process):
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) // 1024


class TestAnnounced:
    """Begun and never sent: a row each, as many as a quota allows, gone when their time is over."""

    def test_ten_thousand_are_stopped_by_the_quota_and_stop_nobody_else(self, tmp_path):
        with direct_world(tmp_path / "gateway", open_transfers=300) as world:
            world.line.gateway.thread.index.connection.execute("PRAGMA synchronous = OFF")
            hostile, honest = world.enrol(), world.enrol()
            statuses = [world.announce(hostile, 1000).status for _ in range(320)]
            assert statuses.count(201) == 300
            assert set(statuses[300:]) == {503}
            assert world.send(honest)
            world.line.clock.pass_(days=4)
            world.line.sweep()
            assert "announced" not in world.get("/v1/status", world.pull).json["transfers"]
            assert world.announce(hostile, 1000).status == 201

    @pytest.mark.slow
    def test_ten_thousand_of_ten_submitters(self, tmp_path):
        with direct_world(tmp_path / "gateway") as world:
            parties, honest = [world.enrol() for _ in range(10)], world.enrol()
            for party in parties:
                for _ in range(1000):
                    world.line.gateway.thread.index.connection.execute("PRAGMA synchronous = OFF")
                    assert world.announce(party, 1000).status == 201
                assert world.announce(party, 1000).problem == "busy"
            started = time.process_time()
            assert world.send(honest)
            assert time.process_time() - started < 2
            assert list((world.line.home / "bodies").iterdir()) != []  # the honest one's, and no other


async def begin(world, party, transfer, context):
    """A connection with the head of a part and three bytes of it; what came back, if anything."""
    host, _, port = world.line.authority.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    target = f"/v1/transfers/{transfer}/parts/0"
    fields = signed_headers(
        party.key, "PUT", world.line.authority, target, None, world.line.now(),
        [("content-length", str(SEALED)), ("content-digest", content_digest(secrets.token_bytes(32)))],
    )  # fmt: skip
    head = "\r\n".join([f"PUT {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)])
    writer.write(head.encode() + b"\r\n\r\nabc")
    await writer.drain()
    return reader, writer


async def storm(world, party, transfers, number, honest):
    """So many at once; the honest sender's transfer goes through meanwhile."""
    context: ssl.SSLContext = world.line.context
    gate, lines = asyncio.Semaphore(100), []

    async def one(place):
        async with gate:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                lines.append(await begin(world, party, transfers[place % len(transfers)], context))

    await asyncio.gather(*(one(place) for place in range(number)))
    world.line.close()
    started = time.monotonic()
    sealed = await asyncio.to_thread(send_patiently, world, honest)
    seconds = time.monotonic() - started
    for _, writer in lines:
        writer.close()
    return sealed, seconds, len(lines)


def send_patiently(world, party):
    """As `swaddle send`: again while the gateway is busy."""
    for _ in range(60):
        with contextlib.suppress(AssertionError, OSError):
            return world.send(party)
        world.line.close()
        time.sleep(1)
    return None


@pytest.mark.parametrize("number", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_half_open_uploads_stop_nobody_and_take_no_memory(tmp_path, number):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < number + 1000:
        pytest.skip("this system gives too few open files for as many connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, number + 1000), hard))
    try:
        home = make_home(tmp_path / "gateway", idle_seconds=5)
        with running(home) as process:
            world = World(RealLine(home)).claim()
            world.intake()
            hostile, honest = world.enrol(), world.enrol()
            transfers = [
                world.announce(hostile, SEALED, reference=secrets.token_bytes(16)).json["id"] for _ in range(20)
            ]
            sealed, seconds, opened = asyncio.run(storm(world, hostile, transfers, number, honest))
            assert sealed is not None
            assert opened > number * 0.9
            assert seconds < 180  # minutes on a machine that does other things too, and not for ever
            assert resident_mib(process) < 400
            assert b64(b"abc") not in "".join(path.name for path in (home / "bodies").iterdir())
            deadline = time.monotonic() + 120  # what never went on is given up and leaves nothing
            while len(list((home / "bodies").iterdir())) > len(sealed.parts) and time.monotonic() < deadline:
                time.sleep(0.2)
            left = [path for path in (home / "bodies").iterdir() if path.is_file()]
            assert len(left) == len(sealed.parts)
            world.line.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
