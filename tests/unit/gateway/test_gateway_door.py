"""The gateway's side of the SFTP door: who gets in, what is kept, what becomes of what broke off."""

import base64
import os
import secrets
import socket
import time
from hashlib import sha256

import pytest
from door_world import Door, door_of, fingerprint, ssh_key

from gateway_world import direct_world
from swaddle.envelope.manifest import parse_manifest
from swaddle.envelope.signature import SigningKey, sign
from swaddle.errors import NotThere, SwaddleError
from swaddle.gateway.door import DoorServer, DoorSocketFault
from swaddle.wire.door import DoorLine
from swaddle.wire.problems import Conflict, GatewayNotCollecting, Leased, Misunderstood, TransferRefused, Unreachable


@pytest.fixture
def world(tmp_path):
    socket_path = f'"{tmp_path}/door.sock"'
    with direct_world(tmp_path / "gateway", door_socket=socket_path) as made:
        made.get("/v1/inbox", made.pull)
        yield made


@pytest.fixture
def partner(world):
    """An id and its SSH key, enrolled for the door only."""
    submitter, key = secrets.token_hex(16), ssh_key()
    assert world.instruct("door-submitter", submitter=submitter, ssh_keys=[key]).status == 200
    return submitter, key


@pytest.fixture
def door(world):
    with door_of(world.line.gateway) as made:
        yield made


def states(world):
    return world.get("/v1/status", world.pull).json["transfers"]


class TestWhoGetsIn:
    def test_a_key_that_nobody_enrolled_is_told_what_a_stranger_is_told(self, door, partner):
        with door.line() as line, pytest.raises(NotThere):
            line.begin(ssh_key())

    @pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
    def test_partners_keep_the_keys_they_have(self, world, door, kind):
        submitter, key = secrets.token_hex(16), ssh_key(kind)
        assert world.instruct("door-submitter", submitter=submitter, ssh_keys=[key]).status == 200
        with door.line(key) as line:
            assert line.begun.submitter == submitter
            assert line.begun.is_collecting

    def test_one_key_is_one_submitters(self, world, partner):
        answer = world.instruct("door-submitter", submitter=secrets.token_hex(16), ssh_keys=[partner[1]])
        assert (answer.status, answer.problem) == (422, "refused")

    def test_a_line_whose_type_is_not_the_keys_is_no_key(self, world):
        blob = ssh_key().split()[1]
        answer = world.instruct("door-submitter", submitter=secrets.token_hex(16), ssh_keys=[f"ssh-rsa {blob}"])
        assert answer.status == 400

    def test_nobody_becomes_another_inside_a_connection(self, world, door, partner):
        other = ssh_key()
        world.instruct("door-submitter", submitter=secrets.token_hex(16), ssh_keys=[other])
        with door.line(partner[1]) as line, pytest.raises(Conflict):
            line.begin(other)

    def test_nothing_is_answered_before_hello_or_before_a_login(self, door):
        with DoorLine(door.path) as line, pytest.raises(Conflict):
            line.answers()
        with door.line() as line, pytest.raises(NotThere):
            line.answers()

    def test_another_user_of_the_machine_gets_no_answer(self, world, tmp_path):
        gateway = world.line.gateway
        server = DoorServer(gateway)
        server._user = os.getuid() + 1
        with server, pytest.raises(Unreachable):
            Door(gateway.settings.door_socket).line()

    def test_a_door_user_that_is_nobody_refuses_to_start(self, tmp_path):
        settings = {"door_socket": f'"{tmp_path}/s"', "door_user": '"nobody-of-that-name"'}
        with direct_world(tmp_path / "g", **settings) as made, pytest.raises(DoorSocketFault):
            DoorServer(made.line.gateway)

    def test_only_a_socket_is_ever_removed_to_make_place(self, world, tmp_path):
        precious = tmp_path / "door.sock"
        precious.write_text("somebody's file")
        with pytest.raises(DoorSocketFault, match="no socket"):
            DoorServer(world.line.gateway).__enter__()
        assert precious.read_text() == "somebody's file"

    def test_what_is_not_the_language_ends_the_connection_and_nothing_else(self, door, partner):
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(5)
            raw.connect(str(door.path))
            raw.sendall(b"\xff\xff\xff\xff")
            assert raw.recv(1) == b""
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(5)
            raw.connect(str(door.path))
            raw.sendall(b"\x00\x00\x00\x02{}")
            assert b"malformed" in raw.recv(1000)
        with door.line(partner[1]) as line:
            assert line.answers().transfers == ()


