"""Fixtures that any test may ask for."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# For the processes that tests start, and theirs: what only the test environment has is not there (see its own words).
os.environ["PYTHONPATH"] = str(ROOT / "tests" / "support" / "as_deployed")


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
