"""What an incident asks of the store: where persons live, what was carried, who was in two sets; and where copies are."""

from datetime import timedelta

import pytest
from tests.support.quiet_registry import NORTH, RIVER, START, QuietRegistry, make_home

from swaddle.incident.facts import fact_of
from swaddle.incident.life import Event, NotNow
from swaddle.incident.scope import facts, note, open_incident, scope, step
from swaddle.registry.whereabouts import NoSuchCategory, NoSuchHolder

HEAD = "local_record_id,event_date,outcome,mother_local_id,child_local_id,delivery_local_id,mother_postal_code"


class Unreached:
    """The registry, without its gateway."""

    def __init__(self, registry):
        self.registry = registry

    def do(self, operation, **values):
        return {"reached": False} if operation == "drain-journal" else self.registry.do(operation, **values)


def file(*rows):
    return "\n".join([HEAD, *(f"{number},2026-03-0{number},live,M{who},C{number},D{number},{code}"
                              for number, who, code in rows)]) + "\n"  # fmt: skip


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("incident")
    make_home(folder / "template")
    opened = QuietRegistry(folder / "registry", folder / "template")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def two(registry):
    """Two transfers of one submitter with a mother in common who moved, and one of another."""
    first = registry.take(file((1, 1, "K1A 0B1"), (2, 2, "M5V 2T6")))
    second = registry.take(file((3, 1, "L9X 1A1"), (4, 4, "")))
    return first, second, registry.take(file((5, 5, "K1A 0B1")), RIVER)


def test_a_person_lives_where_was_told_last_and_a_newborn_where_its_mother_does(registry, two):
    areas = {row["area"]: row["persons"] for row in registry.do("subject-details", transfers=two[:2])["by_residence"]}
    assert areas == {"K1A": 1, "M5V": 2, "L9X": 2, None: 2}
    assert sum(areas.values()) == registry.do("subject-counts", transfers=list(two[:2]))["persons"]


def test_only_what_the_columns_carried_counts_as_exposed(registry, two):
    told = {row["element"] for row in registry.do("subject-details", transfers=[two[0]])["data_elements"]}
    everything = {row["element"] for row in registry.do("data-elements")}
    assert any("ostal" in element for element in told)
    assert len(told) < len(everything) / 2
    assert not any("amily name" in element for element in told)
    assert registry.do("subject-details", transfers=[])["data_elements"] == []


def test_who_is_in_both_is_counted_once_and_two_submitters_are_said(registry, two):
    first, second, third = two
    assert registry.do("subject-overlap", transfers=[first], others=[second]) == 1
    assert registry.do("subject-overlap", transfers=[first], others=[third]) == 0
    assert registry.do("subject-details", transfers=[first, third])["counted_apart"] == 2
    assert registry.do("subject-details", transfers=[first, second])["counted_apart"] == 0


def test_a_raid_on_the_store_names_everybody_in_it_and_readable(registry, two):
    for seconds, transfer in enumerate(two):
        submitter = RIVER if transfer == two[2] else NORTH
        at = START - timedelta(seconds=60 - seconds)
        registry.inside.ledger.append("submission-stored", transfer, {"submitter": submitter}, at)

    opened = open_incident(registry, "2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z", "store")
    found = scope(Unreached(registry), opened["incident"])
    assert found["persons"]["upper"] == registry.ask("select count(distinct subject) from subjects.presence")[0][0]
    assert found["protection"] == [{"class": "readable", "transfers": 3, "persons": found["persons"]["upper"]}]
    assert found["counted_apart"] == 2
    where = registry.do("custody-where", submitter="River")
    assert [(copy["of"], copy["what"]) for copy in where["copies"]] == [(two[2], "rows in the store")]
    assert registry.do("custody-where", category="gave birth")["counts"]["there"] == 3
    assert registry.do("custody-where", holder="gateway")["copies"] == []
    with pytest.raises(NoSuchHolder):
        registry.do("custody-where", holder="Nobody")
    with pytest.raises(NoSuchCategory):
        registry.do("custody-where", category="' or 1=1 --")


def test_a_fact_is_in_the_encrypted_store_only_and_a_changed_one_is_noticed(registry):
    incident = open_incident(registry, "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z")["incident"]
    note(registry, incident, fact_of("ransom_demand", "unknown", "the officer", "2026-11-22"))
    note(registry, incident, fact_of("ransom_demand", "NEEDLE-DEMAND", "a letter", "2026-11-23"))
    found = facts(registry, incident[:8])
    assert found["facts"]["ransom_demand"]["value"] == "NEEDLE-DEMAND"
    assert [each["vouched"] for each in found["said"]] == [True, True]
    assert "cause" in found["unknown"]
    for path in registry.path.rglob("*"):
        if path.is_file():
            assert b"NEEDLE-DEMAND" not in path.read_bytes()
    registry.ask("update clinical.incident_facts set value = 'nothing' where value = 'NEEDLE-DEMAND'")
    assert not facts(registry, incident)["facts"]["ransom_demand"]["vouched"]


def test_an_incident_is_contained_and_then_closed_and_nothing_is_written_after(registry):
    incident = open_incident(registry, "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z")["incident"]
    with pytest.raises(NotNow):
        step(registry, incident, Event.CLOSED)
    assert step(registry, incident, Event.CONTAINED)["state"] == "contained"
    note(registry, incident, fact_of("prevention", "patched", "the operator", "2026-11-22"))
    assert step(registry, incident, Event.CLOSED)["state"] == "closed"
    with pytest.raises(NotNow):
        note(registry, incident, fact_of("cause", "late", "me", "2026-11-22"))
