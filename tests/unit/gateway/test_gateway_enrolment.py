"""Claim, invitation, enrolment, instructions: who is believed, once and in order."""

import secrets
from datetime import timedelta

import pytest

from gateway_world import DirectLine, World, b64, make_home
from swaddle.canonical import format_instant
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.public import make_certificate
from swaddle.envelope.signature import SigningKey, sign
from swaddle.wire.enrolment import ClaimFile, lookup, lookup_digest


@pytest.fixture
def unclaimed(tmp_path, fresh_clock):
    line = DirectLine(make_home(tmp_path / "new", fresh_clock()), fresh_clock)
    yield World(line)
    line.close()


class TestClaim:
    def test_the_same_claim_again_gives_the_same_answer(self, unclaimed):
        secret = ClaimFile.from_bytes((unclaimed.line.home / "claim.json").read_bytes()).secret
        body = unclaimed.claim_body(secret)
        first = unclaimed.post("/v1/claim", body)
        assert first.status == 200
        assert unclaimed.post("/v1/claim", body).body == first.body

    def test_another_registry_is_too_late(self, unclaimed):
        secret = ClaimFile.from_bytes((unclaimed.line.home / "claim.json").read_bytes()).secret
        unclaimed.claim()
        other = World(unclaimed.line)
        assert other.post("/v1/claim", other.claim_body(secret)).problem == "unsigned"

    def test_the_claim_key_is_erased(self, unclaimed):
        before = "".join(unclaimed.line.gateway.thread.index.connection.iterdump())
        unclaimed.claim()
        after = "".join(unclaimed.line.gateway.thread.index.connection.iterdump())
        assert "claim_key" in before
        assert "claim_key" not in after

    @pytest.mark.parametrize("secret", [bytes(20), b"x" * 20], ids=["zeros", "other"])
    def test_a_wrong_secret_claims_nothing(self, unclaimed, secret):
        assert unclaimed.post("/v1/claim", unclaimed.claim_body(secret)).problem == "unsigned"
        unclaimed.claim()

    def test_after_72_hours_it_is_over_swept_or_not(self, unclaimed):
        secret = ClaimFile.from_bytes((unclaimed.line.home / "claim.json").read_bytes()).secret
        unclaimed.line.clock.pass_(hours=72)
        assert unclaimed.post("/v1/claim", unclaimed.claim_body(secret)).problem == "unsigned"
        unclaimed.line.sweep()
        assert "claim_key" not in "".join(unclaimed.line.gateway.thread.index.connection.iterdump())

    def test_one_key_for_two_purposes_is_refused(self, unclaimed):
        secret = ClaimFile.from_bytes((unclaimed.line.home / "claim.json").read_bytes()).secret
        assert unclaimed.post("/v1/claim", unclaimed.claim_body(secret, pull=unclaimed.statement.public)).status == 401

    def test_keys_changed_on_the_way_are_refused(self, unclaimed):
        secret = ClaimFile.from_bytes((unclaimed.line.home / "claim.json").read_bytes()).secret
        body = unclaimed.claim_body(secret)
        other = unclaimed.claim_body(bytes(20), pull=SigningKey.generate().public)
        assert unclaimed.post("/v1/claim", {**body, "keys": other["keys"]}).problem == "unsigned"

    def test_before_a_claim_nothing_else_works(self, unclaimed):
        assert unclaimed.get("/v1/status", unclaimed.pull).problem == "unsigned"
        assert unclaimed.post("/v1/enrolments/state", {"lookup": b64(bytes(32))}).problem == "not-found"


