"""Fixtures that any test may ask for."""

import os
from pathlib import Path

import pytest

from swaddle.envelope import keys, signature

ROOT = Path(__file__).parent.parent
# For the processes that tests start, and theirs: what only the test environment has is not there (see its own words).
os.environ["PYTHONPATH"] = str(ROOT / "tests" / "support" / "as_deployed")
# Key files that tests make are real and cheap to open (each says its own cost): hundreds of registries open theirs.
# What the product asks for has a test of its own, in a process that was told nothing (test_envelope_keys.py).
keys._COST = {"n": 2, "r": 8, "p": 1}
signature._KDF_ROUNDS = 1


def pytest_collection_modifyitems(items):
    """What takes a minute or more begins first: no worker ends alone with it while the other has nothing left."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


@pytest.fixture(scope="session")
def real_data():
    """The folder of real files; a test that needs it is skipped, saying so, where it is not there."""
    folder = Path(os.environ.get("SWADDLE_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real files here: set SWADDLE_REAL_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def root():
    """The checkout."""
    return ROOT


@pytest.fixture(autouse=True)
def _nobodys_home(monkeypatch):
    """No test reads or writes the home of whoever runs it."""
    for name in ("SWADDLE_HOME", "CREDENTIALS_DIRECTORY", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
