"""kill -9 at every step of a pull, then run again: the same transfer, once, whole, and one report.

A child process does the real pull on the real homes against a real gateway; a wrapper counts every durable write,
every commit and every request, and at the n-th it kills its process, before the step or after it. Nothing in the
product knows of this.
"""

import itertools
import multiprocessing
import os
import signal

import pytest

from submitter_world import GatewayProcess
from swaddle import durable
from swaddle.registry import loads, state
from swaddle.registry.operations import ask
from swaddle.wire.client import GatewayClient
from whole_world import make_world, passphrase

STEPS = (
    (durable, "write_file"),
    (durable, "append_line"),
    (durable, "remove_file"),
    (GatewayClient, "get_json"),
    (GatewayClient, "post_json"),
    (GatewayClient, "put_part"),
    (GatewayClient, "get_part"),
    (state.State, "update"),
    (state.State, "begin"),
    (state.State, "set_facts"),
    (state.State, "set_fact"),
    (loads._Transaction, "__exit__"),
)


def child(home, kill_at, steps):
    """One pull that is killed at step `kill_at` (even: before it, odd: after it); counts the steps it passes."""
    passed = 0

    def watch(real):
        def step(*args, **kwargs):
            nonlocal passed
            if 2 * passed == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*args, **kwargs)
            if 2 * passed + 1 == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            passed += 1
            steps.value = passed
            return result

        return step

    for where, name in STEPS:
        setattr(where, name, watch(getattr(where, name)))
    ask(home, passphrase, "pull")


SEEDS = itertools.count(1000)
CONTEXT = multiprocessing.get_context("spawn")


def pull_killed_at(home, kill_at):
    steps = CONTEXT.Value("i", 0)
    process = CONTEXT.Process(target=child, args=(home, kill_at, steps))
    process.start()
    process.join(120)
    assert process.exitcode in {0, -signal.SIGKILL}, process.exitcode
    return process.exitcode == -signal.SIGKILL, steps.value


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway")
    world = make_world(folder, gateway)
    world.enrol("Northshore General")
    yield world
    gateway.stop()


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


def test_a_pull_killed_here_and_there_is_made_good_by_the_next(world):
    killed, steps = kill_and_mend(world, -1)
    assert not killed
    assert steps > 30
    for kill_at in range(5, 2 * steps, max(1, 2 * steps // 6)):
        assert kill_and_mend(world, kill_at)[0]


@pytest.mark.slow
def test_a_pull_killed_at_any_step_is_made_good_by_the_next(world):
    _, steps = kill_and_mend(world, -1)
    ends = [kill_and_mend(world, kill_at)[0] for kill_at in range(0, 2 * steps, 2)]
    assert ends.count(True) >= steps - 2
