"""`registry pull` from a timer: no terminal, no secret in arguments or environment; the passphrase as systemd gives it."""

import json
import subprocess
import sys

import pytest

from submitter_world import GatewayProcess
from whole_world import PASSPHRASE, make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway")
    world = make_world(folder, gateway)
    world.enrol("Northshore General")
    world.send("Northshore General", world.births(5, seed=1))
    yield world
    gateway.stop()


def pull(world, installed, **environment):
    """In a session of its own, so that there is no terminal to ask at."""
    return subprocess.run(
        [sys.executable, "-m", "swaddle", "registry", "pull", "--once", "--json", "--home", world.registry],
        env=installed | environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        start_new_session=True, check=False,
    )  # fmt: skip


def test_without_a_passphrase_it_says_so_and_asks_nobody(world, installed):
    done = pull(world, installed)
    assert done.returncode == 3
    assert "passphrase" in done.stderr
    assert done.stdout == ""


def test_with_a_credential_of_the_service_it_pulls(world, installed, tmp_path):
    (tmp_path / "swaddle-passphrase").write_bytes(PASSPHRASE)
    done = pull(world, installed, CREDENTIALS_DIRECTORY=str(tmp_path))
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["pulled"], result["acknowledged"], result["reports_sent"], result["failed"]) == (1, 1, 1, [])
    assert PASSPHRASE.decode() not in done.stdout + done.stderr


def test_with_a_wrong_one_it_names_the_fault(world, installed, tmp_path):
    (tmp_path / "swaddle-passphrase").write_bytes(b"another")
    done = pull(world, installed, CREDENTIALS_DIRECTORY=str(tmp_path))
    assert done.returncode == 3
    assert "passphrase" in done.stderr
