"""Which populations lie inside others, read from the definitions: two published totals can be subtracted.

Pure, and it asks no count: whether one population is a part of another is known from how they are written, so that it
is the same whatever the data. What is not seen here: populations of different units (a delivery and its births), and
conditions that follow from each other without being written so, but for those in IMPLIED.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import permutations

from swaddle.indicators.model import Definition

IMPLIED = {"live": "born", "stillborn": "born", "term_birth": "ga_weeks >= 22"}
_ALL_BUT_TERMINATIONS = "CASE WHEN outcome = 'termination' THEN 1 = 0 ELSE 1 = 1 END"
_BETWEEN = re.compile(r"\bBETWEEN\s+(\S+)\s+AND\s+", re.IGNORECASE)


@dataclass(frozen=True)
class Nested:
    """Two indicators, the narrower one's population a part of the wider one's; `same_event`: of the same thing."""

    wider: str
    narrower: str
    same_event: bool


def nested(definitions: Iterable[Definition]) -> tuple[Nested, ...]:
    """Every pair of which one population lies inside the other; both ways where they are the same."""
    written = [(item, conditions(item)) for item in definitions]
    return tuple(
        Nested(wide.id, narrow.id, wide.written.get("numerator") == narrow.written.get("numerator"))
        for (wide, fewer), (narrow, more) in permutations(written, 2)
        if wide.counts_of == narrow.counts_of and fewer <= more
    )


def conditions(item: Definition) -> frozenset[str]:
    """The conditions that a denominator is made of, those that follow from them too."""
    text = " ".join(item.written.get("denominator", "").split())
    found = set() if text == _ALL_BUT_TERMINATIONS else set(_conjuncts(text))
    found |= {f"not ({exclusion.when})" for exclusion in item.exclusions}
    found |= {IMPLIED[one] for one in found if one in IMPLIED}
    return frozenset(found - {"born"})  # terminations are in no population


def _conjuncts(text: str) -> list[str]:
    """The parts between ANDs that stand in no bracket, no text and no BETWEEN."""
    parts, depth, quoted, start = [], 0, False, 0
    plain = _BETWEEN.sub(
        lambda match: match[0].replace(" AND ", " \x00\x00\x00 ").replace(" and ", " \x00\x00\x00 "), text
    )
    for place, letter in enumerate(plain):
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if not quoted and depth == 0 and plain[place : place + 5].upper() == " AND ":
            parts.append(text[start:place].strip())
            start = place + 5
    return [*parts, text[start:].strip()]
