"""What a mapping does, field by field, and what it made of a file: for whoever writes one or looks for a slip in it."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any

import duckdb

from swaddle.dictionary.model import Dictionary
from swaddle.intake.mapping import UNITS, Mapping, Source, folded
from swaddle.intake.tables import VALUE_SHOWN

EXAMPLES = 3  # kinds of cells shown of a field, the most frequent first
_NOTHING = ""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a kind of cell became: the cell as the file writes it, the value or missing reason, and how often."""

    cell: str | None
    became: str | None
    count: int


@dataclass(frozen=True, kw_only=True)
class Explained:
    """One field: where it comes from, in words; what was made of the file's cells."""

    field: str
    title: str
    source: str
    changes: tuple[str, ...]
    made: tuple[Made, ...] = ()


def explain(mapping: Mapping, dictionary: Dictionary) -> list[Explained]:
    """Every field that the mapping gives, in the dictionary's order."""
    wide = dictionary.wide(mapping.form)
    return [
        Explained(
            field=name,
            title=each.title,
            source=_source(mapping.fields[name]),
            changes=tuple(_changes(mapping.fields[name], each.field.unit)),
        )
        for name, each in wide.items()
        if name in mapping.fields
    ]


def explain_file(
    connection: duckdb.DuckDBPyConnection, mapping: Mapping, dictionary: Dictionary, columns: tuple[str, ...]
) -> list[Explained]:
    """The same after `validate`, with what was made of the file's most frequent cells; fields it does not carry not."""
    places = {folded(name): place for place, name in enumerate(columns)}
    told = []
    for each in explain(mapping, dictionary):
        source = mapping.fields[each.field]
        if all(folded(name) in places for name in source.columns()):
            made = _made(connection, each.field, source, places)
            told.append(Explained(**{**vars(each), "made": made}))
    return told


def explained_json(told: list[Explained], mapping: Mapping) -> dict[str, Any]:
    """What `check --explain --json` prints beside the report."""
    return {
        "name": mapping.name,
        "title": mapping.title,
        "row": mapping.form,
        "format": mapping.format,
        "not_carried": sorted(mapping.not_carried),
        "fields": [
            {
                "field": each.field,
                "title": each.title,
                "from": each.source,
                "changes": list(each.changes),
                "made": [{"cell": one.cell, "became": one.became, "count": one.count} for one in each.made],
            }
            for each in told
        ],
    }


def _source(source: Source) -> str:
    if source.column is not None:
        return f"column {source.column.strip()}"
    return f"always {source.constant}" if source.constant is not None else f"worked out: {source.derived}"


def _changes(source: Source, unit: str) -> list[str]:
    changes = []
    if source.codes:
        changes.append("codes: " + _pairs(source.codes))
    if source.missing:
        changes.append("missing: " + _pairs({theirs or "(blank)": reason for theirs, reason in source.missing.items()}))
    if source.unit and (source.unit, unit) in UNITS:
        changes.append(f"unit: {source.unit} to {unit}")
    if source.format:
        changes.append(f"date: {source.format}")
    if source.optional:
        changes.append("may be absent")
    return changes


def _pairs(told: Map[str, str]) -> str:
    return ", ".join(f"{theirs} = {ours}" for theirs, ours in told.items())


def _made(connection: duckdb.DuckDBPyConnection, field: str, source: Source, places: Map[str, int]) -> tuple[Made, ...]:
    cells = [f"c{places[folded(name)]}" for name in sorted(source.columns())]
    cell = f"left(concat_ws(' / ', {', '.join(cells)}), {VALUE_SHOWN})" if cells else "NULL"
    rows = connection.execute(
        f"SELECT {cell}, left(coalesce(CAST({field} AS VARCHAR), {field}_missing), {VALUE_SHOWN}), count(*) AS n "
        f"FROM staged_raw JOIN checked_rows USING (line) GROUP BY ALL ORDER BY n DESC, 1, 2 LIMIT {EXAMPLES}"
    ).fetchall()
    return tuple(Made(cell=written or _NOTHING, became=became, count=count) for written, became, count in rows)
