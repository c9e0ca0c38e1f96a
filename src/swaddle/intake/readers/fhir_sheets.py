"""FHIR R4 to sheets: one sheet a form, one row a birth, a screen or a person, every record accounted for.

Reports of births and fetal deaths (BFDR), alone or as messages, give `birth` rows: submissions new ones, updates
replacements, voids rows that take back. Newborn-screening bundles give `newborn_screen` rows, a patient by itself a
`person` row. What a row holds is said by a mapping (`format = "fhir"`), whose columns are places in the record
(readers/fhir_places.py) or one of COMPUTED.

    records = rows + broken rows + replies of the receiving side (J20 to J23, counted)
            + those for which no layout was named (J33, counted)

Resources and codes that the mapping does not read are named and counted (J24, J25), never dropped in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Map
from contextlib import ExitStack
from dataclasses import dataclass, replace

from swaddle.errors import OurBug
from swaddle.intake import opened
from swaddle.intake.faults import MappingFault, NoRecords
from swaddle.intake.mapping import Mapping
from swaddle.intake.readers import fhir_kinds as kinds
from swaddle.intake.readers import fhir_persons as persons
from swaddle.intake.readers import fhir_screen as screen
from swaddle.intake.readers.fhir import Document, documents, has_lines
from swaddle.intake.readers.fhir_kinds import REPLIES, Kind
from swaddle.intake.readers.fhir_notes import (
    BAD_BLOCK,
    CHANGES_MEANING,
    NOBODY,
    NOT_OURS,
    OTHER_VERSION,
    UNKNOWN_MESSAGE,
    Notes,
    Reads,
    about_reply,
    findings,
    note_unread,
    token,
    why_nothing,
)
from swaddle.intake.readers.fhir_places import SEVERAL, BadPlace, Place, compile_place, value_at
from swaddle.intake.readers.fhir_record import FhirRecord, records_of
from swaddle.intake.readers.fhir_verified import verified_fields
from swaddle.intake.readers.hl7_screen import READ as READ_BY_COMPUTED
from swaddle.intake.readers.how import How
from swaddle.intake.sheet import Sheet, SheetWriter

FORMAT = "fhir"
ENTRY, LINE = "entry", "line"
FORMS = {
    Kind.BIRTH: "birth",
    Kind.SCREEN: "newborn_screen",
    Kind.PERSON: "person",
    Kind.UNCODED: "person",  # who it is about is known, and no more
}
_REPLY_CHECKS = {Kind.ACKNOWLEDGEMENT: "J20", Kind.ERROR: "J21", Kind.STATUS: "J22", Kind.CODING: "J23"}
_CODED = ("Observation", "Condition", "Procedure")

COMPUTED: dict[str, Callable[[FhirRecord, Kind], str]] = {
    "message:version": lambda record, _: kinds.version_of(record),
    "message:kind": lambda _, kind: str(kind),
    "message:date": lambda record, _: kinds.date_of(record),
    "record:verified_fields": lambda record, _: verified_fields(record),
    "mother:reported_age": lambda record, _: persons.reported_age(record),
    "mother:health_card": lambda record, _: persons.health_card(record.mother)[0],
    "mother:health_card_authority": lambda record, _: persons.health_card(record.mother)[1],
    "child:health_card": lambda record, _: persons.health_card(record.child)[0],
    "child:health_card_authority": lambda record, _: persons.health_card(record.child)[1],
    "child:anomalies": lambda record, _: persons.anomalies(record, suspected=False),
    "child:anomalies_suspected": lambda record, _: persons.anomalies(record, suspected=True),
    "person:role": lambda record, _: persons.role_of(record),
    "screen:analytes": lambda record, _: screen.analytes(record),
    "screen:conditions": lambda record, _: screen.conditions(record),
    "screen:factors": lambda record, _: screen.factors(record),
    "screen:in_intensive_care": lambda record, _: screen.in_intensive_care(record),
    "screen:quality": lambda record, _: screen.quality(record),
    "screen:transfused": lambda record, _: screen.transfused(record),
    "screen:unsatisfactory": lambda record, _: screen.unsatisfactory_reasons(record),
}
KEY, ACTION = "message:key", "message:action"
_NAMED = {KEY, ACTION, *COMPUTED}


@dataclass(frozen=True, slots=True)
class _Cell:
    """A column: a place, or one of COMPUTED, KEY, ACTION; the mapping's codes in small letters to the dictionary's."""

    name: str
    place: Place | None
    codes: Map[str, str]


@dataclass(frozen=True, slots=True)
class _Open:
    """A sheet that is being written."""

    writer: SheetWriter
    cells: list[_Cell]
    reads: Reads


@dataclass
class _Places:
    """The number of every row: its record's; a further row of the same record or line is numbered after the last."""

    last: int
    _used: int = 0

    def of(self, record: FhirRecord) -> int:
        """A number that no other row has."""
        if record.number > self._used:
            self._used = record.number
            return record.number
        self.last += 1
        return self.last


