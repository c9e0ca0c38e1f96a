"""An offset never lies: kill -9 of the server while content comes in, at every durable step, and lines that break."""

import os
import secrets
import shutil
import signal
import tomllib
from datetime import timedelta
from hashlib import sha256

import pytest
from durable_steps import Steps, kill, watch
from resumable_world import DRAFT_APPEND, digest, served

from bad_line import BadLine, Fault
from gateway_world import SEALED, Clock, DirectLine, World, b64, make_home, signed_headers
from submitter_world import GatewayProcess, Registry, enrolled_home, now, party_of
from swaddle.canonical import format_instant
from swaddle.envelope.parts import Layout
from swaddle.errors import NetworkFault
from swaddle.wire.client import GatewayClient

DATA = secrets.token_bytes(8 * 2**20)


class TestTheServerAloneIsKilled:
    def test_again_and_again_while_content_comes_in(self, tmp_path):
        with served(tmp_path) as uploads:
            where = uploads.create(Upload_Length=str(len(DATA)), Repr_Digest=digest(DATA)).headers["location"]
            path, at = tmp_path / f"{where.rsplit('/', 1)[1]}.bytes", 0
            for _ in range(4):
                fields = {"Upload-Offset": str(at), "Upload-Complete": "?1", "Content-Type": DRAFT_APPEND}
                more = at + 1_500_000
                with uploads.half_sent("PATCH", where, fields, DATA[at:more], len(DATA) - at):
                    uploads.wait_for(where, at + 1_000_000)
                    uploads.kill()
                uploads.start()
                offset = uploads.offset(where)
                assert at + 1_000_000 <= offset <= more
                assert path.read_bytes()[:offset] == DATA[:offset]
                at = offset
            answer = uploads.append(where, at, DATA[at:], "?1")
            assert (answer.status, answer.headers["upload-complete"]) == (200, "?1")
            assert uploads.bytes_of(where) == DATA

    def test_an_offset_that_was_told_is_there_after_the_kill(self, tmp_path):
        with served(tmp_path) as uploads:
            where = uploads.create().headers["location"]
            for at in range(0, 50_000, 10_000):
                told = int(uploads.append(where, at, DATA[at : at + 10_000]).headers["upload-offset"])
                uploads.kill()
                uploads.start()
                assert uploads.offset(where) == told

    def test_what_a_digest_of_its_own_covers_counts_whole_or_not_at_all(self, tmp_path):
        with served(tmp_path) as uploads:
            where = uploads.create(DATA[:1000]).headers["location"]
            fields = {"Upload-Offset": "1000", "Upload-Complete": "?0", "Content-Type": DRAFT_APPEND}
            fields["Content-Digest"] = digest(DATA[1000:])
            with uploads.half_sent("PATCH", where, fields, DATA[1000:4_000_000], len(DATA) - 1000):
                uploads.wait_for(where, 2_000_000)
                uploads.kill()
            uploads.start()
            assert uploads.offset(where) == 1000

    def test_bytes_that_were_told_and_are_gone_end_the_upload(self, tmp_path):
        with served(tmp_path) as uploads:
            where = uploads.create(DATA[:1000]).headers["location"]
            os.truncate(tmp_path / f"{where.rsplit('/', 1)[1]}.bytes", 500)
            assert uploads.append(where, 1000, b"x").status == 410
            assert uploads.look(where).status == 410


PART = secrets.token_bytes(SEALED)
WHOLE = [("upload-complete", "?1"), ("upload-length", str(len(PART)))]
CUT = {"type": "http.disconnect"}


def field(answer, name):
    return next((v.decode() for n, v in answer.headers if n.decode().lower() == name), None)


def broken_life(world, party):
    """A part that is cut, asked for, sent on in two pieces, and finished; each step may have been done before."""
    announced = world.announce(party, len(PART), reference=b"sixteen bytes ok")
    transfer = announced.json["id"]
    if world.get(f"/v1/transfers/{transfer}", party.key).json["state"] not in {"announced", "receiving"}:
        return announced.json
    path = f"/v1/transfers/{transfer}/parts/0"
    question = [("upload-complete", "?0"), ("upload-length", str(len(PART))), ("repr-digest", digest(PART))]
    asked = world.ask("PUT", path, key=party.key, body=b"", headers=question)
    if field(asked, "upload-complete") == "?0" and field(asked, "upload-offset") == "0":
        fields = [*WHOLE, ("content-digest", digest(PART)), ("content-length", str(len(PART)))]
        head = signed_headers(party.key, "PUT", world.line.authority, path, None, world.line.now(), fields)
        world.line.raw(
            "PUT", path, head, pieces=[{"type": "http.request", "body": PART[:1000], "more_body": True}, CUT]
        )
        asked = world.ask("PUT", path, key=party.key, body=b"", headers=question)
    while field(asked, "upload-complete") == "?0":
        at = int(field(asked, "upload-offset"))
        end = 30_000 if at < 30_000 else len(PART)
        headers = [
            ("content-type", DRAFT_APPEND), ("upload-offset", str(at)),
            ("upload-complete", "?1" if end == len(PART) else "?0"),
        ]  # fmt: skip
        answer = world.ask("PATCH", field(asked, "location"), key=party.key, body=PART[at:end], headers=headers)
        assert answer.status == 204, answer.body
        asked = world.ask("PUT", path, key=party.key, body=b"", headers=question)
    return announced.json


