"""Threat 9, second half: the door's process cannot read what the gateway holds. It runs as another user (needs root)."""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sftp_world import SftpWorld

from gateway_world import RealLine, World, make_home, running

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a process under another user"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed"),
]
OTHER = "nobody"

# What a door that was taken over tries: the gateway's files by name, its own descriptors opened anew for reading.
TRY = """
import os, sys
from pathlib import Path
found = []
for path in map(Path, sys.argv[2:]):
    for each in [path, *(path.rglob("*") if path.is_dir() else [])]:
        try:
            each.open("rb").read(1)
            found.append(str(each))
        except OSError:
            pass
from swaddle.envelope.signature import SigningKey
from swaddle.wire.door import DoorLine
import base64, secrets
line = DoorLine(Path(sys.argv[1]))
line.hello(SigningKey.generate().public, SigningKey.generate().public.line)
begun = line.begin(sys.stdin.read().strip())
import json
recipient = json.loads(begun.intake.message)["recipient"]["key_id"]
said = line.announce(base64.b64encode(secrets.token_bytes(16)).decode(), recipient, 65536)
descriptor = line.part(said.transfer, 0)
os.write(descriptor, b"x" * 100)
for way in (lambda: os.pread(descriptor, 10, 0), lambda: os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY)):
    try:
        way()
        found.append("descriptor")
    except OSError:
        pass
print(found)
"""


def test_the_door_reads_nothing_of_the_gateway(tmp_path):
    tmp_path.chmod(0o755)
    for above in tmp_path.parents[:2]:
        above.chmod(0o755)
    home = make_home(tmp_path / "gateway", door_socket=f'"{tmp_path}/gateway.sock"', door_user=f'"{OTHER}"')
    with running(home):
        world = World(RealLine(home)).claim()
        assert world.intake().status == 200
        world.get("/v1/inbox", world.pull)
        made = SftpWorld(world, tmp_path, {})
        key = made.partner()
        line = " ".join(key.with_suffix(".pub").read_text().split()[:2])
        world.send(world.enrol())  # something to find
        user = pwd.getpwnam(OTHER)
        command = [
            "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--no-new-privs",
            "--inh-caps=-all", sys.executable, "-c", TRY, tmp_path / "gateway.sock", home,
        ]  # fmt: skip
        done = subprocess.run(
            command, input=line.encode(), capture_output=True, timeout=60, check=False, cwd="/",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        )  # fmt: skip
        if b"Permission denied" in done.stderr and b"python" in done.stderr:
            pytest.skip("the other user may not run this interpreter")
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == b"[]"
        world.line.close()
