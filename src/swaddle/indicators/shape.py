"""Has a definition file the keys, the types and the letters that it may have? Looked at before any expression. Pure.

Whatever TOML can say may stand in an operator's file: one file with a strange type must not take the others with it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any

from swaddle.indicators.fields import UNITS
from swaddle.indicators.model import TEXTS

LIMIT_BANDS = 40
LIMIT_TEXT = 2_000  # letters of one text that a person reads
LIMIT_LINES = 200  # of an example; ten are right, the others are told
_NAME = re.compile(r"[a-z][a-z0-9_]{1,59}")
_EXPRESSIONS = ("denominator", "numerator")
_MUST = ("title", "question", "says", "of", "counted", "source", *_EXPRESSIONS, "example")
# key -> (what it is where it is left out, what it may be)
_CHOICES: Mapping[str, tuple[object, tuple[object, ...]]] = {
    "counts_of": ("birth", tuple(UNITS)),
    "direction": (None, ("lower", "higher", "context")),
    "period": ("quarter", ("month", "quarter", "year")),
    "per": (100, (100, 1000)),
}
_DEEP = re.compile(r"""[\w"'-](?:[ \t]{0,9}\.[ \t]{0,9}[\w"'-]{1,200}){8}""")
# Format characters that change which way a text reads, and control characters: none is a part of a word.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _is_terms(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(each, str) and _NAME.fullmatch(str(name)) is not None for name, each in value.items()
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_TYPES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    **dict.fromkeys(("chapter", "partition"), (_is_text, "a text")),
    **dict.fromkeys((f"{key}{end}" for key in TEXTS for end in ("", "_fr")), (_is_text, "a text")),
    **dict.fromkeys(("needs", "stratifiers"), (_is_texts, "a list of names")),
    **dict.fromkeys(("band", "exclude"), (_is_tables, "a list of tables")),
    "terms": (_is_terms, "a table of names in small letters and expressions"),
    "threshold": (lambda value: isinstance(value, dict), "a table"),
}
_INNER: Mapping[str, frozenset[str]] = {
    "band": frozenset(("id", "label", "label_fr", "holds")),
    "exclude": frozenset(("when", "why", "why_fr")),
}
_KEYS = frozenset([*_TYPES, *_CHOICES, *_MUST, "id"])


def is_deep(text: str) -> bool:
    """Whether a file holds a name of more parts than any key has: to read `a.a.a…` takes the square of its length."""
    return _DEEP.search(text) is not None


def faults(value: Mapping[str, Any], name: str) -> Iterator[str]:
    """What is wrong with the keys of the file `name`, a sentence each."""
    if strangers := sorted(value.keys() - _KEYS):
        yield f"unknown keys: {', '.join(strangers)[:200]}"
    for key in _MUST:
        if not isinstance(value.get(key), str) or not value[key].strip():
            yield f"{key} is missing or no text"
    for key, (is_right, what) in _TYPES.items():
        if key in value and not is_right(value[key]):
            yield f"{key} is not {what}"
    for key, allowed in _INNER.items():
        inner = [each for each in value.get(key, ()) if isinstance(each, dict)] if _is_tables(value.get(key)) else []
        if strangers := sorted({name for each in inner for name in each.keys() - allowed}):
            yield f"unknown keys in {key}: {', '.join(strangers)[:200]}"
    yield from _chosen(value)
    if value.get("id") != name or not _NAME.fullmatch(str(name)):
        yield "id must be the file's name: small letters, digits and _"
    yield from _sizes(value)
    yield from _threshold(value.get("threshold"))
    yield from _letters(value)


def _chosen(value: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the keys that have a choice of words, and with those of two languages."""
    for key in TEXTS:
        french = value.get(f"{key}_fr")
        if key in value and (not isinstance(french, str) or (value[key] and not french.strip())):
            yield f"{key}_fr is missing: everything a person reads is in both languages"
    for key, (usual, allowed) in _CHOICES.items():
        given = value.get(key, usual)
        if (type(given), given) not in [(type(each), each) for each in allowed]:  # 1.0 and True are no 100
            yield f"{key} is one of {', '.join(map(str, allowed))}"


def _sizes(value: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(value.get("band"), list) and len(value["band"]) > LIMIT_BANDS:
        yield f"more than {LIMIT_BANDS} bands"
    if "band" in value and "partition" in value:
        yield "bands or a partition, not both"
    if isinstance(value.get("example"), str) and value["example"].count("\n") > LIMIT_LINES:
        yield "the example has ten rows"


def _threshold(value: object) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    if value.keys() != {"green", "red", "provenance", "provenance_fr"}:
        yield "threshold has green, red, provenance and provenance_fr"
        return
    for key in ("green", "red"):
        number = value[key]
        if isinstance(number, bool) or not isinstance(number, int | float) or not _is_in_reach(number):
            yield f"threshold: {key} is not a number from 0 to 1,000"
    for key in ("provenance", "provenance_fr"):
        if not isinstance(value[key], str) or not value[key].strip():
            yield f"threshold: {key} is missing; without a source that you have read it is `unverified`"


def _is_in_reach(number: float) -> bool:
    return (isinstance(number, int) or isfinite(number)) and 0 <= number <= 1000


def _letters(value: Mapping[str, Any]) -> Iterator[str]:
    """Texts that are too long for their readers, or hold letters that nobody sees."""
    for key, text in _texts(value):
        unseen = sorted({each for each in text if each != "\n" and unicodedata.category(each) in _UNSEEN})
        if unseen:
            told = ", ".join(f"U+{ord(each):04X}" for each in unseen[:5])
            yield f"{key} holds letters that nobody sees: {told}"
        if key not in (*_EXPRESSIONS, "example", "terms") and len(text) > LIMIT_TEXT:
            yield f"{key} is longer than {LIMIT_TEXT:,} letters"


def _texts(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text where one may stand: a key's own, in its list, in its table, in a list of tables; nothing deeper."""
    for key, given in value.items():
        for each in given if isinstance(given, list) else [given]:
            inner = each.values() if isinstance(each, dict) else [each]
            yield from ((key, text) for text in inner if isinstance(text, str))
