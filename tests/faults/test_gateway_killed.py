"""kill -9 of the gateway at every durable step, and every durable step failing both ways; then it goes on.

One life of a transfer (announce, parts, a part replaced, finish, lease, read, acknowledge) is driven against the real
application. A step is a sync, a rename or a removal on the disk, or a commit of the database. At the n-th one the
process kills itself, before or after it; or the disk says no, having done nothing or having done it all the same.
Then the client does what clients do: begins again with the same reference, finish, token, acknowledgement.
"""

import errno
import os
import pathlib
import shutil
import signal
import sqlite3
from hashlib import sha256

import pytest
from durable_steps import Steps, kill, watch

from gateway_world import SEALED, Clock, DirectLine, World, make_home
from swaddle.gateway import index, journal
from swaddle.gateway.initialise import initialise

PARTS = [bytes([1]) * SEALED, bytes([2]) * 1000]
REFERENCE = b"sixteen bytes ok"
MODES = ("before", "after")


def life(world, party, sealed):
    """One life of a transfer, each request answered or the disk at fault; True when it went through."""
    announced = world.announce(party, sum(map(len, PARTS)), reference=REFERENCE)
    if announced.status not in {200, 201}:
        assert announced.problem in {"full", "fault"}
        return False
    transfer = announced.json["id"]
    if not sealed:
        sealed.append(world.seal(party, announced.json, PARTS))
    assert sealed[0].id == transfer
    view = world.view(transfer, party.key)
    if view.status != 200:
        assert view.problem == "full"
        return False
    state = view.json["state"]
    requests = []
    if state in {"announced", "receiving"}:
        requests += [
            lambda: world.put(party, transfer, 0, bytes(SEALED)),
            lambda: world.put(party, transfer, 0, PARTS[0]),
            lambda: world.put(party, transfer, 1, PARTS[1]),
        ]
    requests.append(lambda: world.finish(party, sealed[0]))
    if state != "destroyed":
        requests.append(lambda: world.lease(sealed[0]))
        requests.append(lambda: world.read(sealed[0]))
    requests.append(lambda: world.acknowledge(sealed[0]))
    for request in requests:
        answer = request()
        if answer.status >= 300:
            assert answer.problem in {"full", "fault", "conflict"}, answer.body
            return False
        if len(answer.body) == SEALED:
            assert answer.body == PARTS[0]
    return True


def check(world):
    """What must hold whenever the gateway is open."""
    rows_of, store = world.line.gateway.thread.index, world.line.gateway.store
    rows = rows_of.rows("SELECT t.state, p.body, p.bytes, p.sha256 FROM parts p JOIN transfers t ON t.id = p.transfer")
    there = set(store.bodies())
    for row in rows:
        if row["body"] in there:
            data = (world.line.home / "bodies" / row["body"]).read_bytes()
            assert (len(data), sha256(data).hexdigest()) == (row["bytes"], row["sha256"])
        else:
            assert row["state"] in {"acknowledged", "refused", "expired"}  # half destroyed; the sweep goes on
    journal.check(rows_of)
    assert rows_of.row("SELECT count(*) FROM transfers")[0] <= 1


def check_end(world, party, sealed):
    """Whole, once, and nothing left."""
    world.line.sweep()
    assert list((world.line.home / "bodies").iterdir()) == []
    view = world.view(sealed[0], party.key).json
    assert (view["state"], view["outcome"]) == ("destroyed", "stored")
    events = [entry["event"] for entry in world.journal()["entries"] if entry["subject"] == sealed[0].id]
    assert events == ["announced", "receiving", "held", "leased", "acknowledged", "destroyed"]
    assert world.freezes() == []


@pytest.fixture
def made(tmp_path):
    """A world whose gateway is closed, to be opened by whoever is killed."""
    clock = Clock()
    line = DirectLine(make_home(tmp_path / "gateway", clock()), clock)
    world = World(line).claim()
    world.intake()
    party = world.enrol()
    line.close()
    world.first_home = line.home
    return world, party


def copy_of(made, folder):
    """The same world over a copy of its gateway's home, closed."""
    world, party = made
    shutil.copytree(world.first_home, folder)
    world.line.home = folder
    return world, party


class TestOrder:
    """A kill cannot show what a power cut would lose; so the order of syncs, renames and commits is held still."""

    def test_a_part_is_synced_named_and_only_then_recorded_and_goes_before_its_row(self, made, tmp_path, monkeypatch):
        world, party = copy_of(made, tmp_path / "copy")
        steps = Steps(kill)
        with monkeypatch.context() as patch:
            watch(steps, patch.setattr)
            world.line.open()
            transfer = world.announce(party, 1000).json["id"]
            steps.names.clear()
            world.put(party, transfer, 0, bytes(1000))
            assert steps.names == ["commit", "fsync", "rename", "fsync", "commit"]  # the first: its nonce
            steps.names.clear()
            world.line.clock.pass_(days=3)
            world.line.sweep()
            assert steps.names[:4] == ["commit", "unlink", "fsync", "commit"]
            world.line.close()

    def test_every_commit_but_a_nonces_is_synced(self, made):
        world, party = made
        world.line.open()
        connection = world.line.gateway.thread.index.connection
        world.send(party)
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
        world.line.close()


