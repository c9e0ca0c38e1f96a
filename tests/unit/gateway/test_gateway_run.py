"""The gateway as a process: started, looked at, stopped, killed; and its commands."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from gateway_world import SEALED, SEGMENT, RealLine, World, make_home, running
from swaddle.gateway.run import AlreadyRunning, run, status


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return make_home(tmp_path_factory.mktemp("run") / "gateway", sweep_seconds=1)


def command(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "swaddle", "gateway", *arguments], capture_output=True, text=True, timeout=60, **more
    )


def test_a_whole_transfer_over_tls_and_a_clean_stop(home):
    with running(home) as process:
        world = World(RealLine(home)).claim()
        world.intake()
        assert (home / "claim.json").exists()
        party = world.enrol()
        assert not (home / "claim.json").exists()
        sealed = world.send(party)
        assert status(home)["transfers"] == {"held": 1}
        assert world.lease(sealed).status == 200
        assert [world.read(sealed, number).body for number in (0, 1)] == sealed.parts
        assert world.acknowledge(sealed).status == 200
        after = status(home)
        assert (after["transfers"], after["body_bytes"], after["claimed"]) == ({"destroyed": 1}, 0, True)
        with pytest.raises(AlreadyRunning) as caught:
            run(home)
        assert caught.value.exit_status == 3
        world.line.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0
        assert process.stderr.read() == b""


def test_killed_inside_a_part_it_starts_again_clean(tmp_path):
    home = make_home(tmp_path / "gateway")
    with running(home) as process:
        world = World(RealLine(home)).claim()
        world.intake()
        party = world.enrol()
        data = os.urandom(SEALED * 64)
        announced = world.announce(party, len(data), part_bytes=64 * SEGMENT, reference=bytes(16)).json
        from gateway_world import signed_headers

        target = f"/v1/transfers/{announced['id']}/parts/0"
        connection = world.line.connect()
        connection.putrequest("PUT", target, skip_host=True, skip_accept_encoding=True)
        for name, value in signed_headers(party.key, "PUT", world.line.authority, target, data, world.line.now()):
            connection.putheader(name, value)
        connection.endheaders(data[: SEALED * 32])
        deadline = time.monotonic() + 10
        while not list((home / "bodies").iterdir()) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
        process.wait()
        connection.close()
        world.line.close()
        assert len(list((home / "bodies").iterdir())) == 1
    with running(home):
        assert list((home / "bodies").iterdir()) == []
        assert (
            world.announce(party, len(data), part_bytes=64 * SEGMENT, reference=bytes(16)).json["id"] == announced["id"]
        )
        assert world.put(party, announced["id"], 0, data).status == 204
        assert world.finish(party, world.seal(party, announced, [data], part_bytes=64 * SEGMENT)).status == 200
        world.line.close()


class TestCommands:
    def test_init_and_status(self, tmp_path):
        home = tmp_path / "gateway"
        made = command("init", "--home", str(home), "--url", "https://127.0.0.1:0", "--port", "0", "--json")
        assert made.returncode == 0, made.stderr
        said = json.loads(made.stdout)
        assert json.loads((home / "claim.json").read_bytes())["pin"] == said["pin"]
        asked = json.loads(command("status", "--home", str(home), "--json").stdout)
        assert (asked["claimed"], asked["transfers"], asked["freezes"]) == (False, {}, [])
        assert asked["pin"] == said["pin"]
        assert "claimed:    no" in command("status", "--home", str(home)).stdout

    def test_twice_is_a_usage_error_in_three_lines(self, home):
        again = command("init", "--home", str(home), "--url", "https://127.0.0.1:0", "--port", "0")
        assert again.returncode == 2
        assert [line.strip().split(":")[0] for line in again.stderr.splitlines()][1:] == ["why", "fix"]

    def test_a_folder_that_is_no_gateways_home(self, tmp_path):
        assert command("status", "--home", str(tmp_path)).returncode == 3
        assert command("run", "--home", str(tmp_path)).returncode == 3

    def test_a_wrong_setting_refuses_to_start(self, home):
        environment = {**os.environ, "SWADDLE_GATEWAY_PORT": "many"}
        answer = command("run", "--home", str(home), env=environment)
        assert answer.returncode == 3
        assert "`port`" in answer.stderr
        assert "many" not in answer.stderr
