from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swaddle.indicators.disclosure import (
    HIDDEN,
    Cell,
    ThresholdTooLow,
    close_differences,
    release,
    suppress,
    unsafe,
)


def cell(numerator, denominator, unknown=0):
    return Cell(numerator=numerator, denominator=denominator, unknown=unknown)


def add(cells):
    return cell(*(sum(getattr(c, name) for c in cells) for name in ("numerator", "denominator", "unknown")))


@pytest.mark.parametrize("hidden", [(1, 100), (5, 100), (95, 100), (99, 100), (0, 5), (3, 3), (0, 1)])
def test_a_few_are_hidden_and_so_is_their_complement(hidden):
    assert release(cell(*hidden)) == HIDDEN


@pytest.mark.parametrize("shown", [(0, 0), (0, 6), (6, 6), (6, 12), (94, 100)])
def test_nobody_everybody_and_enough_are_shown(shown):
    assert (release(cell(*shown)).numerator, release(cell(*shown)).denominator) == shown


def test_few_unknowns_are_hidden_but_not_the_rate():
    released = release(cell(20, 100, 3))
    assert released.unknown is None
    assert released.numerator == 20


def test_one_hidden_group_takes_a_second_with_it():
    groups = {"a": cell(3, 50), "b": cell(20, 60), "c": cell(40, 90)}
    total, shown = suppress(add(groups.values()), groups)
    assert [name for name, one in shown.items() if one.suppressed] == ["a", "b"]
    assert total.numerator == 63


def test_two_hidden_groups_whose_sum_is_small_take_a_third():
    groups = {"a": cell(1, 50), "b": cell(1, 60), "c": cell(40, 90), "d": cell(50, 95)}
    _, shown = suppress(add(groups.values()), groups)
    assert [name for name, one in shown.items() if one.suppressed] == ["a", "b", "c"]


def test_a_small_total_hides_the_whole_table():
    total, shown = suppress(cell(3, 200), {"a": cell(3, 100), "b": cell(0, 100)})
    assert total == HIDDEN
    assert set(shown.values()) == {HIDDEN}


def test_bands_of_the_same_births_are_closed_by_their_numerators():
    groups = {"a": cell(2, 500), "b": cell(9, 500), "c": cell(20, 500)}
    _, shown = suppress(cell(31, 500), groups)
    assert [name for name, one in shown.items() if one.suppressed] == ["a", "b"]


def test_a_margin_published_elsewhere_is_closed_too():
    groups = {"1": cell(50, 500), "2a": cell(60, 200), "2b": cell(4, 4), "5": cell(30, 40), "9": cell(2, 2)}
    _, shown = suppress(add(groups.values()), groups, margins=[{"1", "2a", "2b"}])
    assert [name for name, one in shown.items() if one.suppressed] == ["2a", "2b", "5", "9"]


def test_unknowns_of_groups_go_when_one_would_be_the_difference():
    groups = {"a": cell(20, 50, 2), "b": cell(20, 60, 90)}
    total, shown = suppress(add(groups.values()), groups)
    assert total.unknown == 92
    assert [one.unknown for one in shown.values()] == [None, None]


def test_a_threshold_that_hides_nothing_is_refused():
    with pytest.raises(ThresholdTooLow):
        suppress(cell(1, 2), {}, threshold=2)


def test_the_difference_of_two_totals_is_no_way_to_a_small_number():
    live, singles = cell(80, 1000, 20), cell(50, 1000, 18)
    shown = close_differences(
        [("live", live), ("singles", singles)], {"live": release(live), "singles": release(singles)}
    )
    assert shown["live"].unknown == 20
    assert shown["singles"].unknown is None
    assert shown["singles"].denominator == 1000
    almost = cell(50, 1016, 0)
    shown = close_differences(
        [("live", live), ("singles", almost)], {"live": release(live), "singles": release(almost)}
    )
    assert shown["singles"] == HIDDEN


cells = st.integers(0, 60).flatmap(lambda n: st.builds(cell, st.integers(0, n), st.just(n), st.integers(0, 8)))
tables = st.dictionaries(st.sampled_from("abcdefgh"), cells, min_size=1, max_size=8)


@settings(max_examples=300)
@given(tables, st.sets(st.sampled_from("abcdefgh")), st.integers(3, 11))
def test_no_hidden_group_can_be_computed_from_any_published_sum(groups, margin, threshold):
    total, shown = suppress(add(groups.values()), groups, margins=[margin], threshold=threshold)
    if total.suppressed:
        assert all(one.suppressed for one in shown.values())
        return
    everything = set(groups)
    for part in (everything, everything & margin, everything - margin):
        hidden = [groups[name] for name in part if shown[name].suppressed]
        # What an onlooker computes: the part's sum less what is shown. It may be nothing, or must itself be safe to show.
        left = add(hidden)
        assert not hidden or not unsafe(left, threshold)
        assert len(hidden) != 1 or len(part) == 1
    assert not any(unsafe(groups[name], threshold) for name in groups if not shown[name].suppressed)
    unknown = [one.unknown for one in shown.values()]
    assert unknown.count(None) in {0, len(unknown)}
