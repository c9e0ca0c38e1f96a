"""All indicators of all submitters in one go: a table of whole counts by submitter, month and group.

For whoever compares (funnels, control charts) or keeps a snapshot. The counts are everybody's own: nothing here may
leave the registry but through `disclosure`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import duckdb

from swaddle.indicators.fields import UNITS, fields_of
from swaddle.indicators.gathering import OF, gather
from swaddle.indicators.judging import numbered, told
from swaddle.indicators.language import Compiler
from swaddle.indicators.model import BadDefinition, Definition, Stratum
from swaddle.intake.engine import literal

TABLE = "indicator_counts"
COLUMNS = (
    "indicator VARCHAR, submitter VARCHAR, year BIGINT, month BIGINT, stratum VARCHAR, grouped VARCHAR,"
    " reason VARCHAR, lacking BOOLEAN, counts BIGINT, placed BIGINT, unknown BIGINT"
)
_ROWS = "indicator_rows"


@dataclass(frozen=True, kw_only=True)
class Split:
    """By what the counts are parted further: a stratum that every definition asked for has the fields of."""

    stratum: Stratum
    terms: Mapping[str, str]


def tally(connection: duckdb.DuckDBPyConnection, definitions: Sequence[Definition], by: Split | None = None) -> int:
    """Count `definitions` over all submitters and times, into the temporary table `indicator_counts`.

    Each relation is read once, births for deliveries too; each definition is one pass over what it left, which holds
    only the columns that are asked for. A row of the table is one submitter, month, group and reason.

    Args:
        connection: has the units' relations (fields.UNITS); one that is not there has no rows.
        definitions: which.
        by: part the counts further.

    Returns:
        How many rows of the relations were read.

    Raises:
        BadDefinition: the unit has not the fields of the stratum.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {TABLE} ({COLUMNS})")
    read = 0
    in_order = sorted(definitions, key=lambda item: UNITS[item.counts_of].relation)
    for _, items in groupby(in_order, key=lambda item: UNITS[item.counts_of].relation):
        together = list(items)
        units = {item.counts_of for item in together}
        part, fields = _part(by, min(units))
        try:
            read += gather(connection, _ROWS, together, extra="event_year AS year, event_month AS month", more=fields)
            for item in together:
                only = f" WHERE {OF}{item.counts_of}" if len(units) > 1 else ""
                connection.execute(_query(item, part, f"(FROM {_ROWS}{only})"))
        finally:
            connection.execute(f"DROP TABLE IF EXISTS {_ROWS}")
    return read


def _part(by: Split | None, unit: str) -> tuple[str, tuple[str, ...]]:
    """SQL of the stratum's part, and the fields that it reads."""
    if by is None:
        return "''", ()
    compiler = Compiler(fields_of(unit), by.terms)
    try:
        return f"coalesce({compiler.sql(by.stratum.text)}, 'unknown')", tuple(compiler.read)
    except ValueError as error:
        raise BadDefinition(f"this unit cannot be split so: {error}", definition=by.stratum.id) from error


def _query(item: Definition, part: str, source: str) -> str:
    return (
        f"INSERT INTO {TABLE} SELECT {literal(item.id)}, submitter, year, month, stratum, {told(item)}"
        f" FROM (SELECT submitter, year, month, {part} AS stratum, part, code, count(*) AS many"
        f" FROM ({numbered(item, source)}) GROUP BY ALL) GROUP BY ALL"
    )


@dataclass(frozen=True, kw_only=True)
class Sum:
    """One line of a tally, summed: how many count, of how many that could be placed, and how many are unknown."""

    key: tuple[object, ...]
    numerator: int
    denominator: int
    unknown: int


def sums(connection: duckdb.DuckDBPyConnection, indicator: str, by: Sequence[str] = ()) -> list[Sum]:
    """The counts of one indicator, summed over everything but `by` (columns of the table, in this order).

    Raises:
        ValueError: a column that the table has not.
    """
    allowed = ("submitter", "year", "month", "stratum", "grouped")
    if strangers := [name for name in by if name not in allowed]:
        raise ValueError(f"counts are by {allowed}, not {strangers}")
    keys = "".join(f"{name}, " for name in by)
    rows = connection.execute(
        f"SELECT {keys} sum(counts)::BIGINT, sum(placed)::BIGINT, sum(unknown)::BIGINT FROM {TABLE}"
        " WHERE indicator = $indicator" + (f" GROUP BY {keys[:-2]} ORDER BY {keys[:-2]}" if by else ""),
        {"indicator": indicator},
    ).fetchall()
    width = len(by)
    return [
        Sum(key=row[:width], numerator=row[-3] or 0, denominator=(row[-3] or 0) + (row[-2] or 0), unknown=row[-1] or 0)
        for row in rows
    ]