class TestBringing:
    def test_a_file_in_parts_is_held_once_it_is_finished_and_not_before(self, world, door, partner):
        key = partner[1]
        with door.line(key) as line:
            transfer, finish = door.seal(line, key, secrets.token_bytes(200_000), world.pair.public)
            assert world.get("/v1/inbox", world.pull).json["transfers"] == []
            held = line.finish(*finish)
            assert line.finish(*finish) == held
            [known] = line.answers().transfers
            assert (known.id, known.state, known.outcome) == (transfer, "held", None)
        [waiting] = world.get("/v1/inbox", world.pull).json["transfers"]
        assert waiting["id"] == transfer

    def test_a_file_of_no_bytes_is_a_file(self, world, door, partner):
        with door.line(partner[1]) as line:
            door.bring(line, partner[1], b"", world.pair.public)
        assert states(world) == {"held": 1}

    def test_the_descriptor_can_be_written_and_not_read(self, world, door, partner):
        with door.line(partner[1]) as line:
            announced = line.announce(base64.b64encode(bytes(16)).decode(), world.pair.public.key_id, 65_536)
            descriptor = line.part(announced.transfer, 0)
            os.write(descriptor, b"sealed")
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.pread(descriptor, 6, 0)
            os.close(descriptor)

    def test_a_part_is_not_kept_at_another_length_than_was_written(self, world, door, partner):
        with door.line(partner[1]) as line:
            announced = line.announce(base64.b64encode(bytes(16)).decode(), world.pair.public.key_id, 65_536)
            descriptor = line.part(announced.transfer, 0)
            os.write(descriptor, b"sealed")
            os.close(descriptor)
            with pytest.raises(TransferRefused):
                line.keep(announced.transfer, 0, 7, sha256(b"sealed").hexdigest())

    def test_only_two_parts_are_under_way_at_once(self, world, door, partner):
        with door.line(partner[1]) as line:
            announced = line.announce(base64.b64encode(bytes(16)).decode(), world.pair.public.key_id, 65_536)
            for number in (0, 1, 1):
                os.close(line.part(announced.transfer, number))
            with pytest.raises(SwaddleError, match="too much to do"):
                line.part(announced.transfer, 2)

    @pytest.mark.parametrize(
        "changes", [{"signer": SigningKey.generate()}, {"door": fingerprint(ssh_key())}, {"door": None}]
    )
    def test_a_manifest_that_names_another_key_or_is_signed_by_one_is_refused_and_destroyed(
        self, world, door, partner, changes
    ):
        with door.line(partner[1]) as line:
            _, finish = door.seal(line, partner[1], b"x" * 1000, world.pair.public, **changes)
            with pytest.raises(TransferRefused):
                line.finish(*finish)
        assert states(world) == {"refused": 1}
        world.line.sweep()
        assert list((world.line.home / "bodies").iterdir()) == []

    def test_a_submitters_own_manifest_never_names_the_door(self, world, party):
        announced = world.announce(party, 1000).json
        sealed = world.seal(party, announced, [secrets.token_bytes(1000)])
        value = parse_manifest(sealed.manifest.message).to_json() | {"door": {"ssh_key": fingerprint(ssh_key())}}
        sealed.manifest = sign("swaddle-manifest-v1", value, party.key)
        world.put(party, sealed.id, 0, sealed.parts[0])
        assert world.finish(party, sealed).problem == "refused"

    def test_when_the_connection_ends_what_was_not_finished_is_destroyed(self, world, door, partner):
        with door.line(partner[1]) as line:
            door.seal(line, partner[1], secrets.token_bytes(100_000), world.pair.public)
            os.close(line.part(line.announce(
                base64.b64encode(bytes(16)).decode(), world.pair.public.key_id, 65_536
            ).transfer, 0))  # fmt: skip
        for _ in range(100):
            if states(world) == {"refused": 2}:
                break
            time.sleep(0.05)
        assert states(world) == {"refused": 2}
        world.line.sweep()
        assert list((world.line.home / "bodies").iterdir()) == []

    def test_when_the_gateway_starts_again_nothing_half_is_gone_on_with(self, world, partner):
        with door_of(world.line.gateway) as door:
            line = door.line(partner[1])
            transfer, finish = door.seal(line, partner[1], secrets.token_bytes(1000), world.pair.public)
            held = door.bring(line, partner[1], secrets.token_bytes(1000), world.pair.public)
        with pytest.raises(SwaddleError):
            line.finish(*finish)
        with door_of(world.line.gateway) as door, door.line(partner[1]) as again:
            told = {each.id: each.state for each in again.answers().transfers}
        assert told[held] == "held"
        assert told[transfer] in {"refused", "destroyed"}

    def test_another_connection_of_the_same_key_cannot_touch_it(self, world, door, partner):
        with door.line(partner[1]) as line, door.line(partner[1]) as other:
            transfer, _ = door.seal(line, partner[1], b"x" * 100, world.pair.public)
            with pytest.raises(NotThere):
                other.drop(transfer)


