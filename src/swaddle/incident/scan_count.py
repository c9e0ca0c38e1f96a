"""Counting distinct persons by keys on disk, a bucket at a time: memory does not grow with the persons. Pure.

First the names: a person known by name and birth date who is known by a number elsewhere is that number's person. Then
the persons: each bucket holds all there is of its keys, so what is distinct in it is distinct.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from swaddle.incident.columns_persons import NAMED, STRONG, WEAK
from swaddle.incident.scan_frames import NAMED_PERSON, PERSON

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
    numbers: dict[bytes, bytes] = {}
    for name, number, *_ in NAMED_PERSON.iter_unpack(records):
        if number != _NONE and number < numbers.get(name, _HIGHEST):
            numbers[name] = number
    found: dict[_Key, tuple[int, int]] = {}
    for name, number, category, first, last, file in NAMED_PERSON.iter_unpack(records):
        if number != _NONE:
            continue  # stands among the persons already, under its number
        key = numbers.get(name, name)
        _widen(found, (key, STRONG if name in numbers else NAMED, category, file), first, last)
    buckets: dict[int, list[bytes]] = {}
    for (key, kind, category, file), (first, last) in found.items():
        buckets.setdefault(key[0], []).append(PERSON.pack(key, kind, category, first, last, file))
    for bucket, rows in buckets.items():
        put(bucket, b"".join(rows))


def count(records: bytes, counted: Counted, groups_of: Mapping[int, str]) -> None:
    """One bucket of persons.

    Args:
        records: of PERSON, all that there are of their keys.
        counted: is added to.
        groups_of: file -> the group that its persons are counted in too; a file that is not in it does not count.
    """
    kinds: dict[bytes, int] = {}
    categories: set[tuple[bytes, int]] = set()
    files: set[tuple[bytes, int]] = set()
    groups: set[tuple[bytes, str]] = set()
    for key, kind, category, first, last, file in PERSON.iter_unpack(records):
        group = groups_of.get(file)
        if group is None:
            continue
        groups.add((key, group))
        kinds[key] = min(kind, kinds.get(key, WEAK))
        categories.add((key, category))
        files.add((key, file))
        if first:
            was = counted.days.get(category)
            counted.days[category] = (min(was[0], first), max(was[1], last)) if was else (first, last)
    counted.persons += len(kinds)
    counted.by_kind.update(kinds.values())
    counted.by_category.update(category for _, category in categories)
    counted.by_file.update(file for _, file in files)
    counted.by_group.update(group for _, group in groups)


def _widen(found: dict[_Key, tuple[int, int]], key: _Key, first: int, last: int) -> None:
    was = found.get(key)
    if was is None:
        found[key] = (first, last)
    elif first:
        found[key] = (min(was[0] or first, first), max(was[1], last))
