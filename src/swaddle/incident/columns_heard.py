"""What a header says: its words, written together or cut short, in several languages. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from swaddle.incident import columns_words as words
from swaddle.incident.columns_values import plain_letters

LIMIT_HEADER = 64  # characters of a column's name that are looked at and shown
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=[0-9])|(?<=[0-9])(?=[^\W\d_])")
_APART = re.compile(r"[\W_]+")
_WHOSE = (words.CHILD, words.MOTHER, words.FATHER, words.CONTACT, words.STAFF, words.PATIENT)
_OF_THINGS = frozenset([
    "risk", "result", "clinical", "delivery", "fertility", "region", "municipality", "event", "payment", "street",
    "origin", "measure", "pregnancy", "outcome", "insurance", "address", "phone", "unit", "notes",
])  # fmt: skip
_OF_PLACES = frozenset(["municipality", "street", "address", "phone", "unit"])
_ALONE = {"first": words.GIVEN_NAME, "given": words.GIVEN_NAME, "last": words.FAMILY_NAME}


@dataclass(frozen=True)
class Said:
    """What a header says: an element or nothing, whose, and whether it spoke against a person."""

    element: str = ""
    whose: str = ""
    thing: bool = False
    known: bool = False
    only: bool = False  # the header is this element and nothing else
    words: frozenset[str] = frozenset()


def heard(name: str) -> Said:
    """What a header says."""
    parts = _words(name)
    if not parts:
        return Said()
    whose = next((each for each in _WHOSE if each in parts), "")
    rest = parts - set(_WHOSE) - ({"thing"} if "postal" in parts else set())  # a postal code is no other code
    element = next((element for phrase, element in words.PHRASES if {*phrase.split()} <= rest), "")
    if element == words.FULL_NAME and rest & (_OF_PLACES if whose else _OF_THINGS):  # a drug's name, a street's
        element = next((other for phrase, other in words.PHRASES if {*phrase.split()} <= rest - {"name"}), "")
    if not element:
        element = _of_whom(rest, whose)
    thing = bool({"thing", "facility"} & rest)
    if "date" in rest and element in {words.PREGNANCY, words.BIRTH, words.LAB_RESULT, words.FERTILITY, words.OUTCOME,
                                      words.RECORD_NUMBER}:  # fmt: skip
        element = words.EVENT_DATE
    known = bool(element or whose or thing or {"id", "number", "date", "stamp", "birth"} & rest)
    return Said(element, whose, thing, known, len(rest) <= 2, frozenset(rest))


def _of_whom(rest: set[str], whose: str) -> str:
    """Where no phrase fits: a number or a date, by what stands beside it."""
    if len(rest) == 1 and (alone := _ALONE.get(next(iter(rest)))):
        return alone
    if {"id", "number"} & rest:
        if whose or rest <= {
            "id",
            "number",
            "record",
            "unique",
            "row",
            "household",
            "case",
            "birth",
            "link",
            "person",
            "family",
        }:
            return words.RECORD_NUMBER
        return ""
    if "birth" in rest and (rest <= {"birth", "date", "day", "time"}):
        return words.BIRTH_DATE
    if "date" in rest or "stamp" in rest:
        return words.EVENT_DATE
    return ""


def _words(name: str) -> set[str]:
    """The words of a header, each in its one form."""
    text = name[:LIMIT_HEADER]
    found: set[str] = set()
    parts = [plain_letters(each) for each in _APART.split(_CAMEL.sub(" ", text)) if each]
    joined = "".join(parts)
    for pair in (joined, *(one + other for one, other in pairwise(parts))):
        if pair in words.ONE_FORM and len(pair) > 2:
            found |= {*words.ONE_FORM[pair].split()}
    for part in parts:
        found |= _one(part)
    return found - {""}


@cache
def _one(part: str) -> frozenset[str]:
    """One word of a header in its form: one written together is taken apart, one cut short is made whole."""
    if part in words.ONE_FORM:
        return frozenset(words.ONE_FORM[part].split())
    if part.isdecimal():
        return frozenset()
    if (parts := _apart(part, 4)) is not None:
        return parts
    for prefix, meant in words.GLUED:
        rest = part.removeprefix(prefix)
        if rest != part and len(rest) > 1 and (len(prefix) > 1 or len(rest) > 2) and (found := _apart(rest, 2)):
            return found | {meant}
    if part.endswith("name") and len(part) > 5:
        return _one(part.removesuffix("name")) | {"name"}
    if part.endswith("id") and len(part) > 4 and _one(part[:-2]) & {*_WHOSE}:
        return _one(part[:-2]) | {"id"}
    longer = [word for word in words.ONE_FORM if word.startswith(part)] if len(part) >= 4 else []
    return frozenset(words.ONE_FORM[min(longer, key=len)].split()) if longer else frozenset([part])


@cache
def _apart(part: str, most: int) -> frozenset[str] | None:
    """The words that a word is made of, at most so many, each of three letters or more; None where it is not."""
    if part in _KNOWN_WORDS:
        return frozenset(words.ONE_FORM.get(part, part).split())
    if most == 1:
        return None
    for cut in range(len(part) - 3, 2, -1):
        if part[:cut] in _KNOWN_WORDS and (rest := _apart(part[cut:], most - 1)) is not None:
            return frozenset(words.ONE_FORM.get(part[:cut], part[:cut]).split()) | rest
    return None


_KNOWN_WORDS = frozenset(each for each in words.ONE_FORM if len(each) > 1) | {
    each for phrase, _ in words.PHRASES for each in phrase.split() if len(each) > 2
} | {*_WHOSE, "date", "number", "birth"}  # fmt: skip
