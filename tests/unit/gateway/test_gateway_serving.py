"""Health, metrics, logs, a stop that loses nothing, and the TLS key's seasons."""

import asyncio
import base64
import json
import re
import secrets
import signal
import socket
import sqlite3
import ssl
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway_world import SEALED, SEGMENT, Clock, DirectLine, RealLine, World, make_home, running, signed_headers
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.public import IntakeStatement, make_intake
from swaddle.gateway import tls_keys
from swaddle.gateway.backup import make_backup
from swaddle.gateway.index import transact
from swaddle.gateway.initialise import make_certificate, pin_of
from swaddle.gateway.metrics import Metrics
from swaddle.gateway.settings import load
from swaddle.home import Kind, open_home


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def watch(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class TestHealth:
    def test_one_word_to_anybody(self, world):
        for path in ("/healthz", "/readyz"):
            answer = world.get(path)
            assert (answer.status, answer.body) == (200, b"ok\n")

    def test_the_rules_of_the_head_hold_there_too(self, world):
        answer = world.line.raw("GET", "/healthz", [("host", "another.example")])
        assert answer.status == 400
        assert world.ask("POST", "/healthz", body=b"").status == 404

    def test_not_ready_when_the_disk_is_full_or_it_stops(self, world, monkeypatch):
        monkeypatch.setattr(world.line.gateway.store, "free_bytes", lambda: 0)
        assert world.get("/readyz").problem == "full"
        assert world.get("/healthz").status == 200
        monkeypatch.undo()
        world.line.gateway.is_stopping = True
        assert world.get("/readyz").problem == "busy"


class TestMetrics:
    def text(self, world):
        return asyncio.run(Metrics(world.line.gateway, world.line.home / "tls.crt").text()).decode()

    def test_counts_in_prometheus_form(self, world, party):
        from prometheus_client.parser import text_string_to_metric_families

        world.send(party)
        lines = {}
        for family in text_string_to_metric_families(self.text(world)):
            for sample in family.samples:
                lines[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
        assert lines["swaddle_transfers", (("state", "held"),)] == 1
        assert lines["swaddle_body_bytes", ()] == SEALED + 1000
        assert lines["swaddle_frozen", ()] == 0
        assert lines["swaddle_received_bytes_total", ()] == SEALED + 1000
        assert lines["swaddle_answers_total", (("status", "204"),)] == 2
        assert lines["swaddle_certificate_end_seconds", ()] > lines["swaddle_clock_seconds", ()]

    def test_nothing_in_them_names_anybody_or_anything(self, world, party):
        sealed = world.send(party)
        world.lease(world.send(party))
        world.lease(sealed)  # frozen
        text = self.text(world)
        assert 'swaddle_freezes{cause="allowance"} 1.0' in text
        for name in (party.id, sealed.id, world.registry, party.pair.public.key_id, world.line.authority, "127.0.0.1"):
            assert name not in text
        assert not re.search(r"[0-9a-f]{16,}", text)

    def test_on_a_bind_of_its_own_and_not_on_the_main_one(self, tmp_path):
        port = free_port()
        home = make_home(tmp_path / "gateway", metrics_port=port)
        with running(home):
            world = World(RealLine(home)).claim()
            assert world.get("/metrics").status == 404
            assert watch(port, "/metrics")[0] == 200
            assert watch(port, "/healthz") == (200, "ok\n")
            assert watch(port, "/readyz") == (200, "ok\n")
            assert watch(port, "/v1/time")[0] == 404
            with socket.create_connection(("127.0.0.1", port)) as rude:
                rude.sendall(b"x" * 20_000)
            assert watch(port, "/healthz")[0] == 200
            world.line.close()


class TestLogs:
    def test_json_lines_without_a_name(self, tmp_path, monkeypatch):
        home = make_home(tmp_path / "gateway")
        code = (
            "import sys; from pathlib import Path; from swaddle.gateway import routes, run, counts\n"
            "def broken(*_): raise ValueError('Anna-Maria Musterfrau 756.1234.5678.97')\n"
            "counts.count = broken\n"
            "run.run(Path(sys.argv[1]))"
        )
        with running(home, {"SWADDLE_GATEWAY_LOG_FORMAT": "json"}, code) as process:
            world = World(RealLine(home)).claim()
            world.intake()
            party = world.enrol()
            sealed = world.send(party)
            assert world.get("/v1/status", world.pull).status == 500
            world.line.close()
            process.send_signal(signal.SIGTERM)
            written = process.communicate(timeout=20)[1].decode()
        lines = [json.loads(line) for line in written.splitlines()]
        assert all(set(line) == {"at", "level", "event"} for line in lines)
        events = [line["event"] for line in lines]
        assert any(re.fullmatch(r"fault ValueError at broken:\d+", event) for event in events)
        assert events[-1] == "stopped"
        for name in ("Anna", "756.", party.id, sealed.id, "127.0.0.1", party.key.public.fingerprint):
            assert name not in written


def test_a_running_gateway_removes_a_backup_whose_time_is_over(tmp_path):
    clock = Clock(datetime.now(UTC) - timedelta(days=31))
    home = make_home(tmp_path / "gateway", clock())
    line = DirectLine(home, clock)
    world = World(line).claim()
    assert world.instruct("backup-key", recipient=SealingPair.generate().public.to_json()).status == 200
    line.close()
    old = make_backup(home, clock=clock)["backup"]
    new = make_backup(home)["backup"]
    assert not Path(old).exists()  # removed by the next backup; put back as a copy somebody left
    Path(old).write_bytes(make_old(home, clock))
    with running(home):
        deadline = time.monotonic() + 10
        while Path(old).exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not Path(old).exists()
        assert Path(new).exists()


def make_old(home, clock):
    made = Path(make_backup(home, home / "elsewhere", clock=clock)["backup"])
    return made.read_bytes()


class TestStop:
    def test_a_part_under_way_ends_new_connections_are_refused(self, tmp_path):
        home = make_home(tmp_path / "gateway")
        with running(home) as process:
            world = World(RealLine(home)).claim()
            world.intake()
            party = world.enrol()
            data = secrets.token_bytes(SEALED * 16)
            announced = world.announce(party, len(data), part_bytes=16 * SEGMENT).json
            target = f"/v1/transfers/{announced['id']}/parts/0"
            connection = world.line.connect()
            head = signed_headers(party.key, "PUT", world.line.authority, target, data, world.line.now())
            connection.putrequest("PUT", target, skip_host=True, skip_accept_encoding=True)
            for name, value in head:
                connection.putheader(name, value)
            connection.endheaders(data[: SEALED * 8])
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            with pytest.raises(OSError):
                world.line.connect().connect()
            connection.send(data[SEALED * 8 :])
            assert connection.getresponse().status == 204
            assert process.wait(timeout=15) == 0
            connection.close()
            world.line.close()
        with running(home):
            assert world.finish(party, world.seal(party, announced, [data], part_bytes=16 * SEGMENT)).status == 200
            world.line.close()

    def test_whoever_drips_cannot_hold_it_for_ever(self, tmp_path):
        home = make_home(tmp_path / "gateway", drain_seconds=1)
        with running(home) as process:
            world = World(RealLine(home)).claim()
            world.intake()
            party = world.enrol()
            announced = world.announce(party, SEALED).json
            target = f"/v1/transfers/{announced['id']}/parts/0"
            connection = world.line.connect()
            connection.putrequest("PUT", target, skip_host=True, skip_accept_encoding=True)
            data = bytes(SEALED)
            for name, value in signed_headers(party.key, "PUT", world.line.authority, target, data, world.line.now()):
                connection.putheader(name, value)
            connection.endheaders(data[:100])
            time.sleep(0.3)
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=12)
            assert time.monotonic() - begun < 10
            connection.close()
            world.line.close()


@contextmanager
def ending(world, days):
    """The gateway's certificate ends in so many days."""
    authority = world.line.authority
    certificate, private = make_certificate(authority, world.line.clock() - timedelta(days=730 - days))
    (world.line.home / "tls.crt").write_bytes(certificate)
    (world.line.home / "tls.key").write_bytes(private)
    yield pin_of(certificate)


def look(world):
    return transact(world.line.gateway.thread.index, tls_keys.look, world.line.home)


def publish(world, pins, sequence):
    now = world.line.now()
    statement = IntakeStatement(
        sequence=sequence, not_before=now, seal_until=now + timedelta(days=14), destroy_by=now + timedelta(days=28),
        registry=world.registry, recipient=world.pair.public, gateway_pins=pins,
    )  # fmt: skip
    return world.instruct("intake", intake=make_intake(statement, world.statement).to_json())


class TestTlsKey:
    def test_the_next_one_is_made_75_days_before_and_journaled(self, world):
        with ending(world, 76):
            assert look(world) is False
            assert not (world.line.home / "tls-next.crt").exists()
        with ending(world, 74):
            assert look(world) is False
            following = pin_of((world.line.home / "tls-next.crt").read_bytes())
            last = world.journal()["entries"][-1]
            assert last["event"] == "next-tls-key"
            assert base64.b64encode(bytes.fromhex(last["subject"])).decode() == following
            look(world)
            assert pin_of((world.line.home / "tls-next.crt").read_bytes()) == following  # not made twice

    def test_it_is_shown_30_days_after_the_registry_first_named_it(self, world):
        with ending(world, 74) as present:
            look(world)
            following = pin_of((world.line.home / "tls-next.crt").read_bytes())
            world.line.clock.pass_(days=5)
            assert look(world) is False  # nobody was told
            assert publish(world, (present, following), 2).status == 200
            assert look(world) is False
            world.line.clock.pass_(days=29)
            assert look(world) is False
            world.line.clock.pass_(days=1)
            assert look(world) is True
            tls_keys.show_next(world.line.home)
            transact(world.line.gateway.thread.index, tls_keys.changed, world.line.home)
            assert pin_of((world.line.home / "tls.crt").read_bytes()) == following
            assert not list(world.line.home.glob("tls-next*"))
            assert look(world) is False
            assert [e["event"] for e in world.journal()["entries"]].count("tls-key") == 1

    @pytest.mark.parametrize("done", [1, 2, 3, 4])
    def test_killed_between_any_two_steps_certificate_and_key_fit_in_the_end(self, world, done, monkeypatch):
        with ending(world, 74) as present:
            look(world)
            publish(world, (present, pin_of((world.line.home / "tls-next.crt").read_bytes())), 2)
            look(world)
            world.line.clock.pass_(days=30)
            assert look(world) is True
        calls = []

        class Killed(BaseException):
            pass

        def counted(function):
            def step(*arguments):
                if len(calls) == done:
                    raise Killed
                calls.append(1)
                return function(*arguments)

            return step

        monkeypatch.setattr(tls_keys.durable, "write_file", counted(tls_keys.durable.write_file))
        monkeypatch.setattr(tls_keys.durable, "remove_file", counted(tls_keys.durable.remove_file))
        with suppress(Killed):
            tls_keys.show_next(world.line.home)
        monkeypatch.undo()
        tls_keys.settle(world.line.home)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            world.line.home / "tls.crt", world.line.home / "tls.key"
        )
        look(world)
        assert [e["event"] for e in world.journal()["entries"]].count("tls-key") == 1

    def test_a_certificate_of_an_authority_is_left_alone(self, world, monkeypatch):
        monkeypatch.setattr(tls_keys, "_is_ours", lambda _: False)
        with ending(world, 10):
            look(world)
            assert not (world.line.home / "tls-next.crt").exists()

    def test_a_running_gateway_changes_it_by_itself(self, tmp_path):
        """The same process goes on with the next key; whoever has both pins notices a reconnect and nothing else."""
        home = make_home(tmp_path / "gateway")
        now = datetime.now(UTC)
        stated = load(open_home(home, Kind.GATEWAY))
        for name, before in (("tls", 700), ("tls-next", 0)):
            certificate, private = make_certificate(stated.authority, now - timedelta(days=before))
            (home / f"{name}.crt").write_bytes(certificate)
            (home / f"{name}.key").write_bytes(private)
        following = pin_of((home / "tls-next.crt").read_bytes())
        connection = sqlite3.connect(home / "transfers.db")
        since = (now - timedelta(days=31)).strftime("%Y-%m-%dT%H:%M:%SZ")
        connection.execute("INSERT INTO facts VALUES ('next_tls_key_since', ?)", (since,))
        connection.commit()
        connection.close()
        with running(home):
            deadline = time.monotonic() + 15
            shown = None
            while time.monotonic() < deadline and shown != following:
                try:
                    shown = pin_of(ssl.get_server_certificate(("127.0.0.1", stated.port), timeout=2).encode())
                except OSError:
                    time.sleep(0.1)
            assert shown == following
            world = World(RealLine(home)).claim()
            assert world.journal()["entries"][-1]["event"] in {"claimed", "tls-key"}
            world.line.close()
