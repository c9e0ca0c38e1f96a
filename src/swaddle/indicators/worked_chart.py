"""The chart of an indicator's page: its ten-row example drawn, and how the interval narrows with more rows. Pure.

Text of a definition may come from outside: everything is escaped, and the drawing holds no script, link or style sheet.
Shape says the same as colour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby
from math import ceil
from xml.sax.saxutils import escape

from swaddle.indicators.fields import UNITS
from swaddle.indicators.intervals import wilson
from swaddle.indicators.model import Definition, Language, Outcome

WIDTH, SQUARE, APART, LEFT, RIGHT = 640, 40, 8, 130, 480
LONGEST_GROUP = 3  # letters that fit a square
SIZES = (1, 10, 100, 1000)  # times the example
_INK, _SOFT, _BRAND, _LINE, _BETTER, _WORSE = "#1f2d33", "#44575f", "#134a52", "#d5dde0", "#0b5563", "#b3261e"
_ORDER: tuple[Outcome, ...] = ("counts", "placed", "unknown", "out")
_LOOK = {  # fill, edge, dashes, sign and its colour
    "counts": (_BRAND, _BRAND, "none", "✓", "#ffffff"),
    "placed": ("#ffffff", _BRAND, "none", "", _INK),
    "unknown": ("#e7f1f0", _SOFT, "none", "?", _INK),
    "out": ("#ffffff", _SOFT, "4 3", "-", _SOFT),
}
_SAY = {
    "en": {
        "title": "{title}: the worked example",
        "text": "Ten made-up rows: {counts} count, {placed} do not, {unknown} unknown, {out} left out. The share is"
        " {share}; its 95% interval is {low} to {high}. {wide}",
        "wide": "The same share of {of} would be {low} to {high}.",
        "ten": "The ten rows of the example ({many})",
        "counts": "counts", "placed": "does not count", "unknown": "unknown", "out": "left out",
        "more": "The same share of more {many}: what chance leaves open (95% interval)",
        "of": "{0} of {1}", "to": "{0} to {1}", "green": "better", "red": "worse", "is": ":",
    },
    "fr": {
        "title": "{title} : l'exemple travaillé",
        "text": "Dix lignes inventées : {counts} comptent, {placed} ne comptent pas, {unknown} inconnues, {out}"
        " exclues. La part est de {share}; son intervalle à 95 % va de {low} à {high}. {wide}",
        "wide": "La même part de {of} irait de {low} à {high}.",
        "ten": "Les dix lignes de l'exemple ({many})",
        "counts": "compte", "placed": "ne compte pas", "unknown": "inconnu", "out": "exclu",
        "more": "La même part, avec plus de données : ce que laisse le hasard (intervalle à 95 %)",
        "of": "{0} sur {1}", "to": "{0} à {1}", "green": "mieux", "red": "moins bien", "is": "\u00a0:",
    },
}  # fmt: skip


def svg(item: Definition, language: Language) -> str:
    """The chart of one definition, its words already in `language` (`Definition.within`); ends with a line break."""
    say, number = _SAY[language], Counter(row.outcome for row in item.examples)
    of = number["counts"] + number["placed"]
    many = UNITS[item.counts_of].many if language == "en" else UNITS[item.counts_of].many_fr
    title = say["title"].format(title=item.title)
    parts = [*_rows(item, say["ten"].format(many=many), say), *_intervals(item, number["counts"], of, language, many)]
    low, high = wilson(number["counts"], of)
    wide_low, wide_high = wilson(number["counts"] * SIZES[-1], of * SIZES[-1])
    wide = say["wide"].format(
        of=_count(of * SIZES[-1], language), low=_told(wide_low, item, language), high=_told(wide_high, item, language)
    )
    text = say["text"].format(
        **{name: number[name] for name in _ORDER},
        share=_told(number["counts"] / of, item, language),
        low=_told(low, item, language),
        high=_told(high, item, language),
        wide=wide,
    )
    height = 330 if item.threshold else 312
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" lang="{language}"'
        f' font-family="Helvetica, Arial, sans-serif" font-size="14" fill="{_INK}">'
    )
    said = [f"<title>{escape(title)}</title>", f"<desc>{escape(text)}</desc>"]
    return "\n".join([head, *said, f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>', *parts, "</svg>", ""])


def _rows(item: Definition, heading: str, say: dict[str, str]) -> Iterator[str]:
    """A square for each row of the example, those with the same end together."""
    yield _text(12, 24, heading, weight="bold")
    rows = sorted(item.examples, key=lambda row: _ORDER.index(row.outcome))
    place = 12
    for outcome, alike in groupby(rows, key=lambda row: row.outcome):
        fill, edge, dashes, sign, ink = _LOOK[outcome]
        first, number = place, 0
        for row in alike:
            yield (
                f'<rect x="{place}" y="38" width="{SQUARE}" height="{SQUARE}" rx="5" fill="{fill}" stroke="{edge}"'
                f' stroke-width="2" stroke-dasharray="{dashes}"/>'
            )
            group = row.group if len(row.group) <= LONGEST_GROUP else ""
            yield _text(place + SQUARE // 2, 63, group or sign, color=ink, anchor="middle", weight="bold")
            place, number = place + SQUARE + APART, number + 1
        told = f"{say[outcome]}{say['is']} {number}"
        for line, word in enumerate(told.split(" ", maxsplit=2) if number == 1 and len(told) > 11 else [told]):
            yield _text(first, 96 + 15 * line, word, color=_SOFT, size=13)
        place += 14


def _intervals(item: Definition, counts: int, of: int, language: Language, many: str) -> Iterator[str]:
    """The interval of the example's share, and of the same share of ten, a hundred, a thousand times as many."""
    say = _SAY[language]
    limits = [item.threshold.green, item.threshold.red] if item.threshold else []
    highest = max(wilson(counts, of)[1], *(each / item.per for each in limits), 0.0)
    end = min(1.0, ceil(highest * 5) / 5)
    top, step = 176, 28
    bottom = top + step * (len(SIZES) - 1) + 14

    def across(share: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * share / end, 1)

    yield _text(12, top - 28, say["more"].format(many=many), weight="bold", size=13)
    for tick in range(5):
        share = end * tick / 4
        yield f'<path d="M{across(share)} {top - 14}V{bottom}" stroke="{_LINE}"/>'
        yield _text(across(share), bottom + 17, _told(share, item, language, 0), anchor="middle", color=_SOFT, size=12)
    for number, times in enumerate(SIZES):
        (low, high), y = wilson(counts * times, of * times), top + step * number
        label = say["of"].format(_count(counts * times, language), _count(of * times, language))
        yield _text(LEFT - 10, y + 5, label, anchor="end", size=13)
        yield f'<path d="M{across(low)} {y}H{across(high)}" stroke="{_BRAND}" stroke-width="3"/>'
        for edge in (low, high):
            yield f'<path d="M{across(edge)} {y - 6}V{y + 6}" stroke="{_BRAND}" stroke-width="2"/>'
        yield f'<circle cx="{across(counts / of)}" cy="{y}" r="5" fill="{_BRAND}" stroke="#ffffff" stroke-width="1.5"/>'
        reach = say["to"].format(_told(low, item, language, unit=False), _told(high, item, language))
        yield _text(RIGHT + 12, y + 5, reach, size=13)
    if item.threshold:
        yield from _limits(item, across, bottom, top, language)


