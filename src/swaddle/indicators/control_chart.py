"""A share over time: is a change real, or does chance explain it?

Pure. The centre is frozen from a baseline, so that a slow change cannot drag its own yardstick along. Points are
weighed by their births (a p-chart); where months are so large that chance alone is too narrow a yardstick, the
baseline's own swing from month to month widens the limits (Laney's p').
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from math import sqrt
from statistics import median

from swaddle.indicators.compare import LEAST_TO_COMPARE

BASELINE = 12  # points; the specification's least for freezing
LARGE = 500  # births a point (median) from which Laney's widening is asked for: our choice
_MOVING_RANGE = 1.128  # d2 of two: the mean range of two normal values in standard deviations


class Rule(Enum):
    """The run rules that are asked, each by the name that it has in the field.

    The value is how often chance alone breaks it at a given point, once in so many points (normal approximation).
    """

    BEYOND = ("beyond limits", "Western Electric 1, Nelson 1", 1, 370)
    TWO_OF_THREE = ("two of three beyond two standard deviations", "Western Electric 2, Nelson 5", 3, 327)
    EIGHT = ("eight in a row on one side", "Western Electric 4", 8, 128)
    SIX = ("six in a row rising or falling", "Nelson 3", 6, 360)

    @property
    def words(self) -> str:
        """The rule in words."""
        return self.value[0]

    @property
    def known_as(self) -> str:
        """What the field calls it."""
        return self.value[1]

    @property
    def points(self) -> int:
        """How many points it looks at."""
        return self.value[2]

    @property
    def once_in(self) -> int:
        """Chance alone breaks it about once in so many runs of that length."""
        return self.value[3]


DEFAULT_RULES = (Rule.BEYOND, Rule.EIGHT, Rule.SIX)


@dataclass(frozen=True, kw_only=True)
class Month:
    """One point of time: `2026-03` or `2026`, events and births."""

    when: str
    numerator: int
    denominator: int


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One point as it is drawn: share None where it had no births; limits as shares."""

    when: str
    numerator: int
    denominator: int
    share: float | None
    low: float | None
    high: float | None
    z: float | None
    baseline: bool
    broken: tuple[Rule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A change that chance does not explain: since when, which way, by which rule, over how many points."""

    since: str
    until: str
    higher: bool
    rule: Rule
    points: int


@dataclass(frozen=True, kw_only=True)
class Chart:
    """The whole picture.

    Attributes:
        centre: share of the frozen baseline.
        first, last: the baseline's ends.
        widened: what the limits of chance were multiplied by; 1.0 for a plain p-chart.
        shift: the change that lasts to the last point, or the latest one broken rule.
    """

    centre: float
    first: str
    last: str
    widened: float
    marks: tuple[Mark, ...]
    shift: Shift | None


def chart(
    months: Sequence[Month],
    *,
    baseline: int = BASELINE,
    frozen: tuple[str, str] | None = None,
    rules: Sequence[Rule] = DEFAULT_RULES,
) -> Chart | None:
    """The chart of these points, oldest first; None where there are too few to freeze a baseline and one more.

    Args:
        months: one for each point of time, those without births too.
        baseline: how many points with births are frozen, from the first on.
        frozen: or the first and the last point of a baseline that was frozen before.
        rules: which are asked.

    Raises:
        ValueError: points out of order or twice, a baseline below two points.
    """
    if [m.when for m in months] != sorted({m.when for m in months}):
        raise ValueError("points of time come once each, oldest first")
    if baseline < 2:
        raise ValueError("a baseline has at least two points")
    with_births = [m for m in months if m.denominator >= LEAST_TO_COMPARE]
    base = (
        [m for m in with_births if frozen[0] <= m.when <= frozen[1]] if frozen is not None else with_births[:baseline]
    )
    if len(base) < min(baseline, BASELINE) or with_births[-1].when <= base[-1].when:
        return None
    events, births = sum(m.numerator for m in base), sum(m.denominator for m in base)
    if events in {0, births}:
        return None
    centre = events / births
    widened = laney([_z(m, centre) for m in base]) if median(m.denominator for m in base) >= LARGE else 1.0
    marks = [_mark(m, centre, widened, base[0].when <= m.when <= base[-1].when) for m in months]
    broken = _asked(marks, rules)
    return Chart(
        centre=centre,
        first=base[0].when,
        last=base[-1].when,
        widened=widened,
        marks=tuple(replace(mark, broken=broken.get(place, ())) for place, mark in enumerate(marks)),
        shift=_shift(marks, broken),
    )


def laney(values: Sequence[float]) -> float:
    """By how much the points swing more than chance: the mean moving range of z over 1.128, never below 1.

    Source: Laney 2002, doi:10.1081/QEN-120006555. Below 1 it would narrow the limits: points that swing less than
    chance are no reason to see more signals.
    """
    ranges = [abs(after - before) for before, after in pairwise(values)]
    return max(1.0, sum(ranges) / len(ranges) / _MOVING_RANGE) if ranges else 1.0


def _z(month: Month, centre: float) -> float:
    return (month.numerator / month.denominator - centre) / sqrt(centre * (1 - centre) / month.denominator)


def _mark(month: Month, centre: float, widened: float, baseline: bool) -> Mark:
    if month.denominator < LEAST_TO_COMPARE:  # too few births for a point; it neither breaks nor makes a run
        return Mark(
            when=month.when,
            numerator=month.numerator,
            denominator=month.denominator,
            share=None,
            low=None,
            high=None,
            z=None,
            baseline=baseline,
        )
    spread = widened * sqrt(centre * (1 - centre) / month.denominator)
    return Mark(
        when=month.when,
        numerator=month.numerator,
        denominator=month.denominator,
        share=month.numerator / month.denominator,
        low=max(0.0, centre - 3 * spread),
        high=min(1.0, centre + 3 * spread),
        z=_z(month, centre) / widened,
        baseline=baseline,
    )


def _beyond(run: Sequence[Mark]) -> bool | None:
    mark = run[-1]
    assert mark.share is not None
    assert mark.low is not None
    assert mark.high is not None
    return None if mark.low <= mark.share <= mark.high else mark.share > mark.high


def _two_of_three(run: Sequence[Mark]) -> bool | None:
    for higher in (True, False):
        beyond = [_directed(mark, higher) > 2 for mark in run]
        if beyond[-1] and sum(beyond) >= 2:
            return higher
    return None


def _eight(run: Sequence[Mark]) -> bool | None:
    return next((higher for higher in (True, False) if all(_directed(mark, higher) > 0 for mark in run)), None)


def _six(run: Sequence[Mark]) -> bool | None:
    shares = [mark.share or 0.0 for mark in run]
    pairs = list(pairwise(shares))
    if all(after > before for before, after in pairs):
        return True
    return False if all(after < before for before, after in pairs) else None


def _directed(mark: Mark, higher: bool) -> float:
    assert mark.z is not None
    return mark.z if higher else -mark.z


_TESTS: dict[Rule, Callable[[Sequence[Mark]], bool | None]] = {
    Rule.BEYOND: _beyond,
    Rule.TWO_OF_THREE: _two_of_three,
    Rule.EIGHT: _eight,
    Rule.SIX: _six,
}


def _asked(marks: Sequence[Mark], rules: Sequence[Rule]) -> dict[int, tuple[Rule, ...]]:
    """Which rules are broken at which point, after the baseline: what set the yardstick is not measured by it."""
    places = [place for place, mark in enumerate(marks) if mark.share is not None]
    found: dict[int, list[Rule]] = {}
    for at, place in enumerate(places):
        if marks[place].baseline:
            continue
        for rule in rules:
            run = [marks[p] for p in places[max(0, at + 1 - rule.points) : at + 1]]
            if len(run) == rule.points and _TESTS[rule](run) is not None:
                found.setdefault(place, []).append(rule)
    return {place: tuple(broken) for place, broken in found.items()}


def _shift(marks: Sequence[Mark], broken: dict[int, tuple[Rule, ...]]) -> Shift | None:
    """The latest broken rule, told from the first point of its run: a run on one side is followed back to its start."""
    if not broken:
        return None
    place = max(broken)
    rule = min(broken[place], key=[Rule.EIGHT, Rule.BEYOND, Rule.TWO_OF_THREE, Rule.SIX].index)
    known = [mark for mark in marks[: place + 1] if mark.share is not None]
    run = known[-rule.points :]
    higher = _TESTS[rule](run)
    assert higher is not None
    if rule is Rule.EIGHT:
        run = []
        for mark in reversed(known):
            if _directed(mark, higher) <= 0:
                break
            run.insert(0, mark)
    return Shift(since=run[0].when, until=run[-1].when, higher=higher, rule=rule, points=len(run))
