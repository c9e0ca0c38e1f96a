"""The guides for an administrator and for a hospital's IT: their commands are typed here as they stand."""

import csv
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from swaddle.demo import layout
from swaddle.demo.cohort import SITES, births
from swaddle.errors import SwaddleError
from swaddle.registry.settings import read
from whole_world import LAST_DAY

ROOT = Path(__file__).parents[2]
ADMINISTRATOR = (ROOT / "docs" / "guide-administrator.md").read_text("utf-8")
IT = (ROOT / "docs" / "guide-submitter-it.md").read_text("utf-8")
SAID = {"gateway run": "listening on https://", "registry run": "owns the store", "sftp run": "listening"}


def blocks(text, language):
    """The fenced blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def typed(text):
    """Every line that somebody types, in order."""
    return [line for block in blocks(text, "console") for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE)]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


class Shell:
    """A shell in an empty folder, as somebody has it who has installed Swaddle; ports are free ones."""

    def __init__(self, folder):
        (folder / "bin").mkdir()
        program = folder / "bin" / "swaddle"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m swaddle "$@"\n')
        program.chmod(0o755)
        self.folder, self.started = folder, []
        self.ports = {"8443": free_port(), "2222": free_port()}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SWADDLE_", "XDG_"))}
        self.environment = kept | {
            "PATH": os.pathsep.join([str(folder / "bin"), os.environ["PATH"]]),
            "HOME": str(folder), "PYTHONPATH": str(ROOT / "src"),
        }  # fmt: skip

    def __call__(self, line, status=0):
        for port, free in self.ports.items():
            line = line.replace(port, free)
        if line.endswith("&"):
            return self.start(line.removesuffix("&"))
        done = subprocess.run(
            ["bash", "-uc", line], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        assert done.returncode == status, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, line):
        log = self.folder / f"{len(self.started)}.log"
        with log.open("w") as file:
            self.started.append(
                subprocess.Popen(
                    ["bash", "-uc", f"exec {line}"], cwd=self.folder, env=self.environment,
                    stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                )
            )  # fmt: skip
        word = SAID[" ".join(line.split()[1:3])]
        end = time.monotonic() + 60
        while word not in log.read_text():
            assert time.monotonic() < end, f"{line}\n{log.read_text()}"
            assert self.started[-1].poll() is None, f"{line}\n{log.read_text()}"
            time.sleep(0.05)
        return ""

    def stop(self):
        for process in reversed(self.started):
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@pytest.fixture
def shell(tmp_path_factory):
    made = Shell(tmp_path_factory.mktemp("g"))  # a short name: a socket's path has 108 letters
    yield made
    made.stop()


def enrolled(shell, name="Northshore General"):
    """Somebody at the other end of the telephone: a gateway, a registry, an invitation."""
    for line in typed(ADMINISTRATOR)[:8]:
        if "registry invite" not in line:
            shell(line)
    return shell(f'swaddle registry invite "{name}" --home registry').strip()


@pytest.mark.skipif(sys.platform == "win32", reason="the registry runs on Linux")
class TestTheAdministratorsGuide:
    @pytest.mark.slow
    def test_its_commands_run_in_their_order(self, shell):
        (table,) = blocks(ADMINISTRATOR, "csv")
        (shell.folder / "partners.csv").write_text(table)
        lines, printed = typed(ADMINISTRATOR), {}
        assert len(lines) > 20
        for line in lines:
            printed[line] = shell(line)
            if "registry invite" in line:
                invitation = printed[line].strip()
                assert re.fullmatch(r"swaddle-invitation-1\.[A-Za-z0-9_-]+", invitation)
                shell(
                    f"swaddle enrol {invitation} --home submitter --new-passphrase-file submitter.passphrase --timeout 90"
                )

        def of(words):
            return next(text for line, text in printed.items() if words in line)

        assert "Northshore General: active" in of("registry submitters")
        assert "Southside Midwives" in of("--dry-run")
        assert "nothing was done" in of("--dry-run")
        assert "known_hosts" in of("registry door")
        assert "ssh-ed25519 " in of("registry door")
        assert re.search(r"changed: +uploads_each = 4", of("gateway status"))
        assert "214,748,364,800 bytes" in of("--bytes")
        assert "data-office@northshore.example (fr)" in of("registry contact")
        assert "Southside Midwives is revoked" in of("registry revoke")

    def test_its_mail_settings_are_taken(self):
        (block,) = blocks(ADMINISTRATOR, "toml")
        assert read({"gateway_url": "https://gateway.example"} | tomllib.loads(block), {}).smtp_host

    def test_its_list_of_partners_has_the_columns_of_the_import(self):
        (table,) = blocks(ADMINISTRATOR, "csv")
        (row,) = csv.DictReader(io.StringIO(table))
        assert set(row) == {"name", "ssh_keys", "sites", "mail", "language"}

    def test_the_way_to_look_at_an_old_server_is_there(self):
        from swaddle.cli.incident import group

        assert "`swaddle incident scan PATH --inventory`" in ADMINISTRATOR
        assert any("--inventory" in each.opts for each in group.commands["scan"].params)


@pytest.mark.skipif(sys.platform == "win32", reason="the registry runs on Linux")
class TestTheGuideForIt:
    @pytest.mark.slow
    def test_its_commands_run_in_their_order(self, shell):
        invitation = enrolled(shell)
        (shell.folder / "outgoing").mkdir()
        rows = [layout.row(each) for each in births(SITES[0], 5, seed=3, last_day=LAST_DAY)]
        (shell.folder / "outgoing" / "births.csv").write_bytes(b"\n".join(layout.lines(rows)) + b"\n")
        printed = {line: shell(line.replace("INVITATION", invitation)) for line in typed(IT)}
        status = next(text for line, text in printed.items() if "swaddle status" in line)
        assert re.search(r"\b[0-9a-f]{8}", status)
        (script,) = blocks(IT, "sh")
        (shell.folder / "send.sh").write_text(script)
        shell("sh send.sh")  # nothing is new
        shell.stop()
        shell.started.clear()
        (shell.folder / "outgoing" / "more.csv").write_bytes(b"\n".join(layout.lines(rows)) + b"\n")
        shell("sh send.sh")  # the gateway is away: later, and nobody is called
        shell("rm -r submitter/keys && sh send.sh", status=3)

    def test_every_exit_status_of_the_contract_has_its_line(self):
        listed = {int(number) for number in re.findall(r"^\| (\d+) \|", IT, re.MULTILINE)}

        def below(kind):
            for child in kind.__subclasses__():
                yield child
                yield from below(child)

        used = {kind.exit_status for kind in below(SwaddleError) if isinstance(kind.exit_status, int)}
        assert {0, *used} <= listed

    def test_the_units_that_it_names_are_there(self):
        for page in (IT, ADMINISTRATOR):
            for name in re.findall(r"`(packaging/[A-Za-z0-9./-]+)`", page):
                assert (ROOT / name.rstrip("/")).exists(), name
        assert "LoadCredentialEncrypted=swaddle-passphrase" in (
            ROOT / "packaging" / "systemd" / "swaddle-send.service"
        ).read_text("utf-8")
