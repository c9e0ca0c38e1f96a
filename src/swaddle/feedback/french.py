"""Numbers, moments and counted things as a French page says them (Canadian French): the same functions as words.py.

Pure. A no-break space parts thousands and stands before the percent sign; decimals have a comma; none and one are
singular.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

_SPACE = "\N{NO-BREAK SPACE}"
_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre"),
    "décembre",
)
# What is counted on a page, by its English word: one, many.
NOUNS: Mapping[str, tuple[str, str]] = {
    "birth": ("naissance", "naissances"),
    "error": ("erreur", "erreurs"),
    "field": ("champ", "champs"),
    "file": ("fichier", "fichiers"),
    "for information": ("pour information", "pour information"),
    "indicator": ("indicateur", "indicateurs"),
    "other hospital": ("autre hôpital", "autres hôpitaux"),
    "record": ("enregistrement", "enregistrements"),
    "rejected row": ("ligne rejetée", "lignes rejetées"),
    "row": ("ligne", "lignes"),
    "to review": ("à examiner", "à examiner"),
    "warning": ("avertissement", "avertissements"),
}


def number(value: int) -> str:
    """`1 962`."""
    return f"{value:,}".replace(",", _SPACE)


def counted(value: int, one: str, _many: str | None = None) -> str:
    """`1 ligne`, `31 lignes`; what has no French word here keeps its English one."""
    single, several = NOUNS.get(one, (one, _many or one))
    return f"{number(value)}{_SPACE}{single if value < 2 else several}"


def percent(share: float) -> str:
    """`9,8 %`."""
    return _decimal(100 * share) + f"{_SPACE}%"


def interval(low: float, high: float) -> str:
    """`8,1 à 11,7`, in percent."""
    return f"{_decimal(100 * low)} à {_decimal(100 * high)}"


def _decimal(value: float) -> str:
    return f"{value:.1f}".replace(".", ",")


def moment(at: datetime) -> str:
    """`22 novembre 2026, 9 h 24 UTC`."""
    when = at.astimezone(UTC)
    return f"{day(at)}, {when.hour}{_SPACE}h{_SPACE}{when:%M} UTC"


def day(at: datetime) -> str:
    """`22 novembre 2026`; the first is `1er`."""
    when = at.astimezone(UTC)
    return f"{'1er' if when.day == 1 else when.day} {_MONTHS[when.month - 1]} {when.year}"


def listed(words: list[str] | tuple[str, ...]) -> str:
    """`a, b et c`."""
    return " et ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def years(period: str) -> str:
    """`2025 à 2026`, of what the indicators say in English."""
    return "sans date" if period == "no dates" else period.replace(" to ", " à ")
