"""HL7 v2 messages to sheets: one sheet a form, one row a patient, every message accounted for.

ADT gives `person` rows (`birth` rows where such a mapping is named); ORU, ORM and OML about a newborn's blood spot give
`newborn_screen` rows. What a row holds is said by a mapping (`format = "hl7"`), whose columns are places in the message
(readers/hl7_columns.py).

    messages = rows + broken rows + messages of types that are not read (M10, counted)

Segments and observations that the mapping does not read are named and counted (M11, M12), never dropped in silence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from swaddle.errors import OurBug
from swaddle.intake import opened
from swaddle.intake.faults import EmptyFile, NoMessages
from swaddle.intake.mapping import Mapping
from swaddle.intake.marks import HEAD_BYTES, wide_encoding
from swaddle.intake.readers import hl7_kinds as kinds
from swaddle.intake.readers import hl7_screen as screen
from swaddle.intake.readers.hl7 import BadMessage, Message, parse
from swaddle.intake.readers.hl7_columns import Column, columns_of, value_of
from swaddle.intake.readers.hl7_kinds import KINDS, MERGES, Kind
from swaddle.intake.readers.hl7_paths import DAYLESS, DEAD
from swaddle.intake.readers.hl7_stream import Framing, RawMessage, decode, messages_of, text_of
from swaddle.intake.readers.how import How
from swaddle.intake.sheet import Sheet, SheetWriter
from swaddle.intake.tables import Finding

FORMAT = "hl7"
WHERE = "message"
PERSON, BIRTH, SCREEN = "person", "birth", "newborn_screen"
# The forms that a message can be a row of: the first for which there is a mapping.
FORMS = {Kind.PERSON: (PERSON, BIRTH), Kind.ORDER: (SCREEN,), Kind.RESULT: (SCREEN,)}
NAMES_SHOWN = 40  # kinds named in one finding; the rest are counted together
_TYPE = re.compile(r"[A-Z][A-Z0-9]{2}(\^[A-Z0-9]{3})?")
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")
_CODE = re.compile(r"[0-9]{1,6}-[0-9]{1,3}|[A-Z][A-Z0-9:._-]{1,19}")
_TESTS = frozenset(["T", "D"])  # MSH-11: training, debugging
_SHOWN_BYTES = 400
# Why a message gave not even its type, in the words of a file of which nothing can be read.
_REASONS = {
    "M1": "without a header (MSH) that says what they are",
    "M5": "longer than any message",
    "M6": "in other characters than MSH-18 or the layout says (UTF-8 where neither does)",
    "M7": "with a control character in them",
}


@dataclass(frozen=True, slots=True)
class _Open:
    """A sheet that is being written."""

    form: str
    writer: SheetWriter
    columns: list[Column]
    segments: frozenset[str]
    observations: frozenset[str]
    measured: bool  # whether measured values are read, whatever their code


@dataclass
class _Notes:
    """What is told about the file."""

    types: Counter[str] = field(default_factory=Counter)
    segments: Counter[str] = field(default_factory=Counter)
    observations: Counter[str] = field(default_factory=Counter)
    simple: Counter[str] = field(default_factory=Counter)
    nameless: list[tuple[int, str, str]] = field(default_factory=list)  # broken, and nobody knows of what form


def read(source_fd: int, size_bytes: int, how: How) -> list[Sheet]:
    """The sheets of a file of HL7 v2 messages (the entry of readers/kinds.py)."""
    mappings = [each for each in how.mappings if each.writing.format == FORMAT]
    return read_hl7(source_fd, size_bytes, mappings, limit_bytes=how.limits.sheet_bytes)


def read_hl7(source_fd: int, size_bytes: int, mappings: Sequence[Mapping], *, limit_bytes: int) -> list[Sheet]:
    """The sheets of a file of HL7 v2 messages; the caller closes them.

    Args:
        source_fd: open for reading; its position does not matter.
        size_bytes: how much of it is the file.
        mappings: one for each form that may be in it; messages of another form are counted and left. Text of messages
            that do not say what it is (MSH-18) is of the first one's encoding.
        limit_bytes: the most that the rows of a sheet may take.

    Raises:
        EmptyFile, NoMessages, TooLarge: the file as a whole cannot be taken.
        MappingFault: a place in a mapping is not in the language.
    """
    framing, notes = Framing(), _Notes()
    with ExitStack() as stack:
        known = {each.form: each for each in reversed(mappings)}  # of two for a form, the first
        sheets: dict[str, _Open] = {}

        def sheet_of(kind: Kind) -> _Open | None:
            form = next((each for each in FORMS[kind] if each in known), None)
            if form is not None and form not in sheets:
                sheets[form] = _open(known[form], limit_bytes, stack)
            return sheets[form] if form is not None else None

        encoding = mappings[0].encoding if mappings else "utf-8"
        number = 0
        pieces = opened.chunks(source_fd, size_bytes)
        wide = wide_encoding(opened.read_piece(source_fd, min(HEAD_BYTES, size_bytes), 0))
        for raw in messages_of(text_of(pieces, wide) if wide else pieces, framing):
            for message, check in _patients(raw, framing, encoding, notes):
                number += 1
                _take(number, raw, message, check, sheet_of, notes)
        if framing.messages == 0:
            raise EmptyFile("no HL7 message")
        if not sheets:
            raise NoMessages(_why(notes))
        first = max((each.writer for each in sheets.values()), key=lambda writer: writer.rows)
        for place, why, shown in notes.nameless:  # with the sheet of the most rows: they may be of any
            first.broken(place, why, shown)
        read = sum(each.writer.rows + each.writer.broken_rows for each in sheets.values())
        if read + notes.types.total() != number:
            raise OurBug("HL7 messages were read and the counts do not add up")
        if wide:
            first.findings.append(Finding("H30", facts={"encoding": wide.upper()}))
        first.findings.extend(_findings(framing, notes))
        return [each.writer.close() for each in sheets.values()]


def _patients(raw: RawMessage, framing: Framing, encoding: str, notes: _Notes) -> list[tuple[Message | None, str]]:
    """The message once for each patient, or None and the check that says why it cannot be read."""
    if raw.check:
        return [(None, raw.check)]
    try:
        message = parse(decode(raw.data, framing, encoding))
        found = kinds.patients(message)
    except BadMessage as bad:
        return [(None, bad.check)]
    notes.simple.update({"M14": message.joined, "M15": message.split, "M16": int(message.assumed)})
    notes.simple["M17"] += message.header(11).upper() in _TESTS
    notes.simple["M18"] += len(found) > 1
    return [(each, "") for each in found]


def _take(
    number: int,
    raw: RawMessage,
    message: Message | None,
    check: str,
    sheet_of: Callable[[Kind], _Open | None],
    notes: _Notes,
) -> None:
    """A row, a broken row, or a note that the type is not read."""
    code, trigger = kinds.type_of(message) if message is not None else ("", "")
    if message is None or not code:
        notes.nameless.append((number, check or "M2", _start(raw)))
        return
    kind = KINDS.get(code)
    sheet = sheet_of(kind) if kind is not None else None
    if kind is None or sheet is None:
        name = f"{code}^{trigger}" if trigger else code
        notes.types[name if _TYPE.fullmatch(name) else "another"] += 1
        return
    if not message.named("PID"):
        sheet.writer.broken(number, "M3", _start(raw))
    elif kind is not Kind.PERSON and not kinds.is_screening(message):
        sheet.writer.broken(number, "M4", _start(raw))
    elif sheet.form == BIRTH and kinds.role_of(message) != "child":
        sheet.writer.broken(number, "M9", _start(raw))
    elif len(screen.cards(message)) > 1:
        sheet.writer.broken(number, "M8", _start(raw))
    else:
        values = [value_of(each, message, kind) for each in sheet.columns]
        notes.simple["M24"] += values.count(DAYLESS)
        sheet.writer.add(number, values)
        _note(message, kind, trigger, sheet, notes)


def _note(message: Message, kind: Kind, trigger: str, sheet: _Open, notes: _Notes) -> None:
    """Count what the mapping does not read of a message that gave a row."""
    if kind is Kind.PERSON and trigger in MERGES:
        notes.simple["M19"] += 1
    for each in message.segments:
        if each.name not in sheet.segments:
            notes.segments[each.name if _SEGMENT.fullmatch(each.name) else "another"] += 1
    if "OBX" not in sheet.segments:
        return
    for each in message.named("OBX"):
        if message.text(each, 11).upper() in DEAD:
            notes.simple["M20"] += 1
            continue
        code = kinds.code_of(each, 3, message).upper()
        lost = code in screen.INTERPRETATIONS and not screen.interpreted(each, message)
        measured = message.text(each, 2).upper() in {"NM", "SN"} and re.fullmatch(r"[0-9]{1,6}-[0-9]", code)
        if not code:
            notes.simple["M13"] += 1
        elif lost or (code not in sheet.observations and not (measured and sheet.measured)):
            notes.observations[code if _CODE.fullmatch(code) else "another"] += 1


def _open(mapping: Mapping, limit_bytes: int, stack: ExitStack) -> _Open:
    columns = columns_of(mapping)
    paths = [each.path for each in columns if each.path is not None]
    segments = frozenset({"MSH", "EVN", "ORC", "OBR"}).union(*(each.segments() for each in paths))
    observations = frozenset[str]().union(*(each.observations() for each in paths))
    if mapping.form == BIRTH or any(each.name == "person:role" for each in columns):
        segments |= {"PV1", "DG1"}
    if any(each.name.startswith("screen:") for each in columns):
        observations |= screen.READ
    names = tuple(each.name for each in columns)
    writer = SheetWriter(mapping.form, names, layout=mapping.name, where=WHERE, format=FORMAT, limit_bytes=limit_bytes)
    return _Open(mapping.form, stack.enter_context(writer), columns, segments, observations, "screen:analytes" in names)


def _start(raw: RawMessage) -> str:
    """What is shown of a message that makes no row: its header, which names nobody, else the name of a segment."""
    first = raw.data[:_SHOWN_BYTES].split(b"\n", 1)[0].decode("utf-8", "replace")
    return first if first.startswith("MSH") else first[:3]


def _why(notes: _Notes) -> str:
    """Why nothing of a file can be read."""
    checks = Counter(check for _, check, _ in notes.nameless)
    said = [f"{count} {_REASONS.get(check, _REASONS['M1'])}" for check, count in sorted(checks.items())]
    if notes.types:
        said.append(f"of types that are not read: {_names(notes.types)}")
    return "; ".join(said)


def _names(counted: Counter[str]) -> str:
    # not most_common(n): it would load a module, which the reading process cannot
    most = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    shown = [f"{name} ({count})" for name, count in most[:NAMES_SHOWN]]
    rest = len(counted) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def _findings(framing: Framing, notes: _Notes) -> list[Finding]:
    """What is told about the file as a whole (dictionary/v1/checks.toml says the words)."""
    said = [
        Finding(check, count=counted.total(), facts={"names": _names(counted)})
        for check, counted in (("M10", notes.types), ("M11", notes.segments), ("M12", notes.observations))
        if counted
    ]
    said += [Finding(check, count=count) for check, count in sorted(notes.simple.items()) if count]
    if framing.outside:
        said.append(Finding("M21", count=framing.outside))
    if framing.on_one_line:
        said.append(Finding("M15", count=framing.on_one_line))
    if framing.wrong_counts:
        told = ", ".join(f"{said_} said, {found} found" for said_, found in framing.wrong_counts[:NAMES_SHOWN])
        said.append(Finding("M22", count=len(framing.wrong_counts), facts={"names": told}))
    if framing.encodings:
        said.append(Finding("M23", count=framing.encodings.total()))
    return said
