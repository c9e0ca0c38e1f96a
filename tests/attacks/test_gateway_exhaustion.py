"""Threat 13: slow, many, large, endless. The gateway stays small and goes on answering."""

import asyncio
import socket
import ssl
import time
from pathlib import Path

import pytest

from gateway_world import SEALED, SEGMENT, RealLine, World, b64, direct_world, make_home, running, signed_headers
from swaddle.canonical import canonical
from swaddle.wire.signing import content_digest


def resident_mib(process):
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) // 1024


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    home = make_home(tmp_path_factory.mktemp("exhaustion") / "gateway", idle_seconds=2, unsigned=4)
    with running(home) as process:
        world = World(RealLine(home)).claim()
        world.intake()
        world.party, world.process = world.enrol(), process
        yield world
        world.line.close()


def connect(world):
    host, _, port = world.line.authority.partition(":")
    context = ssl.create_default_context(cafile=str(world.line.home / "tls.crt"))
    return context.wrap_socket(socket.create_connection((host, int(port)), timeout=20), server_hostname=host)


def begin(world, method, target, length, key=None):
    fields = signed_headers(
        key, method, world.line.authority, target, None, world.line.now(),
        [("content-length", str(length)), ("content-digest", content_digest(bytes(32)))],
    )  # fmt: skip
    return "\r\n".join([f"{method} {target} HTTP/1.1", *(f"{n}: {v}" for n, v in fields)]).encode() + b"\r\n\r\n"


