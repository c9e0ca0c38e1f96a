"""Rows that name one organisation, put together. Pure.

Two names are only compared where they share something that few others have, so that a list of 60,000 is matched in
seconds; tally_names says whether they are one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from swaddle.incident.tally_names import Name, initials, name_of, same, telling

_BLOCK = 400  # names that share a word; a word that more share tells nothing


def organisations(rows: Sequence[tuple[Sequence[str], str]]) -> list[int]:
    """For each row (its names, its state) the number of its organisation: that of the first row that names it."""
    names: dict[tuple[Name, str], int] = {}
    owners: list[tuple[Name, str]] = []
    joined = _Joined()
    first: list[int] = []
    for said, state in rows:
        own = []
        for text in said:
            key = (name_of(text), state)
            if key not in names:
                names[key] = len(owners)
                owners.append(key)
                joined.add(names[key])
            own.append(names[key])
        for other in own[1:]:
            joined.join(own[0], other)
        first.append(own[0])
    for one, other in _candidates([name for name, _ in owners]):
        if joined.of(one) == joined.of(other):
            continue
        (name, state), (twin, elsewhere) = owners[one], owners[other]
        if same(name, twin, elsewhere=bool(state and elsewhere and state != elsewhere)):
            joined.join(one, other)
    begun: dict[int, int] = {}
    return [begun.setdefault(joined.of(each), row) for row, each in enumerate(first)]


def _candidates(names: Sequence[Name]) -> Iterator[tuple[int, int]]:
    """Pairs of names worth comparing, the same words first, each pair once."""
    frequency = Counter(word for name in names for word in set(name.words))
    blocks: defaultdict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(names):
        keys = {f"={name.letters}", f"^{name.letters[:9]}"}
        rare = sorted(set(name.words), key=lambda word: (frequency[word], word))[:3]
        keys |= {f"w{word}" for word in (*rare, *telling(name))} | {f"p{word[:5]}" for word in rare[:2]}
        short = initials(name.words)
        keys |= {f"s{letters}" for letters in short if 4 <= len(letters) <= 8}
        keys |= {f"s{name.words[0]}"} if len(name.words) == 1 else set()
        keys |= {f"s{name.short}", f"={name.short}"} if name.short else set()
        for key in keys:
            blocks[key].append(number)
    seen: set[tuple[int, int]] = set()
    for key in sorted(blocks):
        block = blocks[key]
        if len(block) > _BLOCK and not key.startswith("="):
            continue
        for pair in combinations(block, 2) if len(block) <= _BLOCK else pairwise(block):
            if pair not in seen:
                seen.add(pair)
                yield pair


class _Joined:
    """Which names are one: a forest whose roots are the lowest numbers."""

    def __init__(self) -> None:
        self._parent: list[int] = []

    def add(self, number: int) -> None:
        assert number == len(self._parent)
        self._parent.append(number)

    def of(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.of(one), self.of(other)))
        self._parent[high] = low
