"""Threat 20: a raid through the application, or with the puller's credential, freezes before the second object."""

import secrets

import pytest

from gateway_world import SigningKey, direct_world


@pytest.fixture
def world(tmp_path):
    with direct_world(tmp_path / "gateway") as made:
        made.party, made.other = made.enrol(), made.enrol()
        yield made


def frozen(world):
    return [(freeze["cause"], freeze["reader"]) for freeze in world.freezes()]


class TestWithThePullersCredential:
    """The thief has the pull key and nothing else."""

    def test_the_second_object_is_never_read(self, world):
        booty = [world.send(world.party) for _ in range(3)]
        assert world.lease(booty[0]).status == 200
        assert world.read(booty[0]).status == 200
        assert world.lease(booty[1]).problem == "frozen"
        assert frozen(world) == [("allowance", world.registry)]
        for sealed in booty:
            assert world.read(sealed).problem == "frozen"
            assert world.lease(sealed).problem == "frozen"
        assert world.get("/v1/inbox", world.pull).problem == "frozen"

    def test_waiting_for_a_lease_to_lapse_does_not_help(self, world):
        booty = [world.send(world.party) for _ in range(2)]
        world.lease(booty[0])
        world.line.clock.pass_(minutes=20)
        world.line.sweep()
        assert world.lease(booty[1]).problem == "frozen"

    def test_with_an_allowance_of_n_before_the_next_one(self, world):
        world.instruct("allowance", transfers=3)
        booty = [world.send(world.party) for _ in range(4)]
        assert [world.lease(sealed).status for sealed in booty] == [200, 200, 200, 423]

    def test_a_fifth_lease_on_one_transfer(self, world):
        sealed = world.send(world.party)
        for _ in range(4):
            assert world.lease(sealed).status == 200
            world.give_back(sealed)
        assert world.lease(sealed).problem == "frozen"
        assert frozen(world) == [("leases", world.registry)]

    def test_more_than_four_times_the_length(self, world):
        sealed = world.send(world.party)
        world.lease(sealed)
        for _ in range(4):
            assert [world.read(sealed, number).status for number in (0, 1)] == [200, 200]
        assert world.read(sealed, 1).problem == "frozen"
        assert frozen(world) == [("bytes", world.registry)]

    def test_a_read_after_the_acknowledgement(self, world):
        sealed = world.send(world.party)
        world.lease(sealed)
        world.acknowledge(sealed)
        assert world.read(sealed).problem == "frozen"
        assert frozen(world) == [("after-acknowledgement", world.registry)]

    def test_a_lease_on_what_is_not_for_the_registry(self, world):
        feedback = world.send(None, to=world.party)
        assert world.lease(feedback).problem == "not-found"
        assert frozen(world) == [("stranger", world.registry)]

    def test_the_registry_sees_it_in_the_journal_and_only_its_signature_ends_it(self, world):
        booty = [world.send(world.party) for _ in range(2)]
        world.lease(booty[0])
        world.lease(booty[1])
        entry = world.journal()["entries"][-1]
        assert (entry["event"], entry["detail"]["reason"]) == ("frozen", "allowance")
        assert world.instruct("release-freeze", key=world.pull, freeze=entry["subject"]).problem == "unsigned"
        world.line.reopen()
        assert world.read(booty[0]).problem == "frozen"
        assert world.instruct("release-freeze", freeze=entry["subject"]).status == 200
        assert world.read(booty[0]).status == 200
        assert world.journal()["entries"][-1]["event"] == "released"

    def test_asking_on_begins_no_second_freeze(self, world):
        booty = [world.send(world.party) for _ in range(2)]
        world.lease(booty[0])
        for _ in range(5):
            world.lease(booty[1])
        assert len(frozen(world)) == 1

    def test_sending_and_ending_go_on(self, world):
        booty = [world.send(world.party) for _ in range(2)]
        world.lease(booty[0])
        world.lease(booty[1])
        assert world.view(world.send(world.other), world.other.key).json["state"] == "held"
        assert world.acknowledge(booty[0]).status == 200
        assert world.send(None, to=world.party)


class TestWithASubmittersCredential:
    def test_reaching_for_anothers_freezes_its_own_reads_only(self, world):
        sealed = world.send(world.party)
        report, own = world.send(None, to=world.party), world.send(None, to=world.other)
        assert world.lease(report, key=world.other.key).problem == "not-found"
        assert frozen(world) == [("stranger", world.other.id)]
        assert world.lease(own, key=world.other.key).problem == "frozen"
        assert world.lease(report, key=world.party.key).status == 200
        assert world.lease(sealed).status == 200

    def test_its_own_sent_transfers_are_not_its_to_read(self, world):
        sealed = world.send(world.party)
        assert world.lease(sealed, key=world.party.key).problem == "not-found"
        assert frozen(world) == [("stranger", world.party.id)]

    def test_what_is_answered_is_what_an_unknown_id_gets(self, world):
        report = world.send(None, to=world.party)
        hit = world.lease(report, key=world.other.key)
        report.id = secrets.token_hex(16)
        miss = world.lease(report, key=world.other.key)
        assert (hit.status, hit.body) == (miss.status, miss.body)

    def test_guessing_ids_that_are_none_freezes_nothing(self, world):
        report = world.send(None, to=world.party)
        report.id = secrets.token_hex(16)
        world.lease(report, key=world.other.key)
        assert frozen(world) == []

    def test_anothers_token_reads_nothing(self, world):
        report = world.send(None, to=world.party)
        world.lease(report, key=world.party.key)
        assert world.read(report, key=world.other.key).problem == "not-found"
        assert world.acknowledge(report, key=world.other.key, signer=world.other.key).problem == "not-found"
        assert world.give_back(report, key=world.other.key, signer=world.other.key).problem == "not-found"


class TestStranger:
    def test_lease_by_a_stranger_freezes_nothing_and_tells_him_nothing(self, world):
        sealed = world.send(world.party)
        stranger = SigningKey.generate()
        for _ in range(10):
            assert world.lease(sealed, key=stranger).problem == "unsigned"
            assert world.read(sealed, key=stranger).problem == "unsigned"
            assert world.acknowledge(sealed, key=stranger, signer=stranger).problem == "unsigned"
        assert frozen(world) == []
        assert world.lease(sealed).status == 200

    def test_a_revoked_key_freezes_nothing(self, world):
        report = world.send(None, to=world.party)
        world.instruct("revoke", submitter=world.other.id)
        assert world.lease(report, key=world.other.key).problem == "unsigned"
        assert frozen(world) == []


class TestWithWritesToTheDatabase:
    """Full write to the database: what can be minted is what the gateway already holds, and the chain shows it."""

    def test_a_freeze_deleted_by_hand_breaks_nothing_open_unnoticed(self, world):
        booty = [world.send(world.party) for _ in range(2)]
        world.lease(booty[0])
        world.lease(booty[1])
        connection = world.line.gateway.thread.index.connection
        connection.execute("DELETE FROM freezes")
        connection.execute("DELETE FROM journal WHERE sequence = (SELECT max(sequence) FROM journal)")
        world.line.reopen()
        assert ("chain", None) in frozen(world)

    def test_an_extended_expiry_is_not_what_the_sender_signed(self, world):
        sealed = world.send(world.party)
        connection = world.line.gateway.thread.index.connection
        connection.execute("UPDATE transfers SET expires = expires + 1000000")
        assert (
            f'"expires":"{world.view(sealed, world.party.key).json["expires"]}"'.encode() not in sealed.manifest.message
        )
