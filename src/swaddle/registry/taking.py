"""Taking one sheet in: stage -> validate -> link -> live -> store. A file is one sheet or several (sheets.py).

What cannot be read as a data set at all is refused with its reason, which is stored like a report.
"""

from __future__ import annotations

import io
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from swaddle.canonical import format_instant
from swaddle.dictionary.model import Dictionary
from swaddle.errors import SwaddleError
from swaddle.intake import shelf
from swaddle.intake.link import link
from swaddle.intake.lookups import Beside
from swaddle.intake.mapping import Mapping
from swaddle.intake.sheet import Sheet
from swaddle.intake.staging import stage
from swaddle.intake.tables import Checked, Staged
from swaddle.intake.validate import report_json, validate, write_rejected_csv
from swaddle.registry import adopted, answered, holding, lives, outlived
from swaddle.registry.held import Held
from swaddle.registry.inside import Registry
from swaddle.registry.loads import store
from swaddle.registry.submission import Load, Submission

SAMPLE_ROWS = 12  # on the page; all of them are in rejected.csv


@dataclass(frozen=True, kw_only=True)
class OneFile:
    """A file that is taken in, and where it belongs.

    Attributes:
        kind: what its sender calls it, if anything; a layout of that name is used, else it is recognised.
        member: its number in a pack, from 1; 0 where the transfer is this one file.
        name: in the pack; None where the transfer is this one file. It is data: never a path.
        sheet: its number in a file of several sheets, from 1; 0 where the file is one.
        sent_at: when its sender sealed it, by the signed manifest; None where nobody could read one.
    """

    transfer: str
    submitter: str
    kind: str | None = None
    member: int = 0
    name: str | None = None
    sheet: int = 0
    sent_at: datetime | None = None


def take_sheet(
    inside: Registry,
    tables: duckdb.DuckDBPyConnection,
    sheet: Sheet,
    layout: Mapping,
    digest: str,
    one: OneFile,
    at: datetime,
    beside: Beside,
) -> tuple[Load, Checked]:
    """Check, link and store one sheet.

    Args:
        inside: the registry.
        tables: a cursor of the store, the same for every sheet of a file.
        sheet: what was read.
        layout: by which it is understood.
        digest: of the file.
        one: where it belongs.
        at: now.
        beside: the earlier sheets of the same file.

    Raises:
        FileFault: it cannot be taken as it is; nothing of it is stored.
        DiskFault: there is no room; nothing of it counts.
    """
    dictionary = shelf.dictionary_of(layout, inside.home / shelf.FOLDER)
    inside.store.hold(dictionary)
    beside.submitter, beside.held = one.submitter, Held(inside.store, tables, one.submitter)
    staged = stage(sheet, layout, file_digest=digest, connection=tables)
    sites = sites_of(inside, one.submitter)
    checked = validate(staged, dictionary, tables, submitter=one.submitter, sites=sites, at=at, beside=beside)
    link(
        tables, submitter=one.submitter, file_digest=digest,
        subject_key=inside.store.subject_key, form=staged.mapping.form,
    )  # fmt: skip
    checked = without_outlived(inside, tables, dictionary, one, staged, checked, at)
    checked, life = lived(tables, dictionary, one, staged, checked, at)
    answered.mark(tables, inside.store, checked, dictionary)
    asked = checked
    checked, silent = answered.silence(tables, checked, submitter=one.submitter, form=staged.mapping.form)
    told = submission(dictionary, one, staged, checked, tables, at)
    told.report["checked"] |= {"life": life, "answered_before": silent, "answered": answered.by_rule(asked, checked)}
    return store(inside.store, tables, told), checked


def without_outlived(
    inside: Registry,
    tables: duckdb.DuckDBPyConnection,
    dictionary: Dictionary,
    one: OneFile,
    staged: Staged,
    checked: Checked,
    at: datetime,
) -> Checked:
    """What was found, with the rows rejected whose keeping time is over, where a retention schedule is in force."""
    schedule = adopted.schedule(inside)
    if schedule is None:
        return checked
    return outlived.refuse(
        tables, checked, dictionary, schedule, form=staged.mapping.form, submitter=one.submitter,
        transfer=one.transfer, carried=carried_of(dictionary, staged, checked), placement=inside.store.placement,
        scopes=holding.scopes(inside), today=at.astimezone(UTC).date(),
    )  # fmt: skip


