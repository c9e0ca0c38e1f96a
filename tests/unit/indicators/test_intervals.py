from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from swaddle.indicators.intervals import binomial_cdf, binomial_limit

shares = st.floats(0.0005, 0.9995)
births = st.integers(1, 40_000)


@settings(max_examples=150, deadline=None)
@given(births, shares, st.floats(0, 1))
def test_the_sum_of_a_binomial_equals_scipy(n, share, part):
    count = int(part * n)
    assert binomial_cdf(count, n, share) == pytest.approx(binom.cdf(count, n, share), abs=1e-9)


def spiegelhalter(n, share, probability):
    """The published rule, with scipy's binomial."""
    at = int(binom.ppf(probability, n, share))
    part = binom.pmf(at, n, share)
    return max(0.0, (at - (binom.cdf(at, n, share) - probability) / part) / n)


@settings(max_examples=150, deadline=None)
@given(births, shares, st.sampled_from([0.001, 0.025, 0.975, 0.999]))
def test_a_limit_equals_the_published_rule(n, share, probability):
    assert binomial_limit(n, share, probability) == pytest.approx(spiegelhalter(n, share, probability), abs=1e-6)


def test_a_million_births_are_no_trouble():
    assert binomial_limit(1_000_000, 0.08, 0.999) == pytest.approx(spiegelhalter(1_000_000, 0.08, 0.999), abs=1e-7)


def test_nobody_and_everybody_leave_chance_no_room():
    assert binomial_limit(10, 0, 0.999) == 0
    assert binomial_limit(10, 1, 0.001) == 1
    assert (binomial_cdf(3, 10, 0), binomial_cdf(3, 10, 1), binomial_cdf(-1, 10, 0.5), binomial_cdf(10, 10, 1)) == (
        *(1, 0, 0, 1),
    )


@pytest.mark.parametrize("bad", [(0, 0.1, 0.5), (5, 1.1, 0.5), (5, 0.1, 0.0), (5, 0.1, 1.0)])
def test_what_is_no_chance_is_refused(bad):
    with pytest.raises(ValueError):
        binomial_limit(*bad)
