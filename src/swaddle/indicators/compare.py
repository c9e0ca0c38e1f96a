"""Intervals of a share, and whether two shares differ by more than chance explains.

Pure. Nothing here decides whether a rate is good: no threshold has a verified source yet.
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import Literal

Difference = Literal["higher", "lower", "alike", "too few"]

LEAST_TO_COMPARE = 10  # our choice: below ten births every share swings, and a signal would be noise


def wilson(numerator: int, denominator: int, confidence: float = 0.95) -> tuple[float, float]:
    """The Wilson score interval of a proportion.

    Args:
        numerator: events, 0 to denominator.
        denominator: trials, at least 1.
        confidence: two-sided, between 0 and 1.

    Returns:
        Lower and upper bound, each a fraction of 1 (not a percentage).

    Raises:
        ValueError: numerator outside 0 to denominator, or confidence not between 0 and 1.

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953; checked against statsmodels.
    """
    if denominator < 1 or not 0 <= numerator <= denominator:
        raise ValueError("a proportion needs 0 <= numerator <= denominator and at least one trial")
    if not 0 < confidence < 1:
        raise ValueError("a confidence lies between 0 and 1")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = numerator / denominator
    spread = 1 + z * z / denominator
    centre = (share + z * z / (2 * denominator)) / spread
    half = z * sqrt(share * (1 - share) / denominator + z * z / (4 * denominator * denominator)) / spread
    # The bounds at no events and at all events are 0 and 1 exactly; floating point leaves 1e-17 beside them.
    low = 0.0 if numerator == 0 else max(0.0, centre - half)
    high = 1.0 if numerator == denominator else min(1.0, centre + half)
    return low, high


def difference_interval(own: tuple[int, int], others: tuple[int, int], confidence: float = 0.95) -> tuple[float, float]:
    """The interval of own share minus others' share, each given as (numerator, denominator).

    Raises:
        ValueError: as `wilson`.

    Source: Newcombe 1998 (method 10), doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I; checked
    against statsmodels.
    """
    own_low, own_high = wilson(*own, confidence)
    others_low, others_high = wilson(*others, confidence)
    own_share, others_share = own[0] / own[1], others[0] / others[1]
    apart = own_share - others_share
    low = apart - sqrt((own_share - own_low) ** 2 + (others_high - others_share) ** 2)
    high = apart + sqrt((own_high - own_share) ** 2 + (others_share - others_low) ** 2)
    return low, high


def differ(own: tuple[int, int], others: tuple[int, int]) -> Difference:
    """How own share stands to the others': a difference is called only when its 95 % interval leaves zero out."""
    if min(own[1], others[1]) < LEAST_TO_COMPARE:
        return "too few"
    low, high = difference_interval(own, others)
    if low > 0:
        return "higher"
    if high < 0:
        return "lower"
    return "alike"
