"""What came says what it is about; a name in it never becomes a path."""

import json

import pytest

from swaddle.errors import IntegrityFault
from swaddle.submitter.about import About, about, folder_name
from swaddle.submitter.inbox import about_of, fresh_alerts, get_all, received

ID = "ab" * 16


def told(**members):
    return json.dumps(members).encode()


@pytest.mark.parametrize(
    "month",
    ["../../etc", "2026-13", "2026-1", "2026-10\n", "2026-10/../x", "\u202e2026-10", "\u0662026-10", 202610, None, []],
)
def test_a_month_that_is_not_of_our_form_names_no_folder(month):
    one = about(told(kind="month", month=month))
    assert one == About("month")
    assert folder_name(one, ID) == "swaddle-report-abababab"


@pytest.mark.parametrize("report", [None, b"", b"{", b"[" * 100_000, b"[]", b"\xff", b'{"kind":["alert"]}', b"3"])
def test_what_cannot_be_read_is_an_answer(report):
    assert about(report) == About()


def test_an_alert_says_how_many_newborns_it_is_about_and_nothing_else_of_them():
    one = about(told(kind="alert", alerts=[{"record": "N-1"}, {"record": "N-2"}]))
    assert one.words == "ALERT: the care of 2 newborns cannot wait"
    assert about(told(kind="alert", alerts="many")).newborns == 0


def test_a_revised_report_of_a_month_stands_beside_the_first():
    one = about(told(kind="month", month="2026-10"))
    assert folder_name(one, ID) == "swaddle-report-2026-10"
    assert folder_name(one, ID, {"swaddle-report-2026-10"}) == "swaddle-report-2026-10-abababab"


def given(registry, party, report):
    files = {"report.html": b"<p>", "report.json": report}
    return registry.give(party.sealing.public, files, answers="c" * 32)


def test_all_that_waits_is_fetched_and_what_cannot_wait_comes_first(registry, party, home, tmp_path):
    answer = given(registry, party, told(rows={}))
    month = given(registry, party, told(kind="month", month="2026-10"))
    alert = given(registry, party, told(kind="alert", alerts=[1]))
    with party.client() as client:
        got, fault = get_all(party, client, tmp_path / "out")
        assert get_all(party, client) == ([], None)
    assert fault is None
    assert [each.one.transfer for each in got] == [alert, month, answer]
    names = [each.folder.relative_to(tmp_path / "out").as_posix() for each in got]
    assert names == [f"swaddle-alert-{alert[:8]}", "swaddle-report-2026-10", f"swaddle-answer-{answer[:8]}"]
    assert all((each.folder / "report.html").read_bytes() == b"<p>" for each in got)
    assert [one.transfer for one, _ in fresh_alerts(party)] == [alert]
    assert {about_of(home, one).kind for one in received(home)} == {"alert", "month", "report"}


def test_one_that_cannot_be_opened_does_not_hold_up_an_alert(registry, party):
    registry.give(party.sealing.public, {}, answers="c" * 32, body=b"no bundle")
    alert = given(registry, party, told(kind="alert", alerts=[1]))
    with party.client() as client:
        got, fault = get_all(party, client)
    assert [each.one.transfer for each in got] == [alert]
    assert isinstance(fault, IntegrityFault)
