"""Who the rows of a table are about: whose each column is, and keys by which a person is known again. Pure.

A row of a birth table is about a mother and a child. Each person of a row gets two keys under the scan's own secret:
one from a number with a check digit, one from names and birth date; where there is neither, a weaker one. Nothing but
these keys, a category and days leaves the reader. Two rows are one person where a strong key is equal; names are
compared without accents, case and order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b
from typing import cast

from swaddle.incident import columns_words as words
from swaddle.incident.columns import Column
from swaddle.incident.columns_dates import MONTH_FIRST, day_of
from swaddle.incident.columns_values import card_passes, plain_letters
from swaddle.intake.tables import CHILD, FERTILITY, GAVE_BIRTH, PREGNANCY

OTHER = "other persons"
CATEGORIES = (GAVE_BIRTH, PREGNANCY, FERTILITY, CHILD, OTHER)
STRONG, NAMED, WEAK = 1, 2, 3
_GROWN_DAYS = 4383  # twelve years: younger is a child in a table that does not say
_LIMIT_HELD = 50_000
_BLOCK = 4096  # rows
NOBODY = b""
_CHILD = CATEGORIES.index(CHILD)
Columns = Sequence[Sequence[str]]
Known = tuple[bytes, bytes, int, int]  # key of a number, key of a name (either may be NOBODY), category, kind
_EMPTY = frozenset(["", "null", "na", "n/a", "nan", "none", "unknown", "unk", "-", ".", "x", "0"])
_EMPTY_NAMES = frozenset([b"null", b"na", b"nan", b"none", b"unknown", b"unk"])


@dataclass(frozen=True)
class Person:
    """Which columns of a table are one person's: places in a row."""

    whose: str
    category: str
    cards: tuple[int, ...]
    nationals: tuple[int, ...]
    given: tuple[int, ...]
    family: tuple[int, ...]
    full: tuple[int, ...]
    birth: tuple[int, ...]
    records: tuple[int, ...]
    contacts: tuple[int, ...]
    postal: tuple[int, ...]

    @property
    def places(self) -> tuple[int, ...]:
        """All of them."""
        parts = (self.cards, self.nationals, self.given, self.family, self.full, self.birth, self.records,
                 self.contacts, self.postal)  # fmt: skip
        return tuple(place for part in parts for place in part)

    @property
    def names_somebody(self) -> bool:
        """Whether more than a row's number or a way to reach somebody is there."""
        return bool(self.cards or self.nationals or self.given or self.family or self.full)


@dataclass(frozen=True)
class Plan:
    """Who a row of a table is about.

    Attributes:
        persons: one for each person of a row.
        events: places of the dates of care or event.
        orders: place -> how its dates are read.
        about: whether rows are about persons at all, though nobody may be known by them.
    """

    persons: tuple[Person, ...]
    events: tuple[int, ...]
    orders: dict[int, str]
    about: bool
    default: str


def plan(columns: Sequence[Column]) -> Plan:
    """The plan of a table."""
    elements = {each.element for each in columns}
    marked = {each.whose for each in columns if each.element in words.IDENTIFIERS or each.element == words.SEX}
    unmarked = _unmarked(elements, marked)
    persons = []
    for whose in (words.MOTHER, words.CHILD, words.FATHER, words.CONTACT, words.PATIENT):
        own = [each for each in columns if _owner(each.whose, unmarked) == whose and each.identifies]
        if own:
            persons.append(_person(whose, own, _category(whose, elements, marked)))
    named = _without_nobody([each for each in persons if each.places and not _only_postal(each)], unmarked)
    dates = [each.place for each in columns if each.element == words.EVENT_DATE]
    orders = {each.place: each.profile.order for each in columns if each.profile.order}
    return Plan(tuple(named), tuple(dates), orders, bool(elements & _ABOUT), _category(unmarked, elements, marked))


def _without_nobody(persons: list[Person], unmarked: str) -> list[Person]:
    """Where others are named, columns that name nobody (a row's number, a telephone) are the first one's."""
    loose = next((each for each in persons if each.whose == unmarked and not each.names_somebody), None)
    named = [each for each in persons if each.names_somebody]
    if loose is None or not named:
        return persons
    first = replace(named[0], contacts=named[0].contacts or loose.contacts, postal=named[0].postal or loose.postal)
    return [first, *(each for each in persons if each not in {loose, named[0]})]


_ABOUT = frozenset([
    words.CLINICAL_CODE, words.LAB_RESULT, words.BIRTH_MEASURE, words.PREGNANCY, words.BIRTH, words.FERTILITY,
    words.OUTCOME, words.RISK,
]) | words.IDENTIFIERS  # fmt: skip


def _unmarked(elements: set[str], marked: set[str]) -> str:
    """Whose the columns are that do not say: the other one of mother and child, else the patient's."""
    if words.MOTHER in marked and words.CHILD not in marked:
        return words.CHILD if elements & {words.BIRTH_MEASURE, words.LAB_RESULT, words.BIRTH} else words.PATIENT
    if words.CHILD in marked and words.MOTHER not in marked:
        return words.MOTHER
    return words.PATIENT


