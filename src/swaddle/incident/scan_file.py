"""One file, looked through: what it is, its tables, the columns of each, who they are about. Runs behind the wall.

Nothing of a file's contents leaves here but what a column is, counts, and keys of persons under the scan's secret.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from swaddle.errors import FileFault
from swaddle.incident import columns_words as words
from swaddle.incident.columns import Column, classify
from swaddle.incident.columns_heard import LIMIT_HEADER
from swaddle.incident.columns_persons import Finder, Known, plan
from swaddle.incident.columns_values import Profile, profile
from swaddle.incident.scan_delimited import encoding_of, text_tables
from swaddle.incident.scan_packed import Budget, package_of, unpack
from swaddle.incident.scan_sheets import excel, parquet
from swaddle.incident.scan_source import NotRead, Rows, Source, Table, of_file
from swaddle.incident.scan_structured import hl7_tables, json_tables
from swaddle.incident.scan_text import plain_text
from swaddle.intake import sniff
from swaddle.intake.readers.hl7_stream import looks_like_hl7

SAMPLE_ROWS = 600
LIMIT_COLUMNS_SAID = 2000
_PARTS = (("_YR", "_MO", "_DY"), ("_YY", "_MM", "_DD"), ("_YEAR", "_MONTH", "_DAY"))
_MARKUP = ("a web page", "an XML document", "a document with markup", "a picture (SVG)", "a text document (RTF)")


class ColumnSaid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of a column: its place, its name where that is made of known words, and what it holds."""

    place: int
    name: str
    element: str
    whose: str
    by: str


class TableSaid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of one table of a file; `member` names its place in a package."""

    member: str
    kind: str
    records: int
    spoilt: int
    unknown: int
    headed: bool
    columns: tuple[ColumnSaid, ...]


class Trouble(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something in a file that was not read, and why."""

    member: str
    why: str


@dataclass
class Looking:
    """One file being looked through.

    Attributes:
        secret, scope, today: as columns_persons.Finder.
        give: takes the persons.
        progress: told how many bytes were read.
    """

    secret: bytes
    scope: bytes
    today: int
    give: Callable[[Mapping[Known, tuple[int, int]]], None]
    tables: list[TableSaid] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    _budget: Budget | None = None
    _member: str = ""

    def look(self, fd: int, size_bytes: int, begin: int = 0, stop: int | None = None) -> None:
        """The whole file; whatever cannot be read becomes a trouble."""
        self._budget = Budget(size_bytes)
        self._one("", of_file(fd, size_bytes, begin, stop), 0)

    def _one(self, name: str, source: Source, depth: int) -> None:
        before, self._member = self._member, f"{self._member}/{name}" if self._member and name else self._member or name
        try:
            self._read(source, depth)
        except NotRead as why:
            self._trouble("", str(why))
        except FileFault as fault:
            self._trouble("", fault.lines()[1])
        except MemoryError:
            self._trouble("", "it needs more memory than a scan may take")
        finally:
            self._member = before

    def _trouble(self, name: str, why: str) -> None:
        member = f"{self._member}/{name}" if self._member and name else self._member or name
        self.troubles.append(Trouble(member[:400], why[:400]))

    def _read(self, source: Source, depth: int) -> None:
        if source.whole() and not source.head.strip(b" \t\r\n\0\xef\xbb\xbf"):
            raise NotRead("it is empty")
        package = package_of(source.head)
        if package:
            self._package(package, source, depth)
            return
        kind = self._kind(source)
        readers = {sniff.PARQUET: parquet, sniff.HL7: hl7_tables, sniff.FHIR: json_tables, sniff.NDJSON: json_tables}
        for table in (readers.get(kind) or text_tables)(source) if kind != "text" else [_searched(source)]:
            taker = self.begin(table)
            for rows in table.rows:
                taker.feed(rows)
            taker.end()

    def _kind(self, source: Source) -> str:
        """What it is by its first bytes.

        Raises:
            NotRead: nothing that can be read.
        """
        if looks_like_hl7(source.head):
            return sniff.HL7
        size = source.size_bytes if source.size_bytes is not None else len(source.head) + 1
        try:
            return sniff.sniff(source.head[:65536], size)
        except FileFault as fault:
            why = fault.lines()[1]
            if any(each in why for each in _MARKUP):
                return "text"
            if source.head[:5] == b"-----":
                raise NotRead("a key, a certificate or an encrypted message") from None
            if _is_text(source.head):
                return sniff.CSV
            raise NotRead(why) from None

    def _package(self, kind: str, source: Source, depth: int) -> None:
        budget = self._budget or Budget(len(source.head))
        if kind != "zip":
            unpack(kind, source, budget, depth, self._one, self._trouble)
            return
        fd, size = source.in_memory()
        inside = of_file(fd, size)
        if inside.size_bytes and (b"xl/" in inside.head[:4096] or _has_workbook(fd)):
            excel(inside, self.begin)
            return
        unpack(kind, inside, budget, depth, self._one, self._trouble)

    def begin(self, table: Table) -> _Taker:
        """What takes a table's rows."""
        return _Taker(self, table, self._member)


