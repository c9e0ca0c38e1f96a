"""X10's band of plausible birth weights, worked out anew from published numbers and compared with the rule's own.

Sources: INTERGROWTH-21st newborn size standards, P10, P50 and P90 in kg by completed weeks (Villar 2014, 2016); Kramer
2001, P10 in grams, weeks 22 to 28.
"""

import re
from math import exp, log

import pytest

from swaddle.dictionary.load import load

CENTILE_10_IN_DEVIATIONS = 1.2815515655446004
DEVIATIONS = 5
LOGNORMAL_UP_TO_WEEK = 32  # as the very-preterm standard is
INTERGROWTH = {
    "F": {
        28: (0.79, 1.01, 1.30),
        32: (1.28, 1.64, 2.11),
        36: (2.14, 2.60, 3.12),
        37: (2.33, 2.80, 3.32),
        38: (2.50, 2.97, 3.51),
        39: (2.65, 3.13, 3.66),
        40: (2.78, 3.26, 3.80),
        41: (2.89, 3.37, 3.92),
        42: (2.98, 3.46, 4.01),
    },
    "M": {
        28: (0.84, 1.07, 1.37),
        32: (1.36, 1.74, 2.23),
        36: (2.18, 2.69, 3.25),
        37: (2.38, 2.89, 3.45),
        38: (2.57, 3.07, 3.63),
        39: (2.73, 3.24, 3.79),
        40: (2.88, 3.38, 3.94),
        41: (3.01, 3.51, 4.06),
        42: (3.12, 3.62, 4.17),
    },
}
KRAMER_P10 = {
    "F": {22: 385, 23: 450, 24: 513, 25: 578, 26: 645, 27: 717, 28: 802},
    "M": {22: 401, 23: 475, 24: 547, 25: 617, 26: 686, 27: 763, 28: 853},
}
WEEKS = range(20, 46)


def ends(week, low, middle, high):
    """Five deviations below and above, in kg; each half has a deviation of its own."""
    reach = DEVIATIONS / CENTILE_10_IN_DEVIATIONS
    if week <= LOGNORMAL_UP_TO_WEEK:
        return middle * (low / middle) ** reach, middle * (high / middle) ** reach
    return middle - reach * (middle - low), middle + reach * (high - middle)


def band(sex):
    known = {week: ends(week, *centiles) for week, centiles in INTERGROWTH[sex].items()}
    told = {}
    for week in WEEKS:
        if week < 28:
            shrunk = KRAMER_P10[sex][max(week, 22)] / KRAMER_P10[sex][28]
            low, high = (each * shrunk for each in known[28])
            low = 0 if week < 22 else low
        elif week in known:
            low, high = known[week]
        elif week > 42:
            low, high = known[42]
        else:
            before, after = max(each for each in known if each < week), min(each for each in known if each > week)
            part = (week - before) / (after - before)
            low, high = (exp((1 - part) * log(known[before][end]) + part * log(known[after][end])) for end in (0, 1))
        told[week] = (round(1000 * low), round(1000 * high))
    return told


def lists_of_the_rule():
    (rule,) = [each for each in load().rules if each.id == "X10"]
    return [[int(each) for each in told.split(",")] for told in re.findall(r"\[([0-9, ]+)\]\[ga_weeks", rule.holds)]


def test_the_rules_numbers_are_the_bands():
    girls, boys = band("F"), band("M")
    boys_low, girls_low, girls_high, boys_high = lists_of_the_rule()
    assert girls_low == [low for low, _ in girls.values()]
    assert girls_high == [high for _, high in girls.values()]
    assert boys_low == [low for low, _ in boys.values()]
    assert boys_high == [high for _, high in boys.values()]


@pytest.mark.parametrize("sex", ["F", "M"])
def test_the_band_only_widens_upwards_and_holds_the_centiles(sex):
    told = band(sex)
    assert list(told.values()) == sorted(told.values())
    for week, (low, _, high) in INTERGROWTH[sex].items():
        assert told[week][0] < 1000 * low < 1000 * high < told[week][1]


def test_a_term_weight_at_24_weeks_and_a_lost_digit_at_40_are_outside():
    assert band("M")[24][1] < 3400
    assert band("F")[40][0] > 340
