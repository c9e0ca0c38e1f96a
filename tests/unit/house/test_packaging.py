"""What runs Swaddle as a service: units that systemd takes and finds hardened, a container file that keeps the rules."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from swaddle.cli.main import program

ROOT = Path(__file__).parents[3]
UNITS = ROOT / "packaging" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
CONTAINERFILE = ROOT / "packaging" / "Containerfile"
MOST_EXPOSED = 1.5  # of 10, by systemd's own reckoning; what faces the network cannot be at 0

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def named(path):
    return path.name


def commands(path):
    return re.findall(r"^ExecStart=(.*)$", path.read_text("utf-8"), re.MULTILINE)


@needs_systemd
@pytest.mark.parametrize("path", [*SERVICES, *UNITS.glob("*.timer")], ids=named)
def test_systemd_takes_it_without_a_word(path, tmp_path):
    for unit in UNITS.glob("*.*er*"):  # beside the others it may name; a program that is here
        text = unit.read_text("utf-8").replace("/usr/bin/swaddle", sys.executable)
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / path.name)], capture_output=True, text=True, timeout=60
    )
    ours = [line for line in done.stderr.splitlines() if "swaddle" in line]
    assert (done.returncode, ours) == (0, [])


@needs_systemd
@pytest.mark.parametrize("path", SERVICES, ids=named)
def test_systemd_finds_it_hardened(path):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(path)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    level = re.search(r"Overall exposure level for [^:]+: ([0-9.]+)", done.stdout)
    assert level is not None, done.stderr
    assert float(level[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("path", SERVICES, ids=named)
def test_it_runs_a_command_that_exists_as_nobody_else(path):
    text = path.read_text("utf-8")
    for line in commands(path):
        words = line.split()
        assert words[0] == "/usr/bin/swaddle"
        command, context = program, click.Context(program)
        for word in words[1:]:
            if not isinstance(command, click.Group):
                break
            command = command.get_command(context, word)
            assert command is not None, line
        assert not isinstance(command, click.Group)
    assert re.search(r"^User=swaddle-", text, re.MULTILINE)
    assert not re.search(r"^(SetCredential|Environment)=.*(pass|secret|key)", text, re.MULTILINE | re.IGNORECASE)


def test_gateway_and_door_are_two_users_and_the_users_are_made():
    users = {path.stem: re.search(r"^User=(.*)$", path.read_text("utf-8"), re.MULTILINE)[1] for path in SERVICES}
    assert users["swaddle-gateway"] != users["swaddle-sftp"]
    made = re.findall(r"^u (\S+)", (UNITS / "swaddle.sysusers.conf").read_text("utf-8"), re.MULTILINE)
    assert set(users.values()) == set(made)


def test_a_stop_is_given_more_time_than_the_gateway_takes():
    text = (UNITS / "swaddle-gateway.service").read_text("utf-8")
    assert int(re.search(r"TimeoutStopSec=(\d+)", text)[1]) > 60  # `drain_seconds`


def test_memory_that_is_written_is_never_run(tmp_path):
    """`MemoryDenyWriteExecute=`: our own code and what it loads get along without (asked of the kernel itself)."""
    code = (
        "import ctypes, sys\n"
        "if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0): sys.exit(77)\n"  # PR_SET_MDWE, Linux 6.3
        "import runpy; sys.argv = ['swaddle', 'gateway', 'init', '--home', sys.argv[1], '--url', 'https://a.example'];\n"
        "runpy.run_module('swaddle', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "home")], capture_output=True, timeout=60)
    if done.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE")
    assert done.returncode == 0, done.stderr


class TestContainer:
    """No engine is needed: the file's own promises are read from it."""

    def instructions(self):
        text = re.sub(r"\\\n", " ", CONTAINERFILE.read_text("utf-8"))
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]

    def test_only_known_instructions_and_two_stages(self):
        known = {
            "ARG",
            "FROM",
            "WORKDIR",
            "COPY",
            "RUN",
            "USER",
            "ENV",
            "VOLUME",
            "EXPOSE",
            "STOPSIGNAL",
            "ENTRYPOINT",
            "CMD",
        }
        names = [name for name, _ in self.instructions()]
        assert set(names) <= known
        assert names.count("FROM") == 2

    def test_it_runs_as_nobody_and_says_which_python(self):
        last = [name for name, _ in self.instructions()]
        users = [value for name, value in self.instructions() if name == "USER"]
        assert users == ["65532:65532"]
        assert last.index("USER") < last.index("ENTRYPOINT")
        python = next(value for name, value in self.instructions() if name == "ARG" and value.startswith("PYTHON="))
        assert re.fullmatch(r"PYTHON=3\.\d+-slim-\w+", python)

    def test_everything_it_installs_is_compared_with_the_lock(self):
        runs = [value for name, value in self.instructions() if name == "RUN" and "pip" in value]
        assert "--require-hashes" in runs[0]
        for part in re.split(r"&&", " && ".join(runs[1:])):
            assert "install" not in part or "--no-index" in part or "uninstall" in part

    def test_the_image_has_one_extra_of_pyproject(self):
        extra = next(value for name, value in self.instructions() if name == "ARG" and value.startswith("EXTRA="))
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
        assert extra.removeprefix("EXTRA=") in extras

    def test_what_it_copies_is_there_and_not_ignored(self):
        kept = (CONTAINERFILE.with_suffix(".containerignore")).read_text("utf-8")
        for name, value in self.instructions():
            if name == "COPY" and "--from" not in value:
                for source in value.split()[:-1]:
                    assert (ROOT / source).exists(), source
                    assert f"!{source}" in kept

    def test_it_starts_a_command_that_exists(self):
        values = dict(self.instructions())
        assert values["ENTRYPOINT"] == '["/opt/swaddle/bin/swaddle"]'
        assert values["CMD"] == '["gateway", "run"]'
