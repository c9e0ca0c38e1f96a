"""Administration from inside, on a real gateway: revoke, quota, settings, contact, and keys in season."""

import json
import secrets
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest

from submitter_world import GatewayProcess
from swaddle.cli.registry_admin import certify
from swaddle.envelope.refusals import WrongSigner
from swaddle.gateway.run import status as gateway_status
from swaddle.registry import admin, rotation
from swaddle.registry.admin import InstructionRefused, NoSuchSubmitter
from swaddle.registry.levels import LevelUnusable
from swaddle.registry.mail_texts import AddressUnusable
from swaddle.registry.operations import Operations
from swaddle.registry.rotation import CertificateWrong
from swaddle.submitter import inbox
from swaddle.submitter.send import send
from swaddle.wire.client import GatewayClient
from swaddle.wire.problems import GatewayBusy, NotAdmitted, Unreachable
from whole_world import PASSPHRASE, make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway")
    made = make_world(folder, gateway)
    (folder / "passphrase").write_bytes(PASSPHRASE)
    (folder / "passphrase").chmod(0o600)
    settings = made.registry / "settings.toml"
    settings.write_text(settings.read_text() + f'passphrase_file = "{folder / "passphrase"}"\n')
    inside = made.inside()  # opened once: each opening costs a scrypt
    made.ask = Operations(inside).do
    made.inside = inside
    yield made
    inside.close()
    gateway.stop()


