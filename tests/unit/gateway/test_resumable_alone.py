"""The uploads run alone: only when that is said, and only on loopback."""

import subprocess
import sys

import pytest


def run(*options):
    command = [sys.executable, "-m", "swaddle.gateway.resumable", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_they_do_not_run_unless_it_is_said_that_anybody_may():
    done = run("--port", "9")
    assert done.returncode == 2
    assert "--open" in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_they_listen_on_loopback_only(host):
    done = run("--port", "9", "--open", "--host", host)
    assert done.returncode == 2
    assert "loopback" in done.stderr
