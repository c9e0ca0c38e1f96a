"""Which checks and rules fired, and on which rows: bits of rows, rules over the file, rows that stand in it twice."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from swaddle.dictionary.model import Dictionary, Rule
from swaddle.errors import OurBug
from swaddle.intake.engine import literal
from swaddle.intake.layers import BITS_A_MASK
from swaddle.intake.plan import Bit, Plan
from swaddle.intake.tables import NOT_VOID, Staged

# What parts the rows of a window that looks at all rows of its part, or at those before: `x AS (PARTITION BY …)`.
_PARTED_BY = re.compile(r"[a-z]+ AS \(PARTITION BY ([a-z_0-9]+)(?:, [a-z_0-9]+)*(?: ORDER BY [a-z_0-9, ]+)?\)")


@dataclass(frozen=True)
class Hit:
    """A kind of finding that occurred: what, the SQL of its lines, how often, whether it is told once for the file.

    `place` is that of its bit in the masks; -1 where it has none.
    """

    bit: Bit
    lines_sql: str
    count: int
    once: bool
    place: int = -1


def counts(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    """One row of counts; of nothing, 0."""
    row = connection.execute(sql).fetchone()
    if row is None:
        raise OurBug("a count came back empty")
    return tuple(int(each or 0) for each in row)


def make_file_hits(connection: duckdb.DuckDBPyConnection, staged: Staged, plan: Plan) -> None:
    """checked_file_hits: lines that break a rule over the file; checked_duplicates: rows whose content stands above."""
    run = connection.execute
    run("CREATE OR REPLACE TEMP TABLE checked_file_hits (line BIGINT, id VARCHAR, field VARCHAR, scope VARCHAR)")
    not_void = [NOT_VOID] if any(each.name == "action" for each in plan.carried) else []
    there: dict[str, bool] = {}
    for rule in plan.file_rules:
        known = " AND ".join([*(f"{name} IS NOT NULL" for name in rule.fields), *not_void])
        if field := _shared(rule):
            if field not in there:
                there[field] = _make_not_alone(connection, field)
            if not there[field]:
                continue
            known += f" AND {field} IN (FROM checked_not_alone_{field})"
        run(
            f"INSERT INTO checked_file_hits SELECT line, {literal(rule.id)}, {literal(rule.shows)}, 'file' "
            "FROM (SELECT line, "
            f"({rule.holds}) AS holds FROM checked_base WHERE {known} WINDOW {rule.window}) WHERE NOT holds"
        )
    for field in there:
        run(f"DROP TABLE checked_not_alone_{field}")
    run("CREATE OR REPLACE TEMP TABLE checked_duplicates (line BIGINT)")
    if staged.mapping.keys_derived:
        return  # (file, row) is never there twice
    cells = ", ".join(f"coalesce(c{n}, chr(30))" for n in range(len(staged.columns)))
    # Two versions of one record that say which is which may stand in one file; the registry takes them in their order.
    key = "local_record_id"
    if any(each.name == "record_version" for each in plan.carried):
        key = f"{key} || coalesce(chr(31) || record_version, '')"
    # Most files repeat no number: their rows are not looked at again.
    run(
        "CREATE OR REPLACE TEMP TABLE checked_repeated AS SELECT local_record_id FROM checked_base "
        "GROUP BY ALL HAVING count(local_record_id) > 1"
    )
    if counts(connection, "SELECT count(*) FROM checked_repeated") == (0,):
        run("DROP TABLE checked_repeated")
        return
    run(
        f"CREATE OR REPLACE TEMP TABLE checked_twice AS SELECT line, {key} AS key, "
        f"concat_ws(chr(31), {cells}) AS content FROM checked_base JOIN staged_raw USING (line) "
        "WHERE local_record_id IN (SELECT local_record_id FROM checked_repeated)"
    )
    run("DROP TABLE checked_repeated")
    run(
        "INSERT INTO checked_file_hits SELECT line, 'D1', 'local_record_id', 'file' FROM checked_twice WHERE key IN "
        "(SELECT key FROM checked_twice GROUP BY key HAVING count(DISTINCT content) > 1)"
    )
    run(
        "INSERT INTO checked_duplicates SELECT line FROM checked_twice "
        "WHERE line NOT IN (SELECT line FROM checked_file_hits WHERE id = 'D1') "
        "AND line NOT IN (SELECT min(line) FROM checked_twice GROUP BY key)"
    )
    run("DROP TABLE checked_twice")


def _shared(rule: Rule) -> str:
    """A field that all rows of one window of the rule have in common; "" where none is sure."""
    parted = _PARTED_BY.fullmatch(" ".join(rule.window.split()))
    return parted[1] if parted and parted[1] in rule.fields else ""


def _make_not_alone(connection: duckdb.DuckDBPyConnection, field: str) -> bool:
    """checked_not_alone_<field>: the values that several rows have; whether there are any.

    A rule over several rows holds for one that stands alone in its window, and most do.
    """
    table = f"checked_not_alone_{field}"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS "
        f"SELECT {field} FROM checked_base GROUP BY ALL HAVING count({field}) > 1"
    )
    return counts(connection, f"SELECT count(*) FROM {table}") != (0,)


def find(connection: duckdb.DuckDBPyConnection, staged: Staged, plan: Plan, dictionary: Dictionary) -> list[Hit]:
    """Every kind of finding about rows that occurred, after `make_file_hits`.

    What fires on over half of the rows and rejects none is told once for the file.
    """

    def hit(bit: Bit, lines_sql: str, count: int, place: int = -1) -> Hit:
        return Hit(bit, lines_sql, count, once=count * 2 > staged.rows_read and bit.severity != "error", place=place)

    hits: list[Hit] = []
    if plan.bits:
        tests = ", ".join(
            f"count_if((mask{n // BITS_A_MASK} & {1 << n % BITS_A_MASK}::UBIGINT) <> 0)" for n in range(len(plan.bits))
        )
        for n, count in enumerate(counts(connection, f"SELECT {tests} FROM checked_base")):
            if count:
                hits.append(hit(plan.bits[n], f"SELECT line FROM checked_base WHERE {plan.test([n])}", count, n))
    rules = {(rule.id, rule.shows): rule for rule in plan.over_file}
    over_file = connection.execute(
        "SELECT id, field, scope, count(*) FROM checked_file_hits GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    for check, field, scope, count in over_file:
        rule = rules.get((check, field))
        severity = rule.severity if rule else dictionary.checks[check].severity
        bit = Bit(id=check, severity=severity, field=field, fires="", scope=scope, rule=rule)
        where = f"id = {literal(check)} AND field = {literal(field)} AND scope = {literal(scope)}"
        hits.append(hit(bit, f"SELECT line FROM checked_file_hits WHERE {where}", count))
    return hits
