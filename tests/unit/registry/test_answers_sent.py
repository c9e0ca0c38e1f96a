"""A submitter answers a warning by `swaddle answer`; its report is kept as it was issued."""

import json

import pytest

from submitter_world import GatewayProcess
from swaddle.feedback.bundle import unpack
from swaddle.registry import issued
from swaddle.submitter import counting
from swaddle.submitter.inbox import answer_to
from swaddle.submitter.saying import answer
from whole_world import make_world

NAME = "Northshore General"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway")
    world = make_world(folder, gateway)
    world.enrol(NAME)
    yield world
    gateway.stop()


@pytest.fixture(autouse=True)
def _without_counting(monkeypatch):
    monkeypatch.setattr(counting, "find_spec", lambda _: None)


def report_on(world, sent):
    party = world.party(NAME)
    with party.client() as client:
        folder = answer_to(party, client, sent)
    return json.loads((folder / "report.json").read_bytes()), folder


def light(number):
    """Make the first birth of a file a light one: possible, and worth a look."""

    def bend(row, seen=[]):  # noqa: B006  one file's first row
        seen.append(row)
        if len(seen) == 1:
            row["birth_weight_g"] = str(number)

    return bend


def asked(report):
    return [each["count"] for each in report["findings"] if (each["rule"], each["field"]) == ("F5", "birth_weight_g")]


def test_an_answer_travels_sealed_and_the_warning_is_not_asked_again(world):
    (sent,) = world.send(NAME, world.births(12, seed=41, bend=light(480)))
    world.ask("pull")
    assert asked(report_on(world, sent)[0]) == [1]
    said = answer(world.party(NAME), sent, "F5:birth_weight_g")
    (heard,) = world.ask("pull")["transfers"]
    assert heard["id"] == said.transfer
    assert heard["rows"] == {"read": 1, "stored": 1, "rejected": 0, "duplicates": 0}
    assert report_on(world, said.transfer)[0]["rows"] == heard["rows"]
    (again,) = world.send(NAME, world.births(12, seed=41, bend=light(480)))
    (other,) = world.send(NAME, world.births(12, seed=41, bend=light(481)))
    world.ask("pull")
    assert asked(report_on(world, again)[0]) == []
    assert asked(report_on(world, other)[0]) == [1]


def test_an_answer_to_what_was_never_asked_is_told_so(world):
    said = answer(world.party(NAME), "e" * 32, "X12@17")
    (heard,) = world.ask("pull")["transfers"]
    assert heard["rows"] == {"read": 1, "stored": 0, "rejected": 1, "duplicates": 0}
    report, _ = report_on(world, said.transfer)
    assert [each["rule"] for each in report["findings"]] == ["A1"]


@pytest.mark.slow
def test_a_report_is_returned_as_it_was_issued_whatever_came_since(world, tmp_path):
    (sent,) = world.send(NAME, world.births(12, seed=43))
    world.ask("pull")
    _, folder = report_on(world, sent)
    world.send(NAME, world.births(40, seed=44))
    world.ask("pull")
    told = world.ask("issued-report", transfer=sent, out=str(tmp_path / "again"))
    for name in told["files"]:
        path = tmp_path / "again" / name.rsplit("/", 1)[-1]
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_a_kept_report_that_was_changed_is_not_returned(world):
    (sent,) = world.send(NAME, world.births(12, seed=45))
    world.ask("pull")
    inside = world.inside()
    try:
        assert unpack(memoryview(issued.of(inside.store, sent).bundle))
        inside.store.connection.execute("update identifiers.issued set bundle = bundle || '\\x00'::blob")
        with pytest.raises(issued.ReportChanged):
            issued.of(inside.store, sent)
        inside.store.connection.execute("delete from identifiers.issued")
    finally:
        inside.close()
