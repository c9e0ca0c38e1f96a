"""What a list says about how many: a number, a range, "500+", nothing, or something that is no answer. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from swaddle.errors import FileFault

Kind = Literal["exact", "range", "at least", "about", "not disclosed"]
EXACT: Kind = "exact"
RANGE: Kind = "range"
AT_LEAST: Kind = "at least"
ABOUT: Kind = "about"
UNSAID: Kind = "not disclosed"
_LONGEST = 120  # characters that a number with its words needs
MOST = 10_000_000_000  # more persons than there are
_UNSAID = frozenset(
    {"", "-", "--", "n/a", "na", "none", "null", "nan", r"\n", "tbd", "tba", "unknown", "unk", "undisclosed", "pending",
     "not disclosed", "not known", "not specified", "not provided", "not stated", "not reported", "unspecified",
     "to be determined", "under investigation", "undetermined", "not available", "not yet known", "inconnu", "?"}
)  # fmt: skip
_SCALE = {"": 1, "k": 1_000, "thousand": 1_000, "m": 1_000_000, "mm": 1_000_000, "million": 1_000_000,
          "b": 1_000_000_000, "billion": 1_000_000_000}  # fmt: skip
_NUMBER = r"(\d{1,3}(?:[,   ' ]\d{3})+(?:\.0+)?|\d+(?:\.\d+)?)\s*(k|thousand|mm|m|million|b|billion)?"
_TAIL = r"\s*(?:persons?|people|individuals?|residents?|records?|patients?|consumers?)?\.?"
_ONE = re.compile(_NUMBER + _TAIL)
_TWO = re.compile(_NUMBER + r"\s*(?:-|–|—|to|and)\s*" + _NUMBER + _TAIL)  # noqa: RUF001  the dashes that lists use
_OPEN = re.compile(r"(?:(?:at least|more than|over|minimum(?: of)?|min|>=?|≥)\s*" + _NUMBER + "|" + _NUMBER
                   + r"\s*(?:\+|or more|and (?:over|more|up)|plus))" + _TAIL)  # fmt: skip
_UNDER = re.compile(r"(?:fewer than|less than|under|up to|at most|maximum(?: of)?|<=?|≤)\s*" + _NUMBER + _TAIL)
_ABOUT = re.compile(r"(?:approximately|approx\.?|about|around|circa|ca\.?|roughly|some|nearly|(?:an )?estimated|~|≈)\s*"
                    + _NUMBER + _TAIL)  # fmt: skip


class NoFigure(FileFault):
    """What stands where the number should be is no number of persons."""

    code = "SWD-TALLY-01"
    what = "a row was left out: no number of persons"
    why = "{reason}"
    fix = "look at the row in its list; the total is without it"


@dataclass(frozen=True)
class Figure:
    """How many persons a list states.

    Attributes:
        low: persons at least; None where nothing was disclosed.
        high: persons at most; None where the list sets no upper end.
        kind: how it was stated.
    """

    low: int | None
    high: int | None
    kind: Kind


NOTHING_SAID = Figure(None, None, UNSAID)


def figure_of(text: str) -> Figure:
    """What a list says about how many.

    Raises:
        NoFigure: it is negative, above every count of persons, a range from more to less, or no number at all.
    """
    said = " ".join(text.strip().strip("\"'").split()).lower()
    if said in _UNSAID or said.strip("()*. ") in _UNSAID:
        return NOTHING_SAID
    _refuse(said)
    if found := _TWO.fullmatch(said):
        low, high = _value(found[1], found[2] or found[4]), _value(found[3], found[4])
        if found[2] is None and low > high:
            low = _value(found[1], None)
        if low > high:
            raise NoFigure("the range ends below its beginning")
        return Figure(low, high, RANGE)
    if found := _OPEN.fullmatch(said):
        return Figure(_value(found[1] or found[3], found[2] or found[4]), None, AT_LEAST)
    if found := _UNDER.fullmatch(said):
        return Figure(0, _value(found[1], found[2]), RANGE)
    if found := _ABOUT.fullmatch(said):
        return Figure(_value(found[1], found[2]), None, ABOUT)
    if found := _ONE.fullmatch(said.strip("*")):
        number = _value(found[1], found[2])
        return Figure(number, number, EXACT)
    raise NoFigure("what stands there is not a number")


def _refuse(said: str) -> None:
    if len(said) > _LONGEST:
        raise NoFigure("what stands there is not a number")
    if re.match(r"[-\u2212(]\s*\d", said):  # bookkeepers write a negative number in brackets
        raise NoFigure("the number is negative")


def _value(digits: str, scale: str | None) -> int:
    whole, _, part = re.sub(r"[,   ' ]", "", digits).partition(".")
    if len(whole) > 15 or len(part) > 6:
        raise NoFigure("the number is larger than there are persons")
    factor = _SCALE[scale or ""]
    value = int(whole) * factor + (int(part) * factor // 10 ** len(part) if part else 0)
    if part and factor == 1 and int(part):
        raise NoFigure("half a person is not counted")
    if value > MOST:
        raise NoFigure("the number is larger than there are persons")
    return value
