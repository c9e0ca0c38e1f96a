"""Backups of a gateway: what is in them, what is not, and a gateway that comes back frozen."""

import base64
import json
import secrets
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway_world import DirectLine, direct_world
from swaddle.canonical import canonical, digest_hex, parse_canonical
from swaddle.envelope.backup import BackupUnreadable, read_backup
from swaddle.envelope.backup_opening import BackupExpired, BackupOfAnotherKey, open_backup
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.refusals import SignatureInvalid
from swaddle.gateway import backup as making
from swaddle.gateway.backup import LEFT_OUT, TABLES, NoBackupKey, make_backup, remove_expired
from swaddle.gateway.initialise import AlreadyMade
from swaddle.gateway.restore import restore, verify

PAIR = SealingPair.generate()


@pytest.fixture
def world(tmp_path):
    with direct_world(tmp_path / "gateway") as made:
        assert made.instruct("backup-key", recipient=PAIR.public.to_json()).status == 200
        yield made


def back_up(world, **more):
    return make_backup(world.line.home, clock=world.line.clock, **more)


def bytes_of(made):
    return Path(made["backup"]).read_bytes()


def opened(made, pair=PAIR, at=None):
    found = read_backup(bytes_of(made))
    return found, open_backup(found, pair, at or found.head.made)


def come_back(world, made, folder):
    """The same parties before a gateway that was restored."""
    restore(folder, *opened(made), clock=world.line.clock)
    world.line.close()
    world.line = DirectLine(folder, world.line.clock)
    return world


class TestWhatIsInIt:
    def test_no_body_header_description_manifest_or_id_of_a_transfer(self, world):
        party = world.enrol()
        sent = [world.send(party), world.send(None, to=party)]
        world.lease(sent[0])
        unread = world.send(party)
        assert world.lease(unread).problem == "frozen"  # over the allowance: a freeze that names a transfer
        assert world.acknowledge(unread, outcome="unreadable").status == 200
        announced = world.announce(party, 1000).json["id"]
        _, plain = opened(back_up(world))
        files = parse_canonical(plain, 2**24)["files"]
        plain += b"".join(base64.b64decode(data) for data in files.values())
        for sealed in (*sent, unread):
            needles = [sealed.header, sealed.description, *sealed.parts, sealed.manifest.message, sealed.id.encode()]
            for needle in needles:
                for form in (needle, needle[:48], base64.b64encode(needle[:48]), needle[:48].hex().encode()):
                    assert form not in plain
            assert sealed.manifest_sha256.encode() not in plain
            assert sealed.lease_sha256.encode() not in plain
        assert announced.encode() not in plain

    def test_settings_enrolments_and_the_gateways_own_keys(self, world):
        party, _ = world.enrol(), world.invite()
        _, plain = opened(back_up(world))
        value = parse_canonical(plain, 2**24)
        for name in ("settings.toml", "tls.key", "tls.crt", "journal.key"):
            assert base64.b64decode(value["files"][name]) == (world.line.home / name).read_bytes()
        assert party.id in json.dumps(value["tables"]["submitters"])
        assert len(value["tables"]["enrolments"]["rows"]) == 2

    def test_every_table_was_decided_about(self, world):
        rows = world.line.gateway.thread.index.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        there = {row["name"] for row in rows if not row["name"].startswith("sqlite_")}
        assert there == set(TABLES) | set(LEFT_OUT)
        assert not set(TABLES) & set(LEFT_OUT)

    def test_sealed_it_shows_nothing_but_its_head(self, world):
        party = world.enrol()
        data = bytes_of(back_up(world))
        key = (world.line.home / "tls.key").read_bytes()
        for secret in (party.id.encode(), party.key.public.line.encode(), key[40:80], b"submitters"):
            assert secret not in data


