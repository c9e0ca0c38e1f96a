"""What the registry changes at the gateway by signed instruction: quotas, settings, key epochs, its own keys."""

import re
from datetime import timedelta

import pytest

from swaddle.envelope.keys import SealingPair
from swaddle.envelope.public import IntakeStatement, make_certificate, make_intake
from swaddle.envelope.signature import SigningKey
from swaddle.gateway.adjustable import ADJUSTABLE
from swaddle.gateway.quotas import Quota, Standing, over
from swaddle.gateway.settings import Settings


class TestTheRule:
    """Pure: which announcement is over a quota."""

    def test_what_fits_fits(self):
        assert over(Quota(100, 2, 3), Standing(1, 60, 2), 40) is None

    @pytest.mark.parametrize("standing", [Standing(2, 0, 0), Standing(0, 61, 0), Standing(0, 0, 3)])
    def test_one_too_many_does_not(self, standing):
        assert over(Quota(100, 2, 3), standing, 40) is not None

    def test_no_rate_is_no_limit(self):
        assert over(Quota(100, 2, None), Standing(0, 0, 10**6), 40) is None


class TestQuota:
    def test_it_is_one_submitters_and_in_force_at_once(self, world, party):
        other = world.enrol()
        limits = {"bytes": 2000, "transfers": None, "transfers_per_hour": None}
        assert world.instruct("quota", submitter=party.id, **limits).status == 200
        assert world.announce(party, 1500).status == 201
        assert world.announce(party, 1500).problem == "busy"
        assert world.announce(other, 1500).status == 201
        assert world.announce(other, 1500).status == 201

    def test_a_rate_is_of_any_hour_and_counts_what_has_ended(self, world, party):
        limits = {"bytes": None, "transfers": None, "transfers_per_hour": 2}
        assert world.instruct("quota", submitter=party.id, **limits).status == 200
        sealed = world.send(party)
        assert world.lease(sealed).status == 200
        assert world.acknowledge(sealed).status == 200
        world.line.clock.pass_(minutes=30)
        assert world.announce(party, 1000).status == 201
        assert world.announce(party, 1000).json["reason"] == "too many transfers of this sender in an hour"
        world.line.clock.pass_(minutes=31)
        assert world.announce(party, 1000).status == 201
        assert world.announce(party, 1000).problem == "busy"

    def test_a_repeated_announcement_is_no_second_one(self, world, party):
        world.instruct("quota", submitter=party.id, bytes=None, transfers=1, transfers_per_hour=1)
        reference = b"r" * 16
        first = world.announce(party, 1000, reference=reference)
        again = world.announce(party, 1000, reference=reference)
        assert (first.status, again.status) == (201, 200)
        assert again.json["id"] == first.json["id"]

    def test_it_survives_a_restart_and_can_be_taken_back(self, world, party):
        world.instruct("quota", submitter=party.id, bytes=None, transfers=0, transfers_per_hour=None)
        world.line.reopen()
        assert world.announce(party, 1000).problem == "busy"
        world.instruct("quota", submitter=party.id, bytes=None, transfers=None, transfers_per_hour=None)
        assert world.announce(party, 1000).status == 201

    def test_a_stranger_has_none(self, world):
        limits = {"bytes": 1, "transfers": 1, "transfers_per_hour": 1}
        assert world.instruct("quota", submitter="0" * 32, **limits).problem == "refused"

    def test_what_is_no_number_is_malformed(self, world, party):
        for wrong in (-1, "1", True, [1]):
            answer = world.instruct("quota", submitter=party.id, bytes=wrong, transfers=None, transfers_per_hour=None)
            assert answer.problem == "malformed"


