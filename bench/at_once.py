"""A thousand clients at once: does each of them get its transfer held, and how much memory does the gateway take?

    python bench/at_once.py [--clients 1000] [--kib 256]

One gateway process, its memory read from /proc; the clients are in this process, each with a TLS connection of its own
that is opened before the first announcement and kept; one that the gateway gave up for its silence is opened again, as
`swaddle send` does. Each announces, sends its one part and finishes, trying again when it is told `busy`. Prints how
many failed (none may), the most memory that the gateway ever had resident, and how long it took.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import resource
import ssl
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from gateway_world import Party, RealLine, Sealed, World, b64, make_home, running, signed_headers
from swaddle.canonical import canonical

SENDERS = 40
TRIES = 400
SEGMENT_BYTES = 65_536


class Client:
    """One connection that speaks HTTP/1.1, and what it sends."""

    def __init__(self, world: World, party: Party, part: bytes) -> None:
        """Nothing is connected yet."""
        self.world, self.party, self.part = world, party, part
        self.busy = self.broken = 0
        self.seconds = 0.0
        self.said = ""

    async def connect(self, context: ssl.SSLContext) -> None:
        """Shake hands."""
        self.context = context
        host, _, port = self.world.line.authority.partition(":")
        self.reader, self.writer = await asyncio.open_connection(host, int(port), ssl=context)

    async def ask(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        """One signed request."""
        fields = signed_headers(self.party.key, method, self.world.line.authority, target, body, self.world.line.now())
        head = "\r\n".join([f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)])
        self.writer.write(head.encode() + b"\r\n\r\n")
        self.writer.write(body)
        await self.writer.drain()
        answer = await self.reader.readuntil(b"\r\n\r\n")
        lines = answer.decode("latin-1").lower().split("\r\n")
        length = next((int(line.split(":")[1]) for line in lines if line.startswith("content-length:")), 0)
        return int(lines[0].split()[1]), await self.reader.readexactly(length)

    async def again(self, turn: int) -> None:
        """Connect once more, as often as it takes, slower each time."""
        while True:
            await asyncio.sleep(min(2.0, 0.1 * (turn + 1)))
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                await asyncio.wait_for(self.connect(self.context), 30)
                return

    async def until_taken(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        """Again while the gateway is busy."""
        status, answer = 0, b""
        for turn in range(TRIES):
            try:
                status, answer = await self.ask(method, target, body)
            except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                self.broken += 1
                await self.again(turn)
                continue
            if status not in {408, 503}:
                break
            self.busy += 1
            await asyncio.sleep(min(2.0, 0.1 * (turn + 1)))
        return status, answer

    def failed(self, status: int) -> bool:
        """Keep what the gateway said last."""
        self.said = str(status)
        return False

    async def send(self) -> bool:
        """A whole transfer; whether the gateway holds it."""
        started = time.monotonic()
        value = {
            "reference": b64(self.party.id.encode()[:8] + id(self).to_bytes(8, "big")),
            "recipient": self.world.pair.public.key_id,
            "body_bytes": len(self.part),
            "part_bytes": 2**26,
            "expires": self.world.expires,
        }
        status, announced = await self.until_taken("POST", "/v1/transfers", canonical(value))
        if status not in {200, 201}:
            return self.failed(status)
        sealed: Sealed = self.world.seal(self.party, json.loads(announced), [self.part], part_bytes=2**26)
        status, _ = await self.until_taken("PUT", f"/v1/transfers/{sealed.id}/parts/0", self.part)
        if status != 204:
            return self.failed(status)
        status, _ = await self.until_taken("POST", f"/v1/transfers/{sealed.id}/finish", canonical(sealed.finish))
        self.seconds = time.monotonic() - started
        return status == 200 or self.failed(status)


def most_resident_mib(process: int) -> int:
    """The most memory that a process ever had resident."""
    text = Path(f"/proc/{process}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) // 1024


async def all_at_once(clients: list[Client], context: ssl.SSLContext) -> list[bool]:
    """Connect all, then send all."""
    gate = asyncio.Semaphore(50)  # so many handshakes at a time; all connections stay open

    async def connect(client: Client) -> None:
        async with gate:
            await client.connect(context)

    await asyncio.gather(*(connect(client) for client in clients))
    return await asyncio.gather(*(held(client) for client in clients))


async def held(client: Client) -> bool:
    """Whether its transfer is held; a broken connection is a failure."""
    try:
        return await client.send()
    except (OSError, asyncio.IncompleteReadError) as error:
        client.said = type(error).__name__
        return False


def measure(number: int, kib: int) -> dict[str, object]:
    """Run it."""
    with tempfile.TemporaryDirectory(prefix="swaddle-at-once-") as folder:
        home = make_home(Path(folder) / "gateway")
        with running(home) as process:
            world = World(RealLine(home)).claim()
            world.intake()
            parties = [world.enrol() for _ in range(min(SENDERS, number))]
            from datetime import timedelta

            from swaddle.canonical import format_instant

            world.expires = format_instant(world.line.now() + timedelta(hours=24))
            segments = kib * 1024 // SEGMENT_BYTES
            part = bytes(segments * (SEGMENT_BYTES + 28))
            clients = [Client(world, parties[n % len(parties)], part) for n in range(number)]
            before = most_resident_mib(process.pid)
            started = time.monotonic()
            results = asyncio.run(all_at_once(clients, world.line.context))
            taken = time.monotonic() - started
            world.line.close()
            states = world.get("/v1/status", world.pull).json["transfers"]
            after = most_resident_mib(process.pid)
    return {
        "clients": number,
        "failed": results.count(False),
        "said_to_those": sorted({client.said for client in clients if client.said}),
        "held": states.get("held", 0),
        "seconds": round(taken, 1),
        "told_busy": sum(client.busy for client in clients),
        "opened_again": sum(client.broken for client in clients),
        "median_client_seconds": round(statistics.median(client.seconds for client in clients), 1),
        "gateway_mib_before": before,
        "gateway_mib_most": after,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--kib", type=int, default=256)
    asked = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, asked.clients + 500)), hard))
    result = measure(asked.clients, asked.kib)
    for name, value in result.items():
        print(f"{name.replace('_', ' '):>24}: {value}")
    if result["failed"] or result["gateway_mib_most"] >= 400:
        sys.exit("some failed, or the gateway took 400 MiB or more")


if __name__ == "__main__":
    main()
