"""Indicators as a page draws them: words, rows, and bars of plain geometry.

Pure. A bar is two figures between 0 and 100 on a scale that own and others share; the table beside it says them.
"""

from __future__ import annotations

from dataclasses import dataclass

from swaddle.indicators.definitions import Definition, definition
from swaddle.indicators.results import ALL, IndicatorResult, IndicatorRow
from swaddle.indicators.robson import UNCLASSIFIABLE

_SCALES = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0)
_DIFFERENCE = {
    "higher": "higher than chance explains",
    "lower": "lower than chance explains",
    "alike": "chance can explain the difference",
    "too few": "too few births to compare",
}


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A share and its interval as percentages of the scale's end."""

    length: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class IndicatorView:
    """One indicator, ready to lay out."""

    definition: Definition
    result: IndicatorResult
    own: IndicatorRow
    others: IndicatorRow | None
    groups: tuple[tuple[IndicatorRow, IndicatorRow | None], ...]
    scale: float
    own_bar: Bar | None
    others_bar: Bar | None
    in_words: str

    @property
    def unclassifiable(self) -> IndicatorRow | None:
        """The births that no Robson group could take."""
        return next((row for row, _ in self.groups if row.group == UNCLASSIFIABLE), None)


def view(result: IndicatorResult) -> IndicatorView:
    """Lay out an indicator that has an answer."""
    own = result.row("own")
    if own is None:
        raise ValueError("an indicator without an answer has no view")
    others = result.row("others")
    tops = [row.high for row in (own, others) if row is not None and row.high is not None]
    scale = next(step for step in _SCALES if step >= max(tops, default=0.0))
    return IndicatorView(
        definition=definition(result.id),
        result=result,
        own=own,
        others=others,
        groups=tuple(pair for pair in result.groups() if pair[0].group != ALL),
        scale=scale,
        own_bar=_bar(own, scale),
        others_bar=_bar(others, scale),
        in_words=_DIFFERENCE[result.difference] if result.difference else "",
    )


def _bar(row: IndicatorRow | None, scale: float) -> Bar | None:
    if row is None or row.rate is None or row.low is None or row.high is None:
        return None
    return Bar(
        length=round(100 * row.rate / scale, 2),
        low=round(100 * row.low / scale, 2),
        high=round(100 * row.high / scale, 2),
    )
