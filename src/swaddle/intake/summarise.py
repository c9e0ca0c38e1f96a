"""What a check found, as one value: counts, findings in words with examples, records by type."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from swaddle.dictionary.model import Dictionary
from swaddle.intake.findings import sort_key, words
from swaddle.intake.hits import Hit, counts
from swaddle.intake.plan import Bit, Plan
from swaddle.intake.tables import REFUSED_OVER, Checked, Example, Finding, FindingSummary, Staged

EXAMPLES = 5


def summarise(
    connection: duckdb.DuckDBPyConnection,
    staged: Staged,
    dictionary: Dictionary,
    plan: Plan,
    hits: Sequence[Hit],
    *,
    submitter_known: bool,
    sites_known: bool,
) -> Checked:
    """The value of a check whose tables are made."""
    rejected, duplicates = counts(connection, "SELECT count_if(rejected), count_if(NOT rejected) FROM checked_marks")
    findings = [
        *_row_findings(connection, dictionary, hits),
        *_file_findings(connection, staged, dictionary, plan, duplicates),
    ]
    return Checked(
        rows_read=staged.rows_read,
        accepted=staged.rows_read - rejected,
        rejected=rejected,
        duplicates=duplicates,
        refused=rejected > staged.rows_read * REFUSED_OVER,
        findings=tuple(sorted(findings, key=sort_key)),
        not_carried=tuple(each.name for each in plan.not_carried),
        not_evaluated=_not_evaluated(connection, staged, plan),
        records=_records(connection, plan),
        kind=staged.mapping.name,
        title=staged.mapping.title,
        dictionary_version=dictionary.version,
        keys_derived=staged.mapping.keys_derived,
        columns=staged.columns,
        registry_only=(*(() if submitter_known else ("H1",)), *(() if sites_known else ("H2",))),
    )


def _row_findings(
    connection: duckdb.DuckDBPyConnection, dictionary: Dictionary, hits: Sequence[Hit]
) -> list[FindingSummary]:
    broken = connection.execute("SELECT why, count(*) FROM staged_broken GROUP BY why").fetchall()
    lineless = [Hit(Bit(id=why, severity="error", field="", fires=""), "", count, once=False) for why, count in broken]
    summaries = []
    for hit in [*hits, *lineless]:
        bit = hit.bit
        text, fix = words(dictionary, bit.id, bit.field, bit.rule, {})
        scope = bit.rule.scope if bit.rule else dictionary.checks[bit.id].scope
        summaries.append(
            FindingSummary(
                rule=bit.id,
                scope="file" if hit.once else scope,
                severity=bit.severity,
                count=hit.count,
                field=bit.field,
                text=text,
                fix=fix,
                examples=_examples(connection, bit.id, bit.field),
            )
        )
    return summaries


def _examples(connection: duckdb.DuckDBPyConnection, rule: str, field: str) -> tuple[Example, ...]:
    rows = connection.execute(
        "SELECT line, value FROM checked_findings WHERE rule = ? AND field = ? ORDER BY line LIMIT ?",
        [rule, field, EXAMPLES],
    ).fetchall()
    return tuple(Example(line=line, field=field, value=value) for line, value in rows)


def _file_findings(
    connection: duckdb.DuckDBPyConnection, staged: Staged, dictionary: Dictionary, plan: Plan, duplicates: int
) -> list[FindingSummary]:
    found = list(staged.structural)
    if plan.not_carried:
        found.append(Finding("NC", facts={"names": ", ".join(each.name for each in plan.not_carried)}))
    if duplicates:
        found.append(Finding("D2", count=duplicates))
    summaries = []
    for finding in found:
        text, fix = words(dictionary, finding.rule, "", None, finding.facts)
        examples: tuple[Example, ...] = ()
        if finding.rule == "D2":
            rows = connection.execute(
                "SELECT line FROM checked_duplicates ORDER BY line LIMIT ?", [EXAMPLES]
            ).fetchall()
            examples = tuple(Example(line=line, field="local_record_id", value=None) for (line,) in rows)
        summaries.append(
            FindingSummary(
                rule=finding.rule,
                scope="file",
                severity=dictionary.checks[finding.rule].severity,
                count=finding.count,
                field="",
                text=text,
                fix=fix,
                examples=examples,
            )
        )
    return summaries


def _not_evaluated(connection: duckdb.DuckDBPyConnection, staged: Staged, plan: Plan) -> dict[str, int]:
    """Rule to rows on which a field that it needs is missing."""
    missed: dict[str, int] = {rule.id: staged.rows_read for rule in plan.off}
    asked = [*plan.row_rules, *plan.file_rules]
    tests = [" OR ".join(f"{name} IS NULL" for name in rule.fields) or "false" for rule in asked]
    if asked:
        found = counts(connection, f"SELECT {', '.join(f'count_if({test})' for test in tests)} FROM checked_base")
        for rule, count in zip(asked, found, strict=True):
            # A rule for mother and child is one rule: it was evaluated where either could be.
            missed[rule.id] = min(count, missed.get(rule.id, staged.rows_read))
    return {rule: count for rule, count in sorted(missed.items()) if count}


def _records(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[str, int]:
    """Records that the accepted rows make, by type. Persons and deliveries without a number count once a row."""
    carried = {each.name for each in plan.carried}

    def distinct(name: str) -> str:
        return f"count(DISTINCT {name}) + count_if({name} IS NULL)" if name in carried else "count(*)"

    numbers = ", ".join(map(distinct, ("mother_local_id", "child_local_id", "delivery_local_id")))
    mothers, children, deliveries, births = counts(
        connection, f"SELECT {numbers}, count(*) FROM checked_rows WHERE verdict = 'accepted' AND NOT duplicate"
    )
    return {"person": mothers + children, "labour_birth_mother": deliveries, "birth_child": births}
