"""A gateway's disk is lost: back from its backup, frozen, its lost transfers named, sending and pulling go on."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from gateway_world import running
from swaddle.gateway.initialise import initialise
from swaddle.wire.enrolment import ClaimFile
from whole_world import PASSPHRASE, make_world


class Gateway:
    def __init__(self, claim):
        self.claim = claim


def command(*arguments, status=0, passphrase=None):
    """The command as an administrator runs it; the passphrase comes by a descriptor."""
    read, write = os.pipe()
    os.write(write, (passphrase or PASSPHRASE) + b"\n")
    os.close(write)
    more = ["--passphrase-fd", str(read)] if passphrase is not None else []
    done = subprocess.run(
        [sys.executable, "-m", "swaddle", *map(str, arguments), *more, "--json"],
        capture_output=True, text=True, timeout=120, pass_fds=(read,), stdin=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(read)
    assert done.returncode == status, (arguments, done.stdout, done.stderr)
    return json.loads(done.stdout) if status == 0 else done.stderr


@pytest.mark.slow
def test_a_lost_gateway_comes_back_and_what_was_lost_is_named(tmp_path):
    home = tmp_path / "gateway"
    claim = ClaimFile.from_bytes(initialise(home, "https://127.0.0.1:0", port=0).read_bytes())
    with running(home):
        world = make_world(tmp_path, Gateway(claim))
        world.enrol("north")
        time.sleep(1.1)  # times are in seconds: who came within the backup's second is named, known or not
        backup = command("gateway", "backup", "--home", home)
        world.enrol("late")  # after the backup: the gateway that comes back cannot know it
        lost = world.send("north", world.births(20, 1))[0]
        assert world.ask("drain-journal")["reached"]
    copy = tmp_path / "elsewhere.swaddle-backup"
    shutil.copy(backup["backup"], copy)
    offline = tmp_path / "offline.json"
    shutil.move(tmp_path / "registry" / "keys" / "backup.json", offline)
    shutil.rmtree(home)

    key = ("--key", offline)
    verified = command("gateway", "verify-backup", copy, *key, passphrase=PASSPHRASE)
    assert verified["submitters"] == 1
    assert "SWD-ENV-23" in command("gateway", "verify-backup", copy, *key, passphrase=b"another", status=3)
    restored = command("gateway", "restore", copy, "--home", home, *key, passphrase=PASSPHRASE)
    assert restored["backup_sha256"] == backup["sha256"]
    assert world.ask("custody-entries", subject=backup["sha256"])[0]["event"] == "gateway-backed-up"

    with running(home):
        frozen = command("registry", "pull", "--home", tmp_path / "registry", passphrase=PASSPHRASE, status=10)
        assert "frozen" in frozen
        released = command("registry", "release-freeze", "--home", tmp_path / "registry", passphrase=PASSPHRASE)
        assert released["cause"] == "restored"
        assert [(each["id"], each["name"]) for each in released["lost"]] == [(lost, "north")]
        assert released["enrol_again"] == ["late"]
        status = command("registry", "status", "--home", tmp_path / "registry", passphrase=PASSPHRASE)
        assert [each["id"] for each in status["lost"]] == [lost]
        assert status["gateway"]["freezes"] == []
        # What `send` had no receipt for is sent again at its next run, unasked; and arrives.
        again = world.send("north", world.births(10, 2))
        pulled = world.ask("pull")
        assert pulled["failed"] == []
        assert pulled["acknowledged"] == 2
        assert again[0] in {each["id"] for each in pulled["transfers"]}
        assert world.ask("pull")["failed"] == []
        assert command("gateway", "backup", "--home", home)["key_id"] == backup["key_id"]


@pytest.mark.slow
def test_a_backup_that_custody_does_not_list_needs_the_operators_word(tmp_path):
    home = tmp_path / "gateway"
    claim = ClaimFile.from_bytes(initialise(home, "https://127.0.0.1:0", port=0).read_bytes())
    with running(home):
        make_world(tmp_path, Gateway(claim))
        backup = command("gateway", "backup", "--home", home)  # and nobody drains the journal after it
    shutil.copy(backup["backup"], tmp_path / "copy.swaddle-backup")
    shutil.rmtree(home)
    key = ("--key", tmp_path / "registry" / "keys" / "backup.json")
    command("gateway", "restore", tmp_path / "copy.swaddle-backup", "--home", home, *key, passphrase=PASSPHRASE)
    release = ("registry", "release-freeze", "--home", tmp_path / "registry")
    with running(home):
        assert "SWD-REG-91" in command(*release, passphrase=PASSPHRASE, status=2)
        assert "frozen" in command(
            "registry", "pull", "--home", tmp_path / "registry", passphrase=PASSPHRASE, status=10
        )
        assert command(*release, "--unlisted", passphrase=PASSPHRASE)["cause"] == "restored"
        command("registry", "pull", "--home", tmp_path / "registry", passphrase=PASSPHRASE)
