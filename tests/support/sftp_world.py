"""A real gateway, a real SFTP door in a process of its own, a partner with an SSH key, and the registry's keys to look."""

import base64
import http.client
import os
import secrets
import signal
import ssl
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from gateway_world import RealLine, World, make_home, running
from swaddle.canonical import format_instant
from swaddle.envelope.manifest import parse_manifest
from swaddle.envelope.signature import Signed, sign
from swaddle.envelope.unseal import BodyOpener, open_envelope

RUN_DOOR = "import sys; from swaddle.cli.main import main; main(sys.argv[1:])"


class PatientLine(RealLine):
    """Connects again when the gateway has closed a connection that nobody used for a while."""

    def send(self, method, target, headers, body):
        try:
            return super().send(method, target, headers, body)
        except (http.client.RemoteDisconnected, ssl.SSLEOFError, ConnectionResetError, BrokenPipeError):
            return super().send(method, target, headers, body)


@dataclass
class Came:
    """One file as the registry opens it."""

    id: str
    name: str
    content: bytes
    manifest: object
    signed: Signed


@dataclass
class SftpWorld:
    """Everything of one door."""

    world: World
    folder: Path
    environment: dict
    process: subprocess.Popen = None
    port: int = 0
    said: list = field(default_factory=list)
    submitters: dict = field(default_factory=dict)
    seen: dict = field(default_factory=dict)

    # the door

    def start(self, code=RUN_DOOR, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments, "sftp", "run", "--home", str(self.folder / "door"),
             "--socket", str(self.folder / "gateway.sock"), "--port", str(self.port)],
            stderr=subprocess.PIPE, env={**os.environ, **self.environment},
        )  # fmt: skip
        self.said = []
        while not self.said or not self.said[-1].startswith("listening on sftp://"):
            line = self.process.stderr.readline().decode()
            if not line:
                raise RuntimeError("".join(self.said))
            self.said.append(line)
        self.port = int(self.said[-1].rpartition(":")[2])
        return self

    def stop(self, number=signal.SIGTERM):
        """Ends the door; what it said on its way out. A second time is fine."""
        if self.process.stderr.closed:
            return ""
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        rest = self.process.stderr.read().decode()
        self.process.stderr.close()
        return rest

    # partners

    def partner(self, kind="ed25519", key=None):
        """A key pair made by ssh-keygen, enrolled; the private key's file."""
        path = self.folder / f"key-{secrets.token_hex(4)}"
        if key is None:
            bits = ["-b", "2048"] if kind == "rsa" else []
            subprocess.run(["ssh-keygen", "-q", "-t", kind, *bits, "-N", "", "-C", "", "-f", path], check=True)
            key = " ".join(path.with_suffix(".pub").read_text().split()[:2])
        submitter = secrets.token_hex(16)
        self.submitters[submitter] = path
        answer = self.world.instruct("door-submitter", submitter=submitter, ssh_keys=[key])
        assert answer.status == 200, answer.body
        return path

    def options(self, key, known_hosts=None):
        """What `sftp`, `scp` and `ssh` take."""
        stated = {
            "IdentityFile": key, "IdentitiesOnly": "yes", "IdentityAgent": "none", "BatchMode": "yes",
            "StrictHostKeyChecking": "no", "UserKnownHostsFile": known_hosts or "/dev/null", "ConnectTimeout": "10",
        }  # fmt: skip
        return ["-F", "/dev/null", *(part for name, value in stated.items() for part in ("-o", f"{name}={value}"))]

    def sftp(self, key, batch, *more, user="partner"):
        """OpenSSH's sftp with a batch of commands."""
        return subprocess.run(
            ["sftp", *self.options(key), *more, "-P", str(self.port), "-b", "-", f"{user}@127.0.0.1"],
            input=batch.encode(), capture_output=True, timeout=60, cwd=self.folder, check=False,
        )  # fmt: skip

    # the registry

    def inbox(self):
        return self.world.get("/v1/inbox", self.world.pull).json["transfers"]

    def came(self):
        """Every file that the gateway holds, opened as the registry opens it; each is leased once."""
        return [self.opened(each["id"]) for each in self.inbox()]

    def contents(self):
        """What is held, as (name, content)."""
        return [(one.name, one.content) for one in self.came()]

    def end(self, transfer):
        """The registry has stored it."""
        came = self.opened(transfer)
        value = {
            "at": format_instant(self.world.line.now()), "manifest_sha256": sha256(came.signed.message).hexdigest(),
            "outcome": "stored", "receipt": None, "transfer": transfer,
        }  # fmt: skip
        statement = sign("swaddle-acknowledgement-v1", value, self.world.statement)
        path = f"/v1/transfers/{transfer}/acknowledgement"
        assert self.world.post(path, statement.to_json(), self.world.pull).status == 200

    def end_all(self):
        """Nothing is left at the gateway."""
        for each in self.inbox():
            self.end(each["id"])

    def opened(self, transfer):
        if transfer not in self.seen:
            self.seen[transfer] = self._open(transfer)
        return self.seen[transfer]

    def _open(self, transfer):
        token = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
        answer = self.world.post(
            f"/v1/transfers/{transfer}/lease", {"lease_sha256": sha256(token.encode()).hexdigest()}, self.world.pull
        )
        assert answer.status == 200, answer.body
        pieces = answer.json
        signed = Signed.from_json(pieces["manifest"])
        manifest = parse_manifest(signed.message)
        header, description = base64.b64decode(pieces["header"]), base64.b64decode(pieces["description"])
        opened = open_envelope(manifest, header, description, {self.world.pair.public.key_id: self.world.pair})
        opener, content = BodyOpener(opened), bytearray()
        for number in range(manifest.core.layout.parts):
            part = self.world.get(
                f"/v1/transfers/{transfer}/parts/{number}", self.world.pull, headers=(("swaddle-lease", token),)
            )
            assert part.status == 200, part.body
            opener.open_part(number, part.body, content.extend)
        opener.finish()
        return Came(transfer, opened.description.files[0].name, bytes(content), manifest, signed)


@contextmanager
def sftp_world(folder, gateway=None, **door):
    """A claimed gateway that collects, and a door at it; `door` are its settings."""
    socket_path = f'"{folder}/gateway.sock"'
    home = make_home(folder / "gateway", door_socket=socket_path, sweep_seconds=1, **(gateway or {}))
    environment = {f"SWADDLE_DOOR_{name.upper()}": str(value) for name, value in door.items()}
    with running(home):
        world = World(PatientLine(home)).claim()
        assert world.intake().status == 200
        assert world.instruct("allowance", transfers=64).status == 200
        assert world.get("/v1/inbox", world.pull).status == 200
        made = SftpWorld(world, folder, environment)
        try:
            yield made.start()
        finally:
            made.stop()
            world.line.close()
