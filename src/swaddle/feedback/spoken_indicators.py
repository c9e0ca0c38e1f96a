"""Indicators in the language of a page: their definitions have both; the sentence of a finding is made anew here.

Pure. English is what the indicators say themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from swaddle.feedback import french
from swaddle.feedback.charts import IndicatorView
from swaddle.feedback.tongue import Language
from swaddle.indicators import fields
from swaddle.indicators.compare import LEAST_TO_COMPARE
from swaddle.indicators.definitions import Definition, definition
from swaddle.indicators.results import ALL, IndicatorResult, IndicatorRow
from swaddle.indicators.robson import UNCLASSIFIABLE

_DIFFERENCE: Mapping[str, str] = {
    "higher": "plus que le hasard n'explique",
    "lower": "moins que le hasard n'explique",
    "alike": "le hasard peut expliquer la différence",
    "too few": "trop peu de naissances pour comparer",
}


def in_language(view: IndicatorView, language: Language) -> IndicatorView:
    """An indicator as a page of that language shows it."""
    if language == "en":
        return view
    told = definition(view.result.id).within(language)
    difference = view.result.difference
    return replace(
        view,
        definition=told,
        result=replace(view.result, title=told.title, finding=_finding(view.result, told)),
        own=_row(view.own, told),
        others=view.others and _row(view.others, told),
        groups=tuple((_row(own, told), others and _row(others, told)) for own, others in view.groups),
        in_words=_DIFFERENCE[difference] if difference else "",
    )


def titled(result: IndicatorResult, language: Language) -> str:
    """An indicator's title."""
    return definition(result.id).within(language).title


def unanswerable(result: IndicatorResult, language: Language) -> str:
    """Why an indicator has no answer."""
    if language == "en":
        return result.finding
    if not result.not_carried:
        return "Aucune de vos naissances n'est encore dans le registre."
    return f"Cette structure ne permet pas d'y répondre : il y manque {fields_said(result.not_carried, language)}."


def fields_said(names: tuple[str, ...], language: Language) -> str:
    """`présentation du bébé et césariennes antérieures`."""
    words = [fields.words(name, language) for name in names]
    last = " et " if language == "fr" else " and "
    return last.join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _row(row: IndicatorRow, told: Definition) -> IndicatorRow:
    labels = {band.id: band.label for band in told.bands} | dict(told.groups)
    labels |= {ALL: told.total_label, UNCLASSIFIABLE: "N'a pu être placée"}
    return replace(row, label=labels.get(row.group, row.label))


def _finding(result: IndicatorResult, told: Definition) -> str:
    own, others = result.row("own"), result.row("others")
    if own is None or not own.denominator or own.numerator is None:
        return "Aucune de vos naissances n'a pu être placée : ce qui est demandé n'a pas de réponse."
    if own.denominator < LEAST_TO_COMPARE:
        births = french.counted(own.denominator, "birth")
        return f"{french.number(own.numerator)} sur {births} : trop peu pour en tirer une proportion."
    return f"{french.percent(own.numerator / own.denominator)} {told.says}. {_beside(others, result.difference)}"


def _beside(others: IndicatorRow | None, difference: str | None) -> str:
    if others is None or others.denominator == 0:
        return "Aucun autre hôpital n'a encore de naissances pour ces années."
    if others.suppressed or others.rate is None:
        return "Le chiffre des autres hôpitaux est masqué, car il montrerait un petit nombre."
    theirs = f"{french.percent(others.rate)} aux autres hôpitaux"
    match difference:
        case "higher":
            return f"C'est plus que les {theirs}, et plus que le hasard n'explique."
        case "lower":
            return f"C'est moins que les {theirs}, et plus que le hasard n'explique."
        case "alike":
            return f"À côté des {theirs}, le hasard peut expliquer la différence."
        case _:
            return f"Il y a trop peu de naissances pour les comparer aux {theirs}."
