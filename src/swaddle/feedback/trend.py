"""A submitter's own error rate over its last submissions: is it getting better?

Pure. Only the submitter's own files are in it, and only rows: no case, no other hospital. Whether two submissions
differ is asked as for any indicator (indicators/compare.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from swaddle.feedback.tongue import Language, tongue
from swaddle.indicators.compare import Difference, differ
from swaddle.indicators.saying import when

MOST_SHOWN = 12
MOST_LABELS = 6
WIDTH, HEAD, FOOT, MARGIN = 312, 24, 96, 24  # of the chart, in its own units: as wide as the panel on a wide screen
_MEANING: Mapping[Language, Mapping[Difference, str]] = {
    "en": {
        "lower": "That is better, by more than chance explains.",
        "higher": "That is worse, by more than chance explains.",
        "alike": "Chance can explain the difference.",
        "too few": "There are too few rows to call that a change.",
    },
    "fr": {
        "lower": "C'est mieux, au-delà de ce que le hasard explique.",
        "higher": "C'est moins bien, au-delà de ce que le hasard explique.",
        "alike": "Le hasard peut expliquer la différence.",
        "too few": "Il y a trop peu de lignes pour parler d'un changement.",
    },
}
_RATES: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "submission": "{now} of the rows had an error; {before} in the submission before.",
        "month": "{now} of the rows that came in this month had an error; {before} in the last month before it with any"
        " rows.",
    },
    "fr": {
        "submission": "{now} des lignes comportaient une erreur; {before} dans l'envoi précédent.",
        "month": "{now} des lignes reçues ce mois-ci comportaient une erreur; {before} dans le dernier mois précédent"
        " où il en est venu.",
    },
}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One submission, or all of a month: rows read and rejected."""

    at: datetime
    read: int
    rejected: int

    @property
    def rate(self) -> float:
        """Share of rejected rows, 0 to 1."""
        return self.rejected / self.read


@dataclass(frozen=True, kw_only=True)
class Point:
    """A submission's error rate as a point of the chart, in its units."""

    x: float
    y: float
    rate: float


@dataclass(frozen=True, kw_only=True)
class Trend:
    """The last of them, oldest first, with their dates as they are read, and a sentence about the newest two."""

    sent: tuple[Sent, ...]
    dates: tuple[str, ...]
    sentence: str
    longest: float
    is_monthly: bool

    @property
    def points(self) -> tuple[Point, ...]:
        """The chart's points, from left to right; no error at all lies on its foot."""
        step = (WIDTH - 2 * MARGIN) / (len(self.sent) - 1)
        return tuple(
            Point(
                x=round(MARGIN + place * step, 1),
                y=round(FOOT - (FOOT - HEAD) * one.rate / self.longest, 1),
                rate=one.rate,
            )
            for place, one in enumerate(self.sent)
        )

    @property
    def labelled(self) -> tuple[Point, ...]:
        """The points with room for their number: of many, the first and the last."""
        return self.points if len(self.sent) <= MOST_LABELS else (self.points[0], self.points[-1])


def trend(submissions: Sequence[Sent], language: Language = "en", *, of: str = "submission") -> Trend | None:
    """The trend of these, in the order in which they came; None where there are not two to compare.

    Args:
        submissions: one for each submission, or one for each month.
        language: of the sentence.
        of: what one of them is: `submission` or `month`.
    """
    read = [one for one in submissions if one.read][-MOST_SHOWN:]
    if len(read) < 2:
        return None
    before, now = read[-2:]
    told = tongue(language)
    dates = tuple(when(f"{one.at:%Y-%m}", language) if of == "month" else told.day(one.at) for one in read)
    return Trend(
        sent=tuple(read),
        dates=dates,
        sentence=_sentence(before, now, language, of),
        longest=max(one.rate for one in read) or 1.0,
        is_monthly=of == "month",
    )


def _sentence(before: Sent, now: Sent, language: Language, of: str) -> str:
    percent = tongue(language).percent
    rates = _RATES[language][of].format(now=percent(now.rate), before=percent(before.rate))
    return f"{rates} {_MEANING[language][differ((now.rejected, now.read), (before.rejected, before.read))]}"
