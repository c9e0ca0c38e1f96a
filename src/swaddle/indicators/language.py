"""What a definition's expressions may say: the mappings' small language over the fields of one unit, with named terms.

Pure. A field stands for its typed value or for nothing, and nothing stays nothing: a comparison with it is unknown. A
term is an expression with a name (v1/terms.toml, or `[terms]` of a definition), so `live AND term` can be read aloud.
There is no loop and no query in the language, and what a term grows to is bounded: every expression ends.

    has(induction_indication, 'post_dates')          one of several codes is this one
    days(screen_collection_dt, screen_received_dt)   days from the first to the second, hours(…) likewise
    reference_weight('intergrowth', 10, child_sex, ga_weeks, ga_days)   grams at a centile of a growth reference
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches

from swaddle.indicators.growth import REFERENCES, thresholds
from swaddle.intake.engine import identifier
from swaddle.intake.expression import Functions, compile_expression
from swaddle.intake.faults import MappingFault

_TEXTS = re.compile(r"'(?:[^']|'')*'")
_DIVIDES_BY_NOTHING = re.compile(r"/(?!\s*(?:(?!0+(?:\.0*)?(?![0-9.]))[0-9]|nullif\s*\())", re.IGNORECASE)
LIMIT_DEEP = 30  # terms of terms
LIMIT_SQL = 60_000  # characters that an expression with its terms may grow to
MIDDLE_DAY = 3  # of a completed week, where the day is not told: the birth is on average half a week in


class Unsaid(ValueError):
    """An expression that is not in the language; the reason is in words."""


class Compiler:
    """Turns the expressions of one definition into SQL, and remembers the fields that they read, in order."""

    def __init__(self, fields: Mapping[str, str], terms: Mapping[str, str]) -> None:
        """Know the fields (name to SQL type) and the terms (name to expression)."""
        self._fields = fields
        self._terms = terms
        self._open: list[str] = []
        self.read: dict[str, None] = {}

    def sql(self, expression: str) -> str:
        """SQL for `expression`.

        Raises:
            Unsaid: it is not in the language, names what is not there, divides by nothing or never ends.
        """
        if not expression.strip():
            raise Unsaid("an expression is empty")
        if _DIVIDES_BY_NOTHING.search(_TEXTS.sub("''", expression)):
            raise Unsaid("it may divide by nothing: divide by a number that is not 0, or by nullif(…, 0)")
        try:
            made = compile_expression(expression, self._column, row_key="NULL", functions=FUNCTIONS)
        except MappingFault as error:
            raise Unsaid(_reason(error)) from error
        if len(made) > LIMIT_SQL:
            raise Unsaid("with its terms it grows beyond every measure")
        return made

    def _column(self, name: str) -> str:
        if name in self._terms:
            if name in self._open:
                raise Unsaid(f"the term {name} never ends: it is made of itself ({' > '.join([*self._open, name])})")
            if len(self._open) >= LIMIT_DEEP:
                raise Unsaid(f"its terms are made of terms more than {LIMIT_DEEP} deep")
            self._open.append(name)
            made = self.sql(self._terms[name])
            self._open.pop()
            return f"({made})"
        if name not in self._fields:
            near = get_close_matches(name, [*self._fields, *self._terms], n=1)
            raise Unsaid(f"there is no field {name[:60]!r} here" + (f"; is it {near[0]}?" if near else ""))
        self.read[name] = None
        return identifier(name)


def _reason(error: MappingFault) -> str:
    """What the mappings' compiler says, for a definition."""
    return str(error.facts.get("reason", error)).replace("an expression in it", "an expression")


def _has(codes: str, code: str) -> str:
    return f"list_contains(string_split({codes}, ';'), {code})"


def _apart(seconds: str) -> Callable[[str, str], str]:
    def between(first: str, second: str) -> str:
        return f"((epoch({second}::TIMESTAMP) - epoch({first}::TIMESTAMP)) / {seconds})"

    return between


def _reference_weight(reference: str, centile: str, sex: str, weeks: str, days: str) -> str:
    """A look into a list of weights by day, which is quick for any number of births."""
    name = reference.strip("'")
    if name not in REFERENCES:
        raise Unsaid(f"growth references are {', '.join(REFERENCES)}")
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]+)?", centile) or not 0 < float(centile) < 100:
        raise Unsaid("a centile is a number between 0 and 100")
    first, last = REFERENCES[name].days
    place = f"(7 * {weeks} + coalesce({days}, {MIDDLE_DAY}))"
    lists = {
        sex: "[" + ", ".join(f"{grams:.1f}" for grams in weights) + "]"
        for sex, weights in thresholds(name, float(centile) / 100).items()
    }
    told = " ".join(f"WHEN '{each}' THEN {grams}[{place} - {first - 1}]" for each, grams in lists.items())
    return f"(CASE WHEN {place} BETWEEN {first} AND {last} THEN CASE {sex} {told} END END)"


FUNCTIONS: Functions = {
    "coalesce": (2, 20, "coalesce({})"),
    "nullif": (2, 2, "nullif({})"),
    "has": (2, 2, _has),
    "days": (2, 2, _apart("86400.0")),
    "hours": (2, 2, _apart("3600.0")),
    "reference_weight": (5, 5, _reference_weight),
}
