"""A real gateway, a registry's keys and an enrolled submitter, as tests/support has them, at full key cost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

from support.loopback import Prefix, free_port

import submitter_world
from swaddle.envelope.signature import Signed
from swaddle.gateway.initialise import initialise
from swaddle.wire.enrolment import ClaimFile

SWADDLE = [sys.executable, "-m", "swaddle"]


class Gateway:
    """`swaddle gateway run` as a process of its own, where a bench wants it."""

    def __init__(self, home: Path, host: str, prefix: Prefix, **settings: Any) -> None:
        """Make its home, start it, wait until it listens."""
        port = free_port()
        claim = initialise(home, f"https://{host}:{port}", host=host, port=port)
        self.claim = ClaimFile.from_bytes(claim.read_bytes())
        with (home / "settings.toml").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        command = [*prefix, *SWADDLE, "gateway", "run", "--home", str(home)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        if not line.startswith("listening"):
            raise SystemExit(line + self.process.stderr.read())

    def stop(self) -> None:
        """End it by its id."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


class Parties:
    """One gateway process, one registry played with real keys, one submitter's home with real key files."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", prefix: Prefix = (), **settings: Any) -> None:
        """Start and enrol."""
        folder.mkdir(parents=True)
        self.folder = folder
        self.gateway = Gateway(folder / "gateway", host, prefix, **settings)
        self.registry = submitter_world.Registry(self.gateway.claim)
        (folder / "submitter").mkdir()
        self.home = submitter_world.enrolled_home(self.registry, folder / "submitter")

    @property
    def gateway_process(self) -> int:
        """The gateway's process id."""
        return int(self.gateway.process.pid)

    def party(self) -> str:
        """The submitter's id."""
        return str(submitter_world.party_of(self.home).submitter)

    def send_command(self, *paths: Path) -> list[str]:
        """The whole command that a submitter runs."""
        return [*SWADDLE, "send", *map(str, paths), "--home", str(self.home), "--json"]

    def forget_sends(self) -> None:
        """Let the gateway and the submitter forget everything, so that the same file is sent anew and no disk fills."""
        for transfer in self.registry.waiting():
            held = Signed.from_json(self.registry.client.get_json(f"/v1/transfers/{transfer}")["held"])
            digest = json.loads(held.message)["manifest_sha256"]
            self.registry.acknowledge(transfer, digest, "refused")  # its bytes are destroyed at once
        shutil.rmtree(self.home / "sends", ignore_errors=True)
        shutil.rmtree(self.home / "ended", ignore_errors=True)

    def stop(self) -> None:
        """End the gateway."""
        self.gateway.stop()


def scratch(folder: Path | None) -> Path:
    """A folder for the files: in memory where there is /dev/shm, so that the disk is not what is measured."""
    import tempfile

    base = folder or Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="swaddle-bench-", dir=base if base.is_dir() else None))


def options_of(parser: Any) -> SimpleNamespace:
    """The options that every row has."""
    parser.add_argument("--mebibytes", type=int, default=None, help="size of the file; smaller is sooner")
    parser.add_argument("--rounds", type=int, default=None)
    parser.add_argument("--folder", type=Path, default=None, help="where the files lie (default: in memory, /dev/shm)")
    parser.add_argument("--only", default="", help="peers, by parts of their names, comma separated; ours always runs")
    parser.add_argument("--json", type=Path, default=None, help="append the figures to this file")
    return SimpleNamespace(**vars(parser.parse_args()))


def wanted(name: str, only: str) -> bool:
    """Whether a peer was asked for."""
    return not only or any(part.strip() in name for part in only.split(","))


def clear_folder(path: Path) -> None:
    """Remove what lies in a folder."""
    for each in path.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink()


def environment() -> dict[str, str]:
    """What the clients run with."""
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
