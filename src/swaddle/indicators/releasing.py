"""All tables about others that one reader is told at a time, through the gate together: they can be subtracted.

Pure. First each table is closed in itself, then each pair of which one population lies inside the other, then all that
was told before is laid beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from swaddle.indicators import disclosure
from swaddle.indicators.cells import Cell, Policy
from swaddle.indicators.disclosure import Released
from swaddle.indicators.model import Definition
from swaddle.indicators.nesting import nested
from swaddle.indicators.remembered import Table, renewed


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A table before the gate: the total, its groups, and sets of groups whose sum another indicator publishes."""

    total: Cell
    groups: Mapping[str, Cell]
    margins: tuple[Collection[str], ...] = ()


def released(
    definitions: Sequence[Definition],
    counted: Mapping[str, Counted],
    *,
    policy: Policy,
    at: str,
    period: str = "",
    earlier: Mapping[str, Sequence[Table]] | None = None,
) -> dict[str, Table]:
    """What may be told of each indicator.

    Args:
        definitions: of all indicators that are told, also those that have no table here.
        counted: the tables by the indicator's id.
        policy: what is hidden.
        at: the moment of counting.
        period: what the counts are of.
        earlier: what this reader was told before, oldest first, by the indicator's id.
    """
    tables = {
        name: disclosure.suppress(one.total, one.groups, margins=one.margins, policy=policy)
        for name, one in counted.items()
    }
    totals = disclosure.close_pairs(
        (
            (pair.wider, pair.narrower, pair.same_event)
            for pair in nested(definitions)
            if {pair.wider, pair.narrower} <= set(counted)
        ),
        {name: one.total for name, one in counted.items()},
        {name: total for name, (total, _) in tables.items()},
        policy=policy,
    )
    told = {}
    for name, (_, groups) in tables.items():
        total = totals[name]
        now = Table(at=at, period=period, total=total, groups={g: _beside(cell, total) for g, cell in groups.items()})
        told[name] = renewed(now, (earlier or {}).get(name, ()), threshold=policy.threshold)
    return told


def _beside(cell: Released, total: Released) -> Released:
    """A group beside its total: nothing of it is shown where the total is not, and no unknowns where it has none."""
    if total.suppressed:
        return disclosure.HIDDEN
    return disclosure.without_unknown(cell) if total.unknown is None and not cell.suppressed else cell
