"""The report of a month goes sealed to its submitter, once; opened, it is what the registry kept."""

import json
from datetime import date

import pytest

from printable import can_print
from submitter_world import GatewayProcess
from swaddle.feedback.bundle import unpack
from swaddle.registry import issued
from swaddle.submitter import inbox
from whole_world import LAST_DAY, make_world

NAME = "Northshore General"


@pytest.fixture
def world(tmp_path):
    gateway = GatewayProcess(tmp_path / "gateway")
    world = make_world(tmp_path, gateway)
    world.enrol(NAME)
    yield world
    gateway.stop()


@pytest.mark.slow
def test_a_months_report_is_sealed_sent_once_and_opened(world):
    world.send(NAME, world.births(40, 7))
    world.ask("pull")
    last = date.fromisoformat(str(LAST_DAY)[:10])
    month = f"{last.year - (last.month == 1):04d}-{(last.month - 2) % 12 + 1:02d}"
    [made] = world.ask("month-report", month=month, submitter=NAME)["reports"]
    assert made["outcome"] == "sent"
    [again] = world.ask("month-report", month=month, submitter=NAME)["reports"]
    assert (again["id"], again["outcome"]) == (made["id"], "unchanged")
    party = world.party(NAME)
    with party.client() as client:
        got = [inbox.get(party, client, each.id) for each in inbox.waiting(client)]
    files = [inbox.folder_of(party.home, each.transfer) for each in got]
    [mine] = [each for each in files if json.loads((each / "report.json").read_bytes()).get("kind") == "month"]
    inside = world.inside()
    kept = unpack(memoryview(issued.of(inside.store, made["id"]).bundle))
    inside.close()
    assert {name: (mine / name).read_bytes() for name in kept} == kept
    assert {"figures.csv", "cases.csv", "report-fr.html"} <= set(kept)
    assert can_print() is ("report-fr.pdf" in kept)
