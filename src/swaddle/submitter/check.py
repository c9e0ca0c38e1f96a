"""The check before sending: the registry's own reading and rules, on this machine.

Needs `swaddle[check]`; only imported where that is installed. Sending works without.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from collections.abc import Mapping as Map
from contextlib import closing, contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from swaddle.dictionary.load import load
from swaddle.envelope.positioned import read_at
from swaddle.errors import FileFault
from swaddle.intake import shelf
from swaddle.intake.engine import connect
from swaddle.intake.explain import explain_file, explained_json
from swaddle.intake.link import link
from swaddle.intake.mapping import Mapping, by_kind
from swaddle.intake.read import read
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
    try:
        with _checked(source, kind, at, None, known) as (checked, tables, staged):
            digest = staged.file_digest
            link(tables, submitter=NOBODY, file_digest=digest, subject_key=secrets.token_bytes(32))
            found = tables.execute("SELECT count(DISTINCT subject) FROM row_subjects").fetchone()
            subjects = int(found[0]) if found else None
            return Counts(checked.kind, checked.rows_read, subjects, checked.dictionary_version)
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
    with _checked(source, kind, at, mapping, shelf.known(own)) as (checked, tables, staged):
        if rejected is not None:
            write_rejected_csv(tables, rejected)
        report = report_json(checked, None)
        if explained:
            told = explain_file(tables, staged.mapping, load(), staged.columns)
            report["mapping"] = explained_json(told, staged.mapping)
        return report, checked.refused


@contextmanager
def _checked(
    source: Source, kind: str | None, at: datetime, mapping: Mapping | None, known: Map[str, Mapping]
) -> Iterator[tuple[Checked, duckdb.DuckDBPyConnection, Staged]]:
    """Read and validate as the registry does; the tables are there until the end of the block."""
    descriptor = open_source(source)
    try:
        digest = _digest(descriptor, source.size_bytes)
        with closing(connect()) as tables:
            staged = read(
                descriptor, source.size_bytes,
                kind=kind, mapping=mapping, known=known, file_digest=digest, connection=tables,
            )  # fmt: skip
            yield validate(staged, load(), tables, submitter=None, sites=None, at=at), tables, staged
    finally:
        os.close(descriptor)


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
