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
    which = {unit: f"({UNITS[unit].one})" if _can_tell(UNITS[unit].one, there) else "TRUE" for unit in units}
    one = next(iter(which.values()))
    if len(units) > 1:
        one, columns = "TRUE", [*columns, *(f"{told} AS {OF}{unit}" for unit, told in which.items())]
    row = connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT submitter, source, {extra}, {', '.join(columns)}"
        f" FROM {source} WHERE {where}{'' if one == 'TRUE' else f' QUALIFY {one}'}",
        dict(values or {}),
    ).fetchone()
    return int(row[0]) if row else 0


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


def _can_tell(one: str, there: frozenset[str]) -> bool:
    return bool(one) and all(
        name in there for name in ("delivery_local_id", "birth_order", "load_id", "line") if name in one
    )
