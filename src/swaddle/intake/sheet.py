"""What a reader hands over: sheets of scanned rows in memory files, in one fixed form that the database loads blindly.

A file gives one sheet or several, one for each form (dictionary/v1/forms.toml). A reader runs in a process of its own
and makes sheets with `SheetWriter`; the parent only looks the bytes through and loads them (intake/staging.py).

The rows of a sheet: the line number, then every cell, apart by US (0x1f); a row ends in LF; a line end inside a cell is
RS (0x1e); a blank cell is empty; nothing is quoted. The broken rows: line, the id of the check that says why, and the
start of its text, in the same form. No cell can hold a control character: a row with one is broken (B3).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from swaddle.errors import OurBug
from swaddle.intake import opened
from swaddle.intake.faults import TooLarge
from swaddle.intake.tables import Finding

CELL = "\x1f"
LINE_IN_CELL = "\x1e"
RAW_SHOWN = 400  # characters of a broken row that are kept to show
LIMIT_COLUMNS = 2000
LIMIT_ROW = 1024 * 1024  # characters
LINE = "line"  # what a line is called where a reader says nothing else
CONTROL_CHARACTER = "B3"
TOO_LONG = "B5"
_BLANKS = "\xa0\t\n\r "  # taken off a cell's ends, so that the checks need to take off spaces only
_LINE_END = re.compile("\r\n|\r|\n")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BUFFER_BYTES = 1024 * 1024
_COPY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Rows of one form, read.

    Attributes:
        form: which form a row is; "" where the mapping says it, or the columns do.
        columns: names in the file's order; for formats without a header, places such as `PID-5.1`.
        rows_fd, rows: the memory file of rows, and how many it holds. Whoever takes the sheet closes it.
        broken_fd, broken: the same of rows that are none.
        findings: about the file or the sheet as a whole.
        layout: the mapping that the reader used; "" where the file was named or its columns say.
        where: what a line is called in this format: line, row, record, message, entry.
        format: what the file is: csv, excel, parquet, ndjson, fixed, hl7, fhir.
    """

    form: str
    columns: tuple[str, ...]
    rows_fd: int
    rows: int
    broken_fd: int
    broken: int
    findings: tuple[Finding, ...] = ()
    layout: str = ""
    where: str = LINE
    format: str = "csv"

    @property
    def read(self) -> int:
        """Every record that was seen: rows and broken ones."""
        return self.rows + self.broken

    def close(self) -> None:
        """Let the memory files go."""
        os.close(self.rows_fd)
        os.close(self.broken_fd)


@dataclass
class _MemoryFile:
    """A nameless file that is written through a buffer."""

    limit_bytes: int = opened.MEMORY_FILE_LIMIT_BYTES
    written_bytes: int = 0
    fd: int = field(default_factory=lambda: opened.memory_file(0))
    _buffer: bytearray = field(default_factory=bytearray)

    def write(self, text: str) -> None:
        self._buffer += text.encode("utf-8", "replace")
        if len(self._buffer) >= _BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        self.written_bytes += len(self._buffer)
        if self.written_bytes > self.limit_bytes:
            raise TooLarge("its rows are more than can be held in memory")
        opened.write_all(self.fd, bytes(self._buffer))
        self._buffer.clear()


