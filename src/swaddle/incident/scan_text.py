"""Plain text, and whatever has no better reader: looked through for what has a form of its own.

Numbers with a check digit, e-mail addresses, telephone numbers, postal codes and dates beside a word for birth are
found wherever they stand. Names in running text are not: the scan says that it cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from swaddle.incident import columns_words as words
from swaddle.incident.columns_values import card_passes, postal_passes
from swaddle.incident.scan_source import Rows, Source, Table

_OVERLAP = 256
_CARD = re.compile(
    r"(?<![\w-])(?:[1-9][0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{3}(?:[- ]?[A-Z]{1,2})?|[A-Z]{4} ?[0-9]{4} ?[0-9]{4})(?![\w-])"
)
_EMAIL = re.compile(r"[\w.+'%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_PHONE = re.compile(r"(?<![\w-])(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-.])[0-9]{3}[-.][0-9]{4}(?![\w-])")
_SSN = re.compile(r"(?<![\w-])(?!000|666)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![\w-])")
_POSTAL = re.compile(r"(?<!\w)[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z] ?[0-9][ABCEGHJ-NPRSTV-Z][0-9](?!\w)")
_BORN = re.compile(
    r"(?i)\b(?:dob|d\.o\.b\.|born|birth ?date|date of birth|n[ée]e? le|date de naissance|ddn)\W{0,4}"
    r"([0-9]{1,4}[-/. ](?:[0-9]{1,2}|[a-zéû]{3,9})[-/. ][0-9]{2,4})"
)
COLUMNS = (
    ("health card", words.HEALTH_CARD),
    ("e-mail", words.EMAIL),
    ("phone", words.PHONE),
    ("national number", words.NATIONAL_NUMBER),
    ("postal code", words.POSTAL_CODE),
    ("date of birth", words.BIRTH_DATE),
)


def plain_text(source: Source, encoding: str, kind: str = "text") -> Table:
    """A table of what was found: one row for each find."""
    known = {place: (element, words.PATIENT) for place, (_, element) in enumerate(COLUMNS, start=1)}
    rows = _finds(source, encoding)
    return Table(kind, tuple(name for name, _ in COLUMNS), rows, known=known)


def _finds(source: Source, encoding: str) -> Iterator[Rows]:
    """Finds, piece by piece; pieces overlap so that nothing is cut, and a find in the overlap counts once."""
    rest = ""
    for piece in source.part(_OVERLAP if source.is_part else 0):
        text = rest + piece.decode(encoding, "replace")
        edge = len(text) - _OVERLAP
        found: Rows = [row for start, row in _found(text) if start < edge]
        rest = text[max(0, edge) :]
        if found:
            yield found
    found = [row for _, row in _found(rest)]
    if found:
        yield found


def _found(text: str) -> Iterator[tuple[int, list[str]]]:
    for match in _CARD.finditer(text):
        if card_passes(match[0]):
            yield match.start(), _row(1, match[0])
    at = text.find("@")
    while at >= 0:  # looked for around each @: a search from every letter of a line without end takes for ever
        near = _EMAIL.search(text, max(0, at - 64), at + 400)
        if near is not None:
            yield near.start(), _row(2, near[0])
        at = text.find("@", max(at + 1, 0 if near is None else near.end()))
    for place, pattern in ((3, _PHONE), (4, _SSN)):
        for match in pattern.finditer(text):
            yield match.start(), _row(place, match[0])
    for match in _POSTAL.finditer(text):
        if postal_passes(match[0]):
            yield match.start(), _row(5, match[0])
    for match in _BORN.finditer(text):
        yield match.start(), _row(6, match[1])


def _row(place: int, value: str) -> list[str]:
    row = [""] * (len(COLUMNS) + 1)
    row[place] = value
    return row