def _owner(whose: str, unmarked: str) -> str:
    return whose if whose and whose != words.PATIENT else unmarked


def _category(whose: str, elements: set[str], marked: set[str]) -> str:
    if whose == words.CHILD:
        return CHILD
    if whose in {words.FATHER, words.CONTACT}:
        return OTHER
    if words.FERTILITY in elements:
        return FERTILITY
    if whose == words.MOTHER and (words.CHILD in marked or elements & {words.BIRTH, words.BIRTH_MEASURE}):
        return GAVE_BIRTH
    if elements & {words.BIRTH}:
        return GAVE_BIRTH
    if words.PREGNANCY in elements or whose == words.MOTHER:
        return PREGNANCY
    return OTHER


def _person(whose: str, own: Sequence[Column], category: str) -> Person:
    def of(*elements: str) -> tuple[int, ...]:
        return tuple(each.place for each in own if each.element in elements)

    return Person(
        whose=whose,
        category=category,
        cards=of(words.HEALTH_CARD),
        nationals=of(words.NATIONAL_NUMBER),
        given=of(words.GIVEN_NAME)[:1],
        family=of(words.FAMILY_NAME)[:1],
        full=of(words.FULL_NAME, words.NAME)[:3],
        birth=of(words.BIRTH_DATE)[:1],
        records=of(words.RECORD_NUMBER)[:1],
        contacts=of(words.EMAIL, words.PHONE)[:2],
        postal=of(words.POSTAL_CODE)[:1],
    )


def _only_postal(person: Person) -> bool:
    return set(person.places) <= {*person.postal, *person.birth}


@dataclass
class Finder:
    """Takes rows of one table, finds persons; a block of rows at a time, column by column, for speed.

    Attributes:
        plan: of the table.
        secret: of this scan.
        scope: stands for the folder of the file; a record number is one person's only there.
        today: the day that children are told from grown people by, where a row has no date of its own.
        give: takes what was found, some ten thousand at a time: keys to first and last day.
        unknown: rows about persons in which nobody can be known.
    """

    plan: Plan
    secret: bytes
    scope: bytes
    today: int
    give: Callable[[Mapping[Known, tuple[int, int]]], None]
    unknown: int = 0
    _held: dict[Known, tuple[int, int]] = field(default_factory=dict)
    _days: dict[str, dict[str, int]] = field(default_factory=dict)
    _suffixes: dict[int, bytes] = field(default_factory=dict)

    def take(self, rows: Sequence[Sequence[str]]) -> None:
        """Further rows; each has a first cell that is no column."""
        for at in range(0, len(rows), _BLOCK):
            self._block(rows[at : at + _BLOCK])
        if len(self._held) > _LIMIT_HELD:
            self.flush()

    def flush(self) -> None:
        """Give what is held."""
        self.give(self._held)
        self._held.clear()
        for each in self._days.values():
            if len(each) > _LIMIT_HELD:
                each.clear()

    def _block(self, rows: Sequence[Sequence[str]]) -> None:
        found = self.plan
        if not found.persons:
            self.unknown += len(rows) if found.about else 0
            return
        columns = list(zip(*rows, strict=False))
        nothing = [0] * len(rows)
        events = [self._column_days(columns[each], each) for each in found.events]
        first = last = events[0] if events else nothing
        if len(events) > 1:
            first = [min(filter(None, each), default=0) for each in zip(*events, strict=True)]
            last = [*map(max, *events)]
        anybody = [False] * len(rows)
        for person in found.persons:
            self._person(person, columns, first, last, anybody)
        if found.about:
            self.unknown += anybody.count(False)

    def _person(
        self, person: Person, columns: Columns, first: Sequence[int], last: Sequence[int], anybody: list[bool]
    ) -> None:
        """One person of each row."""
        held, count = self._held, len(first)
        births = self._column_days(columns[person.birth[0]], person.birth[0]) if person.birth else [0] * count
        named = names_of([columns[each] for each in (*person.given, *person.family, *person.full)], count)
        strong = self._strong(person, columns, count)
        start, days = self._start(b"n"), self._suffixes
        whose = CATEGORIES.index(person.category)
        undecided = person.whose == words.PATIENT
        for at, (number, name, birth, begins, ends) in enumerate(zip(strong, named, births, first, last, strict=True)):
            other = NOBODY
            kind = STRONG if number else 0
            if name and birth:
                hasher = start.copy()
                hasher.update(name + (days.get(birth) or days.setdefault(birth, b"|%d" % birth)))
                other, kind = hasher.digest(), kind or NAMED
            elif not number:
                other = self._weak(person, columns, at, name, birth)
                kind = WEAK if other else 0
            if not kind:
                continue
            anybody[at] = True
            category = _CHILD if undecided and birth and (begins or self.today) - birth < _GROWN_DAYS else whose
            if category == _CHILD and birth:
                begins, ends = min(begins or birth, birth), max(ends, birth)  # noqa: PLW2901  a birth is an event too
            key = (number or NOBODY, other, category, kind)
            known = held.get(key)
            if known is None:
                held[key] = (begins, ends)
            elif begins and (begins < known[0] or ends > known[1] or not known[0]):
                held[key] = (min(begins, known[0] or begins), max(ends, known[1]))

    def _column_days(self, cells: Sequence[str], place: int) -> list[int]:
        """The days of a column; 0 where a cell is no date."""
        order = self.plan.orders.get(place, MONTH_FIRST)
        known = self._days.setdefault(order, {})
        days = [*map(known.get, cells)]
        if None in days:
            for text in set(cells).difference(known):
                known[text] = day_of(text.strip(), order) or 0
            return [*map(known.__getitem__, cells)]
        return cast("list[int]", days)

    def _strong(self, person: Person, columns: Columns, count: int) -> list[bytes]:
        """The key of a number that is one person's alone; empty where a row has none."""
        found = [b""] * count
        for place in person.cards:
            start = self._start(b"c")
            for at, text in enumerate(columns[place]):
                if text and not found[at] and (card := card_of(text)):
                    hasher = start.copy()
                    hasher.update(card.encode())
                    found[at] = hasher.digest()
        for place in person.nationals:
            start = self._start(b"s")
            for at, text in enumerate(columns[place]):
                if found[at] or len(text) < 7:
                    continue
                digits = "".join(filter(str.isalnum, text)).upper()
                if len(digits) >= 7 and len(set(digits)) > 2:
                    hasher = start.copy()
                    hasher.update(digits.encode("utf-8", "replace"))
                    found[at] = hasher.digest()
        return found

    def _weak(self, person: Person, columns: Columns, at: int, named: bytes, birth: int) -> bytes:
        """A key for somebody without number, or without name and birth date."""
        name = named.decode()
        for place in person.records:
            if (text := columns[place][at].strip()) and text.casefold() not in _EMPTY:
                return self._hash(b"r", f"{self.scope.hex()}{text}")
        for place in person.contacts:
            if (text := columns[place][at].strip().casefold()) not in _EMPTY:
                return self._hash(b"e", f"{name}|{text}")
        postal = next((text for each in person.postal if (text := columns[each][at].replace(" ", "").upper())), "")
        if name:
            return self._hash(b"p", f"{name}|{postal}")
        return self._hash(b"b", f"{birth}|{postal}") if birth and postal else NOBODY

    def _hash(self, kind: bytes, text: str) -> bytes:
        hasher = self._start(kind)
        hasher.update(text.encode("utf-8", "replace"))
        return hasher.digest()

    def _start(self, kind: bytes) -> blake2b:
        return blake2b(digest_size=8, key=self.secret, person=kind)


