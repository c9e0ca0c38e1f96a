"""From a sheet to a table of text: the fixed form of intake/sheet.py, loaded into staged_raw and staged_broken.

The bytes come from the reading process and were looked through (intake/wall/prescan.py). Nothing is guessed here: so
many columns, so many rows, and the counts must agree.
"""

from __future__ import annotations

import os

import duckdb

from swaddle.errors import OurBug
from swaddle.intake import opened, packing
from swaddle.intake.engine import literal
from swaddle.intake.faults import ColumnsMissing, EmptyFile, HeaderFault, TooLarge
from swaddle.intake.mapping import Mapping, folded, load_builtin
from swaddle.intake.sheet import CELL, LINE_IN_CELL, Sheet
from swaddle.intake.tables import Finding, Staged

LIMIT_ROW_BYTES = 4 * 1024 * 1024 + 1024  # a line of 1 MiB, each of its bytes a letter of four
_DIALECT = (
    f"delim = '{CELL}', quote = '', escape = '', comment = '', new_line = '\\n', header = false, auto_detect = false, "
    f"strict_mode = true, null_padding = false, ignore_errors = false, max_line_size = {LIMIT_ROW_BYTES}"
)


def stage(sheet: Sheet, layout: Mapping, *, file_digest: str, connection: duckdb.DuckDBPyConnection) -> Staged:
    """Load a sheet (intake/tables.py); its memory files stay open.

    Raises:
        EmptyFile: it has no rows at all.
        ColumnsMissing, HeaderFault: a column that the layout cannot do without is not there.
        TooLarge: it does not fit in the memory that is allowed.
        OurBug: the bytes are not in the form, the counts do not agree, or two rows have one line.
    """
    if sheet.read == 0:
        raise EmptyFile("a header but no rows")
    _check_columns(sheet.columns, layout)
    try:
        width = len(sheet.columns)
        names = [f"c{n}" for n in range(width)]
        packed = packing.packs(connection, sheet.read, width)
        columns = {"line": "BIGINT", **dict.fromkeys(names, "VARCHAR")}
        _load(connection, "staged_raw", sheet.rows_fd, columns, packed=packed)
        columns = {"line": "BIGINT", "why": "VARCHAR", "raw": "VARCHAR"}
        _load(connection, "staged_broken", sheet.broken_fd, columns)
        # Rows are joined by their line from here on: two of one line, or a row and a broken line, would be mixed up.
        counted = connection.execute(
            "SELECT (SELECT count(DISTINCT line) FROM staged_raw), (SELECT count(DISTINCT line) FROM staged_broken"
            " WHERE line NOT IN (SELECT line FROM staged_raw))"
        ).fetchone()
    except duckdb.OutOfMemoryException:
        raise TooLarge("its rows do not fit in the memory that is allowed") from None
    if counted != (sheet.rows, sheet.broken):
        raise OurBug("a sheet was loaded and its counts do not agree")
    unread = unread_columns(sheet.columns, layout)
    findings = [*sheet.findings, *([Finding("H3", facts={"names": ", ".join(unread)})] if unread else [])]
    return Staged(
        mapping=layout,
        rows_read=sheet.read,
        columns=sheet.columns,
        structural=tuple(findings),
        file_digest=file_digest,
        format=sheet.format,
        encoding=layout.encoding,
        where=sheet.where,
    )


def looks_like_a_row(columns: tuple[str, ...]) -> bool:
    """Whether a first line is data: some cells are numbers or dates and none is a name that any layout knows."""
    known = {folded(name) for each in load_builtin().values() for name in each.recognise}
    cells = [folded(each) for each in columns if folded(each)]
    return not known & set(cells) and any(
        each.replace("-", "").replace("/", "").replace(".", "").isdigit() for each in cells
    )


def unread_columns(columns: tuple[str, ...], mapping: Mapping) -> list[str]:
    """Names of the columns that the layout does not read, as the file writes them; nameless ones by their place."""
    used = {folded(name) for name in mapping.columns()} | {"submitter", "dictionary_version"}
    return [
        name.strip()[:60] or f"column {place} (no name)"
        for place, name in enumerate(columns, start=1)
        if folded(name) not in used
    ]


def _check_columns(columns: tuple[str, ...], layout: Mapping) -> None:
    there = {folded(each) for each in columns}
    lacking = sorted(
        {
            name
            for source in layout.fields.values()
            if not source.optional
            for name in source.columns()
            if folded(name) not in there
        }
    )
    if lacking:
        if looks_like_a_row(columns):
            raise HeaderFault("it looks like data, not like names")
        raise ColumnsMissing(", ".join(lacking))


def _load(
    connection: duckdb.DuckDBPyConnection, table: str, memory_fd: int, columns: dict[str, str], *, packed: bool = False
) -> None:
    fields = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    size_bytes = os.fstat(memory_fd).st_size
    new = packing.new(connection, table, packed=packed)
    try:
        blanks, line_ends = _odd_cells(memory_fd, size_bytes)
        cells = []
        for name, kind in columns.items():
            cell = f"replace({name}, chr({ord(LINE_IN_CELL)}), chr(10))" if line_ends else name
            cell = f"nullif(trim({cell}), '')" if blanks else cell
            cells.append(f"{cell} AS {name}" if kind == "VARCHAR" else name)
        whole = ", ".join(cells) if blanks or line_ends else "*"
        if not size_bytes:
            connection.execute(f"CREATE {new} ({fields})")
        elif not packed:
            with opened.path_of(memory_fd, size_bytes) as path:
                connection.execute(f"CREATE {new} AS SELECT {whole} FROM {_scan_of(path, columns)}")
        else:
            connection.execute(f"CREATE {new} ({fields})")
            for piece_fd in packing.pieces(memory_fd, size_bytes):
                with opened.path_of(piece_fd, os.fstat(piece_fd).st_size) as path:
                    connection.execute(f"INSERT INTO {table} SELECT {whole} FROM {_scan_of(path, columns)}")
                packing.pack(connection)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise OurBug(f"a sheet was not read back ({type(error).__name__})") from None


def _scan_of(path: str, columns: dict[str, str]) -> str:
    typed = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    return f"read_csv({literal(path)}, {_DIALECT}, columns = {{{typed}}})"


def _odd_cells(memory_fd: int, size_bytes: int) -> tuple[bool, bool]:
    """Whether a cell begins or ends in a space, and whether one holds a line end: few files have either."""
    cell, line_end = CELL.encode(), LINE_IN_CELL.encode()
    marks = (cell + b" ", b" " + cell, b" \n")
    blanks = line_ends = False
    last = b""
    for piece in opened.chunks(memory_fd, size_bytes):
        seam = last + piece[:1]
        blanks = blanks or any(mark in piece for mark in marks) or seam in marks
        line_ends = line_ends or line_end in piece
        last = piece[-1:]
    return blanks, line_ends
