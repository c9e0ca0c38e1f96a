"""A notice travels like a report and is answered like one; a finding for review is decided by a person's key."""

import json
import os
from datetime import timedelta

import pytest
from click.testing import CliRunner

from submitter_world import GatewayProcess
from swaddle.cli.main import program
from swaddle.envelope import people
from swaddle.envelope.signature import SigningKey
from swaddle.registry import night, run
from swaddle.registry.operations import TABLE, Operations
from swaddle.submitter import counting
from swaddle.submitter.inbox import answer_to
from swaddle.submitter.saying import answer
from whole_world import PASSPHRASE, make_world

NAME = "Northshore General"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway")
    world = make_world(folder, gateway)
    world.enrol(NAME)
    key = SigningKey.generate()
    (folder / "registrar").write_bytes(key.to_openssh())
    inside = world.inside()
    people.add(world.registry, "Rita Roy", "registrar", f"{key.public.line} rita", inside.now())
    inside.close()
    (folder / "passphrase").write_bytes(PASSPHRASE)
    yield world
    gateway.stop()


@pytest.fixture(autouse=True, scope="module")
def _without_counting():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "find_spec", lambda _: None)
        yield


@pytest.fixture(scope="module")
def found(world, _without_counting):
    """What the first night says of a file in which every newborn was in intensive care."""
    world.send(NAME, world.births(30, seed=61, bend=admitted))
    world.ask("pull")
    return world.ask("night")


def report_on(world, sent):
    party = world.party(NAME)
    with party.client() as client:
        folder = answer_to(party, client, sent)
    return json.loads((folder / "report.json").read_bytes()), (folder / "report.html").read_text("utf-8")


def admitted(row):
    row["nicu_admit"] = "Y"


def test_a_notice_is_sent_sealed_answered_and_not_repeated(world, found):
    (notice,) = found["notices"]
    number = found["found"]["X34"]
    assert number > 1
    assert world.ask("pull")["reports_sent"] == 1
    assert world.ask("pull")["reports_sent"] == 0
    report, page = report_on(world, notice["id"])
    assert (report["findings"][0]["rule"], report["findings"][0]["count"]) == ("X34", number)
    assert len(report["waiting"]) == number
    assert report["waiting"][0]["record"] in page
    assert "answer " + notice["id"] in page
    answer(world.party(NAME), notice["id"], "X34@1")
    (heard,) = world.ask("pull")["transfers"]
    assert heard["rows"]["stored"] == 1
    again = world.ask("night")
    decided = len(world.ask("review-decided")["decisions"])  # none yet, unless the other test came first
    assert (again["found"], again["standing"] + decided) == ({}, number - 1)
    assert [each["event"] for each in world.ask("custody-entries", subject=notice["id"])] == ["records-asked-for"]


def test_what_a_night_found_for_review_is_decided_by_a_person_of_the_registry(world, found, tmp_path):
    assert found["found"]
    queue = world.ask("review-queue")
    assert queue["waiting"] >= len(queue["findings"]) > 0
    first = queue["findings"][0]

    def decide(word, key):
        secret = os.open(world.folder / "passphrase", os.O_RDONLY)
        command = ["registry", "review", "decide", first["id"], word, "--key", str(key)]
        return CliRunner().invoke(program, [*command, "--home", str(world.registry), "--passphrase-fd", str(secret)])

    stranger = tmp_path / "stranger"
    stranger.write_bytes(SigningKey.generate().to_openssh())
    assert decide("right", stranger).exit_code != 0
    done = decide("right", world.folder / "registrar")
    assert done.exit_code == 0, done.output
    assert "Rita Roy" in done.output
    assert first["id"] not in {each["id"] for each in world.ask("review-queue")["findings"]}
    assert world.ask("review-decided")["decisions"][0]["person"] == "Rita Roy"
    (entry,) = world.ask("custody-entries", subject=first["id"])
    assert (entry["event"], entry["detail"]["right"]) == ("review-decided", True)
    assert decide("right", world.folder / "registrar").exit_code != 0


def test_a_night_is_done_once_a_day_and_a_fault_in_it_ends_nothing(world, found, monkeypatch):
    assert found["notices"]
    inside, said = world.inside(), []
    try:
        assert not night.is_due(inside)
        today = inside.now()
        inside.now = lambda: today + timedelta(days=1)
        assert night.is_due(inside)
        monkeypatch.setitem(TABLE, "night", lambda _: {}["a value that nobody may read"])
        run.nightly(Operations(inside), inside, said.append)
        assert said == ["the night met KeyError and is tried again tomorrow"]
        assert not night.is_due(inside)
    finally:
        inside.close()
