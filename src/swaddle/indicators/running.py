"""Indicators on demand, for the registry's own people: one submitter in full, or all together through the gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import duckdb

from swaddle.indicators import disclosure, intervals, robson_checks
from swaddle.indicators.cells import Cell, Policy
from swaddle.indicators.definitions import strata, terms
from swaddle.indicators.model import Definition, Language
from swaddle.indicators.releasing import Counted, released
from swaddle.indicators.remembered import Table
from swaddle.indicators.tally import Split, sums, tally
from swaddle.intake.engine import literal

WHOLE = ""  # the key of the indicator's total
APART = "/"  # between the split and the part, in the name of a group that is remembered


def run(
    connection: duckdb.DuckDBPyConnection,
    definitions: Sequence[Definition],
    *,
    policy: Policy,
    at: str,
    submitter: str | None = None,
    by: str | None = None,
    language: Language = "en",
    period: str = "",
    earlier: Mapping[str, Sequence[Table]] | None = None,
    tell: Callable[[Mapping[str, Table]], None] | None = None,
) -> list[dict[str, Any]]:
    """Each indicator with its total and its parts, as JSON values.

    Args:
        connection: has the units' relations.
        definitions: which to count.
        policy: what is hidden where all submitters are told together.
        at: the moment of counting.
        submitter: of this one, in full: they are its own patients. None for all together.
        by: the id of a stratum, instead of the indicator's own groups.
        language: of titles and labels.
        period: what the units' relations were narrowed to; "" for all times.
        earlier: what was told of all together before, by indicator; so that two runs cannot be subtracted.
        tell: is given what is told of all together now, to be kept.
    """
    tally(connection, definitions, Split(stratum=strata()[by], terms=terms()) if by else None)
    if submitter is not None:
        connection.execute(f"DELETE FROM indicator_counts WHERE submitter IS DISTINCT FROM {literal(submitter)}")
    column = "stratum" if by else "grouped"
    parts = {item.id: _cells(connection, item, column) for item in definitions}
    moments = dict.fromkeys(parts, at)
    if submitter is not None:
        shown = {name: {key: disclosure.in_full(cell) for key, cell in cells.items()} for name, cells in parts.items()}
    else:
        counted = {item.id: _counted(item, parts[item.id], by) for item in definitions}
        tables = released(
            definitions,
            counted,
            policy=policy,
            at=at,
            period=period,
            earlier={item.id: _nearest_last(earlier or {}, item, by, period) for item in definitions},
        )
        moments = {name: table.at for name, table in tables.items()}
        if tell is not None:
            tell(tables)
        shown = {
            name: {WHOLE: table.total, **{_plain(key): table.groups[key] for key in counted[name].groups}}
            for name, table in tables.items()
        }
    return [
        _told(item.within(language), by, shown[item.id], language) | {"counted_at": moments[item.id]}
        for item in definitions
    ]


def _cells(connection: duckdb.DuckDBPyConnection, item: Definition, column: str) -> dict[str, Cell]:
    """The total and the parts. A band shares the indicator's denominator; a group or a stratum has its own."""
    found = {
        str(each.key[0] or ""): Cell(numerator=each.numerator, denominator=each.denominator, unknown=each.unknown)
        for each in sums(connection, item.id, (column,))
    }
    total = Cell(numerator=0, denominator=0)
    for cell in found.values():
        total = total.plus(cell)
    if column == "grouped" and item.bands:
        empty = Cell(numerator=0, denominator=0)
        found = {
            band.id: Cell(
                numerator=found.get(band.id, empty).numerator, denominator=total.denominator, unknown=total.unknown
            )
            for band in item.bands
        }
    found.pop(WHOLE, None)
    return {WHOLE: total, **found}