def lived(
    tables: duckdb.DuckDBPyConnection,
    dictionary: Dictionary,
    one: OneFile,
    staged: Staged,
    checked: Checked,
    at: datetime,
) -> tuple[Checked, dict[str, int]]:
    """What was found, with what becomes of each row beside what the store holds; rows by the step that they took."""
    if checked.refused:
        return checked, {}
    life = lives.live(
        tables,
        submitter=one.submitter,
        form=staged.mapping.form,
        carried=carried_of(dictionary, staged, checked),
        sent_at=one.sent_at or at,
    )
    return lives.told(tables, checked, dictionary, life), dict(life.steps)


def carried_of(dictionary: Dictionary, staged: Staged, checked: Checked) -> tuple[str, ...]:
    """The wide fields that the file's layout holds, with those that follow from them."""
    lacking = set(checked.not_carried)
    return tuple(name for name in dictionary.wide(staged.mapping.form) if name not in lacking)


def sites_of(inside: Registry, submitter: str) -> set[str] | None:
    """The site ids registered to a submitter; None where none is, so that any will do."""
    known = inside.state.submitter(submitter)
    return set(known.sites) if known is not None and known.sites else None


def submission(
    dictionary: Dictionary,
    one: OneFile,
    staged: Staged,
    checked: Checked,
    tables: duckdb.DuckDBPyConnection,
    at: datetime,
) -> Submission:
    """What is stored besides the rows: the quality report and the rejected rows as they came."""
    rejected = io.BytesIO()
    rejected_rows = write_rejected_csv(tables, rejected)
    return Submission(
        transfer=one.transfer,
        submitter=one.submitter,
        member=one.member,
        sheet=one.sheet,
        form=staged.mapping.form,
        outcome="refused" if checked.refused else "stored",
        kind=checked.kind,
        dictionary_version=checked.dictionary_version,
        at=at,
        rows_read=checked.rows_read,
        rows_rejected=checked.rejected,
        warnings=sum(found.count for found in checked.findings if found.severity == "warning"),
        carried=carried_of(dictionary, staged, checked),
        not_carried=checked.not_carried,
        report={
            "checked": report_json(checked, one.transfer),
            "rejected": rejected_sample(tables, checked),
            "file_kind": checked.title,
            "received_at": format_instant(at),
            "dictionary_version": checked.dictionary_version,
            "not_carried": list(checked.not_carried),
            "reason": None,
            "file": one.name,
        },
        rejected_csv=rejected.getvalue() if rejected_rows else b"",
    )


def rejected_sample(tables: duckdb.DuckDBPyConnection, checked: Checked) -> list[dict[str, Any]]:
    """The first findings on rejected rows in the order of the file, with the submitter's own record number."""
    words = {
        (found.rule, found.field): {
            "text": found.text, "fix": found.fix,
            "text_fr": found.text_fr or found.text, "fix_fr": found.fix_fr or found.fix,
        }
        for found in checked.findings
    }  # fmt: skip
    none = dict.fromkeys(("text", "fix", "text_fr", "fix_fr"), "")
    rows = tables.execute(
        "select line, coalesce(local_record_id, ''), rule, field, coalesce(value, '')"
        " from checked_findings join checked_rows using (line)"
        " where severity = 'error' and verdict = 'rejected' order by line, rule limit $most",
        {"most": SAMPLE_ROWS},
    ).fetchall()
    return [
        {"line": line, "record": "" if checked.keys_derived else record, "field": field, "value": value,
         "rule": rule, "where": checked.where, **words.get((rule, field), none)}
        for line, record, rule, field, value in rows
    ]  # fmt: skip


def nothing_stored(
    inside: Registry, one: OneFile, outcome: str, reason: SwaddleError, at: datetime, *, rows_read: int = 0
) -> Load:
    """A load without rows that keeps the reason, so that the submitter's report can tell it."""
    what, why, fix = reason.lines()
    told: dict[str, Any] = {"code": reason.code, "what": what, "why": why, "fix": fix}
    empty = Submission(
        transfer=one.transfer, submitter=one.submitter, member=one.member, outcome=outcome, kind=one.kind,
        dictionary_version=inside.store.dictionary.version, at=at, rows_read=rows_read, rows_rejected=rows_read,
        warnings=0, carried=(), not_carried=(), sheet=one.sheet, is_linked=False,
        report={
            "checked": None, "file_kind": one.kind, "file": one.name, "received_at": format_instant(at),
            "dictionary_version": inside.store.dictionary.version, "not_carried": [], "reason": told,
        },
        rejected_csv=b"",
    )  # fmt: skip
    with closing(inside.store.cursor()) as tables:
        return store(inside.store, tables, empty)
