"""CSV: the header, then a scan of the form (readers/scan.py), into one sheet. Counts must agree.

No database sees the submitter's bytes: DuckDB alone lets NUL pass, lets an open quote swallow thousands of rows and
lost a very long line. Text in UTF-16, which spreadsheets call "Unicode text", is turned into UTF-8 first, and that is
said. Memory: some megabytes of lines at a time, and the sheet.
"""

from __future__ import annotations

import codecs
import csv
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from swaddle.errors import OurBug
from swaddle.intake import opened
from swaddle.intake.faults import EmptyFile, HeaderFault, LayoutUnknown, Unreadable, WrongEncoding
from swaddle.intake.mapping import Mapping, folded, recognise
from swaddle.intake.marks import BOM, HEAD_BYTES, wide_encoding
from swaddle.intake.readers import fixed
from swaddle.intake.readers.how import How
from swaddle.intake.readers.scan import LIMIT_LINE_BYTES, Scanner, lines_of
from swaddle.intake.sheet import LIMIT_COLUMNS, Sheet, SheetWriter
from swaddle.intake.tables import Finding
from swaddle.intake.written import FIXED

_DELIMITERS = (",", ";", "\t", "|")
_END_OF_FILE = b"\x1a"  # as programs of DOS end a text
_SEPARATOR = re.compile(rb"sep=([,;\t|])", re.IGNORECASE)
_UTF_8 = "utf-8"


@dataclass(frozen=True)
class Header:
    """The first line: names, how cells are parted, and where the rows begin."""

    columns: tuple[str, ...]
    delimiter: str
    end: bytes
    encoding: str
    skip_bytes: int
    lines: int


def read(source_fd: int, size_bytes: int, how: How) -> list[Sheet]:
    """The rows of a CSV file as one sheet; `line` is the physical line on which a row starts, the header's is 1.

    Text is read as fixed width where its layout is, or its records betray such a layout; but not where a header names
    the layout's columns: then somebody has corrected rejected rows, which go back as CSV.

    Raises:
        FileFault: the file as a whole cannot be read.
        OurBug: the counts do not add up.
    """
    layout = how.mapping or fixed.recognised(source_fd, size_bytes, how)
    if layout is not None and layout.format == FIXED and not _is_table(source_fd, size_bytes, layout):
        return fixed.read(source_fd, size_bytes, replace(how, mappings=(layout,), named=True))
    wide = wide_encoding(opened.read_piece(source_fd, min(HEAD_BYTES, size_bytes), 0))
    if not wide:
        return [_scan(source_fd, size_bytes, how, [])]
    with _narrowed(source_fd, size_bytes, wide) as (narrow_fd, narrow_bytes):
        return [_scan(narrow_fd, narrow_bytes, how, [Finding("H30", facts={"encoding": wide.upper()})])]


def _scan(source_fd: int, size_bytes: int, how: How, findings: list[Finding]) -> Sheet:
    if opened.read_piece(source_fd, 1, size_bytes - 1) == _END_OF_FILE:
        size_bytes -= 1
    header = read_header(source_fd, size_bytes, how)
    scanner = Scanner(header.delimiter, header.encoding, len(header.columns), first_line=header.lines + 1)
    counted = scanner.counts
    counted.lines = header.lines
    with SheetWriter(columns=header.columns, limit_bytes=how.limits.sheet_bytes) as writer:
        for text in _batches(source_fd, size_bytes, header, scanner):
            writer.add_scanned(text, counted.rows - writer.rows)
            for each in scanner.broken:
                writer.broken(each.line, each.why, each.raw)
            scanner.broken.clear()
        writer.findings += findings
        if counted.blank:
            writer.findings.append(Finding("H4", count=counted.blank))
        if (writer.rows, writer.broken_rows) != (counted.rows, counted.broken) or not counted.add_up(header.lines):
            raise OurBug("a CSV file was read and its counts do not add up")
        return writer.close()


def _is_table(source_fd: int, size_bytes: int, layout: Mapping) -> bool:
    """Whether a first line names every column that a fixed-width layout reads."""
    head = opened.read_piece(source_fd, min(size_bytes, LIMIT_LINE_BYTES), 0)
    line = head.removeprefix(BOM).lstrip(b"\r\n").replace(b"\r", b"\n").split(b"\n", 1)[0].decode(_UTF_8, "replace")
    names = {folded(each.strip('"')) for each in re.split("[,;\t|]", line)}
    return {folded(each) for each in layout.columns()} <= names


