"""Comparisons as a page shows them: those with something to say first and drawn, the others as one line each.

Pure but for the drawing. A page holds a few charts only: each is words first, and a page of forty says nothing.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from swaddle.indicators.comparison import Comparison, Line
from swaddle.indicators.saying import BIRTHS, Language, Measure, Said, number, say, when

MOST_DRAWN = 3
_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "part": "Among peers, and over time",
        "under": "Only what chance does not explain is called. Peers are other submitters of a like level of care,"
        " where it is known, with about as many births; they are not named.",
        "group": "Group", "counted": "Counted", "share": "Share", "interval": "95% interval",
        "own": "Yours, 12 months", "baseline": "Yours, frozen baseline", "peers": "Peers, together",
        "month": "Month", "limits": "Limits of chance", "numbers": "The numbers behind the chart",
        "hidden": "hidden", "csv": "as CSV", "others": "The other indicators",
    },
    "fr": {
        "part": "Parmi les pairs, et dans le temps",
        "under": "Seul ce que le hasard n'explique pas est nommé. Les pairs sont d'autres déclarants d'un niveau de"
        " soins semblable, là où il est connu, ayant à peu près autant de naissances; ils ne sont pas nommés.",
        "group": "Groupe", "counted": "Comptés", "share": "Part",
        "interval": "Intervalle à 95 %", "own": "Les vôtres, 12 mois", "baseline": "Votre référence figée",
        "peers": "Les pairs, ensemble", "month": "Mois", "limits": "Limites du hasard",
        "numbers": "Les nombres derrière le graphique", "hidden": "caché", "csv": "en CSV",
        "others": "Les autres indicateurs",
    },
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table beside a chart, in words."""

    name: str
    births: str
    counted: str
    share: str
    interval: str


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One indicator beside its peers and over time, ready to lay out."""

    title: str
    many: str
    said: Said
    funnel: Markup
    chart: Markup
    rows: tuple[Row, ...]
    months: tuple[Row, ...]
    funnel_csv: str
    chart_csv: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """The part of a page about peers and time."""

    words: Mapping[str, str]
    drawn: tuple[Compared, ...]
    told: tuple[tuple[str, str], ...]


def section(
    comparisons: Mapping[str, Comparison],
    titles: Mapping[str, str],
    *,
    name: str,
    language: Language,
    measures: Mapping[str, Measure],
) -> Section | None:
    """The part of the page, None where there is nothing to say.

    Args:
        comparisons: by the indicator's id, in the order of the page.
        titles: of the indicators, in the language.
        name: the reader's own, for its point in a funnel.
        language: of the words.
        measures: in what each is told, and of what; births in percent where none is given.
    """
    able = {key: one for key, one in comparisons.items() if one.funnel is not None or one.chart is not None}
    if not able:
        return None
    first = sorted(able, key=lambda key: (-_weight(able[key]), list(able).index(key)))[:MOST_DRAWN]
    return Section(
        words=_WORDS[language],
        drawn=tuple(_compared(able[key], titles[key], name, language, measures.get(key, BIRTHS)) for key in first),
        told=tuple(
            (titles[key], say(able[key], language, measures.get(key, BIRTHS)).sentence)
            for key in able
            if key not in first
        ),
    )


def _weight(one: Comparison) -> int:
    """What chance does not explain comes first, a change before a difference."""
    changed = one.chart is not None and one.chart.shift is not None
    far = one.funnel is not None and one.funnel.own is not None and one.funnel.own.stands in {"higher", "lower"}
    return 2 * changed + far


def _compared(one: Comparison, title: str, name: str, language: Language, measure: Measure) -> Compared:
    # Altair takes a second to load, and most reports draw nothing.
    from swaddle.feedback.drawing import chart_svg, funnel_svg  # noqa: PLC0415

    said = say(one, language, measure)
    words = _WORDS[language]
    return Compared(
        title=title,
        many=measure.of(language).capitalize(),
        said=said,
        funnel=funnel_svg(one, said, name=name, language=language, measure=measure),
        chart=chart_svg(one, said, language=language, measure=measure),
        rows=tuple(_row(line, words[line.name], language, measure) for line in one.lines()),
        months=tuple(
            Row(
                name=when(mark.when, language),
                births=number(mark.denominator, language),
                counted=number(mark.numerator, language),
                share="" if mark.share is None else measure.rate(mark.share, language),
                interval=""
                if mark.low is None or mark.high is None
                else _reach(mark.low, mark.high, language, measure),
            )
            for mark in (one.chart.marks if one.chart else ())
        ),
        funnel_csv=_as_link(one.funnel_csv()) if one.funnel else "",
        chart_csv=_as_link(one.chart_csv()) if one.chart else "",
    )


def _row(line: Line, name: str, language: Language, measure: Measure) -> Row:
    hidden = _WORDS[language]["hidden"]
    return Row(
        name=name,
        births=hidden if line.denominator is None else number(line.denominator, language),
        counted=hidden if line.numerator is None else number(line.numerator, language),
        share="" if line.share is None else measure.rate(line.share, language),
        interval="" if line.low is None or line.high is None else _reach(line.low, line.high, language, measure),
    )


def _reach(low: float, high: float, language: Language, measure: Measure) -> str:
    between = " to " if language == "en" else " à "
    return between.join(measure.figure(value, language) for value in (low, high))


def _as_link(text: str) -> str:
    """A CSV inside the page itself: nothing is fetched."""
    return f"data:text/csv;charset=utf-8;base64,{b64encode(text.encode('utf-8')).decode('ascii')}"
