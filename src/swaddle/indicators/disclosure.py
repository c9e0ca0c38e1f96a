"""What may be said about other hospitals without saying it about a few of their patients.

Pure. Every figure about others passes `suppress`; nothing else makes a row about them. A count of 1 to threshold - 1 is
hidden, and so is its complement, the rate and the interval: each gives the count away. A group table is then closed
against subtraction: where what is hidden can be computed from a published margin, or adds up to something that would
itself be hidden, further groups are hidden until it cannot.

Not covered here, and said in docs/indicators.md: two reports of different days, subtracted from each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

from swaddle.errors import OurBug

THRESHOLD = 6  # counts of 1 to 5 are hidden: the habit of Ontario; settable, no verified source


class ThresholdTooLow(OurBug):
    """A threshold that hides nothing was asked for."""

    code = "SWD-IND-02"
    what = "the threshold for small numbers is too low"
    fix = "use 3 or more; 6 is the default"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One count: births that count, births that could have counted, and births that could not be placed."""

    numerator: int
    denominator: int
    unknown: int = 0

    def plus(self, other: Cell) -> Cell:
        """Both together."""
        return Cell(
            numerator=self.numerator + other.numerator,
            denominator=self.denominator + other.denominator,
            unknown=self.unknown + other.unknown,
        )


@dataclass(frozen=True, kw_only=True)
class Released:
    """What may be shown of a cell; hidden figures are None, so that no template can show them by mistake."""

    numerator: int | None
    denominator: int | None
    unknown: int | None
    suppressed: bool


HIDDEN = Released(numerator=None, denominator=None, unknown=None, suppressed=True)


def small(count: int, threshold: int = THRESHOLD) -> bool:
    """Is this a count that could point at somebody? Nobody (0) is not small."""
    return 0 < count < threshold


def unsafe(cell: Cell, threshold: int = THRESHOLD) -> bool:
    """Does this cell say something of a few: its count, its complement, or the whole of it?"""
    return (
        small(cell.numerator, threshold)
        or small(cell.denominator - cell.numerator, threshold)
        or small(cell.denominator, threshold)
    )


def suppress(
    total: Cell,
    groups: Mapping[str, Cell],
    *,
    margins: Iterable[Collection[str]] = (),
    threshold: int = THRESHOLD,
) -> tuple[Released, dict[str, Released]]:
    """What may be shown of a table about others.

    Args:
        total: the margin of all groups.
        groups: cells whose numerators add up to the total's. Their denominators add up too, or each has the total's.
        margins: further sets of groups whose sum is published elsewhere (Robson 1, 2a and 2b are the NTSV births).
        threshold: the smallest count shown.

    Raises:
        ThresholdTooLow: `threshold` under 3 leaves single persons in view.
    """
    if threshold < 3:
        raise ThresholdTooLow("below 3 a count of one person would be shown")
    if unsafe(total, threshold):
        return HIDDEN, dict.fromkeys(groups, HIDDEN)
    hidden: set[str] = {name for name, cell in groups.items() if unsafe(cell, threshold)}
    everything = frozenset(groups)
    sums = {everything}
    for margin in margins:
        part = everything & frozenset(margin)
        sums |= {part, everything - part}  # a published part gives its complement by subtraction
    shared = bool(groups) and all(cell.denominator == total.denominator for cell in groups.values())
    closing = True
    while closing:
        closing = False
        for members in sorted((s for s in sums if s), key=sorted):
            if not _gives_away(groups, members & hidden, total if shared else None, len(members), threshold):
                continue
            if members <= hidden:  # nothing left to hide in this part: its sum may not be published either
                return HIDDEN, dict.fromkeys(groups, HIDDEN)
            hidden.add(_least_missed(groups, members - hidden))
            closing = True
    shown = {name: HIDDEN if name in hidden else release(cell, threshold) for name, cell in groups.items()}
    if hidden or any(cell.unknown is None for cell in shown.values()):
        # Unknowns add up to the total's as well: one that is missing from the column would be the difference.
        shown = {name: replace(cell, unknown=None) for name, cell in shown.items()}
    return release(total, threshold), shown


def _gives_away(
    groups: Mapping[str, Cell], concealed: Collection[str], shared: Cell | None, members: int, threshold: int
) -> bool:
    """Can the concealed groups of a published sum be computed, or is their own sum a small number?"""
    if not concealed:
        return False
    together = reduce(Cell.plus, (groups[name] for name in concealed))
    if shared is not None:
        together = replace(together, denominator=shared.denominator)
    return (len(concealed) == 1 and members > 1) or unsafe(together, threshold)


def _least_missed(groups: Mapping[str, Cell], shown: Collection[str]) -> str:
    """The smallest group that is not empty: an empty one hides nothing, a large one would cost the reader most."""
    return min(shown, key=lambda name: (groups[name].numerator == 0, _weight(groups[name]), name))


def _weight(cell: Cell) -> tuple[int, int]:
    return cell.denominator, cell.numerator


def release(cell: Cell, threshold: int = THRESHOLD) -> Released:
    """One cell on its own, for a table without groups."""
    if unsafe(cell, threshold):
        return HIDDEN
    return Released(
        numerator=cell.numerator,
        denominator=cell.denominator,
        unknown=None if small(cell.unknown, threshold) else cell.unknown,
        suppressed=False,
    )


def close_differences(
    nested: Iterable[tuple[str, Cell]], shown: Mapping[str, Released], threshold: int = THRESHOLD
) -> dict[str, Released]:
    """Hide what two published totals, one inside the other, would tell by subtraction.

    All births less live births are the stillbirths; live births less live singletons are the twins. A difference of 1
    to threshold - 1 is a small number that nobody published.

    Args:
        nested: (name, whole cell) from the widest population to the narrowest, each inside all before it.
        shown: what is shown of each so far.
        threshold: the smallest difference left in view.
    """
    kept = dict(shown)
    wider: list[str] = []
    whole = {}
    for name, cell in nested:
        whole[name] = cell.denominator + cell.unknown
        for outer in wider:
            visible, inner = kept[outer], kept[name]
            if visible.suppressed or visible.unknown is None or inner.suppressed:
                continue
            if small(whole[outer] - cell.denominator, threshold):
                kept[name] = HIDDEN
            elif small(whole[outer] - whole[name], threshold):
                kept[name] = replace(inner, unknown=None)
        wider.append(name)
    return kept
