"""The pages docs/indicators/ID.md with their charts, and the table in docs/indicators.md, made from the definitions.

Pure but for the definitions it is given. `python tools/pages.py` writes them; a test compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from swaddle.indicators import chapters, worked_chart
from swaddle.indicators.fields import UNITS, words
from swaddle.indicators.model import Definition, Example, Language

_OUTCOME = {
    "en": {"counts": "counts", "placed": "placed, does not count", "unknown": "unknown", "out": "left out"},
    "fr": {"counts": "compte", "placed": "classé, ne compte pas", "unknown": "inconnu", "out": "exclu"},
}
_DIRECTION = {
    "lower": ("lower is better, other things equal", "moins, c'est mieux, toutes choses égales"),
    "higher": ("higher is better, other things equal", "plus, c'est mieux, toutes choses égales"),
    "context": ("neither high nor low is better by itself", "ni plus ni moins n'est mieux en soi"),
}
_SAY = {
    "en": {
        "of": "Of", "counted": "Counted", "left": "Left out", "unit": "What is counted", "needs": "Needs",
        "direction": "Direction", "period": "Shortest period worth reading", "by": "Can be split by",
        "source": "Source", "limits": "Limits", "none": "none: no target has a verified source",
        "example": "Worked example", "becomes": "Becomes", "group": "Group", "why": "Why", "per": "Told per",
        "better": "better than", "worse": "worse than",
        "sum": "{counts} of {of}, {unknown} unknown, {out} left out.",
        "chart": "The example drawn, and how the interval narrows with more rows",
    },
    "fr": {
        "of": "Parmi", "counted": "Compte", "left": "Exclus", "unit": "Ce que l'on compte", "needs": "Demande",
        "direction": "Sens", "period": "Plus courte période utile", "by": "Peut être réparti selon",
        "source": "Source", "limits": "Limites", "none": "aucune : aucune cible n'a de source vérifiée",
        "example": "Exemple travaillé", "becomes": "Devient", "group": "Groupe", "why": "Pourquoi",
        "per": "Exprimé pour",
        "better": "mieux que", "worse": "moins bien que",
        "sum": "{counts} sur {of}, {unknown} inconnus, {out} exclus.",
        "chart": "L'exemple dessiné, et l'intervalle qui se resserre avec plus de lignes",
    },
}  # fmt: skip
_PERIODS = {
    "month": {"en": "month", "fr": "mois"},
    "quarter": {"en": "quarter", "fr": "trimestre"},
    "year": {"en": "year", "fr": "année"},
}


def table(definitions: Sequence[Definition]) -> str:
    """Every indicator with its page, by chapter."""
    lines = [f"{len(definitions)} indicators.", ""]
    in_order = sorted(definitions, key=lambda item: (chapters.place(item.chapter), item.title))
    for chapter, items in groupby(in_order, key=lambda item: item.chapter):
        lines += [f"### {chapters.heading(chapter, 'en')}", "", "| indicator | of | counted |", "|---|---|---|"]
        lines += [f"| [{item.title}](indicators/{item.id}.md) | {item.of} | {item.counted} |" for item in items]
        lines.append("")
    return "\n".join(lines).rstrip()


def page(item: Definition) -> str:
    """One indicator's page: English, the expressions, French."""
    lines = [f"# {item.title}", "", "<!-- Made by tools/pages.py from the definition; do not edit. -->", ""]
    lines += _told(item, "en")
    lines += ["## As it is computed", "", "```sql", *_written(item), "```", ""]
    french = item.within("fr")
    lines += [f"## {french.title}", "", *_told(french, "fr")]
    return "\n".join(lines).rstrip() + "\n"


def charts(item: Definition) -> dict[str, str]:
    """The charts of the page in both languages: file name below charts/ to its text."""
    return {
        f"{item.id}.svg": worked_chart.svg(item, "en"),
        f"{item.id}-fr.svg": worked_chart.svg(item.within("fr"), "fr"),
    }