class TestSettings:
    def test_one_is_in_force_at_once_and_after_a_restart(self, world, party):
        assert world.instruct("setting", name="open_transfers", value=1).status == 200
        assert world.announce(party, 1000).status == 201
        assert world.announce(party, 1000).problem == "busy"
        world.line.reopen()
        assert world.announce(party, 1000).problem == "busy"
        assert world.line.gateway.settings.open_transfers == 1
        assert world.get("/v1/status", world.pull).json["changed_settings"] == {"open_transfers": 1}
        assert world.instruct("setting", name="open_transfers", value=None).status == 200
        assert world.announce(party, 1000).status == 201
        assert world.get("/v1/status", world.pull).json["changed_settings"] == {}

    def test_what_requests_read_changes_too(self, world):
        world.instruct("setting", name="idle_seconds", value=7)
        assert world.line.gateway.settings.idle_seconds == 7

    @pytest.mark.parametrize("name", ["url", "host", "port", "tombstone_seconds", "unsigned", "nothing_such"])
    def test_what_is_not_in_the_table_cannot_be_changed(self, world, name):
        before = world.line.gateway.settings
        assert world.instruct("setting", name=name, value=1).problem == "refused"
        assert world.line.gateway.settings == before

    @pytest.mark.parametrize("name", sorted(ADJUSTABLE))
    def test_beyond_its_bounds_nothing_changes(self, world, name):
        bounds = ADJUSTABLE[name]
        for value in (bounds.least - 1, bounds.most + 1):
            assert world.instruct("setting", name=name, value=value).problem in {"refused", "malformed"}
        assert world.line.gateway.settings == world.line.settings
        for value in (bounds.least, bounds.most):
            assert world.instruct("setting", name=name, value=value).status == 200
            assert getattr(world.line.gateway.settings, name) == value

    def test_no_bound_is_wider_than_the_settings_own(self):
        for name, bounds in ADJUSTABLE.items():
            own = Settings.__dataclass_fields__[name].metadata
            assert own["least"] <= bounds.least <= bounds.most <= own["most"], name

    def test_names_from_outside_are_never_sql_or_repeated(self, world):
        for name in ("x'); drop table facts; --", "a b", "A", "x" * 41, "../port", "a\r\nb"):
            answer = world.instruct("setting", name=name, value=1)
            assert answer.problem == "malformed"
            assert name.encode() not in answer.body


class TestKeyEpochs:
    def next_intake(self, world, sequence):
        world.pair = SealingPair.generate()
        return world.intake(sequence=sequence)

    def test_the_old_key_is_taken_until_its_own_time_is_over_and_no_longer(self, world, party):
        old = world.pair
        world.line.clock.pass_(days=7)
        assert self.next_intake(world, 2).status == 200
        new = world.pair
        for pair in (old, new):
            world.pair = pair
            assert world.announce(party, 1000).status == 201
        world.line.reopen()
        world.line.clock.pass_(days=7, seconds=1)
        world.pair = old
        assert world.announce(party, 1000).problem == "refused"
        world.pair = new
        assert world.announce(party, 1000).status == 201

    def test_a_send_begun_under_the_old_key_finishes_under_it(self, world, party):
        old = world.pair
        announced = world.announce(party, 1000)
        world.line.clock.pass_(hours=1)
        assert self.next_intake(world, 2).status == 200
        world.pair = old
        sealed = world.seal(party, announced.json, [b"x" * 1000])
        assert world.put(party, sealed.id, 0, sealed.parts[0]).status == 204
        assert world.finish(party, sealed).status == 200
        assert world.lease(sealed).status == 200

    def test_an_old_key_gives_no_longer_life_than_its_own(self, world, party):
        old = world.pair
        world.intake(sequence=2, destroy=15)
        world.line.clock.pass_(days=13)
        assert self.next_intake(world, 3).status == 200
        world.pair = old
        assert world.announce(party, 1000, hours=49).json["reason"] == "it would outlive the intake key"
        assert world.announce(party, 1000, hours=47).status == 201

    def test_a_key_that_nobody_published_is_not_taken(self, world, party):
        self.next_intake(world, 2)
        world.pair = SealingPair.generate()
        assert world.announce(party, 1000).problem == "refused"

    def test_what_is_over_is_forgotten(self, world):
        self.next_intake(world, 2)
        world.line.clock.pass_(days=14, seconds=1)
        world.line.sweep()
        assert world.line.gateway.thread.index.rows("SELECT * FROM earlier_intakes") == []


