"""One transfer that cannot be taken in never stands in the way of the others (threat 17)."""

import sqlite3

import pytest

from submitter_world import GatewayProcess
from swaddle.durable import DiskFault
from swaddle.registry import work
from swaddle.submitter import beginning
from swaddle.submitter.prepare import Counts
from whole_world import make_world


@pytest.fixture
def world(tmp_path):
    gateway = GatewayProcess(tmp_path / "gateway")
    world = make_world(tmp_path, gateway)
    world.enrol("Northshore General")
    yield world
    gateway.stop()


@pytest.mark.parametrize("kind", ["unknown", "births-of-tomorrow"])
def test_a_kind_that_does_not_exist_is_recognised_by_its_columns_or_refused(world, kind, monkeypatch):
    monkeypatch.setattr(beginning, "count", lambda *_: Counts(kind))  # a sender that does not look first
    world.send("Northshore General", world.births(6, seed=1), kind=kind)
    world.send("Northshore General", world.file(b"\x89PNG\r\n\x1a\n not a table"), kind=kind)
    world.send("Northshore General", world.births(6, seed=2))
    result = world.ask("pull")
    assert sorted(each["outcome"] for each in result["transfers"]) == ["refused", "stored", "stored"]
    assert result["reports_sent"] == 3


@pytest.mark.slow
def test_a_transfer_on_which_our_own_code_fails_is_given_up_after_three_looks(world, monkeypatch):
    (poison,) = world.send("Northshore General", world.births(6, seed=1))
    (sound,) = world.send("Northshore General", world.births(6, seed=2))
    real = work.take_in

    def failing(held, at, inside):
        if held.id == poison:
            raise RuntimeError("Anna Kowalski")
        return real(held, at, inside)

    monkeypatch.setattr(work, "take_in", failing)
    looks = [world.ask("pull") for _ in range(3)]
    outcomes = [{each["id"]: each["outcome"] for each in look["transfers"]} for look in looks]
    assert outcomes[0][sound] == "stored"
    assert [each.get(poison) for each in outcomes] == ["held back", "held back", "unreadable"]
    assert "Kowalski" not in str(looks)
    assert world.ask("status")["gateway"]["freezes"] == []
    assert [event["event"] for event in world.ask("custody-entries", subject=poison)].count(
        "submission-unreadable"
    ) == 1


def test_a_transfer_that_ends_the_process_is_given_up_too(world, monkeypatch):
    (poison,) = world.send("Northshore General", world.births(6, seed=1))

    class Killed(BaseException):
        pass

    def killing(held, at, inside):
        raise Killed

    monkeypatch.setattr(work, "take_in", killing)
    for _ in range(3):
        with pytest.raises(Killed):
            world.ask("pull")
    (taken,) = world.ask("pull")["transfers"]
    assert (taken["id"], taken["outcome"]) == (poison, "unreadable")


@pytest.mark.slow
def test_a_transfer_that_left_the_gateway_after_it_was_begun_stands_in_nobodys_way(world, monkeypatch):
    (lost,) = world.send("Northshore General", world.births(6, seed=1))

    def no_disk(held, at, inside):
        raise DiskFault("it is full")

    with monkeypatch.context() as patch:
        patch.setattr(work, "take_in", no_disk)
        with pytest.raises(DiskFault):
            world.ask("pull")
    for path in (world.registry / "spool" / lost).glob("*.part"):
        path.unlink()
    with sqlite3.connect(world.gateway.home / "transfers.db", timeout=10) as connection:
        connection.execute("delete from parts")
        connection.execute("delete from transfers")
    (sound,) = world.send("Northshore General", world.births(6, seed=2))
    outcomes = {each["id"]: each["outcome"] for each in world.ask("pull")["transfers"]}
    assert (outcomes[lost], outcomes[sound]) == ("expired", "stored")
    assert lost not in world.ask("subject-transfers")
    assert not list((world.registry / "spool").iterdir())
    again = world.ask("pull")
    assert (again["transfers"], again["failed"]) == ([], [])
