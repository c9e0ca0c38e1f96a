"""What a check found, as one value: counts, findings in words with examples, records by type."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence

import duckdb

from swaddle.dictionary.model import PERSONS, Dictionary, Form
from swaddle.intake.findings import sort_key, words
from swaddle.intake.hits import Hit, counts
from swaddle.intake.plan import Bit, Plan
from swaddle.intake.tables import REFUSED_OVER, Checked, Example, Finding, FindingSummary, Staged

EXAMPLES = 5
_NUMBERED = {"delivery": "delivery_local_id"}  # slots that several rows may tell of, and what numbers them


def summarise(
    connection: duckdb.DuckDBPyConnection,
    staged: Staged,
    dictionary: Dictionary,
    plan: Plan,
    hits: Sequence[Hit],
    *,
    joined: Map[str, int],
    registry_only: tuple[str, ...],
) -> Checked:
    """The value of a check whose tables are made.

    Args:
        connection: holds the tables of the sheet.
        staged: the sheet.
        dictionary: the version that it was checked against.
        plan: by which it was checked.
        hits: every kind of finding that occurred.
        joined: joined rule to rows of which it was asked.
        registry_only: ids of what only the registry can ask.
    """
    form = dictionary.forms[staged.mapping.form]
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
        not_evaluated=_not_evaluated(connection, staged, plan, joined),
        records=_records(connection, dictionary, plan, form),
        kind=staged.mapping.name,
        title=staged.mapping.title,
        dictionary_version=dictionary.version,
        keys_derived=staged.mapping.keys_derived,
        columns=staged.columns,
        registry_only=registry_only,
        form=form.name,
        slots=tuple(slot for slot in form.slots if slot in plan.held),
        where=staged.where,
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
        text_fr, fix_fr = words(dictionary, bit.id, bit.field, bit.rule, {}, "fr")
        scope = bit.scope if bit.rule else dictionary.checks[bit.id].scope
        summaries.append(
            FindingSummary(
                rule=bit.id,
                scope="file" if hit.once and scope == "row" else scope,
                severity=bit.severity,
                count=hit.count,
                field=bit.field,
                text=text,
                fix=fix,
                text_fr=text_fr,
                fix_fr=fix_fr,
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
    silent = dictionary.forms[staged.mapping.form].where_told - plan.held
    lacking = [each.name for each in plan.not_carried if each.slot not in silent]
    if lacking:
        found.append(Finding("NC", facts={"names": ", ".join(lacking)}))
    if duplicates:
        found.append(Finding("D2", count=duplicates))
    summaries = []
    for finding in found:
        text, fix = words(dictionary, finding.rule, "", None, finding.facts)
        text_fr, fix_fr = words(dictionary, finding.rule, "", None, finding.facts, "fr")
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
                text_fr=text_fr,
                fix_fr=fix_fr,
                examples=examples,
            )
        )
    return summaries


def _not_evaluated(
    connection: duckdb.DuckDBPyConnection, staged: Staged, plan: Plan, joined: Map[str, int]
) -> dict[str, int]:
    """Rule to rows on which it could not be asked: a field that it needs is missing, or no record was found."""
    missed: dict[str, int] = {rule.id: staged.rows_read for rule in plan.off}
    asked = [*plan.row_rules, *plan.file_rules]
    tests = [" OR ".join(f"{name} IS NULL" for name in rule.fields) or "false" for rule in asked]
    found: list[tuple[str, int]] = [(rule, staged.rows_read - count) for rule, count in joined.items()]
    if asked:
        told = counts(connection, f"SELECT {', '.join(f'count_if({test})' for test in tests)} FROM checked_base")
        found += [(rule.id, count) for rule, count in zip(asked, told, strict=True)]
    for rule, count in found:
        # A rule for mother and child is one rule: it was evaluated where either could be.
        missed[rule] = min(count, missed.get(rule, staged.rows_read))
    return {rule: count for rule, count in sorted(missed.items()) if count}


def _records(connection: duckdb.DuckDBPyConnection, dictionary: Dictionary, plan: Plan, form: Form) -> dict[str, int]:
    """Records that the accepted rows make, by type. Persons and deliveries without a number count once a row."""
    carried = {each.name for each in plan.carried}
    slots = dictionary.slots()
    told: list[tuple[str, str]] = []
    for slot in form.slots:
        if slot not in plan.held:
            continue
        number = f"{slots[slot][1]}local_id" if slot in PERSONS else _NUMBERED.get(slot, "")
        count = f"count(DISTINCT {number}) + count_if({number} IS NULL)" if number in carried else "count(*)"
        if slot in form.where_told:
            values = [f"{each.name}::VARCHAR" for each in plan.carried if each.slot == slot]
            count += f" FILTER (coalesce({', '.join(values)}) IS NOT NULL)" if count == "count(*)" else ""
        told.append((slots[slot][0].name, count))
    wanted = ", ".join(count for _, count in told)
    found = counts(connection, f"SELECT {wanted} FROM checked_rows WHERE verdict = 'accepted' AND NOT duplicate")
    records: dict[str, int] = {}
    for (name, _), count_found in zip(told, found, strict=True):
        records[name] = records.get(name, 0) + count_found
    return records
