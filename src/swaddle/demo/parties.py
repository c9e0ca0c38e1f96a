"""The demo's parties: each a home folder and the real `swaddle` program, run as a process of its own.

The story never calls into a party: it types commands, as people would, and reads what they print.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swaddle.errors import OurBug

_PATIENCE_S = 600
_START_S = 30
# A proxy of this machine must not stand between parties on loopback, nor a home of somebody's be used.
_NOT_INHERITED = frozenset(
    {"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SWADDLE_HOME", "CREDENTIALS_DIRECTORY", "PYTHONHASHSEED"}
)


class StepFailed(OurBug):
    """A command of the story did not do what the story needs."""

    code = "SWD-DEMO-02"
    what = "the demo stops: a step failed"
    why = "`swaddle {command}` ended with {status}: {said}"
    fix = "run the demo again with --keep and --home, and the command by itself in that home"


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    status: int
    out: str
    talk: str

    @property
    def value(self) -> dict[str, Any]:
        """The JSON object on standard output."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


@dataclass(frozen=True)
class Party:
    """A home, and the file that its passphrase lies in."""

    home: Path

    @property
    def passphrase_file(self) -> Path:
        """Beside the home, readable by its owner alone, as a service's credential would be."""
        return self.home.with_name(f"{self.home.name}.passphrase")

    def run(
        self,
        *arguments: str | Path,
        allow: tuple[int, ...] = (0,),
        environment: Mapping[str, str] | None = None,
        given: str | None = None,
        at_home: bool = True,
    ) -> Said:
        """Run `swaddle ARGUMENTS --home HOME` to its end.

        Args:
            arguments: of the command.
            allow: exit statuses that are fine.
            environment: further variables.
            given: what it reads on standard input.
            at_home: False for a command that needs no home.

        Raises:
            StepFailed: it ended with a status that is not in `allow`.
        """
        command = [str(each) for each in arguments]
        done = subprocess.run(
            self._line(command, at_home=at_home), env=_environment(environment), input=given,
            capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
        )  # fmt: skip
        if done.returncode not in allow:
            said = " / ".join(line.strip() for line in (done.stderr or done.stdout).strip().splitlines()[-4:])
            named = " ".join(each for each in arguments[:2] if isinstance(each, str))
            raise StepFailed(command=named, status=done.returncode, said=said or "nothing")
        return Said(done.returncode, done.stdout, done.stderr)

    def start(
        self, *arguments: str | Path, environment: Mapping[str, str] | None = None, log: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start `swaddle ARGUMENTS --home HOME` in a process group of its own and let it run."""
        with contextlib.ExitStack() as stack:
            sink = subprocess.DEVNULL if log is None else stack.enter_context(log.open("ab")).fileno()
            return subprocess.Popen(
                self._line([str(each) for each in arguments]), env=_environment(environment),
                stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
            )  # fmt: skip

    def _line(self, command: list[str], *, at_home: bool = True) -> list[str]:
        return [sys.executable, "-m", "swaddle", *command, *(("--home", str(self.home)) if at_home else ())]


def wait_for_line(log: Path, text: str, process: subprocess.Popen[bytes]) -> str:
    """The first line of `log` with `text` in it, as soon as it is there.

    Raises:
        StepFailed: the process ended, or half a minute passed.
    """
    limit = time.monotonic() + _START_S
    while time.monotonic() < limit:
        lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
        for line in lines:
            if text in line:
                return line
        if process.poll() is not None:
            raise StepFailed(command="run", status=process.returncode, said=" / ".join(lines[-3:]) or "nothing")
        time.sleep(0.05)
    raise StepFailed(command="run", status="no start", said=f"no line with {text!r} in {_START_S} s")


def end(process: subprocess.Popen[bytes], *, kill: bool = False) -> None:
    """End a started process and what it started: politely, or as `kill -9` does."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL if kill else signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _environment(further: Mapping[str, str] | None) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.upper() not in _NOT_INHERITED and not name.startswith("SWADDLE_")
    }
    return {**kept, **(further or {})}
