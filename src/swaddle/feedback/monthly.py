"""The report of a month: what a submitter's own records of that month say, indicator by indicator. Pure.

Findings come first, in words; then every figure with its interval; then what cannot be answered, and why. The cases
behind a figure are the submitter's own, by its own record numbers, and go to that submitter alone.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from io import StringIO
from itertools import groupby
from typing import Any

from swaddle.feedback.bundle import pack
from swaddle.feedback.compared import section
from swaddle.feedback.page import fill
from swaddle.feedback.tongue import LANGUAGES
from swaddle.feedback.took import took
from swaddle.feedback.trend import Sent, trend
from swaddle.indicators import chapters
from swaddle.indicators.comparison import Comparison
from swaddle.indicators.fields import UNITS
from swaddle.indicators.intervals import wilson
from swaddle.indicators.model import Definition
from swaddle.indicators.saying import Language, Measure, number, say, when
from swaddle.indicators.waits import Wait

Printed = Callable[[Mapping[Language, bytes]], Mapping[str, bytes]]
KIND = "month"
FEWEST = 10  # births under which a share is told as too few to read
MOST_CASES = 50  # of one indicator on the page; all of them are in cases.csv
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "title": "Report of the month", "colon": ":", "attention": "What needs a look", "better": "What got better",
        "few": "Too few to say", "none": "Nothing that chance does not explain.", "no_few": "Nothing.",
        "no_births": "No record of this month can be counted. Nothing was read as No.",
        "figures": "All indicators", "indicator": "Indicator", "counted": "Counted", "of": "Of", "share": "Share",
        "interval": "95% interval", "before": "12 months before", "unknown": "Lost to unknowns",
        "cases": "Your own cases", "more": "The first {shown} of {all}; all of them are in cases.csv.",
        "silent": "What these data cannot answer", "lacking": "no record of this month could be placed",
        "unsaid": "Too few months and too few peers to say.", "lost": "{title} ({n} unknown)",
        "revised": "Revised: it replaces an earlier report of this month, because data came late or were corrected.",
        "keep": "Your own numbers are shown in full: keep this page as you keep a patient's record. Others are shown"
        " only together or without a name, with small numbers hidden.",
        "made": "Counted {at}, dictionary {dictionary}, state of the data {snapshot}.",
        "csv": "The same figures are in figures.csv, the cases in cases.csv.",
        "fewer": "{title}: {of} in the month.",
        "under": "The interval is what chance leaves open. A record that cannot be placed is counted as unknown.",
        "costs": "Your unknowns cost you {n} in this indicator.",
        "screens": "Newborn screens that could not be judged",
        "screens_under": "An alert is sent when a screen is missing on day 7. Of these newborns nobody could say it.",
    },
    "fr": {
        "title": "Rapport du mois", "colon": "\u00a0:", "attention": "À regarder", "better": "Ce qui s'est amélioré",
        "few": "Trop peu pour le dire", "none": "Rien que le hasard n'explique pas.", "no_few": "Rien.",
        "no_births": "Aucun dossier de ce mois ne peut être compté. Rien n'a été lu comme un non.",
        "figures": "Tous les indicateurs", "indicator": "Indicateur", "counted": "Comptés", "of": "Sur",
        "share": "Part", "interval": "Intervalle à 95 %", "before": "12 mois précédents",
        "unknown": "Perdus (inconnus)", "cases": "Vos propres cas",
        "more": "Les {shown} premiers sur {all}; tous sont dans cases.csv.",
        "silent": "Ce que ces données ne permettent pas de dire",
        "lacking": "aucun dossier de ce mois n'a pu être classé",
        "unsaid": "Trop peu de mois et trop peu de pairs pour le dire.", "lost": "{title} ({n} inconnus)",
        "revised": "Révisé : il remplace un rapport antérieur de ce mois, car des données sont arrivées tard ou ont"
        " été corrigées.",
        "keep": "Vos propres nombres sont montrés en entier : gardez cette page comme un dossier de patient. Les"
        " autres ne sont montrés qu'ensemble ou sans nom, les petits nombres étant cachés.",
        "made": "Compté le {at}, dictionnaire {dictionary}, état des données {snapshot}.",
        "csv": "Les mêmes nombres sont dans figures.csv, les cas dans cases.csv.",
        "fewer": "{title} : {of} dans le mois.",
        "under": "L'intervalle est ce que le hasard laisse ouvert. Un dossier qui ne peut être classé est compté comme"
        " inconnu.",
        "costs": "Vos inconnus vous coûtent {n} dans cet indicateur.",
        "screens": "Dépistages néonatals qui n'ont pu être jugés",
        "screens_under": "Une alerte part quand un dépistage manque au jour 7. De ces nouveau-nés, nul n'a pu le dire.",
    },
}  # fmt: skip

# Why a missing screen could not be judged, as the registry counts it; English is the registry's own words.
_REASONS_FR = {
    "died": "décédé",
    "birth date not known": "date de naissance inconnue",
    "no usable key": "aucune clé utilisable",
    "no laboratory sends data": "aucun laboratoire n'envoie de données",
    "laboratory data end before day 7": "les données du laboratoire s'arrêtent avant le jour 7",
}


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many count, of how many that could be placed, and how many could not."""

    numerator: int = 0
    denominator: int = 0
    unknown: int = 0


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One indicator of the month: own counts, those of the twelve months before, parts, cases by own number."""

    definition: Definition
    month: Count
    before: Count
    parts: Mapping[str, Count]
    cases: tuple[str, ...]
    lacking: bool


@dataclass(frozen=True, kw_only=True)
class Month:
    """A month's report before it is written out."""

    report: str
    name: str
    month: str
    at: str
    dictionary: str
    snapshot: str
    revised: bool
    figures: tuple[Figure, ...]
    comparisons: Mapping[str, Comparison]
    not_judged: Mapping[str, int] = field(default_factory=dict)  # newborns whose missing screen is unknown, by reason
    waits: tuple[Wait, ...] = ()
    sent: tuple[Sent, ...] = ()  # rows read and rejected, month by month, this one last


