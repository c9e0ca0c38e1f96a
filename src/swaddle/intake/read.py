"""From an opened file to a table of text: what it is, which layout, every row with its line."""

from __future__ import annotations

import duckdb

from swaddle.intake import opened
from swaddle.intake.faults import ColumnsMissing, EmptyFile, HeaderFault, LayoutUnknown, TooLarge
from swaddle.intake.mapping import UNKNOWN, Mapping, by_kind, folded, recognise
from swaddle.intake.readers.csv import looks_like_a_row, read_csv, read_header
from swaddle.intake.readers.parquet import read_parquet
from swaddle.intake.sniff import HEAD_BYTES, PARQUET, sniff
from swaddle.intake.tables import Finding, Staged


def read(
    source_fd: int,
    size_bytes: int,
    *,
    kind: str | None,
    mapping: Mapping | None,
    file_digest: str,
    connection: duckdb.DuckDBPyConnection,
) -> Staged:
    """Read a file into staged_raw and staged_broken (intake/tables.py).

    Args:
        source_fd: open for reading; its position is neither used nor moved.
        size_bytes: how much of it is the file.
        kind: a built-in layout's name; None, or "unknown" from a sender who cannot tell, recognises it by the columns.
        mapping: a submitter's own mapping, in place of a built-in one.
        file_digest: SHA-256 of the file, hex; stands in for record numbers where a layout has none.
        connection: from `engine.connect`.

    Raises:
        FileFault: the file as a whole cannot be taken; what, why and fix are in it. KindUnknown is one of them.
    """
    if mapping is None and kind not in {None, UNKNOWN}:
        mapping = by_kind(str(kind))
    form = sniff(opened.read_piece(source_fd, min(HEAD_BYTES, size_bytes), 0), size_bytes)
    layout, findings = mapping, list[Finding]()
    try:
        if form == PARQUET:
            columns, rows = read_parquet(source_fd, size_bytes, connection)
            layout = _layout(columns, layout)
        else:
            header = read_header(source_fd, size_bytes, layout)
            layout = _layout(header.columns, layout)
            columns, rows, findings = read_csv(source_fd, size_bytes, layout, connection)
    except duckdb.OutOfMemoryException:
        raise TooLarge("its rows do not fit in the memory that is allowed") from None
    if rows == 0:
        raise EmptyFile("a header but no rows")
    unread = _unread(columns, layout)
    if unread:
        findings.append(Finding("H3", facts={"names": ", ".join(unread)}))
    return Staged(
        mapping=layout,
        rows_read=rows,
        columns=columns,
        structural=tuple(findings),
        file_digest=file_digest,
        format=form,
        encoding=layout.encoding,
    )


def _layout(columns: tuple[str, ...], given: Mapping | None) -> Mapping:
    """The layout to use, with every column that it cannot do without in the file."""
    if given is None:
        try:
            given = recognise(columns)
        except LayoutUnknown:
            if looks_like_a_row(columns):
                raise HeaderFault("it looks like data, not like names") from None
            raise
    there = {folded(each) for each in columns}
    lacking = sorted(
        {
            name
            for source in given.fields.values()
            if not source.optional
            for name in source.columns()
            if folded(name) not in there
        }
    )
    if lacking:
        if looks_like_a_row(columns):
            raise HeaderFault("it looks like data, not like names")
        raise ColumnsMissing(", ".join(lacking))
    return given


def _unread(columns: tuple[str, ...], mapping: Mapping) -> list[str]:
    """Names of the columns that the layout does not read, as the file writes them; nameless ones by their place."""
    used = {folded(name) for source in mapping.fields.values() for name in source.columns()} | {"submitter"}
    return [
        name.strip()[:60] or f"column {place} (no name)"
        for place, name in enumerate(columns, start=1)
        if folded(name) not in used
    ]