def announce(world, name):
    announcement = {
        "reference": b64encode(secrets.token_bytes(16)).decode(),
        "recipient": world.ask("status")["intake"]["key_id"],
        "body_bytes": 5000,
        "part_bytes": 65_536,
        "expires": (datetime.now(UTC) + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    with world.party(name).client() as client:
        return client.post_json("/v1/transfers", announcement)


class TestRevoke:
    def test_it_is_in_force_when_the_command_returns(self, world):
        world.enrol("Eastshore")
        client = world.party("Eastshore").client()
        assert client.get_json("/v1/inbox")
        assert world.ask("revoke", name="Eastshore")["state"] == "revoked"
        with pytest.raises(NotAdmitted):
            client.get_json("/v1/inbox")
        states = {each["name"]: each["state"] for each in world.ask("submitters")["submitters"]}
        assert states["Eastshore"] == "revoked"
        assert "submitter-revoked" in [entry["event"] for entry in world.ask("custody-entries")]

    def test_again_is_fine_and_writes_no_second_entry(self, world):
        world.enrol("Twice")
        for _ in range(2):
            world.ask("revoke", name="Twice")
        events = [entry["event"] for entry in world.ask("custody-entries")]
        assert events.count("submitter-revoked") == len({
            entry["subject"] for entry in world.ask("custody-entries") if entry["event"] == "submitter-revoked"
        })  # fmt: skip

    def test_what_was_held_before_is_taken_in(self, world):
        world.enrol("Before")
        (sent,) = world.send("Before", world.births(3, seed=71))
        world.ask("revoke", name="Before")
        world.ask("pull")
        facts = {each["id"]: each["outcome"] for each in world.ask("transfer-facts")}
        assert facts[sent] == "stored"

    def test_what_the_gateway_shows_under_its_key_later_is_not_believed(self, world):
        """A gateway that is hacked and has the stolen key could still hand in what nobody held before."""
        world.enrol("Later")
        (sent,) = world.send("Later", world.births(3, seed=72))
        inside = world.inside
        submitter = inside.state.submitter_named("Later")
        entry = inside.ledger.append("submitter-revoked", submitter.id, {}, inside.now())  # nothing was drained
        inside.state.revoke(submitter.id, submitter.signing_key.fingerprint, entry.sequence)
        result = world.ask("pull")
        assert [each["outcome"] for each in result["transfers"] if each["id"] == sent] == ["unreadable"]
        assert any(each["id"] == sent and WrongSigner.code == each["code"] for each in result["failed"])

    def test_a_gateway_that_is_away_is_told_at_the_next_look(self, world):
        world.enrol("Offline")
        client = world.party("Offline").client()
        world.gateway.stop()
        with pytest.raises(Unreachable):
            world.ask("revoke", name="Offline")
        world.gateway.start()
        world.ask("pull")
        with pytest.raises(NotAdmitted):
            client.get_json("/v1/inbox")

    def test_to_let_it_in_again_is_a_new_invitation_with_new_keys(self, world):
        first = world.enrol("Again")
        world.ask("revoke", name="Again")
        old = world.party("Again").client()
        world.submitters["Again, with its old keys"] = world.submitters.pop("Again")
        assert world.enrol("Again") == first
        assert world.party("Again").client().get_json("/v1/inbox") == {"transfers": []}
        with pytest.raises(NotAdmitted):
            old.get_json("/v1/inbox")

    def test_a_name_that_nobody_has(self, world):
        with pytest.raises(NoSuchSubmitter):
            world.ask("revoke", name="nobody")


class TestQuotaAndSettings:
    def test_a_quota_is_kept_shown_and_taken_back(self, world):
        world.enrol("Limited")
        shown = world.ask("quota", name="Limited", bytes=1000, transfers_per_hour=5)
        assert (shown["bytes"], shown["transfers"], shown["transfers_per_hour"]) == (1000, None, 5)
        assert world.ask("quota", name="Limited", transfers=3)["bytes"] == 1000
        assert world.ask("quota", name="Limited") == world.ask("quota", name="Limited", transfers=3)
        with pytest.raises(GatewayBusy) as error:
            announce(world, "Limited")
        assert error.value.exit_status == 5  # come again later: nothing is lost
        world.ask("quota", name="Limited", reset=True)
        assert announce(world, "Limited")["id"]

    def test_a_setting_survives_a_restart_and_is_shown(self, world):
        assert world.ask("gateway-setting", name="uploads", value=9) == {"changed_settings": {"uploads": 9}}
        world.gateway.stop()
        world.gateway.start()
        shown = gateway_status(world.gateway.home)
        assert (shown["changed_settings"], shown["settings"]["uploads"]) == ({"uploads": 9}, 9)
        assert world.ask("gateway-setting", name="uploads", value=None) == {"changed_settings": {}}
        assert gateway_status(world.gateway.home)["settings"]["uploads"] == 32

    @pytest.mark.parametrize(("name", "value"), [("port", 1), ("uploads", 10**9), ("nothing_such", 1)])
    def test_what_may_not_be_changed_is_refused_with_the_reason(self, world, name, value):
        with pytest.raises(InstructionRefused) as error:
            world.ask("gateway-setting", name=name, value=value)
        assert "from" in error.value.lines()[1]

    def test_it_can_be_said_again_to_a_gateway_that_forgot(self, world):
        world.ask("gateway-setting", name="downloads", value=7)
        admin.tell_again(world.inside)
        world.ask("gateway-setting", name="downloads", value=None)


class TestContact:
    @pytest.fixture(autouse=True, scope="class")
    @staticmethod
    def written(world):
        world.ask("invite", name="Written")

    def test_it_is_kept_shown_and_removed(self, world):
        assert world.ask("contact", name="Written")["contact"] is None
        world.ask("contact", name="Written", address="data@hospital.example", language="fr")
        shown = world.ask("contact", name="Written")
        assert (shown["contact"], shown["language"]) == ("data@hospital.example", "fr")
        assert world.ask("contact", name="Written", remove=True)["contact"] is None

    @pytest.mark.parametrize(
        "address",
        [
            "a@b\r\nBcc: all@elsewhere.example", "a@b\nSubject: x", "a@b\x00", "a b@c", '"a"@b', "a@b,c@d", "A <a@b>",
            "@b", "a@", "a", "", "a@b..c", "a@-b", "é@b", "a" * 65 + "@b", "a@" + "b." * 130, "a@b%0d%0a", "a@b;c",
        ],
    )  # fmt: skip
    def test_what_could_break_a_header_is_no_address(self, world, address):
        with pytest.raises(AddressUnusable):
            world.ask("contact", name="Written", address=address)
        assert world.ask("contact", name="Written")["contact"] is None


class TestLevelOfCare:
    def test_it_is_kept_shown_said_in_custody_and_taken_back(self, world):
        world.ask("invite", name="Levelled")
        assert world.ask("level", name="Levelled")["level"] is None
        set_to = world.ask("level", name="Levelled", level="2b")
        assert set_to["level"] == "2b"
        world.ask("level", name="Levelled", level="2b")  # again changes nothing
        assert world.ask("level", name="Levelled")["level"] == "2b"
        kept = {each["name"]: each["level"] for each in world.ask("submitters")["submitters"]}
        assert kept["Levelled"] == "2b"
        told = world.ask("custody-entries", subject=set_to["submitter"])
        assert [(each["event"], each["detail"]) for each in told if each["event"] == "level-set"] == [("level-set", {})]
        assert world.ask("level", name="Levelled", remove=True)["level"] is None

    @pytest.mark.parametrize("level", ["", " 2", "2b\n", "<b>", "=2", "-1", "123456789", "\u202e2", "２", "2;drop"])
    def test_what_is_no_level_changes_nothing(self, world, level):
        world.ask("invite", name=(name := f"Unlevelled {secrets.token_hex(4)}"))
        with pytest.raises(LevelUnusable):
            world.ask("level", name=name, level=level)
        assert world.ask("level", name=name)["level"] is None

    def test_a_name_that_nobody_has(self, world):
        with pytest.raises(NoSuchSubmitter):
            world.ask("level", name="Nobody", level="2")


class TestRotation:
    def test_the_next_intake_key_at_once_and_a_send_begun_under_the_old_one_is_taken_in(self, world):
        world.enrol("Rotated")
        before = world.ask("status")["intake"]["key_id"]
        (sent,) = world.send("Rotated", world.births(3, seed=74))
        after = world.ask("rotate-keys")["intake_key"]
        assert after != before
        world.ask("pull")
        (later,) = world.send("Rotated", world.births(3, seed=75))
        world.ask("pull")
        facts = {each["id"]: each["outcome"] for each in world.ask("transfer-facts")}
        assert (facts[sent], facts[later]) == ("stored", "stored")
        events = [
            (e["event"], e["subject"]) for e in world.ask("custody-entries") if e["detail"].get("key") == "intake"
        ]
        assert [event for event, key in events if key == after] == ["key-made", "intake-published"]

    def test_a_new_pull_key_shuts_out_who_has_the_old_one(self, world):
        old = world.inside.keyring.pull
        fingerprint = old.public.fingerprint
        thief = GatewayClient(world.gateway.claim.url, world.gateway.claim.pin, old)
        assert thief.get_json("/v1/status")
        new = world.ask("rotate-keys", which="pull")["pull_key"]
        assert new != fingerprint
        with pytest.raises(NotAdmitted):
            thief.get_json("/v1/status")
        assert world.ask("pull")["pulled"] >= 0
        assert not (world.registry / "keys" / "pull.next.key").exists()

    def certificate(self, world, root="root.key"):
        with_home = world.registry
        asked = world.ask("next-statement-key")
        return certify(with_home / "keys" / root, with_home, None, asked)

    def test_a_new_statement_key_by_the_root_and_reports_of_before_still_open(self, world):
        world.enrol("Signed")
        (sent,) = world.send("Signed", world.births(3, seed=76))
        world.ask("pull")  # its report waits, under the old statement key
        fingerprint = world.inside.keyring.statement.public.fingerprint
        done = world.ask("take-certificate", certificate=self.certificate(world))
        assert done["statement_key"] != fingerprint
        (later,) = world.send("Signed", world.births(3, seed=77))  # the sender follows the chain by itself
        world.ask("pull")
        party = world.party("Signed")
        with party.client() as client:
            opened = {inbox.get(party, client, each.id).in_reply_to for each in inbox.waiting(client)}
        assert opened == {sent, later}
        assert [each.state for each in send(party, [])] == ["stored"]  # the receipt of `sent` was taken before
        assert party.state.receipt_path(sent).exists()

    def test_a_certificate_of_anything_else_changes_nothing(self, world):
        fingerprint = world.inside.keyring.statement.public.fingerprint
        with pytest.raises(CertificateWrong):
            world.ask(
                "take-certificate",
                certificate=json.loads((world.registry / "statements/certificate.json").read_bytes()),
            )
        assert world.inside.keyring.statement.public.fingerprint == fingerprint
        (world.registry / "keys" / "statement.next.key").unlink(missing_ok=True)

    def test_the_pull_key_changes_by_itself_after_a_year(self, world):
        inside = world.inside
        before = inside.keyring.pull.public.fingerprint
        rotation.settle(inside)
        assert inside.keyring.pull.public.fingerprint == before
        old = datetime.now(UTC) - timedelta(days=366)
        inside.state.set_facts(pull_key_made=old.strftime("%Y-%m-%dT%H:%M:%SZ"))
        rotation.settle(inside)
        assert inside.keyring.pull.public.fingerprint != before
