"""Every copy that custody tells of: where, whose, until when, and the proof of its end."""

from datetime import timedelta

import pytest

from swaddle.canonical import format_instant, parse_instant
from swaddle.custody.copies import GRACE, Standing, What, copies, of_transfers, overdue_days, stored_at
from swaddle.custody.entry import next_entry

NOON = parse_instant("2026-11-22T12:00:00Z")
HOSPITAL, REGISTRY = "a" * 32, "f" * 32
TRANSFER, OTHER, REPORT, BACKUP = "1" * 32, "2" * 32, "3" * 32, "b" * 64
INTAKE, SEALING, OFFLINE = "c" * 32, "d" * 32, "e" * 32


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def text(seconds):
    return format_instant(at(seconds))


def custody(*told):
    entries = []
    for seconds, event, subject, detail in told:
        last = entries[-1] if entries else None
        entries.append(next_entry(last, at=at(seconds), event=event, subject=subject, detail=detail))
    return entries


def sent(transfer=TRANSFER, begin=0):
    """A transfer that came to the gateway whole."""
    sides = {"sender": HOSPITAL, "reader": REGISTRY, "submitter": HOSPITAL, "recipient": INTAKE}
    return (
        (begin, "transfer-announced", transfer, {**sides, "expires": text(259_200)}),
        (begin + 1, "transfer-receiving", transfer, {"place": "gateway"}),
        (begin + 2, "transfer-held", transfer, {**sides, "place": "gateway"}),
    )


TAKEN = (
    (5, "transfer-pulled", TRANSFER, {"place": "registry"}),
    (6, "submission-stored", TRANSFER, {"submitter": HOSPITAL}),
    (7, "transfer-acknowledged", TRANSFER, {"reader": REGISTRY, "outcome": "stored"}),
    (8, "spool-cleared", TRANSFER, {}),
    (9, "copy-destroyed", TRANSFER, {"place": "gateway"}),
)


def by_what(found):
    return {copy.what: copy for copy in found}


def test_what_was_only_announced_is_nowhere():
    assert copies(custody(sent()[0]), at(10)) == ()


def test_half_a_transfer_is_a_body_without_a_header():
    (only,) = copies(custody(*sent()[:2]), at(10))
    assert (only.what, only.holder, only.submitter, only.key) == (What.BODY, "gateway", HOSPITAL, INTAKE)


def test_a_transfer_on_the_gateway_names_its_key_and_its_end():
    found = by_what(copies(custody(*sent()), at(10)))
    assert found.keys() == {What.BODY, What.HEADER}
    assert found[What.BODY].since == text(1)  # its bytes were there before it was whole
    assert found[What.HEADER].since == text(2)
    assert {copy.until for copy in found.values()} == {text(259_200)}
    assert {copy.standing for copy in found.values()} == {Standing.THERE}


def test_what_was_taken_in_is_in_the_store_only_and_each_end_has_its_entry():
    found = by_what(copies(custody(*sent(), *TAKEN), at(100)))
    there = [what for what, copy in found.items() if copy.standing is Standing.THERE]
    assert there == [What.ROWS]
    assert (found[What.BODY].ended, found[What.BODY].entries) == (text(9), (2, 8))
    assert (found[What.SPOOL].ended, found[What.SPOOL].because) == (text(8), "spool-cleared")


def test_a_copy_past_its_end_of_which_nobody_said_that_it_is_gone_is_overdue():
    late = parse_instant(text(259_200)) + GRACE
    assert {copy.standing for copy in copies(custody(*sent()), late)} == {Standing.THERE}
    found = copies(custody(*sent()), late + timedelta(days=11))
    assert {copy.standing for copy in found} == {Standing.OVERDUE}
    assert overdue_days(found[0], late + timedelta(days=11)) == 11


