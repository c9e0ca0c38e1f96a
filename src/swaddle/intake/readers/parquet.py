"""Parquet: its form is judged before any value is read, and its rows are counted against its own metadata.

DuckDB reads it, in the reading process: an engine of its own that holds nothing else. Each row comes out as one text in
the sheet's form; what does not look like that at once goes cell by cell.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

import duckdb

from swaddle.intake import opened
from swaddle.intake.engine import connect, identifier, literal
from swaddle.intake.faults import EmptyFile, HeaderFault, TooLarge, Unreadable
from swaddle.intake.mapping import folded
from swaddle.intake.readers.how import How
from swaddle.intake.sheet import CELL, LIMIT_COLUMNS, Sheet, SheetWriter

LIMIT_FOOTER_BYTES = 64 * 1024 * 1024
LIMIT_ROWS = 50_000_000
MAGIC = b"PAR1"
ENGINE_BYTES = 768 * 1024 * 1024
BATCH_ROWS = 8192
_ROW_NUMBER = "file_row_number"
# A control character that is not the mark between cells, or a blank beside one: then every cell is looked at.
_ODD = re.compile("[\x00-\x1e]|\xa0|\x1f | \x1f| $", re.MULTILINE)
_engine: list[duckdb.DuckDBPyConnection] = []


def prepare() -> None:
    """Start the engine, which looks at the machine; one thread: a wall does not hold those that were before it."""
    if not _engine:
        _engine.append(connect(memory_bytes=ENGINE_BYTES, threads=1))
        _engine[0].execute("SELECT 1, 'a'").fetchmany(1)  # the first result looks for modules that it may need


def read(source_fd: int, size_bytes: int, how: How) -> list[Sheet]:
    """The rows of a Parquet file as one sheet; `line` is the row's number from 1.

    Every value becomes text, as a CSV file would hold it, so that the same checks follow.

    Raises:
        FileFault: cut short, damaged, nested, too many columns, or other rows than it says.
    """
    _check_ends(source_fd, size_bytes)
    prepare()
    copy = opened.copy_into_memory(source_fd, size_bytes)
    try:
        with opened.path_of(copy, size_bytes) as path, _engine[0].cursor() as connection:
            columns, stated = _form(connection, literal(path))
            sheet = _sheet(connection, literal(path), columns, how)
    except duckdb.OutOfMemoryException:
        raise TooLarge("its rows do not fit in memory") from None
    except duckdb.Error as error:
        raise Unreadable(f"its contents are damaged ({type(error).__name__})") from None
    finally:
        os.close(copy)
    if sheet.read != stated:
        sheet.close()
        raise Unreadable("it says that it has another number of rows than it has")
    return [sheet]


def _check_ends(source_fd: int, size_bytes: int) -> None:
    end = opened.read_piece(source_fd, 8, max(0, size_bytes - 8))
    if size_bytes < 12 or end[4:] != MAGIC:
        raise Unreadable("its end is missing")
    if int.from_bytes(end[:4], "little") > min(size_bytes - 12, LIMIT_FOOTER_BYTES):
        raise Unreadable("its footer is damaged")


def _form(connection: duckdb.DuckDBPyConnection, path: str) -> tuple[tuple[str, ...], int]:
    """Column names and the number of rows it says it has."""
    stated = connection.execute(f"SELECT num_rows FROM parquet_file_metadata({path})").fetchall()
    schema = connection.execute(f"SELECT name, num_children, repetition_type FROM parquet_schema({path})").fetchall()
    rows, columns = int(stated[0][0]), schema[1:]
    if rows == 0:
        raise EmptyFile("columns but no rows")
    if rows < 0 or rows > LIMIT_ROWS:
        raise TooLarge(f"it has over {LIMIT_ROWS} rows, or says so")
    if len(columns) > LIMIT_COLUMNS:
        raise HeaderFault(f"it has over {LIMIT_COLUMNS} columns")
    if any(children or repetition == "REPEATED" for _, children, repetition in columns):
        raise HeaderFault("a column holds lists or groups; a data set has plain columns")
    names = tuple(str(name) for name, _, _ in columns)
    named = [folded(each) for each in names if folded(each)]
    if not named or len(set(named)) != len(named):
        raise HeaderFault("a column name stands in it twice, or none has a name")
    return names, rows


def _sheet(connection: duckdb.DuckDBPyConnection, path: str, columns: tuple[str, ...], how: How) -> Sheet:
    if _ROW_NUMBER in {folded(each) for each in columns}:
        raise HeaderFault(f"a column is called {_ROW_NUMBER}, which the reader needs for itself")
    cells = ", ".join(f"coalesce(CAST({identifier(name)} AS VARCHAR), '')" for name in columns)
    mark = f"chr({ord(CELL)})"
    found = connection.execute(
        f"SELECT {_ROW_NUMBER} + 1, concat_ws({mark}, {cells}) FROM read_parquet({path}, {_ROW_NUMBER} = true)"
    )
    with SheetWriter(columns=columns, where="row", format="parquet", limit_bytes=how.limits.sheet_bytes) as writer:
        while rows := found.fetchmany(BATCH_ROWS):
            _add(writer, rows, len(columns))
        return writer.close()


def _add(writer: SheetWriter, rows: Sequence[tuple[int, str]], width: int) -> None:
    text = "\x1f\x1f".join([row for _, row in rows])
    if text.count(CELL) == (width - 1) * len(rows) + 2 * (len(rows) - 1) and not _ODD.search(text):
        writer.add_scanned("".join([f"{line}{CELL}{row}\n" for line, row in rows]), len(rows))
        return
    for line, row in rows:
        cells = row.split(CELL)
        if len(cells) == width:
            writer.add(line, cells)
        else:
            writer.broken(line, "B3", row.replace(CELL, " "))
