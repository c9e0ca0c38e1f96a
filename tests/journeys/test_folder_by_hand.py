"""docs/guide-submitter.md, "A folder" and "If the file must go at once", by the commands that stand there."""

import csv
import json
import os
import shutil
import subprocess
import sys

import pytest

from submitter_world import GatewayProcess
from whole_world import make_world

NAME = "Northshore General"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway")
    world = make_world(folder, gateway)
    world.enrol(NAME)
    yield world
    gateway.stop()


@pytest.fixture
def swaddle(world):
    def run(*arguments, status=0):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SWADDLE")}
        environment["SWADDLE_HOME"] = str(world.submitters[NAME])
        done = subprocess.run(
            [sys.executable, "-m", "swaddle", *map(str, arguments)],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
        assert "Miller" not in done.stderr  # standard error goes to a journal: no file's name
        return done.stdout

    return run


@pytest.mark.slow
def test_a_folder_is_checked_sent_answered_and_then_left_alone(world, swaddle, tmp_path):
    def spoiled(row):
        if row["local_record_id"].endswith("5"):
            row["birth_weight_g"] = "x"

    out = tmp_path / "out"
    (out / "ward").mkdir(parents=True)
    (out / "good.csv").write_bytes(world.births(9, seed=1).read_bytes())
    (out / "ward" / "Miller, Anna.csv").write_bytes(world.births(9, seed=2, bend=spoiled).read_bytes())
    (out / "scan.pdf").write_bytes(b"%PDF-1.4")
    (out / "link").symlink_to("/etc/passwd")
    checked = json.loads(swaddle("check", out, "--as", "births", "--json", status=6))
    assert [file["rows"]["rejected"] for file in checked["files"]] == [0, 0, 1]
    assert [left["name"] for left in checked["left_out"]] == ["link"]
    assert "would be left out: link" in swaddle("check", out, status=6)

    (sent,) = json.loads(swaddle("send", out, "--as", "births", "--json"))["transfers"]
    assert (sent["state"], sent["files"]["sent"], sent["spooled"]) == ("held", 3, False)
    (waiting,) = json.loads(swaddle("status", "--json"))["transfers"]
    assert waiting["files"] == 3
    world.ask("pull")
    swaddle("send", out, "--as", "births")
    said = swaddle("report", sent["id"], "--rejected", tmp_path / "rejected.csv")
    assert "files: 3, of which 1 were taken in without a rejected row" in said
    assert "scan.pdf" in said
    with (tmp_path / "rejected.csv").open(newline="") as file:
        assert [row["file"] for row in csv.DictReader(file)] == ["ward/Miller, Anna.csv"]
    assert "nothing in this folder is new" in swaddle("send", out, "--as", "births")


def test_a_file_that_is_left_out_is_named_and_the_exit_says_so(swaddle, tmp_path, world):
    (tmp_path / "a.csv").write_bytes(world.births(3, seed=3).read_bytes())
    (tmp_path / "A.csv").write_bytes(b"1")
    assert "left out: a.csv: another file has the same name" in swaddle("send", tmp_path, status=7)
    world.ask("pull")
    assert "refused by the registry" in swaddle("send", status=6)


def test_a_spooled_folder_may_be_deleted_at_once(swaddle, tmp_path, world):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.csv").write_bytes(world.births(4, seed=4).read_bytes())
    assert "may be deleted" in swaddle("send", "--spool", out, "--as", "births")
    shutil.rmtree(out)
    (taken,) = world.ask("pull")["transfers"]
    assert taken["rows"]["stored"] == 4
    assert "received and stored" in swaddle("send")
    assert list((world.submitters[NAME] / "spool").iterdir()) == []