class TestEnrolment:
    def test_the_whole_way(self, world):
        secret, key, pair = world.invite(), SigningKey.generate(), SealingPair.generate()
        body = world.enrolment_body(secret, key, pair)
        question = {"lookup": b64(lookup(secret))}
        assert world.post("/v1/enrolments/state", question).json["state"] == "waiting"
        assert world.post("/v1/enrolments", body).status == 202
        (pending,) = world.get("/v1/enrolments", world.pull).json["enrolments"]
        assert pending == {"lookup_sha256": lookup_digest(lookup(secret)), "keys": body["keys"], "hmac": body["hmac"]}
        assert world.get("/v1/intake", key).problem == "unsigned"
        assert world.activate(secret, body["keys"].encode(), "a" * 32).status == 200
        state = world.post("/v1/enrolments/state", question).json
        assert state["state"] == "active"
        assert state["journal_key"] == world.journal_key
        assert world.get("/v1/intake", key).json == {name: state[name] for name in ("certificate", "intake")}
        assert world.get("/v1/enrolments", world.pull).json == {"enrolments": []}

    def test_nobody_is_taken_without_an_invitation(self, world):
        body = world.enrolment_body(secrets.token_bytes(20), SigningKey.generate(), SealingPair.generate())
        assert world.post("/v1/enrolments", body).problem == "not-found"

    def test_the_first_post_stands(self, world):
        secret, pair = world.invite(), SealingPair.generate()
        body = world.enrolment_body(secret, SigningKey.generate(), pair)
        assert [world.post("/v1/enrolments", body).status for _ in range(2)] == [202, 202]
        other = world.enrolment_body(secret, SigningKey.generate(), pair)
        assert world.post("/v1/enrolments", other).problem == "conflict"
        assert world.post("/v1/enrolments", {**body, "hmac": b64(bytes(32))}).problem == "conflict"

    def test_after_its_time_it_is_over_swept_or_not(self, world):
        secret = world.invite()
        body = world.enrolment_body(secret, SigningKey.generate(), SealingPair.generate())
        world.line.clock.pass_(hours=72)
        assert world.post("/v1/enrolments", body).problem == "not-found"
        world.line.sweep()
        assert lookup_digest(lookup(secret)) not in dump(world, "enrolments")

    def test_rejected_keys_are_dropped(self, world):
        secret = world.invite()
        body = world.enrolment_body(secret, SigningKey.generate(), SealingPair.generate())
        world.post("/v1/enrolments", body)
        world.instruct("reject", lookup_sha256=lookup_digest(lookup(secret)))
        assert world.post("/v1/enrolments/state", {"lookup": body["lookup"]}).json["state"] == "rejected"
        assert (
            world.post("/v1/enrolments", world.enrolment_body(secret, SigningKey.generate(), world.pair)).status == 409
        )
        assert body["hmac"] not in dump(world, "enrolments")

    @pytest.mark.parametrize("keys", ["", "{}", "not json", "[" * 1000])
    def test_keys_of_another_form_are_refused(self, world, keys):
        secret = world.invite()
        body = world.enrolment_body(secret, SigningKey.generate(), SealingPair.generate())
        assert world.post("/v1/enrolments", {**body, "keys": keys}).problem == "malformed"
        assert world.post("/v1/enrolments", body).status == 202

    def test_an_enrolment_of_other_keys_activates_nothing(self, world):
        secret, key = world.invite(), SigningKey.generate()
        body = world.enrolment_body(secret, key, SealingPair.generate())
        world.post("/v1/enrolments", body)
        assert world.activate(secret, b"other keys", "a" * 32).problem == "refused"
        assert world.get("/v1/intake", key).problem == "unsigned"

    def test_the_pull_key_enrols_nobody_and_nothing_enrols_the_pull_key(self, world):
        secret = world.invite()
        body = world.enrolment_body(secret, world.pull, SealingPair.generate())
        world.post("/v1/enrolments", body)
        assert world.activate(secret, body["keys"].encode(), "a" * 32).problem == "refused"

    def test_a_key_belongs_to_one_submitter(self, world, party):
        secret = world.invite()
        body = world.enrolment_body(secret, party.key, SealingPair.generate())
        world.post("/v1/enrolments", body)
        assert world.activate(secret, body["keys"].encode(), "b" * 32).problem == "refused"


