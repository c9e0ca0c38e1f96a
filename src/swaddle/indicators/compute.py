"""Indicators of one submitter beside all others together: count, hide, compare, say.

Reads one relation, `births`, of the connection it is given (columns: docs/indicators.md). Own figures are shown in
full: they are the submitter's patients. Every figure about others comes out of `disclosure`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import duckdb

from swaddle.canonical import format_instant
from swaddle.indicators import compare, disclosure, finding
from swaddle.indicators.compare import Difference
from swaddle.indicators.counting import Counts, Reach, count, gathered
from swaddle.indicators.definitions import load
from swaddle.indicators.disclosure import THRESHOLD, Cell, Policy, Released
from swaddle.indicators.model import Definition
from swaddle.indicators.releasing import Counted, released
from swaddle.indicators.remembered import Table
from swaddle.indicators.results import ALL, IndicatorResult, IndicatorRow, Whose
from swaddle.indicators.robson import FIRST_BIRTHS_AT_TERM, UNCLASSIFIABLE


def compute(
    connection: duckdb.DuckDBPyConnection,
    submitter: str,
    *,
    transfer: str | None = None,
    as_of: datetime,
    threshold: int = THRESHOLD,
    policy: Policy | None = None,
    earlier: Mapping[str, Sequence[Table]] | None = None,
    dictionary: str = "",
    snapshot: str = "",
) -> tuple[IndicatorResult, ...]:
    """All indicators of one submitter.

    Args:
        connection: has the relation `births`.
        submitter: whose births are "own".
        transfer: narrow own births to this transfer's; None for all of the submitter's. Its other transfers' births are
            then nowhere: they are not others'.
        as_of: when this was computed; data move, so a figure without its moment cannot be repeated.
        threshold: counts about others below this are hidden, where there is no policy.
        policy: what is hidden of others.
        earlier: what this submitter was told of others before, by the indicator's id, oldest first.
        dictionary: the version of the data dictionary, to be said beside the figures.
        snapshot: which state of the store this is, likewise.
    """
    rules = policy or Policy(threshold=threshold)
    definitions = load()
    with gathered(connection, definitions, submitter, transfer) as scope:
        counted = {item.id: count(connection, item, scope) for item in definitions}
    shown = released(
        definitions,
        {name: _counted(others) for name, (_, others) in counted.items()},
        policy=rules,
        at=format_instant(as_of),
        period=_period(scope),
        earlier=earlier,
    )
    results = (_result(item, scope, counted[item.id][0], shown[item.id], as_of, rules) for item in definitions)
    return tuple(replace(each, dictionary=dictionary, snapshot=snapshot) for each in results)


def _counted(side: Counts) -> Counted:
    margins = (FIRST_BIRTHS_AT_TERM,) if UNCLASSIFIABLE in side.groups else ()
    return Counted(total=side.total, groups=side.groups, margins=margins)


def _result(
    item: Definition, scope: Reach, own: Counts, shown: Table, as_of: datetime, rules: Policy
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
            item,
            "own",
            disclosure.in_full(own.total),
            {name: disclosure.in_full(cell) for name, cell in own.groups.items()},
        )
        theirs = _rows(item, "others", shown.total, dict(shown.groups)) if scope.others_submitters else ()
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
        threshold=rules.threshold,
        others_as_of=shown.at,
        told=shown,
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