def bundle(told: Month, printed: Printed | None = None) -> bytes:
    """The files that are sealed to the submitter: both pages, JSON, the figures and the cases.

    Args:
        told: the report.
        printed: makes the pages PDFs, as pdf.printed does; without it there are none.
    """
    pages = {language: page(told, language).encode() for language in LANGUAGES}
    return pack({
        "report.html": pages["en"],
        "report-fr.html": pages["fr"],
        "report.json": json.dumps(as_json(told), indent=2).encode(),
        "figures.csv": figures_csv(told).encode(),
        "cases.csv": cases_csv(told).encode(),
        **(printed(pages) if printed is not None else {}),
    })  # fmt: skip


def page(told: Month, language: Language) -> str:
    """The page of one language, a whole file."""
    words = _WORDS[language]
    answered = sorted(
        (each for each in told.figures if not each.lacking), key=lambda each: chapters.place(each.definition.chapter)
    )
    titles = {each.definition.id: each.definition.within(language).title for each in told.figures}
    compared = {each.definition.id: told.comparisons[each.definition.id] for each in answered
                if each.definition.id in told.comparisons}  # fmt: skip
    attention, better = findings(told, language)
    return fill(
        "monthly.html",
        language,
        w=words,
        name=told.name,
        month=when(told.month, language),
        revised=told.revised,
        attention=attention,
        better=better,
        few=[
            words["fewer"].format(title=titles[each.definition.id], of=number(each.month.denominator, language))
            for each in answered
            if 0 < each.month.denominator < FEWEST
        ],
        nothing=words["none" if any(map(_compares, compared.values())) else "unsaid"],
        empty=not any(each.month.denominator for each in answered),
        chapters=[
            {
                "id": chapter,
                "title": chapters.heading(chapter, language),
                "rows": [_row(each, language) for each in own],
            }
            for chapter, own in groupby(answered, key=lambda each: each.definition.chapter)
        ],
        trend=trend(told.sent, language, of="month"),
        took=took(told.waits, language),
        silent=[
            words["lost"].format(title=titles[each.definition.id], n=number(each.month.unknown, language))
            if each.month.unknown
            else titles[each.definition.id]
            for each in told.figures
            if each.lacking
        ],
        not_judged=[
            f"{_reason(reason, language)}{words['colon']} {number(count, language)}"
            for reason, count in told.not_judged.items()
        ],
        compared=section(
            compared,
            titles,
            name=told.name,
            language=language,
            measures={each.definition.id: _measure(each.definition) for each in answered},
        ),
        made=words["made"].format(at=told.at, dictionary=told.dictionary, snapshot=told.snapshot),
    )


