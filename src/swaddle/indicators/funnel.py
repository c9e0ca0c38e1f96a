"""A funnel: each unit's share at its number of births, between limits that chance draws round the mean of all.

Pure. It is drawn from shares that may be shown, and from nothing else: the mean, the limits and the over-dispersion
are functions of the points in it, so they tell nothing that the points do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Literal

from swaddle.indicators.compare import LEAST_TO_COMPARE
from swaddle.indicators.intervals import binomial_limit

Stands = Literal["higher", "lower", "expected", "too few"]

INNER, OUTER = 0.95, 0.998  # two and three standard deviations, as funnels are read
FEWEST_UNITS = 5  # our choice: a mean of fewer units is one or two of them
WINSORISED = 0.10  # Spiegelhalter: a tenth at either end does not set the spread of all
_STEPS = 48


@dataclass(frozen=True, kw_only=True)
class Point:
    """One unit: births that count and births that could have counted. `name` is "" where it may not be named."""

    name: str
    numerator: int
    denominator: int
    own: bool = False

    @property
    def share(self) -> float:
        """Fraction of 1."""
        return self.numerator / self.denominator


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What chance leaves open at a number of births, as shares."""

    births: int
    low: float
    high: float
    inner_low: float
    inner_high: float


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A point and how it stands to the outer limits."""

    point: Point
    stands: Stands
    limits: Limits


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """The whole picture.

    Attributes:
        mean: events of all points by births of all points.
        dispersion: how many times the variance of chance the points vary by; 1.0 where chance is enough.
        points: by births, the fewest first.
        curve: limits at steps of births, for drawing.
        hidden: units that are in no point because their counts may not be shown.
    """

    mean: float
    dispersion: float
    points: tuple[Placed, ...]
    curve: tuple[Limits, ...]
    hidden: int = 0

    @property
    def own(self) -> Placed | None:
        """The reader's own point."""
        return next((placed for placed in self.points if placed.point.own), None)

    def others(self, stands: Stands) -> int:
        """How many others stand so."""
        return sum(placed.stands == stands and not placed.point.own for placed in self.points)


def funnel(points: Sequence[Point], *, hidden: int = 0) -> Funnel | None:
    """The funnel of these units; None where there are too few to say anything (`FEWEST_UNITS`), or no events at all.

    Source: Spiegelhalter 2005, doi:10.1002/sim.1970: exact binomial limits, widened round the mean by the root of the
    over-dispersion where that is more than chance gives.
    """
    # A unit of a few births says nothing of the spread and would draw the limits over the whole page.
    enough = [point for point in points if point.denominator >= LEAST_TO_COMPARE]
    if len(enough) < FEWEST_UNITS:
        return None
    events, births = sum(p.numerator for p in enough), sum(p.denominator for p in enough)
    if events in {0, births}:
        return None
    mean = events / births
    dispersion = over_dispersion(enough, mean)
    ordered = sorted(points, key=lambda p: (p.denominator, p.numerator, p.name))
    return Funnel(
        mean=mean,
        dispersion=dispersion,
        points=tuple(_placed(point, mean, dispersion) for point in ordered if point.denominator),
        curve=_curve(enough, mean, dispersion),
        hidden=hidden,
    )


def over_dispersion(points: Sequence[Point], mean: float) -> float:
    """How many times the variance of chance the points vary by: 1.0 unless it is more than chance gives itself.

    The mean square of the points' z, a tenth at either end winsorised. Over I points of pure chance it has the mean 1
    and the variance 2/I, so it is believed beyond 1 + 2 * sqrt(2/I).
    """
    squares = [z * z for z in winsorised([_z(point, mean) for point in points])]
    found = sum(squares) / len(squares)
    return found if found > 1 + 2 * sqrt(2 / len(squares)) else 1.0


def winsorised(values: Sequence[float], part: float = WINSORISED) -> list[float]:
    """Values beyond the quantiles `part` and 1 - `part`, drawn in to them (quantiles by straight line)."""
    ordered = sorted(values)
    low, high = _quantile(ordered, part), _quantile(ordered, 1 - part)
    return [min(max(value, low), high) for value in values]


def _quantile(ordered: Sequence[float], part: float) -> float:
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _z(point: Point, mean: float) -> float:
    return (point.share - mean) / sqrt(mean * (1 - mean) / point.denominator)


def limits_at(births: int, mean: float, dispersion: float = 1.0) -> Limits:
    """The limits at a number of births: exact for chance, widened round the mean by the root of the dispersion."""
    wider = sqrt(dispersion)

    def at(probability: float) -> float:
        return min(1.0, max(0.0, mean + wider * (binomial_limit(births, mean, probability) - mean)))

    return Limits(
        births=births,
        low=at((1 - OUTER) / 2),
        high=at((1 + OUTER) / 2),
        inner_low=at((1 - INNER) / 2),
        inner_high=at((1 + INNER) / 2),
    )


def _placed(point: Point, mean: float, dispersion: float) -> Placed:
    limits = limits_at(point.denominator, mean, dispersion)
    stands: Stands = "expected"
    if point.denominator < LEAST_TO_COMPARE:
        stands = "too few"
    elif point.share > limits.high:
        stands = "higher"
    elif point.share < limits.low:
        stands = "lower"
    return Placed(point=point, stands=stands, limits=limits)


def _curve(points: Sequence[Point], mean: float, dispersion: float) -> tuple[Limits, ...]:
    """Limits from well below the smallest unit to a little beyond the largest, closer together where they bend."""
    least = max(LEAST_TO_COMPARE, min(p.denominator for p in points) // 2)
    most = max(p.denominator for p in points) * 21 // 20 + 1
    growth = log(most / least) / _STEPS
    steps = sorted({least, most, *(round(least * 2.718281828459045 ** (growth * step)) for step in range(_STEPS))})
    return tuple(limits_at(births, mean, dispersion) for births in steps)
