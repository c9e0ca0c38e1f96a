"""Someone with stock `sftp`, his own CSV, and the freedom to kill anything at any time.

Everything is a process of its own, started again by a supervisor as systemd would; the partner's job is the loop of
docs/clients.md: put, look into answers/, put again what did not arrive. In the end his file is stored, once, and says
so; and with a sealing pair of his own he opens the report that waited.
"""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from gateway_world import make_home
from swaddle.demo import layout
from swaddle.demo.cohort import SITES, births
from whole_world import LAST_DAY

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("sftp", "ssh-keygen"))), reason="OpenSSH's client is not installed"
)
PATIENCE_S = 150
SLOW_KBIT = 8_000  # so that a kill finds the file on its way


class Town:
    """Gateway, door and registry as processes, one partner with an SSH key; whatever dies is started again."""

    def __init__(self, folder, rows):
        self.folder, self.port = folder, "0"
        self.processes = {}
        self.is_over = threading.Event()
        self.kills = 0
        self.file = folder / "births.csv"
        lines = layout.lines(layout.row(each) for each in births(SITES[0], rows, seed=71, last_day=LAST_DAY))
        self.file.write_bytes(b"\n".join(lines) + b"\n")
        self.rows = rows
        make_home(folder / "gateway", door_socket=f'"{folder}/door.sock"', sweep_seconds=1)
        self.commands = {
            "gateway": ["gateway", "run", "--home", folder / "gateway"],
            "door": ["sftp", "run", "--home", folder / "door", "--socket", folder / "door.sock", "--port", "0"],
            "registry": ["registry", "run", "--home", folder / "registry"],
        }
        self.start("gateway")
        claim = folder / "gateway" / "claim.json"
        self.swaddle(
            "registry", "init", "--home", folder / "registry", "--claim", claim,
            "--gateway", json.loads(claim.read_text())["url"], "--new-passphrase-file", folder / "passphrase",
        )  # fmt: skip
        self.start("registry")
        self.start("door")
        self.key = folder / "id"
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", self.key], check=True)
        self.partners = folder / "partners.csv"
        with self.partners.open("w", newline="") as file:
            csv.writer(file).writerows(
                [["name", "ssh_keys", "mail"], ["Old Partner", self.key.with_suffix(".pub").read_text(), ""]]
            )
        threading.Thread(target=self.supervise, daemon=True).start()

    # processes

    def start(self, name):
        log = self.folder / f"{name}.log"
        with log.open("ab") as file:
            begun = file.tell()
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "swaddle", *map(str, self.commands[name])],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env=os.environ | {"SWADDLE_REGISTRY_PULL_INTERVAL_S": "1"},
            )  # fmt: skip
        if name == "door":
            self.wait_for(lambda: self.is_dead(name) or self.port_said(log, begun))
            self.commands["door"][-1] = self.port = self.port_said(log, begun) or self.port
        if name == "gateway":
            self.wait_for(lambda: self.is_dead(name) or b"listening" in log.read_bytes()[begun:])

    def is_dead(self, name):
        return self.processes[name].poll() is not None

    def port_said(self, log, begun):
        for line in log.read_text()[begun:].splitlines():
            if line.startswith("listening on sftp://"):
                return line.rpartition(":")[2]
        return None

    def wait_for(self, found, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := found():
                return value
            time.sleep(0.05)
        raise TimeoutError

    def supervise(self):
        while not self.is_over.wait(0.2):
            for name, process in list(self.processes.items()):
                if process.poll() is not None and not self.is_over.is_set():
                    with suppress(TimeoutError):
                        self.start(name)

    def kill(self, name):
        self.kills += 1
        with suppress(ProcessLookupError):
            self.processes[name].kill()

    def end(self):
        self.is_over.set()
        time.sleep(0.3)
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    def swaddle(self, *arguments, again=False):
        """A command, as often as it takes where `again`: what it asks may just be dead."""
        end = time.monotonic() + 60
        while True:
            done = subprocess.run(
                [sys.executable, "-m", "swaddle", *map(str, arguments)],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
            if done.returncode == 0:
                return done.stdout
            assert again, done.stderr
            assert time.monotonic() < end, done.stderr
            time.sleep(0.5)

    # the partner

    def sftp(self, batch, *more):
        options = {
            "IdentityFile": self.key, "IdentitiesOnly": "yes", "IdentityAgent": "none", "BatchMode": "yes",
            "StrictHostKeyChecking": "accept-new", "UserKnownHostsFile": self.folder / "known_hosts",
            "ConnectTimeout": "5", "ServerAliveInterval": "2", "ServerAliveCountMax": "3",
        }  # fmt: skip
        stated = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        return subprocess.Popen(
            ["sftp", "-F", "/dev/null", *stated, *more, "-P", str(self.port), "-b", "-", "anyname@127.0.0.1"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder,
        ), batch.encode()  # fmt: skip

    def run_sftp(self, batch, *more):
        self.client, text = self.sftp(batch, *more)
        with suppress(BrokenPipeError):
            self.client.communicate(text, timeout=60)
        return self.client.returncode == 0

    def status(self):
        """What answers/status.txt says, as {transfer: words}; None while the door does not answer."""
        copy = self.folder / "status.txt"
        copy.unlink(missing_ok=True)
        if not self.run_sftp(f"get answers/status.txt {copy}\n"):
            return None
        lines = [line.split("\t") for line in copy.read_text().splitlines()]
        return {line[1]: line[3] for line in lines}

    def job(self):
        """His job: put, look, put again what did not arrive; the last words under answers/."""
        end = time.monotonic() + PATIENCE_S
        while True:
            told = self.status()
            assert time.monotonic() < end, told
            if told is None:
                time.sleep(0.2)
                continue
            words = [said.split()[0].rstrip(":;") for said in told.values()]
            if "stored" in words and not {"received", "arriving"} & set(words):
                return told
            if {"stored", "received", "arriving"} & set(words):
                time.sleep(0.3)
                continue
            self.run_sftp(f"put {self.file}\n", "-l", str(SLOW_KBIT))

    def let_in(self):
        text = self.swaddle("registry", "import-submitters", self.partners, "--home", self.folder / "registry",
                            again=True)  # fmt: skip
        assert "known_hosts" in text
        assert "2222" in text

    def stored(self):
        return json.loads(self.swaddle("registry", "status", "--json", "--home", self.folder / "registry", again=True))

    def enrol_and_get(self):
        """He takes up an invitation, and opens the report that waited."""
        registry, home = self.folder / "registry", self.folder / "partner"
        invitation = self.swaddle("registry", "invite", "Old Partner", "--home", registry, again=True).strip()
        self.swaddle("enrol", invitation, "--home", home, "--new-passphrase-file", self.folder / "own", again=True)
        end = time.monotonic() + 60
        while not (waiting := json.loads(self.swaddle("inbox", "--json", "--home", home, again=True))["waiting"]):
            assert time.monotonic() < end
            time.sleep(0.5)
        self.swaddle("get", waiting[0]["id"], "--home", home, "--out", self.folder / "report", again=True)
        return list((self.folder / "report").rglob("*.json"))


@pytest.fixture
def town(tmp_path):
    made = Town(tmp_path, 300)
    yield made
    made.end()


def check(town, told):
    """Stored, once: one plain `stored`, every other one says which it repeats; the rows are there once."""
    plain = [said for said in told.values() if said.startswith("stored") and "repeats" not in said]
    assert len(plain) == 1, told
    assert town.stored()["stored"]["rows"] == town.rows


@pytest.mark.slow
def test_whatever_is_killed_once_on_the_way_the_file_is_stored_once_and_its_report_opened(town):
    town.let_in()
    for victim in ("client", "door", "gateway"):
        client, text = town.sftp(f"put {town.file}\n", "-l", "300")
        client.stdin.write(text)
        client.stdin.close()
        time.sleep(0.7)
        client.kill() if victim == "client" else town.kill(victim)
        client.wait(30)
    town.run_sftp(f"put {town.file}\n")
    time.sleep(0.5)
    town.kill("registry")
    told = town.job()
    check(town, told)
    assert town.enrol_and_get()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_killed_at_any_time_the_file_is_stored_once_and_its_report_opened(tmp_path, seed):
    town = Town(tmp_path, 1500)
    try:
        town.let_in()
        killer_ends = threading.Event()

        def killer():
            dice = random.Random(seed)
            end = time.monotonic() + 45
            while time.monotonic() < end and not killer_ends.wait(dice.uniform(0.3, 2.5)):
                victim = dice.choice(["door", "gateway", "registry", "client"])
                if victim == "client":
                    with suppress(Exception):
                        town.client.kill()
                else:
                    town.kill(victim)

        # However quick the machine: one dies in the middle of the first file.
        client, text = town.sftp(f"put {town.file}\n", "-l", str(SLOW_KBIT))
        client.stdin.write(text)
        client.stdin.close()
        time.sleep(0.7)
        town.kill(random.Random(seed).choice(["door", "gateway", "registry"]))
        client.wait(60)
        thread = threading.Thread(target=killer, daemon=True)
        thread.start()
        told = town.job()
        killer_ends.set()
        thread.join()
        assert town.kills
        check(town, town.job() or told)
        assert town.enrol_and_get()
    finally:
        town.end()
