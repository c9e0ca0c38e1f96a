"""What may be said about other hospitals without saying it about a few of their patients.

Pure, and the only gate: every figure about others leaves as a `Released`, which nothing but this file can make. A count
of 1 to threshold - 1 is hidden, and so is its complement, the rate and the interval: each gives the count away. A table
is then closed against subtraction (suppression.py proves it). What was told before, of the same births or of a part of
them, is compared by remembered.py.

A submitter's own figures pass in full, through `in_full`: they are its patients.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import InitVar, dataclass, replace
from functools import reduce

from swaddle.errors import OurBug
from swaddle.indicators.cells import DEFAULT, THRESHOLD, Cell, Policy, ThresholdTooLow, small, unsafe
from swaddle.indicators.suppression import conceal

__all__ = [
    "HIDDEN",
    "THRESHOLD",
    "Cell",
    "NotThroughTheGate",
    "Policy",
    "Released",
    "ThresholdTooLow",
    "again",
    "close_differences",
    "close_pairs",
    "in_full",
    "release",
    "small",
    "suppress",
    "suppress_cross",
    "unsafe",
    "without_unknown",
]

_SEAL = object()


class NotThroughTheGate(OurBug):
    """Somebody made a figure about others without asking what may be shown of it."""

    code = "SWD-IND-03"
    what = "a figure about others was not released"
    why = "only swaddle.indicators.disclosure says what may be shown"
    fix = "report this with the code above; nothing was shown"


@dataclass(frozen=True, kw_only=True)
class Released:
    """What may be shown of a cell; hidden figures are None, so that no template can show them by mistake.

    Raises:
        NotThroughTheGate: made anywhere but in this file, or copied with other figures.
    """

    numerator: int | None
    denominator: int | None
    unknown: int | None
    suppressed: bool
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise NotThroughTheGate


HIDDEN = Released(numerator=None, denominator=None, unknown=None, suppressed=True, seal=_SEAL)


def in_full(cell: Cell) -> Released:
    """A submitter's own figures, for that submitter: in full."""
    return Released(
        numerator=cell.numerator, denominator=cell.denominator, unknown=cell.unknown, suppressed=False, seal=_SEAL
    )


def without_unknown(shown: Released) -> Released:
    """The same without its unknowns, where they would be a difference."""
    return replace(shown, unknown=None, seal=_SEAL)


def release(cell: Cell, threshold: int = THRESHOLD, *, policy: Policy | None = None) -> Released:
    """One cell on its own, for a table without groups."""
    rules = policy or Policy(threshold=threshold)
    if unsafe(cell, rules.threshold, rules.zeros):
        return HIDDEN
    return Released(
        numerator=_rounded(cell.numerator, rules.rounding),
        denominator=_rounded(cell.denominator, rules.rounding),
        unknown=None if small(cell.unknown, rules.threshold) else _rounded(cell.unknown, rules.rounding),
        suppressed=False,
        seal=_SEAL,
    )


def _rounded(count: int, to: int) -> int:
    return (2 * count + to) // (2 * to) * to


def suppress(
    total: Cell,
    groups: Mapping[str, Cell],
    *,
    margins: Iterable[Collection[str]] = (),
    threshold: int = THRESHOLD,
    policy: Policy | None = None,
) -> tuple[Released, dict[str, Released]]:
    """What may be shown of a table about others.

    Args:
        total: the margin of all groups.
        groups: cells whose numerators add up to the total's, in an order in which neighbours are alike. Their
            denominators add up too, or each has the total's.
        margins: further sets of groups whose sum is published elsewhere (Robson 1, 2a and 2b are the NTSV births).
        threshold: the smallest count shown, where there is no policy.
        policy: what the registry hides.

    Raises:
        ThresholdTooLow: `threshold` under 3 leaves single persons in view.
    """
    rules = policy or Policy(threshold=threshold)
    if unsafe(total, rules.threshold, rules.zeros):
        return HIDDEN, dict.fromkeys(groups, HIDDEN)
    everything = frozenset(groups)
    sums = [everything]
    for margin in margins:
        part = everything & frozenset(margin)
        sums += [part, everything - part]  # a published part gives its complement by subtraction
    shared = total if groups and all(cell.denominator == total.denominator for cell in groups.values()) else None
    hidden = conceal(groups, [one for one in dict.fromkeys(sums) if one], policy=rules, shared=shared)
    if hidden is None:
        return HIDDEN, dict.fromkeys(groups, HIDDEN)
    shown = {name: HIDDEN if name in hidden else release(cell, policy=rules) for name, cell in groups.items()}
    if hidden or any(cell.unknown is None for cell in shown.values()):
        # Unknowns add up to the total's as well: one that is missing from the column would be the difference.
        shown = {name: HIDDEN if cell.suppressed else without_unknown(cell) for name, cell in shown.items()}
    return release(total, policy=rules), shown


