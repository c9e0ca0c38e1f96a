"""The millionth transfer costs what the thousandth did: no request and no sweep looks through a table that grows."""

import re
import secrets
from contextlib import suppress

import pytest

from gateway_world import World, direct_world
from swaddle.gateway.index import Index

GROW = {"transfers", "parts", "journal", "nonces", "facts"}  # submitters and open invitations are few


@pytest.fixture
def asked(monkeypatch):
    """Every query with the values it was asked with."""
    seen = {}
    for name in ("rows", "row", "write"):
        kept = getattr(Index, name)

        def recorded(self, sql, *values, kept=kept):
            seen.setdefault(sql, values)
            return kept(self, sql, *values)

        monkeypatch.setattr(Index, name, recorded)
    return seen


def everything(world):
    """Each kind of request once, and what time does."""
    party, other = world.enrol(), world.enrol()
    sealed = world.send(party)
    world.put(party, sealed.id, 0, b"late")
    world.get("/v1/inbox", world.pull)
    world.lease(sealed)
    world.read(sealed)
    world.give_back(sealed)
    world.lease(sealed)
    world.line.sweep()
    world.view(sealed, party.key)
    world.acknowledge(sealed)
    unreadable = world.send(party)
    world.lease(unreadable)
    world.acknowledge(unreadable, "unreadable")
    world.view(unreadable, party.key)
    feedback = world.send(None, to=party)
    world.get("/v1/inbox", party.key)
    world.lease(feedback, key=party.key)
    world.get("/v1/status", world.pull)
    world.get("/v1/enrolments", world.pull)
    world.get("/v1/intake", party.key)
    page = world.journal()
    world.instruct("journal-drained", through=page["entries"][-1]["sequence"])
    world.journal(page["entries"][-1]["sequence"])
    world.lease(feedback, key=other.key)  # froze its reads
    world.instruct("release-freeze", freeze=world.freezes()[0]["id"])
    world.announce(other, 1000)
    world.instruct("revoke", submitter=other.id)
    world.line.clock.pass_(minutes=20)
    world.line.sweep()
    world.line.clock.pass_(days=30)
    world.line.sweep()


