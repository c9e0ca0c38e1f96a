"""Count births for all indicators: `births` is read once, own and all others' apart, each birth in exactly one place.

The SQL is made of the definitions' own expressions; the submitter, the transfer and the years are bound, never written
in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb

from swaddle.indicators.disclosure import Cell
from swaddle.indicators.gathering import LACKS, gather
from swaddle.indicators.judging import judged
from swaddle.indicators.model import Definition
from swaddle.indicators.results import Unanswered, Unknown
from swaddle.indicators.robson import UNCLASSIFIABLE

# What the view gives is joins and windows over encrypted files: it is read once, into a table of this connection that
# holds no more than the indicators need, and dropped when they are counted.
_TABLE = "indicator_births"
_OTHERS_YEARS = "($first IS NULL OR event_year BETWEEN $first AND $last)"
EMPTY = Cell(numerator=0, denominator=0)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Whose births are counted, and of which years.

    The others' births are those of the same years as the submitter's own: a share of 2006 beside one of 2021 misleads.
    """

    births: int = 0
    first: int | None = None
    last: int | None = None
    others_submitters: int = 0
    sources: tuple[Unanswered, ...] = ()

    def not_carried(self, fields: tuple[str, ...]) -> tuple[Unanswered, ...]:
        """The sources that lack one of `fields`, and which."""
        lacking = (
            Unanswered(source=item.source, births=item.births, fields=tuple(f for f in fields if f in item.fields))
            for item in self.sources
        )
        return tuple(item for item in lacking if item.fields)


@dataclass(kw_only=True)
class Counts:
    """What one scan found for one side, own or others."""

    total: Cell = EMPTY
    groups: dict[str, Cell] = field(default_factory=dict)
    reasons: Counter[tuple[str, bool]] = field(default_factory=Counter)
    unknown_by: list[Unknown] = field(default_factory=list)

    @property
    def unknown(self) -> int:
        """Births that could not be placed, each once."""
        return sum(item.births for item in self.unknown_by)


@contextmanager
def gathered(
    connection: duckdb.DuckDBPyConnection,
    definitions: Sequence[Definition],
    submitter: str,
    transfer: str | None,
) -> Iterator[Reach]:
    """Read `births` once; inside, `count` may be asked.

    Yields:
        The submitter's own births: how many, of which years, from layouts that carry what.
    """
    gather(
        connection,
        _TABLE,
        definitions,
        extra="submitter = $submitter AS mine, event_year",
        where="submitter <> $submitter OR $transfer IS NULL OR transfer = $transfer",
        values={"submitter": submitter, "transfer": transfer},
    )
    try:
        yield _reach(connection, tuple(dict.fromkeys(name for item in definitions for name in item.needs)))
    finally:
        connection.execute(f"DROP TABLE {_TABLE}")


def _reach(connection: duckdb.DuckDBPyConnection, fields: tuple[str, ...]) -> Reach:
    lacks = ", ".join(f"bool_and({name}{LACKS})" for name in fields)
    rows = connection.execute(
        f"SELECT source, count(*), min(event_year), max(event_year), {lacks} FROM {_TABLE} WHERE mine"
        " GROUP BY source ORDER BY source"
    ).fetchall()
    first = min((row[2] for row in rows if row[2] is not None), default=None)
    last = max((row[3] for row in rows if row[3] is not None), default=None)
    others = connection.execute(
        f"SELECT count(DISTINCT submitter) FROM {_TABLE} WHERE NOT mine AND {_OTHERS_YEARS}",
        {"first": first, "last": last},
    ).fetchone()
    return Reach(
        births=sum(row[1] for row in rows),
        first=first,
        last=last,
        others_submitters=others[0] if others else 0,
        sources=tuple(
            Unanswered(
                source=str(row[0]),
                births=row[1],
                fields=tuple(name for name, lacking in zip(fields, row[4:], strict=True) if lacking),
            )
            for row in rows
        ),
    )


def count(connection: duckdb.DuckDBPyConnection, definition: Definition, scope: Reach) -> tuple[Counts, Counts]:
    """Own counts and others' counts of one indicator, of what was `gathered`."""
    rows = connection.execute(_query(definition), {"first": scope.first, "last": scope.last}).fetchall()
    own, others = Counts(), Counts()
    for mine, group, reason, not_carried, counts, placed, unknown in rows:
        side = own if mine else others
        cell = Cell(numerator=counts, denominator=counts + placed, unknown=unknown)
        side.total = side.total.plus(cell)
        if group:
            side.groups[group] = side.groups.get(group, EMPTY).plus(cell)
        if reason:
            side.reasons[reason, not_carried] += counts + placed + unknown
    order = {name: place for place, name in enumerate(definition.needs)}
    for side in (own, others):
        side.groups = _complete(definition, side)
        side.unknown_by = [
            Unknown(field=reason, births=births, not_carried=not_carried)
            for (reason, not_carried), births in sorted(
                side.reasons.items(), key=lambda item: (order.get(item[0][0], len(order)), item[0][1])
            )
        ]
    return own, others


def _complete(definition: Definition, side: Counts) -> dict[str, Cell]:
    """Every group of the definition, in its order, empty ones too; a band's births are the indicator's."""
    if definition.bands:
        empty: Mapping[str, Cell] = {band.id: EMPTY for band in definition.bands}
        return {
            name: Cell(
                numerator=side.groups.get(name, EMPTY).numerator,
                denominator=side.total.denominator,
                unknown=side.total.unknown,
            )
            for name in empty
        }
    names = (*definition.groups, UNCLASSIFIABLE) if definition.partition else ()
    return {name: side.groups.get(name, EMPTY) for name in names}


def _query(definition: Definition) -> str:
    """One row per side, group and reason: how many count, how many are placed, how many are unknown."""
    carried = " ".join(f"WHEN '{name}' THEN {name}{LACKS}" for name in definition.needs)
    years = "(mine OR $first IS NULL OR event_year BETWEEN $first AND $last)"
    return f"""
        SELECT mine, grouped, reason, coalesce(CASE reason {carried} END, FALSE) AS lacking,
            count(*) FILTER (inside AND event), count(*) FILTER (inside AND NOT event),
            count(*) FILTER ((inside AND event IS NOT NULL) IS NOT TRUE)
        FROM ({judged(definition, f"(FROM {_TABLE} WHERE {years})")}) GROUP BY ALL ORDER BY ALL
    """
