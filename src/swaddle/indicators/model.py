"""What an indicator's definition says, as values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from swaddle.errors import OurBug

Direction = Literal["lower", "higher", "context"]
Outcome = Literal["counts", "placed", "unknown", "out"]
Language = Literal["en", "fr"]

TEXTS = ("title", "question", "says", "of", "counted", "left_out", "words", "unit", "total_label")


class BadDefinition(OurBug):
    """A definition file that does not say what an indicator needs."""

    code = "SWD-IND-01"
    what = "an indicator's definition is not complete"
    why = "{definition}: {reason}"
    fix = "mend the file as docs/guide-indicators.md says; `swaddle indicators lint` tells of every fault"


@dataclass(frozen=True, kw_only=True)
class Band:
    """A part of the numerator with a name; the bands of an indicator do not overlap and add up to it."""

    id: str
    label: str
    label_fr: str
    holds: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """Who is left out of the denominator, and why."""

    when: str
    text: str
    why: str
    why_fr: str


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """Limits in units of `per`: better than `green`, worse than `red`, between them yellow; and who says so."""

    green: float
    red: float
    provenance: str
    provenance_fr: str


@dataclass(frozen=True, kw_only=True)
class Example:
    """One made-up birth, what becomes of it, and the group it falls in."""

    birth: Mapping[str, object]
    outcome: Outcome
    group: str
    why: str
    why_fr: str


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What is counted of what.

    `denominator` and `numerator` are SQL expressions of three values over the unit's relation: NULL means that a field
    which should have answered is missing, and the birth is counted as unknown, never as No. `written` holds the
    expressions as the file has them.

    Attributes:
        counts_of: the unit (fields.UNITS).
        needs: the fields whose absence leaves a birth unknown, in the order in which a missing one is named.
        reads: every field that its SQL names.
        bands: parts of the numerator, for indicators that have them.
        partition: an SQL expression that puts each birth in one group ("" for none).
        groups: the partition's groups and their labels.
        per: what the rate is told per: 100 or 1,000.
        stratifiers: ids of strata that it can be split by.
        period: the shortest period for which it is worth reading.
        shipped: False for an operator's own.
    """

    id: str
    chapter: str
    counts_of: str
    title: str
    question: str
    says: str
    of: str
    counted: str
    left_out: str
    words: str
    unit: str
    total_label: str
    french: Mapping[str, str]
    direction: Direction
    per: int
    period: str
    source: str
    threshold: Threshold | None
    denominator: str
    numerator: str
    written: Mapping[str, str]
    exclusions: tuple[Exclusion, ...]
    needs: tuple[str, ...]
    reads: tuple[str, ...]
    bands: tuple[Band, ...]
    partition: str
    groups: Mapping[str, str]
    groups_fr: Mapping[str, str]
    stratifiers: tuple[str, ...]
    examples: tuple[Example, ...]
    shipped: bool = field(default=True)

    def within(self, language: Language) -> Definition:
        """The same with its words in a language."""
        if language == "en":
            return self
        words: dict[str, Any] = dict(self.french)
        return replace(
            self,
            **words,
            bands=tuple(replace(band, label=band.label_fr) for band in self.bands),
            groups=self.groups_fr,
            exclusions=tuple(replace(each, why=each.why_fr) for each in self.exclusions),
            examples=tuple(replace(each, why=each.why_fr) for each in self.examples),
            threshold=self.threshold and replace(self.threshold, provenance=self.threshold.provenance_fr),
        )


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """A way to split any indicator whose unit has the fields: an expression that names each row's part."""

    id: str
    title: str
    title_fr: str
    text: str
    labels: Mapping[str, str]
    labels_fr: Mapping[str, str]