class TestTheGatewayIsKilled:
    @pytest.fixture
    def made(self, tmp_path):
        clock = Clock()
        line = DirectLine(make_home(tmp_path / "gateway", clock()), clock)
        world = World(line).claim()
        world.intake()
        party = world.enrol()
        line.close()
        return world, party, line.home

    @pytest.mark.parametrize("mode", ["before", "after"])
    def test_at_every_durable_step_of_a_part_that_breaks_off(self, made, tmp_path, mode):
        world, party, first = made
        due = died = lived = 0
        while lived < 3:  # a step that fails by itself (removing what is not there) kills nobody "after"
            world.line.home = tmp_path / f"gateway-{due}"
            shutil.copytree(first, world.line.home)
            child = os.fork()
            if child == 0:
                try:
                    steps = Steps(kill, mode=mode)
                    watch(steps, setattr)
                    world.line.open()
                    steps.count, steps.due = 0, due
                    broken_life(world, party)
                    os._exit(0)
                except BaseException:  # noqa: BLE001 - the parent sees the status
                    os._exit(1)
            _, status = os.waitpid(child, 0)
            is_killed = os.WIFSIGNALED(status)
            assert is_killed or os.WEXITSTATUS(status) == 0
            world.line.open()
            announced = broken_life(world, party)
            sealed = world.seal(party, announced, [PART])
            assert world.finish(party, sealed).status == 200
            world.line.sweep()
            bodies = list((world.line.home / "bodies").iterdir())
            assert [sha256(body.read_bytes()).digest() for body in bodies] == [sha256(PART).digest()]
            assert world.line.gateway.thread.index.rows("SELECT * FROM uploads") == []
            world.line.close()
            died, lived, due = died + is_killed, 0 if is_killed else lived + 1, due + 1
        assert died > 12


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    line = BadLine()
    gateway = GatewayProcess(folder / "gateway", seen_at=line.port, idle_seconds=5)
    line.to_port = tomllib.loads((folder / "gateway" / "settings.toml").read_text())["port"]
    registry = Registry(gateway.claim)
    yield line, gateway, registry, party_of(enrolled_home(registry, folder))
    gateway.stop()
    line.close()


class Counting(GatewayClient):
    """A client that counts what it sends."""

    sent = 0

    def _send(self, connection, outgoing):
        Counting.sent += 0 if outgoing.body is None else outgoing.body.nbytes
        super()._send(connection, outgoing)


class TestABrokenLine:
    PART_BYTES = 64 * SEALED
    PLAIN = 64 * 65_536

    @pytest.fixture
    def sending(self, bad):
        line, gateway, registry, party = bad
        body = secrets.token_bytes(self.PART_BYTES)
        client = Counting(gateway.claim.url, gateway.claim.pin, party.signing, timeout_s=5)
        announcement = {
            "reference": b64(secrets.token_bytes(16)),
            "recipient": registry.intake_pair.public.key_id,
            "body_bytes": Layout(self.PLAIN, self.PLAIN).body_bytes,
            "part_bytes": self.PLAIN,
            "expires": format_instant(now() + timedelta(hours=10)),
        }
        transfer = client.post_json("/v1/transfers", announcement)["id"]
        client.close()
        Counting.sent = 0
        yield line, gateway, client, f"/v1/transfers/{transfer}/parts/0", body, transfer
        client.close()

    def put(self, client, path, body, tries=8):
        """As `retry` does: again, while it is the line."""
        for _ in range(tries):
            try:
                return client.put_part(path, memoryview(body), sha256(body).digest())
            except NetworkFault:
                continue
        raise AssertionError("it never came through")

    def test_sends_what_is_missing_and_not_all_again(self, sending):
        line, _, client, path, body, transfer = sending
        # Slow enough that the gateway keeps up: what still lay in its kernel is lost with the line.
        line.suffer([Fault(cut_up=3_500_000, delay_s=0.003)])
        self.put(client, path, body)
        assert client.get_json(f"/v1/transfers/{transfer}")["parts"] == [0]
        assert Counting.sent < 2 * len(body) - 1_000_000

    def test_that_breaks_again_and_again_gets_through(self, sending):
        line, _, client, path, body, transfer = sending
        line.suffer([Fault(cut_up=1_200_000), Fault(cut_up=900_000), Fault(swallow_down=True), Fault(cut_up=1_000_000)])
        self.put(client, path, body)
        assert client.get_json(f"/v1/transfers/{transfer}")["parts"] == [0]

    def test_of_an_answer_that_is_lost_is_answered_again(self, sending):
        line, _, client, path, body, transfer = sending
        line.suffer([Fault(swallow_down=True)])
        self.put(client, path, body)
        assert Counting.sent == len(body)
        assert client.get_json(f"/v1/transfers/{transfer}")["parts"] == [0]

    def test_a_gateway_that_was_killed_meanwhile_gets_the_part_whole(self, sending):
        line, gateway, client, path, body, transfer = sending
        line.suffer([Fault(cut_up=2_000_000)])
        with pytest.raises(NetworkFault):
            client.put_part(path, memoryview(body), sha256(body).digest())
        gateway.process.send_signal(signal.SIGKILL)
        gateway.process.wait()
        gateway.process.stderr.close()
        gateway.start()
        self.put(client, path, body)
        assert client.get_json(f"/v1/transfers/{transfer}")["parts"] == [0]
