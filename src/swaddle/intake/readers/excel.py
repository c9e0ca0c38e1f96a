"""Excel workbooks (.xlsx, .xlsm): every visible sheet whose columns belong to a layout is read, row by row.

Values only: a formula's last value is taken and said (H32), nothing is calculated, no macro or link is looked at.
Hidden sheets are named and left (H31), so are sheets of no layout (H34). The column names may stand below a title: the
first of the top rows that a layout knows is the header. Memory: the workbook's shared texts and one row at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from swaddle.intake.faults import EmptyFile, HeaderFault, LayoutUnknown, NotADataSet, Unreadable
from swaddle.intake.mapping import Mapping, folded, recognise
from swaddle.intake.readers.excel_package import Package
from swaddle.intake.readers.excel_sheet import Book, Row, rows_of
from swaddle.intake.readers.excel_values import kind_of_format
from swaddle.intake.readers.how import How
from swaddle.intake.sheet import LIMIT_COLUMNS, Sheet, SheetWriter
from swaddle.intake.tables import Finding

LIMIT_WORKSHEETS = 255
LIMIT_MERGED = 65_536
TOP_ROWS = 20  # among which the header stands
_SHOWN = 5
_NAME_SHOWN = 60
_WORKBOOK = "xl/workbook.xml"


@dataclass
class _Worksheet:
    """A sheet of the workbook: its name, its part, whether it can be seen."""

    name: str
    part: str
    hidden: bool


@dataclass
class _Reading:
    """One worksheet on its way to a sheet."""

    how: How
    top: list[Row] = field(default_factory=list)
    writer: SheetWriter | None = None
    header: Row | None = None
    fits: bool = False
    formulas: list[str] = field(default_factory=list)
    formula_count: int = 0
    merged: list[tuple[str, int, int]] = field(default_factory=list)

    def take(self, row: Row) -> None:
        """The next row that is not blank."""
        if self.writer is not None:
            self._add(self.writer, row)
            return
        self.top.append(row)
        if _fits(_names(row), self.how) or len(self.top) == TOP_ROWS:
            self.begin()

    def begin(self) -> None:
        """Choose the header among the top rows, and write the rows below it."""
        place = next((n for n, row in enumerate(self.top) if _fits(_names(row), self.how)), None)
        self.fits, self.header = place is not None, self.top[place or 0]
        columns = _names(self.header)
        if max(self.header.cells) >= LIMIT_COLUMNS:
            raise HeaderFault(f"it has over {LIMIT_COLUMNS} columns")
        self.writer = SheetWriter(
            columns=_checked(columns), where="row", format="excel", limit_bytes=self.how.limits.sheet_bytes
        )
        if place:
            self.writer.findings.append(Finding("H35", count=place))
        below, self.top = self.top[(place or 0) + 1 :], []
        for row in below:
            self._add(self.writer, row)

    def _add(self, writer: SheetWriter, row: Row) -> None:
        width = len(writer.columns)
        self.formula_count += len(row.formulas)
        self.formulas += row.formulas[: max(0, _SHOWN - len(self.formulas))]
        if row.broken:
            writer.broken(row.number, row.broken, row.text())
        elif max(row.cells, default=0) >= width:
            writer.broken(row.number, "B1", row.text())
        else:
            writer.add(row.number, [row.cells.get(place) for place in range(width)])

    def merge(self, where: str, first_row: int, last_row: int) -> None:
        """A range of merged cells."""
        if len(self.merged) == LIMIT_MERGED:
            raise Unreadable(f"it has over {LIMIT_MERGED} merged cells")
        self.merged.append((where, first_row, last_row))

    def close(self) -> Sheet | None:
        """The sheet with what is to be said of it; None where the worksheet has no row.

        Raises:
            HeaderFault: no layout knows its header, and cells of it are merged.
        """
        if self.writer is None and self.top:
            self.begin()
        if self.writer is None or self.header is None:
            return None
        header = self.header.number
        if not self.fits and any(first <= header <= last for _, first, last in self.merged):
            raise HeaderFault("cells of it are merged")
        merged = [where for where, first, _ in self.merged if first > header]
        for rule, count, places in (("H32", self.formula_count, self.formulas), ("H33", len(merged), merged)):
            if count:
                facts = {"names": ", ".join(places[:_SHOWN]) + (" …" if count > _SHOWN else "")}
                self.writer.findings.append(Finding(rule, count=count, facts=facts))
        return self.writer.close()


def read(source_fd: int, size_bytes: int, how: How) -> list[Sheet]:
    """The sheets of a workbook that hold records; `line` is the row as Excel counts it.

    Raises:
        NotADataSet: an archive of something else.
        EmptyFile: no visible sheet with a row.
        HeaderFault: the column names are merged, or stand twice.
        Unreadable, TooLarge: damaged, or a bomb.
    """
    sheets, strangers = list[Sheet](), list[tuple[str, Sheet]]()
    with open(source_fd, "rb", closefd=False) as file:
        package = Package(file, size_bytes, how.limits)
        book, worksheets = book_of(package)
        try:
            for each in worksheets:
                if not each.hidden:
                    _read_one(package, book, each, how, sheets, strangers)
        except BaseException:
            for sheet in (*sheets, *(sheet for _, sheet in strangers)):
                sheet.close()
            raise
    hidden = [each.name for each in worksheets if each.hidden]
    if not sheets and not strangers:
        raise EmptyFile("no row in a sheet that can be seen")
    if not sheets:  # its columns belong to no layout: the first is handed over, and the parent says so
        sheets = [strangers.pop(0)[1]]
    for _, sheet in strangers:
        sheet.close()
    said = [Finding("H31", count=len(hidden), facts={"names": _listed(hidden)})] if hidden else []
    left = [name for name, _ in strangers]
    said += [Finding("H34", count=len(left), facts={"names": _listed(left)})] if left else []
    return [_with(sheets[0], said), *sheets[1:]]


def _read_one(
    package: Package,
    book: Book,
    worksheet: _Worksheet,
    how: How,
    sheets: list[Sheet],
    strangers: list[tuple[str, Sheet]],
) -> None:
    reading = _Reading(how)
    try:
        rows_of(package, worksheet.part, book, reading.take, reading.merge)
        sheet = reading.close()
    except BaseException:
        if reading.writer is not None:
            with reading.writer:  # lets its memory files go
                pass
        raise
    if sheet is not None and reading.fits:
        sheets.append(sheet)
    elif sheet is not None:
        strangers.append((worksheet.name, sheet))


def _with(sheet: Sheet, findings: list[Finding]) -> Sheet:
    return replace(sheet, findings=(*sheet.findings, *findings))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join("".join(c if c.isprintable() else "\ufffd" for c in each[:_NAME_SHOWN]) for each in names[:20])
    return shown + (" …" if len(names) > 20 else "")


def _names(row: Row) -> tuple[str, ...]:
    width = min(max(row.cells, default=-1) + 1, LIMIT_COLUMNS)
    return tuple(row.cells.get(place, "") for place in range(width))


def _checked(names: tuple[str, ...]) -> tuple[str, ...]:
    """Every name once; several columns may have none, and get none.

    Raises:
        HeaderFault: a name stands twice.
    """
    named = [folded(each) for each in names if folded(each)]
    if len(set(named)) != len(named):
        raise HeaderFault("a column name stands on it twice")
    return names


def _fits(names: tuple[str, ...], how: How) -> bool:
    """Whether a row of cells is the header of a layout that this file may be of."""
    if how.mapping is not None:
        there = {folded(each) for each in names}
        return bool(there) and _needed(how.mapping) <= there
    try:
        recognise(names, how.mappings)
    except LayoutUnknown:
        return False
    return True


def _needed(mapping: Mapping) -> set[str]:
    return {folded(name) for source in mapping.fields.values() if not source.optional for name in source.columns()}


def book_of(package: Package) -> tuple[Book, list[_Worksheet]]:
    """What the sheets share, and the sheets in their order."""
    if not package.has(_WORKBOOK):
        raise NotADataSet("a ZIP archive, and no Excel workbook (.xlsx)")
    targets = _targets(package)
    found: list[_Worksheet] = []
    book = Book()

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "workbookPr":
            book.since_1904 = attributes.get("date1904", "0") in {"1", "true", "on"}
        elif tag == "sheet":
            key = next((value for name, value in attributes.items() if name.rpartition("}")[2] == "id"), "")
            hidden = attributes.get("state", "visible") != "visible"
            if key in targets:
                found.append(_Worksheet(attributes.get("name", ""), targets[key], hidden))

    package.walk(_WORKBOOK, start, _nothing, _nothing)
    if not found or len(found) > LIMIT_WORKSHEETS:
        raise Unreadable("it has no sheets, or more than any workbook")
    book.texts = _texts(package)
    book.formats = _formats(package)
    return book, found


def _targets(package: Package) -> dict[str, str]:
    """Relationship id to the part of a worksheet; nothing outside the archive."""
    found: dict[str, str] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        kind = attributes.get("Type", "")
        if tag == "Relationship" and kind.endswith("/worksheet") and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            found[attributes.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"

    package.walk("xl/_rels/workbook.xml.rels", start, _nothing, _nothing)
    return found


def _texts(package: Package) -> list[str]:
    """The shared texts; of rich text its letters, without the reading aids of Japanese."""
    if not package.has("xl/sharedStrings.xml"):
        return []
    texts: list[str] = []
    parts: list[str] = []
    state = {"t": False, "aid": False}

    def start(tag: str, _: dict[str, str]) -> None:
        if tag == "si":
            parts.clear()
        state["t"] = tag == "t" or (state["t"] and tag not in {"si", "r", "rPh"})
        state["aid"] = state["aid"] or tag == "rPh"

    def end(tag: str) -> None:
        if tag == "si":
            texts.append("".join(parts))
        if tag == "rPh":
            state["aid"] = False
        if tag == "t":
            state["t"] = False

    def text(piece: str) -> None:
        if state["t"] and not state["aid"]:
            parts.append(piece)

    package.walk("xl/sharedStrings.xml", start, end, text)
    return texts


def _formats(package: Package) -> list[str]:
    """For each cell style whether its numbers are dates."""
    if not package.has("xl/styles.xml"):
        return []
    codes: dict[int, str] = {}
    numbers: list[int] = []
    inside: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        inside.append(tag)
        if tag == "numFmt":
            codes[_int(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif tag == "xf" and "cellXfs" in inside:
            numbers.append(_int(attributes.get("numFmtId")))

    def end(_: str) -> None:
        inside.pop()

    package.walk("xl/styles.xml", start, end, _nothing)
    return [kind_of_format(each, codes.get(each)) for each in numbers]


def _int(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _nothing(*_: object) -> None:
    """An event that does not matter here."""
