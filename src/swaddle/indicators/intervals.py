"""Intervals of a share, of a difference of shares, and the limits that chance draws round a share.

Pure. Shares are fractions of 1. Exact binomial limits need no library: the probabilities are summed from the mode
outwards, which is exact to floating point for a million births.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

_REACH_SD = 12  # beyond twelve standard deviations a binomial holds less than floating point can add


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


@lru_cache(maxsize=4096)
def _cumulative(births: int, share: float) -> tuple[int, tuple[float, ...]]:
    """P(X <= k) of a binomial for k from `first` on, over all k that hold any probability worth adding."""
    mean, deviation = births * share, sqrt(births * share * (1 - share))
    first = max(0, int(mean - _REACH_SD * deviation - _REACH_SD))
    last = min(births, int(mean + _REACH_SD * deviation + _REACH_SD))
    mode = min(max(int((births + 1) * share), first), last)
    odds = share / (1 - share)
    top = exp(
        lgamma(births + 1)
        - lgamma(mode + 1)
        - lgamma(births - mode + 1)
        + mode * log(share)
        + (births - mode) * log1p(-share)
    )
    up, at = [], top
    for k in range(mode, last):
        at *= odds * (births - k) / (k + 1)
        up.append(at)
    down, at = [], top
    for k in range(mode, first, -1):
        at *= k / (odds * (births - k + 1))
        down.append(at)
    weights = [*reversed(down), top, *up]
    whole = sum(weights)  # lgamma is right to 1e-10 or so for a million births; the sum itself is 1
    return first, tuple(part / whole for part in accumulate(weights))


def binomial_cdf(count: int, births: int, share: float) -> float:
    """P(X <= count) when each of `births` has the chance `share`.

    Raises:
        ValueError: no births, or a share outside 0 to 1.
    """
    _must_be_chance(births, share)
    if count < 0:
        return 0.0
    if count >= births or share == 0:
        return 1.0
    if share == 1:
        return 0.0
    first, sums = _cumulative(births, share)
    return 0.0 if count < first else sums[min(count - first, len(sums) - 1)]


def binomial_limit(births: int, share: float, probability: float) -> float:
    """The share below which chance alone stays with `probability`, between two counts by straight line.

    A limit at whole counts only would jump from one number of births to the next; Spiegelhalter draws it between the
    two counts that hold the probability.

    Raises:
        ValueError: no births, a share outside 0 to 1, a probability not between 0 and 1.

    Source: Spiegelhalter 2005, doi:10.1002/sim.1970, appendix A.1.1; checked against scipy.
    """
    _must_be_chance(births, share)
    if not 0 < probability < 1:
        raise ValueError("a probability lies between 0 and 1")
    if share in {0, 1}:
        return float(share)
    first, sums = _cumulative(births, share)
    below = 0
    for step, reached in enumerate(sums):
        if reached > probability:
            part = reached - (sums[step - 1] if step else 0.0)
            over = (reached - probability) / part
            return min(1.0, max(0.0, (first + step - over) / births))
        below = first + step
    return min(1.0, below / births)


def _must_be_chance(births: int, share: float) -> None:
    if births < 1 or not 0 <= share <= 1:
        raise ValueError("limits need at least one birth and a share from 0 to 1")
