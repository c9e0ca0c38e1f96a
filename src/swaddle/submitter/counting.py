"""How many rows and data subjects a file holds, where this installation can tell.

The sealed description says it, so that of a body that never arrives at least the number is known. Sending works without
`swaddle[check]`; then nothing is said.
"""

from __future__ import annotations

from datetime import datetime
from importlib.util import find_spec

from swaddle.submitter.prepare import Counts, Source


def count(source: Source, kind: str | None, at: datetime) -> Counts:
    """Rows and data subjects, by the code that the registry reads with, where it is installed."""
    if find_spec("duckdb") is None:
        return Counts(kind or "unknown")
    from swaddle.submitter import check  # noqa: PLC0415  DuckDB is imported only where it is and only for this

    return check.count(source, kind, at)
