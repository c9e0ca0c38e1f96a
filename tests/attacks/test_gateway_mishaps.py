"""Two pullers, clocks that jump, a disk that is full, an absent registry: what is held stays whole, and nothing freezes.

Threats 13, 14 and 20 from the side of honest parties in a bad hour.
"""

import asyncio
import secrets

import pytest

from gateway_world import SEALED, b64, direct_world, signed_headers
from swaddle.canonical import canonical


@pytest.fixture
def world(tmp_path):
    with direct_world(tmp_path / "gateway") as made:
        made.party = made.enrol()
        yield made


class TestTwoPullers:
    def test_one_transfer_has_one_reader_and_the_other_is_told_and_freezes_nothing(self, world):
        sealed = world.send(world.party)
        first, second = sealed.lease_sha256, "ab" * 32
        assert world.lease(sealed, digest=first).status == 200
        for _ in range(5):
            assert world.lease(sealed, digest=second).problem == "leased"
        assert world.freezes() == []

    def test_at_the_same_moment_one_gets_it(self, world):
        sealed = world.send(world.party)
        target = f"/v1/transfers/{sealed.id}/lease"

        def asking(digest):
            body = canonical({"lease_sha256": digest})
            return world.line.ask(
                "POST",
                target,
                signed_headers(world.pull, "POST", world.line.authority, target, body, world.line.now()),
                body,
            )

        async def both():
            return await asyncio.gather(*(asking(f"{n:02x}" * 32) for n in range(8)))

        statuses = sorted(answer.status for answer in asyncio.run(both()))
        assert statuses == [200] + [409] * 7
        assert world.freezes() == []

    def test_two_workers_need_an_allowance_of_two(self, world):
        world.instruct("allowance", transfers=2)
        booty = [world.send(world.party) for _ in range(4)]
        assert [world.lease(sealed).status for sealed in booty[:2]] == [200, 200]
        world.acknowledge(booty[0])
        assert world.lease(booty[2]).status == 200
        assert world.freezes() == []
        assert world.lease(booty[3]).problem == "frozen"

    def test_both_acknowledge_the_same_and_one_word_stays(self, world):
        sealed = world.send(world.party)
        world.lease(sealed)
        assert world.acknowledge(sealed).status == 200
        assert world.acknowledge(sealed).status == 200
        assert world.acknowledge(sealed, "refused").problem == "conflict"


class TestClockJumps:
    def test_forward_nothing_past_its_time_is_served_and_the_chain_holds(self, world):
        sealed = world.send(world.party)
        world.lease(sealed)
        world.line.clock.pass_(days=30)
        assert world.read(sealed).problem in {"not-found", "conflict"}
        world.line.sweep()
        world.line.reopen()
        assert world.freezes() == []

    def test_back_what_was_destroyed_stays_destroyed(self, world):
        sealed = world.send(world.party)
        world.line.clock.pass_(days=4)
        world.line.sweep()
        world.line.clock.pass_(days=-4)
        assert world.lease(sealed).problem in {"not-found", "conflict"}
        assert list((world.line.home / "bodies").iterdir()) == []
        assert world.freezes() == []

    def test_back_an_hour_under_a_lease_the_reader_goes_on(self, world):
        world.line.clock.pass_(days=1)  # the statement key is not valid before its day
        sealed = world.send(world.party)
        world.lease(sealed)
        world.line.clock.pass_(hours=-1)
        assert world.read(sealed).status == 200
        assert world.acknowledge(sealed).status == 200
        world.line.reopen()
        assert world.freezes() == []

    def test_a_nonce_is_not_good_again_when_the_clock_comes_back(self, world):
        nonce = b64(secrets.token_bytes(16))
        at = world.line.now()
        head = signed_headers(world.party.key, "GET", world.line.authority, "/v1/intake", None, at, nonce=nonce)
        assert world.line.raw("GET", "/v1/intake", head).status == 200
        world.line.clock.pass_(seconds=40)
        world.line.sweep()
        world.line.clock.pass_(seconds=-40)
        assert world.line.raw("GET", "/v1/intake", head).problem == "unsigned"

    def test_every_hour_to_and_fro_for_a_day_breaks_nothing(self, world):
        world.line.clock.pass_(days=1)
        for hour in range(24):
            sealed = world.send(world.party)
            world.line.clock.pass_(hours=3 if hour % 2 else -1)
            world.line.sweep()
            assert world.lease(sealed).status == 200
            assert world.read(sealed).status == 200
            assert world.acknowledge(sealed).status == 200
        world.line.reopen()
        assert world.freezes() == []
        entries = world.journal()["entries"]
        assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1))