def _counted(item: Definition, cells: Mapping[str, Cell], by: str | None) -> Counted:
    """The table before the gate. Every group that there may be is in it: one that comes later is no other table."""
    names = strata()[by].labels if by else {band.id: "" for band in item.bands} or item.groups
    empty = Cell(numerator=0, denominator=0)
    groups = {name: cells.get(name, empty) for name in dict.fromkeys([*names, *cells]) if name != WHOLE}
    return Counted(total=cells[WHOLE], groups={f"{by or ''}{APART}{name}": cell for name, cell in groups.items()})


def _plain(name: str) -> str:
    return name.partition(APART)[2]


def _nearest_last(earlier: Mapping[str, Sequence[Table]], item: Definition, by: str | None, period: str) -> list[Table]:
    """What was told before of times that overlap these, the tables of the same split and period last.

    Counts of times that do not overlap cannot be subtracted from each other; those of other splits share the total.
    """
    near = [one for one in earlier.get(item.id, ()) if _overlap(one.period, period)]
    return sorted(
        near, key=lambda one: (one.period == period, all(name.startswith(f"{by or ''}{APART}") for name in one.groups))
    )


def _overlap(one: str, other: str) -> bool:
    """Whether two of a year, a quarter, a month and all times have a month in common."""
    return bool(_months(one) & _months(other)) if one and other and one[:4] == other[:4] else not (one and other)


def _months(period: str) -> frozenset[int]:
    part = period[5:]
    if part.startswith("Q"):
        return frozenset(range(3 * int(part[1:]) - 2, 3 * int(part[1:]) + 1))
    return frozenset([int(part)]) if part else frozenset(range(1, 13))


def _told(
    item: Definition, by: str | None, shown: dict[str, disclosure.Released], language: Language
) -> dict[str, Any]:
    stratum = strata()[by] if by else None
    labels = {band.id: band.label for band in item.bands} | dict(item.groups)
    if stratum:
        labels = dict(stratum.labels if language == "en" else stratum.labels_fr)
    told: dict[str, Any] = {
        "id": item.id,
        "title": item.title,
        "per": item.per,
        "direction": item.direction,
        "threshold": None
        if item.threshold is None
        else {
            "green": item.threshold.green,
            "red": item.threshold.red,
            "provenance": item.threshold.provenance,
        },
        **_figures(shown[WHOLE], item.per),
        "parts": [
            {"id": key, "label": labels.get(key, key), **_figures(cell, item.per)}
            for key, cell in shown.items()
            if key != WHOLE
        ],
    }
    if item.partition and by is None and not any(cell.suppressed for cell in shown.values()):
        told["checks"] = _checks(shown, language)
    return told


def _figures(cell: disclosure.Released, per: int) -> dict[str, Any]:
    rate = low = high = None
    if cell.denominator and cell.numerator is not None:
        rate = round(per * cell.numerator / cell.denominator, 3)
        low, high = (round(per * each, 3) for each in intervals.wilson(cell.numerator, cell.denominator))
    return {
        "numerator": cell.numerator,
        "denominator": cell.denominator,
        "unknown": cell.unknown,
        "rate": rate,
        "low": low,
        "high": high,
        "suppressed": cell.suppressed,
    }


def _checks(shown: dict[str, disclosure.Released], language: Language) -> list[dict[str, Any]]:
    """The manual's looks at a table that is shown whole; sub-groups are added up to their group."""
    groups: dict[str, tuple[int, int, int]] = {}
    for key, cell in shown.items():
        if key == WHOLE:
            continue
        name = {"5.1": "5", "5.2": "5", "10a": "10", "10b": "10", "10c": "10"}.get(key, key)
        had = groups.get(name, (0, 0, 0))
        groups[name] = (had[0] + (cell.numerator or 0), had[1] + (cell.denominator or 0), had[2] + (cell.unknown or 0))
    return [
        {
            "id": each.check.id,
            "text": each.check.text if language == "en" else each.check.text_fr,
            "found": None if each.found is None else round(each.found, 4),
            "verdict": each.verdict,
            "provenance": robson_checks.PROVENANCE if language == "en" else robson_checks.PROVENANCE_FR,
        }
        for each in robson_checks.look(groups)
    ]
