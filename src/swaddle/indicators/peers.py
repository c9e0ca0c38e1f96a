"""Who is compared with whom: by level of care and by volume, never with a group so small that it names its members.

Pure. The groups of a year are made once, from the volumes of the year before, and stay: a group that changes while its
figures are shown would show by subtraction who came or went.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

FEWEST = 5  # our choice: with four others, one who knows three knows the fourth
VOLUMES = (0, 100, 500, 1000, 2500)  # births a year; each band up to the next one's start. Our choice, settable


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One place of care: its level ("" where nobody said) and its births of the year before."""

    name: str
    level: str
    births: int


@dataclass(frozen=True, kw_only=True)
class PeerGroup:
    """Units that are compared with each other: levels, and births a year from `least` up to under `below`."""

    levels: tuple[str, ...]
    least: int
    below: int | None
    members: frozenset[str]


def groups(units: Iterable[Unit], *, volumes: Sequence[int] = VOLUMES, fewest: int = FEWEST) -> tuple[PeerGroup, ...]:
    """Every unit in exactly one group of at least `fewest` units, as long as there are that many at all.

    A band with too few joins the smaller of its neighbours in the same level; a level with too few joins the level with
    the fewest units; where all together are too few, there is one group of all, and a comparison is not made.

    Raises:
        ValueError: volumes that do not rise from 0, or a unit that comes twice.
    """
    every = sorted(units, key=lambda unit: (unit.level, unit.births, unit.name))
    if len({unit.name for unit in every}) != len(every):
        raise ValueError("a unit comes twice")
    if not volumes or volumes[0] != 0 or any(after <= before for before, after in pairwise(volumes)):
        raise ValueError("volumes rise from 0")
    found: list[PeerGroup] = []
    for levels in _levels(every, fewest):
        inside = [unit for unit in every if unit.level in levels]
        for bands in _joined(
            [[u for u in inside if _band(u.births, volumes) == b] for b in range(len(volumes))], fewest
        ):
            last = bands[-1] + 1
            found.append(
                PeerGroup(
                    levels=levels,
                    least=volumes[bands[0]],
                    below=volumes[last] if last < len(volumes) else None,
                    members=frozenset(u.name for u in inside if _band(u.births, volumes) in bands),
                )
            )
    return tuple(found)


def group_of(name: str, among: Iterable[PeerGroup]) -> PeerGroup | None:
    """The group that a unit is in."""
    return next((group for group in among if name in group.members), None)


def _band(births: int, volumes: Sequence[int]) -> int:
    return max(place for place, least in enumerate(volumes) if births >= least)


def _levels(units: Sequence[Unit], fewest: int) -> list[tuple[str, ...]]:
    """Levels, those of too few units put together with the next smallest."""
    sizes: dict[tuple[str, ...], int] = {}
    for unit in units:
        sizes[unit.level,] = sizes.get((unit.level,), 0) + 1
    while len(sizes) > 1 and min(sizes.values()) < fewest:
        first, second = sorted(sizes, key=lambda levels: (sizes[levels], levels))[:2]
        together = sizes.pop(first) + sizes.pop(second)
        sizes[tuple(sorted({*first, *second}))] = together
    return sorted(sizes)


def _joined(bands: Sequence[Sequence[Unit]], fewest: int) -> list[list[int]]:
    """Neighbouring bands put together until each set has enough units."""
    sets = [[place] for place in range(len(bands))]

    def size(places: Sequence[int]) -> int:
        return sum(len(bands[place]) for place in places)

    while len(sets) > 1 and min(map(size, sets)) < fewest:
        at = min(range(len(sets)), key=lambda place: size(sets[place]))
        beside = [place for place in (at - 1, at + 1) if 0 <= place < len(sets)]
        other = min(beside, key=lambda place: size(sets[place]))
        low, high = min(at, other), max(at, other)
        sets[low : high + 1] = [sets[low] + sets[high]]
    return sets
