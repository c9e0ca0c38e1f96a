"""`swaddle doctor` in every kind of home: a good one is good, and each thing that can be wrong is found and named."""

import json
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from gateway_world import DirectLine, direct_world, make_home, running
from swaddle import checkup
from swaddle.envelope.keys import SealingPair
from swaddle.gateway import doctor, sftp_doctor
from swaddle.gateway.backup import make_backup
from swaddle.gateway.initialise import initialise, make_certificate
from swaddle.gateway.sftp_home import open_door
from swaddle.home import HomeFault, kind_of
from swaddle.registry import doctor as registry_doctor
from swaddle.submitter import doctor as submitter_doctor
from swaddle.wire.enrolment import ClaimFile
from whole_world import make_world


class Gateway:
    def __init__(self, claim):
        self.claim = claim


def states(findings):
    return {finding.check: finding.state for finding in findings}


def by_check(findings, check):
    return next(finding for finding in findings if finding.check == check)


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "swaddle", "doctor", *map(str, arguments)], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def world(tmp_path):
    with direct_world(tmp_path / "gateway") as made:
        made.instruct("backup-key", recipient=SealingPair.generate().public.to_json())
        make_backup(made.line.home, clock=made.line.clock)
        made.get("/v1/inbox", made.pull)
        yield made


def look(world):
    return doctor.examine(world.line.home, {}, world.line.clock)


class TestGateway:
    def test_a_good_one(self, world):
        found = states(look(world))
        assert {check for check, state in found.items() if state != "good"} == {"listening"}  # it does not run here

    def test_it_changes_nothing(self, world):
        before = {p: p.read_bytes() for p in world.line.home.rglob("*") if p.is_file() and p.suffix != ".db-shm"}
        look(world)
        after = {p: p.read_bytes() for p in world.line.home.rglob("*") if p.is_file() and p.suffix != ".db-shm"}
        assert before == after

    def test_others_can_read_a_key(self, world):
        (world.line.home / "tls.key").chmod(0o644)
        assert by_check(look(world), "permissions").state == "mend"

    def test_a_disk_that_is_full(self, world, monkeypatch):
        monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 99, 1))
        assert by_check(look(world), "disk").state == "mend"

    @pytest.mark.parametrize(("days", "state"), [(-1, "mend"), (10, "look"), (100, "good")])
    def test_a_certificate_that_ends(self, world, days, state):
        made = make_certificate(world.line.authority, world.line.clock() - timedelta(days=730 - days))
        for name, data in zip(("tls.crt", "tls.key"), made, strict=True):
            (world.line.home / name).write_bytes(data)
        assert by_check(look(world), "certificate").state == state

    def test_a_key_of_another_certificate(self, world):
        (world.line.home / "tls.key").write_bytes(make_certificate(world.line.authority, datetime.now(UTC))[1])
        assert by_check(look(world), "certificate").what == "nobody can connect"

    def test_an_older_form_names_the_command(self, world):
        world.line.close()
        connection = sqlite3.connect(world.line.home / "transfers.db")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()
        connection.close()
        found = by_check(look(world), "schema")
        assert (found.state, "gateway upgrade" in found.fix) == ("mend", True)

    def test_a_journal_that_was_changed(self, world):
        index = world.line.gateway.thread.index
        index.write("UPDATE journal SET entry = ? WHERE sequence = 1", b"{}")
        found = by_check(look(world), "journal")
        assert (found.state, "SWD-GATE-01" in found.what) == ("mend", True)

    def test_a_registry_that_stays_away(self, world):
        world.line.clock.pass_(hours=25)
        assert by_check(look(world), "journal").state == "mend"

    def test_a_freeze(self, world):
        party = world.enrol()
        for _ in range(2):
            world.lease(world.send(party))
        found = by_check(look(world), "freeze")
        assert (found.state, "allowance" in found.why) == ("mend", True)
        assert party.id not in repr(look(world))

    def test_a_clock_that_went_back(self, world):
        world.line.clock.pass_(hours=-3)
        assert by_check(look(world), "clock").state == "mend"

    def test_an_intake_statement_that_is_over(self, world):
        world.line.clock.pass_(days=15)
        assert by_check(look(world), "intake").state == "mend"

    def test_no_backup_or_an_old_one(self, world):
        world.line.clock.pass_(days=8)
        assert by_check(look(world), "backups").state == "look"
        world.line.clock.pass_(days=30)
        assert by_check(look(world), "backups").what == "a backup lies here past its time"

    def test_a_door_socket_that_nobody_serves(self, tmp_path):
        home = make_home(tmp_path / "gateway", door_socket=f'"{tmp_path}/door.sock"')
        assert by_check(doctor.examine(home, {}), "door").state == "mend"

    def test_nobody_has_claimed_it(self, tmp_path):
        assert by_check(doctor.examine(make_home(tmp_path / "gateway"), {}), "registry").state == "look"

    def test_a_database_that_is_none(self, world):
        world.line.close()
        for left in world.line.home.glob("transfers.db-*"):
            left.unlink()
        (world.line.home / "transfers.db").write_bytes(secrets.token_bytes(8192))
        assert by_check(look(world), "database").state == "mend"
        shutil.rmtree(world.line.home)
        world.line.home.mkdir()
        world.line = DirectLine(make_home(world.line.home, world.line.clock()), world.line.clock)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor")
    claim = ClaimFile.from_bytes(initialise(folder / "gateway", "https://127.0.0.1:0", port=0).read_bytes())
    with running(folder / "gateway"):
        made = make_world(folder, Gateway(claim))
        made.enrol("north")
        yield made