class SheetWriter:
    """Writes one sheet, row by row. Close it, whatever happens: `with SheetWriter(…) as writer`."""

    def __init__(
        self,
        form: str = "",
        columns: Sequence[str] = (),
        *,
        layout: str = "",
        where: str = LINE,
        format: str = "csv",  # noqa: A002  it is the word of the sheet
        limit_bytes: int = opened.MEMORY_FILE_LIMIT_BYTES,
    ) -> None:
        """Begin a sheet; `columns` may be left out where rows come with names (`add_named`)."""
        self._form = form
        self._layout = layout
        self._where = where
        self._format = format
        self._names = list(columns)  # several may have no name
        self._places = {name: place for place, name in enumerate(columns)}
        self._first_width = len(self._names)
        self._rows = _MemoryFile(limit_bytes)
        self._broken = _MemoryFile(limit_bytes)
        self._taken = False
        self.rows = 0
        self.broken_rows = 0
        self.findings: list[Finding] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._taken:
            os.close(self._rows.fd)
            os.close(self._broken.fd)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns so far."""
        return tuple(self._names)

    def add(self, line: int, cells: Sequence[str | None]) -> None:
        """A row with a cell for each column.

        Raises:
            OurBug: another number of cells.
            TooLarge: the sheet is more than the limit.
        """
        if len(cells) != len(self._names):
            raise OurBug("a reader gave a row of another width than its header")
        self._add(line, cells)

    def add_named(self, line: int, row: Mapping[str, str | None]) -> None:
        """A row as name to value; a name that was not met before becomes a further column.

        Raises:
            TooLarge: too many columns, or the sheet is more than the limit.
        """
        for name in row:
            if name not in self._places:
                if len(self._names) >= LIMIT_COLUMNS:
                    raise TooLarge(f"it has over {LIMIT_COLUMNS} kinds of fields")
                self._places[name] = len(self._names)
                self._names.append(name)
        cells: list[str | None] = [None] * len(self._names)
        for name, value in row.items():
            cells[self._places[name]] = value
        self._add(line, cells)

    def add_scanned(self, text: str, rows: int) -> None:
        """Many rows at once, which a scanner has checked and written in the sheet's form (readers/scan.py).

        Raises:
            TooLarge: the sheet is more than the limit.
        """
        self.rows += rows
        self._rows.write(text)

    def broken(self, line: int, why: str, raw: str) -> None:
        """A row that is none: `why` is the id of a check (B1 …), `raw` its text, of which the start is kept."""
        shown = _CONTROLS.sub("\ufffd", _LINE_END.sub(" ", raw[:RAW_SHOWN]))
        self.broken_rows += 1
        self._broken.write(f"{line}{CELL}{why}{CELL}{shown}\n")

    def close(self) -> Sheet:
        """The sheet; its descriptors are the caller's now."""
        self._rows.flush()
        self._broken.flush()
        if len(self._names) > self._first_width:
            self._widen()
        self._taken = True
        return Sheet(
            form=self._form,
            columns=self.columns,
            rows_fd=self._rows.fd,
            rows=self.rows,
            broken_fd=self._broken.fd,
            broken=self.broken_rows,
            findings=tuple(self.findings),
            layout=self._layout,
            where=self._where,
            format=self._format,
        )

    def _add(self, line: int, cells: Sequence[str | None]) -> None:
        text = CELL.join([each.strip(_BLANKS) if each else "" for each in cells])
        if len(_CONTROLS.findall(text)) != max(0, len(cells) - 1):  # those between the cells
            self.broken(line, CONTROL_CHARACTER, " ".join(each for each in cells if each))
            return
        if len(text) > LIMIT_ROW:
            self.broken(line, TOO_LONG, text[:RAW_SHOWN].replace(CELL, " "))
            return
        if "\n" in text or "\r" in text:
            text = _LINE_END.sub(LINE_IN_CELL, text)
        self.rows += 1
        self._rows.write(f"{line}{CELL}{text}\n")

    def _widen(self) -> None:
        """Give the rows from before the last column was met their empty cells."""
        wide, width = _MemoryFile(self._rows.limit_bytes), len(self._names)
        rest = b""
        for piece in opened.chunks(self._rows.fd, self._rows.written_bytes, _COPY_BYTES):
            *rows, rest = (rest + piece).split(b"\n")
            for row in rows:
                wide.write(row.decode("utf-8") + CELL * (width - row.count(CELL.encode())) + "\n")
        wide.flush()
        os.close(self._rows.fd)
        self._rows = wide
