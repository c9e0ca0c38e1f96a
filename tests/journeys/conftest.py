"""Journeys run what a person has installed: a wheel, in a folder of its own, as processes of their own."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True, check=False, **options)


def build_and_install(folder):
    """The wheel that this checkout makes, built without fetching anything, and installed beside it."""
    wheel, installed = folder / "wheel", folder / "installed"
    built = run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", wheel, ROOT], timeout=600)
    assert built.returncode == 0, built.stdout + built.stderr
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", installed]
    done = run([*pip, next(wheel.glob("*.whl"))], timeout=600)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def wheel_installed(tmp_path_factory):
    """The folder of `wheel` and `installed`: the first worker that asks makes them, another waits for it."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "wheel-installed"
    ended = folder / "ended"
    try:
        folder.mkdir()
    except FileExistsError:
        end = time.monotonic() + 1200
        while not ended.exists() and time.monotonic() < end:
            time.sleep(0.2)
    else:
        try:
            build_and_install(folder)
        finally:
            ended.touch()
    assert (folder / "installed" / "swaddle").is_dir(), "the wheel could not be made"
    return folder


@pytest.fixture(scope="session")
def wheel(wheel_installed):
    """The wheel that this checkout makes."""
    return next((wheel_installed / "wheel").glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel_installed, tmp_path_factory):
    """An environment in which `swaddle` is the wheel's, with an empty HOME; its dependencies are those of the tests."""
    folder = wheel_installed / "installed"
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SWADDLE_", "PYTHON", "XDG_"))}
    return kept | {
        "PATH": os.pathsep.join([str(folder / "bin"), os.environ["PATH"]]),
        "PYTHONPATH": str(folder),
        "HOME": str(home),
        "COLUMNS": "100",
    }


@pytest.fixture
def swaddle(installed, tmp_path):
    """Run `swaddle` with some arguments in an empty folder, without a terminal."""

    def call(*arguments, **options):
        options = {"cwd": tmp_path, "env": installed, "timeout": 120, "stdin": subprocess.DEVNULL} | options
        return run([sys.executable, "-m", "swaddle", *map(str, arguments)], **options)

    return call
