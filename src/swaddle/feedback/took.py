"""How long it took, as a page says it: days, half of them and nine in ten, beside the twelve months before. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from swaddle.indicators.saying import Language, number
from swaddle.indicators.waits import Spread, Wait

_NAMES: Mapping[str, tuple[str, str]] = {
    "birth to registry": ("From birth to the registry", "De la naissance au registre"),
    "birth to sample": ("From birth to the sample", "De la naissance au prélèvement"),
    "sample to laboratory": ("From the sample to the laboratory", "Du prélèvement au laboratoire"),
    "laboratory to result": ("From the laboratory to the result", "De la réception au résultat"),
    "sample to result": ("From the sample to the result", "Du prélèvement au résultat"),
}
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "title": "How long it took", "what": "In days", "of": "Of", "half": "Half within", "nine": "Nine in ten within",
        "half_before": "Half within, 12 months before", "nine_before": "Nine in ten within, 12 months before",
        "under": "Only your own records with both dates are counted. Under ten records, nine in ten is not"
        " said.",
    },
    "fr": {
        "title": "Le temps que cela a pris", "what": "En jours", "of": "Sur", "half": "La moitié en",
        "nine": "Neuf sur dix en", "half_before": "La moitié en, 12 mois précédents",
        "nine_before": "Neuf sur dix en, 12 mois précédents",
        "under": "Seuls vos propres dossiers qui portent les deux dates sont comptés. Sous dix dossiers, on"
        " ne dit pas neuf sur dix.",
    },
}  # fmt: skip
_NONE = "\u2013"


@dataclass(frozen=True, kw_only=True)
class Took:
    """The table: its words, and rows of a name and five cells."""

    words: Mapping[str, str]
    rows: tuple[tuple[str, ...], ...]


def took(waits: Sequence[Wait], language: Language) -> Took | None:
    """The waits as a table; None where nothing of this month is dated."""
    rows = tuple(
        (
            _NAMES[each.name][language == "fr"],
            number(each.now.count, language),
            *_days(each.now, language),
            *_days(each.before, language),
        )
        for each in waits
        if each.now is not None
    )
    return Took(words=_WORDS[language], rows=rows) if rows else None


def _days(spread: Spread | None, language: Language) -> tuple[str, str]:
    if spread is None:
        return _NONE, _NONE
    return _day(spread.median, language), _day(spread.nine_in_ten, language)


def _day(days: float | None, language: Language) -> str:
    """`1.8`, in French `1,8`."""
    if days is None:
        return _NONE
    told = f"{days:.1f}"
    return told.replace(".", ",") if language == "fr" else told