def _limits(
    item: Definition, across: Callable[[float], float], bottom: int, top: int, language: Language
) -> Iterator[str]:
    """The limits as lines with names, and who says so: never one without the other."""
    say, each = _SAY[language], item.threshold
    if each is None:
        return
    for name, value, color, dashes in (("green", each.green, _BETTER, "none"), ("red", each.red, _WORSE, "5 3")):
        x = across(value / item.per)
        yield f'<path d="M{x} {top - 14}V{bottom}" stroke="{color}" stroke-width="2" stroke-dasharray="{dashes}"/>'
        left = value == min(each.green, each.red)
        label = say[name] + (" <" if (name == "green") == (item.direction == "lower") else " >") + f" {value:g}"
        yield _text(
            x + (-4 if left else 4), bottom + 34, label, anchor="end" if left else "start", color=color, size=12
        )
    yield _text(12, bottom + 52, each.provenance, color=_SOFT, size=12)


def _text(x: float, y: float, words: str, *, anchor: str = "start", color: str = _INK, size: int = 14,
          weight: str = "normal") -> str:  # fmt: skip
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{color}" font-size="{size}" font-weight="{weight}">'
        f"{escape(words)}</text>"
    )


def _told(share: float, item: Definition, language: Language, digits: int = 1, *, unit: bool = True) -> str:
    """A share per 100 or 1,000, as its language writes it."""
    number = f"{share * item.per:.{digits}f}"
    sign = "%" if item.per == 100 else "‰"
    if language == "fr":
        return number.replace(".", ",") + (f"\u00a0{sign}" if unit else "")
    return number + (sign if unit else "")


def _count(number: int, language: Language) -> str:
    return f"{number:,}" if language == "en" else f"{number:,}".replace(",", "\u202f")