def test_a_key_destroyed_ends_every_ciphertext_under_it_and_nothing_else():
    told = (
        (-9, "key-made", INTAKE, {"key": "intake", "until": text(300_000)}),
        *sent(),
        (300_000, "key-destroyed", INTAKE, {"key": "intake"}),
    )
    found = copies(custody(*told), at(900_000))
    under = [copy for copy in found if copy.what is not What.KEY]
    assert {copy.standing for copy in under} == {Standing.KEY_DESTROYED}
    assert {copy.entries[-1] for copy in under} == {5}
    (key,) = [copy for copy in found if copy.what is What.KEY]
    assert (key.standing, key.ended) == (Standing.ENDED, text(300_000))
    assert not [copy for copy in copies(custody(*told, *sent(OTHER, 300_001)), at(300_010)) if copy.standing is OVERDUE]


OVERDUE = Standing.OVERDUE


def test_a_key_that_should_be_gone_is_overdue():
    (key,) = copies(custody((0, "key-made", INTAKE, {"key": "intake", "until": text(10)})), at(90_000))
    assert key.standing is OVERDUE


@pytest.mark.parametrize("journal_first", [True, False])
def test_a_report_is_about_what_it_answers_and_ends_in_its_submitters_inbox(journal_first):
    sides = {"sender": REGISTRY, "reader": HOSPITAL, "submitter": HOSPITAL, "recipient": SEALING}
    journal = (
        (12, "transfer-announced", REPORT, {**sides, "expires": text(1_000_000)}),
        (12, "transfer-receiving", REPORT, {"place": "gateway"}),
        (12, "transfer-held", REPORT, {**sides, "place": "gateway"}),
    )
    own = ((12, "feedback-sent", REPORT, {"answers": TRANSFER, "place": "gateway", "submitter": HOSPITAL}),)
    told = (*journal, *own) if journal_first else (*own, *journal)
    (waits,) = copies(custody(*told), at(20))
    assert (waits.what, waits.about, waits.holder, waits.key) == (What.FEEDBACK, TRANSFER, "gateway", SEALING)
    assert waits.until == text(1_000_000)
    opened = (
        *told,
        (30, "transfer-acknowledged", REPORT, {"reader": HOSPITAL, "outcome": "stored"}),
        (31, "copy-destroyed", REPORT, {"place": "gateway"}),
    )
    found = by_what(copies(custody(*opened), at(40)))
    assert found[What.FEEDBACK].standing is Standing.ENDED
    assert (found[What.INBOX].holder, found[What.INBOX].about) == (HOSPITAL, TRANSFER)
    assert found[What.INBOX].standing is Standing.THERE


def test_a_disk_that_was_lost_is_no_proof_of_an_end():
    found = copies(custody(*sent(), (9, "transfer-lost", TRANSFER, {"place": "gateway"})), at(10))
    assert {copy.standing for copy in found} == {Standing.LOST}


def test_a_backup_holds_what_was_stored_before_it_and_nothing_after():
    made = (50, "registry-backed-up", BACKUP, {"key_id": OFFLINE, "made": text(50), "expires": text(90_000)})
    found = copies(custody(*sent(), *TAKEN, made, *sent(OTHER, 60)), at(100))
    about = {copy.of for copy in of_transfers(found, [TRANSFER], stored_at(found))}
    assert about == {TRANSFER, BACKUP}
    assert {copy.of for copy in of_transfers(found, [OTHER], stored_at(found))} == {OTHER}
    gone = copies(custody(*sent(), *TAKEN, made, (90_001, "backup-removed", BACKUP, {})), at(99_000))
    assert by_what(gone)[What.BACKUP].standing is Standing.ENDED


def test_a_hostile_order_of_entries_stops_nothing():
    strange = (
        (0, "copy-destroyed", TRANSFER, {"place": "gateway"}),
        (1, "transfer-acknowledged", OTHER, {"outcome": "stored"}),
        (2, "transfer-held", TRANSFER, {}),
        (3, "transfer-pulled", OTHER, {}),
        (4, "key-destroyed", INTAKE, {}),
        (4, "key-destroyed", INTAKE, {}),
    )
    assert {copy.of for copy in copies(custody(*strange), at(5))} == {TRANSFER, OTHER}
