"""Workbooks and Parquet: every sheet, hidden ones too; every column as text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import duckdb

from swaddle.errors import FileFault
from swaddle.incident.scan_header import header_of
from swaddle.incident.scan_source import MEBIBYTE, NotRead, Rows, Source, Table, Taker
from swaddle.intake import opened
from swaddle.intake.engine import connect, identifier, literal
from swaddle.intake.readers.excel import book_of
from swaddle.intake.readers.excel_package import Package
from swaddle.intake.readers.excel_sheet import Row, rows_of
from swaddle.intake.readers.how import Limits
from swaddle.intake.sheet import LIMIT_COLUMNS

ENGINE_BYTES = 160 * MEBIBYTE
LIMIT_PARQUET_BYTES = 192 * MEBIBYTE
_BLOCK = 2000
_ANSWER_ROWS = 40_000
_TOP = 300  # rows that are looked at before a sheet is taken
_engine: list[duckdb.DuckDBPyConnection] = []


def prepare() -> None:
    """Start the engine that reads Parquet, before the walls stand; one thread."""
    if not _engine:
        _engine.append(connect(memory_bytes=ENGINE_BYTES, threads=1))
        _engine[0].execute("SELECT 1, 'a'").fetchmany(1)


def _rows(connection: duckdb.DuckDBPyConnection, path: str, cells: str) -> Iterator[Rows]:
    """All rows, some thousand at a time: the engine would hold the whole answer."""
    counted = connection.execute(f"SELECT num_rows FROM parquet_file_metadata({path})").fetchall()
    asked = (
        f"SELECT '', {cells} FROM read_parquet({path}, file_row_number = true) WHERE file_row_number BETWEEN ? AND ?"
    )
    for begin in range(0, int(counted[0][0]), _ANSWER_ROWS):
        found = connection.execute(asked, [begin, begin + _ANSWER_ROWS - 1])
        while block := found.fetchmany(_BLOCK):
            yield [[each or "" for each in row] for row in block]


def excel(source: Source, begin: Callable[[Table], Taker]) -> None:
    """Every sheet with a row, handed to a taker as its rows come.

    Raises:
        NotRead: no workbook, damaged, or a bomb.
    """
    fd, size = source.in_memory()
    try:
        with open(fd, "rb", closefd=False) as file:
            package = Package(file, size, Limits(unpacked_bytes=1024 * MEBIBYTE))
            book, sheets = book_of(package)
            for sheet in sheets:
                reading = _Sheet(begin)
                rows_of(package, sheet.part, book, reading.take, _no_merge)
                reading.end()
    except FileFault as fault:
        raise NotRead(str(fault.lines()[1])) from None
    finally:
        os.close(fd)


class _Sheet:
    """The rows of one worksheet on their way."""

    def __init__(self, begin: Callable[[Table], Taker]) -> None:
        self._begin = begin
        self._top: list[dict[int, str]] = []
        self._block: Rows = []
        self._taker: Taker | None = None
        self._width = 0

    def take(self, row: Row) -> None:
        if self._taker is None:
            self._top.append(dict(row.cells))
            if len(self._top) >= _TOP:
                self._start()
            return
        self._add(self._taker, row.cells)

    def _add(self, taker: Taker, cells: dict[int, str]) -> None:
        self._block.append(["", *(cells.get(place, "") for place in range(self._width))])
        if len(self._block) >= _BLOCK:
            taker.feed(self._block)
            self._block = []

    def _start(self) -> None:
        self._width = min(max((max(each, default=-1) for each in self._top), default=-1) + 1, LIMIT_COLUMNS)
        skip, names = header_of([[each.get(place, "") for place in range(self._width)] for each in self._top])
        self._taker = self._begin(Table("excel", names, iter(())))
        for cells in self._top[skip:]:
            self._add(self._taker, cells)

    def end(self) -> None:
        if self._taker is None:
            if not self._top:
                return
            self._start()
        if self._taker is not None:
            self._taker.feed(self._block)
            self._taker.end()


def _no_merge(*_: object) -> None:
    """Merged cells say nothing that the header search does not see."""


def parquet(source: Source) -> Iterator[Table]:
    """The table of a Parquet file.

    Raises:
        NotRead: damaged, encrypted, or larger than may be held.
    """
    if source.size_bytes is not None and source.size_bytes > LIMIT_PARQUET_BYTES:
        raise NotRead(f"a Parquet file of over {LIMIT_PARQUET_BYTES // MEBIBYTE} MiB")
    prepare()
    fd, size = source.in_memory()
    try:
        copy = opened.copy_into_memory(fd, size)
    finally:
        os.close(fd)
    try:
        with opened.path_of(copy, size) as path, _engine[0].cursor() as connection:
            table = f"read_parquet({literal(path)})"
            columns = [str(each[0]) for each in connection.execute(f"SELECT * FROM {table} LIMIT 0").description or []]
            cells = ", ".join(f"CAST({identifier(each)} AS VARCHAR)" for each in columns)
            yield Table("parquet", tuple(columns), _rows(connection, literal(path), cells))
    except duckdb.Error as error:
        raise NotRead(f"its contents are damaged or encrypted ({type(error).__name__})") from None
    finally:
        os.close(copy)
