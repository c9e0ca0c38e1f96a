"""Threat 20, from inside: a thief with the pull key is noticed by the registry, within a minute, before the second object.

A real gateway, a real `registry run`; the thief has the pull key and the gateway's address.
"""

import secrets
import threading
import time
from hashlib import sha256

import pytest

from submitter_world import GatewayProcess
from swaddle.errors import SwaddleError
from swaddle.registry import alarm, releasing, run, watch
from swaddle.registry.inside import open_registry
from swaddle.registry.operations import Operations
from swaddle.wire.client import GatewayClient
from whole_world import make_world, passphrase

NORTH = "Northshore General"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway")
    made = make_world(folder, gateway)
    made.enrol(NORTH)
    yield made
    gateway.stop()


class Thief:
    """The pull key, and what it can ask for."""

    def __init__(self, inside):
        settings = inside.settings
        self.client = GatewayClient(settings.gateway_url, settings.gateway_pin or None, inside.keyring.pull)

    def lease(self, transfer):
        token = secrets.token_urlsafe(32)
        path = f"/v1/transfers/{transfer}/lease"
        return self.client.post_json(path, {"lease_sha256": sha256(token.encode()).hexdigest()})


@pytest.fixture
def inside(world):
    opened = world.inside()
    yield opened
    for freeze in opened.client.get_json("/v1/status")["freezes"]:
        releasing.release_freeze(opened, freeze["id"])
    for each in watch.standing(opened):
        watch.answer_alarm(opened, each.subject)
    opened.close()
    assert world.ask("pull")["alarms"] == []


def causes(inside):
    return {each.cause for each in watch.standing(inside)}


def test_the_first_object_is_noticed_though_no_invariant_is_broken(world, inside):
    (booty,) = world.send(NORTH, world.births(3, seed=1))
    said = []
    looking = watch.Watch(inside, said.append)
    assert looking.look() == ()
    Thief(inside).lease(booty)
    (raised,) = looking.look()
    assert (raised.cause, raised.subject) == (alarm.FOREIGN_LEASE, booty)
    assert "ALARM" in said[0]
    assert looking.look() == ()  # said once
    assert len(said) == 1
    entry = inside.ledger.entries(booty)[-1]
    assert (entry.event, entry.detail) == ("alarm-raised", {"reason": "foreign-lease"})
    looking.close()


def test_the_second_object_is_never_read_and_the_freeze_is_noticed(world, inside):
    first, second = world.send(NORTH, world.births(3, seed=2), world.births(3, seed=3))
    thief = Thief(inside)
    thief.lease(first)
    with pytest.raises(SwaddleError):
        thief.lease(second)
    looking = watch.Watch(inside)
    assert {each.cause for each in looking.look()} == {alarm.FOREIGN_LEASE, alarm.FREEZE}
    looking.close()


def test_a_registry_that_only_pulls_on_a_timer_notices_when_it_drains(world, inside):
    (booty,) = world.send(NORTH, world.births(3, seed=4))
    Thief(inside).lease(booty)
    result = Operations(inside).do("pull")
    assert result["alarms"] == ["foreign-lease"]
    assert causes(inside) == {alarm.FOREIGN_LEASE}


def test_a_thief_is_not_given_one_object_after_another_by_the_registry_at_work(world, inside):
    first, second = world.send(NORTH, world.births(3, seed=21), world.births(3, seed=22))
    thief = Thief(inside)
    thief.lease(first)
    assert (
        Operations(inside).do("pull")["pulled"] == 0
    )  # it gives nothing back and leases nothing until somebody has looked
    with pytest.raises(SwaddleError):
        thief.lease(second)
    assert [freeze["cause"] for freeze in inside.client.get_json("/v1/status")["freezes"]] == ["allowance"]


def test_its_own_work_raises_nothing(world, inside):
    world.send(NORTH, *(world.births(3, seed=seed) for seed in range(10, 14)))
    looking = watch.Watch(inside)
    assert Operations(inside).do("pull")["alarms"] == []
    assert looking.look() == ()
    looking.close()


