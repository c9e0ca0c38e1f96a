"""A restored registry killed at its first look: the next one brings its return to its end, whatever the moment."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway_world import running
from swaddle.envelope.backup_file import read_head
from swaddle.envelope.keys import SealingPair
from swaddle.gateway.initialise import initialise
from swaddle.registry import asking, exchange, returning
from swaddle.registry.restore import restore
from swaddle.registry.state import State
from swaddle.wire.enrolment import ClaimFile
from whole_world import PASSPHRASE, make_world


class Killed(BaseException):
    """As a kill: no handler of ours takes it."""


@pytest.mark.slow
def test_killed_at_any_word_to_the_gateway_or_any_write(tmp_path, monkeypatch):
    home = tmp_path / "gateway"
    claim = ClaimFile.from_bytes(initialise(home, "https://127.0.0.1:0", port=0).read_bytes())
    with running(home):
        world = make_world(tmp_path, SimpleNamespace(claim=claim))
        for name in ("north", "south"):
            world.enrol(name)
        world.send("north", world.births(3, 1))
        world.ask("pull")
        offline = shutil.move(world.registry / "keys" / "backup.json", tmp_path / "offline.json")
        pair = SealingPair.from_file(Path(offline).read_bytes(), PASSPHRASE)
        ended = False
        for step in range(0, 120, 7):  # each is a return of its own, from a backup of the one before it
            backup = Path(world.ask("backup", out=str(tmp_path / f"backup-{step}"))["backup"])
            shutil.rmtree(world.registry)
            world.registry = tmp_path / f"registry-{step}"
            restore(world.registry, read_head(backup), pair, PASSPHRASE, datetime.now(UTC))
            ended = not killed_at(world, monkeypatch, step)
            result = world.ask("pull")
            assert result["failed"] == []
            entries = world.ask("custody-entries")
            came_back = max(n for n, entry in enumerate(entries) if entry["event"] == "registry-restored")
            since = [entry["event"] for entry in entries[came_back:]]
            assert since.count("sending-asked-for") == 2
            assert since.count("journal-resumed") <= 1
            numbers = [entry["detail"]["instruction"] for entry in entries if entry["event"] == "gateway-instructed"]
            assert len(numbers) == len(set(numbers))
            status = world.ask("status")
            assert status["alarms"] == []
            assert status["stored"]["rows"] == 3
            if ended:
                break
        assert ended
        world.send("south", world.births(4, 2))
        assert world.ask("pull")["acknowledged"] == 1


def killed_at(world, monkeypatch, step):
    """Look at the gateway, and die at the n-th step of the return; whether it did."""
    inside, calls = world.inside(), []

    def counted(function):
        def call(*arguments, **more):
            calls.append(1)
            if 2 * len(calls) - 2 == step:
                raise Killed
            answer = function(*arguments, **more)
            if 2 * len(calls) - 1 == step:
                raise Killed
            return answer

        return call

    try:
        with monkeypatch.context() as patch:
            patch.setattr(exchange, "instruct", counted(exchange.instruct))
            patch.setattr(inside.ledger, "append", counted(inside.ledger.append))
            patch.setattr(State, "set_facts", counted(State.set_facts))
            patch.setattr(asking, "deliver", counted(asking.deliver))
            returning.settle(inside)
    except Killed:
        return True
    finally:
        inside.close()
    return False
