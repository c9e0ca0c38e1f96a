"""kill -9 at every step of a pull, then run again: the same transfer, once, whole, and one report.

A child process does the real pull on the real homes against a real gateway; a wrapper counts every durable write,
every commit and every request, and at the n-th it kills its process, before the step or after it. Nothing in the
product knows of this.
"""

import itertools

import pytest

from killed_step import killed_in, pull
from submitter_world import GatewayProcess
from swaddle.submitter import counting
from whole_world import make_world

STEPS = (
    *(f"swaddle.durable:{name}" for name in ("write_file", "append_line", "remove_file")),
    # What get_json asks for changes nothing anywhere: a kill before it is one after the step before.
    *(f"swaddle.wire.client:GatewayClient.{name}" for name in ("post_json", "put_part", "get_part")),
    *(f"swaddle.registry.state:State.{name}" for name in ("update", "begin", "set_facts", "set_fact")),
    "swaddle.registry.loads:_Transaction.__exit__",
)
SEEDS = itertools.count(1000)


def pull_killed_at(home, kill_at):
    return killed_in(pull, home, STEPS, kill_at=kill_at)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway")
    world = make_world(folder, gateway)
    world.enrol("Northshore General")
    yield world
    gateway.stop()


@pytest.fixture(autouse=True)
def _without_counting(monkeypatch):
    monkeypatch.setattr(counting, "find_spec", lambda _: None)


def check_after(world, sent, rows):
    """Stored once and whole, receipted, reported once, nothing left about."""
    inside = world.inside()
    try:
        (count,) = inside.store.connection.execute("select count(*) from births where transfer = ?", [sent]).fetchone()
        for table in ("identifiers.persons", "clinical.births", "subjects.presence", "identifiers.reports"):
            (strays,) = inside.store.connection.execute(
                f"select count(*) from {table} where load_id not in (select load_id from clinical.loads)"
            ).fetchone()
            assert strays == 0, table
        (loaded,) = inside.store.connection.execute(
            "select count(*) from clinical.loads where transfer = ?", [sent]
        ).fetchone()
        assert (count, loaded) == (rows, 1)
        events = [entry.event for entry in inside.ledger.entries(sent)]
        assert events.count("submission-stored") == 1
        assert events.count("copy-destroyed") == 1
        known = inside.state.transfer(sent)
        assert known.step == "acknowledged"
        assert known.receipt is not None
        assert known.feedback is not None
        reports = [
            e.subject for e in inside.ledger.entries() if e.event == "feedback-sent" and e.detail["answers"] == sent
        ]
        assert len(reports) == 1
        assert not list(inside.spool.iterdir())
        assert not list(inside.outbox.iterdir())
        waiting = inside.client.get_json("/v1/inbox")["transfers"]
        assert waiting == []
    finally:
        inside.close()


def kill_and_mend(world, kill_at):
    path = world.births(7, seed=next(SEEDS))  # other births each time: none is a duplicate
    (sent,) = world.send("Northshore General", path)
    killed, steps = pull_killed_at(world.registry, kill_at)
    world.ask("pull")
    check_after(world, sent, 7)
    return killed, steps


@pytest.mark.slow
def test_a_pull_killed_here_and_there_is_made_good_by_the_next(world):
    killed, steps = kill_and_mend(world, -1)
    assert not killed
    assert steps > 20
    for kill_at in range(5, 2 * steps, max(1, 2 * steps // 6)):
        assert kill_and_mend(world, kill_at)[0]


@pytest.mark.slow
@pytest.mark.first
@pytest.mark.parametrize("begin", [0, 2], ids=["even", "odd"])
def test_a_pull_killed_at_any_step_is_made_good_by_the_next(world, begin):
    _, steps = kill_and_mend(world, -1)
    places = range(begin, 2 * steps, 4)
    ends = [kill_and_mend(world, kill_at)[0] for kill_at in places]
    assert ends.count(True) >= len(places) - 2
