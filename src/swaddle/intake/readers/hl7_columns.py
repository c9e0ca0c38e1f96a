"""The columns of an HL7 v2 sheet: what a mapping asks of a message, and the answer. Pure.

A column is a place in the message (readers/hl7_paths.py), or one of COMPUTED where no single place has the answer:

    message:action, message:version, message:kind
    person:role, person:mother          whose record it is; the mother's number (PID-21, unless a name stands there)
    screen:received, screen:reported    of a result; in an order the same fields are the hospital's own times
    screen:quality, screen:unsatisfactory, screen:factors, screen:in_intensive_care, screen:transfused,
    screen:conditions, screen:analytes
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import dataclass

from swaddle.intake.faults import MappingFault
from swaddle.intake.mapping import Mapping
from swaddle.intake.readers import hl7_kinds as kinds
from swaddle.intake.readers import hl7_screen as screen
from swaddle.intake.readers.hl7 import Message
from swaddle.intake.readers.hl7_kinds import Kind
from swaddle.intake.readers.hl7_paths import SEVERAL, BadPath, Path, compile_path, value_at

# Of a result only: in an order these are times of the hospital's own.
_RECEIVED, _REPORTED = compile_path("SPM-18 | OBR-14"), compile_path("OBR-22")


def _of_a_result(path: Path, message: Message, kind: Kind) -> str:
    return value_at(path, message) if kind is Kind.RESULT else ""


COMPUTED: dict[str, Callable[[Message, Kind], str]] = {
    "message:action": kinds.action_of,
    "message:version": lambda message, _: version_of(message),
    "message:kind": lambda _, kind: str(kind),
    "person:role": lambda message, _: kinds.role_of(message),
    "person:mother": lambda message, _: kinds.mother_number(message),
    "screen:analytes": lambda message, _: screen.analytes(message),
    "screen:conditions": lambda message, _: screen.conditions(message),
    "screen:factors": lambda message, _: screen.factors(message),
    "screen:in_intensive_care": lambda message, _: screen.in_intensive_care(message),
    "screen:received": lambda message, kind: _of_a_result(_RECEIVED, message, kind),
    "screen:reported": lambda message, kind: _of_a_result(_REPORTED, message, kind),
    "screen:quality": lambda message, _: screen.quality(message),
    "screen:transfused": lambda message, _: screen.transfused(message),
    "screen:unsatisfactory": lambda message, _: screen.unsatisfactory_reasons(message),
}


def version_of(message: Message) -> str:
    """When the message was made, as a number that grows (EVN-2 of an ADT, else MSH-7); "" where it does not say."""
    event = message.named("EVN")
    written = (message.text(event[0], 2) if event else "") or message.header(7)
    digits = re.match(r"[0-9]{8,14}", written)
    return digits.group().ljust(14, "0") if digits else ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: a place, or one of COMPUTED; the mapping's codes in small letters to the dictionary's."""

    name: str
    path: Path | None
    words: Path | None  # the words beside a code
    codes: Map[str, str]


def columns_of(mapping: Mapping) -> list[Column]:
    """The mapping's columns. Codes of a place that may hold several values are turned here, value by value."""
    columns: dict[str, Column] = {}
    for source in mapping.fields.values():
        for name in sorted(source.columns()):
            try:
                path = None if name in COMPUTED else compile_path(name)
            except BadPath:
                raise MappingFault(f"“{name[:60]}” is no place in an HL7 message") from None
            codes = {theirs.casefold(): ours for theirs, ours in source.codes.items()}
            words = path.words() if path is not None and codes else None
            columns.setdefault(name, Column(name, path, words, codes if source.column == name else {}))
    return list(columns.values())


def value_of(column: Column, message: Message, kind: Kind) -> str:
    """What the message says there, in the dictionary's codes where the mapping turns them; "" where nothing."""
    value = COMPUTED[column.name](message, kind) if column.path is None else value_at(column.path, message)
    if column.codes and value:
        value = _turned(value, column, message)
    return value if value.isprintable() else "".join(c if c.isprintable() or c == "\n" else " " for c in value)


def _turned(value: str, column: Column, message: Message) -> str:
    """The file's codes as the dictionary's, capitals not minded; where a code is not known, by the words beside it."""
    said = value.split(SEVERAL)
    beside = value_at(column.words, message).split(SEVERAL) if column.words is not None else []
    beside = beside if len(beside) == len(said) else said
    turned = [
        column.codes.get(code.casefold(), column.codes.get(words.casefold(), code))
        for code, words in zip(said, beside, strict=True)
    ]
    return SEVERAL.join(dict.fromkeys(turned))
