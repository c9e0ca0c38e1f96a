"""A submitter's own error rate: said only where there is something to say."""

from datetime import UTC, datetime, timedelta

import pytest

from swaddle.feedback.report import report
from swaddle.feedback.trend import MOST_SHOWN, Sent, trend

BEGAN = datetime(2026, 1, 5, tzinfo=UTC)


def sent(*counts):
    return [
        Sent(at=BEGAN + timedelta(weeks=week), read=read, rejected=rejected)
        for week, (read, rejected) in enumerate(counts)
    ]


@pytest.mark.parametrize("counts", [(), ((100, 3),), ((0, 0), (100, 3)), ((0, 0), (0, 0))])
def test_one_submission_is_no_trend(counts):
    assert trend(sent(*counts)) is None


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (((1000, 100), (1000, 20)), "better, by more than chance"),
        (((1000, 20), (1000, 100)), "worse, by more than chance"),
        (((1000, 20), (1000, 22)), "Chance can explain"),
        (((9, 0), (9, 9)), "too few rows"),
    ],
)
def test_a_change_is_told_from_chance(counts, said):
    found = trend(sent(*counts))

    assert said in found.sentence


def test_the_last_twelve_are_shown_oldest_first():
    found = trend(sent(*((100, n) for n in range(20))))

    assert len(found.sent) == MOST_SHOWN
    assert found.sent[-1].rejected == 19


def test_the_page_shows_it_and_is_silent_without(make_submission, page_of):
    with_it = page_of(report(make_submission(earlier=tuple(sent((1000, 100), (1000, 20))))).html).text

    assert "Your error rate" in with_it
    assert "2.0% of the rows had an error; 10.0% in the submission before." in with_it
    assert "Your error rate" not in page_of(report(make_submission()).html).text


def test_months_are_named_as_months_in_both_languages():
    months = [
        Sent(at=datetime(2026, month, 1, tzinfo=UTC), read=400, rejected=many) for month, many in ((8, 40), (10, 4))
    ]
    english, french = trend(months, of="month"), trend(months, "fr", of="month")
    assert english.dates == ("August 2026", "October 2026")
    assert french.dates == ("août 2026", "octobre 2026")
    assert english.sentence.startswith("1.0% of the rows that came in this month had an error; 10.0% in the last month")
    assert english.sentence.endswith("That is better, by more than chance explains.")
    assert "1,0 % des lignes reçues ce mois-ci" in french.sentence.replace("\N{NO-BREAK SPACE}", " ")