def read(source_fd: int, size_bytes: int, how: How) -> list[Sheet]:
    """The sheets of a file of FHIR R4 JSON (the entry of readers/kinds.py)."""
    mappings = [each for each in how.mappings if each.writing.format == FORMAT]
    return read_fhir(source_fd, size_bytes, mappings, limit_bytes=how.limits.sheet_bytes)


def read_fhir(source_fd: int, size_bytes: int, mappings: Sequence[Mapping], *, limit_bytes: int) -> list[Sheet]:
    """The sheets of a file of FHIR R4 JSON; the caller closes them.

    Args:
        source_fd: open for reading; its position does not matter.
        size_bytes: how much of it is the file.
        mappings: one for each form that may be in it; records of another form are counted and left.
        limit_bytes: the most that the rows of a sheet may take.

    Raises:
        EmptyFile, NoRecords, TooLarge, Unreadable, WrongEncoding: the file as a whole cannot be taken.
        MappingFault: a place in a mapping is not in the language.
    """
    notes = Notes()
    where = LINE if has_lines(source_fd, size_bytes) else ENTRY
    with ExitStack() as stack:
        known = {each.form: each for each in reversed(mappings)}  # of two for a form, the first
        sheets: dict[str, _Open] = {}

        def sheet_of(kind: Kind) -> _Open | None:
            form = FORMS[kind]
            if form not in sheets and form in known:
                sheets[form] = _open(known[form], where, limit_bytes, stack)
            return sheets.get(form)

        records = taken = 0
        numbered, last = _numbered(source_fd, size_bytes, by_line=where == LINE)
        places = _Places(last)
        for record, start in numbered:
            records += 1
            taken += _take(record, start, sheet_of, notes, places)
        if not sheets:
            raise NoRecords(why_nothing(notes))
        first = next(iter(sheets.values())).writer
        for place, why, shown in notes.broken:
            first.broken(place, why, shown)
        replies = sum(each.total() for each in notes.replies.values())
        if taken + len(notes.broken) + replies + notes.left.total() != records:
            raise OurBug("FHIR records were read and the counts do not add up")
        first.findings.extend(findings(notes))
        return [each.writer.close() for each in sheets.values()]


def _numbered(source_fd: int, size_bytes: int, *, by_line: bool) -> tuple[Iterator[tuple[FhirRecord, str]], int]:
    """The records with their numbers, and the last number: the line, or the place among the records of the file."""
    found = ((record, document.start) for document in documents(source_fd, size_bytes) for record in _of(document))
    if by_line:
        return found, sum(piece.count(b"\n") for piece in opened.chunks(source_fd, size_bytes)) + 1
    placed = [(replace(record, number=place), start) for place, (record, start) in enumerate(found, start=1)]
    return iter(placed), len(placed)


def _of(document: Document) -> Iterator[FhirRecord]:
    if document.check:
        yield FhirRecord(document.number, check=document.check)
    else:
        yield from records_of(document.number, document.value)


def _take(
    record: FhirRecord, start: str, sheet_of: Callable[[Kind], _Open | None], notes: Notes, places: _Places
) -> int:
    """1 where the record gave rows or a broken row of a sheet; 0 where it is noted otherwise."""
    check, detail = record.check, ""
    if not check and (detail := kinds.other_version(record)):
        check = OTHER_VERSION
    if not check and (detail := kinds.changes_meaning(record)):
        check = CHANGES_MEANING
    if check:
        notes.broken.append((places.of(record), check, detail or start))
        return 0
    kind, named = kinds.kind_of(record)
    if kind in REPLIES:
        notes.replies.setdefault(_REPLY_CHECKS[kind], Counter())[about_reply(record, kind)] += 1
        return 0
    if kind is Kind.UNCODED and not persons.is_infant(record):
        kind = Kind.OTHER
    if kind in {Kind.UNKNOWN_MESSAGE, Kind.OTHER}:
        why = UNKNOWN_MESSAGE if kind is Kind.UNKNOWN_MESSAGE else NOT_OURS
        told = token(kinds.event_of(record)) or ", ".join(sorted(filter(None, map(token, record.by_type))))
        sheet = sheet_of(Kind.BIRTH) if kinds.is_birth(record) else None
        if sheet is None:
            notes.broken.append((places.of(record), why, told))
            return 0
        sheet.writer.broken(places.of(record), why, told)
        return 1
    sheet = sheet_of(kind)
    if sheet is None:
        notes.left[str(kind)] += 1
        return 0
    _rows(record, kind, named, sheet, notes, places)
    return 1


