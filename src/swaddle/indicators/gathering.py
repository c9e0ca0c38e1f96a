"""Reads a unit's relation once, into a table of the connection that holds no more than the definitions ask for.

What the registry's view gives is joins and windows over encrypted files: it is read once, not once an indicator. A
field that the relation has no column of is carried by nobody: NULL, and lacking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import duckdb

from swaddle.indicators.fields import UNITS, fields_of
from swaddle.indicators.model import Definition
from swaddle.intake.engine import identifier

FOR_PURPOSE = ("for_quality", "for_peers")
OF = "of_"  # before a unit's name: this row is one of them
_KEY = "key_"  # before the name of a column that tells which rows are one unit
LACKS = "_lacks"  # after a field's name: the layout of this row does not carry it


def gather(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    definitions: Sequence[Definition],
    *,
    extra: str,
    where: str = "TRUE",
    values: Mapping[str, object] | None = None,
    more: Iterable[str] = (),
) -> int:
    """Make the temporary table `table` of the rows of one relation; how many there are.

    Where the definitions are of one unit, the table holds its rows. Where they are of several (births and deliveries),
    it holds the rows of all, and a column `of_UNIT` says which are whose.

    Args:
        connection: has the unit's relation, or has it not: then nobody sends such records, and the table is empty.
        table: a name of the caller's own.
        definitions: of units that share a relation.
        extra: further columns, as SQL.
        where: which rows, as SQL; `values` are bound in both.
        values: what is bound.
        more: further fields (those of a stratum).
    """
    units = dict.fromkeys(item.counts_of for item in definitions)
    [relation] = {UNITS[unit].relation for unit in units}
    kinds = {name: kind for unit in units for name, kind in fields_of(unit).items()}
    wanted = dict.fromkeys([name for item in definitions for name in (*item.reads, *item.needs)])
    there = _columns(connection, relation)
    columns = [text for name in (*wanted, *more) for text in _field(name, kinds[name], there)]
    source = _who_may_be_counted(relation, there, values or {}) if there else _nobody()
    shared = {unit: _shared(unit, there) for unit in units}
    columns += dict.fromkeys(text for texts in shared.values() for text in texts)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT submitter, source, {extra}, {', '.join(columns)}"
        f" FROM {source} WHERE {where}",
        dict(values or {}),
    )
    for unit in units:
        later = _later(unit, table) if shared[unit] else ""
        if len(units) > 1:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {OF}{unit} BOOLEAN DEFAULT TRUE")
            if later:
                connection.execute(f"UPDATE {table} SET {OF}{unit} = FALSE WHERE rowid IN ({later})")
        elif later:
            connection.execute(f"DELETE FROM {table} WHERE rowid IN ({later})")
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def _shared(unit: str, there: frozenset[str]) -> list[str]:
    """The columns that tell which rows are one unit; none where each row is one, or where nothing tells."""
    names = (UNITS[unit].same, *UNITS[unit].first)
    return [f"{identifier(name)} AS {_KEY}{name}" for name in names] if there.issuperset(names) else []


def _later(unit: str, table: str) -> str:
    """SQL: the rows that are not the first of their unit. Few are, so only rows that share a key are put in order.

    A window over the whole relation would sort every column of every birth.
    """
    key, order = f"submitter, {_KEY}{UNITS[unit].same}", [f"{_KEY}{name} NULLS LAST" for name in UNITS[unit].first]
    several = f"SELECT {key} FROM {table} WHERE {_KEY}{UNITS[unit].same} IS NOT NULL GROUP BY ALL HAVING count(*) > 1"
    return (
        f"SELECT place FROM (SELECT rowid AS place, row_number() OVER (PARTITION BY {key} ORDER BY {', '.join(order)})"
        f" AS number FROM {table} WHERE ({key}) IN ({several})) WHERE number > 1"
    )


def _who_may_be_counted(relation: str, there: frozenset[str], values: Mapping[str, object]) -> str:
    """The rows whose persons let them be counted: for their own submitter's quality, or beside others.

    The registry's relations say so in two columns (registry/units.py); a row that has not both may be for one only. In
    a table of all submitters a row stands beside others' whatever it is read for, so both are asked.
    """
    quality, peers = (name if name in there else "TRUE" for name in FOR_PURPOSE)
    if "submitter" in values:
        return f"(FROM {relation} WHERE CASE WHEN submitter = $submitter THEN {quality} ELSE {peers} END)"
    return f"(FROM {relation} WHERE {quality} AND {peers})"


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> frozenset[str]:
    """The columns of a relation; none where it is not there."""
    try:
        described = connection.execute(f"SELECT * FROM {relation} LIMIT 0").description or []
    except duckdb.CatalogException:
        return frozenset()
    return frozenset(column[0] for column in described)


def _nobody() -> str:
    return (
        "(SELECT NULL::VARCHAR AS submitter, NULL::VARCHAR AS source, NULL::VARCHAR AS transfer,"
        " NULL::BIGINT AS event_year, NULL::BIGINT AS event_month WHERE FALSE)"
    )


def _field(name: str, kind: str, there: frozenset[str]) -> tuple[str, str]:
    """The field, and whether the layout of the row lacks it."""
    quoted, missing = identifier(name), f"{name}_missing"
    if name not in there:
        return f"NULL::{kind} AS {quoted}", f"TRUE AS {name}{LACKS}"
    lacks = f"({quoted} IS NULL AND {identifier(missing)} IS NOT DISTINCT FROM 'NC')" if missing in there else "FALSE"
    return quoted, f"{lacks} AS {name}{LACKS}"
