"""What was told before, and what the next figure would tell beside it.

Pure: the earlier figures are given, and what is told now is given back to be kept. Two ways of subtraction are closed:
over time (the same births, counted again a week later: one more stillbirth is one family's), and over groups (all
hospitals less all but one). A figure that would give a small number away beside an earlier one is not made anew: over
time the earlier one is told again, with its own moment; over groups nothing is told.

One memory stands for one reader and one indicator; what is published to everybody is in every reader's memory. Two
readers who put their own figures together are not covered.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Generic, TypeVar

from swaddle.indicators.cells import DEFAULT, Cell, Policy, small, unsafe
from swaddle.indicators.disclosure import HIDDEN, Released, again, release
from swaddle.indicators.suppression import conceal, gives_away

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class Told(Generic[Key]):
    """One total that was told: of which parts (submitter and year, say), when, and what was counted then."""

    parts: frozenset[Key]
    at: str
    cell: Cell


@dataclass(frozen=True, kw_only=True)
class Table:
    """What was told of one indicator at a moment: the total and the groups, as they were released."""

    at: str
    total: Released
    groups: Mapping[str, Released]
    period: str = ""

    def cells(self) -> dict[str, Released]:
        """Total and groups by name; the total's name is ""."""
        return {"": self.total, **self.groups}

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {"at": self.at, "period": self.period, "total": _kept(self.total),
                "groups": {name: _kept(cell) for name, cell in self.groups.items()}}  # fmt: skip


def from_json(kept: Mapping[str, Any]) -> Table:
    """A table that was told, from where it was kept."""
    return Table(
        at=kept["at"],
        period=kept["period"],
        total=again(kept["total"]),
        groups={name: again(cell) for name, cell in kept["groups"].items()},
    )


def _kept(shown: Released) -> dict[str, int | None]:
    return {"numerator": shown.numerator, "denominator": shown.denominator, "unknown": shown.unknown}


def answer(
    cells: Mapping[Key, Cell],
    parts: frozenset[Key],
    earlier: Sequence[Told[Key]],
    *,
    at: str,
    policy: Policy = DEFAULT,
) -> tuple[Released, Told[Key] | None]:
    """What may be told of the sum of `parts`, and what to remember of it (None where nothing new was told).

    Args:
        cells: every part's own count now.
        parts: what is asked for.
        earlier: everything this reader was told of this indicator, oldest first.
        at: the moment of counting.
        policy: what is too few.
    """
    asked = frozenset(key for key in parts if key in cells)
    if not asked:
        return HIDDEN, None
    now = reduce(Cell.plus, (cells[key] for key in asked))
    same = [one for one in earlier if one.parts == asked]
    if same and any(changed_by_few(one.cell, now, policy.threshold) or one.cell == now for one in same):
        return release(same[-1].cell, policy=policy), None
    if unsafe(now, policy.threshold, policy.zeros):
        return HIDDEN, None
    others = [one for one in earlier if one.parts != asked]
    for one in others:
        inside = asked < one.parts or one.parts < asked
        if inside and changed_by_few(one.cell, now, policy.threshold):
            return HIDDEN, None
    sums = list(dict.fromkeys([*(one.parts for one in others), asked]))
    reached = frozenset[Key]().union(*sums)
    known = {key: cell for key, cell in cells.items() if key in reached}
    if gives_away(known, sums, policy):
        return HIDDEN, None
    return release(now, policy=policy), Told(parts=asked, at=at, cell=now)


def changed_by_few(before: Cell, now: Cell, threshold: int) -> bool:
    """Did a few births, or a few events, come, go or change? Then the change is somebody's."""
    return any(
        small(abs(after - earlier), threshold)
        for earlier, after in (
            (before.numerator, now.numerator),
            (before.complement, now.complement),
            (before.denominator, now.denominator),
        )
    )