class TestInstructions:
    def test_only_the_statement_key_instructs(self, world, party):
        for key in (world.pull, world.root, party.key, SigningKey.generate()):
            assert world.instruct("allowance", key=key, transfers=9).problem == "unsigned"
        assert world.get("/v1/status", world.pull).json["allowance"] == 1

    def test_only_the_pull_key_may_bring_one(self, world, party):
        value = {"at": format_instant(world.line.now()), "instruction": "allowance", "sequence": 99, "transfers": 9}
        statement = sign("swaddle-instruction-v1", value, world.statement).to_json()
        assert world.post("/v1/instructions", statement, party.key).problem == "not-found"
        assert world.post("/v1/instructions", statement).problem == "unsigned"

    def test_a_statement_for_another_purpose_is_no_instruction(self, world):
        value = {"at": format_instant(world.line.now()), "instruction": "allowance", "sequence": 99, "transfers": 9}
        for namespace in ("swaddle-receipt-v1", "swaddle-acknowledgement-v1"):
            statement = sign(namespace, value, world.statement).to_json()
            assert world.post("/v1/instructions", statement, world.pull).problem == "unsigned"

    def test_numbers_only_go_up(self, world):
        assert world.instruct("allowance", sequence=50, transfers=2).status == 200
        assert world.instruct("allowance", sequence=50, transfers=3).problem == "conflict"
        assert world.instruct("allowance", sequence=49, transfers=3).problem == "conflict"
        assert world.get("/v1/status", world.pull).json["allowance"] == 2

    def test_an_unknown_one_is_refused_and_uses_no_number(self, world):
        assert world.instruct("shell", sequence=60, command="x").problem == "malformed"
        assert world.instruct("allowance", sequence=60, transfers=2).status == 200

    def test_a_new_pull_key_is_in_force_at_once(self, world):
        old, new = world.pull, SigningKey.generate()
        assert world.instruct("pull-key", pull_key=new.public.line).status == 200
        assert world.get("/v1/status", old).problem == "unsigned"
        assert world.get("/v1/status", new).status == 200

    def test_a_new_statement_key_needs_the_roots_word(self, world):
        now, new = world.line.now(), SigningKey.generate()
        false = make_certificate(world.statement, new.public, now, now + timedelta(days=365))
        assert world.instruct("certificate", certificate=false.to_json()).problem == "refused"
        true = make_certificate(world.root, new.public, now, now + timedelta(days=365))
        assert world.instruct("certificate", certificate=true.to_json()).status == 200
        assert world.instruct("allowance", transfers=2).problem == "unsigned"
        assert world.instruct("allowance", key=new, transfers=2).status == 200

    def test_a_certificate_whose_time_is_over_instructs_nothing(self, world):
        world.line.clock.pass_(days=366)
        assert world.instruct("allowance", transfers=2).problem == "refused"

    def test_an_older_intake_statement_is_refused(self, world):
        assert world.intake(sequence=5).status == 200
        assert world.intake(sequence=4).problem == "refused"
        assert world.intake(sequence=5, pair=SealingPair.generate()).problem == "refused"
        assert world.intake(sequence=6, pair=SealingPair.generate()).status == 200

    def test_an_intake_statement_of_another_key_is_refused(self, world):
        world.statement, kept = SigningKey.generate(), world.statement
        false = world.intake(sequence=7)
        world.statement = kept
        assert false.problem == "unsigned"


class TestRevocation:
    def test_it_is_in_force_at_once(self, world, party):
        transfer = world.announce(party, 1000).json["id"]
        world.put(party, transfer, 0, bytes(1000))
        assert world.instruct("revoke", submitter=party.id).status == 200
        assert world.get("/v1/intake", party.key).problem == "unsigned"
        assert world.put(party, transfer, 0, bytes(1000)).problem == "unsigned"

    def test_what_it_was_sending_is_destroyed_and_what_it_sent_is_read(self, world, party):
        sealed = world.send(party)
        transfer = world.announce(party, 1000).json["id"]
        world.put(party, transfer, 0, bytes(1000))
        world.instruct("revoke", submitter=party.id)
        assert len(list(world.line.gateway.store.bodies())) == 2
        assert world.lease(sealed).status == 200
        assert world.read(sealed).body == sealed.parts[0]

    def test_nothing_is_sent_to_it_any_more(self, world, party):
        world.instruct("revoke", submitter=party.id)
        assert world.announce(None, 1000, to=party).problem == "refused"

    def test_it_is_forgotten_later(self, world, party):
        world.instruct("revoke", submitter=party.id)
        world.line.clock.pass_(days=15)
        world.line.sweep()
        assert party.id not in dump(world, "submitters")

    def test_it_holds_over_a_restart(self, world, party):
        world.instruct("revoke", submitter=party.id)
        world.line.reopen()
        assert world.get("/v1/intake", party.key).problem == "unsigned"


def dump(world, table):
    rows = world.line.gateway.thread.index.rows(f"SELECT * FROM {table}")
    return repr([tuple(row) for row in rows])