def _rows(record: FhirRecord, kind: Kind, named: str, sheet: _Open, notes: Notes, places: _Places) -> None:
    action = kinds.action_of(record, kind, named)
    keys = kinds.keys_of(record) if kind is Kind.BIRTH else [""]
    if not keys:
        sheet.writer.broken(places.of(record), BAD_BLOCK, token(record.parameters.get("block_count", "")))
        return
    if not record.child and action != "void":
        sheet.writer.broken(places.of(record), NOBODY, ", ".join(sorted(filter(None, map(token, record.by_type)))))
        return
    cells = {each.name: _value(each, record, kind, notes) for each in sheet.cells}
    if ACTION in cells:
        cells[ACTION] = action
    before = sheet.writer.rows
    for key in keys:
        if KEY in cells:
            cells[KEY] = key
        sheet.writer.add(places.of(record), list(cells.values()))
    notes.simple["J34"] += kind is Kind.UNCODED
    notes.simple["J31"] += len(keys) - 1
    if sheet.writer.rows > before:
        note_unread(record, sheet.reads, notes)


def _value(cell: _Cell, record: FhirRecord, kind: Kind, notes: Notes) -> str:
    if cell.place is not None:
        value = value_at(cell.place, record, notes.noticed)
    else:
        value = COMPUTED[cell.name](record, kind) if cell.name in COMPUTED else ""
    if cell.codes and value:
        turned = (_turned(each, cell.codes) for each in value.split(SEVERAL))
        return SEVERAL.join(dict.fromkeys(turned))
    return value


def _turned(value: str, codes: Map[str, str]) -> str:
    """The dictionary's code; `*` in a mapping stands for every other one. Missing reasons stay."""
    return value if value.startswith("?") else codes.get(value.casefold(), codes.get("*", value))


def _open(mapping: Mapping, where: str, limit_bytes: int, stack: ExitStack) -> _Open:
    cells = _cells(mapping)
    read, coded = _reads([each.place for each in cells if each.place is not None])
    if any(each.name.startswith("screen:") for each in cells):
        coded["Observation"] |= READ_BY_COMPUTED
    if any(each.name.startswith("child:anomalies") for each in cells):
        coded["Condition"] |= {persons.ANOMALIES}
    writer = SheetWriter(
        mapping.form,
        [each.name for each in cells],
        layout=mapping.name,
        where=where,
        format=FORMAT,
        limit_bytes=limit_bytes,
    )
    measured = any(each.name == "screen:analytes" for each in cells)
    frozen = {name: frozenset(words) for name, words in coded.items()}
    return _Open(stack.enter_context(writer), cells, Reads(read, frozen, measured))


def _cells(mapping: Mapping) -> list[_Cell]:
    """The mapping's columns. Codes of a place that may hold several values are turned here, value by value."""
    cells: dict[str, _Cell] = {}
    for source in mapping.fields.values():
        for name in sorted(source.columns()):
            try:
                place = None if name in _NAMED else compile_place(name)
            except BadPlace:
                raise MappingFault(f"“{name[:60]}” is no place in a FHIR record") from None
            codes = {theirs.casefold(): ours for theirs, ours in source.codes.items()}
            cells.setdefault(name, _Cell(name, place, codes if source.column == name else {}))
    return list(cells.values())


def _reads(places: list[Place]) -> tuple[frozenset[str], dict[str, set[str]]]:
    """Resource types that the places read, and of the coded ones the codes; "" among them where all are read."""
    types = {"Patient", "RelatedPerson", "Encounter", "Location", "Organization", "Practitioner", "PractitionerRole"}
    coded: dict[str, set[str]] = {each: set() for each in _CODED}
    for place in places:
        for step in place.steps():
            if step.root[0].isupper():
                types.add(step.root)
            if step.root in coded:
                coded[step.root] |= step.selector.words if step.selector and step.selector.wanted else {""}
            if step.group:
                coded["Observation"].add(step.group)
    return frozenset(types | set(_CODED)), coded
