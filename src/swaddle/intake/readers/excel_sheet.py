"""One worksheet of an Excel workbook, row by row as its XML comes: cells by column, formulas and merged ranges told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from swaddle.intake.faults import Unreadable
from swaddle.intake.readers.excel_package import Package
from swaddle.intake.readers.excel_values import NoDate, date_text, number_text

LIMIT_ROW_NUMBER = 1_048_576
LIMIT_COLUMN_NUMBER = 16_384
NO_DATE = "B13"
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
_DIGITS = re.compile(r"[0-9]{1,9}")


@dataclass
class Book:
    """What all sheets of a workbook share."""

    texts: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    since_1904: bool = False


@dataclass
class Row:
    """A row with something in it: cells by column from 0; `formulas` names the cells that hold one."""

    number: int
    cells: dict[int, str] = field(default_factory=dict)
    formulas: list[str] = field(default_factory=list)
    broken: str = ""

    def text(self) -> str:
        """Its cells in a line, to be shown."""
        return " | ".join(self.cells[place] for place in sorted(self.cells))


Take = Callable[[Row], None]
Merge = Callable[[str, int, int], None]


def rows_of(package: Package, part: str, book: Book, take: Take, merge: Merge) -> None:
    """Hand over every row that is not blank, then every merged range (Excel writes them last).

    Raises:
        Unreadable: damaged, or its rows are not in order.
        TooLarge: a bomb.
    """
    package.walk(part, *_Walker(book, take, merge).handlers())


class _Walker:
    """Takes the events of a worksheet's XML."""

    def __init__(self, book: Book, take: Take, merge: Merge) -> None:
        self._book, self._take, self._merge = book, take, merge
        self._row: Row | None = None
        self._last = 0
        self._place = -1
        self._kind = self._style = ""
        self._held: list[str] = []
        self._listens = self._aid = False
        self._formula = False

    def handlers(self) -> tuple[Callable[[str, dict[str, str]], None], Callable[[str], None], Callable[[str], None]]:
        """Start, end and text."""
        return self._start, self._end, self._text

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "row":
            self._row, self._place = Row(self._row_number(attributes.get("r"))), -1
        elif self._row is None:
            if tag == "mergeCell":
                self._merged(attributes.get("ref", ""))
        elif tag == "c":
            self._place = self._column(attributes.get("r"))
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._held, self._formula, self._listens, self._aid = [], False, False, False
        elif tag == "f":
            self._formula = True
        elif tag == "rPh":
            self._aid = True
        elif tag in {"v", "t"}:
            self._listens = not self._aid

    def _end(self, tag: str) -> None:
        if self._row is None:
            return
        if tag in {"v", "t"}:
            self._listens = False
        elif tag == "rPh":
            self._aid = False
        elif tag == "c":
            self._cell(self._row)
        elif tag == "row":
            row, self._row = self._row, None
            if row.cells or row.broken:
                self._take(row)

    def _text(self, piece: str) -> None:
        if self._listens:
            self._held.append(piece)

    def _cell(self, row: Row) -> None:
        if self._formula:
            row.formulas.append(f"{_letters(self._place)}{row.number}")
        written = "".join(self._held)
        try:
            value = self._value(written) if written else ""
        except NoDate:
            row.broken, value = NO_DATE, written
        if value.strip():
            row.cells[self._place] = value

    def _value(self, written: str) -> str:
        """The text of a cell by its type (ECMA-376, 18.18.11)."""
        match self._kind:
            case "s":
                place = int(written) if _DIGITS.fullmatch(written) else len(self._book.texts)
                if place >= len(self._book.texts):
                    raise Unreadable("a cell points to a text that is not there")
                return self._book.texts[place]
            case "b":
                return {"1": "true", "0": "false"}.get(written, written)
            case "n":
                return self._number(written)
            case "d":
                return written.removesuffix("T00:00:00").replace("T", " ")
            case _:  # str, inlineStr, e
                return written

    def _number(self, written: str) -> str:
        style = int(self._style) if _DIGITS.fullmatch(self._style) else 0
        kind = self._book.formats[style] if style < len(self._book.formats) else ""
        try:
            if kind and kind[0] != "0":
                return date_text(written, kind, since_1904=self._book.since_1904)
            return number_text(written, kind)
        except NoDate:
            raise
        except ValueError:
            return written

    def _row_number(self, told: str | None) -> int:
        number = self._last + 1 if told is None else int(told) if _DIGITS.fullmatch(told) else 0
        if not self._last < number <= LIMIT_ROW_NUMBER:
            raise Unreadable("its rows are not in order")
        self._last = number
        return number

    def _column(self, told: str | None) -> int:
        if told is None:
            place = self._place + 1
        else:
            found = _REFERENCE.fullmatch(told)
            place = _place(found[1]) if found else -1
        if not self._place < place < LIMIT_COLUMN_NUMBER:
            raise Unreadable("its cells are not in order")
        return place

    def _merged(self, where: str) -> None:
        first, _, last = where.partition(":")
        begins, ends = _REFERENCE.fullmatch(first), _REFERENCE.fullmatch(last)
        if begins and ends:
            self._merge(where, int(begins[2]), int(ends[2]))


def _place(letters: str) -> int:
    """A as 0, Z as 25, AA as 26."""
    place = 0
    for each in letters:
        place = place * 26 + ord(each) - 64
    return place - 1


def _letters(place: int) -> str:
    letters, left = "", place + 1
    while left:
        left, digit = divmod(left - 1, 26)
        letters = chr(65 + digit) + letters
    return letters