class TestTheOthers:
    def test_a_submitter(self, whole):
        found = states(submitter_doctor.examine(whole.submitters["north"], {}))
        assert set(found.values()) == {"good"}
        assert {"permissions", "disk", "keys", "enrolment", "intake", "gateway", "clock"} <= set(found)

    def test_a_submitter_whose_clock_is_wrong(self, whole):
        def ahead():
            return datetime.now(UTC) + timedelta(minutes=5)

        found = by_check(submitter_doctor.examine(whole.submitters["north"], {}, ahead), "clock")
        assert (found.state, "ahead" in found.why) == ("mend", True)

    def test_a_submitter_without_its_keys(self, whole, tmp_path):
        copy = tmp_path / "copy"
        shutil.copytree(whole.submitters["north"], copy)
        (copy / "keys" / "sealing.json").unlink()
        assert by_check(submitter_doctor.examine(copy, {}), "keys").state == "mend"

    def test_a_registry(self, whole):
        found = states(registry_doctor.examine(whole.registry, {}))
        assert {check for check, state in found.items() if state == "mend"} == set()
        assert found["offline keys"] == "look"  # nobody has moved them yet
        assert found["custody"] == "good"

    def test_a_registry_whose_ledger_was_changed(self, whole, tmp_path):
        copy = tmp_path / "copy"
        shutil.copytree(whole.registry, copy, ignore=shutil.ignore_patterns("*.sock"))
        data = (copy / "custody.jsonl").read_bytes()
        (copy / "custody.jsonl").write_bytes(data.replace(b"registry-made", b"registry-fake", 1))
        assert by_check(registry_doctor.examine(copy, {}), "custody").state == "mend"

    def test_a_registry_that_does_not_reach_its_gateway(self, whole, tmp_path):
        copy = tmp_path / "copy"
        shutil.copytree(whole.registry, copy, ignore=shutil.ignore_patterns("*.sock"))
        text = (copy / "settings.toml").read_text()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        url = whole.gateway.claim.url
        (copy / "settings.toml").write_text(text.replace(url, f"https://127.0.0.1:{port}"))
        assert by_check(registry_doctor.examine(copy, {}), "clock").state == "mend"

    def test_a_door(self, tmp_path):
        open_door(tmp_path / "door", {"socket": str(tmp_path / "no.sock")}, {})
        found = states(sftp_doctor.examine(tmp_path / "door", {}))
        assert found["keys"] == found["permissions"] == "good"
        assert found["door"] == "mend"


class TestTheCommand:
    def test_json_and_exit_status(self, tmp_path):
        home = make_home(tmp_path / "gateway")
        status, out, _ = run("--home", home, "--json")
        told = json.loads(out)
        assert (status, told["kind"], told["mend"]) == (0, "gateway", 0)
        assert told["look"] >= 1
        assert {"check", "state", "what", "why", "fix"} == set(told["findings"][0])
        assert run("--home", home, "--strict")[0] == 3
        (home / "tls.key").write_bytes(b"")
        status, out, _ = run("--home", home)
        assert status == 3
        assert "MEND  certificate" in out
        assert "fix:" in out

    def test_a_folder_that_is_no_home(self, tmp_path):
        assert run("--home", tmp_path)[0] == 3
        with pytest.raises(HomeFault):
            kind_of(tmp_path)


def test_an_error_that_a_check_meets_is_a_finding():
    def broken():
        raise PermissionError(13, "/home/anna/secret")
        yield

    found = list(checkup.guarded("x", broken))
    assert [each.state for each in found] == ["mend"]
    assert "anna" not in repr(found)
