"""What an indicator says: values that the report, the console and `indicators show --json` all read.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from swaddle.indicators.compare import Difference
from swaddle.indicators.remembered import Table

Whose = Literal["own", "others"]

ALL = "all"  # the group of the row that stands for the whole indicator


@dataclass(frozen=True, kw_only=True)
class IndicatorRow:
    """One group of births, own or all others' together.

    Shares are fractions of 1. A row about others may be suppressed: then every figure in it is None.

    Attributes:
        group: `all`, or the band's or Robson group's short name.
        denominator: births that could be placed and whose numerator is known.
        unknown: births that could not.
        share: of all births in the table (Robson: the group's size).
        absolute: percentage points (as a fraction) that the group adds to the overall rate.
        relative: part of all numerators that the group holds.
    """

    group: str
    label: str
    whose: Whose
    numerator: int | None
    denominator: int | None
    unknown: int | None
    rate: float | None
    low: float | None
    high: float | None
    suppressed: bool
    share: float | None = None
    absolute: float | None = None
    relative: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The row as commands.md gives it; share and contributions only where the indicator has them."""
        row: dict[str, Any] = {
            "group": self.group,
            "label": self.label,
            "whose": self.whose,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "unknown": self.unknown,
            "rate": _rounded(self.rate),
            "low": _rounded(self.low),
            "high": _rounded(self.high),
            "suppressed": self.suppressed,
        }
        if self.share is not None:
            row |= {
                "share": _rounded(self.share),
                "absolute": _rounded(self.absolute),
                "relative": _rounded(self.relative),
            }
        return row


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """Births that one unanswered field kept out. `not_carried`: the layout has no such field at all.

    `field` is the first that should have answered, so the counts add up to the indicator's unknowns.
    """

    field: str
    births: int
    not_carried: bool


@dataclass(frozen=True, kw_only=True)
class Unanswered:
    """What one of the submitter's layouts does not carry, and how many of its births that concerns."""

    source: str
    births: int
    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class IndicatorResult:
    """One indicator for one submitter, beside all other submitters together.

    Attributes:
        others_as_of: when the others were counted; earlier than `as_of` where a newer figure would give a few away.
        told: what was told of the others, to be remembered.
        dictionary: the version of the data dictionary that the fields are of.
        snapshot: the state of the store that was counted; the same can be counted again.
    """

    id: str
    title: str
    period: str
    as_of: str
    rows: tuple[IndicatorRow, ...]
    answerable: bool
    finding: str
    difference: Difference | None
    unknown: int
    unknown_by: tuple[Unknown, ...]
    unanswered: tuple[Unanswered, ...]
    others_submitters: int
    threshold: int
    others_as_of: str = ""
    told: Table | None = None
    dictionary: str = ""
    snapshot: str = ""

    def row(self, whose: Whose, group: str = ALL) -> IndicatorRow | None:
        """The row of this group, if the table has one."""
        return next((row for row in self.rows if row.whose == whose and row.group == group), None)

    def groups(self) -> tuple[tuple[IndicatorRow, IndicatorRow | None], ...]:
        """Own rows, each with the others' row of the same group beside it."""
        return tuple((row, self.row("others", row.group)) for row in self.rows if row.whose == "own")

    @property
    def not_carried(self) -> tuple[str, ...]:
        """Fields that none of the submitter's births carry, when that is why there is no answer."""
        if self.answerable or not self.unanswered:
            return ()
        everywhere = set.intersection(*(set(source.fields) for source in self.unanswered))
        named = [field for source in self.unanswered for field in source.fields if field in everywhere]
        return tuple(dict.fromkeys(named))

    def to_json(self) -> dict[str, Any]:
        """The object of `indicators show --json`."""
        return {
            "id": self.id,
            "title": self.title,
            "period": self.period,
            "as_of": self.as_of,
            "dictionary": self.dictionary,
            "snapshot": self.snapshot,
            "answerable": self.answerable,
            "not_carried": list(self.not_carried),
            "finding": self.finding,
            "unknown": self.unknown,
            "unknown_by": [
                {"field": item.field, "births": item.births, "not_carried": item.not_carried}
                for item in self.unknown_by
            ],
            "unanswered": [
                {"source": item.source, "births": item.births, "fields": list(item.fields)} for item in self.unanswered
            ],
            "others_submitters": self.others_submitters,
            "threshold": self.threshold,
            "others_as_of": self.others_as_of,
            "rows": [row.to_json() for row in self.rows],
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