class TestWhoOpensIt:
    def test_without_the_registrys_word_there_is_no_backup(self, tmp_path):
        with direct_world(tmp_path / "gateway") as world:
            with pytest.raises(NoBackupKey) as caught:
                back_up(world)
            assert caught.value.exit_status == 3

    def test_another_pair_opens_nothing(self, world):
        with pytest.raises(BackupOfAnotherKey):
            opened(back_up(world), pair=SealingPair.generate())

    def test_past_its_time_it_is_not_opened_and_the_next_one_removes_it(self, world):
        made = back_up(world)
        with pytest.raises(BackupExpired) as caught:
            opened(made, at=world.line.clock() + timedelta(days=30))
        assert caught.value.exit_status == 9
        world.line.clock.pass_(days=30)
        assert back_up(world)["removed"] == 1

    def test_removing_expired_ones_leaves_what_is_none(self, tmp_path):
        (tmp_path / "x.swaddle-backup").write_bytes(b"something else")
        assert remove_expired(tmp_path, datetime.now(UTC)) == 0

    @pytest.mark.parametrize("place", [10, 200, -1])
    def test_a_changed_one_is_refused(self, world, place):
        data = bytearray(bytes_of(back_up(world)))
        data[place] ^= 1
        with pytest.raises((BackupUnreadable, SignatureInvalid)):
            read_backup(bytes(data))

    def test_a_cut_one_is_refused(self, world):
        data = bytes_of(back_up(world))
        for size in (0, 1, 300, len(data) - 1):
            with pytest.raises((BackupUnreadable, SignatureInvalid)):
                read_backup(data[:size])

    def test_the_head_of_one_before_the_bytes_of_another_is_refused(self, world):
        one, other = (bytes_of(back_up(world)) for _ in range(2))
        with pytest.raises(BackupUnreadable):
            read_backup(one.partition(b"\n")[0] + b"\n" + other.partition(b"\n")[2])

    def test_the_journal_names_it_before_it_is_a_file(self, world, monkeypatch):
        def no(*_):
            raise OSError(28, "no space")

        monkeypatch.setattr(making.durable, "write_file", no)
        with pytest.raises(OSError):
            back_up(world)
        last = world.journal()["entries"][-1]
        assert (last["event"], last["detail"]["key_id"]) == ("backed-up", PAIR.public.key_id)