def names_of(columns: Sequence[Sequence[str]], count: int) -> list[bytes]:
    """The names of rows in the form in which two are compared: words without accents and case, by the alphabet."""
    if not columns:
        return [b""] * count
    text = "\n".join(map(" ".join, zip(*columns, strict=True)))
    lines = text.lower().translate(_ONLY_LETTERS).encode().split(b"\n") if text.isascii() else []
    if len(lines) != count:  # letters of other scripts, or a line end within a name: one by one
        lines = [_NO_LETTER.sub(" ", plain_letters(" ".join(each))).encode() for each in zip(*columns, strict=True)]
    names = []
    for line in lines:
        parts = line.split()
        if len(parts) == 2:
            one, other = parts
            names.append(one + b" " + other if one < other else other + b" " + one)
        else:  # letters alone are initials; a name that stands twice is one
            names.append(b" ".join(sorted({each for each in parts if len(each) > 1} - _EMPTY_NAMES)))
    return names


def card_of(text: str) -> str:
    """A health card number as it is compared, without blanks, hyphens, version; "" where its check does not hold."""
    digits = text
    if len(digits) != 10 or not digits.isdecimal():
        digits = text.replace("-", "").replace(" ", "")
    if len(digits) == 10 and digits.isdecimal() and digits.isascii():
        one, two, three, four, five = digits[:2], digits[2:4], digits[4:6], digits[6:8], digits[8:]
        if (_LUHN[one] + _LUHN[two] + _LUHN[three] + _LUHN[four] + _LUHN[five]) % 10 == 0:
            return digits if digits[0] != "0" and digits not in _ALL_THE_SAME else ""
    return _other_card(text.strip())


@lru_cache(maxsize=4096)
def _other_card(text: str) -> str:
    if not text or not card_passes(text):
        return ""
    bare = text.replace(" ", "").replace("-", "").upper()
    return bare[:10] if bare[:10].isdecimal() else bare


_ALL_THE_SAME = frozenset(digit * 10 for digit in "0123456789")
# Modulus 10 of two digits: the first doubled, the digits of that summed.
_LUHN = {
    f"{first}{second}": 2 * first - (9 if first > 4 else 0) + second for first in range(10) for second in range(10)
}
_ONLY_LETTERS = {place: " " for place in range(128) if not chr(place).isalpha() and chr(place) != "\n"}
_NO_LETTER = re.compile(r"[\W\d_]+")
