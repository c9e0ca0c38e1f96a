from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.stats.mstats import winsorize

from swaddle.indicators.funnel import FEWEST_UNITS, Point, funnel, limits_at, over_dispersion, winsorised


def unit(numerator, denominator, own=False, name=""):
    return Point(name=name, numerator=numerator, denominator=denominator, own=own)


def by_chance(seed, units, share, spread=0.0):
    draw = random.Random(seed)
    points = []
    for _ in range(units):
        n = draw.choice([60, 150, 400, 900, 2500])
        p = min(0.99, max(0.01, draw.gauss(share, spread)))
        points.append(unit(sum(draw.random() < p for _ in range(n)), n))
    return points


def test_one_that_is_far_out_is_called_and_the_others_are_not():
    points = [unit(100, 1000) for _ in range(20)] + [unit(160, 1000, own=True), unit(50, 1000)]
    drawn = funnel(points)
    assert drawn.own.stands == "higher"
    assert (drawn.others("expected"), drawn.others("lower")) == (20, 1)
    assert drawn.mean == pytest.approx(2210 / 22_000)


def test_chance_alone_raises_few_alarms_and_is_not_widened():
    called = widened = 0
    for seed in range(60):
        drawn = funnel(by_chance(seed, 40, 0.2))
        called += sum(placed.stands != "expected" for placed in drawn.points)
        widened += drawn.dispersion > 1
    assert called <= 15  # 2,400 points at 0.2 in 100 are about five
    assert widened <= 6


def test_peers_that_differ_for_other_reasons_widen_the_limits_for_all():
    drawn = funnel(by_chance(1, 60, 0.25, spread=0.06))
    assert drawn.dispersion > 2
    wide, plain = limits_at(900, drawn.mean, drawn.dispersion), limits_at(900, drawn.mean)
    assert wide.low < plain.low < drawn.mean < plain.high < wide.high
    assert sum(placed.stands != "expected" for placed in drawn.points) < 8


def test_winsorising_draws_in_a_tenth_at_either_end():
    values = [float(n) for n in range(11)]
    assert winsorised(values) == list(winsorize(np.array(values), limits=(1 / 11, 1 / 11)))
    assert winsorised(values)[0] == 1.0


def test_one_outlier_does_not_hide_itself():
    points = [unit(100, 1000) for _ in range(29)] + [unit(400, 1000)]
    assert over_dispersion(points, 0.11) < 3
    assert funnel(points).points[-1].stands == "higher"


@pytest.mark.parametrize(
    "points",
    [
        [unit(10, 100)] * (FEWEST_UNITS - 1),
        [unit(0, 100)] * 10,
        [unit(100, 100)] * 10,
        [unit(3, 9)] * 10,
        [],
    ],
)
def test_too_few_to_say_is_none(points):
    assert funnel(points) is None


def test_a_unit_of_a_few_births_is_drawn_and_not_judged():
    drawn = funnel([unit(10, 100)] * 8 + [unit(9, 9, own=True)])
    assert drawn.own.stands == "too few"
    assert drawn.mean == pytest.approx(0.1)


def test_limits_narrow_with_births_and_stay_shares():
    drawn = funnel([unit(2, 20), unit(3, 400)] * 6)
    widths = [limits.high - limits.low for limits in drawn.curve]
    assert widths[0] > widths[-1]
    assert all(0 <= limits.low <= limits.inner_low <= limits.inner_high <= limits.high <= 1 for limits in drawn.curve)
