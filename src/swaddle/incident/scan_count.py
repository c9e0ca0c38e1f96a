"""Counting distinct persons by keys on disk, a bucket at a time: memory does not grow with the persons. Pure.

First the names: a person known by name and birth date who is known by a number elsewhere is that number's person. Then
the persons: each bucket holds all there is of its keys, so what is distinct in it is distinct.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from swaddle.incident.columns_persons import NAMED, STRONG, WEAK
from swaddle.incident.scan_frames import NAMED_PERSON, PERSON

_SECOND = itemgetter(1)
_NONE, _HIGHEST = bytes(8), b"\xff" * 9
_Key = tuple[bytes, int, int, int]  # key, kind, category, file


@dataclass
class Counted:
    """What was counted.

    Attributes:
        persons: distinct keys: at most so many persons.
        known: those known by a number, or by name and birth date.
        by_category: category -> persons in it; a person may be in several.
        days: category -> first and last day of an event.
        by_file: file -> distinct persons in it.
        by_kind: how persons are known -> how many.
    """

    persons: int = 0
    by_category: Counter[int] = field(default_factory=Counter)
    days: dict[int, tuple[int, int]] = field(default_factory=dict)
    by_file: Counter[int] = field(default_factory=Counter)
    by_kind: Counter[int] = field(default_factory=Counter)
    by_group: Counter[str] = field(default_factory=Counter)

    @property
    def known(self) -> int:
        """Persons known by a number or by name and birth date."""
        return self.by_kind[STRONG] + self.by_kind[NAMED]


def resolve(records: bytes, put: Callable[[int, bytes], None]) -> None:
    """One bucket of names: each becomes a person, under the number that the same name has elsewhere.

    Args:
        records: of NAMED_PERSON.
        put: takes (bucket of persons, records of PERSON).
    """
    rows = [*NAMED_PERSON.iter_unpack(records)]
    numbers: dict[bytes, bytes] = {}
    for name, number, *_ in rows:
        if number != _NONE and number < numbers.get(name, _HIGHEST):
            numbers[name] = number
    found: dict[_Key, tuple[int, int]] = {}
    for name, number, category, first, last, file in rows:
        if number != _NONE:
            continue  # stands among the persons already, under its number
        key = numbers.get(name, name)
        _widen(found, (key, STRONG if name in numbers else NAMED, category, file), first, last)
    buckets: dict[int, list[bytes]] = {}
    for (key, kind, category, file), (first, last) in found.items():
        buckets.setdefault(key[0], []).append(PERSON.pack(key, kind, category, first, last, file))
    for bucket, packed in buckets.items():
        put(bucket, b"".join(packed))


def count(records: bytes, counted: Counted, groups_of: Mapping[int, str]) -> None:
    """One bucket of persons.

    Args:
        records: of PERSON, all that there are of their keys.
        counted: is added to.
        groups_of: file -> the group that its persons are counted in too; a file that is not in it does not count.
    """
    rows = [row for row in PERSON.iter_unpack(records) if row[-1] in groups_of]
    if not rows:
        return
    keys, kinds, categories, _, _, files = zip(*rows, strict=True)
    best = dict(zip(keys, kinds, strict=True))
    if len(best) < len(rows):  # the surest way in which somebody is known
        best = {key: kind for kind in (WEAK, NAMED, STRONG) for key, known, *_ in rows if known == kind}
    counted.persons += len(best)
    counted.by_kind.update(best.values())
    counted.by_category.update(map(_SECOND, set(zip(keys, categories, strict=True))))
    by_file = set(zip(keys, files, strict=True))
    counted.by_file.update(map(_SECOND, by_file))
    counted.by_group.update(map(_SECOND, {(key, groups_of[file]) for key, file in by_file}))
    for category in set(categories):
        days = [(first, last) for _, _, of, first, last, _ in rows if of == category and first]
        if days:
            first, last = min(days)[0], max(map(_SECOND, days))
            was = counted.days.get(category, (first, last))
            counted.days[category] = (min(was[0], first), max(was[1], last))


def _widen(found: dict[_Key, tuple[int, int]], key: _Key, first: int, last: int) -> None:
    was = found.get(key)
    if was is None:
        found[key] = (first, last)
    elif first:
        found[key] = (min(was[0] or first, first), max(was[1], last))
