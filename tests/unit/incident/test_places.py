"""What lay at a place, and how it was protected there: by custody's copies."""

from datetime import timedelta

import pytest

from swaddle.canonical import format_instant, parse_instant
from swaddle.custody.copies import copies
from swaddle.custody.entry import next_entry
from swaddle.incident.exposure import Window
from swaddle.incident.places import at_risk, present_at, which_of

NOON = parse_instant("2026-11-22T12:00:00Z")
HOSPITAL, OTHER, REGISTRY = "a" * 32, "9" * 32, "f" * 32
FIRST, SECOND, THIRD, REPORT, BACKUP, INTAKE = "1" * 32, "2" * 32, "3" * 32, "4" * 32, "b" * 64, "c" * 32


def text(seconds):
    return format_instant(NOON + timedelta(seconds=seconds))


def window(first, last):
    return Window.of_seconds(text(first), text(last))


def transfer(identity, begin, submitter=HOSPITAL, **further):
    """Sent, held, pulled, stored, gone: ten seconds."""
    sides = {"sender": submitter, "reader": REGISTRY, "submitter": submitter, "recipient": INTAKE, **further}
    return [
        (begin, "transfer-announced", identity, {**sides, "expires": text(500_000)}),
        (begin + 1, "transfer-receiving", identity, {"place": "gateway"}),
        (begin + 3, "transfer-held", identity, {**sides, "place": "gateway"}),
        (begin + 5, "transfer-pulled", identity, {"place": "registry"}),
        (begin + 6, "submission-stored", identity, {"submitter": submitter}),
        (begin + 8, "spool-cleared", identity, {}),
        (begin + 10, "copy-destroyed", identity, {"place": "gateway"}),
    ]


@pytest.fixture(scope="module")
def told():
    """Three transfers, a backup after the first two, one by the door of another hospital, a report that was opened."""
    report = {"sender": REGISTRY, "reader": HOSPITAL, "submitter": HOSPITAL, "recipient": "d" * 32}
    lines = [
        (-100, "key-made", INTAKE, {"key": "intake", "until": text(800_000)}),
        *transfer(FIRST, 0),
        *transfer(SECOND, 20, OTHER, door="SHA256:" + "A" * 43),
        (40, "registry-backed-up", BACKUP, {"key_id": "e" * 32, "made": text(40), "expires": text(9_000)}),
        *transfer(THIRD, 50),
        (70, "feedback-sent", REPORT, {"answers": FIRST, "place": "gateway", "submitter": HOSPITAL}),
        (70, "transfer-held", REPORT, {**report, "place": "gateway"}),
        (80, "transfer-acknowledged", REPORT, {"reader": HOSPITAL, "outcome": "stored"}),
        (81, "copy-destroyed", REPORT, {"place": "gateway"}),
        (9_000, "backup-removed", BACKUP, {}),
        (800_000, "key-destroyed", INTAKE, {"key": "intake"}),
    ]
    entries = []
    for seconds, event, subject, detail in lines:
        last = entries[-1] if entries else None
        at = NOON + timedelta(seconds=seconds)
        entries.append(next_entry(last, at=at, event=event, subject=subject, detail=detail))
    return entries, copies(entries, NOON + timedelta(days=1))


def touched(told, place, which, first, last):
    return {
        (each.about, each.protection) for each in present_at(place, which, *told) if each.touches(window(first, last))
    }


def test_the_store_holds_what_was_stored_until_then_readable_and_what_was_just_pulled(told):
    assert touched(told, "store", None, 7, 7) == {(FIRST, "readable"), (FIRST, "sealed-key-at-risk")}
    assert touched(told, "store", None, 9, 20) == {(FIRST, "readable")}
    assert {about for about, _ in touched(told, "store", None, 1_000, 1_000)} == {FIRST, SECOND, THIRD}


def test_a_backup_holds_what_came_before_it_until_it_is_removed(told):
    assert touched(told, "backup", BACKUP, 100, 200) == {(FIRST, "sealed-key-safe"), (SECOND, "sealed-key-safe")}
    assert touched(told, "backup", BACKUP, 0, 39) == set()
    assert touched(told, "backup", BACKUP, 9_001, 9_100) == set()


def test_the_door_is_the_moment_in_which_a_file_arrives(told):
    assert touched(told, "door", None, 20, 21) == {(SECOND, "readable")}
    assert touched(told, "door", None, 24, 1_000) == set()


def test_a_submitters_own_server_holds_all_that_it_ever_sent_and_nothing_of_others(told):
    assert touched(told, "other", HOSPITAL, -9_000, -8_000) == {(FIRST, "readable"), (THIRD, "readable")}
    assert touched(told, "laptop", OTHER, 5_000, 5_000) == {(SECOND, "readable")}


def test_an_opened_report_is_about_the_persons_of_the_transfer_that_it_answers(told):
    assert touched(told, "release", REPORT, 100, 100) == {(FIRST, "readable")}
    assert touched(told, "release", REPORT, 10, 20) == set()


def test_sealed_bytes_are_at_risk_when_another_breach_was_where_their_key_was(told):
    entries, found = told
    present = present_at("gateway", None, entries, found)
    near = {each.transfer: each.protection for each in at_risk(present, found, [window(700_000, 700_001)])}
    assert near[FIRST] == "sealed-key-at-risk"
    assert near[REPORT] == "sealed"  # sealed to its submitter, whose key was never there
    after_all = at_risk(present, found, [window(800_001, 900_000)])
    assert {each.protection for each in after_all if each.transfer == FIRST} == {"sealed"}


def test_the_beginning_of_a_copys_id_and_a_submitters_name_are_enough(told):
    _, found = told
    assert which_of("backup", "bbbbbb", found, {}) == BACKUP
    assert which_of("other", "Northshore", found, {"Northshore": HOSPITAL}) == HOSPITAL