class TestSlowAndMany:
    def test_idle_connections_stop_nobody(self, real):
        lines = [connect(real) for _ in range(100)]
        try:
            assert real.get("/v1/time").status == 200
        finally:
            for line in lines:
                line.close()

    def test_a_body_that_stops_is_given_up_and_leaves_nothing(self, real):
        transfer = real.announce(real.party, SEALED * 16, part_bytes=16 * SEGMENT).json["id"]
        line = connect(real)
        line.sendall(
            begin(real, "PUT", f"/v1/transfers/{transfer}/parts/0", SEALED * 16, real.party.key) + bytes(100_000)
        )
        started = time.monotonic()
        answer = line.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 408")
        assert time.monotonic() - started < 28  # and not the 30 that are the default
        line.close()
        assert list((real.line.home / "bodies").iterdir()) == []

    def test_a_sender_that_hangs_up_leaves_nothing(self, real):
        transfer = real.announce(real.party, SEALED * 16, part_bytes=16 * SEGMENT).json["id"]
        line = connect(real)
        line.sendall(
            begin(real, "PUT", f"/v1/transfers/{transfer}/parts/0", SEALED * 16, real.party.key) + bytes(900_000)
        )
        time.sleep(0.3)
        line.close()
        deadline = time.monotonic() + 10
        while list((real.line.home / "bodies").iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert list((real.line.home / "bodies").iterdir()) == []

    def test_uploads_at_once_are_bounded_for_each_sender(self, real):
        transfer = real.announce(real.party, SEALED * 160, part_bytes=16 * SEGMENT).json["id"]
        lines = []
        try:
            for number in range(8):
                lines.append(connect(real))
                lines[-1].sendall(
                    begin(real, "PUT", f"/v1/transfers/{transfer}/parts/{number}", SEALED * 16, real.party.key) + b"x"
                )
            time.sleep(0.5)
            answer = real.put(real.party, transfer, 9, bytes(SEALED * 16))
            assert (answer.status, answer.problem) == (503, "busy")
            assert real.get("/v1/time").status == 200
        finally:
            for line in lines:
                line.close()

    def test_unsigned_bodies_at_once_are_bounded(self, real):
        lines = [connect(real) for _ in range(6)]
        try:
            for line in lines:
                line.sendall(begin(real, "POST", "/v1/claim", 1000) + b"{")
            time.sleep(0.5)
            assert real.post("/v1/enrolments/state", {"lookup": b64(bytes(32))}).problem == "busy"
            time.sleep(2.5)
            assert real.post("/v1/enrolments/state", {"lookup": b64(bytes(32))}).problem == "not-found"
        finally:
            for line in lines:
                line.close()

    def test_a_reader_that_does_not_read_holds_no_memory(self, real):
        full = bytes(SEALED * 256)
        announced = real.announce(real.party, len(full) * 2, part_bytes=256 * SEGMENT).json
        sealed = real.seal(real.party, announced, [full, full], part_bytes=256 * SEGMENT)
        for number in (0, 1):
            assert real.put(real.party, sealed.id, number, full).status == 204
        assert real.finish(real.party, sealed).status == 200
        assert real.lease(sealed).status == 200
        lines = []
        for _ in range(3):
            target = f"/v1/transfers/{sealed.id}/parts/0"
            fields = signed_headers(
                real.pull, "GET", real.line.authority, target, None, real.line.now(), [("swaddle-lease", sealed.token)]
            )
            lines.append(connect(real))
            lines[-1].sendall(
                "\r\n".join([f"GET {target} HTTP/1.1", *(f"{n}: {v}" for n, v in fields)]).encode() + b"\r\n\r\n"
            )
        time.sleep(1)
        assert real.get("/v1/time").status == 200
        time.sleep(3)
        for line in lines:
            line.close()
        assert real.acknowledge(sealed).status == 200
        assert resident_mib(real.process) < 160


class TestLarge:
    @pytest.fixture
    def world(self, tmp_path):
        with direct_world(tmp_path / "gateway") as made:
            made.party = made.enrol()
            yield made

    def test_json_over_four_mebibytes_is_refused_unread(self, world):
        answer = world.ask(
            "POST", "/v1/transfers", key=world.party.key, body=b"{}", headers=[("content-length", str(4 * 2**20 + 1))]
        )
        assert (answer.status, answer.problem) == (413, "too-large")

    def test_what_nobody_signs_is_smaller(self, world):
        answer = world.ask("POST", "/v1/claim", body=b"{}", headers=[("content-length", "65537")])
        assert answer.problem == "too-large"

    @pytest.mark.parametrize("value", ["[" * 100_000, '{"a":' * 100_000, '"' + "\\u0000" * 10_000 + '"', "1" * 100_000])
    def test_deep_and_long_json_is_malformed(self, world, value):
        answer = world.ask("POST", "/v1/transfers", key=world.party.key, body=value.encode())
        assert answer.problem == "malformed"

    def test_more_bytes_than_the_head_said_are_refused(self, world):
        transfer = world.announce(world.party, 1000).json["id"]
        data = bytes(1000)
        fields = signed_headers(
            world.party.key, "PUT", world.line.authority, f"/v1/transfers/{transfer}/parts/0", data, world.line.now()
        )
        answer = world.line.raw("PUT", f"/v1/transfers/{transfer}/parts/0", fields, pieces=[data, b"x"])
        assert answer.problem == "malformed"
        assert list((world.line.home / "bodies").iterdir()) == []

    def test_a_full_disk_refuses_before_and_while(self, world, monkeypatch):
        transfer = world.announce(world.party, 1000).json["id"]
        store = world.line.gateway.store
        monkeypatch.setattr(store, "free_bytes", lambda: 64 * 2**20)
        assert world.put(world.party, transfer, 0, bytes(1000)).problem == "full"
        assert world.announce(world.party, 1000).problem == "full"
        monkeypatch.undo()
        assert world.put(world.party, transfer, 0, bytes(1000)).status == 204

    def test_enrolments_cannot_pile_up(self, world):
        for _ in range(3):
            keys = canonical({"sealing": {}, "signing_key": "x"}).decode()
            body = {"lookup": b64(bytes(32)), "keys": keys, "hmac": b64(bytes(32))}
            assert world.post("/v1/enrolments", body).problem == "not-found"
        assert world.get("/v1/status", world.pull).json["pending_enrolments"] == 0


def test_a_freeze_breaks_off_what_is_on_its_way_out(tmp_path):
    with direct_world(tmp_path / "gateway") as world:
        party = world.enrol()
        big = bytes(SEALED * 64)
        announced = world.announce(party, len(big), part_bytes=64 * SEGMENT).json
        sealed = world.seal(party, announced, [big], part_bytes=64 * SEGMENT)
        world.put(party, sealed.id, 0, big)
        world.finish(party, sealed)
        world.lease(sealed)
        index = world.line.gateway.thread.index
        came = []

        async def read():
            target = f"/v1/transfers/{sealed.id}/parts/0"
            fields = signed_headers(
                world.pull,
                "GET",
                world.line.authority,
                target,
                None,
                world.line.now(),
                [("swaddle-lease", sealed.token)],
            )
            scope = {
                "type": "http", "method": "GET", "path": target, "raw_path": target.encode(), "query_string": b"",
                "headers": [(n.encode(), v.encode()) for n, v in fields], "root_path": "",
            }  # fmt: skip

            async def receive():
                await asyncio.sleep(60)

            async def send(message):
                came.append(len(message.get("body", b"")))
                if len(came) == 2:
                    index.frozen.add(world.registry)

            await world.line.app(scope, receive, send)

        asyncio.run(read())
        assert 0 < sum(came) < len(big)
