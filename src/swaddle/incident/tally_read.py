"""Lists of breaches as they are published, each row made into one disclosure with the file and row it came from.

Read: the federal health portal's CSV, lists of attorneys general, any CSV whose header names an organisation, and
VERIS JSON (one incident, a list of them, or one a line). Nothing in a list is believed: it is text, and stays text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

import msgspec

from swaddle.errors import FileFault, UsageFault
from swaddle.incident.tally_figures import NOTHING_SAID, Figure, NoFigure, figure_of
from swaddle.incident.tally_names import parties

MOST_BYTES, MOST_FIELD, HEADER_WITHIN = 512 * 1024 * 1024, 1024 * 1024, 25
VERIS = "veris:"  # one numbering over all lists of that kind
KINDS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson")
Column = Literal["organisation", "state", "individuals", "residents", "date", "sector", "vendor", "case"]
COLUMNS: tuple[Column, ...] = ("organisation", "state", "individuals", "residents", "date", "sector", "vendor", "case")
# What lists call a column, in small letters without signs; the first that a list has is taken.
HEADERS: dict[Column, tuple[str, ...]] = {
    "organisation": (
        "name of covered entity", "covered entity", "organisation", "organization", "organisation name",
        "organization name", "name of organization", "name of company or organization", "entity name", "name of entity",
        "entity or individual name", "business name", "name of business", "company", "company name", "business",
        "entity", "victim", "victim id", "breached entity", "respondent", "institution", "school", "name",
        "nom de l organisation", "entreprise",
    ),
    "state": ("state", "province", "entity state", "state of entity", "entity or individual state", "victim state",
              "region"),
    "individuals": (
        "individuals affected", "number of individuals affected", "individuals", "persons", "persons affected",
        "total affected", "total number affected", "total number of persons affected", "number affected",
        "total number of individuals affected", "affected", "total records", "records", "records affected",
        "number of records", "total individuals affected", "number of people affected", "people affected", "count",
        "total persons affected", "personnes touchees", "data total",
    ),
    "residents": (
        "number of texans affected", "texans affected", "number of washingtonians affected", "washingtonians affected",
        "ma residents affected", "maine residents affected", "number of maine residents affected", "in affected",
        "total number of maine residents affected", "montanans affected", "number of montanans affected",
        "oregonians affected", "vermonters affected", "number of vermonters affected", "residents affected",
        "number of residents affected", "state residents affected", "nh residents affected", "iowans affected",
        "number of potentially affected delaware residents", "number of delaware residents affected", "sc residents",
        "number of residents", "wisconsin residents affected", "nd residents affected", "north dakotans affected",
    ),
    "date": (
        "breach submission date", "date reported", "reported date", "date published at oag website", "submission date",
        "date made public", "date of report", "report date", "opened date", "matter opened date", "date of notice",
        "date posted", "date submitted", "date notified", "date received", "date of notification", "date",
        "date reported to ag", "date aware", "date entered", "disclosed", "date disclosed", "published",
        "date of breach",
        "dates of breach if known", "date s of breach", "year",
    ),
    "sector": ("covered entity type", "sector", "industry", "industry type", "type of organization",
               "organization type", "type of entity", "business type", "entity type"),
    "vendor": ("vendor", "service provider", "third party", "business associate name", "name of business associate",
               "through", "vendor name", "third party name"),
    "case": ("incident id", "case", "case number", "breach number", "case id", "incident number"),
}  # fmt: skip
_PORTAL = frozenset({"name of covered entity", "breach submission date"})
# A list of one state's residents says nothing of the others': what stands in such a column is a part of the whole.
_MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}  # fmt: skip


class ListUnreadable(FileFault):
    """A file is no list that can be tallied."""

    code = "SWD-TALLY-02"
    what = "this list cannot be read"
    why = "{reason}"
    fix = "give a CSV with a header, or VERIS JSON; where its header is unusual say --column organisation=NAME"


class ColumnUnknown(UsageFault):
    """`--column` says what is not a column of a tally."""

    code = "SWD-TALLY-03"
    what = "this is not a column of a tally"
    why = "{reason}"
    fix = "write --column KIND=HEADER; kinds: organisation, state, individuals, residents, date, sector, vendor, case"


@dataclass(frozen=True)
class Disclosure:
    """One row of one list.

    Attributes:
        file: the list, by its name; row: its record, counted from 1 after the header (in JSON: the incident).
        names: the organisation under each name the row gives.
        vendor: the organisation it was hit through, where the row says so.
        figure: how many persons; of one state's residents where `part` names the list's state.
        day: when it was told; None where the row says nothing usable.
        updated: a portal that keeps each breach once and puts new numbers over old ones.
        case: the list's own number of the breach.
    """

    file: str
    row: int
    names: tuple[str, ...]
    figure: Figure
    state: str = ""
    vendor: str = ""
    day: date | None = None
    sector: str = ""
    case: str = ""
    part: bool = False
    updated: bool = False
    stated: str = ""


@dataclass
class Read:
    """What came out of the lists."""

    rows: list[Disclosure] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    unreadable: list[dict[str, str]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def read_lists(paths: Sequence[Path], columns: Mapping[Column, str]) -> Read:
    """Every row of every list; what could not be read is told, with its file and row."""
    read = Read()
    for path in _each_file(paths):
        name = path.name
        if name in read.files:
            name = f"{path.parent.name}/{path.name}"
        read.files.append(name)
        try:
            raw = _bytes_of(path)
            before = len(read.rows)
            if path.suffix.lower() in KINDS[3:] or raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}:
                _json_rows(raw, name, read)
            else:
                _csv_rows(raw, name, columns, read)
            if len(read.rows) == before and not any(each["file"] == name for each in read.refused):
                raise ListUnreadable("no row in it names an organisation")  # noqa: TRY301  said like any other trouble
        except ListUnreadable as fault:
            read.unreadable.append({"file": name, "why": fault.lines()[1]})
    return read


def columns_said(said: Sequence[str]) -> dict[Column, str]:
    """`KIND=HEADER` as the command line has it.

    Raises:
        ColumnUnknown: there is no such kind of column.
    """
    found: dict[Column, str] = {}
    for each in said:
        kind, _, header = each.partition("=")
        column = next((known for known in COLUMNS if known == kind.strip()), None)
        if column is None or not header.strip():
            raise ColumnUnknown("it is not KIND=HEADER with a kind that is known")
        found[column] = plain_header(header)
    return found


def plain_header(text: str) -> str:
    """A header in small letters without signs."""
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def _each_file(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.suffix.lower() in KINDS and each.is_file())
        else:
            yield path


def _bytes_of(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise ListUnreadable("it is not there, or no file")
        if path.stat().st_size > MOST_BYTES:
            raise ListUnreadable("it is over 512 MB, larger than any list of breaches")
        return path.read_bytes()
    except OSError:
        raise ListUnreadable("this user may not read it") from None


def _text(raw: bytes) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError:
                raise ListUnreadable("it says it is Unicode and is not") from None
    if b"\0" in raw:
        raise ListUnreadable("it is no text")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _csv_rows(raw: bytes, name: str, columns: Mapping[Column, str], read: Read) -> None:
    text = _text(raw)
    lines = text[:20_000].split("\n", 1)[0] if "\n" in text[:20_000] else text[:20_000]
    counted = {sign: text[:20_000].count(sign) for sign in ",;\t|"}
    delimiter = max(counted, key=lambda sign: (lines.count(sign) > 0, counted[sign]))
    previous = csv.field_size_limit(MOST_FIELD)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        header: dict[Column, int] | None = None
        updated, number = False, 0
        for at, row in enumerate(rows):
            if header is None:
                plain = [plain_header(cell) for cell in row]
                header = _columns_of(plain, columns)
                updated = set(plain).issuperset(_PORTAL) or {each.replace("_", " ") for each in plain} >= _PORTAL
                if header is None and at >= HEADER_WITHIN:
                    break
                continue
            if any(cell.strip() for cell in row):
                number += 1
                _one_row(row, header, name, number, updated, read)
    except csv.Error:
        raise ListUnreadable("a field in it is over 1 MB, or quotes do not close") from None
    finally:
        csv.field_size_limit(previous)
    if header is None:
        raise ListUnreadable("no column of it is known to name an organisation")


def _columns_of(plain: Sequence[str], said: Mapping[Column, str]) -> dict[Column, int] | None:
    """Where each column stands; None where this row is no header."""
    found: dict[Column, int] = {}
    for column in COLUMNS:
        names = (said[column],) if column in said else HEADERS[column]
        place = next((plain.index(each) for each in names if each in plain), None)
        if place is not None and place not in found.values():
            found[column] = place
    return found if "organisation" in found and len(found) > 1 else None


def _one_row(row: list[str], header: Mapping[Column, int], name: str, number: int, updated: bool, read: Read) -> None:
    def cell(column: Column) -> str:
        place = header.get(column)
        return row[place].strip() if place is not None and place < len(row) else ""

    if not re.search(r"\w", cell("organisation")):
        read.refused.append({"file": name, "row": number, "why": "no organisation is named"})
        return
    try:
        whole = figure_of(cell("individuals"))
        local = figure_of(cell("residents")) if whole.low is None else NOTHING_SAID
    except NoFigure as fault:
        read.refused.append({"file": name, "row": number, "why": fault.lines()[1]})
        return
    part = whole.low is None and local.low is not None
    who = parties(cell("organisation"))
    # a list of one state's residents is known by its column, not by where the organisation sits
    read.rows.append(
        Disclosure(
            file=name,
            row=number,
            names=who.names,
            figure=local if part else whole,
            state=cell("state").upper()[:40],
            vendor=cell("vendor")[:400] or who.vendor,
            day=day_of(cell("date")),
            sector=cell("sector")[:80],
            case=cell("case")[:80],
            part=part,
            updated=updated,
            stated=(cell("residents") if part else cell("individuals"))[:60],
        )
    )


def day_of(text: str) -> date | None:
    """A day as lists write it, the last one where there are several; None where there is none."""
    found: list[date] = []
    text = text[:200]
    for year, month, day in re.findall(r"\b((?:19|20)\d\d)[-/.](\d{1,2})[-/.](\d{1,2})", text):
        found += _day(int(year), int(month), int(day))
    for month, day, year in re.findall(r"\b(\d{1,2})[-/.](\d{1,2})[-/.]((?:19|20)?\d\d)\b", text) if not found else ():
        whole = int(year) if len(year) == 4 else 2000 + int(year)
        found += _day(whole, int(month), int(day)) or _day(whole, int(day), int(month))
    for month, day, year in re.findall(
        r"\b([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+((?:19|20)\d\d)", text
    ):
        found += _day(int(year), _MONTHS.get(month.lower(), 0), int(day))
    for day, month, year in re.findall(r"\b(\d{1,2})[\s-]([A-Za-z]{3})[a-z]*\.?[\s-]((?:19|20)\d\d)", text):
        found += _day(int(year), _MONTHS.get(month.lower(), 0), int(day))
    if not found and (year := re.fullmatch(r"((?:19|20)\d\d)(?:-(\d\d))?", text.strip())):
        found += _day(int(year[1]), int(year[2] or 1), 1)
    return max(found, default=None)


def _day(year: int, month: int, day: int) -> list[date]:
    try:
        return [date(year, month, day)]
    except ValueError:
        return []


def _json_rows(raw: bytes, name: str, read: Read) -> None:
    try:
        whole = msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        try:
            whole = [msgspec.json.decode(line) for line in raw.splitlines() if line.strip()]
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise ListUnreadable("it is no JSON") from None
    incidents = whole if isinstance(whole, list) else [whole]
    for number, incident in enumerate(incidents, 1):
        if not isinstance(incident, dict) or not isinstance(incident.get("victim"), dict | list):
            read.refused.append({"file": name, "row": number, "why": "no VERIS incident"})
            continue
        victims = incident["victim"] if isinstance(incident["victim"], list) else [incident["victim"]]
        for victim in victims:
            _one_incident(incident, victim if isinstance(victim, dict) else {}, name, number, read)


def _one_incident(incident: Mapping[str, Any], victim: Mapping[str, Any], name: str, number: int, read: Read) -> None:
    said = victim.get("victim_id")
    if not isinstance(said, str) or not re.search(r"\w", said) or said.strip().lower() in {"unknown", "other"}:
        read.refused.append({"file": name, "row": number, "why": "no organisation is named"})
        return
    leaked = _inside(incident, "attribute", "confidentiality")
    total = leaked.get("data_total") if isinstance(leaked, dict) else None
    stated = "" if total is None else str(total)[:60]
    try:
        figure = figure_of(stated)
    except NoFigure as fault:
        read.refused.append({"file": name, "row": number, "why": fault.lines()[1]})
        return
    when = _inside(incident, "timeline", "incident")
    told = _inside(incident, "plus", "created")
    day = day_of(told[:10]) if isinstance(told, str) else None
    if isinstance(when, dict):
        parts = [when.get(each) if isinstance(when.get(each), int) else 1 for each in ("year", "month", "day")]
        day = next(iter(_day(*(int(each or 1) for each in parts))), day)
    who = parties(said)
    state = victim.get("state")
    read.rows.append(
        Disclosure(
            file=name, row=number, names=who.names, vendor=who.vendor, figure=figure, day=day, stated=stated,
            state=state.upper()[:40] if isinstance(state, str) and state.strip().lower() != "unknown" else "",
            sector=str(victim.get("industry", ""))[:80], case=f"{VERIS}{incident.get('incident_id') or number}"[:80],
        )
    )  # fmt: skip


def _inside(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