def test_a_freeze_that_is_released_is_an_alarm_no_more_and_a_foreign_lease_is_until_answered(world, inside):
    first, second = world.send(NORTH, world.births(3, seed=5), world.births(3, seed=6))
    thief = Thief(inside)
    thief.lease(first)
    with pytest.raises(SwaddleError):
        thief.lease(second)
    looking = watch.Watch(inside)
    looking.look()
    Operations(inside).do("release-freeze")
    looking.look()
    assert causes(inside) == {alarm.FOREIGN_LEASE}
    assert Operations(inside).do("alarms", answer=first[:8])["alarms"] == []
    assert inside.ledger.entries(first)[-1].event == "alarm-answered"
    looking.close()


@pytest.mark.slow
def test_registry_run_says_it_within_a_minute_though_it_pulls_only_once_an_hour(world, monkeypatch):
    booty = world.send(NORTH, world.births(3, seed=7), world.births(3, seed=8))
    monkeypatch.setenv("SWADDLE_REGISTRY_PULL_INTERVAL_S", "3600")
    monkeypatch.setattr(watch, "WATCH_S", 1)
    heard = threading.Event()

    class Slow(Operations):
        """A look that goes on until the alarm is heard."""

        def do(self, operation, **values):
            heard.wait(45)
            return super().do(operation, **values)

    monkeypatch.setattr(run, "Operations", Slow)
    monkeypatch.setattr(run.signal, "signal", lambda *_: None)
    inside = open_registry(world.registry, passphrase)
    thief = Thief(inside)
    inside.close()
    said = []

    def say(line):
        said.append((time.monotonic(), line))
        if "froze reading" in line:
            heard.set()

    running = threading.Thread(
        target=lambda: run.run_forever(world.registry, passphrase, say, stop_after=1), daemon=True
    )
    running.start()
    while not said:
        time.sleep(0.05)
    raided = time.monotonic()
    thief.lease(booty[0])
    with pytest.raises(SwaddleError):
        thief.lease(booty[1])
    assert heard.wait(45)  # all that time a look is under way
    assert said[-1][0] - raided < 60 - 15  # the watch looks each second here, each 15 seconds in earnest
    running.join(90)
    assert not running.is_alive()
    world.ask("release-freeze")
    for each in booty:
        world.ask("alarms", answer=each)
    world.ask("pull")


class TestRules:
    """Pure: no gateway, no clock."""

    @staticmethod
    def leased(transfer, token, reader="r" * 32):
        from swaddle.wire.messages import JournalEntry

        detail = {"reader": reader, "lease_sha256": sha256(token.encode()).hexdigest()}
        return JournalEntry(
            at="2026-11-22T09:24:37Z", event="leased", previous="0" * 64, sequence=1, subject=transfer, detail=detail
        )

    def test_a_lease_with_the_token_that_was_written_down_is_ones_own(self):
        entries = [self.leased("a" * 32, "mine")]
        assert alarm.foreign_leases(entries, "r" * 32, {"a" * 32: "mine"}.get) == ()

    def test_another_token_or_a_transfer_never_begun_is_not(self):
        entries = [self.leased("a" * 32, "theirs"), self.leased("b" * 32, "theirs")]
        assert alarm.foreign_leases(entries, "r" * 32, {"a" * 32: "mine"}.get) == ("a" * 32, "b" * 32)

    def test_what_submitters_read_of_theirs_is_no_matter(self):
        entries = [self.leased("a" * 32, "theirs", reader="s" * 32)]
        assert alarm.foreign_leases(entries, "r" * 32, {}.get) == ()

    def test_silence_begins_after_a_quarter_of_an_hour(self):
        from datetime import UTC, datetime, timedelta

        at = datetime(2026, 11, 22, tzinfo=UTC)
        assert not alarm.is_silent(at, at + timedelta(minutes=14, seconds=59))
        assert alarm.is_silent(at, at + timedelta(minutes=15))

    @pytest.mark.parametrize("cause", alarm.WORDS)
    def test_every_cause_says_what_to_do(self, cause):
        text = alarm.Alarm(cause, "a" * 32, "2026-11-22T09:24:37Z").text()
        assert text.count("\n") == 2
        assert "fix: " in text
