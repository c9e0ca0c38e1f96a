"""A bad line between everybody and the gateway: afterwards what was receipted is there once, whole; nothing is half there.

The line cuts, drips, stalls and swallows answers, at places that a seed chooses, for senders and for the puller alike.
Whoever is cut off does what a timer job does: runs again.
"""

import tomllib

import pytest

from bad_line import BadLine, Fault, faults
from submitter_world import GatewayProcess
from swaddle.errors import NetworkFault, SwaddleError
from swaddle.wire.problems import Frozen
from whole_world import make_world

ROWS = 120


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    line = BadLine()
    gateway = GatewayProcess(folder / "gateway", seen_at=line.port, idle_seconds=5)
    line.to_port = tomllib.loads((folder / "gateway" / "settings.toml").read_text())["port"]
    world = make_world(folder, gateway)
    world.enrol("Northshore General")
    with (world.submitters["Northshore General"] / "settings.toml").open("a") as file:
        file.write("part_bytes = 65536\n")
    world.line = line
    yield world
    gateway.stop()
    line.close()


def until_done(step, most=60):
    """Run `step` again until it comes through, as a timer job would; how often it was cut off."""
    for times in range(most):
        try:
            result = step()
        except NetworkFault:
            continue
        if result:
            return times
    raise AssertionError("it never came through")


def stored_rows(world):
    return world.ask("status")["stored"]["rows"]


@pytest.mark.parametrize("seed", [2, *[pytest.param(seed, marks=pytest.mark.slow) for seed in (1, *range(3, 13))]])
def test_a_line_that_cuts_at_any_place_loses_and_doubles_nothing(world, seed):
    before = stored_rows(world)
    path = world.births(ROWS, seed=9000 + seed)
    known = {transfer["id"] for transfer in world.ask("status")["transfers"]}
    world.line.suffer(faults(seed, 12, most_bytes=path.stat().st_size))
    sent = []

    def send_once():
        sent[:] = world.send("Northshore General", path)
        return sent[0] is not None

    until_done(send_once)
    world.line.suffer(faults(seed + 500, 12, most_bytes=20_000))
    until_done(lambda: pulled(world) or taken(world, known))
    world.line.suffer([])
    world.ask("pull")
    new = [transfer for transfer in world.ask("status")["transfers"] if transfer["id"] not in known]
    assert [transfer["state"] for transfer in new] == ["stored"]
    verdict = new[0]["verdict"]
    assert verdict["stored"] + verdict["rejected"] == ROWS
    assert stored_rows(world) - before == verdict["stored"]
    assert world.ask("status")["gateway"]["transfers"].get("receiving", 0) == 0


def pulled(world):
    """One look. What is read for the fifth time freezes reading, a line that cut it four times or not: an operator's."""
    try:
        return world.ask("pull")["transfers"]
    except Frozen:
        world.ask("release-freeze")
        return None


def taken(world, known):
    return any(t["state"] == "stored" for t in world.ask("status")["transfers"] if t["id"] not in known)


@pytest.mark.slow
def test_an_answer_that_nobody_heard_is_asked_for_again_and_nothing_is_done_twice(world):
    """The finish was done and its answer lost: the same transfer is held once, not twice."""
    known = {transfer["id"] for transfer in world.ask("status")["transfers"]}
    path = world.births(ROWS, seed=9800)
    world.line.suffer([Fault(swallow_down=True)] * 8)
    until_done(lambda: world.send("Northshore General", path)[0])
    world.line.suffer([])
    world.ask("pull")
    new = [transfer for transfer in world.ask("status")["transfers"] if transfer["id"] not in known]
    assert [transfer["state"] for transfer in new] == ["stored"]
    assert world.line.had > 0


@pytest.mark.slow
def test_a_gateway_that_is_not_reached_is_said_in_three_lines(world):
    world.line.suffer([Fault(cut_up=0)] * 40)
    with pytest.raises(SwaddleError) as refused:
        world.send("Northshore General", world.births(10, seed=9900))
    assert refused.value.exit_status == 5
    assert len(refused.value.lines()) == 3
    world.line.suffer([])
    world.ask("pull")
