"""CSV: a scan of the form in Python, then DuckDB on what the scan wrote, and counts that must agree.

DuckDB alone lets NUL pass, lets an open quote swallow thousands of rows and lost a very long line; so it never sees the
submitter's bytes, only the scanner's (readers/scan.py). Memory: BATCH_BYTES of rows at a time and the tables.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from swaddle.errors import OurBug
from swaddle.intake import opened
from swaddle.intake.engine import literal
from swaddle.intake.faults import EmptyFile, HeaderFault, Unreadable, WrongEncoding
from swaddle.intake.mapping import Mapping, folded, load_builtin
from swaddle.intake.readers.scan import LIMIT_LINE_BYTES, Scanner, lines_of
from swaddle.intake.sheet import CELL, LINE_IN_CELL
from swaddle.intake.sniff import BOM
from swaddle.intake.tables import Finding

LIMIT_COLUMNS = 2000
BATCH_BYTES = 32 * 1024 * 1024
BATCH_BROKEN = 50_000  # broken lines kept in memory before they go to their table
# Nothing is left to be guessed: the scanner wrote it so.
_DIALECT = (
    f"delim = '{CELL}', quote = '', escape = '', comment = '', new_line = '\\n', header = false, auto_detect = false, "
    f"strict_mode = true, null_padding = false, ignore_errors = false, max_line_size = {4 * LIMIT_LINE_BYTES + 1024}"
)
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Header:
    """The first line: names, how cells are parted, and where the rows begin."""

    columns: tuple[str, ...]
    delimiter: str
    end: bytes
    encoding: str
    skip_bytes: int
    lines: int


def read_csv(
    source_fd: int, size_bytes: int, mapping: Mapping | None, connection: duckdb.DuckDBPyConnection
) -> tuple[tuple[str, ...], int, list[Finding]]:
    """Fill staged_raw and staged_broken; the columns, the number of rows read, and findings about the file.

    Raises:
        FileFault: the file as a whole cannot be read.
        OurBug: the counts do not add up.
    """
    header = read_header(source_fd, size_bytes, mapping)
    width = len(header.columns)
    names = ", ".join(f"c{n} VARCHAR" for n in range(width))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE staged_raw (line BIGINT, {names})")
    connection.execute("CREATE OR REPLACE TEMP TABLE staged_broken (line BIGINT, why VARCHAR, raw VARCHAR)")
    scanner = Scanner(header.delimiter, header.encoding, width, first_line=header.lines + 1)
    scanner.counts.lines = header.lines
    for text in _batches(source_fd, size_bytes, header, scanner):
        if text:
            _load(connection, text, width)
        _store_broken(connection, scanner)
    stored = connection.execute(
        "SELECT (SELECT count(*) FROM staged_raw), (SELECT count(*) FROM staged_broken)"
    ).fetchone()
    counted = scanner.counts
    if stored != (counted.rows, counted.broken) or not counted.add_up(header.lines):
        raise OurBug("a CSV file was read and its counts do not add up")
    findings = [Finding("H4", count=scanner.counts.blank)] if scanner.counts.blank else []
    return header.columns, scanner.counts.rows + scanner.counts.broken, findings


def read_header(source_fd: int, size_bytes: int, mapping: Mapping | None) -> Header:
    """The header line of a CSV file.

    Raises:
        HeaderFault: no line of column names.
        WrongEncoding: not of the encoding expected.
    """
    start = opened.read_piece(source_fd, min(size_bytes, LIMIT_LINE_BYTES), 0)
    skip = len(BOM) if start.startswith(BOM) else 0
    encoding = "utf-8" if skip or mapping is None else mapping.encoding
    end = b"\r" if b"\n" not in start and b"\r" in start else b"\n"
    lines = 0
    while True:  # blank lines above the header are passed over
        stop = start.find(end, skip)
        line = start[skip:] if stop < 0 else start[skip:stop]
        lines += 1
        skip += len(line) + (1 if stop >= 0 else 0)
        if line.strip():
            break
        if stop < 0:
            raise EmptyFile("nothing but blank lines")
    if stop < 0 and size_bytes > len(start):
        raise HeaderFault("its first line is longer than any header")
    try:
        text = line.removesuffix(b"\r").decode(encoding)
    except UnicodeDecodeError:
        raise WrongEncoding(f"its first line is not {encoding}") from None
    columns, delimiter = _split_header(text, mapping.delimiter if mapping else "")
    return Header(_checked_names(columns), delimiter, end, encoding, skip, lines)


def _split_header(text: str, given: str) -> tuple[list[str], str]:
    """Names and delimiter: the one given, else the one that parts the line into most cells."""
    if "\x00" in text or (not text.isprintable() and "\t" not in text):
        raise HeaderFault("its first line holds control characters")
    best: tuple[list[str], str] | None = None
    for delimiter in (given,) if given else _DELIMITERS:
        try:
            rows = list(csv.reader([text], delimiter=delimiter, strict=True))
        except csv.Error:
            continue
        if len(rows) == 1 and (best is None or len(rows[0]) > len(best[0])):
            best = rows[0], delimiter
    if best is None:
        raise HeaderFault("a quotation mark on it is not closed")
    return best


def _checked_names(names: list[str]) -> tuple[str, ...]:
    if len(names) > LIMIT_COLUMNS:
        raise HeaderFault(f"it has over {LIMIT_COLUMNS} columns")
    seen: set[str] = set()
    for name in names:
        if not folded(name):
            continue
        if folded(name) in seen:
            raise HeaderFault("a column name stands on it twice")
        seen.add(folded(name))
    if not seen:
        raise HeaderFault("no column has a name")
    return tuple(names)


def looks_like_a_row(columns: tuple[str, ...]) -> bool:
    """Whether a first line is data: some cells are numbers or dates and none is a name that any layout knows."""
    known = {folded(name) for each in load_builtin().values() for name in each.recognise}
    cells = [folded(each) for each in columns if folded(each)]
    return not known & set(cells) and any(
        each.replace("-", "").replace("/", "").replace(".", "").isdigit() for each in cells
    )


def _batches(source_fd: int, size_bytes: int, header: Header, scanner: Scanner) -> Iterator[str]:
    """Rows in the database's form, some BATCH_BYTES at a time."""
    seen = 0

    def rows() -> Iterator[bytes]:
        nonlocal seen
        for piece in opened.chunks(source_fd, size_bytes):
            seen += len(piece)
            yield piece[header.skip_bytes :] if seen == len(piece) else piece

    held: list[str] = []
    held_size = 0
    for lines, last in lines_of(rows(), header.end):
        text = scanner.feed(lines, last=last)
        held.append(text)
        held_size += len(text)
        if held_size >= BATCH_BYTES or len(scanner.broken) >= BATCH_BROKEN:
            yield "".join(held)
            held, held_size = [], 0
    if seen != size_bytes:
        raise Unreadable("it became shorter while it was read")
    yield "".join(held)


