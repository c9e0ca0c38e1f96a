"""Runs a definition over its own worked example: ten made-up rows, each of which must become what it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import duckdb

from swaddle.indicators.fields import fields_of
from swaddle.indicators.judging import judged
from swaddle.indicators.model import Definition, Example
from swaddle.intake.engine import identifier

LARGEST = 1_000_000  # no field of the dictionary holds a larger number


def wrong(definition: Definition) -> Iterator[str]:
    """What does not become what the example says, a sentence each; nothing when all is well."""
    names = tuple(dict.fromkeys((*definition.reads, *definition.needs)))
    kinds = fields_of(definition.counts_of)
    columns = ", ".join(f"?::{kinds[name]} AS {identifier(name)}" for name in names)
    with closing(duckdb.connect()) as connection:
        for number, row in enumerate(definition.examples, 1):
            try:
                found = connection.execute(
                    f"SELECT inside, event, grouped, part, reason FROM ({judged(definition, f'(SELECT {columns})')})",
                    [row.birth.get(name) for name in names],
                ).fetchone()
            except duckdb.Error:
                yield "an expression compares or adds what cannot be: a number with a text, a code with a number"
                return
            yield from _compared(definition, number, row, found)
        yield from _overflows(connection, definition, names)


def _overflows(connection: duckdb.DuckDBPyConnection, definition: Definition, names: tuple[str, ...]) -> Iterator[str]:
    """Whether numbers larger than any field may hold break it: what its ten rows do not show must not stop a night."""
    kinds = fields_of(definition.counts_of)
    for number in (LARGEST, -LARGEST):
        columns = ", ".join(
            f"{number if kinds[name] in ('BIGINT', 'DOUBLE') else 'NULL'}::{kinds[name]} AS {identifier(name)}"
            for name in names
        )
        try:
            connection.execute(f"SELECT * FROM ({judged(definition, f'(SELECT {columns})')})").fetchone()
        except duckdb.Error:
            yield "an expression grows beyond what a number can hold"
            return


def _compared(definition: Definition, number: int, row: Example, found: tuple[object, ...] | None) -> Iterator[str]:
    if found is None:
        becomes, group = "out", ""
    else:
        inside, event, grouped, part, reason = found
        becomes = "unknown" if not inside or event is None or reason else "counts" if event else "placed"
        group = str(part if definition.partition else grouped if becomes == "counts" else "")
    if becomes != row.outcome:
        yield f"line {number} of the example becomes {becomes}, not {row.outcome}"
    elif group != row.group and found is not None:
        yield f"line {number} of the example is in {group or 'no group'!r}, not {row.group or 'none'!r}"
