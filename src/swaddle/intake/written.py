"""How the files of a layout are written: the format, where columns stand, what betrays a file that names no columns.

Pure. These are the lines of a mapping file that speak of the file and not of the fields:

    format = "fixed"                                   csv where nothing is said; any table is then read, Excel too
    columns = ["weight", "sex"]                        a CSV file without a header: its columns in order
    length = 1345                                      of a record of a fixed-width file
    layout = "Column_Info.csv"                         where its columns stand: a table beside the mapping file,
    [columns]                                          or here:
    DBWT = [504, 4]                                    name = [first character, number of characters]
    [known_by]                                         by what a fixed-width file of this layout is recognised
    SEX = ["M", "F"]                                   the column holds one of these
    DOB_YY = "digits"                                  or nothing but digits; "digits or blank"
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace
from typing import Any

from swaddle.intake.faults import MappingFault
from swaddle.intake.positions import LIMIT_COLUMNS, Positions, from_layout, from_table

TABLE = "csv"
FIXED = "fixed"
FORMATS = (TABLE, FIXED, "hl7", "fhir", "ndjson", "excel", "parquet")
MESSAGES = frozenset({"hl7", "fhir"})  # places in a message stand for columns: no column names betray them
KEYS = frozenset({"format", "columns", "length", "layout", "known_by"})
DIGITS, DIGITS_OR_BLANK = "digits", "digits or blank"


@dataclass(frozen=True, kw_only=True)
class Writing:
    """How a file is written.

    Attributes:
        format: one of FORMATS; csv also stands for every other table with a header.
        names: the columns of a file without a header, in order; none where it has one.
        positions: of a fixed-width file.
        known_by: column of a fixed-width file to what it must hold: some values, or DIGITS, or DIGITS_OR_BLANK.
    """

    format: str = TABLE
    names: tuple[str, ...] = ()
    positions: Positions | None = None
    known_by: Map[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that its files have, where the mapping says so: without a header, or of fixed width."""
        return self.positions.names if self.positions else self.names


def no_file(name: str) -> str:
    """What stands for the files beside a mapping where there are none.

    Raises:
        MappingFault: always.
    """
    raise MappingFault(f"the layout table {name[:60]} is not beside it")


def parse_writing(entry: Map[str, Any], beside: Callable[[str], str] = no_file) -> Writing:
    """The writing that a mapping's entry describes.

    Args:
        entry: the mapping file; keys that are not in KEYS are somebody else's.
        beside: gives the text of a file that stands beside the mapping file.

    Raises:
        MappingFault: it describes none.
    """
    kind, columns, length = entry.get("format", TABLE), entry.get("columns"), entry.get("length")
    if kind not in FORMATS:
        raise MappingFault(f"its format must be one of {', '.join(FORMATS)}")
    if kind == FIXED:
        positions = _positions(columns, length, entry.get("layout"), beside)
        return Writing(format=FIXED, positions=positions, known_by=_known_by(entry.get("known_by", {}), positions))
    if {"length", "layout", "known_by"} & set(entry) or isinstance(columns, dict):
        raise MappingFault('only format = "fixed" has a length, a layout table, positions and known_by')
    if columns is None:
        return Writing(format=kind)
    if kind != TABLE:
        raise MappingFault("only CSV files can be without a header")
    names = columns if isinstance(columns, list) else []
    folded = {each.strip().casefold() for each in names if isinstance(each, str)}
    if not names or len(folded) != len(names) or "" in folded or len(names) > LIMIT_COLUMNS:
        raise MappingFault("columns must be a list of different names, in the file's order")
    return Writing(format=TABLE, names=tuple(names))


def _positions(columns: Any, length: Any, layout: Any, beside: Callable[[str], str]) -> Positions:
    if length is not None and type(length) is not int:
        raise MappingFault("its length must be a number of characters")
    if (columns is None) == (layout is None):
        raise MappingFault("say where the columns of a fixed-width file stand: in [columns], or in a layout table")
    if layout is None:
        if not isinstance(columns, dict):
            raise MappingFault(
                "write [columns] of a fixed-width file as name = [first character, number of characters]"
            )
        return from_table(columns, length)
    if not isinstance(layout, str) or not layout or layout.startswith(".") or set(layout) & set("/\\:\0"):
        raise MappingFault("layout must be the name of a file beside the mapping file")
    return from_layout(beside(layout), length)


def _known_by(entry: Any, positions: Positions) -> dict[str, tuple[str, ...]]:
    if not isinstance(entry, dict):
        raise MappingFault("write [known_by] as column = values")
    known: dict[str, tuple[str, ...]] = {}
    for name, values in entry.items():
        if name not in positions.names:
            raise MappingFault(f"{name[:60]} in [known_by] is no column of it")
        if values in {DIGITS, DIGITS_OR_BLANK} if isinstance(values, str) else False:
            known[name] = (values,)
        elif isinstance(values, list) and values and all(isinstance(each, str) for each in values):
            known[name] = tuple(values)
        else:
            raise MappingFault(f'{name[:60]} in [known_by] must be "digits", "digits or blank" or a list of values')
    return known


def only(writing: Writing, used: Iterable[str]) -> Positions:
    """The positions of the columns that are used; the others need not be cut.

    Raises:
        MappingFault: none of them is used, or the writing is not fixed-width.
    """
    wanted = {each.strip().casefold() for each in used}
    positions = writing.positions
    pairs = zip(positions.names, positions.places, strict=True) if positions else ()
    kept = [(name, place) for name, place in pairs if name.strip().casefold() in wanted]
    if positions is None or not kept:
        raise MappingFault("it reads no column of the file")
    return replace(positions, names=tuple(name for name, _ in kept), places=tuple(place for _, place in kept))