def _load(connection: duckdb.DuckDBPyConnection, text: str, width: int) -> None:
    data = text.encode()
    memory_fd = opened.memory_file(len(data))
    try:
        opened.write_all(memory_fd, data)
        columns = ", ".join(["'line': 'BIGINT'", *(f"'c{n}': 'VARCHAR'" for n in range(width))])
        cells = ", ".join(f"replace(c{n}, chr({ord(LINE_IN_CELL)}), chr(10))" for n in range(width))
        with opened.path_of(memory_fd, len(data)) as path:
            connection.execute(
                f"INSERT INTO staged_raw SELECT {'line, ' + cells if LINE_IN_CELL in text else '*'} "
                f"FROM read_csv({literal(path)}, {_DIALECT}, columns = {{{columns}}})"
            )
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise OurBug(f"a scanned file was not read back ({type(error).__name__})") from None
    finally:
        os.close(memory_fd)


def _store_broken(connection: duckdb.DuckDBPyConnection, scanner: Scanner) -> None:
    if not scanner.broken:
        return
    lines = [each.line for each in scanner.broken]
    why = [each.why for each in scanner.broken]
    raw = [each.raw for each in scanner.broken]
    scanner.broken.clear()
    connection.execute(
        "INSERT INTO staged_broken SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
        [lines, why, raw],
    )