def suppress_cross(
    cells: Mapping[tuple[str, str], Cell], *, policy: Policy = DEFAULT
) -> tuple[Released, dict[str, Released], dict[str, Released], dict[tuple[str, str], Released]]:
    """A table of two ways with both its margins: (total, by row, by column, cells).

    Where a margin is hidden, its whole row or column is: what stands there would add up to it.
    """
    rows = _margin(cells, 0)
    columns = _margin(cells, 1)
    total = _sum(rows.values())
    shown_total, by_row = suppress(total, rows, policy=policy)
    _, by_column = suppress(total, columns, policy=policy)
    everything = frozenset(cells)
    sums = [everything]
    for place, margin in ((0, by_row), (1, by_column)):
        sums += [
            frozenset(key for key in cells if key[place] == name) for name, c in margin.items() if not c.suppressed
        ]
    closed = {
        key
        for key, cell in cells.items()
        if cell.denominator and (by_row[key[0]].suppressed or by_column[key[1]].suppressed)
    }
    hidden = None if shown_total.suppressed else conceal(cells, sums, policy=policy, also=closed)
    if hidden is None:  # the margins are closed in themselves; of the cells nothing can be shown
        return shown_total, by_row, by_column, dict.fromkeys(cells, HIDDEN)
    inner = {key: HIDDEN if key in hidden else without_unknown(release(c, policy=policy)) for key, c in cells.items()}
    return shown_total, by_row, by_column, inner


def _margin(cells: Mapping[tuple[str, str], Cell], place: int) -> dict[str, Cell]:
    names = dict.fromkeys(key[place] for key in cells)
    return {name: _sum(cell for key, cell in cells.items() if key[place] == name) for name in names}


def _sum(cells: Iterable[Cell]) -> Cell:
    return reduce(Cell.plus, cells, Cell(numerator=0, denominator=0))


def close_pairs(
    pairs: Iterable[tuple[str, str, bool]],
    whole: Mapping[str, Cell],
    shown: Mapping[str, Released],
    *,
    policy: Policy = DEFAULT,
) -> dict[str, Released]:
    """Hide what two published totals, one inside the other, would tell by subtraction.

    All births less live births are the stillbirths; caesareans less caesareans of first births are the others. A
    difference of 1 to threshold - 1 is a small number that nobody published.

    Args:
        pairs: (wider, narrower, whether both count the same event), known without looking at a count.
        whole: the counts.
        shown: what is shown of each so far.
        policy: what is too few.
    """
    kept = dict(shown)
    for wider, narrower, same_event in pairs:
        outer, inner = whole[wider], whole[narrower]
        if kept[wider].suppressed or kept[narrower].suppressed:
            continue
        births = [outer.denominator - inner.denominator, outer.denominator + outer.unknown - inner.denominator]
        events = [outer.numerator - inner.numerator, outer.complement - inner.complement] if same_event else []
        if any(small(abs(apart), policy.threshold) for apart in (*births, *events)):
            kept[narrower] = HIDDEN
        elif small(abs(sum((outer.denominator, outer.unknown, -inner.denominator, -inner.unknown))), policy.threshold):
            kept[narrower] = without_unknown(kept[narrower])
    return kept


def again(kept: Mapping[str, int | None]) -> Released:
    """A figure as it was released before, from where it was kept since; nothing else is read back here."""
    if kept["numerator"] is None:
        return HIDDEN
    return Released(
        numerator=kept["numerator"],
        denominator=kept["denominator"],
        unknown=kept["unknown"],
        suppressed=False,
        seal=_SEAL,
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
                kept[name] = without_unknown(inner)
        wider.append(name)
    return kept
