"""A gateway that somebody has root on, seen from inside: what it changes, drops or makes up is refused and named.

A real gateway process; the attacker writes to its disk directly.
"""

import json
import sqlite3

import pytest

from submitter_world import GatewayProcess
from swaddle.errors import IntegrityFault
from swaddle.registry.exchange import JournalBroken
from swaddle.submitter import enrol
from swaddle.submitter.enrol import EnrolmentRefused
from swaddle.wire.enrolment import Invitation
from whole_world import make_world


@pytest.fixture
def world(tmp_path):
    gateway = GatewayProcess(tmp_path / "gateway")
    world = make_world(tmp_path, gateway)
    yield world
    gateway.stop()


def on_disk(world, sql, *values):
    """The attacker's hand in the gateway's database."""
    with sqlite3.connect(world.gateway.home / "transfers.db", timeout=10) as connection:
        return connection.execute(sql, values).fetchall()


def events(world, subject=None):
    return [(entry["event"], entry["subject"]) for entry in world.ask("custody-entries", subject=subject)]


class TestSwappedKeys:
    def test_keys_that_the_gateway_swaps_are_never_enrolled(self, world, tmp_path):
        invitation = Invitation.decode(world.ask("invite", name="Northshore General")["invitation"])
        enrol.make_passphrase_file(tmp_path / "passphrase")
        enrol.begin(tmp_path / "submitter", invitation, passphrase_file=tmp_path / "passphrase")
        ((keys,),) = on_disk(world, "select keys from enrolments where state = 'waiting'")
        value = json.loads(keys)
        value["signing_key"] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGc3ZjAxMjM0NTY3ODlhYmNkZWZnaGlqa2xtbm9w"
        changed = json.dumps(value, separators=(",", ":"), sort_keys=True)
        on_disk(world, "update enrolments set keys = ? where state = 'waiting'", changed)
        result = world.ask("pull")
        assert [each["state"] for each in result["enrolled"]] == ["rejected"]
        assert [event for event, _ in events(world)].count("submitter-rejected") == 1
        assert [each["state"] for each in world.ask("submitters")["submitters"]] == ["invited"]
        with pytest.raises(EnrolmentRefused):
            enrol.finish(tmp_path / "submitter", timeout_s=5)

    def test_a_gateway_that_enrols_itself_is_refused(self, world):
        world.ask("invite", name="Northshore General")
        ((lookup,),) = on_disk(world, "select lookup_sha256 from enrolments")
        keys = json.dumps({"sealing": {}, "signing_key": "x"}, separators=(",", ":"))
        on_disk(
            world,
            "update enrolments set state = 'waiting', keys = ?, hmac = ? where lookup_sha256 = ?",
            keys, "A" * 43 + "=", lookup,
        )  # fmt: skip
        assert [each["state"] for each in world.ask("pull")["enrolled"]] == ["rejected"]


class TestJournal:
    def test_a_row_dropped_from_the_journal_is_noticed(self, world):
        world.enrol("Northshore General")
        world.send("Northshore General", world.births(3, seed=1))
        on_disk(world, "delete from journal where sequence = (select max(sequence) - 1 from journal)")
        with pytest.raises((JournalBroken, IntegrityFault)) as broken:
            world.ask("pull")
        assert "journal" in broken.value.lines()[0]

    def test_a_row_changed_in_the_journal_is_noticed(self, world):
        world.enrol("Northshore General")
        world.send("Northshore General", world.births(3, seed=1))
        on_disk(
            world,
            "update journal set entry = cast(replace(cast(entry as text), 'held', 'dead') as blob)"
            " where sequence = (select max(sequence) from journal)",
        )
        with pytest.raises(IntegrityFault) as broken:
            world.ask("pull")
        assert "journal" in broken.value.lines()[0]

    def test_a_journal_cut_at_its_end_is_noticed(self, world):
        world.enrol("Northshore General")
        world.send("Northshore General", world.births(3, seed=1))
        on_disk(world, "delete from journal where sequence > (select max(sequence) - 2 from journal)")
        with pytest.raises(IntegrityFault):
            world.ask("pull")


class TestChangedBody:
    def test_a_part_changed_on_the_gateways_disk_is_unreadable_and_its_sender_is_told(self, world):
        submitter = world.enrol("Northshore General")
        (sent,) = world.send("Northshore General", world.births(5, seed=1))
        (body,) = [path for path in (world.gateway.home / "bodies").rglob("*") if path.is_file()]
        data = bytearray(body.read_bytes())
        data[len(data) // 2] ^= 1
        body.write_bytes(data)
        result = world.ask("pull")
        assert [(each["id"], each["outcome"]) for each in result["transfers"]] == [(sent, "unreadable")]
        assert result["reports_sent"] == 1
        assert ("submission-unreadable", sent) in events(world, sent)
        assert world.ask("subject-counts", transfers=[sent])["persons"] == 0
        assert sent not in world.ask("subject-transfers")
        assert submitter in {each["submitter"] for each in world.ask("transfer-facts")}


class TestReplayedTransfer:
    def test_a_transfer_served_again_under_another_id_is_refused(self, world):
        world.enrol("Northshore General")
        (first,) = world.send("Northshore General", world.births(5, seed=1))
        on_disk(world, "update transfers set id = ? where id = ?", "0" * 32, first)
        on_disk(world, "update parts set transfer = ? where transfer = ?", "0" * 32, first)
        result = world.ask("pull")
        assert [(each["id"], each["outcome"]) for each in result["transfers"]] == [("0" * 32, "unreadable")]
        assert world.ask("status")["stored"]["rows"] == 0
