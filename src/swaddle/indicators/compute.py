"""Indicators of one submitter beside all others together: count, hide, compare, say.

Reads one relation, `births`, of the connection it is given (columns: docs/indicators.md). Own figures are shown in
full: they are the submitter's patients. Every figure about others comes out of `disclosure`.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from swaddle.canonical import format_instant
from swaddle.indicators import compare, disclosure, finding
from swaddle.indicators.compare import Difference
from swaddle.indicators.counting import Counts, Reach, count, gathered
from swaddle.indicators.definitions import load
from swaddle.indicators.disclosure import THRESHOLD, Cell, Released
from swaddle.indicators.model import Definition
from swaddle.indicators.results import ALL, IndicatorResult, IndicatorRow, Whose
from swaddle.indicators.robson import FIRST_BIRTHS_AT_TERM, UNCLASSIFIABLE

# From the widest population to the narrowest: each lies inside those before it, so two of them can be subtracted.
_NESTED = ("robson", "preterm", "low_birth_weight", "ntsv_caesarean")


def compute(
    connection: duckdb.DuckDBPyConnection,
    submitter: str,
    *,
    transfer: str | None = None,
    as_of: datetime,
    threshold: int = THRESHOLD,
) -> tuple[IndicatorResult, ...]:
    """All indicators of one submitter.

    Args:
        connection: has the relation `births`.
        submitter: whose births are "own".
        transfer: narrow own births to this transfer's; None for all of the submitter's. Its other transfers' births are
            then nowhere: they are not others'.
        as_of: when this was computed; data move, so a figure without its moment cannot be repeated.
        threshold: counts about others below this are hidden.
    """
    definitions = load()
    with gathered(connection, definitions, submitter, transfer) as scope:
        counted = {item.id: count(connection, item, scope) for item in definitions}
    shown = _others({name: others for name, (_, others) in counted.items()}, threshold)
    return tuple(_result(item, scope, counted[item.id][0], shown[item.id], as_of, threshold) for item in definitions)


Shown = tuple[Released, dict[str, Released]]


def _others(counted: dict[str, Counts], threshold: int) -> dict[str, Shown]:
    """What may be shown about others, over all indicators at once: they can be subtracted from each other."""
    tables = {
        name: disclosure.suppress(
            side.total,
            side.groups,
            margins=(FIRST_BIRTHS_AT_TERM,) if UNCLASSIFIABLE in side.groups else (),
            threshold=threshold,
        )
        for name, side in counted.items()
    }
    totals = disclosure.close_differences(
        [(name, counted[name].total) for name in _NESTED],
        {name: total for name, (total, _) in tables.items()},
        threshold,
    )
    return {
        name: (
            totals[name],
            dict.fromkeys(groups, disclosure.HIDDEN)
            if totals[name].suppressed
            else {group: _without_unknown(cell, totals[name]) for group, cell in groups.items()},
        )
        for name, (_, groups) in tables.items()
    }


def _without_unknown(cell: Released, total: Released) -> Released:
    """A group's unknowns go when the total's do: they add up to it."""
    if total.unknown is None and not cell.suppressed:
        return disclosure.without_unknown(cell)
    return cell


def _result(
    item: Definition, scope: Reach, own: Counts, shown: Shown, as_of: datetime, threshold: int
) -> IndicatorResult:
    unanswered = scope.not_carried(item.needs)
    nowhere = [name for name in item.needs if scope.sources and all(name in source.fields for source in scope.sources)]
    answerable = bool(scope.births) and not nowhere
    rows: tuple[IndicatorRow, ...] = ()
    difference: Difference | None = None
    if not answerable:
        said = finding.unanswerable(scope.births, unanswered)
    else:
        mine = _rows(
            item, "own", disclosure.in_full(own.total), {name: disclosure.in_full(cell) for name, cell in own.groups.items()}
        )
        theirs = _rows(item, "others", *shown) if scope.others_submitters else ()
        rows = mine + theirs
        difference = _difference(own.total, theirs[0] if theirs else None)
        said = finding.sentence(item, own.total, theirs[0] if theirs else None, difference, _largest(mine))
    return IndicatorResult(
        id=item.id,
        title=item.title,
        period=_period(scope),
        as_of=format_instant(as_of),
        rows=rows,
        answerable=answerable,
        finding=said,
        difference=difference,
        unknown=own.unknown,
        unknown_by=tuple(own.unknown_by),
        unanswered=unanswered,
        others_submitters=scope.others_submitters,
        threshold=threshold,
    )


def _rows(item: Definition, whose: Whose, total: Released, groups: dict[str, Released]) -> tuple[IndicatorRow, ...]:
    labels = {band.id: band.label for band in item.bands} | dict(item.groups) | {UNCLASSIFIABLE: "Could not be placed"}
    whole = total if item.partition else None
    return (
        _row(ALL, item.total_label, whose, total, whole),
        *(_row(name, labels[name], whose, cell, whole) for name, cell in groups.items()),
    )


def _row(group: str, label: str, whose: Whose, cell: Released, whole: Released | None) -> IndicatorRow:
    """One row; the shares and the interval are made from released figures only."""
    rate = low = high = share = absolute = relative = None
    if cell.denominator and cell.numerator is not None:
        rate = cell.numerator / cell.denominator
        low, high = compare.wilson(cell.numerator, cell.denominator)
    if whole and whole.denominator and cell.denominator is not None and cell.numerator is not None:
        share = cell.denominator / whole.denominator
        absolute = cell.numerator / whole.denominator
        relative = cell.numerator / whole.numerator if whole.numerator else 0.0
    return IndicatorRow(
        group=group,
        label=label,
        whose=whose,
        numerator=cell.numerator,
        denominator=cell.denominator,
        unknown=cell.unknown,
        rate=rate,
        low=low,
        high=high,
        suppressed=cell.suppressed,
        share=share,
        absolute=absolute,
        relative=relative,
    )


def _difference(own: Cell, others: IndicatorRow | None) -> Difference | None:
    if others is None or not others.denominator or others.numerator is None or not own.denominator:
        return None
    return compare.differ((own.numerator, own.denominator), (others.numerator, others.denominator))


def _largest(rows: tuple[IndicatorRow, ...]) -> tuple[str, float] | None:
    """The group with the largest part of the numerators, for indicators that have groups of births."""
    parts = [
        (row.relative, row.group) for row in rows if row.relative is not None and row.group not in (ALL, UNCLASSIFIABLE)
    ]
    if not parts:
        return None
    relative, group = max(parts)
    return group, relative


def _period(scope: Reach) -> str:
    if scope.first is None:
        return "no dates"
    return str(scope.first) if scope.first == scope.last else f"{scope.first} to {scope.last}"
