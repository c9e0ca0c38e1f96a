"""Parquet: its form is judged before any value is read, and its rows are counted against its own metadata."""

from __future__ import annotations

import os
from collections.abc import Sequence

import duckdb

from swaddle.intake import opened
from swaddle.intake.engine import identifier, literal
from swaddle.intake.faults import EmptyFile, HeaderFault, TooLarge, Unreadable
from swaddle.intake.mapping import folded
from swaddle.intake.readers.csv import LIMIT_COLUMNS
from swaddle.intake.sheet import RAW_SHOWN

LIMIT_FOOTER_BYTES = 64 * 1024 * 1024
LIMIT_ROWS = 50_000_000
MAGIC = b"PAR1"
_ROW_NUMBER = "file_row_number"
_CONTROLS = r"'[\x00-\x08\x0B\x0C\x0E-\x1F]'"
_BLANKS = r"'[\t\n\r\x{00A0}]'"


def read_parquet(source_fd: int, size_bytes: int, connection: duckdb.DuckDBPyConnection) -> tuple[tuple[str, ...], int]:
    """Fill staged_raw and an empty staged_broken; the columns and the number of rows.

    Every value becomes text, as a CSV file would hold it, so that the same checks follow.

    Raises:
        FileFault: cut short, damaged, nested, too many columns, or other rows than it says.
    """
    _check_ends(source_fd, size_bytes)
    copy = opened.copy_into_memory(source_fd, size_bytes)
    try:
        with opened.path_of(copy, size_bytes) as path:
            columns, stated = _form(connection, literal(path))
            _stage(connection, literal(path), columns)
    except duckdb.OutOfMemoryException:
        raise TooLarge("its rows do not fit in memory") from None
    except duckdb.Error as error:
        raise Unreadable(f"its contents are damaged ({type(error).__name__})") from None
    finally:
        os.close(copy)
    row = connection.execute(
        "SELECT (SELECT count(*) FROM staged_raw) + (SELECT count(*) FROM staged_broken)"
    ).fetchone()
    if row is None or row[0] != stated:
        raise Unreadable("it says that it has another number of rows than it has")
    return columns, stated


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


def _stage(connection: duckdb.DuckDBPyConnection, path: str, columns: tuple[str, ...]) -> None:
    if _ROW_NUMBER in {folded(each) for each in columns}:
        raise HeaderFault(f"a column is called {_ROW_NUMBER}, which the reader needs for itself")
    types = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({path})").fetchall()
    texts = [n for n, row in enumerate(types) if row[1] in {"VARCHAR", "BLOB"}]

    def stage(trimmed: Sequence[int]) -> None:
        cells = (f"CAST({identifier(name)} AS VARCHAR)" for name in columns)
        named = (f"nullif({_trim(cell) if n in trimmed else cell}, '') AS c{n}" for n, cell in enumerate(cells))
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE staged_raw AS SELECT {_ROW_NUMBER} + 1 AS line, {', '.join(named)} "
            f"FROM read_parquet({path}, {_ROW_NUMBER} = true)"
        )

    stage(())
    connection.execute("CREATE OR REPLACE TEMP TABLE staged_broken (line BIGINT, why VARCHAR, raw VARCHAR)")
    if not texts:
        return
    all_text = f"concat_ws(' ', {', '.join(f'c{n}' for n in texts)})"
    odd = connection.execute(
        f"SELECT count_if(regexp_matches(t, {_CONTROLS})), count_if(regexp_matches(t, {_BLANKS})) "
        f"FROM (SELECT {all_text} AS t FROM staged_raw)"
    ).fetchone() or (0, 0)
    if odd[1]:  # rare, and slow: only then
        stage(texts)
    if odd[0]:
        connection.execute(
            f"INSERT INTO staged_broken SELECT line, 'B3', left({all_text}, {RAW_SHOWN}) FROM staged_raw "
            f"WHERE regexp_matches({all_text}, {_CONTROLS})"
        )
        connection.execute("DELETE FROM staged_raw WHERE line IN (SELECT line FROM staged_broken)")


def _trim(cell: str) -> str:
    """Blanks around a value taken off, as the CSV reader does."""
    return f"trim({cell}, ' ' || chr(9) || chr(10) || chr(13) || chr(160))"
