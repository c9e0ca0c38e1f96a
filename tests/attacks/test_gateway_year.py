"""Threat 20, the other way round: honest traffic freezes nothing. A year of it, and what an absent registry loses."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from traffic import PER_YEAR, Traffic

from gateway_world import Clock, DirectLine, World, make_home
from swaddle import durable

HOURS = 365 * 24
QUARTER = HOURS // 4
BEGIN = datetime(2026, 12, 20, tzinfo=UTC)
MEMORY = Path("/dev/shm")


@pytest.fixture
def folder(tmp_path):
    """In memory where there is such a place: a year writes 60 GB, again and again over the same few."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY) as made:
        yield Path(made)


@pytest.fixture
def begin():
    return BEGIN


@pytest.fixture
def world(folder, begin, monkeypatch):
    monkeypatch.setattr(durable, "sync_folder", lambda _: None)  # a year of syncs would take a year
    clock = Clock(begin)
    line = DirectLine(make_home(folder / "gateway", clock()), clock)
    line.gateway.thread.index.connection.execute("PRAGMA synchronous = OFF")
    made = World(line).claim()
    assert made.intake().status == 200
    yield made
    line.close()


def ended(traffic):
    """How the transfers to the registry ended, by the gateway's own rows and counters."""
    return traffic.done["stored"] + traffic.done["refused"] + traffic.done["unreadable"]


@pytest.mark.slow
def test_two_weeks_with_a_month_end_freeze_nothing(world):
    traffic = Traffic(world, seed=1)
    traffic.run(14 * 24, PER_YEAR / HOURS / 4)
    assert world.freezes() == []
    assert traffic.done["sent"] > 500
    assert min(traffic.done[each] for each in ("killed after the lease", "killed after reading", "given back")) > 0


@pytest.mark.slow
@pytest.mark.first
@pytest.mark.parametrize("begin", [BEGIN + n * timedelta(hours=QUARTER) for n in range(4)], ids="1234")
def test_a_year_of_48_000_transfers_freezes_nothing(world, begin):
    """By its quarters. Two workers, an allowance of two; month ends six times as busy; resumed pulls, an absence."""
    traffic = Traffic(world, seed=begin.month, away_hours=frozenset(range(1500, 1560)))
    traffic.run(QUARTER, PER_YEAR / HOURS)
    assert world.freezes() == []
    assert traffic.done["sent"] > 0.9 * PER_YEAR / 4
    assert ended(traffic) >= 0.98 * traffic.done["sent"]
    print(dict(traffic.done))
