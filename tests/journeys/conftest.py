"""Journeys run what a person has installed: a wheel, in a folder of its own, as processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel that this checkout makes, built without fetching anything."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT], timeout=120)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """An environment in which `swaddle` is the wheel's, with an empty HOME; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    home = tmp_path_factory.mktemp("home")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", folder, wheel]
    done = run(pip, timeout=120)
    assert done.returncode == 0, done.stderr
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
