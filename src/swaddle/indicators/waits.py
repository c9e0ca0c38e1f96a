"""How many days things took: from birth to the registry, from sample to laboratory to result. SQL and counts only.

A median and the days within which nine in ten were done; a mean would be one lost card's. Read from the table that
`gathering.gather` made: only who may be counted is in it, and nothing is read twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb

FEWEST_FOR_NINE = 10  # under ten, nine in ten is no number of anything
# What is waited for: the columns from and to; one column where it holds days itself.
WAITS: Mapping[str, tuple[str, ...]] = {
    "birth to registry": ("data_days",),
    "birth to sample": ("screen_birth_dt", "screen_collection_dt"),
    "sample to laboratory": ("screen_collection_dt", "screen_received_dt"),
    "laboratory to result": ("screen_received_dt", "screen_reported_dt"),
    "sample to result": ("screen_collection_dt", "screen_reported_dt"),
}
_A_DAY = 86400.0


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Of how many, the median and the 90th percentile in days; the latter None where there are fewer than ten."""

    count: int
    median: float
    nine_in_ten: float | None


@dataclass(frozen=True, kw_only=True)
class Wait:
    """One wait: its name of WAITS, that of the month, and that of the time before it; None where nothing is dated."""

    name: str
    now: Spread | None
    before: Spread | None


def waits(tables: duckdb.DuckDBPyConnection, table: str, place: int) -> Iterator[Wait]:
    """The waits that this table has the columns for, and of which anything is known.

    Args:
        tables: a connection that has the table.
        table: as `gather` made it, with a column `place`, months since year 0.
        place: the month; every other row is of the time before.
    """
    there = {column[0] for column in tables.execute(f"select * from {table} limit 0").description or []}
    for name, columns in WAITS.items():
        if not there.issuperset(columns):
            continue
        days = columns[0] if len(columns) == 1 else _between(*columns)
        rows = tables.execute(
            "select now, count(*), quantile_cont(days, 0.5), quantile_cont(days, 0.9)"
            f" from (select place = {place} as now, {days} as days from {table})"
            " where days >= 0 group by 1"  # what ends before it begins is a wrong date, not a short wait
        ).fetchall()
        spread = {
            now: Spread(count=count, median=median, nine_in_ten=nine if count >= FEWEST_FOR_NINE else None)
            for now, count, median, nine in rows
        }
        if spread:
            yield Wait(name=name, now=spread.get(True), before=spread.get(False))


def _between(first: str, second: str) -> str:
    moments = (f"epoch(try_cast({each} as timestamp))" for each in (second, first))
    return f"({' - '.join(moments)}) / {_A_DAY}"
