"""A submitter's own error rate over its last submissions: is it getting better?

Pure. Only the submitter's own files are in it, and only rows: no case, no other hospital. Whether two submissions
differ is asked as for any indicator (indicators/compare.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from swaddle.feedback.words import percent
from swaddle.indicators.compare import Difference, differ

MOST_SHOWN = 12
_MEANING: dict[Difference, str] = {
    "lower": "That is better, by more than chance explains.",
    "higher": "That is worse, by more than chance explains.",
    "alike": "Chance can explain the difference.",
    "too few": "There are too few rows to call that a change.",
}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One submission that was read: rows read and rejected."""

    at: datetime
    read: int
    rejected: int

    @property
    def rate(self) -> float:
        """Share of rejected rows, 0 to 1."""
        return self.rejected / self.read


@dataclass(frozen=True, kw_only=True)
class Trend:
    """The last submissions, oldest first, and a sentence about the newest beside the one before."""

    sent: tuple[Sent, ...]
    sentence: str
    longest: float


def trend(submissions: Sequence[Sent]) -> Trend | None:
    """The trend of these submissions, in the order in which they came; None where there are not two to compare."""
    read = [one for one in submissions if one.read][-MOST_SHOWN:]
    if len(read) < 2:
        return None
    before, now = read[-2:]
    return Trend(sent=tuple(read), sentence=_sentence(before, now), longest=max(one.rate for one in read) or 1.0)


def _sentence(before: Sent, now: Sent) -> str:
    rates = f"{percent(now.rate)} of the rows had an error; {percent(before.rate)} in the submission before."
    return f"{rates} {_MEANING[differ((now.rejected, now.read), (before.rejected, before.read))]}"
