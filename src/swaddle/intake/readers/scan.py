"""The form of a CSV file: lines, quotes, cells. Every physical line belongs to one row, one broken line, or is blank.

Pure but for the bytes it is given. The rules:

- A line ends in LF or CR LF; in a file without any LF, in CR.
- A value in quotation marks may hold the delimiter, line ends and doubled quotation marks (RFC 4180). At most
  LIMIT_QUOTED_LINES lines: beyond, or where a line inside looks like a row of its own, the mark was never closed. Then
  *only the line that opened it* is broken and reading goes on with the next: one open quote cannot swallow rows.
- A row has as many cells as the header. Another number breaks it (that of several lines: only its first line).
- Lines with nothing but delimiters and blanks are passed over, and counted.
- Bytes that are not of the file's encoding, control characters and lines over LIMIT_LINE_BYTES break the row.
- A cell that begins with apostrophes and one of = + - @ tab CR loses one apostrophe: the file of rejected rows has it
  there so that a spreadsheet runs nothing, and a corrected file reads back as it was.

Rows go on in a form that the database reads without any doubt: cells apart by US (0x1f), rows by LF, line ends inside a
cell as RS (0x1e), the line number in front. Those are control characters, so no cell can hold them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter, methodcaller

from swaddle.intake.sheet import CELL, LINE_IN_CELL, RAW_SHOWN

LIMIT_LINE_BYTES = 1024 * 1024
LIMIT_QUOTED_LINES = 100
BLOCK_LINES = 4096
_ODD_BLANKS = "\xa0\t\n\r "  # taken off a cell's ends here, so that the checks need to take off spaces only
_GUARD = re.compile(rb"'[=+\-@\t\r]")
_FIRST = itemgetter(slice(0, 1))
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_CONTROLS = bytes({*range(9), 11, 12, *range(14, 32)})
_CONTROL_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass
class Counts:
    """What must add up: every physical line is in exactly one of these, or continues a row."""

    lines: int = 0
    rows: int = 0
    broken: int = 0
    blank: int = 0
    continued: int = 0

    def add_up(self, header_lines: int) -> bool:
        """Whether every line is accounted for."""
        return self.lines == header_lines + self.rows + self.broken + self.blank + self.continued


@dataclass(frozen=True)
class Broken:
    """A line that is no row: its number, the check that says why, and its text as far as it can be shown."""

    line: int
    why: str
    raw: str


@dataclass
class Scanner:
    """Takes physical lines, gives rows in the database's form.

    Attributes:
        delimiter: one character.
        encoding: the file's.
        columns: number of cells in a row.
        first_line: physical number of the next line.
    """

    delimiter: str
    encoding: str
    columns: int
    first_line: int
    counts: Counts = field(default_factory=Counts)
    broken: list[Broken] = field(default_factory=list)
    _kept: list[bytes] = field(default_factory=list)

    def feed(self, lines: list[bytes], *, last: bool) -> str:
        """Rows out of further whole lines (without their ends); `last` says that no more will come."""
        parts: list[str] = []
        at = 0
        while at < len(lines):
            block = [*self._kept, *lines[at : at + BLOCK_LINES]]
            self._kept = []
            at += BLOCK_LINES
            quick = self._quick(block)
            if quick is None:
                parts.extend(self._careful(block, last=last and at >= len(lines)))
            else:
                parts.append(quick)
        if last and self._kept:
            parts.extend(self._careful(self._kept, last=True))
        return "".join(parts)

    def _quick(self, lines: list[bytes]) -> str | None:
        """All lines at once where none needs care: clean text, no row over several lines, all of the right width."""
        data = b"\n".join(lines)
        if b"\r" in data:
            data = (data + b"\n").replace(b"\r\n", b"\n")[:-1]
            lines = data.split(b"\n")
        clean = len(data.translate(None, _CONTROLS)) == len(data) and b"\r" not in data
        if not clean or len(max(lines, key=len)) > LIMIT_LINE_BYTES:
            return None
        if b"'" in data and _GUARD.search(data):
            return None
        try:
            text = data.decode(self.encoding)
        except UnicodeDecodeError:
            return None
        delimiter = self.delimiter
        if "\xa0" in text or ("\t" in text and delimiter != "\t"):
            return None
        return self._quick_rows(text)

    def _quick_rows(self, text: str) -> str | None:
        """The rows of clean text, of which only those that need it go through the parser."""
        delimiter, rows, originals, quoted = self.delimiter, text.split("\n"), [], []
        if '"' in text:
            text = "".join(self._marks.split(text))  # what stands between marks is given as it is
            originals, rows = rows, text.split("\n")
            quoted = [place for place, row in enumerate(rows) if '"' in row] if '"' in text else []
        parsed = self._parsed([originals[place] for place in quoted]) if quoted else []
        if parsed is None:
            return None
        plain = rows if not quoted else [row for row in rows if '"' not in row]
        if self.columns == 1:
            if delimiter in text or not all(map(str.strip, plain)):
                return None
        elif {*map(methodcaller("count", delimiter), plain)} - {self.columns - 1} or self._has_blank(plain):
            return None
        rows = text.replace(delimiter, CELL).split("\n")
        for place, cells in zip(quoted, parsed, strict=True):
            rows[place] = cells
        return self._number(rows)

    @cached_property
    def _marks(self) -> re.Pattern[str]:
        """A cell in quotation marks that holds neither a mark nor a delimiter: the marks can be taken off.

        Where that leaves a line without any mark, each began at a cell's start and ended at its end; a line with a mark
        left over is parsed from its original text.
        """
        parting = re.escape(self.delimiter)
        return re.compile(rf'"(?<![^{parting}\n]")([^"{parting}\n]*)"(?![^{parting}\n])')

    def _parsed(self, lines: list[str]) -> list[str] | None:
        """Lines with quotation marks in the database's form, or None where one needs care."""
        if any(line.count('"') % 2 for line in lines):
            return None
        try:
            parsed = list(csv.reader(lines, delimiter=self.delimiter, strict=True))
        except csv.Error:
            return None
        if len(parsed) != len(lines) or {*map(len, parsed)} != {self.columns}:
            return None
        joined = [*map(CELL.join, parsed)]
        return joined if all(each.strip(CELL + " \t") for each in joined) else None

    def _has_blank(self, lines: list[str]) -> bool:
        """Whether a line may hold nothing but delimiters and blanks (only lines that begin so are looked at)."""
        idle = self.delimiter + " \t"
        first = self.delimiter, " ", "\t"
        if not {*map(_FIRST, lines)} & {"", *first}:
            return False
        return any(not line.strip(idle) for line in lines if not line or line.startswith(first))

    def _number(self, rows: list[str]) -> str:
        count = len(rows)
        start = self.first_line
        self.first_line += count
        self.counts.lines += count
        self.counts.rows += count
        return "".join(map("%d\x1f%s\n".__mod__, zip(range(start, start + count), rows, strict=True)))

    def _careful(self, lines: list[bytes], *, last: bool) -> Iterator[str]:
        """Line by line; keeps back a row that may go on beyond these lines."""
        self._kept = []
        at = 0
        while at < len(lines):
            taken, outcome = self._take(lines, at, last=last)
            if taken == 0:
                self._kept = lines[at:]
                return
            number = self.first_line
            self.first_line += taken
            self.counts.lines += taken
            at += taken
            if isinstance(outcome, str):
                self.counts.rows += 1
                self.counts.continued += taken - 1
                yield f"{number}{CELL}{outcome}\n"
            elif outcome is None:
                self.counts.blank += 1
            else:
                self.counts.broken += 1
                self.broken.append(Broken(number, outcome[0], outcome[1][:RAW_SHOWN]))

    def _take(self, lines: list[bytes], at: int, *, last: bool) -> tuple[int, str | tuple[str, str] | None]:
        """Lines used from `at` (0: more are needed); what they are: a row, (check, text) if broken, None if blank."""
        line = lines[at].removesuffix(b"\r")
        text, why = self._text(line)
        if why:
            return 1, (why, text)
        if not text.strip(self.delimiter + " \t"):
            return 1, None
        if '"' not in text:
            return 1, self._row(text.split(self.delimiter), text)
        alone = self._parse(text)
        if text.count('"') % 2 == 0 or isinstance(alone, str):
            return 1, alone  # an odd mark inside a value that is not quoted (5'6") is text
        return self._over_lines(lines, at, text, last=last)

    def _over_lines(
        self, lines: list[bytes], at: int, first: str, *, last: bool
    ) -> tuple[int, str | tuple[str, str] | None]:
        """A row whose quotation mark is open at the end of its first line."""
        parts, size, open_mark = [first], len(first), True
        for following in lines[at + 1 : at + LIMIT_QUOTED_LINES]:
            text, why = self._text(following.removesuffix(b"\r"))
            size += len(text)
            if why or size > LIMIT_LINE_BYTES or self._is_row(text):
                return 1, ("B4", first)
            parts.append(text)
            if text.count('"') % 2:
                open_mark = False
                break
        if open_mark:
            if not last and len(parts) < LIMIT_QUOTED_LINES:
                return 0, None
            return 1, ("B4", first)
        outcome = self._parse("\n".join(parts))
        return (len(parts), outcome) if isinstance(outcome, str) else (1, ("B4", first))

    def _is_row(self, text: str) -> bool:
        """Whether a line inside an open quotation looks like a row of its own."""
        return self.columns > 3 and text.count(self.delimiter) >= self.columns - 1

    def _parse(self, text: str) -> str | tuple[str, str]:
        try:
            rows = list(csv.reader([text], delimiter=self.delimiter, strict=True))
        except csv.Error:
            return "B6", text
        if len(rows) != 1:
            return "B4", text
        return self._row(rows[0], text)

    def _row(self, cells: list[str], text: str) -> str | tuple[str, str]:
        if len(cells) != self.columns:
            return "B1", text
        cells = [each.strip(_ODD_BLANKS) for each in cells]
        joined = CELL.join(cells)
        if "'" in joined:
            joined = CELL.join(each[1:] if _GUARDED.match(each) else each for each in cells)
        return joined.replace("\r\n", LINE_IN_CELL).replace("\n", LINE_IN_CELL)

    def _text(self, line: bytes) -> tuple[str, str]:
        """The line's text, and the check that it breaks, if any."""
        if len(line) > LIMIT_LINE_BYTES:
            return line[:2000].decode(self.encoding, "replace"), "B5"
        try:
            text = line.decode(self.encoding)
        except UnicodeDecodeError:
            return line.decode(self.encoding, "replace"), "B2"
        if _CONTROL_TEXT.search(text) or "\r" in text:
            return text, "B3"
        return text, ""


def lines_of(pieces: Iterable[bytes], end: bytes) -> Iterator[tuple[list[bytes], bool]]:
    """Physical lines, many at a time, with whether they are the last; the file's last line need not end.

    A line that never ends is cut at twice LIMIT_LINE_BYTES so that memory stays bounded; the rest of that line is left
    out (the line is broken anyway).
    """
    rest = b""
    skipping = False
    for piece in pieces:
        lines = (rest + piece).split(end)
        rest = lines.pop()
        if skipping and lines:
            lines = lines[1:]
            skipping = False
        elif skipping:
            rest = b""
            continue
        if len(rest) > 2 * LIMIT_LINE_BYTES:
            lines.append(rest[: LIMIT_LINE_BYTES + 1])
            rest, skipping = b"", True
        if lines:
            yield lines, False
    yield ([rest] if rest else []), True
