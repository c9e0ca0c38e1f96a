"""One gateway for the tests of a file; each test enrols a home of its own."""

import pytest

from submitter_world import GatewayProcess, Registry, enrolled_home, party_of, rows
from swaddle.submitter import counting


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    process = GatewayProcess(tmp_path_factory.mktemp("gateway") / "home", sweep_seconds=1)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def registry(gateway):
    return Registry(gateway.claim)


@pytest.fixture(autouse=True)
def _without_counting(monkeypatch):
    """As where `swaddle[check]` is not installed; tests that count put it back."""
    monkeypatch.setattr(counting, "find_spec", lambda _: None)


@pytest.fixture
def home(registry, tmp_path):
    yield enrolled_home(registry, tmp_path, part_bytes=65_536)
    registry.take()


@pytest.fixture
def party(home):
    return party_of(home)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "births.csv"
    path.write_bytes(rows(2500))
    return path
