"""Threat 20, the other way round: honest traffic freezes nothing. A year of it, and what an absent registry loses."""

from datetime import UTC, datetime

import pytest
from traffic import PER_YEAR, Traffic

from gateway_world import Clock, DirectLine, World, make_home
from swaddle import durable

HOURS = 365 * 24


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(durable, "sync_folder", lambda _: None)  # a year of syncs would take a year
    clock = Clock(datetime(2026, 12, 20, tzinfo=UTC))
    line = DirectLine(make_home(tmp_path / "gateway", clock()), clock)
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
def test_a_year_of_48_000_transfers_freezes_nothing(world):
    """Two workers and an allowance of two; month ends six times as busy; retries, resumed pulls, three absences."""
    away = frozenset(hour for start in (2000, 4100, 6500) for hour in range(start, start + 60))
    traffic = Traffic(world, seed=2026, away_hours=away)
    traffic.run(HOURS, PER_YEAR / HOURS)
    assert world.freezes() == []
    assert traffic.done["sent"] > 0.95 * PER_YEAR
    assert ended(traffic) >= 0.99 * traffic.done["sent"]
    print(dict(traffic.done))
