"""A registry's machine is lost: back from its backup in another home, the lost one locked out, what is missing asked."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway_world import running
from swaddle.errors import NotPermitted
from swaddle.gateway.initialise import initialise
from swaddle.registry import pipeline, pull, work
from swaddle.registry.operations import ask
from swaddle.registry.returning import GatewayKnowsAnother
from swaddle.submitter import inbox
from swaddle.submitter.party import open_party
from swaddle.wire.enrolment import ClaimFile
from whole_world import PASSPHRASE, make_world, passphrase


def command(*arguments, status=0):
    """The command as an administrator runs it; the passphrase comes by a descriptor."""
    read, write = os.pipe()
    os.write(write, PASSPHRASE + b"\n")
    os.close(write)
    done = subprocess.run(
        [sys.executable, "-m", "swaddle", *map(str, arguments), "--passphrase-fd", str(read), "--json"],
        capture_output=True, text=True, timeout=120, pass_fds=(read,), stdin=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(read)
    assert done.returncode == status, (arguments, done.stdout, done.stderr)
    return json.loads(done.stdout) if status == 0 else done.stderr


def kept_in_spool(world, monkeypatch, folder):
    """Pull, and keep a copy of each transfer as it came: what a hacked gateway could have kept."""
    real = pull.clear

    def clear(spool, transfer):
        shutil.copytree(spool / transfer, folder / transfer)
        real(spool, transfer)

    with monkeypatch.context() as patch:
        patch.setattr(work.pull, "clear", clear)
        return world.ask("pull")


def notices(home):
    """What waits for a submitter, opened."""
    party = open_party(home)
    with party.client() as client:
        for entry in inbox.waiting(client):
            inbox.get(party, client, entry.id)
    told = [inbox.folder_of(home, one.transfer) / "report.json" for one in inbox.received(home)]
    return [json.loads(path.read_text()) for path in told]


@pytest.mark.slow
def test_a_lost_registry_comes_back_and_what_it_lost_is_asked_for(tmp_path, monkeypatch):
    home, captured = tmp_path / "gateway", tmp_path / "captured"
    claim = ClaimFile.from_bytes(initialise(home, "https://127.0.0.1:0", port=0).read_bytes())
    with running(home):
        world = make_world(tmp_path, SimpleNamespace(claim=claim))
        world.enrol("north")
        world.enrol("south")
        before = world.births(20, 1)
        kept = world.send("north", before)[0]
        assert kept_in_spool(world, monkeypatch, captured)["pulled"] == 1
        backup = command("registry", "backup", "--home", world.registry, "--out", tmp_path / "elsewhere")
        between = world.births(10, 2)
        lost = world.send("south", between)[0]
        assert kept_in_spool(world, monkeypatch, captured)["pulled"] == 1  # stored, receipted, and in no backup
        on_its_way = world.send("north", world.births(5, 3))[0]
        custody_then = len(world.ask("custody-entries"))

        offline = tmp_path / "offline.json"
        shutil.move(world.registry / "keys" / "backup.json", offline)
        stolen = tmp_path / "stolen"
        shutil.copytree(world.registry, stolen)
        root = world.ask("status")["root"]
        shutil.rmtree(world.registry)

        key = ("--key", offline)
        verified = command("registry", "verify-backup", backup["backup"], *key)
        assert (verified["sha256"], verified["submitters"]) == (backup["sha256"], 2)
        again = tmp_path / "another-machine"
        assert "SWD-BACKUP-13" in command(
            "registry", "restore", backup["backup"], "--home", again, *key, "--root", "SHA256:other", status=8
        )
        command("registry", "restore", backup["backup"], "--home", again, *key, "--root", root)
        world.registry = again

        pulled = command("registry", "pull", "--home", again, status=7)
        assert pulled is not None
        status = world.ask("status")
        assert [each["id"] for each in status["lost_with_keys"]] == [on_its_way]
        assert status["restored"]["backup"] == backup["sha256"]
        assert status["alarms"] == []
        assert status["stored"]["rows"] == 20

        # The machine that was lost is out, whoever has it.
        with pytest.raises(NotPermitted):
            ask(stolen, passphrase, "pull")

        # Both submitters are told; what was on its way comes again by itself; what was receipted is sent again.
        for name in ("north", "south"):
            told = [each for each in notices(world.submitters[name]) if each.get("kind") == "send-again"]
            assert [each["receipted_after"] for each in told] == [backup["made"]]
        world.send("north")
        world.send("south", between)
        os.utime(before)  # in doubt it is sent once more: it is known by its content, and nothing is stored twice
        world.send("north", before)
        result = world.ask("pull")
        assert result["failed"] == []
        assert sorted(each["rows"]["stored"] for each in result["transfers"]) == [0, 5, 10]
        assert world.ask("status")["stored"]["rows"] == 35

        # What somebody kept of the old transfers is stored by nobody.
        inside = world.inside()
        try:
            for transfer, outcome in ((kept, "stored"), (lost, "unreadable")):
                shutil.copytree(captured / transfer, inside.spool / transfer)
                held = pull.lease(None, SimpleNamespace(id=transfer), inside.spool)
                assert pipeline.take_in(held, datetime.now(UTC), inside).outcome == outcome
            assert inside.store.totals()["rows"] == 35
        finally:
            inside.close()

        entries = world.ask("custody-entries")
        events = [entry["event"] for entry in entries]
        assert events.count("registry-restored") == events.count("journal-resumed") == 1
        assert events.count("sending-asked-for") == 2
        assert entries[backup["entries"]]["event"] == "registry-restored"
        assert custody_then > backup["entries"]
        numbers = [entry["detail"]["instruction"] for entry in entries if entry["event"] == "gateway-instructed"]
        assert numbers == sorted(set(numbers))
        assert world.ask("pull")["failed"] == []
        assert command("registry", "backup", "--home", again)["entries"] > backup["entries"]


@pytest.mark.slow
def test_a_backup_from_before_the_pull_key_changed_says_so(tmp_path):
    home = tmp_path / "gateway"
    claim = ClaimFile.from_bytes(initialise(home, "https://127.0.0.1:0", port=0).read_bytes())
    with running(home):
        world = make_world(tmp_path, SimpleNamespace(claim=claim))
        backup = command("registry", "backup", "--home", world.registry)
        copy = shutil.copy(backup["backup"], tmp_path / "copy")
        offline = shutil.move(world.registry / "keys" / "backup.json", tmp_path / "offline.json")
        world.ask("rotate-keys", which="pull")
        shutil.rmtree(world.registry)
        command("registry", "restore", Path(copy), "--home", world.registry, "--key", offline)
        with pytest.raises(GatewayKnowsAnother):
            world.ask("pull")
