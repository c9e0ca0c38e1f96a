"""A registry that came back from a backup asks for what it receipted since; a submitter no longer takes that for sent."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from swaddle.feedback.asking import send_again
from swaddle.feedback.bundle import unpack
from swaddle.submitter import asked_again
from swaddle.submitter.delivered import Delivered
from swaddle.submitter.folder import Planned
from swaddle.submitter.state import Ended, State, write_record

MADE = datetime(2026, 11, 20, 12, tzinfo=UTC)
UNTIL = MADE + timedelta(days=2)


def notice():
    return unpack(send_again("a" * 32, MADE, UNTIL))


def ended(home, number, ended_at, outcome="stored"):
    one = Ended(
        transfer=f"{number:032x}", outcome=outcome, sent_at="2026-11-19T00:00:00Z", ended_at=ended_at, expires="",
        kind="births", body_bytes=1, plaintext_bytes=1, salt="", source="",
    )  # fmt: skip
    (home / "ended").mkdir(exist_ok=True)
    write_record(home / "ended" / f"{one.transfer}.json", one)


def test_only_what_was_receipted_between_backup_and_return_is_new_again(tmp_path):
    for number, at in enumerate(("2026-11-20T11:59:59Z", "2026-11-20T12:00:00Z", "2026-11-22T12:00:01Z")):
        ended(tmp_path, number, at)
    ended(tmp_path, 9, "2026-11-21T00:00:00Z", "superseded")
    state = State(tmp_path)
    report = notice()["report.json"]
    assert asked_again.take(tmp_path, state, report) == 1
    assert {one.transfer[-1]: one.outcome for one in state.ended()} == {
        "0": "stored", "1": "lost", "2": "stored", "9": "superseded",
    }  # fmt: skip
    assert asked_again.take(tmp_path, state, report) == 0  # the same notice again


def test_a_receipt_of_that_time_that_comes_later_proves_nothing(tmp_path):
    assert not asked_again.is_lost(tmp_path, "2026-11-21T00:00:00Z")
    asked_again.take(tmp_path, State(tmp_path), notice()["report.json"])
    assert asked_again.is_lost(tmp_path, "2026-11-21T00:00:00Z")
    assert not asked_again.is_lost(tmp_path, "2026-11-22T12:00:01Z")
    assert not asked_again.is_lost(tmp_path, "2026-11-20T11:59:59Z")


def test_files_of_a_folder_from_that_day_on_are_fresh_again(tmp_path):
    memory = Delivered(tmp_path, tmp_path / "folder")
    old, new = Planned("old.csv", 1, 1), Planned("new.csv", 2, 2)
    memory.add([old], MADE - timedelta(days=3))
    memory.add([new], MADE + timedelta(hours=1))
    asked_again.take(tmp_path, State(tmp_path), notice()["report.json"])
    assert memory.fresh([old, new], [], UNTIL) == [new]


@pytest.mark.parametrize(
    "report",
    [None, b"", b"[]", b"\xff", b"[" * 100_000, b'{"kind":"send-again"}', b'{"kind":"send-again","receipted_after":"x"}',
     json.dumps({"kind": "waiting", "receipted_after": "2026-11-20T12:00:00Z"}).encode()],
)  # fmt: skip
def test_any_other_report_changes_nothing(tmp_path, report):
    ended(tmp_path, 1, "2026-11-21T00:00:00Z")
    assert asked_again.take(tmp_path, State(tmp_path), report) == 0
    assert not (tmp_path / "lost.json").exists()


def test_the_page_says_it_in_both_languages_and_fetches_nothing():
    page = notice()["report.html"].decode()
    assert "2026-11-20T12:00:00Z" in page
    assert 'lang="fr"' in page
    assert "Veuillez envoyer de nouveau" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page
