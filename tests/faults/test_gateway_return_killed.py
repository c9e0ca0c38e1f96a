"""A registry killed while it takes a restored gateway back: the next look brings it to its end, whatever the moment."""

import shutil

import pytest

from gateway_world import running
from swaddle.envelope.backup import read_backup
from swaddle.envelope.backup_opening import open_backup
from swaddle.envelope.keys import SealingPair
from swaddle.gateway.backup import make_backup
from swaddle.gateway.initialise import initialise
from swaddle.gateway.restore import restore
from swaddle.registry import exchange, releasing
from swaddle.wire.enrolment import ClaimFile
from whole_world import PASSPHRASE, make_world


class Gateway:
    def __init__(self, claim):
        self.claim = claim


class Killed(BaseException):
    """As a kill: no handler of ours takes it."""


@pytest.mark.slow
@pytest.mark.parametrize("step", range(1, 13))
def test_killed_at_any_word_to_the_gateway_or_into_custody(tmp_path, monkeypatch, step):
    home = tmp_path / "gateway"
    claim = ClaimFile.from_bytes(initialise(home, "https://127.0.0.1:0", port=0).read_bytes())
    with running(home):
        world = make_world(tmp_path, Gateway(claim))
        world.enrol("north")
        backup = make_backup(home)
        lost = world.send("north", world.births(3, 1))[0]
        assert world.ask("drain-journal")["reached"]
    found = read_backup((home / "backups" / backup["backup"].rpartition("/")[2]).read_bytes())
    pair = SealingPair.from_file((tmp_path / "registry" / "keys" / "backup.json").read_bytes(), PASSPHRASE)
    shutil.rmtree(home)
    restore(home, found, open_backup(found, pair, found.head.made))
    with running(home):
        inside = world.inside()
        calls = []

        def counted(function, after):
            def call(*arguments, **more):
                calls.append(1)
                if len(calls) == step and not after:
                    raise Killed
                answer = function(*arguments, **more)
                if len(calls) == step:
                    raise Killed
                return answer

            return call

        monkeypatch.setattr(exchange, "instruct", counted(exchange.instruct, step % 2))
        monkeypatch.setattr(inside.ledger, "append", counted(inside.ledger.append, step % 2))
        try:
            releasing.release_freeze(inside)
            was_killed = False
        except Killed:
            was_killed = True
        monkeypatch.undo()
        inside.close()
        if was_killed:
            assert world.ask("pull")["failed"] == []
        status = world.ask("status")
        assert status["gateway"]["freezes"] == []
        assert [each["id"] for each in status["lost"]] == [lost]
        world.send("north")
        assert world.ask("pull")["acknowledged"] == 1  # what was lost, sent again
        events = [entry["event"] for entry in world.ask("custody-entries", subject=lost)]
        assert events.count("transfer-lost") == 1
