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
