"""One indicator of one submitter beside its peers, and over time: the funnel, the chart, and what they say.

Pure. The peers' figures come out of the gate one by one; the mean, the limits and the words are made of what came out.
The submitter's own months are its own.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from io import StringIO

from swaddle.indicators import disclosure
from swaddle.indicators.cells import DEFAULT, Cell, Policy
from swaddle.indicators.control_chart import BASELINE, DEFAULT_RULES, Chart, Month, Rule, chart
from swaddle.indicators.disclosure import Released
from swaddle.indicators.funnel import FEWEST_UNITS, Funnel, Point, funnel
from swaddle.indicators.intervals import wilson
from swaddle.indicators.remembered import Table, renewed

NOTHING = Cell(numerator=0, denominator=0)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of the table behind the charts. Shares are fractions of 1; what is hidden is None."""

    name: str
    numerator: int | None
    denominator: int | None
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What the two charts show.

    Attributes:
        own: the submitter's own count of the period, in full.
        peers: all other peers together, as it may be shown.
        peer_count: how many other peers there are.
        hidden: how many of them are in no point.
        funnel: None where there are too few to say.
        chart: None where there are too few months to say.
        told: what of the peers was told, to be remembered; the earlier table where it was told again.
    """

    own: Cell
    peers: Released
    peer_count: int
    hidden: int
    funnel: Funnel | None
    chart: Chart | None
    told: Table

    def lines(self) -> tuple[Line, ...]:
        """The numbers behind the charts: own, own baseline, the other peers."""
        rows = [_line("own", self.own.numerator, self.own.denominator)]
        if self.chart is not None:
            base = [mark for mark in self.chart.marks if mark.baseline and mark.share is not None]
            rows.append(_line("baseline", sum(m.numerator for m in base), sum(m.denominator for m in base)))
        rows.append(_line("peers", self.peers.numerator, self.peers.denominator))
        return tuple(rows)

    def funnel_csv(self) -> str:
        """The funnel's points and limits as CSV; peers have no name."""
        return _csv(
            ("who", "numerator", "denominator", "share", "limit_low", "limit_high", "stands"),
            [
                (
                    "own" if placed.point.own else "peer",
                    placed.point.numerator,
                    placed.point.denominator,
                    round(placed.point.share, 6),
                    round(placed.limits.low, 6),
                    round(placed.limits.high, 6),
                    placed.stands,
                )
                for placed in (self.funnel.points if self.funnel else ())
            ],
        )

    def chart_csv(self) -> str:
        """The chart's points and limits as CSV."""
        return _csv(
            ("when", "numerator", "denominator", "share", "limit_low", "limit_high", "baseline", "rules_broken"),
            [
                (
                    mark.when,
                    mark.numerator,
                    mark.denominator,
                    _six(mark.share),
                    _six(mark.low),
                    _six(mark.high),
                    "yes" if mark.baseline else "no",
                    "; ".join(rule.words for rule in mark.broken),
                )
                for mark in (self.chart.marks if self.chart else ())
            ],
        )


def compare_with_peers(
    submitter: str,
    counts: Mapping[str, Cell],
    months: Sequence[Month],
    *,
    at: str,
    period: str = "",
    policy: Policy = DEFAULT,
    earlier: Sequence[Table] = (),
    baseline: int = BASELINE,
    frozen: tuple[str, str] | None = None,
    rules: Sequence[Rule] = DEFAULT_RULES,
) -> Comparison:
    """The comparison of one submitter.

    Args:
        submitter: whose page this is.
        counts: of every member of its peer group over the period, its own too.
        months: its own points of time, oldest first.
        at: the moment of counting.
        period: what the counts are of. Windows that move on are not laid beside each other: what came and what fell out
            of them are two unknown months.
        policy: what is hidden of the peers.
        earlier: what this submitter was told of this indicator and these peers before.
        baseline: as `control_chart.chart`.
        frozen: as `control_chart.chart`.
        rules: as `control_chart.chart`.
    """
    own = counts.get(submitter, NOTHING)
    # By name: a place in the table that no count decides.
    others = {name: counts[name] for name in sorted(counts) if name != submitter}
    total = reduce(Cell.plus, others.values(), NOTHING)
    # Where one of two or three is hidden, the rest would be hidden for its sake: the gate does not know who reads, and
    # a peer group that small is not told at all.
    if len(others) + 1 < FEWEST_UNITS:
        shown, each = disclosure.HIDDEN, dict.fromkeys(others, disclosure.HIDDEN)
    else:
        shown, each = disclosure.suppress(total, others, policy=policy)
    before = [one for one in earlier if one.period == period]
    now = Table(at=at, period=period, total=shown, groups=each)
    if before and set(before[-1].groups) != set(each):
        # One came and another left: their figures and the two totals would give a hidden one away. Within a period the
        # peers stay those that were told.
        told = before[-1]
    else:
        told = renewed(now, before, threshold=policy.threshold)
    points = [
        Point(name="", numerator=cell.numerator, denominator=cell.denominator)
        for cell in told.groups.values()
        if cell.numerator is not None and cell.denominator
    ]
    if own.denominator:
        points.append(Point(name=submitter, numerator=own.numerator, denominator=own.denominator, own=True))
    hidden = sum(cell.suppressed for cell in told.groups.values())
    return Comparison(
        own=own,
        peers=told.total,
        peer_count=len(told.groups),
        hidden=hidden,
        funnel=funnel(points, hidden=hidden),
        chart=chart(months, baseline=baseline, frozen=frozen, rules=rules),
        told=told,
    )


def _line(name: str, numerator: int | None, denominator: int | None) -> Line:
    if numerator is None or not denominator:
        return Line(name=name, numerator=numerator, denominator=denominator, share=None, low=None, high=None)
    low, high = wilson(numerator, denominator)
    share = numerator / denominator
    return Line(name=name, numerator=numerator, denominator=denominator, share=share, low=low, high=high)


def _csv(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """CSV of our own numbers and words: nothing in it comes from outside, so no cell can be a formula."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _six(value: float | None) -> float | str:
    return "" if value is None else round(value, 6)