def renewed(now: Table, earlier: Sequence[Table], *, threshold: int) -> Table:
    """The table to tell: this one, with the rows as they were told before in which a few came, went or changed.

    What changed is a table itself, and closed as one: where a single row kept its earlier figure, the others and the
    total would give its change away, so another row keeps its own with it. Where the total changed by a few, the whole
    table is told again as it was.
    """
    if not earlier:
        return now
    last = next((one for one in reversed(earlier) if one.period == now.period), None)
    if last is None or set(last.groups) != set(now.groups):
        # Told of another period, or in other groups: repeating it would say something else.
        closed = any(
            _few(now.cells()[name], one.cells().get(name), threshold) for one in earlier for name in now.cells()
        )
        hidden = Table(at=now.at, period=now.period, total=HIDDEN, groups=dict.fromkeys(now.groups, HIDDEN))
        return hidden if closed else now
    few = {
        name for one in earlier for name, cell in now.cells().items() if _few(cell, one.cells().get(name), threshold)
    }
    if "" in few:
        return last
    kept = _closed(now, last, few, threshold) if few else set()
    if kept is None:
        return last
    mixed = now
    if kept:
        groups = {name: last.groups[name] if name in kept else cell for name, cell in now.groups.items()}
        mixed = Table(at=now.at, period=now.period, total=now.total, groups=groups)
    # What is left of the total beside the rows is in hidden rows, and in rows that were not told anew.
    if any(_left_apart(mixed, one, threshold) for one in earlier if set(one.groups) == set(now.groups)):
        return last
    return mixed


def _left_apart(now: Table, before: Table, threshold: int) -> bool:
    """Did what is left of the total beside the rows shown change by a few?"""
    pairs = zip(_left(now), _left(before), strict=False)
    return any(small(abs(after - then), threshold) for after, then in pairs)


def _left(table: Table) -> tuple[int, ...]:
    """The total's events less those of the rows shown, and its complement likewise where these add up too."""
    total = _counts(table.total)
    rows = [cell for shown in table.groups.values() if (cell := _counts(shown)) is not None]
    if total is None or not table.groups:
        return ()
    events = total.numerator - sum(cell.numerator for cell in rows)
    if _are_bands(table):
        return (events,)
    return events, total.complement - sum(cell.complement for cell in rows)


def _are_bands(table: Table) -> bool:
    """Has each row shown the total's own denominator, so that only numerators add up?"""
    return all(cell.denominator in {None, table.total.denominator} for cell in table.groups.values())


def _closed(now: Table, last: Table, few: Collection[str], threshold: int) -> set[str] | None:
    """The groups that keep their earlier figure, so that no small change can be computed; None where none suffice."""
    whole = _change(now.total, last.total)
    if whole is None:
        return None
    changes = {name: _change(cell, last.groups[name]) for name, cell in now.groups.items()}
    known = {name: change for name, change in changes.items() if change is not None}
    if _are_bands(now):
        return conceal(known, [frozenset(known)], policy=Policy(threshold=threshold), shared=whole, also=few)
    # What changed in the groups of which no figure is shown: the rest of the total's change.
    rest = Cell(
        numerator=max(0, whole.numerator - sum(one.numerator for one in known.values())),
        denominator=max(0, whole.denominator - sum(one.denominator for one in known.values())),
    )
    cells = {**known, **({"": rest} if len(known) < len(changes) and rest.numerator <= rest.denominator else {})}
    hidden = conceal(cells, [frozenset(cells)], policy=Policy(threshold=threshold), also=few)
    return None if hidden is None else hidden - {""}


def _change(now: Released, before: Released) -> Cell | None:
    """By how much a figure moved, up or down; None where one of the two is hidden."""
    after, then = _counts(now), _counts(before)
    if after is None or then is None:
        return None
    events = abs(after.numerator - then.numerator)
    return Cell(numerator=events, denominator=events + abs(after.complement - then.complement))


def _few(now: Released, before: Released | None, threshold: int) -> bool:
    after, then = _counts(now), _counts(before)
    if after is None or then is None or before is None:
        return False
    if now.unknown is not None and before.unknown is not None and small(abs(now.unknown - before.unknown), threshold):
        return True
    return changed_by_few(then, after, threshold)


def _counts(shown: Released | None) -> Cell | None:
    if shown is None or shown.numerator is None or shown.denominator is None:
        return None
    return Cell(numerator=shown.numerator, denominator=shown.denominator)
