"""A registry of years: what a look asks of its state is found by an index, not sought among all transfers."""

import secrets

import pytest

from swaddle.registry.state import State


@pytest.fixture
def state(tmp_path):
    opened = State(tmp_path / "registry.db")
    yield opened
    opened.close()


@pytest.fixture
def asked(state, monkeypatch):
    """Every query with its values, in the order they came."""
    seen = []
    kept = state._run

    def recorded(sql, values=()):
        seen.append((sql, values))
        return kept(sql, values)

    monkeypatch.setattr(state, "_run", recorded)
    return seen


def filled(state):
    """Three that are over and answered, one not answered, one that expired, one begun; their ids."""
    ids = [secrets.token_hex(16) for _ in range(6)]
    state._connection.execute(
        "insert into submitters (id, name, state, invited_at, sealing) values (?, 'North', 'active', '', '{}')",
        ("s" * 32,),
    )
    for each in ids:
        state.begin(each, "t" * 43)
    for each in ids[:3]:
        state.update(each, step="acknowledged", submitter="s" * 32, outcome="stored", feedback="f" * 32)
    state.update(ids[3], step="acknowledged", submitter="s" * 32, outcome="refused")
    state.update(ids[4], step="acknowledged", outcome="expired")
    return ids


def test_what_is_to_be_done_is_what_it_was(state):
    ids = filled(state)
    assert [each.id for each in state.begun()] == [ids[5]]
    assert [each.id for each in state.unanswered()] == [ids[3]]
    assert [each.id for each in state.latest_transfers(2)] == ids[4:]
    assert [state.is_ended(each) for each in (ids[0], ids[5], "0" * 32)] == [True, False, False]


def test_no_query_of_a_look_scans_the_transfers(state, asked):
    ids = filled(state)
    asked.clear()
    state.begun()
    state.unanswered()
    state.transfer(ids[0])
    state.is_ended(ids[1])
    state.begin(ids[2], "t" * 43)
    state.update(ids[2], outcome="stored")
    steps = [
        (sql, row[3])
        for sql, values in asked
        for row in state._connection.execute(f"explain query plan {sql}", values)
        if row[3].startswith("SCAN transfers") and "USING INDEX transfers_" not in row[3]
    ]
    assert steps == []
