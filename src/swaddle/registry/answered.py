"""Warnings that a submitter has answered: asked once, silent from then on for that value.

With every load the warnings of its stored rows are kept: which rule, on which row, and a keyed digest of what the rule
looked at. An answer is kept under the record's number and that digest, so it holds for the value and not for the row:
the same value in a later file asks nothing, another value asks again.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb

from swaddle.dictionary.model import Dictionary
from swaddle.intake.engine import literal
from swaddle.intake.tables import Checked, FindingSummary
from swaddle.registry.lives import digest
from swaddle.registry.store import Store
from swaddle.registry.store_tables import names_of
from swaddle.wire.spoken import Answer

WARNING = "warning"


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
    """Make load_warnings(line, rule, field, asked): the warnings on accepted rows, each with what was looked at."""
    connection.execute(
        "create or replace temp table load_warnings (line bigint, rule varchar, field varchar, asked varchar)"
    )
    key = hmac.digest(store.subject_key, b"swaddle answered", "sha256").hex()
    there = names_of(connection, "checked_rows")
    for found in checked.findings:
        if found.severity != WARNING or (found.scope == "file" and found.count > len(found.examples)):
            continue  # told once for the file: nothing is asked of a row
        connection.execute(
            f"insert into load_warnings select line, $rule, $field, sha256($key || {_asked(found, dictionary, there)})"
            " from checked_rows join (select distinct line from checked_findings where rule = $rule and field = $field)"
            " using (line) where verdict = 'accepted' and not duplicate",
            {"key": key, "rule": found.rule, "field": found.field},
        )


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
    """Take out of the findings what was answered before; how many that were."""
    connection.execute(
        "create or replace temp table load_answered as select warned.line, warned.rule, warned.field"
        " from load_warnings warned join checked_rows using (line) join clinical.answers answer"
        " on answer.local_record_id = checked_rows.local_record_id and answer.rule = warned.rule"
        " and answer.field = warned.field and answer.asked = warned.asked"
        " where answer.submitter = $submitter and answer.form = $form",
        {"submitter": submitter, "form": form},
    )
    counted = connection.execute("select rule, field, count(distinct line) from load_answered group by all").fetchall()
    if not counted:
        return checked, 0
    for table in ("checked_findings", "load_warnings"):
        connection.execute(
            f"delete from {table} using load_answered gone"
            f" where {table}.line = gone.line and {table}.rule = gone.rule and {table}.field = gone.field"
        )
    silent = {(rule, field): count for rule, field, count in counted}
    findings = [_less(connection, found, silent) for found in checked.findings]
    return replace(checked, findings=tuple(found for found in findings if found.count)), sum(silent.values())


def _less(
    connection: duckdb.DuckDBPyConnection, found: FindingSummary, silent: Mapping[tuple[str, str], int]
) -> FindingSummary:
    if (found.rule, found.field) not in silent:
        return found
    left = connection.execute(
        "select line from checked_findings where rule = ? and field = ?", [found.rule, found.field]
    ).fetchall()
    lines = {line for (line,) in left}
    return replace(
        found,
        count=found.count - silent[found.rule, found.field],
        examples=tuple(each for each in found.examples if each.line in lines),
    )


def keep(connection: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Keep the warnings of the rows that this load stores; in the transaction that commits it."""
    connection.execute(
        "insert into clinical.warnings select $load, load_warnings.* from load_warnings"
        " where line in (select line from load_rows where has_record)",
        {"load": load_id},
    )


def take(store: Store, submitter: str, transfer: str, answers: Sequence[Answer], at: datetime) -> Answered:
    """Keep answers; each is met by the warnings of that submitter's own transfer, and by nobody else's."""
    result = Answered()
    for each in answers:
        where = "loads.transfer = $about and kept.submitter = $submitter and warned.rule = $rule"
        values: dict[str, object] = {"about": each.transfer, "submitter": submitter, "rule": each.rule}
        for name in ("field", "line"):
            if getattr(each, name) is not None:
                where += f" and warned.{name} = ${name}"
                values[name] = getattr(each, name)
        found = (
            "select distinct kept.submitter, kept.form, kept.local_record_id, warned.rule, warned.field, warned.asked"
            " from clinical.warnings warned join clinical.stored_rows kept using (load_id, line)"
            f" join clinical.loads using (load_id) where {where}"
        )
        known = "select submitter, form, local_record_id, rule, field, asked from clinical.answers"
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
    return result