def test_no_query_of_a_request_or_a_sweep_scans_a_table_that_grows(tmp_path, asked):
    with direct_world(tmp_path / "gateway") as world:
        asked.clear()  # opening may look at everything, once
        everything(world)
        connection = world.line.gateway.thread.index.connection
        plans = {
            sql: [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            for sql, values in asked.items()
        }
    assert len(plans) > 40
    scans = {
        sql: step for sql, steps in plans.items() for step in steps
        if (found := re.match(r"SCAN (\w+)\b(?! USING( COVERING)? INDEX transfers_)", step)) and found[1] in GROW
    }  # fmt: skip
    assert scans == {}


def test_the_inbox_is_not_sorted(tmp_path, asked):
    with direct_world(tmp_path / "gateway") as world:
        world.get("/v1/inbox", world.pull)
        sql = next(each for each in asked if "ORDER BY created" in each)
        steps = [
            row["detail"]
            for row in world.line.gateway.thread.index.connection.execute(f"EXPLAIN QUERY PLAN {sql}", asked[sql])
        ]
    assert steps == ["SEARCH transfers USING INDEX transfers_waiting (reader=?)"]


class TestTallies:
    """What status tells was counted as it changed; counting the rows gives the same."""

    @staticmethod
    def counted(world):
        rows = world.line.gateway.thread.index.rows
        states = {row["state"]: row["n"] for row in rows("SELECT state, count(*) AS n FROM transfers GROUP BY state")}
        return states, rows("SELECT coalesce(sum(bytes), 0) AS b FROM parts")[0]["b"]

    @staticmethod
    def told(world):
        status = world.get("/v1/status", world.pull).json
        return status["transfers"], status["body_bytes"]

    def test_they_follow_each_change(self, tmp_path):
        with direct_world(tmp_path / "gateway") as world:
            party = world.enrol()
            sealed = [world.send(party) for _ in range(3)]
            announced = world.announce(party, 2000).json["id"]
            world.put(party, announced, 0, secrets.token_bytes(2000))
            world.put(party, announced, 0, secrets.token_bytes(2000))  # replaced
            assert self.told(world) == self.counted(world)
            world.lease(sealed[0])
            world.acknowledge(sealed[0])
            assert self.told(world) == self.counted(world)
            world.line.clock.pass_(days=4)
            world.line.sweep()
            assert self.told(world) == self.counted(world) == ({"destroyed": 4}, 0)
            world.line.clock.pass_(days=30)
            world.line.sweep()
            assert self.told(world) == self.counted(world) == ({}, 0)

    def test_what_was_changed_beside_them_is_counted_at_the_next_start(self, tmp_path):
        with direct_world(tmp_path / "gateway") as world:
            world.send(world.enrol())
            world.line.gateway.thread.index.connection.execute("UPDATE tallies SET number = 77")
            world.line.reopen()
            assert self.told(world) == self.counted(world)

    def test_what_is_promised_is_what_has_not_come(self, tmp_path):
        with direct_world(tmp_path / "gateway") as world:
            party = world.enrol()
            announced = world.announce(party, 65_564 + 1000).json["id"]
            store = world.line.gateway.store
            needed = 64 * 2**20 + 65_564 + 1000
            store.free_bytes = lambda: needed + 999
            assert world.announce(party, 1000).problem == "full"
            world.put(party, announced, 1, secrets.token_bytes(1000))
            assert world.announce(party, 1000).status == 201


class TestJournalPages:
    """A break anywhere is found no later than when its page is drained."""

    @pytest.fixture
    def world(self, tmp_path, monkeypatch):
        monkeypatch.setattr("swaddle.gateway.journal.PAGE_ENTRIES", 5)
        with direct_world(tmp_path / "gateway") as made:
            party = made.enrol()
            for _ in range(4):
                made.send(party)
            yield made

    @staticmethod
    def drain(world: World):
        """Page by page, as the registry does; the number of the last entry that came."""
        after = 0
        for _ in range(40):
            entries = world.journal(after)["entries"]
            if not entries:
                break
            after = max(after + 1, entries[-1]["sequence"])
        return after

    def test_a_whole_chain_freezes_nothing(self, world):
        last = self.drain(world)
        assert world.freezes() == []
        world.instruct("journal-drained", through=last - 7)
        for after in (0, 3, last - 9, last - 7, last - 6, last, last + 1, last + 50):
            world.journal(after)
        assert world.freezes() == []

    @pytest.mark.parametrize(
        "harm",
        [
            "DELETE FROM journal WHERE sequence = 9",
            "DELETE FROM journal WHERE sequence = (SELECT max(sequence) FROM journal)",
            "DELETE FROM journal WHERE sequence > 8",
            "DELETE FROM journal WHERE sequence < 4",
            "DELETE FROM journal",
            "UPDATE journal SET entry = (SELECT entry FROM journal WHERE sequence = 6) WHERE sequence = 7",
            "UPDATE journal SET sequence = sequence + 100 WHERE sequence > 10",
            "UPDATE journal SET entry = x'7b7d' WHERE sequence = 10",
            "INSERT INTO journal SELECT max(sequence) + 1, entry FROM journal",
            "UPDATE facts SET value = '3' WHERE name = 'journal_sequence'",
        ],
    )
    def test_each_break_freezes_all_reading(self, world, harm):
        connection = world.line.gateway.thread.index.connection
        assert connection.execute(harm).rowcount
        with suppress(KeyError, TypeError):  # what is no entry cannot be given out
            self.drain(world)
        assert ("chain", None) in [(freeze["cause"], freeze["reader"]) for freeze in world.freezes()]