class TestKilled:
    def in_a_child(self, world, party, sealed, due, mode):
        """The life in a child that is killed at step `due`; True when it lived to the end."""
        child = os.fork()
        if child == 0:
            try:
                steps = Steps(kill, mode=mode)
                watch(steps, setattr)
                world.line.open()
                steps.count, steps.due = 0, due
                life(world, party, list(sealed))
                os._exit(0)
            except BaseException:  # noqa: BLE001 - the parent sees the status
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return False
        assert os.WEXITSTATUS(status) == 0
        return True

    @pytest.mark.parametrize("mode", MODES)
    def test_at_every_step_it_goes_on_with_the_same_transfer_whole(self, made, tmp_path, mode, monkeypatch):
        # The sender has its seal written down; so what the child announces has the id that was sealed for.
        monkeypatch.setattr(index.Index, "new_id", lambda _: "5a" * 16)
        due, died = 0, 0
        while True:
            world, party = copy_of(made, tmp_path / f"gateway-{due}")
            sealed = [world.seal(party, {"id": "5a" * 16, "expires": "2026-11-24T09:24:37Z"}, PARTS)]
            lived = self.in_a_child(world, party, sealed, due, mode)
            world.line.open()
            check(world)
            world.line.sweep()  # what `gateway run` does first
            assert lived or life(world, party, sealed)
            check(world)
            check_end(world, party, sealed)
            world.line.close()
            if lived:
                break
            died += 1
            due += 1
        assert died > 15

    @pytest.mark.parametrize("mode", MODES)
    def test_while_it_is_made_it_is_simply_made_again(self, tmp_path, mode):
        due = 0
        while True:
            home = tmp_path / f"gateway-{due}"
            child = os.fork()
            if child == 0:
                try:
                    steps = Steps(kill, due, mode)
                    watch(steps, setattr)
                    initialise(home, "https://127.0.0.1:0", port=0)
                    os._exit(0)
                except BaseException:  # noqa: BLE001 - the parent sees the status
                    os._exit(1)
            _, status = os.waitpid(child, 0)
            if not os.WIFSIGNALED(status):
                assert os.WEXITSTATUS(status) == 0
                break
            if not (home / "settings.toml").exists():
                initialise(home, "https://127.0.0.1:0", port=0)
            clock = Clock()
            line = DirectLine(home, clock)
            World(line).claim()
            line.close()
            due += 1
        assert due > 8


class TestTheDiskSaysNo:
    """Not persisted, and persisted but reported failed."""

    @pytest.mark.parametrize(("code", "mode"), [(errno.ENOSPC, "before"), (errno.EIO, "after")])
    def test_at_every_step_nothing_is_half_there_and_it_goes_on(self, made, tmp_path, mode, code, monkeypatch):
        def refuse(name):
            if name == "commit":
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error
            raise OSError(code, "no")

        due = 0
        while True:
            steps = Steps(refuse, mode=mode)
            world, party = copy_of(made, tmp_path / f"gateway-{due}")
            with monkeypatch.context() as patch:
                watch(steps, patch.setattr)
                world.line.open()
                steps.count, steps.due = 0, due
                sealed = []
                tries = 1
                while not life(world, party, sealed):
                    check(world)
                    world.line.sweep()  # as it does every few seconds
                    tries += 1
                    assert tries < 4
                done = steps.count <= due
                steps.due = -1
                world.line.reopen()
                check(world)
                check_end(world, party, sealed)
                world.line.close()
            if done:
                break
            due += 1
        assert due > 15


class TestADiskThatStaysFull:
    def test_every_request_that_needs_it_says_so_and_reading_goes_on(self, made, monkeypatch):
        world, party = made
        world.line.open()
        sealed = world.send(party)
        world.lease(sealed)
        from swaddle import durable

        def full(*_):
            raise OSError(errno.ENOSPC, "no")

        transfer = world.announce(party, 1000).json["id"]
        with monkeypatch.context() as patch:
            patch.setattr(durable, "write_all", full)
            answer = world.put(party, transfer, 0, bytes(1000))
            assert (answer.status, answer.problem) == (507, "full")
            assert world.read(sealed).body == sealed.parts[0]
        assert len(list((world.line.home / "bodies").iterdir())) == 2
        assert world.put(party, transfer, 0, bytes(1000)).status == 204
        world.line.close()

    def test_what_cannot_be_removed_now_is_removed_later(self, made, monkeypatch):
        world, party = made
        world.line.open()
        sealed = world.send(party)
        world.lease(sealed)
        unlink = pathlib.Path.unlink

        def broken(path, **how):
            if path.parent.name == "bodies":
                raise OSError(errno.EIO, "no")
            return unlink(path, **how)

        with monkeypatch.context() as patch:
            patch.setattr(pathlib.Path, "unlink", broken)
            assert world.acknowledge(sealed).status == 200
            assert world.view(sealed, party.key).json["state"] == "acknowledged"
            assert world.read(sealed).problem == "frozen"  # not served, although it still lies there
        world.line.sweep()
        assert list((world.line.home / "bodies").iterdir()) == []
        assert world.view(sealed, party.key).json["state"] == "destroyed"
        world.line.close()