class TestFullDisk:
    @staticmethod
    def fill(world):
        """The database may not grow by another page."""
        connection = world.line.gateway.thread.index.connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return connection, connection.execute(f"PRAGMA max_page_count = {pages}").fetchone()[0]

    def test_what_cannot_be_written_did_not_happen_and_goes_on_later(self, world):
        kept = world.send(world.party)
        connection, _ = self.fill(world)
        answers = [world.announce(world.party, 1000).status for _ in range(200)]
        assert set(answers) <= {201, 507}
        assert 507 in answers
        held = connection.execute("SELECT count(*) FROM transfers").fetchone()[0]
        assert held == 1 + answers.count(201)
        connection.execute("PRAGMA max_page_count = 1000000")
        assert world.announce(world.party, 1000).status == 201
        assert world.lease(kept).status == 200
        assert world.read(kept).body == kept.parts[0]
        assert world.acknowledge(kept).status == 200
        world.line.reopen()
        assert world.freezes() == []

    def test_a_part_or_finish_that_found_no_room_is_done_by_saying_it_again(self, world):
        parts = [secrets.token_bytes(SEALED), secrets.token_bytes(1000)]
        announced = world.announce(world.party, sum(map(len, parts))).json
        sealed = world.seal(world.party, announced, parts)
        connection, _ = self.fill(world)
        statuses = [world.put(world.party, sealed.id, number, part).status for number, part in enumerate(parts)]
        statuses.append(world.finish(world.party, sealed).status)
        assert set(statuses) <= {204, 200, 507, 422, 409}
        connection.execute("PRAGMA max_page_count = 1000000")
        if world.view(sealed, world.party.key).json["state"] in {"announced", "receiving"}:
            for number, part in enumerate(parts):
                assert world.put(world.party, sealed.id, number, part).status == 204
            assert world.finish(world.party, sealed).status == 200
            world.lease(sealed)
            assert [world.read(sealed, number).body for number in (0, 1)] == parts


class TestAbsentRegistry:
    def test_five_days_lose_nothing_without_a_name(self, world):
        """What `send` sent is sent again after its 72 hours, unasked; each that expired is named in the journal."""
        first = [world.send(world.party, hours=72) for _ in range(20)]
        for hour in range(5 * 24):
            world.line.clock.pass_(hours=1)
            world.line.sweep()
            if hour == 100:  # `send` looks at what has no receipt: not there any more, so it is sent again
                ended = [one for one in first if world.view(one, world.party.key).json["outcome"] == "expired"]
                assert len(ended) == len(first)
                again = [world.send(world.party, parts=one.parts, hours=72) for one in ended]
        assert world.freezes() == []
        entries = world.journal()["entries"]
        expired = {entry["subject"] for entry in entries if entry["event"] == "expired"}
        assert expired == {one.id for one in first}
        assert all(entry["detail"]["sender"] == world.party.id for entry in entries if entry["event"] == "expired")
        taken = []
        for sealed in again:  # the registry is back: it takes one after another, everything whole and once
            assert world.lease(sealed).status == 200
            taken.append([world.read(sealed, number).body for number in range(len(sealed.parts))])
            assert world.acknowledge(sealed).status == 200
        assert taken == [one.parts for one in first]
        assert world.freezes() == []

    def test_enrolments_and_reports_wait_too(self, world):
        report = world.send(None, to=world.party, hours=13 * 24)
        world.line.clock.pass_(days=5)
        world.line.sweep()
        assert world.lease(report, key=world.party.key).status == 200
        assert world.read(report, key=world.party.key).status == 200

    def test_when_it_comes_back_with_everything_at_once_nothing_freezes(self, world):
        world.instruct("allowance", transfers=2)
        waiting = [world.send(world.party, hours=71) for _ in range(60)]
        world.line.clock.pass_(hours=70)
        for first, second in zip(waiting[::2], waiting[1::2], strict=True):
            for sealed in (first, second):
                assert world.lease(sealed).status == 200
            for sealed in (first, second):
                assert world.read(sealed).status == 200
                assert world.acknowledge(sealed).status == 200
        assert world.freezes() == []