def _searched(source: Source) -> Table:
    return plain_text(source, encoding_of(source.head))


def _is_text(head: bytes) -> bool:
    """Whether hardly a byte is a control character (NUL now and then is an accident of programs)."""
    odd = len(head) - len(head.translate(None, bytes({*range(9), 11, 12, *range(14, 32)} - {1, 2})))
    return odd * 50 < len(head)


def _has_workbook(fd: int) -> bool:
    try:
        with open(fd, "rb", closefd=False) as file, zipfile.ZipFile(file) as archive:
            return "xl/workbook.xml" in archive.NameToInfo
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


class _Taker:
    """Takes the rows of one table: the first are a sample to know the columns by, then persons are found in all."""

    def __init__(self, looking: Looking, table: Table, member: str) -> None:
        self._looking, self._table, self._member = looking, table, member
        self._held: list[Rows] = []
        self._waiting = self._records = 0
        self._finder: Finder | None = None
        self._columns: list[Column] = []
        self._made = _made_dates(table.names)

    def feed(self, rows: Rows) -> None:
        """Further rows."""
        if self._made:
            rows = [[*row, *("-".join(row[place] for place in places) for _, places in self._made)] for row in rows]
        self._records += len(rows)
        if self._finder is not None:
            self._finder.take(rows)
            return
        self._held.append(rows)
        self._waiting += len(rows)
        if self._waiting >= SAMPLE_ROWS:
            self._begin()

    def end(self) -> None:
        """There are no more: say what the table is."""
        if self._finder is None:
            self._begin()
        finder, table = self._finder, self._table
        if finder is None:
            return
        finder.flush()
        searched = table.kind == "text"
        said = tuple(
            ColumnSaid(each.place, each.name, each.element, each.whose, each.by)
            for each in self._columns[:LIMIT_COLUMNS_SAID]
            if not searched or each.profile.seen
        )
        if not self._records and (searched or table.apart):
            return
        self._looking.tables.append(
            TableSaid(
                member=self._member[:400],
                kind=table.kind,
                records=0 if searched else self._records,
                spoilt=table.spoilt[0],
                unknown=0 if searched else finder.unknown,
                headed=any(table.names),
                columns=said,
            )
        )

    def _begin(self) -> None:
        table, looking = self._table, self._looking
        sample = [] if table.apart else [*(row for rows in self._held for row in rows)][:SAMPLE_ROWS]
        sample += table.samples
        names = (*table.names, *(name for name, _ in self._made))
        cells = [[row[place] for row in sample if place < len(row)] for place in range(1, len(names) + 1)]
        if table.known:
            self._columns = [_known(place, names, cells[place - 1], table) for place in range(1, len(names) + 1)]
        else:
            self._columns = classify(names, cells)
        self._finder = Finder(plan(self._columns), looking.secret, looking.scope, looking.today, looking.give)
        for rows in self._held:
            self._finder.take(rows)
        self._held.clear()


def _known(place: int, names: Sequence[str], cells: Sequence[str], table: Table) -> Column:
    """A column that the format names."""
    element, whose = table.known.get(place, ("", ""))
    seen = profile(cells[:300]) if element else Profile()
    if table.kind in {"hl7", "fhir"} and not seen.seen:
        element = ""
    shown = names[place - 1][:LIMIT_HEADER]
    return Column(place=place, name=shown, element=element, whose=whose, by="format", profile=seen)


def _made_dates(names: Sequence[str]) -> list[tuple[str, tuple[int, int, int]]]:
    """Dates whose year, month and day stand in columns of their own: a further column for each."""
    places = {name.strip().upper(): place for place, name in enumerate(names, start=1)}
    found = []
    for year, month, day in _PARTS:
        begins = [(name.removesuffix(year), place) for name, place in places.items() if name.endswith(year)]
        found += [
            (rest, (place, places[rest + month], places[rest + day]))
            for rest, place in begins
            if rest + month in places and rest + day in places
        ]
    return found


ELEMENTS = words.IDENTIFIERS | {
    words.SEX, words.AGE, words.MUNICIPALITY, words.REGION, words.ORIGIN, words.EVENT_DATE, words.DEATH_DATE,
    words.CLINICAL_CODE, words.LAB_RESULT, words.BIRTH_MEASURE, words.PREGNANCY, words.BIRTH, words.FERTILITY,
    words.OUTCOME, words.RISK, words.NOTES, words.FACILITY, words.PROVIDER, words.PAYMENT,
}  # fmt: skip
