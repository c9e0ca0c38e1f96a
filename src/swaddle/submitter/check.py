"""The check before sending: the registry's own reading and rules, on this machine.

Needs `swaddle[check]`; only imported where that is installed. Sending works without.
"""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Iterator
from collections.abc import Mapping as Map
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from swaddle.dictionary.load import load
from swaddle.envelope.positioned import read_at
from swaddle.errors import FileFault, UsageFault
from swaddle.intake import shelf
from swaddle.intake.engine import connect
from swaddle.intake.explain import explain_file, explained_json
from swaddle.intake.link import link
from swaddle.intake.lookups import Beside
from swaddle.intake.mapping import Mapping, by_kind
from swaddle.intake.merged import Part, joined, merged, name_of
from swaddle.intake.read import Laid, in_order, read_sheets
from swaddle.intake.staging import stage
from swaddle.intake.tables import Checked, Staged
from swaddle.intake.validate import report_json, validate, write_rejected_csv
from swaddle.submitter.prepare import Counts, Source, SourceGone, open_source

READ_BYTES = 1_048_576
# The ids made here are for counting only: they and their key end with this process.
NOBODY = "0" * 32


def count(source: Source, kind: str | None, at: datetime, own: Path | None = None) -> Counts:
    """Rows and data subjects; what cannot be counted stays unknown: the registry will say why, `check` says it now.

    Args:
        source: the file.
        kind: its layout, or None to recognise it.
        at: now.
        own: the shelf of the submitter's own layouts.

    Raises:
        KindUnknown: there is no layout of that name.
    """
    known = shelf.known(own)
    if kind is not None:
        by_kind(kind, known)  # a layout that does not exist is a slip of the pen, and is said now
    kinds, rows, version, key = set[str](), 0, "", secrets.token_bytes(32)
    try:
        with _sheets_of(source, kind, None, known) as (laid, tables, digest):
            tables.execute("CREATE TEMP TABLE everybody (subject VARCHAR)")
            for each in _each_checked(laid, tables, digest, at, own):
                if isinstance(each.checked, FileFault | UsageFault):
                    return Counts(kind or "unknown")
                link(tables, submitter=NOBODY, file_digest=digest, subject_key=key, form=each.checked.form)
                tables.execute("INSERT INTO everybody SELECT DISTINCT subject FROM row_subjects")
                kinds.add(each.checked.kind)
                rows += each.checked.rows_read
                version = each.checked.dictionary_version
            found = tables.execute("SELECT count(DISTINCT subject) FROM everybody").fetchone()
            subjects = int(found[0]) if found else None
            return Counts(kinds.pop() if len(kinds) == 1 else kind or "unknown", rows, subjects, version)
    except (FileFault, duckdb.Error):
        return Counts(kind or "unknown")


def check(
    source: Source,
    kind: str | None,
    at: datetime,
    rejected: BinaryIO | None = None,
    *,
    mapping: Mapping | None = None,
    own: Path | None = None,
    explained: bool = False,
) -> tuple[dict[str, Any], bool]:
    """The report on a file (`check --json`) and whether it would be refused whole.

    Args:
        source: the file.
        kind: its layout, or None to recognise it.
        at: now.
        rejected: where its rejected rows go as CSV, if anywhere.
        mapping: read it by this mapping, whatever is known.
        own: the shelf of the submitter's own layouts.
        explained: say also what the mapping makes of the file's columns, under `mapping`.

    Raises:
        FileFault: it cannot be read as a data set at all.
    """
    with _sheets_of(source, kind, mapping, shelf.known(own)) as (laid, tables, digest):
        parts: list[Part] = []
        rejects: list[tuple[str, bytes]] = []
        for each in _each_checked(laid, tables, digest, at, own):
            if isinstance(each.checked, FileFault | UsageFault):
                if len(laid) == 1:
                    raise each.checked
                what, why, fix = each.checked.lines()
                reason = {"code": each.checked.code, "what": what, "why": why, "fix": fix}
                parts.append(Part(each.name, each.read, None, reason))
                continue
            out = io.BytesIO()
            if rejected is not None and write_rejected_csv(tables, out):
                rejects.append((each.name, out.getvalue()))
            report = report_json(each.checked, None)
            if explained and each.staged is not None:
                said = explain_file(
                    tables, each.staged.mapping, shelf.dictionary_of(each.staged.mapping, own), each.staged.columns
                )
                report["mapping"] = explained_json(said, each.staged.mapping)
            parts.append(Part(each.name, each.read, report))
        if rejected is not None and rejects:
            rejected.write(rejects[0][1] if len(laid) == 1 else joined(rejects))
        whole = parts[0].report if len(laid) == 1 else None
        told = merged(parts) if whole is None else dict(whole)
        return told, bool(told["refused"])


@dataclass(frozen=True)
class _Checked:
    """One sheet checked: its name, and what was found or why it could not be."""

    name: str
    read: int
    checked: Checked | FileFault | UsageFault
    staged: Staged | None = None


@contextmanager
def _sheets_of(
    source: Source, kind: str | None, mapping: Mapping | None, known: Map[str, Mapping]
) -> Iterator[tuple[list[Laid], duckdb.DuckDBPyConnection, str]]:
    """The file's sheets as the registry reads them, in the order in which it takes them in, and a connection."""
    descriptor = open_source(source)
    try:
        digest = _digest(descriptor, source.size_bytes)
        sheets = read_sheets(descriptor, source.size_bytes, kind=kind, mapping=mapping, known=known)
        try:
            with closing(connect(packed=True)) as tables:
                yield in_order(load(), sheets, kind=kind, mapping=mapping, known=known), tables, digest
        finally:
            for each in sheets:
                each.close()
    finally:
        os.close(descriptor)


def _each_checked(
    laid: list[Laid], tables: duckdb.DuckDBPyConnection, digest: str, at: datetime, own: Path | None
) -> Iterator[_Checked]:
    """Each sheet checked as the registry does; its tables are there until the next one's turn."""
    beside = Beside(more_follow=len(laid) > 1)
    for number, (sheet, layout) in enumerate(laid, start=1):
        name = name_of(sheet, number)
        try:
            if isinstance(layout, FileFault):
                raise layout
            staged = stage(sheet, layout, file_digest=digest, connection=tables)
            dictionary = shelf.dictionary_of(layout, own)
            checked = validate(staged, dictionary, tables, submitter=None, sites=None, at=at, beside=beside)
        except (FileFault, UsageFault) as fault:
            yield _Checked(name, sheet.read, fault)
            continue
        yield _Checked(name, sheet.read, checked, staged)


def _digest(descriptor: int, length: int) -> str:
    digest, buffer = sha256(), memoryview(bytearray(READ_BYTES))
    at = 0
    while at < length:
        taken = read_at(descriptor, buffer[: min(READ_BYTES, length - at)], at)
        if not taken:
            raise SourceGone
        digest.update(buffer[:taken])
        at += taken
    return digest.hexdigest()
