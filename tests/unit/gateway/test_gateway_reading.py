"""Inbox, lease, parts, acknowledgement, give-back: what the one reader does."""

from datetime import timedelta
from hashlib import sha256

import pytest

from gateway_world import direct_world
from swaddle.envelope.signature import SigningKey, sign


class TestInbox:
    def test_it_lists_what_waits_for_this_reader_alone(self, world, party):
        sealed = world.send(party)
        feedback = world.send(None, to=party)
        world.announce(party, 1000)
        assert [entry["id"] for entry in world.get("/v1/inbox", world.pull).json["transfers"]] == [sealed.id]
        assert [entry["id"] for entry in world.get("/v1/inbox", party.key).json["transfers"]] == [feedback.id]

    def test_a_leased_one_says_until_when(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        (entry,) = world.get("/v1/inbox", world.pull).json["transfers"]
        assert entry["leased_until"] == "2026-11-22T09:39:37Z"

    def test_an_expired_one_is_gone_swept_or_not(self, world, party):
        world.send(party)
        world.line.clock.pass_(hours=48)
        assert world.get("/v1/inbox", world.pull).json["transfers"] == []


class TestLease:
    def test_it_gives_what_comes_before_the_body(self, world, party):
        sealed = world.send(party)
        lease = world.lease(sealed).json
        assert {name: lease[name] for name in ("manifest", "header", "description")} == sealed.finish
        assert lease["expires"] == "2026-11-22T09:39:37Z"

    def test_the_same_digest_gives_the_same_lease_after_a_kill(self, world, party):
        sealed = world.send(party)
        first = world.lease(sealed).json
        world.line.reopen()
        assert world.lease(sealed).json == first
        assert world.read(sealed).status == 200

    def test_another_digest_finds_it_leased(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        answer = world.lease(sealed, digest="0" * 64)
        assert (answer.problem, answer.json["until"]) == ("leased", "2026-11-22T09:39:37Z")
        assert world.freezes() == []

    def test_bytes_renew_it(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        for _ in range(4):
            world.line.clock.pass_(minutes=14)
            assert world.read(sealed, 1).status == 200

    def test_it_lapses_and_is_taken_up_again(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        world.line.clock.pass_(minutes=15)
        answer = world.read(sealed)
        assert (answer.problem, answer.json["state"]) == ("conflict", "held")
        assert world.lease(sealed).status == 200
        assert world.read(sealed).status == 200

    def test_it_never_outlives_the_transfer(self, world, party):
        sealed = world.send(party, hours=1)
        world.line.clock.pass_(minutes=50)
        assert world.lease(sealed).json["expires"] == "2026-11-22T10:24:37Z"
        world.line.clock.pass_(minutes=10)
        assert world.read(sealed).problem == "not-found"
        assert world.lease(sealed).json["state"] == "expired"

    def test_the_token_never_lies_on_the_gateway(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        world.read(sealed)
        for path in world.line.home.rglob("*"):
            if path.is_file():
                assert sealed.token.encode() not in path.read_bytes()

    @pytest.mark.parametrize("token", ["", "short", "A" * 43, "A" * 44, "../" * 14 + "A"])
    def test_another_token_reads_nothing_and_freezes_nothing(self, world, party, token):
        sealed = world.send(party)
        world.lease(sealed)
        assert world.read(sealed, token=token or "-").problem == "not-found"
        assert world.freezes() == []


class TestParts:
    def test_every_part_as_it_was_sent(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        for number, part in enumerate(sealed.parts):
            answer = world.read(sealed, number)
            assert answer.body == part
            assert dict(answer.headers)[b"content-type"] == b"application/octet-stream"
            assert dict(answer.headers)[b"content-length"] == str(len(part)).encode()

    def test_there_is_nothing_behind_the_last(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        assert world.read(sealed, 2).problem == "not-found"

    def test_nobody_reads_without_a_lease(self, world, party):
        sealed = world.send(party)
        assert world.read(sealed).problem == "not-found"
        assert world.get(f"/v1/transfers/{sealed.id}/parts/0", world.pull).problem == "not-found"


class TestAcknowledgement:
    @pytest.mark.parametrize("outcome", ["stored", "refused"])
    def test_bytes_are_gone_when_it_answers_and_the_sender_has_the_receipt(self, world, party, outcome):
        sealed = world.send(party)
        world.lease(sealed)
        receipt = sign("swaddle-receipt-v1", {"event": outcome}, world.statement).to_json()
        assert world.acknowledge(sealed, outcome, receipt=receipt).status == 200
        assert list((world.line.home / "bodies").iterdir()) == []
        view = world.view(sealed, party.key).json
        assert (view["state"], view["outcome"], view["receipt"]) == ("destroyed", outcome, receipt)

    def test_unreadable_stays_until_the_sender_is_told(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        world.acknowledge(sealed, "unreadable")
        world.line.sweep()
        assert len(list((world.line.home / "bodies").iterdir())) == 2
        view = world.view(sealed, party.key).json
        assert (view["state"], view["outcome"]) == ("acknowledged", "unreadable")
        assert list((world.line.home / "bodies").iterdir()) == []

    def test_the_same_again_is_fine_and_another_outcome_is_not(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        assert world.acknowledge(sealed).status == 200
        world.line.clock.pass_(seconds=5)
        assert world.acknowledge(sealed).status == 200
        assert world.acknowledge(sealed, "refused").problem == "conflict"
        assert [e["event"] for e in world.journal()["entries"]].count("acknowledged") == 1

    def test_it_is_taken_after_the_lease_lapsed(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        world.line.clock.pass_(hours=1)
        world.line.sweep()
        assert world.acknowledge(sealed).status == 200

    def test_the_pull_key_cannot_acknowledge(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        assert world.acknowledge(sealed, signer=world.pull).problem == "unsigned"
        assert world.acknowledge(sealed, signer=party.key).problem == "unsigned"
        assert world.view(sealed, party.key).json["state"] == "leased"

    def test_one_about_another_transfer_or_manifest_is_refused(self, world, party):
        sealed, other = world.send(party), world.send(party)
        assert world.acknowledge(sealed, transfer=other.id).problem == "refused"
        assert world.acknowledge(sealed, manifest_sha256=other.manifest_sha256).problem == "refused"

    def test_a_submitter_acknowledges_its_feedback_itself(self, world, party):
        sealed = world.send(None, to=party)
        assert world.lease(sealed, key=party.key).status == 200
        assert world.read(sealed, key=party.key).body == sealed.parts[0]
        assert world.acknowledge(sealed, key=party.key, signer=world.statement).problem == "unsigned"
        assert world.acknowledge(sealed, key=party.key, signer=party.key).status == 200

    def test_what_is_over_cannot_be_acknowledged(self, world, party):
        sealed = world.send(party)
        world.line.clock.pass_(hours=49)
        assert world.acknowledge(sealed).json["state"] == "expired"


class TestGiveBack:
    def test_it_is_held_again_and_the_old_token_is_worth_nothing(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        assert world.give_back(sealed).status == 200
        assert world.view(sealed, party.key).json["state"] == "held"
        assert world.read(sealed).problem == "not-found"

    def test_it_makes_room_in_the_allowance(self, world, party):
        first, second = world.send(party), world.send(party)
        world.lease(first)
        world.give_back(first)
        assert world.lease(second).status == 200
        assert world.freezes() == []

    def test_the_pull_key_alone_gives_nothing_back(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        assert world.give_back(sealed, signer=world.pull).problem == "unsigned"

    def test_an_old_statement_gives_nothing_back(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        assert world.give_back(sealed, at=world.line.now() - timedelta(minutes=6)).problem == "refused"

    def test_again_is_fine_and_after_the_end_is_not(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        assert [world.give_back(sealed).status for _ in range(2)] == [200, 200]
        world.lease(sealed)
        world.acknowledge(sealed)
        assert world.give_back(sealed).problem == "conflict"


class TestView:
    def test_strangers_see_one_text_whatever_is_there(self, world, party):
        sealed = world.send(party)
        other = world.enrol()
        assert world.view(sealed, other.key).body == world.view("0" * 32, other.key).body

    def test_the_reader_sees_it_from_held_on(self, world, party):
        announced = world.announce(party, 1000).json
        assert world.view(announced["id"], world.pull).problem == "not-found"
        assert world.view(announced["id"], party.key).json["state"] == "announced"
        assert world.view(world.send(party), world.pull).json["state"] == "held"

    def test_parts_are_listed_for_a_sender_that_goes_on(self, world, party):
        transfer = world.announce(party, 65_564 + 1000).json["id"]
        world.put(party, transfer, 1, bytes(1000))
        view = world.view(transfer, party.key).json
        assert (view["state"], view["parts"]) == ("receiving", [1])


def test_two_workers_have_an_allowance_of_two(world, party):
    transfers = [world.send(party) for _ in range(3)]
    assert world.instruct("allowance", transfers=2).status == 200
    assert [world.lease(sealed).status for sealed in transfers] == [200, 200, 423]


def test_reads_survive_a_restart_and_a_stranger_key(tmp_path):
    with direct_world(tmp_path / "again") as world:
        party = world.enrol()
        sealed = world.send(party)
        world.line.reopen()
        assert world.lease(sealed).status == 200
        assert world.read(sealed, key=SigningKey.generate()).problem == "unsigned"
        assert sha256(world.read(sealed).body).digest() == sha256(sealed.parts[0]).digest()
