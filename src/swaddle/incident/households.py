"""Who gets a letter: one for a mother and her children at one address, and every person in exactly one place. Pure.

    persons -> letters, each to somebody who lives | persons to whom none can be written, and why

A letter is never addressed to the dead. A child's is addressed to its mother where she lives, to the grown child
itself, or to its parent or guardian where the mother has died or is not known. Where a baby or a mother has died, or a
baby was stillborn, the letter is another one, gentler. Wider households wait for linkage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from swaddle.incident import addresses

GROWN_YEARS = 18  # unverified: the age from which a child's letter is its own; a setting of the incident


class Kind(Enum):
    """Which letter it is."""

    STANDARD = "standard"
    BABY_DIED = "baby died"
    MOTHER_DIED = "mother died"
    GROWN_CHILD = "grown child"


class Why(Enum):
    """Why no letter can be written to a person; a person of the organisation decides what is done instead."""

    NO_ADDRESS = "no address"
    NO_NAME = "no name"
    DIED = "died, and nobody is known who could be written to"


@dataclass(frozen=True)
class Person:
    """A person in the scope of an incident.

    Attributes:
        subject: the registry's id of the data subject.
        mother: of a child, the subject of its mother; None for others, or where she is not known.
        is_child: whether the records are about it as a newborn or child.
        name: given and family name; None where the registry holds none.
        born: date of birth.
        died: whether a death is recorded.
        line, city, province, postal_code: where it lives.
        language: `en` or `fr`.
        has_lost: of a mother, whether her records tell of a stillbirth.
    """

    subject: str
    mother: str | None
    is_child: bool
    name: str | None
    born: date | None
    died: bool
    line: str | None
    city: str | None
    province: str | None
    postal_code: str | None
    language: str = "en"
    has_lost: bool = False


@dataclass(frozen=True)
class Letter:
    """One letter: to whom, where, which one, and whom it is about.

    Attributes:
        to: the name on the envelope; None for "the parent or guardian of" the first child in `about`.
        about: subjects, the addressee first if it is one of them.
        children: names of living children whom the letter is about.
    """

    kind: Kind
    to: str | None
    address: tuple[str, ...]
    language: str
    about: tuple[str, ...]
    children: tuple[str, ...]


@dataclass(frozen=True)
class Unwritten:
    """A person to whom no letter can be written."""

    subject: str
    why: Why


def letters(persons: Iterable[Person], at: date, grown_years: int = GROWN_YEARS) -> Iterator[Letter | Unwritten]:
    """A letter or a reason for every person, in an order that does not depend on how they came.

    Args:
        persons: of one family: a mother and her children, or one person alone. Children of a mother who is not among
            them stand alone.
        at: the day of the letters.
        grown_years: the age from which a child's letter is its own.
    """
    family = sorted(persons, key=lambda each: (each.is_child, each.born or date.min, each.subject))
    adults = [each for each in family if not each.is_child]
    grown = [each for each in family if each.is_child and not each.died and _is_grown(each, at, grown_years)]
    young = [each for each in family if each.is_child and each not in grown]
    for each in grown:
        home = next((adult for adult in adults if adult.subject == each.mother), None)
        yield _alone(each, home)
    for adult in adults:
        own = [child for child in young if child.mother == adult.subject]
        young = [child for child in young if child.mother != adult.subject]
        yield from _of_mother(adult, own)
    yield from _of_children(young, mother_died=False)


def _of_mother(mother: Person, children: Sequence[Person]) -> Iterator[Letter | Unwritten]:
    if mother.died:
        yield Unwritten(mother.subject, Why.DIED)
        yield from _of_children(children, mother_died=True, mother=mother)
        return
    where = _address(mother)
    near = [child for child in children if child.died or _key(child) in {None, _key(mother)}]
    far = [child for child in children if child not in near]
    if where is None or mother.name is None:
        yield Unwritten(mother.subject, Why.NO_NAME if where else Why.NO_ADDRESS)
        for child in near:
            yield Unwritten(child.subject, Why.DIED if child.died else Why.NO_ADDRESS)
    else:
        died = mother.has_lost or any(child.died for child in near)
        yield Letter(
            kind=Kind.BABY_DIED if died else Kind.STANDARD,
            to=mother.name,
            address=where,
            language=mother.language,
            about=(mother.subject, *(child.subject for child in near)),
            children=tuple(child.name for child in near if child.name and not child.died),
        )
    yield from _of_children(far, mother_died=False)


def _of_children(
    children: Sequence[Person], *, mother_died: bool, mother: Person | None = None
) -> Iterator[Letter | Unwritten]:
    """Young children without a mother to write to: by address, to their parent or guardian."""
    groups: dict[str, list[Person]] = {}
    for child in children:
        where = child if _key(child) is not None else mother
        place = None if where is None else _key(where)
        if child.died:
            yield Unwritten(child.subject, Why.DIED)
        elif place is None:
            yield Unwritten(child.subject, Why.NO_ADDRESS)
        elif child.name is None:
            yield Unwritten(child.subject, Why.NO_NAME)
        else:
            groups.setdefault(place, []).append(child)
    for together in groups.values():
        first = together[0]
        address = _address(first) or (None if mother is None else _address(mother))
        assert address is not None  # a key is made of an address
        yield Letter(
            kind=Kind.MOTHER_DIED if mother_died else Kind.STANDARD,
            to=None,
            address=address,
            language=first.language,
            about=tuple(child.subject for child in together),
            children=tuple(child.name for child in together if child.name),
        )


def _alone(child: Person, mother: Person | None) -> Letter | Unwritten:
    """A grown child, where it lives; where that is not known, where its mother lived."""
    where = _address(child) or (None if mother is None else _address(mother))
    if where is None or child.name is None:
        return Unwritten(child.subject, Why.NO_NAME if where else Why.NO_ADDRESS)
    return Letter(Kind.GROWN_CHILD, child.name, where, child.language, (child.subject,), ())


def _is_grown(child: Person, at: date, years: int) -> bool:
    if child.born is None:
        return False
    return (at.year - child.born.year - ((at.month, at.day) < (child.born.month, child.born.day))) >= years


def _key(person: Person) -> str | None:
    return addresses.key(person.line, person.city, person.postal_code)


def _address(person: Person) -> tuple[str, ...] | None:
    if _key(person) is None:
        return None
    town = " ".join(part for part in (person.city, person.province, person.postal_code) if part)
    return tuple(part for part in (person.line, town) if part)
