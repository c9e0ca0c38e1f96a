"""Which further cells must be hidden, so that nothing hidden can be computed from the sums that are published.

Pure, and no list of rules but a proof each time: for every small count that is hidden, another table is found that
agrees with everything published and with everything a reader knows of the rules, and has another count in that cell.
Where none is found, one more cell is hidden. The search is a heuristic; what it finds is checked, so it can hide too
much and never too little.

A reader is taken to know which cells are hidden because they are small (so that they lie between 1 and threshold - 1)
and which for the sake of others (so that they do not). Which cell goes for the sake of others hangs on its place in the
table and not on its count: a count chosen by its size would be told by being chosen.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from itertools import combinations
from math import lcm
from typing import Generic, TypeVar

from swaddle.indicators.cells import Cell, Policy, unsafe

Key = TypeVar("Key", bound=Hashable)
Move = dict[Key, int]

LEAST_POSSIBLE = 3  # a hidden count has at least so many possible values, whatever a reader knows
_NEIGHBOURS = 12  # with so many of its kind each cell is exchanged
_MOST_BASIS = 40  # beyond so many vectors pairs of them are no longer tried


@dataclass(frozen=True)
class Box:
    """A count, and between which bounds a reader knows it to be; `high` None where nothing bounds it."""

    value: int
    low: int
    high: int | None


def moves(sums: Collection[Collection[Key]], cells: Sequence[Key]) -> list[Move[Key]]:
    """Whole-number changes of `cells` that leave every one of `sums` as it is: a basis of them, and sums of two."""
    alike = _alike(sums, cells)
    # Cells that are in the same sums can be exchanged with each other; beside that, one of each kind stands for all.
    some = cells if len(cells) <= _MOST_BASIS else [same[0] for same in alike]
    basis = _null_vectors(_reduced([[Fraction(key in one) for key in some] for one in sums]), len(some))
    found = [{some[place]: step for place, step in enumerate(vector) if step} for vector in basis]
    found += [
        {one: 1, same[(place + step) % len(same)]: -1}
        for same in alike
        for step in range(1, min(_NEIGHBOURS, len(same) - 1) + 1)
        for place, one in enumerate(same)
    ]
    if len(basis) <= _MOST_BASIS:
        for first, second in combinations(basis, 2):
            for sign in (1, -1):
                both = {
                    some[place]: one + sign * other
                    for place, (one, other) in enumerate(zip(first, second, strict=True))
                    if one + sign * other
                }
                found.append(both)
    return found


def _alike(sums: Collection[Collection[Key]], cells: Sequence[Key]) -> list[list[Key]]:
    """The cells, put together that are in the same sums."""
    found: dict[tuple[bool, ...], list[Key]] = {}
    for key in cells:
        found.setdefault(tuple(key in one for one in sums), []).append(key)
    return list(found.values())


def _reduced(rows: list[list[Fraction]]) -> list[list[Fraction]]:
    """Reduced row echelon form; rows of zeros left out."""
    done = 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((at for at in range(done, len(rows)) if rows[at][column]), None)
        if pivot is None:
            continue
        rows[done], rows[pivot] = rows[pivot], rows[done]
        lead = rows[done][column]
        rows[done] = [value / lead for value in rows[done]]
        for at, row in enumerate(rows):
            if at != done and row[column]:
                times = row[column]
                rows[at] = [value - times * top for value, top in zip(row, rows[done], strict=True)]
        done += 1
    return rows[:done]


def _null_vectors(rows: list[list[Fraction]], width: int) -> list[list[int]]:
    pivots = [next(place for place, value in enumerate(row) if value) for row in rows]
    vectors = []
    for free in range(width):
        if free in pivots:
            continue
        vector = [Fraction(0)] * width
        vector[free] = Fraction(1)
        for row, pivot in zip(rows, pivots, strict=True):
            vector[pivot] = -row[free]
        scale = lcm(*(value.denominator for value in vector))
        vectors.append([int(value * scale) for value in vector])
    return vectors


def possible(target: Key, boxes: Mapping[Key, Box], found: Iterable[Move[Key]]) -> int:
    """How many values of a cell one move proves possible, at least; 1 where none moves it."""
    most = 1
    for move in found:
        if move.get(target):
            most = max(most, 1 + _room(move, boxes, 1) + _room(move, boxes, -1))
    return most


def _room(move: Move[Key], boxes: Mapping[Key, Box], sign: int) -> int:
    """How many times a move can be made before a cell leaves its box."""
    rooms = []
    for key, step in move.items():
        box, by = boxes[key], sign * step
        if by < 0:
            rooms.append((box.value - box.low) // -by)
        elif box.high is not None:
            rooms.append((box.high - box.value) // by)
    # A move that no box bounds has as much room as one may want.
    return min(rooms, default=LEAST_POSSIBLE)


def unions(sums: Collection[Collection[Key]], cells: Sequence[Key]) -> list[frozenset[Key]]:
    """Sets of cells whose sum everybody can compute from `sums`: each of them, and what elimination leaves of them."""
    parts = [frozenset(cells) & frozenset(one) for one in sums]
    rows = _reduced([[Fraction(key in one) for key in cells] for one in parts])
    plain = [row for row in rows if all(value in {0, 1} for value in row)]
    left = [frozenset(key for key, value in zip(cells, row, strict=True) if value) for row in plain]
    nested = [large - small for large in parts for small in parts if small < large]
    return list(dict.fromkeys(one for one in (*parts, *left, *nested) if one))


@dataclass(frozen=True)
class System(Generic[Key]):
    """One kind of count over the hidden cells, and the cells in which it must not be found out."""

    boxes: Mapping[Key, Box]
    targets: frozenset[Key]

    def bare(self, found: Sequence[Move[Key]]) -> list[Key]:
        """The targets for which no move proves that other values are possible."""
        return [
            key for key in self.boxes if key in self.targets and possible(key, self.boxes, found) < self._least(key)
        ]

    def _least(self, key: Key) -> int:
        box = self.boxes[key]
        return LEAST_POSSIBLE if box.high is None else min(LEAST_POSSIBLE, box.high - box.low + 1)


def conceal(
    cells: Mapping[Key, Cell],
    sums: Sequence[frozenset[Key]],
    *,
    policy: Policy,
    shared: Cell | None = None,
    also: Collection[Key] = (),
) -> set[Key] | None:
    """The cells to hide when `sums` are published; None where no hiding of cells is enough.

    Args:
        cells: in an order in which neighbours are alike.
        sums: sets of cells whose sums are published, each safe in itself.
        policy: what is too few.
        shared: the total, when each cell has its denominator and only numerators add up.
        also: cells that are hidden for another reason.
    """
    few = {key for key, cell in cells.items() if unsafe(cell, policy.threshold, policy.zeros)}
    demanded = {key for key in cells if key in policy.withheld} | set(also)
    hidden = few | demanded
    while hidden:
        inside = [key for key in cells if key in hidden]
        within = [one & hidden for one in sums]
        systems = _systems(cells, inside, few, demanded, policy, shared)
        found = moves(within, inside)
        told = next((one for one in unions(within, inside) if _tells(one, cells, policy, shared, few)), None)
        bare = [key for system in systems for key in system.bare(found)]
        if told is None and not bare:
            return hidden
        aim = min((told or set(bare)), key=lambda key: (key not in few, inside.index(key)))
        if (more := _another(aim, cells, sums, hidden)) is None:
            return None
        hidden.add(more)
    return hidden


def gives_away(cells: Mapping[Key, Cell], sums: Sequence[frozenset[Key]], policy: Policy) -> bool:
    """Could somebody who was told `sums`, and nothing of any single cell, find out a small count by them?"""
    few = {key for key, cell in cells.items() if unsafe(cell, policy.threshold, policy.zeros)}
    inside = list(cells)
    found = moves(sums, inside)
    if any(system.bare(found) for system in _systems(cells, inside, few, (), policy, None)):
        return True
    return any(_tells(one, cells, policy, None, cells) for one in unions(sums, inside))


def _tells(
    union: Collection[Key], cells: Mapping[Key, Cell], policy: Policy, shared: Cell | None, few: Collection[Key]
) -> bool:
    """Is the sum of these hidden cells, which everybody can compute, something of a few itself?"""
    together = reduce(Cell.plus, (cells[key] for key in union))
    if shared is not None:
        together = replace(together, denominator=shared.denominator)
    return unsafe(together, policy.threshold, policy.zeros) and any(key in few for key in union)


def _systems(
    cells: Mapping[Key, Cell],
    inside: Sequence[Key],
    few: Collection[Key],
    demanded: Collection[Key],
    policy: Policy,
    shared: Cell | None,
) -> list[System[Key]]:
    """What a reader knows of the hidden numerators, and of the hidden complements where these add up as well."""
    whole = shared.denominator if shared is not None else None
    counted = {key: _box(cells[key].numerator, cells[key], key in few, policy, whole) for key in inside}
    systems = [System(counted, frozenset(key for key in inside if counted[key].high is not None or key in demanded))]
    if shared is None:
        rest = {key: _box(cells[key].complement, cells[key], key in few, policy, None) for key in inside}
        systems.append(System(rest, frozenset(key for key in inside if rest[key].high is not None or key in demanded)))
    return systems


def _box(count: int, cell: Cell, is_few: bool, policy: Policy, whole: int | None) -> Box:
    """A count with what the rules tell of it: few or its rest few, or hidden for others' sake and so not few."""
    most, least = policy.threshold - 1, 0 if policy.zeros == "hide" else 1
    if not is_few:
        return Box(count, policy.threshold if count >= policy.threshold else 0, None)
    if least <= count <= most:
        return Box(count, least, most)
    if whole is not None and least <= whole - count <= most:
        return Box(count, whole - most, whole - least)
    if cell.denominator <= most:
        return Box(count, 0, most)
    return Box(count, 0, None)


def _another(
    aim: Key, cells: Mapping[Key, Cell], sums: Sequence[frozenset[Key]], hidden: Collection[Key]
) -> Key | None:
    """The next cell to hide for the sake of `aim`: by its place, never by its count.

    First where it closes most sums that have but one hidden cell (the corner of a rectangle), then the nearest in the
    order of the table.
    """
    open_sums = [one for one in sums if any(key not in hidden for key in one)]
    touching = [one for one in open_sums if aim in one] or [one for one in open_sums if one & set(hidden)]
    if not touching:
        return None
    single = [one for one in open_sums if len(one & set(hidden)) == 1]
    reach = single or touching
    places = {key: place for place, key in enumerate(cells)}
    candidates = [key for key in cells if key not in hidden and any(key in one for one in reach)]

    def rank(key: Key) -> tuple[int, bool, int, int]:
        closes = sum(key in one for one in single)
        empty = not cells[key].numerator or not cells[key].denominator
        return -closes, empty, abs(places[key] - places[aim]), places[key]

    return min(candidates, key=rank)
