"""The one sentence an indicator opens with, and the words beside its numbers.

Pure. A difference is called only when chance does not explain it; nothing is called good or bad.
"""

from __future__ import annotations

from swaddle.indicators.compare import LEAST_TO_COMPARE, Difference
from swaddle.indicators.definitions import FIELDS, Definition
from swaddle.indicators.disclosure import Cell
from swaddle.indicators.results import IndicatorRow, Unanswered
from swaddle.indicators.robson import GROUPS


def percent(share: float) -> str:
    """`9.8%`: one decimal, as every share on a page."""
    return f"{100 * share:.1f}%"


def fields_in_words(names: tuple[str, ...]) -> str:
    """`position of the baby and earlier caesareans`."""
    words = [FIELDS.get(name, name) for name in names]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def unanswerable(births: int, unanswered: tuple[Unanswered, ...]) -> str:
    """Why there is no answer."""
    if not births:
        return "None of your births are in the registry yet."
    everywhere = [name for name in unanswered[0].fields if all(name in source.fields for source in unanswered)]
    return f"Not answerable from this layout: it does not carry {fields_in_words(tuple(everywhere))}."


def sentence(
    definition: Definition,
    own: Cell,
    others: IndicatorRow | None,
    difference: Difference | None,
    largest: tuple[str, float] | None,
) -> str:
    """What the indicator found for this submitter.

    Args:
        definition: whose words to use.
        own: the submitter's own total.
        others: the others' total, if there are others.
        difference: how the two stand, None when they cannot be compared.
        largest: Robson group with the largest part of the caesareans, and that part.
    """
    if own.denominator == 0:
        return "None of your births could be placed: what is asked was not answered."
    if own.denominator < LEAST_TO_COMPARE:
        births = "birth" if own.denominator == 1 else "births"
        return f"{own.numerator} of {own.denominator} {births}: too few to read a share from."
    opening = f"{percent(own.numerator / own.denominator)} {definition.says}"
    if largest and own.numerator:
        opening += (
            f"; the largest part of them, {percent(largest[1])}, is group {largest[0]} ({_lower(GROUPS[largest[0]])})"
        )
    return f"{opening}. {_beside(others, difference)}"


def _lower(label: str) -> str:
    return label[0].lower() + label[1:]


def _beside(others: IndicatorRow | None, difference: Difference | None) -> str:
    if others is None or others.denominator == 0:
        return "No other hospital has births of these years yet."
    if others.suppressed or others.rate is None:
        return "The other hospitals' figure is hidden, because it would show a small number."
    theirs = f"the other hospitals' {percent(others.rate)}"
    match difference:
        case "higher":
            return f"Higher than {theirs}, and by more than chance explains."
        case "lower":
            return f"Lower than {theirs}, and by more than chance explains."
        case "alike":
            return f"Beside {theirs}, chance can explain the difference."
        case _:
            return f"There are too few births to compare it with {theirs}."
