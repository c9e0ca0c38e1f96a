"""Announce, parts, finish: what a sender does, again and again if need be."""

import secrets
from datetime import timedelta

import pytest

from gateway_world import SEALED, SEGMENT, b64, direct_world
from swaddle.envelope.signature import PublicSigningKey, Signed, SigningKey, open_signed

REFERENCE = bytes(16)


class TestAnnounce:
    def test_the_same_reference_gives_the_same_transfer(self, world, party):
        first = world.announce(party, 1000, reference=REFERENCE)
        again = world.announce(party, 1000, reference=REFERENCE)
        assert (first.status, again.status) == (201, 200)
        assert first.json == again.json

    def test_the_same_reference_of_another_sender_is_another_transfer(self, world, party):
        other = world.enrol()
        first = world.announce(party, 1000, reference=REFERENCE).json
        assert world.announce(other, 1000, reference=REFERENCE).json["id"] != first["id"]

    def test_the_same_reference_for_something_else_is_a_conflict(self, world, party):
        world.announce(party, 1000, reference=REFERENCE)
        assert world.announce(party, 1001, reference=REFERENCE).problem == "conflict"

    def test_the_reference_is_not_kept(self, world, party):
        world.announce(party, 1000, reference=b"sixteen bytes ok")
        assert b64(b"sixteen bytes ok") not in "".join(world.line.gateway.thread.index.connection.iterdump())

    def test_only_the_current_intake_key_is_a_recipient(self, world, party):
        other = world.enrol()
        assert world.announce(party, 1000, to=other).json["reason"] == "not an intake key that is sealed to now"

    def test_the_registry_sends_to_enrolled_keys_only(self, world, party):
        assert world.announce(None, 1000, to=party).status == 201
        assert world.announce(None, 1000).problem == "refused"

    @pytest.mark.parametrize("hours", [-1, 0, 73])
    def test_an_expiry_past_or_too_far_is_refused(self, world, party, hours):
        assert world.announce(party, 1000, hours=hours).problem == "refused"

    def test_feedback_may_live_for_fourteen_days(self, world, party):
        assert world.announce(None, 1000, to=party, hours=14 * 24).status == 201
        assert world.announce(None, 1000, to=party, hours=15 * 24).problem == "refused"

    def test_nothing_outlives_its_intake_key(self, world, party):
        world.line.clock.pass_(days=13, hours=23)
        world.intake(sequence=2, destroy=14)
        assert world.announce(party, 1000, hours=48).status == 201
        world.line.clock.pass_(days=12, hours=23)
        assert world.announce(party, 1000, hours=48).json["reason"] == "it would outlive the intake key"
        assert world.announce(party, 1000, hours=20).status == 201

    def test_after_its_time_to_seal_nothing_is_taken_for_an_intake_key(self, world, party):
        world.line.clock.pass_(days=14, seconds=1)
        assert world.announce(party, 1000).json["reason"] == "not an intake key that is sealed to now"

    @pytest.mark.parametrize("body_bytes", [1, 28, SEALED + 28])
    def test_a_length_that_no_body_has_is_refused(self, world, party, body_bytes):
        assert world.announce(party, body_bytes).json["reason"] == "no body has that length"

    def test_parts_too_many_to_list_are_refused(self, world, party):
        assert "parts" in world.announce(party, 50_001 * SEALED).json["reason"]

    def test_what_cannot_fit_is_refused_before_a_byte_comes(self, world, party):
        assert world.announce(party, 2**39 // SEALED * SEALED, part_bytes=2**30).problem == "full"
        assert world.announce(party, 2**41 // SEALED * SEALED, part_bytes=2**30).problem == "too-large"

    def test_a_senders_share_is_bounded(self, tmp_path):
        with direct_world(tmp_path / "small", open_transfers=2) as world:
            party, other = world.enrol(), world.enrol()
            assert [world.announce(party, 1000).status for _ in range(3)] == [201, 201, 503]
            assert world.announce(other, 1000).status == 201


class TestParts:
    def test_the_same_bytes_again_change_nothing(self, world, party):
        transfer = world.announce(party, 1000).json["id"]
        data = secrets.token_bytes(1000)
        assert world.put(party, transfer, 0, data).status == 204
        before = sorted(world.line.gateway.store.bodies())
        assert world.put(party, transfer, 0, data).status == 204
        assert sorted(world.line.gateway.store.bodies()) == before
        assert len(before) == 1

    def test_other_bytes_replace_the_part(self, world, party):
        transfer = world.announce(party, 1000).json["id"]
        for data in (b"a" * 1000, b"b" * 1000):
            assert world.put(party, transfer, 0, data).status == 204
        (body,) = world.line.gateway.store.bodies()
        assert (world.line.home / "bodies" / body).read_bytes() == b"b" * 1000

    @pytest.mark.parametrize("length", [999, 1001])
    def test_a_part_of_another_length_is_refused(self, world, party, length):
        transfer = world.announce(party, 1000).json["id"]
        assert world.put(party, transfer, 0, bytes(length)).problem == "refused"
        assert list((world.line.home / "bodies").iterdir()) == []

    def test_there_is_no_part_behind_the_last(self, world, party):
        transfer = world.announce(party, SEALED + 1000).json["id"]
        assert world.put(party, transfer, 2, bytes(1000)).problem == "refused"
        assert world.put(party, transfer, 1, bytes(1000)).status == 204

    def test_a_digest_that_is_not_of_the_bytes_leaves_nothing(self, world, party):
        transfer = world.announce(party, 1000).json["id"]
        digest = "sha-256=:" + b64(bytes(32)) + ":"
        answer = world.put(party, transfer, 0, bytes(1000), headers=[("content-digest", digest)])
        assert (answer.status, answer.problem) == (422, "digest")
        assert list((world.line.home / "bodies").iterdir()) == []
        assert world.view(transfer, party.key).json["parts"] == []

    def test_parts_are_the_senders_alone(self, world, party):
        transfer = world.announce(party, 1000).json["id"]
        other = world.enrol()
        stranger = world.put(other, transfer, 0, bytes(1000))
        nowhere = world.put(other, "0" * 32, 0, bytes(1000))
        assert stranger.body == nowhere.body
        assert stranger.status == 404

    def test_a_held_transfer_takes_no_more(self, world, party):
        sealed = world.send(party)
        answer = world.put(party, sealed.id, 0, bytes(SEALED))
        assert (answer.problem, answer.json["state"]) == ("conflict", "held")

    def test_an_expired_one_takes_no_more_swept_or_not(self, world, party):
        transfer = world.announce(party, 1000).json["id"]
        world.line.clock.pass_(hours=49)
        answer = world.put(party, transfer, 0, bytes(1000))
        assert answer.json["state"] == "expired"


class TestFinish:
    def test_held_is_signed_by_the_journal_key(self, world, party):
        announced = world.announce(party, 1000).json
        data = secrets.token_bytes(1000)
        sealed = world.seal(party, announced, [data])
        world.put(party, sealed.id, 0, data)
        held = world.finish(party, sealed)
        said = open_signed(
            Signed.from_json(held.json), "swaddle-held-v1", [PublicSigningKey.from_line(world.journal_key)]
        )
        assert said["transfer"] == sealed.id
        assert said["manifest_sha256"] == sealed.manifest_sha256
        assert said["body_bytes"] == 1000

    def test_the_same_finish_gives_the_same_answer_also_after_the_end(self, world, party):
        sealed = world.send(party)
        first = world.finish(party, sealed).body
        world.lease(sealed)
        assert world.finish(party, sealed).body == first
        world.acknowledge(sealed)
        assert world.finish(party, sealed).body == first

    def test_a_body_of_no_bytes(self, world, party):
        sealed = world.send(party, parts=[])
        assert world.view(sealed, party.key).json["state"] == "held"

    @pytest.mark.parametrize(
        "change",
        [
            {"transfer": "0" * 32},
            {"submitter": "0" * 32},
            {"recipient": "0" * 32},
            {"parts": ("0" * 64,)},
            {"expires": None},
            {"body_bytes": 1001},
            {"part_bytes": 2 * SEGMENT},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_a_manifest_of_something_else_is_refused_and_all_is_destroyed(self, world, party, change):
        announced = world.announce(party, 1000).json
        data = secrets.token_bytes(1000)
        world.put(party, announced["id"], 0, data)
        if change == {"expires": None}:
            change = {"expires": world.line.now() + timedelta(hours=47)}
        sealed = world.seal(party, announced, [data], **change)
        sealed.id = announced["id"]
        answer = world.finish(party, sealed)
        assert (answer.status, answer.problem) == (422, "refused")
        assert list((world.line.home / "bodies").iterdir()) == []
        view = world.view(announced["id"], party.key).json
        assert (view["state"], view["outcome"]) == ("destroyed", "not-taken")

    @pytest.mark.parametrize("piece", ["header", "description", "manifest", "part"])
    def test_pieces_that_were_exchanged_are_refused(self, world, party, piece):
        announced = world.announce(party, 1000).json
        data = secrets.token_bytes(1000)
        sealed = world.seal(party, announced, [data])
        other = world.seal(party, announced, [data], signer=SigningKey.generate())
        world.put(party, sealed.id, 0, bytes(1000) if piece == "part" else data)
        if piece != "part":
            setattr(sealed, piece, getattr(other, piece))
        assert world.finish(party, sealed).problem == "refused"

    @pytest.mark.parametrize(("piece", "length"), [("header", 1259), ("description", 5233), ("description", 1136)])
    def test_pieces_of_another_length_are_refused(self, world, party, piece, length):
        announced = world.announce(party, 0).json
        sealed = world.seal(party, announced, [])
        setattr(sealed, piece, bytes(length))
        assert world.finish(party, sealed).problem == "refused"

    def test_a_missing_part_is_refused(self, world, party):
        announced = world.announce(party, SEALED + 1000).json
        parts = [bytes(SEALED), bytes(1000)]
        sealed = world.seal(party, announced, parts)
        world.put(party, sealed.id, 0, parts[0])
        assert world.finish(party, sealed).problem == "refused"

    def test_feedback_is_signed_by_the_statement_key_not_the_pull_key(self, world, party):
        announced = world.announce(None, 0, to=party).json
        assert world.finish(None, world.seal(None, announced, [], to=party, signer=world.pull)).problem == "refused"
        sealed = world.send(None, parts=[], to=party)
        assert world.get("/v1/inbox", party.key).json["transfers"][0]["id"] == sealed.id

    def test_a_refused_one_cannot_be_finished_again(self, world, party):
        announced = world.announce(party, 0).json
        world.finish(party, world.seal(party, announced, [], signer=SigningKey.generate()))
        answer = world.finish(party, world.seal(party, announced, []))
        assert (answer.problem, answer.json["state"]) == ("conflict", "destroyed")
