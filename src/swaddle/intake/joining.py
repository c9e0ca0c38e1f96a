"""Rules over records of several types, asked: the records are found (lookups.py), then the rule is asked of each row.

A row is asked where what the rule needs was found and is known; the others are not evaluated, and counted so. On a
submitter's machine records are found in earlier sheets of the same file; the registry finds them in its store too, and
says of a finding which it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import duckdb

from swaddle.dictionary.lint import COUNT
from swaddle.dictionary.model import Dictionary
from swaddle.intake.bearers import BIRTH, forget_cards, trust_cards
from swaddle.intake.engine import literal
from swaddle.intake.hits import counts
from swaddle.intake.lookups import WAYS, Beside, asking_sql, found_sql, keep_sql
from swaddle.intake.plan import Plan
from swaddle.intake.sorting import Joined


def make_joined_hits(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    beside: Beside,
    *,
    submitted_on: date,
    historical: bool,
) -> dict[str, int]:
    """Add to checked_file_hits what breaks a joined rule; rule id to rows of which it was asked."""
    askable = [each for each in plan.joined if _can_ask(each, beside)]
    asked: dict[str, int] = {each.rule.id: 0 for each in plan.joined}
    if not askable:
        return asked
    carried = {each.name for each in plan.carried}
    connection.execute(f"CREATE OR REPLACE TEMP TABLE asking AS {asking_sql(carried, beside.held)}")
    trust_cards(connection, carried, set(plan.held), beside)
    wanted: dict[str, set[str]] = {}
    types = {name: kind for each in askable for name, kind in each.types.items()}
    for each in askable:
        for slot, names in each.slots.items():
            wanted.setdefault(slot, set()).update(names)
    for slot, read in wanted.items():
        sql = found_sql(slot, sorted(read), beside, types)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE found_{slot} AS {sql}")
    constants = (
        f"DATE '{submitted_on.isoformat()}' AS submitted_on",
        f"{'true' if historical else 'false'} AS historical",
    )
    for each in askable:
        evaluated = _ask(connection, each, carried, constants)
        asked[each.rule.id] = max(asked[each.rule.id], evaluated)
    for table in ("asking", *(f"found_{slot}" for slot in wanted)):
        connection.execute(f"DROP TABLE {table}")
    forget_cards(connection)
    return asked


def keep(connection: duckdb.DuckDBPyConnection, dictionary: Dictionary, plan: Plan, beside: Beside) -> None:
    """Keep the accepted records of this sheet for the lookups of later ones."""
    carried = {each.name for each in plan.carried}
    for slot in plan.held & set(WAYS):
        for sql in keep_sql(dictionary, slot, carried, is_birth=BIRTH in plan.held):
            connection.execute(sql)
        beside.slots.add(slot)


def _can_ask(joined: Joined, beside: Beside) -> bool:
    """Whether everything that it looks up can be looked up; how many there are, only the registry can say."""
    if any(slot not in WAYS for slot in joined.slots):
        return False
    if beside.held is None and (_counts(joined) or joined.rule.absent or joined.rule.scope == "registry"):
        return False
    needed = joined.needed or frozenset(joined.slots)
    return all(beside.has(slot) for slot in joined.needed) and any(beside.has(slot) for slot in needed)


def _counts(joined: Joined) -> list[str]:
    return [slot for slot in joined.slots if f"{slot}{COUNT}" in joined.rule.named]


def _ask(
    connection: duckdb.DuckDBPyConnection,
    joined: Joined,
    carried: Iterable[str],
    constants: Sequence[str],
) -> int:
    """Ask one rule of the rows that it can be asked of; their number."""
    rule = joined.rule
    there = set(carried)
    columns = ["b.line", "b.event_first", "b.event_last", *constants]
    for name in joined.local:
        columns += (
            [f"b.{name}", f"b.{name}_missing"]
            if name in there
            else [f"CAST(NULL AS {joined.types[name]}) AS {name}", f"'NC' AS {name}_missing"]
        )
    origins, found, tables = [], [], []
    for slot, names in joined.slots.items():
        tables.append(f"JOIN found_{slot} f_{slot} USING (line)")
        columns += [f"f_{slot}.{column}" for name in names for column in (name, f"{name}_missing")]
        origins.append(f"f_{slot}.origin = 'registry'")
        if f"{slot}{COUNT}" in rule.named:
            columns.append(f"f_{slot}.number AS {slot}{COUNT}")
        if names:
            columns.append(f"f_{slot}.is_found AS {slot}__is_found")
            found.append(slot)
    columns.append(f"{' OR '.join(origins)} AS is_of_registry")
    needed = [f"{slot}__is_found" for slot in joined.needed]
    if not needed and found:
        needed = [f"({' OR '.join(f'{slot}__is_found' for slot in found)})"]
    known = " AND ".join([*needed, *(f"{name} IS NOT NULL" for name in rule.fields)]) or "true"
    holds = f"({rule.holds})"
    evaluated, fires = f"({known}) AND {holds} IS NOT NULL", f"({known}) AND NOT {holds}"
    if rule.absent and found:
        nothing = f"NOT ({' OR '.join(f'{slot}__is_found' for slot in found)})"
        local = " AND ".join(f"{name} IS NOT NULL" for name in rule.fields if name in joined.local) or "true"
        evaluated = f"CASE WHEN {nothing} THEN {local} ELSE {evaluated} END"
        broken = f"{local} AND NOT coalesce({holds}, false)" if rule.absent == "fails" else "false"
        fires = f"CASE WHEN {nothing} THEN {broken} ELSE {fires} END"
    scope = "CASE WHEN is_of_registry THEN 'registry' ELSE 'file' END"
    if rule.scope == "registry" or _counts(joined) or rule.absent:
        scope = "'registry'"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE asked AS SELECT line, "
        f"coalesce({evaluated}, false) AS evaluated, coalesce({fires}, false) AS fires, {scope} AS scope "
        f"FROM (SELECT {', '.join(columns)} FROM checked_base b {' '.join(tables)})"
    )
    connection.execute(
        f"INSERT INTO checked_file_hits SELECT line, {literal(rule.id)}, {literal(rule.shows)}, scope "
        "FROM asked WHERE fires"
    )
    return counts(connection, "SELECT count_if(evaluated) FROM asked")[0]
