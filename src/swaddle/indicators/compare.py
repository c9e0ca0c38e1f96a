"""Whether two shares differ by more than chance explains.

Pure. Nothing here decides whether a rate is good: no threshold has a verified source yet.
"""

from __future__ import annotations

from typing import Literal

from swaddle.indicators.intervals import difference_interval, wilson

__all__ = ["LEAST_TO_COMPARE", "Difference", "differ", "difference_interval", "wilson"]

Difference = Literal["higher", "lower", "alike", "too few"]

LEAST_TO_COMPARE = 10  # our choice: below ten births every share swings, and a signal would be noise


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
