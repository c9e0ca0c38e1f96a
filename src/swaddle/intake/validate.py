"""Checks every row of a file against the dictionary: the same on the submitter's machine and inside the registry.

The SQL comes from plan.py. One pass over the rows makes the typed values and a bit for each thing that is wrong; what
is said about a row is then looked up for the rows with a bit set. `check` and the registry agree to the letter on row
and file rules because both call `validate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb

from swaddle.dictionary.model import Dictionary
from swaddle.errors import OurBug
from swaddle.intake import cast, packing
from swaddle.intake.engine import literal
from swaddle.intake.faults import MappingFault, TooLarge
from swaddle.intake.findings import report_json, words
from swaddle.intake.hits import Hit, counts, find, make_file_hits
from swaddle.intake.joining import keep, make_joined_hits
from swaddle.intake.lookups import Beside
from swaddle.intake.plan import Plan, build
from swaddle.intake.rejected import write_rejected_csv
from swaddle.intake.summarise import EXAMPLES, summarise
from swaddle.intake.tables import VALUE_SHOWN, Checked, Staged
from swaddle.intake.together import make_later_hits

__all__ = ["report_json", "validate", "write_rejected_csv"]


def validate(
    staged: Staged,
    dictionary: Dictionary,
    connection: duckdb.DuckDBPyConnection,
    *,
    submitter: str | None,
    sites: set[str] | None,
    at: datetime,
    historical: bool = False,
    beside: Beside | None = None,
) -> Checked:
    """Check what `read` staged; makes checked_rows and checked_findings (intake/tables.py).

    Args:
        staged: from `read.read`, over the same connection.
        dictionary: the version that the mapping is for.
        connection: holds the staged tables.
        submitter: who sends, from the verified manifest; another one in the file is an error. None (not known on this
            machine) leaves that to the registry.
        sites: the submitter's registered sites; None (on the submitter's machine) leaves that to the registry.
        at: when; nothing after it can have happened.
        historical: births of long ago are expected.
        beside: earlier sheets of the same file, and what the registry holds; None looks nothing up.

    Raises:
        MappingFault: an expression of the mapping fails on this file.
        TooLarge: the rows do not fit in the memory that is allowed.
    """
    beside = beside or Beside(more_follow=False)
    historical = historical or staged.mapping.historical
    plan = build(
        staged.mapping,
        staged.columns,
        dictionary,
        file_digest=staged.file_digest,
        submitter=submitter,
        sites=sites,
        submitted_on=at.date(),
        historical=historical,
    )
    try:
        _make_rows(connection, staged, plan)
        make_file_hits(connection, staged, plan)
        joined = make_joined_hits(connection, plan, beside, submitted_on=at.date(), historical=historical)
        joined |= make_later_hits(connection, plan, beside, submitted_on=at.date(), historical=historical)
        hits = find(connection, staged, plan, dictionary)
        _make_findings(connection, staged, plan, hits)
        _make_marks(connection, plan)
        _make_view(connection, dictionary, staged, plan)
        _make_words(connection, staged, dictionary, hits)
        if beside.more_follow:
            keep(connection, dictionary, plan, beside)
        return summarise(
            connection,
            staged,
            dictionary,
            plan,
            hits,
            joined=joined,
            registry_only=_registry_only(
                plan, beside, submitter_known=submitter is not None, sites_known=sites is not None
            ),
        )
    except duckdb.OutOfMemoryException:
        raise TooLarge("its rows do not fit in the memory that is allowed") from None


def _registry_only(plan: Plan, beside: Beside, *, submitter_known: bool, sites_known: bool) -> tuple[str, ...]:
    """Ids of what only the registry can ask of this sheet."""
    known = beside.held is not None
    rules = () if known else tuple(dict.fromkeys(rule.id for rule in (*(j.rule for j in plan.joined), *plan.later)))
    return (*(() if submitter_known else ("H1",)), *(() if sites_known else ("H2",)), *rules)


def _make_rows(connection: duckdb.DuckDBPyConnection, staged: Staged, plan: Plan) -> None:
    """checked_base: the carried fields, typed, and the masks; a broken line is a row of nothing."""
    try:
        _make_base(connection, staged, plan)
    except duckdb.OutOfMemoryException:
        raise
    except (duckdb.ConversionException, duckdb.BinderException, duckdb.OutOfRangeException) as error:
        if any(source.derived for source in staged.mapping.fields.values()):
            raise MappingFault("an expression in it does not fit the values (text and numbers mixed?)") from None
        raise OurBug(f"a check could not be made ({type(error).__name__})") from None
    connection.execute("INSERT INTO checked_base BY NAME SELECT line FROM staged_broken")
    if counts(connection, "SELECT count(*) FROM checked_base") != (staged.rows_read,):
        raise OurBug("the rows checked are not the rows read")


def _make_base(connection: duckdb.DuckDBPyConnection, staged: Staged, plan: Plan) -> None:
    packed = packing.packs(connection, staged.rows_read, len(staged.columns))
    new = packing.new(connection, "checked_base", packed=packed)
    if not packed:
        connection.execute(f"CREATE {new} AS {plan.select}")
        return
    connection.execute(f"CREATE {new} AS {plan.select_of('(SELECT * FROM staged_raw LIMIT 0)')}")
    for first, last in packing.ranges(staged.rows_read):
        rows = f"(SELECT * FROM staged_raw WHERE rowid BETWEEN {first} AND {last})"
        connection.execute(f"INSERT INTO checked_base {plan.select_of(rows)}")
        packing.pack(connection)


def _make_findings(connection: duckdb.DuckDBPyConnection, staged: Staged, plan: Plan, hits: Sequence[Hit]) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE checked_findings "
        "(line BIGINT, rule VARCHAR, severity VARCHAR, field VARCHAR, value VARCHAR)"
    )
    cells = dict(plan.cells)
    for place, name in enumerate(staged.columns):
        if name.strip().casefold() in {"submitter", "dictionary_version"}:
            cells[name.strip().casefold()] = f"c{place}"
    shown = sorted({cells[hit.bit.field] for hit in hits if not hit.once and hit.bit.field in cells})
    _make_found(connection, plan, hits, shown)
    for hit in hits:
        bit = hit.bit
        names = ", ".join(map(literal, (bit.id, bit.severity, bit.field)))
        if hit.once:
            value, where = cells.get(bit.field, "NULL"), f"staged_raw WHERE line IN ({hit.lines_sql})"
            where += f" ORDER BY line LIMIT {EXAMPLES}"
        else:
            value = f"v{shown.index(cells[bit.field])}" if bit.field in cells else "NULL"
            test = plan.test([hit.place]) if hit.place >= 0 else f"line IN ({hit.lines_sql})"
            where = f"checked_found WHERE {test}"
        connection.execute(
            f"INSERT INTO checked_findings SELECT line, {names}, left({value}, {VALUE_SHOWN}) FROM {where}"
        )
    connection.execute("DROP TABLE checked_found")
    connection.execute(
        "INSERT INTO checked_findings SELECT line, why, 'error', '', left(raw, ?) FROM staged_broken", [VALUE_SHOWN]
    )


def _make_found(connection: duckdb.DuckDBPyConnection, plan: Plan, hits: Sequence[Hit], shown: Sequence[str]) -> None:
    """checked_found: the rows with a finding that is listed, once: their masks, and the cells that findings show."""
    places = [hit.place for hit in hits if not hit.once and hit.place >= 0]
    masks = "".join(f", b.mask{n}" for n in range(plan.masks))
    values = "".join(f", {cell} AS v{n}" for n, cell in enumerate(shown))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE checked_found AS SELECT line{masks}{values} "
        "FROM checked_base b JOIN staged_raw USING (line) "
        f"WHERE {plan.test(places)} OR line IN (SELECT line FROM checked_file_hits)"
    )


def _make_marks(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """checked_marks: lines that are rejected, and lines that are duplicates; most lines are neither."""
    errors = [n for n, bit in enumerate(plan.bits) if bit.severity == "error"]
    over_file = [*(rule.id for rule in plan.over_file if rule.severity == "error"), "D1"]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE checked_marks AS SELECT line, bool_or(rejected) AS rejected FROM ("
        f"SELECT line, true AS rejected FROM checked_base WHERE {plan.test(errors)} "
        "UNION ALL SELECT line, true FROM staged_broken "
        f"UNION ALL SELECT line, true FROM checked_file_hits WHERE id IN ({', '.join(map(literal, over_file))}) "
        "UNION ALL SELECT line, false FROM checked_duplicates) GROUP BY line"
    )


def _make_view(connection: duckdb.DuckDBPyConnection, dictionary: Dictionary, staged: Staged, plan: Plan) -> None:
    """checked_rows: every wide field of the form; what the layout does not carry costs no memory."""
    columns = ["b.line", "CASE WHEN m.rejected THEN 'rejected' ELSE 'accepted' END AS verdict"]
    columns += ["coalesce(NOT m.rejected, false) AS duplicate", "b.event_first", "b.event_last"]
    carried = {each.name for each in plan.carried}
    for each in dictionary.wide_fields(staged.mapping.form):
        if each.name in carried:
            columns += [f"b.{each.name}", f"CAST(b.{each.name}_missing AS VARCHAR) AS {each.name}_missing"]
        else:
            columns.append(f"CAST(NULL AS {cast.TYPES[each.field.type]}) AS {each.name}")
            columns.append(f"CASE WHEN b.mask0 IS NOT NULL THEN 'NC' END AS {each.name}_missing")
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW checked_rows_unlinked AS SELECT {', '.join(columns)} "
        "FROM checked_base b LEFT JOIN checked_marks m USING (line)"
    )
    connection.execute("CREATE OR REPLACE TEMP VIEW checked_rows AS FROM checked_rows_unlinked")


def _make_words(
    connection: duckdb.DuckDBPyConnection, staged: Staged, dictionary: Dictionary, hits: Sequence[Hit]
) -> None:
    """The file's column names, and reason and fix of what occurred, for whoever writes the rejected rows out."""
    run = connection.execute
    run(
        "CREATE OR REPLACE TEMP TABLE checked_columns AS "
        "SELECT unnest(range(?)) AS place, unnest(?::VARCHAR[]) AS name",
        [len(staged.columns), list(staged.columns)],
    )
    run("CREATE OR REPLACE TEMP TABLE checked_fixes (rule VARCHAR, field VARCHAR, reason VARCHAR, fix VARCHAR)")
    kinds = [(hit.bit.id, hit.bit.field, hit.bit.rule) for hit in hits]
    kinds += [(why, "", None) for (why,) in run("SELECT DISTINCT why FROM staged_broken").fetchall()]
    for check, field, rule in kinds:
        run("INSERT INTO checked_fixes VALUES (?, ?, ?, ?)", [check, field, *words(dictionary, check, field, rule, {})])
