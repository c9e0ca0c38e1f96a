"""Where the columns of a fixed-width file stand in its records: from a mapping's [columns], or from a layout table.

Pure. Positions are counted from 1, as every published layout does: `DBWT = [504, 4]` is four characters from the 504th.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any

from swaddle.intake.faults import MappingFault

LIMIT_RECORD = 100_000  # characters of a record; the longest in use has 6,000
LIMIT_COLUMNS = 2000
_SKIPPED = re.compile(r"(filler|blank|reserved|skip)([\W\d_].*)?|[\W\d_]*", re.IGNORECASE)
# What layout tables call their columns, folded.
_NAME = ("field", "name", "variable", "column", "varname", "field name")
_START = (
    *("start", "start position", "begin", "beginning", "beginning location"),
    *("from", "first", "position", "positions", "location"),
)
_END = ("end", "to", "last", "stop", "end position")
_LENGTH = ("length", "width", "len", "size")
_RANGE = re.compile(r"\s*(\d+)\s*(?:[-\u2013]\s*(\d+))?\s*")


@dataclass(frozen=True, kw_only=True)
class Positions:
    """The columns of a record.

    Attributes:
        names: of the columns, in the layout's order.
        places: of each: how many characters stand before it, and how many stand before what follows it.
        length: of a record, without its line end.
    """

    names: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    length: int

    @property
    def needed(self) -> int:
        """Characters up to the end of the last column."""
        return max(end for _, end in self.places)

    def within(self, characters: int) -> Positions:
        """Only the columns that end within so many characters."""
        kept = [(name, place) for name, place in zip(self.names, self.places, strict=True) if place[1] <= characters]
        return Positions(names=tuple(name for name, _ in kept), places=tuple(at for _, at in kept), length=self.length)


def from_table(columns: Map[str, Any], length: int | None) -> Positions:
    """The positions that `[columns]` of a mapping gives: name = [first, length].

    Raises:
        MappingFault: a place is no place, two columns have one name, or a record would be too long.
    """
    places = []
    for name, place in columns.items():
        if not _is_place(place):
            raise MappingFault(f"write the column {name[:60]} as [first character, number of characters]")
        places.append((name, int(place[0]), int(place[1])))
    return _made(places, length)


def from_layout(text: str, length: int | None) -> Positions:
    """The positions that a layout table gives: a CSV file with a name, and a start with a length or an end.

    Nameless rows, fillers and rows without a position are passed over; of a name that stands there twice, the first.

    Raises:
        MappingFault: it has no such columns, or none of its rows gives a place.
    """
    rows = csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True))
    try:
        header = [each.strip().casefold() for each in next(rows)]
        name, start, end, size = (_which(header, each) for each in (_NAME, _START, _END, _LENGTH))
        if name is None or start is None:
            raise MappingFault("its layout table needs a column of names, and one of starts, with lengths or ends")
        found: dict[str, tuple[str, int, int]] = {}
        for row in rows:
            place = _place(row, start, end, size)
            named = row[name].strip() if name < len(row) else ""
            if place is not None and not _SKIPPED.fullmatch(named):
                found.setdefault(named.casefold(), (named, *place))
    except (csv.Error, StopIteration):
        raise MappingFault("its layout table is no CSV file with a header") from None
    return _made(list(found.values()), length)


def _which(header: list[str], names: tuple[str, ...]) -> int | None:
    """The place of the first of these names that the header has; an exact start is better than a range."""
    return next((header.index(each) for each in names if each in header), None)


def _place(row: list[str], start: int, end: int | None, size: int | None) -> tuple[int, int] | None:
    """First character and number of characters; the end, where there is one, says more surely than a length."""
    cells = {place: row[place] if place is not None and place < len(row) else "" for place in (start, end, size)}
    begins = _RANGE.fullmatch(cells[start])
    if begins is None:
        return None
    first = int(begins[1])
    last = begins[2] or (cells[end].strip() if end is not None else "")
    if last.isdecimal():
        return first, int(last) - first + 1
    length = cells[size].strip() if size is not None else ""
    return (first, int(length)) if length.isdecimal() else None


def _made(columns: list[tuple[str, int, int]], length: int | None) -> Positions:
    names = [name for name, _, _ in columns]
    if not columns or len(columns) > LIMIT_COLUMNS:
        raise MappingFault(f"it places no column, or over {LIMIT_COLUMNS}")
    if len({name.strip().casefold() for name in names}) != len(names):
        raise MappingFault("two columns of it have the same name")
    for name, first, size in columns:
        if first < 1 or size < 1 or first + size - 1 > LIMIT_RECORD:
            raise MappingFault(f"the column {name[:60]} is outside any record")
    needed = max(first + size - 1 for _, first, size in columns)
    if length is not None and not needed <= length <= LIMIT_RECORD:
        raise MappingFault(f"its columns reach to character {needed}, its length does not")
    places = tuple((first - 1, first + size - 1) for _, first, size in columns)
    return Positions(names=tuple(names), places=places, length=length or needed)


def _is_place(place: Any) -> bool:
    return isinstance(place, list) and len(place) == 2 and all(type(each) is int for each in place)
