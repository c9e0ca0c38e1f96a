"""What is counted, and what the registry holds to be too few to say.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from swaddle.errors import OurBug

THRESHOLD = 6  # counts of 1 to 5 are hidden: the habit of Ontario; settable, no verified source
LEAST_THRESHOLD = 3


class ThresholdTooLow(OurBug):
    """A threshold that hides nothing was asked for."""

    code = "SWD-IND-02"
    what = "the threshold for small numbers is too low"
    fix = "use 3 or more; 6 is the default"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the registry hides.

    Attributes:
        threshold: the smallest count shown.
        zeros: `hide` hides a count of nobody (and of everybody) as well: that nobody, or everybody, of a group had it
            can be news about each of them.
        rounding: shown counts are rounded to multiples of it; 1 leaves them as they are. Hiding comes first.
        withheld: groups of which a community demands that no row of theirs is shown, whatever its size.
    """

    threshold: int = THRESHOLD
    zeros: Literal["show", "hide"] = "show"
    rounding: int = 1
    withheld: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.threshold < LEAST_THRESHOLD:
            raise ThresholdTooLow("below 3 a count of one person would be shown")
        if self.rounding < 1:
            raise ThresholdTooLow("counts are rounded to 1 or more")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One count: births that count, births that could have counted, and births that could not be placed."""

    numerator: int
    denominator: int
    unknown: int = 0

    def plus(self, other: Cell) -> Cell:
        """Both together."""
        return Cell(
            numerator=self.numerator + other.numerator,
            denominator=self.denominator + other.denominator,
            unknown=self.unknown + other.unknown,
        )

    @property
    def complement(self) -> int:
        """Births that could have counted and do not."""
        return self.denominator - self.numerator


def small(count: int, threshold: int = THRESHOLD) -> bool:
    """Is this a count that could point at somebody? Nobody (0) is not small."""
    return 0 < count < threshold


def unsafe(cell: Cell, threshold: int = THRESHOLD, zeros: Literal["show", "hide"] = "show") -> bool:
    """Does this cell say something of a few: its count, its complement, or the whole of it?"""
    if zeros == "hide" and cell.denominator and not (cell.numerator and cell.complement):
        return True
    return any(small(count, threshold) for count in (cell.numerator, cell.complement, cell.denominator))


DEFAULT = Policy()
