"""Eight hospitals' real files, taken in and compared: what is told of the others is released, and nothing besides."""

import pytest
from plain_rows import birth, csv_of

from swaddle.indicators.beside_peers import comparisons
from swaddle.indicators.cells import Policy
from swaddle.indicators.definitions import definition
from swaddle.indicators.tally import tally
from swaddle.registry import units

pytestmark = pytest.mark.slow  # eight files are taken in for each
NAMES = [letter * 32 for letter in "abcdef01"]
US, TINY = NAMES[0], NAMES[-1]
EARLY = dict(zip(NAMES, (24, 9, 8, 10, 7, 9, 8, 2), strict=True))  # of sixty births each, of five in the tiniest
AT = "2026-11-22T12:00:00Z"


def file_of(submitter, many, early, letter):
    rows = [
        birth(
            f"{letter}{number}", mother=f"{letter}M{number}", outcome="live", n_fetuses="1",
            ga_weeks="35" if number < early else "39", event_date=f"2026-{4 + number % 6:02d}-11",
        )
        for number in range(many)
    ]  # fmt: skip
    return csv_of("birth", *rows)


@pytest.fixture
def compared(shelf, days):
    """A way to take the files of some of them in and compare one with the others."""

    def compare(submitter, names, earlier=None):
        for name in names:
            many = 5 if name == TINY else 60
            shelf.take(file_of(name, many, EARLY[name], name[0].upper()), submitter=name, sent_at=days(1))
        tables = shelf.store.cursor()
        tables.execute(f"create or replace temp view births as {units.relation('births', shelf.store.placement)}")
        tally(tables, [definition("preterm")])
        return comparisons(tables, submitter, ["preterm"], at=AT, policy=Policy(), earlier=earlier or {})["preterm"]

    return compare


def test_one_who_stands_out_is_seen_and_the_smallest_is_in_no_point(compared):
    found = compared(US, NAMES)
    assert (found.own.numerator, found.own.denominator) == (24, 60)
    assert found.funnel.own.stands == "higher"
    assert found.peer_count == 7
    assert found.hidden == 2  # one more than must be: the total less the others would tell the smallest
    points = [placed.point for placed in found.funnel.points]
    assert all(point.denominator == 60 for point in points)
    assert sorted(point.numerator for point in points if not point.own) == [7, 8, 9, 9, 10]


def test_what_is_hidden_is_not_the_rest_of_the_total(compared):
    """The peers' total less the points that are shown is no count from one to five."""
    found = compared(US, NAMES)
    shown = [placed.point for placed in found.funnel.points if not placed.point.own]
    if not found.peers.suppressed:
        for whole, parts in (
            (found.peers.numerator, sum(point.numerator for point in shown)),
            (found.peers.denominator, sum(point.denominator for point in shown)),
        ):
            assert whole - parts == 0 or whole - parts >= Policy().threshold
    assert set(found.told.to_json()["groups"][TINY].values()) == {None}


def test_the_same_question_again_after_one_birth_came_late_tells_nothing_of_it(shelf, compared):
    first = compared(US, NAMES)
    shelf.take(file_of(NAMES[1], 1, 1, "LATE"), submitter=NAMES[1])
    again = compared(US, [], {"preterm": [first.told]})
    both = (first.peers, again.peers)
    if not any(each.suppressed for each in both):
        assert abs(both[1].numerator - both[0].numerator) not in range(1, 6)


@pytest.mark.parametrize("names", [NAMES[:1], NAMES[:3]])
def test_alone_or_with_two_others_nothing_is_said_of_anybody(compared, names):
    found = compared(US, names)
    assert found.funnel is None
    assert found.peers.suppressed
    assert found.peer_count == len(names) - 1
