"""The door dies (SIGKILL) at each of its steps: the client saw an error, or the file is held. Never half, never twice."""

import os
import shutil
import signal
import subprocess
import time

import pytest
from sftp_world import sftp_world

pytestmark = pytest.mark.skipif(shutil.which("sftp") is None, reason="OpenSSH's client is not installed")

# The command line with a knife in it: the n-th step kills. A step is the moment before or after the gateway is asked,
# a part is written to, or the client is answered.
KNIFE = """
import os, signal, sys
left = int(sys.argv[1])

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def counted(function):
    def call(*arguments, **named):
        step()
        answer = function(*arguments, **named)
        step()
        return answer
    return call

from swaddle import durable
from swaddle.wire.door import DoorLine
from swaddle.gateway.sftp_session import Session
for name in ("hello", "begin", "announce", "part", "keep", "finish", "drop"):
    setattr(DoorLine, name, counted(getattr(DoorLine, name)))
durable.write_all = counted(durable.write_all)
Session._flush = counted(Session._flush)
from swaddle.cli.main import main
main(sys.argv[2:])
"""


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with sftp_world(tmp_path_factory.mktemp("sftp")) as made:
        made.stop()
        yield made
        made.start()


def kill_at(door, step, batch, key):
    """Whether the client was content, and whether the door lived to its end."""
    door.port = 0
    try:
        door.start(KNIFE, str(step))
    except RuntimeError:  # it died before it listened
        door.stop()
        return False, False
    done = door.sftp(key, batch)
    try:
        # A client may see the end before we do; one that was cut off did.
        door.process.wait(timeout=20 if done.returncode else 1)
        lived = False
    except subprocess.TimeoutExpired:
        lived = True
    door.stop()
    return done.returncode == 0, lived


def steps(quick):
    return range(1, 400, 29) if quick else range(1, 400)


@pytest.mark.parametrize(
    ("quick", "rename"),
    [
        pytest.param(True, False),
        pytest.param(True, True),
        pytest.param(False, False, marks=pytest.mark.slow),
        pytest.param(False, True, marks=pytest.mark.slow),
    ],
    ids=["put", "put-and-rename", "put-every-step", "put-and-rename-every-step"],
)
def test_killed_at_each_step(door, quick, rename):
    path = door.folder / "data.csv"
    path.write_bytes(os.urandom(1_500_000))
    batch = f"put {path} data.csv.filepart\nrename data.csv.filepart data.csv\n" if rename else f"put {path}\n"
    key = door.partner()
    contents = set()
    for step in steps(quick):
        content, lived = kill_at(door, step, batch, key)
        held = door.contents()
        assert held in ([], [("data.csv", path.read_bytes())]), step
        if content:
            assert held, step
        contents.add((content, bool(held)))
        door.end_all()
        if lived:
            break
    else:
        pytest.fail("it never came to its end")
    assert (True, True) in contents
    assert (False, False) in contents


def test_what_a_dead_door_left_is_no_longer_there(door):
    """Nothing of a file that broke off lies at the gateway once its connection is gone."""
    path = door.folder / "large.csv"
    path.write_bytes(os.urandom(4_000_000))
    door.start()
    command = [
        "sftp",
        *door.options(door.partner()),
        "-l",
        "8000",
        "-P",
        str(door.port),
        "-b",
        "-",
        "partner@127.0.0.1",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
        client.stdin.write(f"put {path}\n".encode())
        client.stdin.close()
        bodies = door.folder / "gateway" / "bodies"
        wait_until(lambda: any(bodies.iterdir()))
        door.stop(signal.SIGKILL)
        assert client.wait(timeout=20) != 0
        client.stdout.close()
        client.stderr.close()
    wait_until(lambda: not any(bodies.iterdir()))
    assert door.contents() == []


def test_asked_to_stop_it_lets_a_file_end(door):
    path = door.folder / "slow.csv"
    path.write_bytes(os.urandom(3_000_000))
    door.port = 0
    door.start()
    command = [
        "sftp",
        *door.options(door.partner()),
        "-l",
        "12000",
        "-P",
        str(door.port),
        "-b",
        "-",
        "partner@127.0.0.1",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
        client.stdin.write(f"put {path}\n".encode())
        client.stdin.close()
        wait_until(lambda: any((door.folder / "gateway" / "bodies").iterdir()))
        door.stop()
        assert client.wait(timeout=20) == 0, client.stderr.read()
        client.stdout.close()
        client.stderr.close()
    assert door.contents() == [("slow.csv", path.read_bytes())]
    door.end_all()


def wait_until(found, seconds=10):
    for _ in range(seconds * 50):
        if found():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come to that")
