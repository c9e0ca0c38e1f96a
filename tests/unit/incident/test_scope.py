"""The steps of an incident, on a real ledger, with the registry's answers about persons given here."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from swaddle.canonical import format_instant, parse_instant
from swaddle.custody.ledger import Ledger
from swaddle.custody.show import NotClear
from swaddle.incident.exposure import MomentUnclear, WindowBackwards
from swaddle.incident.life import NotNow
from swaddle.incident.places import PlaceUnclear
from swaddle.incident.scope import NoSuchIncident, open_incident, scope
from swaddle.registry import layouts

NOON = parse_instant("2026-11-22T12:00:00Z")
HOSPITAL = "a" * 32
TRANSFER, LOST = "1" * 32, "2" * 32


def text(seconds):
    return format_instant(NOON + timedelta(seconds=seconds))


class Registry:
    """Answers as the owner of the store does, over a real custody ledger."""

    def __init__(self, path):
        self.ledger = Ledger(path)
        self.seconds = 0
        self.reached = True

    def note(self, event, subject, **detail):
        self.ledger.append(event, subject, detail, NOON + timedelta(seconds=self.seconds))
        self.seconds += 1

    def do(self, operation, **values):
        return getattr(self, operation.replace("-", "_"))(**values)

    def drain_journal(self):
        return {"reached": self.reached, "code": None}

    def custody_entries(self):
        return [entry.to_json() for entry in self.ledger.entries()]

    def custody_append(self, event, subject, detail):
        self.note(event, subject, **detail)

    def transfer_facts(self):
        return [
            {"id": TRANSFER, "submitter": HOSPITAL, "outcome": "stored", "stated_subjects": 9},
            {"id": LOST, "submitter": HOSPITAL, "outcome": "unreadable", "stated_subjects": 7},
        ]

    def data_elements(self):
        return layouts.data_elements(SimpleNamespace(home=Path("/nonexistent")))

    def subject_transfers(self):
        return [TRANSFER]

    def submitters(self):
        return {"submitters": [{"id": HOSPITAL, "name": "Northshore"}]}

    def subject_details(self, transfers):
        return {
            "by_residence": [{"area": "K1A", "persons": 2}] if TRANSFER in transfers else [],
            "data_elements": [{"element": "Name", "class": "direct identifier"}] if TRANSFER in transfers else [],
            "counted_apart": 0,
        }

    def subject_overlap(self, transfers, others):
        return 2 if TRANSFER in transfers and TRANSFER in others else 0

    def subject_counts(self, transfers):
        persons = 2 if TRANSFER in transfers else 0
        row = {"category": "newborn or child", "persons": persons, "first": "2024-01-02", "last": "2024-03-04"}
        return {
            "persons": persons,
            "let_go": 3 if TRANSFER in transfers else 0,
            "by_category": [row] if persons else [],
            "by_submitter": [{"submitter": HOSPITAL, "persons": persons}] if persons else [],
        }


@pytest.fixture
def registry(tmp_path):
    inside = Registry(tmp_path / "custody.jsonl")
    inside.note("transfer-held", TRANSFER)  # second 0
    inside.note("transfer-held", LOST)
    inside.note("transfer-leased", TRANSFER)
    inside.note("submission-stored", TRANSFER)
    inside.note("copy-destroyed", TRANSFER, place="gateway")  # second 4
    inside.note("copy-destroyed", LOST, place="gateway")
    return inside


def test_a_raid_while_transfers_are_held_names_whom_they_are_about(registry):
    incident = open_incident(registry, text(1), text(1))["incident"]
    found = scope(registry, incident)
    assert found["incident"] == incident
    assert found["window"] == [text(1), text(1)]
    assert found["transfers"] == {"upper": 2, "lower": 2}
    assert found["persons"] == {"upper": 2, "lower": 2}
    assert found["unknown"] == {"transfers": 1, "stated_count": 7}
    assert found["by_submitter"] == [{"submitter": HOSPITAL, "transfers": 2, "persons": 2}]
    assert found["let_go"] == 3  # their records were disposed of: how many is known, who they are is not
    assert {"element", "element_fr", "class"} == set(found["data_elements"][0])
    assert found["seconds"] >= 0


def test_a_raid_after_the_pull_names_nobody(registry):
    found = scope(registry, open_incident(registry, text(6), text(60))["incident"])
    assert found["transfers"] == {"upper": 0, "lower": 0}
    assert found["persons"] == {"upper": 0, "lower": 0}
    assert found["data_elements"] == []


def test_every_step_is_a_custody_entry_of_counts(registry):
    incident = open_incident(registry, text(1), text(2))["incident"]
    scope(registry, incident)
    entries = registry.ledger.entries(incident)
    assert [entry.event for entry in entries] == ["incident-opened", "incident-scoped"]
    assert entries[1].detail == {"transfers": 2, "persons": 2, "unknown": 1}


def test_the_beginning_of_the_number_is_enough_and_a_wrong_one_is_refused(registry):
    incident = open_incident(registry, text(1), text(1))["incident"]
    assert scope(registry, incident[:8])["incident"] == incident
    with pytest.raises(NoSuchIncident):
        scope(registry, TRANSFER)
    with pytest.raises(NotClear):
        scope(registry, incident[:3])


def test_a_closed_incident_is_not_scoped_again(registry):
    incident = open_incident(registry, text(1), text(1))["incident"]
    registry.note("incident-contained", incident)
    registry.note("incident-closed", incident)
    with pytest.raises(NotNow):
        scope(registry, incident)


def test_moments_are_checked_before_anything_is_written(registry):
    before = registry.ledger.head()
    with pytest.raises(WindowBackwards):
        open_incident(registry, text(5), text(4))
    with pytest.raises(MomentUnclear):
        open_incident(registry, "yesterday", text(4))
    with pytest.raises(MomentUnclear):
        open_incident(registry, text(4), "9999-12-31T23:59:59Z")
    assert registry.ledger.head() == before


def test_a_gateway_that_is_away_is_said_and_what_is_known_is_still_counted(registry):
    registry.reached = False
    registry.note("transfer-held", TRANSFER, place="gateway")
    opened = open_incident(registry, text(0), text(60))
    found = scope(registry, opened["incident"])
    assert found["gateway_reached"] is False
    assert found["persons"]["upper"] == 2


def test_what_nobody_opened_is_asked_of_its_submitter_and_carried_who_knows_what(registry):
    found = scope(registry, open_incident(registry, text(1), text(1))["incident"])
    assert found["ask"] == [{"submitter": HOSPITAL, "transfers": [LOST], "stated_count": 7}]
    assert len(found["data_elements"]) > 1  # all that a submission can hold: it may have been in the lost one
    later = scope(registry, open_incident(registry, text(3), text(3), "store")["incident"])
    assert later["data_elements"] == [{"element": "Name", "class": "direct identifier"}]
    assert later["ask"] == []


def test_a_second_incident_says_who_was_in_the_first(registry):
    first = open_incident(registry, text(1), text(1))["incident"]
    assert scope(registry, first)["overlaps"] == []
    second = open_incident(registry, text(60), text(61), "store")["incident"]
    assert scope(registry, second)["overlaps"] == [{"incident": first, "persons": 2}]


@pytest.mark.parametrize(
    ("place", "which"),
    [("cellar", None), ("../gateway", None), ("backup", None), ("backup", "f" * 64), ("other", "Nobody"),
     ("store", "x"), ("release", ""), ("laptop", None)],
)  # fmt: skip
def test_an_unknown_place_is_refused_and_nothing_is_opened(registry, place, which):
    with pytest.raises(PlaceUnclear):
        open_incident(registry, text(1), text(1), place, which)
    assert not [entry for entry in registry.ledger.entries() if entry.event.startswith("incident")]
