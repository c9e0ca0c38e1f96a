"""How many rows and data subjects a file holds, where this installation can tell.

The sealed description says it, so that of a body that never arrives at least the number is known. Sending works without
`swaddle[check]`; then nothing is said. A large file is not counted either: reading its rows takes many times as long as
sending it, and more memory than a sender may use; `check` counts it for who asks.
"""

from __future__ import annotations

import os
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from swaddle.envelope.positioned import read_at
from swaddle.errors import FileFault
from swaddle.intake.marks import HEAD_BYTES
from swaddle.intake.sniff import sniff
from swaddle.submitter.prepare import Counts, Source, open_source
from swaddle.wire.spoken import KINDS

COUNTED_BYTES = 32 * 1024 * 1024  # some hundred thousand rows, a few seconds


def count(source: Source, kind: str | None, at: datetime, own: Path | None = None) -> Counts:
    """Rows and data subjects, by the code that the registry reads with, where it is installed.

    Args:
        source: the file.
        kind: its layout, or None to recognise it.
        at: now.
        own: the shelf of the submitter's own layouts.

    Raises:
        KindUnknown: there is no layout of that name.
        SourceGone: the file is not there as it was.
    """
    if kind in KINDS or find_spec("duckdb") is None:
        return Counts(kind or "unknown")
    if source.size_bytes > COUNTED_BYTES or not _may_have_rows(source):
        if kind is not None:
            from swaddle.intake.mapping import by_kind  # noqa: PLC0415  as below
            from swaddle.intake.shelf import known  # noqa: PLC0415

            by_kind(kind, known(own))  # a layout that does not exist is a slip of the pen, and is said now
        return Counts(kind or "unknown")
    from swaddle.submitter import check  # noqa: PLC0415  DuckDB is imported only where it is and only for this

    return check.count(source, kind, at, own)


def _may_have_rows(source: Source) -> bool:
    """Whether its first bytes are a table's: DuckDB is not even imported for what cannot be counted."""
    descriptor = open_source(source)
    try:
        head = bytearray(min(HEAD_BYTES, source.size_bytes))
        sniff(bytes(head[: read_at(descriptor, memoryview(head), 0)]), source.size_bytes)
    except FileFault:
        return False
    finally:
        os.close(descriptor)
    return True