class TestStatementKey:
    def certificate(self, world, key, root=None, **later):
        now = world.line.now() + timedelta(**later)
        return make_certificate(root or world.root, key.public, now, now + timedelta(days=365))

    def intake(self, world, key, sequence=1):
        now = world.line.now()
        statement = IntakeStatement(
            sequence, now, now + timedelta(days=14), now + timedelta(days=28), world.registry, world.pair.public, ()
        )
        return make_intake(statement, key)

    def test_certificate_and_intake_statement_change_together(self, world, party):
        new = SigningKey.generate()
        certificate, intake = self.certificate(world, new), self.intake(world, new, sequence=2)
        answer = world.instruct("certificate", certificate=certificate.to_json(), intake=intake.to_json())
        assert answer.status == 200
        handed = world.get("/v1/intake", party.key).json
        assert handed == {"certificate": certificate.to_json(), "intake": intake.to_json()}

    def test_neither_changes_when_one_does_not_hold(self, world, party):
        before = world.get("/v1/intake", party.key).json
        new = SigningKey.generate()
        for intake in (self.intake(world, world.statement, 2), self.intake(world, SigningKey.generate(), 2)):
            answer = world.instruct(
                "certificate", certificate=self.certificate(world, new).to_json(), intake=intake.to_json()
            )
            assert answer.problem == "refused"
        assert world.get("/v1/intake", party.key).json == before

    def test_after_its_year_the_root_alone_brings_the_registry_back(self, world, party):
        world.line.clock.pass_(days=366)
        assert world.instruct("allowance", transfers=2).problem == "refused"
        new = SigningKey.generate()
        certificate, intake = self.certificate(world, new), self.intake(world, new, sequence=2)
        answer = world.instruct("certificate", key=new, certificate=certificate.to_json(), intake=intake.to_json())
        assert answer.status == 200
        assert world.instruct("allowance", key=new, transfers=2).status == 200

    def test_a_key_that_the_root_did_not_sign_brings_nothing(self, world):
        thief = SigningKey.generate()
        false = self.certificate(world, thief, root=SigningKey.generate())
        assert world.instruct("certificate", key=thief, certificate=false.to_json()).problem == "unsigned"
        true = self.certificate(world, SigningKey.generate())
        assert world.instruct("certificate", key=thief, certificate=true.to_json()).problem == "unsigned"
        assert world.instruct("allowance", key=thief, transfers=2).problem == "unsigned"

    def test_a_stolen_key_of_before_cannot_bring_its_own_certificate_back(self, world):
        old, old_certificate = world.statement, self.certificate(world, world.statement)
        world.line.clock.pass_(days=1)
        new = SigningKey.generate()
        assert world.instruct("certificate", certificate=self.certificate(world, new).to_json()).status == 200
        again = world.instruct("certificate", key=old, certificate=old_certificate.to_json())
        assert again.problem == "unsigned"
        assert world.instruct("allowance", key=old, transfers=2).problem == "unsigned"
        assert world.instruct("allowance", key=new, transfers=2).status == 200

    def test_the_pull_key_or_the_root_is_no_statement_key(self, world):
        for key in (world.pull, world.root):
            assert (
                world.instruct("certificate", certificate=self.certificate(world, key).to_json()).problem == "refused"
            )


class TestPullKey:
    def test_the_one_before_it_is_no_key_from_then_on(self, world):
        old, new = world.pull, SigningKey.generate()
        assert world.instruct("pull-key", pull_key=new.public.line).status == 200
        assert world.get("/v1/inbox", old).problem == "unsigned"
        assert world.get("/v1/inbox", new).status == 200

    def test_it_leases_on_what_the_old_one_leased(self, world, party):
        sealed = world.send(party)
        assert world.lease(sealed).status == 200
        new = SigningKey.generate()
        assert world.instruct("pull-key", pull_key=new.public.line).status == 200
        assert world.read(sealed, 0, key=new).status == 200


def test_the_page_lists_what_may_be_changed_with_its_bounds(root):
    page = (root / "docs" / "settings-gateway.md").read_text("utf-8")
    listed = re.findall(r"^- `([a-z_]+)`: (\d+) to (\d+)$", page, re.MULTILINE)
    assert {name: (int(least), int(most)) for name, least, most in listed} == {
        name: (bounds.least, bounds.most) for name, bounds in ADJUSTABLE.items()
    }
