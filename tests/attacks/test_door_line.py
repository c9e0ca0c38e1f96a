"""A door that was taken over: what it can do to the gateway through its socket, as the other user that it is."""

import base64
import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest
from door_world import Door, door_of, ssh_key
from sftp_world import sftp_world

from gateway_world import direct_world
from swaddle.wire import door_messages
from swaddle.wire.door import encode as encode_message
from swaddle.wire.door import send_message

OTHER_USER = 65_534

needs_users = pytest.mark.skipif(os.geteuid() != 0, reason="only root can try what another user may do")


@pytest.fixture
def world(tmp_path):
    os.chmod(tmp_path, 0o755)  # noqa: PTH101 - the door's user must reach the socket, as in production
    for parent in list(tmp_path.parents)[:3]:
        with contextlib.suppress(PermissionError):
            os.chmod(parent, 0o755)  # noqa: PTH101 - likewise
    settings = {"door_socket": f'"{tmp_path}/door.sock"', "door_user": f'"{OTHER_USER}"'}
    with direct_world(tmp_path / "gateway", **settings) as made:
        made.get("/v1/inbox", made.pull)
        yield made


def as_another_user(work):
    """What `work` returns in a process of the door's user; it must be JSON."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(OTHER_USER)
            os.setuid(OTHER_USER)
            answer = json.dumps(work())
        except BaseException as error:  # noqa: BLE001 - told to the parent
            answer = json.dumps(f"{type(error).__name__}: {error}")
        os.write(write, answer.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        told = file.read()
    os.waitpid(child, 0)
    return json.loads(told)


@needs_users
def test_the_doors_user_writes_parts_and_reads_nothing_back(world):
    submitter, key = "1" * 32, ssh_key()
    assert world.instruct("door-submitter", submitter=submitter, ssh_keys=[key]).status == 200
    home = world.line.home
    recipient = world.pair.public.key_id

    def work():
        door = Door(world.line.gateway.settings.door_socket)
        with door.line(key) as line:
            announced = line.announce(base64.b64encode(bytes(16)).decode(), recipient, 65_536)
            descriptor = line.part(announced.transfer, 0)
            os.write(descriptor, b"sealed bytes")
            tried = {}
            for what, attempt in {
                "read through it": lambda: os.pread(descriptor, 1, 0),
                "open it again for reading": lambda: os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY),
                "list the spool": lambda: list((home / "bodies").iterdir()),
                "read the database": lambda: os.open(home / "transfers.db", os.O_RDONLY),
                "read the journal key": lambda: os.open(home / "journal.key", os.O_RDONLY),
            }.items():
                try:
                    attempt()
                    tried[what] = "done"
                except OSError as error:
                    tried[what] = type(error).__name__
            return tried

    with door_of(world.line.gateway):
        tried = as_another_user(work)
    assert set(tried.values()) <= {"PermissionError", "OSError"}, tried


@needs_users
def test_the_gateways_own_user_is_not_the_doors_once_another_is_named(world):
    with door_of(world.line.gateway) as door, socket.socket(socket.AF_UNIX) as raw:
        raw.settimeout(5)
        raw.connect(str(door.path))
        with contextlib.suppress(OSError):
            send_message(raw, encode_message(door_messages.Answers()))
            assert raw.recv(1) == b""


@pytest.fixture
def own(tmp_path):
    with direct_world(tmp_path / "gateway", door_socket=f'"{tmp_path}/door.sock"') as made:
        made.get("/v1/inbox", made.pull)
        yield made


def test_a_length_that_lies_costs_the_gateway_no_memory(own):
    with door_of(own.line.gateway) as door:
        for length in (0xFFFFFFFF, 4 * 1024 * 1024 + 1):
            with socket.socket(socket.AF_UNIX) as raw:
                raw.settimeout(5)
                raw.connect(str(door.path))
                raw.sendall(struct.pack(">I", length))
                assert raw.recv(1) == b""
        door.line().close()


def test_descriptors_that_the_door_sends_are_thrown_away(own):
    with door_of(own.line.gateway) as door, socket.socket(socket.AF_UNIX) as raw:
        raw.settimeout(5)
        raw.connect(str(door.path))
        before = len(list(Path("/proc/self/fd").iterdir()))
        question = encode_message(door_messages.Hello(door_key=door.key.public.line, host_key=door.host_key))
        for _ in range(50):
            socket.send_fds(raw, [struct.pack(">I", len(question)) + question], [0, 1, 2])
            assert raw.recv(1000).endswith(b'{"ok":{}}')
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2


def test_a_door_cannot_name_a_transfer_that_is_not_its_own(own):
    party = own.enrol()
    sealed = own.send(party)
    key = ssh_key()
    assert own.instruct("door-submitter", submitter=party.id, ssh_keys=[key]).status == 200
    with door_of(own.line.gateway) as door, door.line(key) as line:
        for attempt in (
            lambda: line.drop(sealed.id),
            lambda: line.part(sealed.id, 0),
            lambda: line.report(sealed.id),
            lambda: line.report_part(sealed.id, 0),
        ):
            with pytest.raises(Exception, match="not there"):
                attempt()
        assert line.answers().transfers == ()  # what came by `send` is not the door's to tell
    assert own.freezes() == []


def test_a_door_can_enrol_and_instruct_nobody(own):
    with door_of(own.line.gateway) as door, socket.socket(socket.AF_UNIX) as raw:
        raw.settimeout(5)
        raw.connect(str(door.path))
        for asked in ("instruction", "door-submitter", "status", "inbox", "lease", "acknowledge"):
            send_message(raw, json.dumps({"ask": asked}).encode())
            assert b"malformed" in raw.recv(1000)


@pytest.mark.skipif(shutil.which("sftp") is None, reason="OpenSSH's client is not installed")
@pytest.mark.parametrize("how", ["revoke", "another-key"])
def test_who_is_revoked_in_the_middle_of_a_file_is_out_within_five_seconds(tmp_path, how):
    with sftp_world(tmp_path) as made:
        key = made.partner()
        (submitter,) = made.submitters
        path = tmp_path / "long.csv"
        path.write_bytes(os.urandom(8_000_000))
        client = subprocess.Popen(
            ["sftp", *made.options(key), "-l", "2000", "-P", str(made.port), "-b", "-", "partner@127.0.0.1"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        client.stdin.write(f"put {path}\n".encode())
        client.stdin.close()
        time.sleep(1.5)
        assert client.poll() is None
        instructions = {
            "revoke": ("revoke", {"submitter": submitter}),
            "another-key": ("door-submitter", {"submitter": submitter, "ssh_keys": [ssh_key()]}),
        }
        name, members = instructions[how]
        assert made.world.instruct(name, **members).status == 200
        assert client.wait(timeout=5) != 0
        assert made.inbox() == []
