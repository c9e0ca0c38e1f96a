"""Weights at a centile, beside the published tables and beside scipy."""

from __future__ import annotations

from itertools import pairwise

import pytest
from scipy.stats import t as student

from swaddle.indicators import growth
from swaddle.indicators.growth import intergrowth_weight, thresholds

# kg at the 10th, 50th and 90th centile, by completed weeks: INTERGROWTH-21st tables, rounded to 10 g.
PUBLISHED = {
    ("F", 28): (0.79, 1.01, 1.30),
    ("F", 32): (1.28, 1.64, 2.11),
    ("F", 36): (2.14, 2.60, 3.12),
    ("F", 37): (2.33, 2.80, 3.32),
    ("F", 38): (2.50, 2.97, 3.51),
    ("F", 39): (2.65, 3.13, 3.66),
    ("F", 40): (2.78, 3.26, 3.80),
    ("F", 41): (2.89, 3.37, 3.92),
    ("F", 42): (2.98, 3.46, 4.01),
    ("M", 28): (0.84, 1.07, 1.37),
    ("M", 32): (1.36, 1.74, 2.23),
    ("M", 36): (2.18, 2.69, 3.25),
    ("M", 37): (2.38, 2.89, 3.45),
    ("M", 38): (2.57, 3.07, 3.63),
    ("M", 39): (2.73, 3.24, 3.79),
    ("M", 40): (2.88, 3.38, 3.94),
    ("M", 41): (3.01, 3.51, 4.06),
    ("M", 42): (3.12, 3.62, 4.17),
}


@pytest.mark.parametrize(("sex", "weeks"), PUBLISHED)
def test_the_published_centiles_come_out(sex, weeks):
    for centile, kilograms in zip((0.1, 0.5, 0.9), PUBLISHED[sex, weeks], strict=True):
        assert intergrowth_weight(sex, 7 * weeks, centile) / 1000 == pytest.approx(kilograms, abs=0.0065)


@pytest.mark.parametrize("freedom", [17.05299, 19.65738, 1.5, 200])
@pytest.mark.parametrize("value", [-6.0, -1.3, -1e-9, 0.0, 0.7, 4.2])
def test_the_t_distribution_is_scipys(value, freedom):
    assert growth._student(value, freedom) == pytest.approx(student.cdf(value, freedom), abs=1e-8)


def test_a_heavier_child_is_at_a_higher_centile_every_day_of_the_standard():
    for sex in ("F", "M"):
        low, middle, high = (thresholds("intergrowth", each)[sex] for each in (0.03, 0.5, 0.97))
        assert len(low) == 133
        assert all(a < b < c for a, b, c in zip(low, middle, high, strict=True))
        assert all(later > earlier for earlier, later in pairwise(middle))


@pytest.mark.parametrize(("days", "centile"), [(167, 0.1), (301, 0.1), (280, 0.0), (280, 1.0)])
def test_outside_the_standard_there_is_no_weight(days, centile):
    with pytest.raises(ValueError, match="standard"):
        intergrowth_weight("F", days, centile)
