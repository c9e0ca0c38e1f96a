"""The check before sending: the registry's own reading and rules, on this machine.

Needs `swaddle[check]`; only imported where that is installed. Sending works without.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from hashlib import sha256
from typing import Any, BinaryIO

import duckdb

from swaddle.dictionary.load import load
from swaddle.envelope.positioned import read_at
from swaddle.errors import FileFault
from swaddle.intake.engine import connect
from swaddle.intake.link import link
from swaddle.intake.mapping import by_kind
from swaddle.intake.read import read
from swaddle.intake.tables import Checked
from swaddle.intake.validate import report_json, validate, write_rejected_csv
from swaddle.submitter.prepare import Counts, Source, SourceGone, open_source

READ_BYTES = 1_048_576
# The ids made here are for counting only: they and their key end with this process.
NOBODY = "0" * 32


def count(source: Source, kind: str | None, at: datetime) -> Counts:
    """Rows and data subjects; what cannot be counted stays unknown: the registry will say why, `check` says it now.

    Raises:
        KindUnknown: there is no layout of that name.
    """
    if kind is not None:
        by_kind(kind)  # a layout that does not exist is a slip of the pen, and is said now
    try:
        with _checked(source, kind, at) as (checked, tables, digest):
            link(tables, submitter=NOBODY, file_digest=digest, subject_key=secrets.token_bytes(32))
            found = tables.execute("SELECT count(DISTINCT subject) FROM row_subjects").fetchone()
            subjects = int(found[0]) if found else None
            return Counts(checked.kind, checked.rows_read, subjects, checked.dictionary_version)
    except (FileFault, duckdb.Error):
        return Counts(kind or "unknown")


def check(
    source: Source, kind: str | None, at: datetime, rejected: BinaryIO | None = None
) -> tuple[dict[str, Any], bool]:
    """The report on a file (`check --json`) and whether it would be refused whole.

    Args:
        source: the file.
        kind: its layout, or None to recognise it.
        at: now.
        rejected: where its rejected rows go as CSV, if anywhere.

    Raises:
        FileFault: it cannot be read as a data set at all.
    """
    with _checked(source, kind, at) as (checked, tables, _):
        if rejected is not None:
            write_rejected_csv(tables, rejected)
        return report_json(checked, None), checked.refused


@contextmanager
def _checked(
    source: Source, kind: str | None, at: datetime
) -> Iterator[tuple[Checked, duckdb.DuckDBPyConnection, str]]:
    """Read and validate as the registry does; the tables are there until the end of the block."""
    descriptor = open_source(source)
    try:
        digest = _digest(descriptor, source.size_bytes)
        with closing(connect()) as tables:
            staged = read(descriptor, source.size_bytes, kind=kind, mapping=None, file_digest=digest, connection=tables)
            yield validate(staged, load(), tables, submitter=None, sites=None, at=at), tables, digest
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
