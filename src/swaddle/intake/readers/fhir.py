"""JSON documents out of a file's bytes: one document, many one after another, a list of them, or one a line (NDJSON).

What a JSON reader usually lets pass is refused here, for it would lose or change a value in silence: a name that stands
twice in an object, NaN, half of a character, nesting without end. Numbers keep the text they are written in, so none is
rounded and none is too large; `true` and `false` stay what they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from swaddle.intake import opened
from swaddle.intake.faults import EmptyFile, TooLarge, Unreadable, WrongEncoding

LIMIT_DOCUMENT_BYTES = 32 * 1024 * 1024
LIMIT_LINE_BYTES = 16 * 1024 * 1024
SHOWN = 400  # characters of a document that are kept to show
BOM = b"\xef\xbb\xbf"
NO_JSON, TWICE, TOO_DEEP, HALF_CHARACTER = "J1", "J4", "J9", "J12"
_HEAD_BYTES = 64 * 1024
_NAMES_A_RESOURCE = re.compile(rb'"resourceType"\s*:\s*"[A-Za-z]{2,60}"')
_BLANKS = b" \t\r\n"
_HALF = re.compile("[\ud800-\udfff]")
_HALF_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")


class _Faulty(ValueError):
    """A document that is none: `check` says why."""

    def __init__(self, check: str, where: str = "") -> None:
        super().__init__(check)
        self.check = check
        self.where = where


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON document, or why it is none.

    Attributes:
        number: its line (NDJSON), else its place in the file, from 1.
        value: objects as dicts, lists, texts; numbers as they are written; None where `check` says why it is none.
        check: the id of a check, or "".
        start: the start of its text.
    """

    number: int
    value: Any
    check: str = ""
    start: str = ""


def looks_like_fhir(head: bytes) -> bool:
    """Whether a file's first bytes are JSON that names a FHIR resource."""
    start = head.removeprefix(BOM).lstrip(_BLANKS)
    return start[:1] in {b"{", b"["} and _NAMES_A_RESOURCE.search(start) is not None


def has_lines(source_fd: int, size_bytes: int) -> bool:
    """Whether the file is NDJSON: a whole object on the first line, and more lines after it."""
    head = opened.read_piece(source_fd, min(_HEAD_BYTES, size_bytes), 0).removeprefix(BOM).lstrip(_BLANKS)
    if not head.startswith(b'{"'):
        return False
    first, end, rest = head.partition(b"\n")
    if end:
        following = rest.lstrip(_BLANKS)
        return bool(following) and (first.rstrip(_BLANKS).endswith(b"}") or following.startswith(b'{"'))
    first = next(iter(_lines(opened.chunks(source_fd, size_bytes))), b"")
    return len(first) + 1 < size_bytes and first.rstrip(_BLANKS).endswith(b"}")


def documents(source_fd: int, size_bytes: int) -> Iterator[Document]:
    """The documents of a file, in order.

    Raises:
        EmptyFile: nothing but blanks.
        TooLarge: one document of over LIMIT_DOCUMENT_BYTES.
        Unreadable: one document, and it is no JSON.
        WrongEncoding: not UTF-8, which FHIR demands.
    """
    if has_lines(source_fd, size_bytes):
        yield from _by_line(source_fd, size_bytes)
        return
    if size_bytes > LIMIT_DOCUMENT_BYTES:
        raise TooLarge(f"it is one JSON document of over {LIMIT_DOCUMENT_BYTES // 1024**2} MiB; one a line is read")
    data = b"".join(opened.chunks(source_fd, size_bytes)).removeprefix(BOM)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise WrongEncoding("it is not UTF-8, which FHIR demands") from None
    yield from _one_after_another(text)


def parse(text: str) -> Any:
    """The value of one JSON document.

    Raises:
        ValueError: it is none, or one that would lose something; its first argument is the id of a check.
    """
    value, end = _decode(text, 0)
    if text[end:].strip():
        raise _Faulty(NO_JSON)
    return value


def _by_line(source_fd: int, size_bytes: int) -> Iterator[Document]:
    for number, line in enumerate(_lines(opened.chunks(source_fd, size_bytes)), start=1):
        stripped = line.removeprefix(BOM).strip(_BLANKS)
        if not stripped:
            continue
        start = stripped[:SHOWN].decode("utf-8", "replace")
        if len(line) > LIMIT_LINE_BYTES:
            yield Document(number, None, TOO_DEEP, start)
            continue
        try:
            yield Document(number, parse(stripped.decode("utf-8")), "", start)
        except UnicodeDecodeError:
            yield Document(number, None, "B2", start)
        except _Faulty as faulty:
            yield Document(number, None, faulty.check, start)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines; of one that is too long only its start, so that memory stays bounded."""
    rest = bytearray()
    skipping = False
    for piece in pieces:
        *whole, last = piece.split(b"\n")
        for line in whole:
            if not skipping:
                rest += line
            yield bytes(rest)
            rest, skipping = bytearray(), False
        if not skipping:
            rest += last
        if len(rest) > LIMIT_LINE_BYTES + 1:
            del rest[LIMIT_LINE_BYTES + 1 :]
            skipping = True
    if rest:
        yield bytes(rest)


def _one_after_another(text: str) -> Iterator[Document]:
    at, number = _past_blanks(text, 0), 0
    if at == len(text):
        raise EmptyFile("nothing but blanks")
    while at < len(text):
        number += 1
        start = text[at : at + SHOWN]
        try:
            value, at = _decode(text, at)
        except _Faulty as faulty:
            if number == 1:
                raise Unreadable(_why(faulty)) from None
            yield Document(number, None, faulty.check, start)
            return
        if isinstance(value, list) and number == 1 and _past_blanks(text, at) == len(text):
            for place, each in enumerate(value, start=1):
                yield Document(place, each, "", str(each)[:SHOWN] if isinstance(each, str) else start)
            return
        yield Document(number, value, "", start)
        at = _past_blanks(text, at)


def _decode(text: str, at: int) -> tuple[Any, int]:
    try:
        value, end = _DECODER.raw_decode(text, at)
        if _HALF_ESCAPED.search(text, at, end) and _HALF.search(json.dumps(value, ensure_ascii=False)):
            raise _Faulty(HALF_CHARACTER)
    except json.JSONDecodeError as error:
        raise _Faulty(NO_JSON, f"line {error.lineno}, character {error.colno}") from None
    except RecursionError:  # the parser's own limit, some hundreds of brackets
        raise _Faulty(TOO_DEEP) from None
    return value, end


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Faulty(TWICE)
    return found


def _no_number(_: str) -> Any:
    raise _Faulty(NO_JSON, "NaN or Infinity is no number")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=str, parse_int=str, parse_constant=_no_number)


def _past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _why(faulty: _Faulty) -> str:
    if faulty.check == TWICE:
        return "a name stands twice in one of its objects"
    if faulty.check == HALF_CHARACTER:
        return "it holds half of a character"
    if faulty.check == TOO_DEEP:
        return "its brackets are nested without end"
    return f"it is no JSON: {faulty.where}" if faulty.where else "it is no JSON"
