"""Who the rows of a table are about: whose each column is, and keys by which a person is known again. Pure.

A row of a birth table is about a mother and a child. Each person of a row gets two keys under the scan's own secret:
one from a number with a check digit, one from names and birth date; where there is neither, a weaker one. Nothing but
these keys, a category and days leaves the reader. Two rows are one person where a strong key is equal; names are
compared without accents, case and order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import itemgetter

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
_WORD = re.compile(r"[^\W\d_]+")
_EMPTY = frozenset(["", "null", "na", "n/a", "nan", "none", "unknown", "unk", "-", ".", "x", "test"])


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
    named = [each for each in persons if each.places and not _only_postal(each)]
    dates = [each.place for each in columns if each.element == words.EVENT_DATE]
    orders = {each.place: each.profile.order for each in columns if each.profile.order}
    return Plan(tuple(named), tuple(dates), orders, bool(elements & _ABOUT), _category(unmarked, elements, marked))


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
class Found:
    """One person of one reader's hands: keys, category, first and last day."""

    strong: int
    other: int
    category: int
    kind: int
    first: int
    last: int


@dataclass
class Finder:
    """Takes rows of one table, finds persons.

    Attributes:
        plan: of the table.
        secret: of this scan.
        scope: stands for the folder of the file; a record number is one person's only there.
        today: the day that children are told from grown people by, where a row has no date of its own.
        give: takes what was found, some ten thousand at a time.
        unknown: rows about persons in which nobody can be known.
    """

    plan: Plan
    secret: bytes
    scope: bytes
    today: int
    give: Callable[[Iterable[Found]], None]
    unknown: int = 0
    _held: dict[tuple[object, ...], Found] = field(default_factory=dict)
    _days: dict[str, int | None] = field(default_factory=dict)

    def take(self, rows: Iterable[Sequence[str]]) -> None:
        """Further rows; each has a first cell that is no column."""
        found = self.plan
        pickers = [(each, place, _picker(each.places)) for place, each in enumerate(found.persons)]
        events, held = found.events, self._held
        for row in rows:
            anybody = False
            for person, place, pick in pickers:
                cells = (place, *pick(row))
                known = held.get(cells)
                if known is None:
                    known = self._keyed(person, row)
                    held[cells] = known
                if known.kind:
                    anybody = True
                    for event in events:
                        day = self._day(row[event], event)
                        if day is not None:
                            known.first = min(known.first, day) if known.first else day
                            known.last = max(known.last, day)
            if not anybody and found.about:
                self.unknown += 1
            if len(held) > _LIMIT_HELD:
                self.flush()

    def flush(self) -> None:
        """Give what is held."""
        self.give([each for each in self._held.values() if each.kind])
        self._held.clear()
        if len(self._days) > _LIMIT_HELD:
            self._days.clear()

    def _day(self, text: str, place: int) -> int | None:
        try:
            return self._days[text]
        except KeyError:
            day = self._days[text] = day_of(text.strip(), self.plan.orders.get(place, MONTH_FIRST))
            return day

    def _keyed(self, person: Person, row: Sequence[str]) -> Found:
        """The person that a row names; kind 0 where it names nobody."""
        birth = next((day for place in person.birth if (day := self._day(row[place], place)) is not None), None)
        category = self._category(person, birth, row)
        strong = self._strong(person, row)
        names = name_of([row[each] for each in (*person.given, *person.family, *person.full)])
        other, kind = 0, STRONG if strong else 0
        if names and birth is not None:
            other, kind = self._hash(b"n", f"{names}|{birth}"), kind or NAMED
        elif not strong:
            other = self._weak(person, row, names, birth)
            kind = WEAK if other else 0
        first = birth if category == CHILD and birth is not None else 0
        return Found(strong, other, CATEGORIES.index(category), kind, first, first)

    def _category(self, person: Person, birth: int | None, row: Sequence[str]) -> str:
        if person.whose != words.PATIENT or birth is None:
            return person.category
        days = [day for each in self.plan.events if (day := self._day(row[each], each)) is not None]
        return CHILD if (min(days) if days else self.today) - birth < _GROWN_DAYS else person.category

    def _strong(self, person: Person, row: Sequence[str]) -> int:
        for place in person.cards:
            text = row[place].strip()
            if text and card_passes(text):
                return self._hash(b"c", card_of(text))
        for place in person.nationals:
            digits = "".join(filter(str.isalnum, row[place]))
            if len(digits) >= 7 and len(set(digits)) > 2:
                return self._hash(b"s", digits.upper())
        return 0

    def _weak(self, person: Person, row: Sequence[str], names: str, birth: int | None) -> int:
        for place in person.records:
            if (text := row[place].strip()) and text.casefold() not in _EMPTY:
                return self._hash(b"r", text, self.scope)
        for place in person.contacts:
            if (text := row[place].strip().casefold()) not in _EMPTY:
                return self._hash(b"e", f"{names}|{text}")
        postal = next((row[each].replace(" ", "").upper() for each in person.postal if row[each].strip()), "")
        if names and (postal or len(names) > 1):
            return self._hash(b"p", f"{names}|{postal}")
        return self._hash(b"b", f"{birth}|{postal}") if birth is not None and postal else 0

    def _hash(self, kind: bytes, text: str, scope: bytes = b"") -> int:
        digest = blake2b(scope + text.encode("utf-8", "replace"), digest_size=8, key=self.secret, person=kind)
        return int.from_bytes(digest.digest(), "little") or 1


def _picker(places: tuple[int, ...]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    if len(places) == 1:
        only = places[0]
        return lambda row: (row[only],)
    return itemgetter(*places)


def name_of(cells: Sequence[str]) -> str:
    """A name in the form in which two are compared: its words without accents and case, in order of the alphabet."""
    found = {each for cell in cells if cell for each in _WORD.findall(plain_letters(cell)) if len(each) > 1}
    return " ".join(sorted(found - _EMPTY))


def card_of(text: str) -> str:
    """A health card number as it is compared: without blanks, hyphens and the letters of its version."""
    bare = text.replace(" ", "").replace("-", "").upper()
    return bare[:10] if bare[:10].isdecimal() else bare
