"""Numbers, moments and strangers' values as words on a page.

Pure. A value from a submitter's file reaches the page only through `visible` (and `masked`): escaping is the
template's, but a character that turns the reading direction or cannot be seen is no matter of escaping.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

LONGEST_VALUE = 80
LONGEST_SENTENCE = 400
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def number(value: int) -> str:
    """`1,962`."""
    return f"{value:,}"


def counted(value: int, one: str, many: str | None = None) -> str:
    """`1 row`, `31 rows`."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """`9.8%`."""
    return f"{100 * share:.1f}%"


def interval(low: float, high: float) -> str:
    """`8.1 to 11.7`, in percent."""
    return f"{100 * low:.1f} to {100 * high:.1f}"


def moment(at: datetime) -> str:
    """`22 November 2026, 09:24 UTC`."""
    when = at.astimezone(UTC)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def day(at: datetime) -> str:
    """`22 November 2026`."""
    when = at.astimezone(UTC)
    return f"{when.day} {when:%B %Y}"


def listed(words: list[str] | tuple[str, ...]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def years(period: str) -> str:
    """`2025 to 2026`, as the indicators say it."""
    return period


def visible(value: object, limit: int = LONGEST_VALUE) -> str:
    """A stranger's value with everything unseen written out: `BABY[U+202E]`, and cut when it is long."""
    text = str(value)
    shown = "".join(
        f"[U+{ord(letter):04X}]" if unicodedata.category(letter) in _UNSEEN else letter for letter in text[:limit]
    )
    return shown if len(text) <= limit else f"{shown}…"


def told(sentence: object) -> str:
    """A rule's or an error's sentence, which may hold a stranger's word: as `visible`, with room for a sentence."""
    return visible(sentence, LONGEST_SENTENCE)


def is_health_card(field: str) -> bool:
    """Does this field hold a health card number (not its version, its authority or why there is none)?"""
    name = field.lower()
    return "hcn" in name and not name.endswith(("_authority", "_version", "_reason"))


def masked(field: str, value: object) -> str:
    """The value as the sample of rejected rows shows it: of a health card number, only the last four characters."""
    text = str(value)
    if not is_health_card(field):
        return visible(text)
    return "••••••" + (visible(text[-4:]) if len(text) > 4 else "")
