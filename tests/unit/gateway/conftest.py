"""A gateway called directly, with its registry and one submitter."""

import pytest

from gateway_world import Clock, direct_world


@pytest.fixture
def world(tmp_path):
    with direct_world(tmp_path / "gateway") as made:
        yield made


@pytest.fixture
def party(world):
    return world.enrol()


@pytest.fixture
def fresh_clock():
    return Clock()