class TestCollectingAndRevoking:
    def test_when_the_registry_has_not_come_for_a_day_new_files_are_refused_and_answers_go_on(
        self, world, door, partner
    ):
        with door.line(partner[1]) as line:
            transfer = door.bring(line, partner[1], b"first", world.pair.public)
            world.line.clock.pass_(hours=25)
            with pytest.raises(GatewayNotCollecting):
                door.seal(line, partner[1], b"second", world.pair.public)
            assert [each.id for each in line.answers().transfers] == [transfer]
        with door.line(partner[1]) as line:
            assert not line.begun.is_collecting
        world.get("/v1/inbox", world.pull)
        with door.line(partner[1]) as line:
            assert line.begun.is_collecting

    def test_a_revocation_ends_what_is_under_way_within_five_seconds(self, world, door, partner):
        line = door.line(partner[1])
        door.seal(line, partner[1], b"half", world.pair.public)
        assert world.instruct("revoke", submitter=partner[0]).status == 200
        with pytest.raises(NotThere):
            line.announce(base64.b64encode(bytes(16)).decode(), world.pair.public.key_id, 65_536)
        begun = time.monotonic()
        while not line.is_cut():
            assert time.monotonic() - begun < 20  # five where nothing else runs, and not the minutes of a silent line
            time.sleep(0.05)
        assert states(world) == {"destroyed": 1}
        with door.line() as again, pytest.raises(NotThere):
            again.begin(partner[1])

    def test_keys_that_are_replaced_no_longer_get_in(self, world, door, partner):
        other = ssh_key()
        assert world.instruct("door-submitter", submitter=partner[0], ssh_keys=[other]).status == 200
        with door.line() as line, pytest.raises(NotThere):
            line.begin(partner[1])
        with door.line(other) as line:
            assert line.begun.submitter == partner[0]

    def test_a_transfer_by_the_door_lives_a_week(self, world, door, partner):
        with door.line(partner[1]) as line:
            door.bring(line, partner[1], b"x", world.pair.public)
            [known] = line.answers().transfers
            assert known.expires == "2026-11-29T09:24:37Z"
            world.get("/v1/inbox", world.pull)
            world.line.clock.pass_(days=7, seconds=1)
            world.line.sweep()
            assert line.answers().transfers[0].outcome == "expired"

    def test_the_registry_learns_the_doors_keys_with_the_counts(self, world, door):
        assert world.get("/v1/status", world.pull).json["door"] is None
        door.line().close()
        told = world.get("/v1/status", world.pull).json["door"]
        assert told == {"key": door.key.public.line, "host_key": door.host_key}


class TestReports:
    @pytest.fixture
    def reader(self, world):
        party = world.enrol()
        key = ssh_key()
        assert world.instruct("door-submitter", submitter=party.id, ssh_keys=[key]).status == 200
        return party, key

    def test_a_sealed_report_is_read_three_times_by_the_door_and_once_more_by_get(self, world, door, reader):
        party, key = reader
        report = world.send(None, to=party, hours=200)
        for _ in range(3):
            with door.line(key) as line:
                assert [each.id for each in line.answers().reports] == [report.id]
                opened = line.report(report.id)
                assert opened.manifest.signed() == report.manifest
                got = b""
                for number, size in enumerate(opened.part_sizes):
                    descriptor = line.report_part(report.id, number)
                    got += os.read(descriptor, size)
                    with pytest.raises(OSError, match="Bad file descriptor"):
                        os.write(descriptor, b"x")
                    os.close(descriptor)
                assert got == b"".join(report.parts)
                line.close_report(report.id)
        with door.line(key) as line:
            assert line.answers().reports == ()
            with pytest.raises(NotThere):
                line.report(report.id)
        assert world.lease(report, party.key).status == 200
        assert world.read(report, 0, party.key).status == 200
        assert world.freezes() == []

    def test_while_get_reads_it_the_door_waits_and_the_other_way_round(self, world, door, reader):
        party, key = reader
        report = world.send(None, to=party, hours=200)
        with door.line(key) as line:
            line.report(report.id)
            assert world.lease(report, party.key).problem == "leased"
        for _ in range(100):  # the connection's end gives it back
            answer = world.lease(report, party.key)
            if answer.status == 200:
                break
            time.sleep(0.05)
        assert answer.status == 200
        with door.line(key) as line, pytest.raises(Leased):
            line.report(report.id)

    def test_nobody_reads_anothers_report_and_trying_freezes_nothing(self, world, door, reader, partner):
        report = world.send(None, to=reader[0], hours=200)
        with door.line(partner[1]) as line:
            assert line.answers().reports == ()
            with pytest.raises(NotThere):
                line.report(report.id)
        assert world.freezes() == []

    def test_a_receipt_that_names_an_earlier_transfer_is_told(self, world, door, partner):
        with door.line(partner[1]) as line:
            transfer = door.bring(line, partner[1], b"again", world.pair.public)
            sealed = type("S", (), {})()
            sealed.id, sealed.lease_sha256 = transfer, sha256(b"t" * 43).hexdigest()
            lease = world.lease(sealed).json
            sealed.manifest_sha256 = sha256(lease["manifest"]["message"].encode()).hexdigest()
            message = '{"detail":{"outcome":"stored","repeats":"' + "a" * 32 + '"}}'
            receipt = {"message": message, "signature": "s"}
            assert world.acknowledge(sealed, receipt=receipt).status == 200
            [known] = line.answers().transfers
            assert (known.outcome, known.repeats) == ("stored", "a" * 32)


def test_a_question_too_many_members_is_malformed(door, partner):
    with door.line(partner[1]) as line, pytest.raises((Misunderstood, SwaddleError)):
        line.announce("not a reference", "x", 1)
