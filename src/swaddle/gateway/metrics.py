"""`/metrics` for Prometheus, on a bind of its own: counts, bytes and times, of nobody in particular.

No label names a submitter, a transfer, a file or an address. The bind also answers `/healthz` and `/readyz`, for those
who watch from beside and do not come by the gateway's name. It speaks plain HTTP and must not face the internet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import Any

from cryptography.x509 import load_pem_x509_certificate

from swaddle.canonical import parse_instant
from swaddle.gateway import counts
from swaddle.gateway.app import Gateway
from swaddle.gateway.health import must_be_ready
from swaddle.gateway.refusal import Refusal
from swaddle.wire.messages import GatewayStatus

HEAD_LIMIT_BYTES = 8192
HEAD_SECONDS = 5.0
MOST_CONNECTIONS = 16
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The small server of those who watch."""

    def __init__(self, gateway: Gateway, certificate: Path) -> None:
        """Watch `gateway`; its certificate's end is read from the file."""
        self._gateway = gateway
        self._certificate = certificate
        self._open = 0
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            OSError: the address is taken or none.
        """
        self._server = await asyncio.start_server(self._talk, host, port, limit=HEAD_LIMIT_BYTES)

    @property
    def port(self) -> int:
        """The port that was found."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, closed."""
        try:
            if self._open >= MOST_CONNECTIONS:
                return
            self._open += 1
            try:
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_SECONDS)
                status, kind, body = await self._answer(head.split(b" ", 2)[:2])
                lines = (f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}")
                writer.write("\r\n".join([*lines, "connection: close", "", ""]).encode("ascii") + body)
                await asyncio.wait_for(writer.drain(), HEAD_SECONDS)
            finally:
                self._open -= 1
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            with suppress(OSError):
                writer.close()

    async def _answer(self, asked: list[bytes]) -> tuple[str, str, bytes]:
        if asked == [b"GET", b"/healthz"]:
            return "200 OK", "text/plain", b"ok\n"
        if asked == [b"GET", b"/readyz"]:
            try:
                await must_be_ready(self._gateway)
            except Refusal as refusal:
                return "503 Service Unavailable", "text/plain", f"{refusal.name}\n".encode()
            return "200 OK", "text/plain", b"ok\n"
        if asked == [b"GET", b"/metrics"]:
            return "200 OK", TEXT, await self.text()
        return "404 Not Found", "text/plain", b"not found\n"

    async def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - only where it is asked for

        status = await self._gateway.thread.outside(
            counts.count, self._gateway.thread.index, self._gateway.store.free_bytes()
        )
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Once(list(self._families(status))))
        return bytes(generate_latest(registry))

    def _families(self, status: GatewayStatus) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415

        gauge, gateway = GaugeMetricFamily, self._gateway
        transfers = gauge("swaddle_transfers", "Transfers by state, tombstones included.", labels=["state"])
        for state, number in sorted(status.transfers.items()):
            transfers.add_metric([state], number)
        yield transfers
        freezes = gauge("swaddle_freezes", "Freezes in force, by cause.", labels=["cause"])
        for cause in sorted({freeze.cause for freeze in status.freezes}):
            freezes.add_metric([cause], sum(freeze.cause == cause for freeze in status.freezes))
        yield freezes
        yield gauge("swaddle_frozen", "1 while any reading is frozen.", value=int(bool(status.freezes)))
        yield gauge("swaddle_body_bytes", "Sealed bytes on the disk.", value=status.body_bytes)
        yield gauge("swaddle_free_bytes", "What the disk has left.", value=status.free_bytes)
        yield gauge("swaddle_submitters", "Submitters that may send.", value=status.submitters)
        yield gauge("swaddle_pending_enrolments", "Enrolments that wait.", value=status.pending_enrolments)
        yield gauge(
            "swaddle_journal_entries", "Entries that the registry has not drained.", value=status.journal_entries
        )
        yield gauge("swaddle_uploads", "Parts coming in now.", value=gateway.uploads.total())
        yield gauge("swaddle_downloads", "Parts going out now.", value=gateway.downloads)
        certificate = load_pem_x509_certificate(self._certificate.read_bytes())
        end = certificate.not_valid_after_utc.astimezone(UTC).timestamp()
        yield gauge("swaddle_certificate_end_seconds", "When the TLS certificate ends, Unix time.", value=end)
        now = parse_instant(status.server_time).timestamp()
        yield gauge("swaddle_clock_seconds", "The gateway's clock, Unix time.", value=now)
        answers = CounterMetricFamily("swaddle_answers", "Answers by status.", labels=["status"])
        for code, number in sorted(gateway.answers.items()):
            answers.add_metric([str(code)], number)
        yield answers
        yield CounterMetricFamily("swaddle_received_bytes", "Bytes of parts that came in.", value=gateway.bytes_in)
        yield CounterMetricFamily("swaddle_sent_bytes", "Bytes of bodies that went out.", value=gateway.bytes_out)


class _Once:
    """A collector of what was collected."""

    def __init__(self, families: list[Any]) -> None:
        self._families = families

    def collect(self) -> list[Any]:
        """What Prometheus' registry asks for."""
        return self._families
