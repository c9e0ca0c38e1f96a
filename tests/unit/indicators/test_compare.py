from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from swaddle.indicators.compare import LEAST_TO_COMPARE, differ, difference_interval, wilson

counts = st.integers(1, 1_000_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.sampled_from([0.9, 0.95, 0.998]))
def test_wilson_equals_statsmodels(count, confidence):
    low, high = proportion_confint(*count, alpha=1 - confidence, method="wilson")
    assert wilson(*count, confidence) == pytest.approx((low, high), abs=1e-12)


def test_wilson_of_the_domain_specification():
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=5e-5)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=5e-5)


def test_nobody_and_everybody_have_exact_bounds():
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0


@pytest.mark.parametrize("bad", [(1, 0), (-1, 5), (6, 5)])
def test_what_is_no_proportion_is_refused(bad):
    with pytest.raises(ValueError):
        wilson(*bad)


def test_a_confidence_of_one_is_refused():
    with pytest.raises(ValueError):
        wilson(1, 2, 1.0)


@given(counts, counts)
def test_the_difference_equals_statsmodels(own, others):
    expected = confint_proportions_2indep(*own, *others, method="newcomb", compare="diff")
    assert difference_interval(own, others) == pytest.approx(expected, abs=1e-9)


def test_a_difference_is_called_only_when_chance_does_not_explain_it():
    assert differ((300, 1000), (2000, 10_000)) == "higher"
    assert differ((100, 1000), (2000, 10_000)) == "lower"
    assert differ((205, 1000), (2000, 10_000)) == "alike"
    assert differ((9, LEAST_TO_COMPARE - 1), (0, 10_000)) == "too few"
