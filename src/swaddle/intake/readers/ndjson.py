"""NDJSON (one JSON object a line) and JSON (a list of objects): each object is a row, each of its names a column.

Numbers stay as they are written; nothing is rounded. An object inside a row gives columns with dots
(`mother.birth_date`), a list of plain values one cell with semicolons. What JSON leaves to chance is an error: a name
twice in one object, NaN, half a letter. Memory: a line at a time for NDJSON, the whole list for JSON, which has no
lines to part it by.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NoReturn

from swaddle.errors import FileFault
from swaddle.intake import opened
from swaddle.intake.faults import EmptyFile, NotADataSet, TooLarge, Unreadable, WrongEncoding
from swaddle.intake.marks import BOM
from swaddle.intake.readers.how import How
from swaddle.intake.readers.scan import LIMIT_LINE_BYTES, lines_of
from swaddle.intake.sheet import Sheet, SheetWriter
from swaddle.intake.tables import Finding

LIMIT_LIST_BYTES = 256 * 1024 * 1024
LIMIT_DOCUMENT_BYTES = 16 * 1024 * 1024
LIMIT_DEPTH = 8
NOT_AN_OBJECT, NAME_TWICE, NOT_PLAIN = "B10", "B11", "B12"
NOT_TEXT, TOO_LONG = "B2", "B5"
_PLAIN = (str, int, float, bool, type(None))


class _Unfit(ValueError):
    """An object that is no row; `check` says why."""

    def __init__(self, check: str) -> None:
        super().__init__(check)
        self.check = check


def read(source_fd: int, size_bytes: int, how: How) -> list[Sheet]:
    """The objects of a file as one sheet; `line` is the line, or the number of the entry in a list.

    Raises:
        EmptyFile: no object at all.
        Unreadable: a list that is no JSON, or the file became shorter.
        TooLarge: a list beyond LIMIT_LIST_BYTES.
    """
    start = opened.read_piece(source_fd, min(64 * 1024, size_bytes), 0)
    listed = start.removeprefix(BOM).lstrip()[:1] == b"["
    limit = how.limits.sheet_bytes
    with SheetWriter(where="entry" if listed else "line", format="ndjson", limit_bytes=limit) as writer:
        if listed:
            _list(source_fd, size_bytes, writer)
        else:
            _lines(source_fd, size_bytes, writer)
        if not writer.columns:
            raise _nothing(source_fd, size_bytes, writer)
        return [writer.close()]


def _nothing(source_fd: int, size_bytes: int, writer: SheetWriter) -> FileFault:
    """Why not one row came out."""
    if not writer.broken_rows:
        return EmptyFile("not one object with a value")
    if size_bytes <= LIMIT_DOCUMENT_BYTES:
        with suppress(_Unfit):
            _parsed(opened.read_piece(source_fd, size_bytes, 0).removeprefix(BOM), LIMIT_DOCUMENT_BYTES)
            return NotADataSet("one JSON document; records are a list of objects, or one object a line")
    return Unreadable("not one line of it is a JSON object")


def _lines(source_fd: int, size_bytes: int, writer: SheetWriter) -> None:
    seen = number = blank = 0

    def pieces() -> Iterator[bytes]:
        nonlocal seen
        for piece in opened.chunks(source_fd, size_bytes):
            seen += len(piece)
            yield piece.removeprefix(BOM) if seen == len(piece) else piece

    for lines, _ in lines_of(pieces(), b"\n"):
        for line in lines:
            number += 1
            if line.strip():
                _take(writer, number, line)
            else:
                blank += 1
    if seen != size_bytes:
        raise Unreadable("it became shorter while it was read")
    if blank:
        writer.findings.append(Finding("H4", count=blank))


def _take(writer: SheetWriter, number: int, line: bytes) -> None:
    """One line: a row, or broken."""
    try:
        writer.add_named(number, row_of(_parsed(line, LIMIT_LINE_BYTES)))
    except _Unfit as error:
        writer.broken(number, error.check, line[:2000].decode("utf-8", "replace"))


def _list(source_fd: int, size_bytes: int, writer: SheetWriter) -> None:
    if size_bytes > LIMIT_LIST_BYTES:
        raise TooLarge(f"a JSON list of over {LIMIT_LIST_BYTES >> 20} MiB; one object a line (NDJSON) may be longer")
    text = opened.read_piece(source_fd, size_bytes, 0).removeprefix(BOM)
    try:
        entries = _parsed(text, LIMIT_LIST_BYTES)
    except _Unfit as error:
        if error.check == NOT_TEXT:
            raise WrongEncoding("it is not utf-8") from None
        raise Unreadable("it begins as a JSON list and is none") from None
    del text
    if not isinstance(entries, list):
        raise Unreadable("it begins as a JSON list and is none")
    for number, entry in enumerate(entries, start=1):
        try:
            writer.add_named(number, row_of(entry))
        except _Unfit as error:
            writer.broken(number, error.check, "")


class _Twice(dict[str, Any]):
    """An object in which a name stands twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Twice(found)


def _no_number(_: str) -> NoReturn:
    raise _Unfit(NOT_AN_OBJECT)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=_no_number)


def _parsed(data: bytes, most_bytes: int) -> Any:
    if len(data) > most_bytes:
        raise _Unfit(TOO_LONG)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise _Unfit(NOT_TEXT) from None
    try:
        return _DECODER.decode(text)
    except _Unfit:
        raise
    except (ValueError, RecursionError):
        raise _Unfit(NOT_AN_OBJECT) from None


def row_of(entry: Any) -> dict[str, str | None]:
    """Name to value of one object.

    Raises:
        _Unfit: it is no object, has a name twice, or holds what no cell can.
    """
    if not isinstance(entry, dict):
        raise _Unfit(NOT_AN_OBJECT)
    row: dict[str, str | None] = {}
    _flatten(entry, "", row, 0)
    return row


def _flatten(entry: dict[str, Any], prefix: str, row: dict[str, str | None], depth: int) -> None:
    if isinstance(entry, _Twice):
        raise _Unfit(NAME_TWICE)
    if depth > LIMIT_DEPTH:
        raise _Unfit(NOT_PLAIN)
    for name, value in entry.items():
        full = prefix + name
        if isinstance(value, dict):
            _flatten(value, f"{full}.", row, depth + 1)
            continue
        if full in row:  # {"a.b": 1, "a": {"b": 2}}
            raise _Unfit(NAME_TWICE)
        row[_whole(full)] = _cell(value)


def _cell(value: Any) -> str | None:
    if isinstance(value, list):
        if not all(isinstance(each, _PLAIN) for each in value):
            raise _Unfit(NOT_PLAIN)
        return ";".join(_cell(each) or "" for each in value)
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return _whole(value)


def _whole(text: str) -> str:
    """Text without half a letter (a lone surrogate), which no other program can hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise _Unfit(NOT_TEXT) from None
    return text
