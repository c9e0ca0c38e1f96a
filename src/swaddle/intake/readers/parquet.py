"""Parquet: its form is judged before any value is read, and its rows are counted against its own metadata.

DuckDB reads it, in the reading process: an engine of its own that holds nothing else. Each row comes out as one text in
the sheet's form; what does not look like that at once goes cell by cell.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

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
_NESTED = frozenset(["struct", "list", "map", "array", "union"])
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


def _form(connection: duckdb.DuckDBPyConnection, path: str) -> tuple[dict[str, str], int]:
    """Column names, each with the SQL of its cell, and the number of rows it says it has."""
    stated = connection.execute(f"SELECT num_rows FROM parquet_file_metadata({path})").fetchall()
    rows = int(stated[0][0])
    if rows == 0:
        raise EmptyFile("columns but no rows")
    if rows < 0 or rows > LIMIT_ROWS:
        raise TooLarge(f"it has over {LIMIT_ROWS} rows, or says so")
    described = connection.execute(f"SELECT * FROM read_parquet({path}) LIMIT 0").description or []
    cells: dict[str, str] = {}
    for name, kind, *_ in described:
        for column, sql in _cells(str(name), identifier(name), kind):
            if column in cells or len(cells) == LIMIT_COLUMNS:
                raise HeaderFault(f"a column name stands in it twice, or it has over {LIMIT_COLUMNS} columns")
            cells[column] = sql
    named = [folded(each) for each in cells if folded(each)]
    if not named or len(set(named)) != len(named):
        raise HeaderFault("a column name stands in it twice, or none has a name")
    return cells, rows


def _cells(name: str, sql: str, kind: duckdb.sqltypes.DuckDBPyType) -> Iterator[tuple[str, str]]:
    """The columns of one column: a group is a column for each of its parts, a list of plain values one cell."""
    if kind.id == "struct":
        for part, of in _children(kind):
            yield from _cells(f"{name}.{part}", f"{sql}.{identifier(part)}", of)
    elif kind.id == "list":
        if any(of.id in _NESTED for _, of in _children(kind)):
            raise HeaderFault("a column holds lists of lists or of groups; a data set has plain columns")
        plain = f"list_transform({sql}, each -> replace(CAST(each AS VARCHAR), ';', ','))"
        yield name, f"array_to_string({plain}, ';')"
    elif kind.id in _NESTED:
        raise HeaderFault("a column holds keys and values; a data set has plain columns")
    elif kind.id in {"float", "double"}:
        yield name, f"CASE WHEN NOT isnan({sql}) THEN CAST({sql} AS VARCHAR) END"  # NaN is how some write a blank
    else:
        yield name, f"CAST({sql} AS VARCHAR)"


def _children(kind: duckdb.sqltypes.DuckDBPyType) -> list[tuple[str, duckdb.sqltypes.DuckDBPyType]]:
    return [(name, of) for name, of in kind.children if isinstance(of, duckdb.sqltypes.DuckDBPyType)]


def _sheet(connection: duckdb.DuckDBPyConnection, path: str, columns: dict[str, str], how: How) -> Sheet:
    if _ROW_NUMBER in {folded(each) for each in columns}:
        raise HeaderFault(f"a column is called {_ROW_NUMBER}, which the reader needs for itself")
    cells = ", ".join(f"coalesce({sql}, '')" for sql in columns.values())
    mark = f"chr({ord(CELL)})"
    found = connection.execute(
        f"SELECT {_ROW_NUMBER} + 1, concat_ws({mark}, {cells}) FROM read_parquet({path}, {_ROW_NUMBER} = true)"
    )
    names = tuple(columns)
    with SheetWriter(columns=names, where="row", format="parquet", limit_bytes=how.limits.sheet_bytes) as writer:
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