def _told(item: Definition, language: Language) -> list[str]:
    """Everything of it that a person reads, in one language."""
    say, place = _SAY[language], 0 if language == "en" else 1
    unit = UNITS[item.counts_of]
    lines = [
        item.question,
        "",
        f"- **{say['of']}** {item.of}",
        f"- **{say['counted']}** {item.counted}",
        f"- **{say['left']}** {item.left_out}",
        *(f"- **{say['left']}** {each.why}" for each in item.exclusions),
        f"- **{say['unit']}** {unit.many if language == 'en' else unit.many_fr}",
        f"- **{say['needs']}** {', '.join(f'{words(name, language)} (`{name}`)' for name in item.needs)}",
        f"- **{say['direction']}** {_DIRECTION[item.direction][place]}",
        f"- **{say['period']}** {_PERIODS[item.period][language]}",
    ]
    if item.per != 100:
        lines.append(f"- **{say['per']}** {'1,000' if language == 'en' else '1 000'}")
    if item.stratifiers:
        lines.append(f"- **{say['by']}** {', '.join(f'`{name}`' for name in item.stratifiers)}")
    lines += [f"- **{say['limits']}** {_limits(item, language)}", f"- **{say['source']}** {item.source}", ""]
    lines += [item.words, ""] if item.words else []
    if item.groups or item.bands:
        lines += [f"| {say['group']} | |", "|---|---|"]
        lines += [f"| {name} | {label} |" for name, label in item.groups.items()]
        lines += [f"| {band.id} | {band.label} |" for band in item.bands]
        lines.append("")
    return [*lines, *_worked(item, language), ""]


def _limits(item: Definition, language: Language) -> str:
    """The thresholds, never without where they come from."""
    if item.threshold is None:
        return _SAY[language]["none"]
    say, each, unit = _SAY[language], item.threshold, "%" if item.per == 100 else "‰"
    return f"{say['better']} {each.green:g} {unit}, {say['worse']} {each.red:g} {unit} — **{each.provenance}**"


def _written(item: Definition) -> list[str]:
    """The expressions as the file has them."""
    lines = [f"-- denominator\n{item.written['denominator']}"]
    lines += [f"-- left out\n{each.text}" for each in item.exclusions]
    lines += [f"-- numerator\n{item.written['numerator']}"]
    return lines + [f"-- {band.label}\n{band.text}" for band in item.bands]


def _worked(item: Definition, language: Language) -> list[str]:
    say = _SAY[language]
    number = {
        name: sum(row.outcome == name for row in item.examples) for name in ("counts", "placed", "unknown", "out")
    }
    told = say["sum"].format(
        counts=number["counts"],
        of=number["counts"] + number["placed"],
        unknown=number["unknown"],
        out=number["out"],
    )
    asked = dict.fromkeys((*item.needs, *item.reads))
    shown = [name for name in asked if any(name in row.birth for row in item.examples)]
    grouped = any(row.group for row in item.examples)
    head = [*(f"`{name}`" for name in shown), *([say["group"]] if grouped else []), say["becomes"], say["why"]]
    return [
        f"**{say['example']}**",
        "",
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
        *(_row(row, shown, grouped, language) for row in item.examples),
        "",
        told,
        *(["", f"![{say['chart']}](charts/{item.id}{'' if language == 'en' else '-fr'}.svg)"] if item.shipped else []),
    ]


def _row(row: Example, shown: Sequence[str], grouped: bool, language: Language) -> str:
    cells = [_cell(row.birth.get(name, ""), language) for name in shown]
    cells += [row.group] if grouped else []
    return f"| {' | '.join([*cells, _OUTCOME[language][row.outcome], row.why])} |"


def _cell(value: object, language: Language) -> str:
    if isinstance(value, bool):
        return ({"en": "yes", "fr": "oui"} if value else {"en": "no", "fr": "non"})[language]
    return str(value)