class TestTheReturn:
    def test_it_comes_back_frozen_and_goes_on_where_the_registry_says(self, world, tmp_path):
        party = world.enrol()
        made = back_up(world)
        lost = world.send(party)
        last = world.journal()["entries"][-1]
        come_back(world, made, tmp_path / "again")
        status = world.get("/v1/status", world.pull).json
        assert [freeze["cause"] for freeze in status["freezes"]] == ["restored"]
        assert status["restored"] == made["sha256"]
        assert world.get("/v1/inbox", world.pull).problem == "frozen"
        assert world.get("/v1/journal?after=0", world.pull).problem == "frozen"
        assert world.view(lost, party.key).problem == "not-found"
        later = world.send(party)  # sending goes on
        assert world.lease(later).problem == "frozen"
        head = digest_hex(canonical(last))
        answer = world.instruct("restored", through=last["sequence"], entry_sha256=head)
        assert answer.status == 200
        entries = world.journal(after=last["sequence"])["entries"]
        assert entries[0]["previous"] == head
        assert [entry["event"] for entry in entries][:2] == ["restored", "frozen"]
        previous, sequence = head, last["sequence"]
        for entry in entries:
            assert (entry["previous"], entry["sequence"]) == (previous, sequence + 1)
            previous, sequence = digest_hex(canonical(entry)), entry["sequence"]
        assert world.freezes() == []
        assert world.lease(later).status == 200
        assert [world.read(later, number).body for number in (0, 1)] == later.parts
        world.line.reopen()  # its chain holds at the next start
        assert world.freezes() == []

    def test_an_instruction_of_the_time_between_is_not_taken_again(self, world, tmp_path):
        party = world.enrol()
        made = back_up(world)
        between = world.sequence + 1
        assert world.instruct("allowance", transfers=9).status == 200
        come_back(world, made, tmp_path / "again")
        assert world.instruct("allowance", sequence=between, transfers=9).problem == "frozen"
        assert world.instruct("revoke", submitter=party.id).problem == "frozen"
        assert world.instruct("restored", through=99, entry_sha256="ab" * 32).status == 200
        assert world.instruct("allowance", sequence=between, transfers=9).problem == "conflict"
        assert world.get("/v1/status", world.pull).json["allowance"] == 1
        assert world.instruct("restored", through=99, entry_sha256="ab" * 32).problem == "refused"

    def test_only_the_registrys_signature_ends_the_freeze(self, world, tmp_path):
        from swaddle.envelope.signature import SigningKey

        come_back(world, back_up(world), tmp_path / "again")
        answer = world.instruct("restored", key=SigningKey.generate(), through=1, entry_sha256="ab" * 32)
        assert answer.problem == "unsigned"
        freeze = world.freezes()[0]["id"]
        assert world.instruct("release-freeze", freeze=freeze).problem == "frozen"
        assert world.freezes()

    def test_the_same_tls_key_and_submitters_answer(self, world, tmp_path):
        party = world.enrol()
        pin = (world.line.home / "tls.crt").read_bytes()
        come_back(world, back_up(world), tmp_path / "again")
        assert (tmp_path / "again" / "tls.crt").read_bytes() == pin
        assert world.get("/v1/intake", party.key).status == 200

    def test_a_revoked_submitter_stays_revoked(self, world, tmp_path):
        party = world.enrol()
        world.instruct("revoke", submitter=party.id)
        come_back(world, back_up(world), tmp_path / "again")
        assert world.get("/v1/intake", party.key).problem == "unsigned"

    def test_a_freeze_of_before_is_still_there_after(self, world, tmp_path):
        party, other = world.enrol(), world.enrol()
        sealed = world.send(None, to=party)
        assert world.lease(sealed, key=other.key).problem in {"frozen", "not-found"}
        before = len(world.freezes())
        come_back(world, back_up(world), tmp_path / "again")
        assert before == 1
        assert len(world.freezes()) == 2

    def test_never_into_a_home_that_is_one(self, world):
        with pytest.raises(AlreadyMade):
            restore(world.line.home, *opened(back_up(world)))

    def test_begun_and_killed_it_is_simply_run_again(self, world, tmp_path):
        made = back_up(world)
        restore(tmp_path / "again", *opened(made), clock=world.line.clock)
        (tmp_path / "again" / "settings.toml").unlink()
        told = restore(tmp_path / "again", *opened(made), clock=world.line.clock)
        assert told["backup_sha256"] == made["sha256"]

    def test_verified_means_really_restored(self, world, tmp_path):
        world.enrol()
        made = back_up(world)
        told = verify(*opened(made))
        assert (told["submitters"], told["backup_sha256"]) == (1, made["sha256"])

    def test_a_hostile_content_restores_nothing(self, world, tmp_path):
        found, plain = opened(back_up(world))
        value = parse_canonical(plain, 2**24)
        for change in (
            {"files": {**value["files"], "../evil": "AA=="}},
            {"files": {"settings.toml": "AA=="}},
            {"tables": {"transfers": {"columns": [], "rows": []}}},
            {"tables": {"facts": {"columns": ["name) VALUES (1); DROP TABLE facts; --"], "rows": [["x"]]}}},
            {"tables": {"facts": {"columns": ["no_such"], "rows": [["x"]]}}},
            {"tables": {"facts": []}},
        ):
            folder = tmp_path / secrets.token_hex(4)
            with pytest.raises(BackupUnreadable):
                restore(folder, found, canonical({**value, **change}))
            assert not (folder / "settings.toml").exists()
            assert not (tmp_path / "evil").exists()


def test_a_claimed_but_older_database_is_backed_up_by_what_it_has(world):
    connection = sqlite3.connect(world.line.home / "transfers.db")
    connection.execute("DROP TABLE quotas")
    connection.commit()
    connection.close()
    _, plain = opened(back_up(world))
    assert "quotas" not in parse_canonical(plain, 2**24)["tables"]
