"""What a comparison says, in plain words, in English and in French.

Pure. Chance is called chance, and nothing is called good or bad. A rule of a control chart is told by what it saw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from swaddle.indicators.comparison import Comparison
from swaddle.indicators.control_chart import Chart, Rule, Shift
from swaddle.indicators.funnel import Funnel, Stands

Language = Literal["en", "fr"]

_AND: dict[Language, str] = {"en": "and", "fr": "et"}
_MONTHS: dict[Language, tuple[str, ...]] = {
    "en": (
        *("January", "February", "March", "April", "May", "June", "July"),
        *("August", "September", "October", "November", "December"),
    ),
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin", "juillet"),
        *("août", "septembre", "octobre", "novembre", "décembre"),
    ),
}
_STANDS: dict[Language, dict[Stands, str]] = {
    "en": {
        "expected": "As expected among peers",
        "higher": "Higher than chance explains among peers",
        "lower": "Lower than chance explains among peers",
        "too few": "Too few {many} to set beside peers",
    },
    "fr": {
        "expected": "Comme attendu parmi les pairs",
        "higher": "Plus élevé que le hasard ne l'explique parmi les pairs",
        "lower": "Plus bas que le hasard ne l'explique parmi les pairs",
        "too few": "Trop peu de {many} pour une comparaison avec les pairs",
    },
}
_NUMBERS: dict[Language, tuple[str, ...]] = {
    "en": ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    "fr": ("aucun", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"),
}


@dataclass(frozen=True, kw_only=True)
class Said:
    """The words of a page: its first sentence, the line under it, and the heading and text of each chart."""

    sentence: str
    under: str
    funnel_title: str
    funnel_text: str
    chart_title: str
    chart_text: str


@dataclass(frozen=True, kw_only=True)
class Measure:
    """In what a rate is told, and of what: a share of births in percent, or deaths per 1,000; of cards, of cycles.

    Attributes:
        per: 100 or 1,000.
        many, many_fr: what is counted, as a plural.
    """

    per: int = 100
    many: str = "births"
    many_fr: str = "naissances"

    def of(self, language: Language) -> str:
        """`births`."""
        return self.many if language == "en" else self.many_fr

    def rate(self, share: float, language: Language) -> str:
        """`26.3%`, or `3.5 per 1,000`."""
        if self.per == _PERCENT:
            return percent(share, language)
        return f"{self.figure(share, language)} {self.unit(language)}"

    def figure(self, share: float, language: Language) -> str:
        """The same where its unit stands beside it: `26.3%`, `3.5`."""
        if self.per == _PERCENT:
            return percent(share, language)
        told = f"{self.per * share:.1f}"
        return told if language == "en" else told.replace(".", ",")

    def unit(self, language: Language) -> str:
        """`per 1,000`; "" where the percent sign says it."""
        if self.per == _PERCENT:
            return ""
        return f"{'per' if language == 'en' else 'pour'} {number(self.per, language)}"


_PERCENT = 100
BIRTHS = Measure()


def say(comparison: Comparison, language: Language = "en", measure: Measure = BIRTHS) -> Said:
    """What the comparison found."""
    own = comparison.own
    english = language == "en"
    if not own.denominator:
        sentence = "There is nothing to compare." if english else "Il n'y a rien à comparer."
        under = ""
    else:
        sentence = (
            f"{measure.rate(own.numerator / own.denominator, language)}. {_found(comparison, language, measure)}."
        )
        many, births = measure.of(language), number(own.denominator, language)
        counted = number(own.numerator, language)
        under = f"{counted} of {births} {many}." if english else f"{counted} {many} sur {births}."
        if comparison.chart is not None and comparison.chart.shift is not None:
            under += " " + _why(comparison.chart, comparison.chart.shift, language, measure)
    return Said(
        sentence=sentence,
        under=under,
        funnel_title=_funnel_title(comparison, language, measure),
        funnel_text=_funnel_text(comparison.funnel, comparison.hidden, language, measure),
        chart_title=_chart_title(comparison.chart, language),
        chart_text=_chart_text(comparison.chart, language, measure),
    )


def percent(share: float, language: Language = "en") -> str:
    """`26.3%`, in French `26,3 %` with a space that does not break."""
    figure = f"{100 * share:.1f}"
    return f"{figure}%" if language == "en" else figure.replace(".", ",") + "\u00a0%"


def number(value: int, language: Language = "en") -> str:
    """`2,663`, in French `2 663` with a space that does not break."""
    return f"{value:,}" if language == "en" else f"{value:,}".replace(",", "\u00a0")


def when(point: str, language: Language = "en") -> str:
    """`March 2026` for 2026-03; a quarter or a year as it is."""
    year, _, part = point.partition("-")
    return f"{_MONTHS[language][int(part) - 1]} {year}" if part.isdecimal() and 1 <= int(part) <= 12 else point


def _found(comparison: Comparison, language: Language, measure: Measure) -> str:
    """How it stands among peers and what changed; where there are too few peers, the change first."""
    drawn, change = comparison.funnel, _change(comparison.chart, language)
    if drawn is not None and drawn.own is not None:
        stands = _STANDS[language][drawn.own.stands].format(many=measure.of(language))
        return f"{stands}, {_AND[language]} {change}"
    few = (
        "There are too few peers to say how it stands among them"
        if language == "en"
        else "Il y a trop peu de pairs pour dire comment il se situe parmi eux"
    )
    return f"{change[0].upper()}{change[1:]}. {few}"


def _change(drawn: Chart | None, language: Language) -> str:
    english = language == "en"
    if drawn is None:
        return "too few months to see a change" if english else "trop peu de mois pour voir un changement"
    if drawn.shift is None:
        return "no change that chance does not explain" if english else "aucun changement que le hasard n'explique"
    since = when(drawn.shift.since, language)
    way = _way(drawn.shift, language)
    if drawn.shift.rule is Rule.BEYOND:
        return f"{way} in {since} than chance explains" if english else f"{way} en {since} que par hasard"
    return f"truly {way} since {since}" if english else f"réellement {way} depuis {since}"


def _way(shift: Shift, language: Language) -> str:
    if language == "en":
        return "higher" if shift.higher else "lower"
    return "plus élevé" if shift.higher else "plus bas"


def _why(drawn: Chart, shift: Shift, language: Language, measure: Measure) -> str:
    """What the rule saw, against which yardstick, and how often chance alone does that."""
    centre = measure.rate(drawn.centre, language)
    once = number(shift.rule.once_in * 2, language)  # this way, up or down: half of what the rule sees by chance
    count = _count(shift.points, language)
    if language == "en":
        side = "above" if shift.higher else "below"
        saw = {
            Rule.EIGHT: f"{count} points in a row lie {side} your frozen baseline of {centre}",
            Rule.SIX: f"{count} points in a row {'rise' if shift.higher else 'fall'}; your frozen baseline is {centre}",
            Rule.BEYOND: f"One point lies {side} the limits of chance round your frozen baseline of {centre}",
            Rule.TWO_OF_THREE: f"Two of three points lie far {side} your frozen baseline of {centre}",
        }[shift.rule]
        return f"{saw[0].upper()}{saw[1:]}: at a given point chance alone does that about once in {once} times."
    side = "au-dessus" if shift.higher else "au-dessous"
    saw = {
        Rule.EIGHT: f"{count} points de suite sont {side} de votre période de référence figée ({centre})",
        Rule.SIX: f"{count} points de suite {'montent' if shift.higher else 'descendent'}; référence figée : {centre}",
        Rule.BEYOND: f"Un point est {side} des limites du hasard autour de votre référence figée ({centre})",
        Rule.TWO_OF_THREE: f"Deux points sur trois sont loin {side} de votre référence figée ({centre})",
    }[shift.rule]
    return f"{saw[0].upper()}{saw[1:]} : à un point donné, le hasard seul fait cela environ une fois sur {once}."


def _count(value: int, language: Language) -> str:
    return _NUMBERS[language][value] if value < len(_NUMBERS[language]) else number(value, language)


def _funnel_title(comparison: Comparison, language: Language, measure: Measure) -> str:
    peers = number(comparison.peer_count, language)
    drawn = comparison.funnel
    english = language == "en"
    if drawn is None or drawn.own is None:
        return "Among peers: too few to say" if english else "Parmi les pairs : trop peu pour le dire"
    short: dict[Stands, tuple[str, str]] = {
        "expected": ("as expected", "comme attendu"),
        "higher": ("higher than chance explains", "plus élevé que par hasard"),
        "lower": ("lower than chance explains", "plus bas que par hasard"),
        "too few": (f"too few {measure.many} to say", f"trop peu de {measure.many_fr}"),
    }
    words = short[drawn.own.stands][0 if english else 1]
    return f"Among {peers} other peers: {words}" if english else f"Parmi {peers} autres pairs : {words}"


def _funnel_text(drawn: Funnel | None, hidden: int, language: Language, measure: Measure) -> str:
    english = language == "en"
    if drawn is None:
        return (
            "A mean of so few places would be one or two of them."
            if english
            else "La moyenne de si peu d'établissements serait celle d'un ou deux d'entre eux."
        )
    band = (
        f"Each point is a place of care at its number of {measure.many}. Inside the band, chance can explain a"
        " difference."
        if english
        else f"Chaque point est un établissement, selon son nombre de {measure.many_fr}. Dans la bande, le hasard peut"
        " expliquer une différence."
    )
    words = [band]
    if drawn.dispersion > 1:
        words.append(
            "Peers differ by more than chance for many reasons, so the band is wider for all."
            if english
            else "Les pairs diffèrent plus que par hasard pour bien des raisons; la bande est donc élargie pour tous."
        )
    if hidden:
        words.append(
            f"{number(hidden)} {'peer is' if hidden == 1 else 'peers are'} not drawn: a small number would show."
            if english
            else f"{number(hidden, 'fr')} {'pair reste caché' if hidden == 1 else 'pairs restent cachés'} :"
            " un petit nombre se verrait."
        )
    return " ".join(words)


def _chart_title(drawn: Chart | None, language: Language) -> str:
    english = language == "en"
    if drawn is None:
        return "Over time: too few to say" if english else "Dans le temps : trop peu pour le dire"
    if drawn.shift is None:
        return "Over time: no change beyond chance" if english else "Dans le temps : aucun changement au-delà du hasard"
    since, way = when(drawn.shift.since, language), _way(drawn.shift, language)
    if drawn.shift.rule is Rule.BEYOND:
        return f"Over time: {way} in {since}" if english else f"Dans le temps : {way} en {since}"
    return f"Over time: {way} since {since}" if english else f"Dans le temps : {way} depuis {since}"


def _chart_text(drawn: Chart | None, language: Language, measure: Measure) -> str:
    english = language == "en"
    if drawn is None:
        return (
            f"A baseline needs twelve points with at least ten {measure.many} each, and one more to compare."
            if english
            else f"Il faut douze points d'au moins dix {measure.many_fr} pour la référence, et un de plus à comparer."
        )
    first, last = when(drawn.first, language), when(drawn.last, language)
    words = (
        f"Your share at each point. The middle is frozen from {first} to {last}; dashed lines are the limits of chance"
        f" for that point's {measure.many}."
        if english
        else f"Votre part à chaque point. Le milieu est figé de {first} à {last}; les tirets sont les limites du hasard"
        f" pour les {measure.many_fr} de ce point."
    )
    if drawn.widened > 1:
        words += (
            " They are wider than chance alone, as wide as the baseline itself swings."
            if english
            else " Elles sont plus larges que le hasard seul, autant que la référence varie elle-même."
        )
    return words
