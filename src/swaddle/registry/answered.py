"""Warnings that a submitter has answered: asked once, silent from then on for that value.

With every load the warnings of its stored rows are kept: which rule, on which row, and a keyed digest of what the rule
looked at. An answer is kept under the record's number and that digest, so it holds for the value and not for the row:
the same value in a later file asks nothing, another value asks again.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb

from swaddle.dictionary.model import Dictionary
from swaddle.intake.engine import literal
from swaddle.intake.tables import Checked, FindingSummary
from swaddle.registry import waiting
from swaddle.registry.lives import digest
from swaddle.registry.store import Store
from swaddle.registry.store_tables import names_of
from swaddle.wire.spoken import Answer

WARNING, REVIEW = "warning", "review"
WHOLE = 0  # the line of what was told once for a whole file: no row has it
RIGHT = "right"  # the word of a decision (reviewing.py) that leaves the data as they are
KEPT = "submitter, form, local_record_id, rule, field, asked"


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What came of answers.

    Attributes:
        silenced: warnings that are silent now.
        before: warnings that were so before.
        stored: answers that silenced any.
        unmet: answers that met no warning.
    """

    silenced: int = 0
    before: int = 0
    stored: int = 0
    unmet: int = 0


def mark(connection: duckdb.DuckDBPyConnection, store: Store, checked: Checked, dictionary: Dictionary) -> None:
    """Make load_warnings(line, rule, field, asked, severity): what is asked of accepted rows, and what was looked at.

    What fires on over half of the rows is told once and asked once, of the whole file: an answer holds for the layout.
    """
    connection.execute(
        "create or replace temp table load_warnings"
        " (line bigint, rule varchar, field varchar, asked varchar, severity varchar)"
    )
    key = hmac.digest(store.subject_key, b"swaddle answered", "sha256").hex()
    there = names_of(connection, "checked_rows")
    of_rows = _listed(connection, checked)
    for found in checked.findings:
        if found.severity not in {WARNING, REVIEW}:
            continue
        values = {"rule": found.rule, "field": found.field, "severity": found.severity}
        if (found.rule, found.field) not in of_rows:
            said = found.text if not found.field else ""  # what is said of no field names what it was said of
            told = f"{key}\x1fwhole\x1f{checked.kind}\x1f{found.rule}\x1f{found.field}\x1f{said}"
            connection.execute(
                f"insert into load_warnings values ({WHOLE}, $rule, $field, sha256($told), $severity)",
                values | {"told": told},
            )
            continue
        connection.execute(
            "insert into load_warnings"
            f" select line, $rule, $field, sha256($key || {_asked(found, dictionary, there)}), $severity"
            " from checked_rows join (select distinct line from checked_findings where rule = $rule and field = $field)"
            " using (line) where verdict = 'accepted' and not duplicate",
            values | {"key": key},
        )


def _listed(connection: duckdb.DuckDBPyConnection, checked: Checked) -> set[tuple[str, str]]:
    """The kinds of findings (rule, field) that are told row by row: every one of them is in checked_findings."""
    counted: Counter[tuple[str, str]] = Counter()
    for found in checked.findings:
        counted[found.rule, found.field] += found.count
    listed = connection.execute("select rule, field, count(*) from checked_findings group by rule, field").fetchall()
    return {(rule, field) for rule, field, count in listed if count >= counted[rule, field]}


def _asked(found: FindingSummary, dictionary: Dictionary, there: set[str]) -> str:
    """SQL of all that a rule looked at in the row; of a check of one field, that field."""
    fields = [
        name
        for rule in dictionary.rules
        if rule.id == found.rule and rule.shows == found.field
        for name in (*rule.fields, *rule.reads)
    ]
    names = dict.fromkeys(name for name in (*fields, found.field) if name in there)
    return digest(names)


def silence(
    connection: duckdb.DuckDBPyConnection, checked: Checked, *, submitter: str, form: str
) -> tuple[Checked, int]:
    """Take out of the findings what was answered, or found right by the registry; how many that were."""
    connection.execute(
        f"create or replace temp table load_answered as with known as (select {KEPT} from clinical.answers"
        f" union select {KEPT} from clinical.decisions where word = $right)"
        " select warned.line, warned.rule, warned.field from load_warnings warned"
        " left join checked_rows on checked_rows.line = warned.line join known answer"
        f" on answer.local_record_id = case when warned.line = {WHOLE} then '' else checked_rows.local_record_id end"
        " and answer.rule = warned.rule and answer.field = warned.field and answer.asked = warned.asked"
        " where answer.submitter = $submitter and answer.form = $form",
        {"submitter": submitter, "form": form, "right": RIGHT},
    )
    counted = connection.execute(
        "select rule, field, count(distinct line), bool_or(line = $whole) from load_answered group by all",
        {"whole": WHOLE},
    ).fetchall()
    if not counted:
        return checked, 0
    for table, whole in (("checked_findings", f" or gone.line = {WHOLE}"), ("load_warnings", "")):
        connection.execute(
            f"delete from {table} using load_answered gone"
            f" where ({table}.line = gone.line{whole}) and {table}.rule = gone.rule and {table}.field = gone.field"
        )
    silent = {(rule, field): None if of_all else count for rule, field, count, of_all in counted}
    findings = [_less(connection, found, silent) for found in checked.findings]
    gone = sum(each.count for each in checked.findings) - sum(each.count for each in findings)
    return replace(checked, findings=tuple(found for found in findings if found.count)), gone