@contextmanager
def _narrowed(source_fd: int, size_bytes: int, encoding: str) -> Iterator[tuple[int, int]]:
    """A memory file with the same text in UTF-8, and its size."""
    decoder = codecs.getincrementaldecoder(encoding)()
    narrow_fd, written = opened.memory_file(0), 0
    try:
        for piece in opened.chunks(source_fd, size_bytes):
            data = decoder.decode(piece).encode()
            opened.write_all(narrow_fd, data)
            written += len(data)
        decoder.decode(b"", final=True)
        yield narrow_fd, written
    except UnicodeError:
        raise Unreadable(f"it begins as {encoding.upper()} and does not go on so") from None
    finally:
        os.close(narrow_fd)


def read_header(source_fd: int, size_bytes: int, how: How) -> Header:
    """The header line of a CSV file; the layout that its names belong to says how the rest is encoded.

    Raises:
        HeaderFault: no line of column names.
        WrongEncoding: not of the encoding expected.
    """
    start = opened.read_piece(source_fd, min(size_bytes, LIMIT_LINE_BYTES), 0)
    skip = len(BOM) if start.startswith(BOM) else 0
    sure = _UTF_8 if skip else ""
    end = b"\r" if b"\n" not in start and b"\r" in start else b"\n"
    lines, given = 0, ""
    while True:  # blank lines above the header are passed over, and a line for Excel that says what parts the cells
        stop = start.find(end, skip)
        line = start[skip:] if stop < 0 else start[skip:stop]
        lines += 1
        skip += len(line) + (1 if stop >= 0 else 0)
        separator = _SEPARATOR.fullmatch(line.strip(b" \r"))
        if separator is not None:
            given = separator[1].decode()
        elif line.strip():
            break
        if stop < 0:
            raise EmptyFile("nothing but blank lines")
    if stop < 0 and size_bytes > len(start):
        raise HeaderFault("its first line is longer than any header")
    names, delimiter, mapping = _names(line.removesuffix(b"\r"), how, sure, given)
    encoding = sure or (mapping.encoding if mapping is not None else _UTF_8)
    told = mapping.writing.names if mapping is not None else ()
    if told and list(map(folded, names)) != list(map(folded, told)):  # there is no header: the line is a row already
        if len(names) != len(told):
            raise HeaderFault(f"it has {len(names)} cells, and its layout names {len(told)} columns")
        return Header(told, delimiter, end, encoding, skip - len(line) - (stop >= 0), lines - 1)
    return Header(_checked_names(names), delimiter, end, encoding, skip, lines)


def _names(line: bytes, how: How, sure: str, given: str) -> tuple[list[str], str, Mapping | None]:
    """Names, delimiter, and the layout: the one that was named, else the one that has these columns."""
    if how.mapping is not None:
        names, delimiter = _split_header(_text(line, sure or how.mapping.encoding), how.mapping.delimiter or given)
        return names, delimiter, how.mapping
    tried = [sure] if sure else [_UTF_8, *sorted({each.encoding for each in how.mappings} - {_UTF_8})]
    for encoding in tried:
        try:
            names, delimiter = _split_header(_text(line, encoding), given)
        except WrongEncoding:
            continue
        fitting = _fitting(names, how.mappings)
        if fitting is not None or encoding == tried[0]:
            return names, delimiter, fitting
    raise WrongEncoding(f"its first line is not {tried[0]}")


def _fitting(names: Sequence[str], mappings: Sequence[Mapping]) -> Mapping | None:
    try:
        return recognise(names, mappings)
    except LayoutUnknown:  # the parent says so; the names are what it needs
        return None


def _text(line: bytes, encoding: str) -> str:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        raise WrongEncoding(f"its first line is not {encoding}") from None


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


def _batches(source_fd: int, size_bytes: int, header: Header, scanner: Scanner) -> Iterator[str]:
    """Rows in the sheet's form, some thousands at a time."""
    seen = 0

    def rows() -> Iterator[bytes]:
        nonlocal seen
        for piece in opened.chunks(source_fd, size_bytes):
            seen += len(piece)
            yield piece[header.skip_bytes :] if seen == len(piece) else piece

    for lines, last in lines_of(rows(), header.end):
        yield scanner.feed(lines, last=last)
    if seen != size_bytes:
        raise Unreadable("it became shorter while it was read")