def findings(told: Month, language: Language) -> tuple[list[str], list[str]]:
    """What needs a look, and what got better: only what chance does not explain."""
    attention, better = [], []
    for each in told.figures:
        one = told.comparisons.get(each.definition.id)
        if one is None or each.lacking:
            continue
        shift = one.chart.shift if one.chart else None
        stands = one.funnel.own.stands if one.funnel and one.funnel.own else "too few"
        title = f"{each.definition.within(language).title}{_WORDS[language]['colon']}"
        sentence = f"{title} {say(one, language, _measure(each.definition)).sentence}"
        good = {"higher": True, "lower": False}.get(each.definition.direction)
        if shift is not None and good is not None and shift.higher == good:
            better.append(sentence)
        elif shift is not None or stands in {"higher", "lower"}:
            attention.append(sentence)
    return attention, better


def _compares(one: Comparison) -> bool:
    """Whether anything could be said: without it, silence is not "nothing was found"."""
    beside = one.funnel is not None and one.funnel.own is not None and one.funnel.own.stands != "too few"
    return beside or one.chart is not None


def as_json(told: Month) -> dict[str, Any]:
    """The same for a program."""
    attention, better = findings(told, "en")
    return {
        "transfer": told.report, "kind": KIND, "month": told.month, "made": told.at, "revised": told.revised,
        "dictionary": told.dictionary, "snapshot": told.snapshot,
        "rows": {"read": 0, "stored": 0, "rejected": 0, "duplicates": 0}, "records": {}, "findings": [],
        "error_rates": [
            {"month": f"{each.at:%Y-%m}", "read": each.read, "rejected": each.rejected} for each in told.sent
        ],
        "days": [asdict(each) for each in told.waits],
        "attention": attention, "better": better, "screens_not_judged": dict(told.not_judged),
        "indicators": [
            {
                "id": each.definition.id, "answerable": not each.lacking,
                "numerator": each.month.numerator, "denominator": each.month.denominator,
                "unknown": each.month.unknown, "cases": list(each.cases),
            }
            for each in told.figures
        ],
    }  # fmt: skip


def figures_csv(told: Month) -> str:
    """Every figure, its parts under it."""
    rows: list[Sequence[object]] = []
    for each in told.figures:
        if not each.lacking:
            for part, cell in {"": each.month, **each.parts}.items():
                rows.append((each.definition.id, each.definition.title, part, *_numbers(cell, each.definition.per)))
    head = ("indicator", "title", "part", "numerator", "denominator", "unknown", "rate", "low", "high", "per")
    return _csv(head, rows)


def cases_csv(told: Month) -> str:
    """The submitter's own records behind each figure."""
    rows = [(each.definition.id, told.month, record) for each in told.figures for record in each.cases]
    return _csv(("indicator", "month", "local_record_id"), rows)


def guarded(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.lstrip().startswith(_FORMULA) else text


def _csv(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue()


def _numbers(cell: Count, per: int) -> tuple[object, ...]:
    if not cell.denominator:
        return cell.numerator, cell.denominator, cell.unknown, None, None, None, per
    low, high = wilson(cell.numerator, cell.denominator)
    rates = (round(per * each, 3) for each in (cell.numerator / cell.denominator, low, high))
    return (cell.numerator, cell.denominator, cell.unknown, *rates, per)


def _row(each: Figure, language: Language) -> dict[str, Any]:
    words, item = _WORDS[language], each.definition.within(language)
    labels = {band.id: band.label for band in item.bands} | dict(item.groups)
    measure = _measure(each.definition)
    shown = each.cases[:MOST_CASES]
    return {
        "title": item.title,
        "own": _told(each.month, language, measure),
        "before": _told(each.before, language, measure)["share"],
        "unknown": number(each.month.unknown, language),
        "costs": words["costs"].format(n=number(each.month.unknown, language)) if each.month.unknown else "",
        "parts": [
            {"label": labels.get(name, name), **_told(cell, language, measure)} for name, cell in each.parts.items()
        ],
        "cases": shown,
        "more": words["more"].format(shown=number(len(shown), language), all=number(len(each.cases), language))
        if len(each.cases) > len(shown)
        else "",
    }


def _reason(reason: str, language: Language) -> str:
    return _REASONS_FR.get(reason, reason) if language == "fr" else reason


def _measure(item: Definition) -> Measure:
    unit = UNITS[item.counts_of]
    return Measure(per=item.per, many=unit.many, many_fr=unit.many_fr)


def _told(cell: Count, language: Language, measure: Measure) -> dict[str, str]:
    share = reach = "\u2013"
    if cell.denominator:
        share = measure.rate(cell.numerator / cell.denominator, language)
        reach = "\u2013".join(measure.figure(each, language) for each in wilson(cell.numerator, cell.denominator))
    return {
        "counted": number(cell.numerator, language),
        "of": number(cell.denominator, language),
        "share": share,
        "interval": reach,
    }