def by_rule(before: Checked, after: Checked) -> list[dict[str, object]]:
    """Of each rule, how many of its findings are silent because they were answered before; in the rule's words."""
    left = {(found.rule, found.field): found.count for found in after.findings}
    return [
        {"rule": found.rule, "field": found.field, "count": found.count - left.get((found.rule, found.field), 0),
         "text": found.text, "text_fr": found.text_fr or found.text}
        for found in before.findings
        if found.count > left.get((found.rule, found.field), 0)
    ]  # fmt: skip


def _less(
    connection: duckdb.DuckDBPyConnection, found: FindingSummary, silent: Mapping[tuple[str, str], int | None]
) -> FindingSummary:
    """A finding without what is silent: all of it where it is told of the whole file."""
    if (found.rule, found.field) not in silent:
        return found
    count = silent[found.rule, found.field]
    if count is None:
        return replace(found, count=0)
    values = {"rule": found.rule, "field": found.field}
    of_scope = connection.execute(
        "select scope, count(distinct line) from load_answered gone join checked_file_hits using (line, field)"
        " where id = rule and rule = $rule and field = $field group by scope",
        values,
    ).fetchall()
    if of_scope:  # of one rule some are found in the file, others beside the store: two findings
        count = dict(of_scope).get(found.scope, 0)
    left = connection.execute("select line from checked_findings where rule = $rule and field = $field", values)
    lines = {line for (line,) in left.fetchall()}
    return replace(
        found,
        count=found.count - count,
        examples=tuple(each for each in found.examples if each.line in lines),
    )


def keep(connection: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Keep what is asked of the rows that this load stores; in the transaction that commits it."""
    for table, severity in (("warnings", WARNING), ("reviews", REVIEW)):
        connection.execute(
            f"insert into clinical.{table} select $load, line, rule, field, asked from load_warnings"
            f" where severity = $severity"
            f" and (line = {WHOLE} or line in (select line from load_rows where has_record))",
            {"load": load_id, "severity": severity},
        )


def take(store: Store, submitter: str, transfer: str, answers: Sequence[Answer], at: datetime) -> Answered:
    """Keep answers; each is met by what was asked in that submitter's own transfer or notice, and by nobody else's."""
    result = Answered()
    for each in answers:
        found, values = _asked_of(each, submitter)
        known = f"select {KEPT} from clinical.answers"
        (met,) = store.connection.execute(f"select count(*) from ({found})", values).fetchone() or (0,)
        (new,) = store.connection.execute(f"select count(*) from ({found} except {known})", values).fetchone() or (0,)
        store.connection.execute(
            f"insert into clinical.answers select *, {literal(transfer)}, $at::timestamp from ({found} except {known})",
            values | {"at": at.astimezone(UTC).replace(tzinfo=None)},
        )
        result = Answered(
            silenced=result.silenced + new,
            before=result.before + met - new,
            stored=result.stored + (new > 0),
            unmet=result.unmet + (met == 0),
        )
    waiting.end_answered(store.connection, at)
    return result


def _asked_of(answer: Answer, submitter: str) -> tuple[str, dict[str, object]]:
    """SQL of what an answer is about, as it is kept: on a transfer's rows, on the whole of it, or in a notice."""
    narrowed = "rule = $rule"
    values: dict[str, object] = {"about": answer.transfer, "submitter": submitter, "rule": answer.rule}
    for name in ("field", "line"):
        if getattr(answer, name) is not None:
            narrowed += f" and {name} = ${name}"
            values[name] = getattr(answer, name)
    sql = (
        f"(select {KEPT} from (select loads.submitter, loads.form, case when warned.line = {WHOLE} then '' else"
        " kept.local_record_id end as local_record_id, warned.rule, warned.field, warned.asked, warned.line"
        " from clinical.warnings warned join clinical.loads using (load_id)"
        " left join clinical.stored_rows kept on kept.load_id = warned.load_id and kept.line = warned.line"
        " where loads.transfer = $about and loads.submitter = $submitter)"
        f" where {narrowed} union select {KEPT} from clinical.waiting"
        f" where notice = $about and submitter = $submitter and {narrowed})"
    )
    return sql, values
