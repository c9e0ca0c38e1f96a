"""Places in a FHIR record, as a mapping file names them, and the values that stand there. Pure.

    child.birthDate                     an element of the newborn's Patient; so too mother, maternity and birth (the
                                        encounters of the mother and of the child), bundle, message (its bundle)
    mother.name[official].family        the name whose use, type, system or code is `official`; [!maiden,old] any other
    Observation[8339-4].value in g      an observation by its code; its value, whatever its type, in the unit named
    Observation[73812-0=830077005]      whether there is one with this code and this value: Y, or N where it is denied
    Condition[73780-9].code*            every value there, apart by semicolons
    child.birthDate as date             without the time of day; ?ASKU where the day is not known
    Procedure[116859006] none 73781-7   Y or N; N too where an observation of the group 73781-7 says "none of these"
    birth.hospitalization.destination.name      a Reference is followed by itself
    child.extension[us-core-birthsex].value     an extension by the last part of its URL
    parameter[cert_no]                  a parameter of the message
    mother.name.given + mother.name.family      both, a blank between
    child.gender | Observation[76689-9].value   the first that has a value

Dates and times come as 2024-02-21T01:52, as precise as they are written and as the clock read there: an offset is
dropped. Coded values come by their LOINC answer where there is one, else their first code, else their words. A value
that is said to be absent comes as ?ASKU, ?NI, ?NA or ?MSK.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from swaddle.intake.readers.fhir_record import FhirRecord, Resource, objects, said, text_of, words_of
from swaddle.intake.readers.fhir_values import UNIT_NAMES, absent, day_of, is_code, measured, shown

SEVERAL = ";"
NONE_OF_THESE = "260413007"  # SNOMED CT: none (qualifier value), of the none-of-the-above observations
NONE = "none"
DEAD = frozenset(["entered-in-error", "cancelled"])  # of a status: nothing of it counts
_DENIED = frozenset(["not-done", "refuted", "262008008"])  # of a procedure, of a condition; SNOMED CT: not performed
_ROLES = frozenset(["child", "mother", "maternity", "birth", "bundle", "message", "parameter"])
_STEP = re.compile(
    r"(?P<root>[A-Z][A-Za-z]{2,40}|[a-z]{3,12})(?P<rest>(?:\[[^\]]{1,200}\]|\.[A-Za-z_][A-Za-z0-9_]{0,60})*)(?P<all>\*)?"
    r"(?: in (?P<unit>[a-z%0-9]{1,4}))?(?P<date> as date)?(?: none (?P<group>[0-9]{1,6}-[0-9]))?"
)
_NO_DAY = re.compile(r"[0-9]{4}(?:-[0-9]{2})?")
_PART = re.compile(r"\[(?P<selector>[^\]]+)\]|\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)")


class BadPlace(ValueError):
    """A place in a mapping that is not in this language."""


@dataclass(frozen=True, slots=True)
class Selector:
    """Which of several elements is meant: one that bears one of `words` (or none of them), and has `value`."""

    words: frozenset[str]
    wanted: bool
    value: str


@dataclass(frozen=True, slots=True)
class Step:
    """One place."""

    root: str
    selector: Selector | None
    path: tuple[str | Selector, ...]
    several: bool
    unit: str
    day: bool
    group: str


@dataclass(frozen=True, slots=True)
class Place:
    """Alternatives, each of steps that are joined."""

    text: str
    alternatives: tuple[tuple[Step, ...], ...]

    def steps(self) -> Iterator[Step]:
        """Every step of it."""
        for each in self.alternatives:
            yield from each


@dataclass
class Noticed:
    """What was met while values were looked up."""

    ambiguous: Counter[str] = field(default_factory=Counter)  # places with more than one value
    contradicted: Counter[str] = field(default_factory=Counter)  # groups with an item and "none of these"
    dayless: Counter[str] = field(default_factory=Counter)  # places of dates that are not known to the day
    dead: set[int] = field(default_factory=set)  # resources that are cancelled or entered in error


@cache
def compile_place(text: str) -> Place:
    """The place that a mapping names.

    Raises:
        BadPlace: it is in another form.
    """
    return Place(text, tuple(tuple(_step(each) for each in one.split(" + ")) for one in text.split(" | ")))


def _step(text: str) -> Step:
    found = _STEP.fullmatch(text.strip())
    if found is None or (found["unit"] and found["unit"] not in UNIT_NAMES):
        raise BadPlace(text[:60])
    root = found["root"]
    if root[0].islower() and root not in _ROLES:
        raise BadPlace(text[:60])
    parts: list[str | Selector] = [
        each["name"] or _selector(each["selector"]) for each in _PART.finditer(found["rest"])
    ]
    selector = parts.pop(0) if parts and isinstance(parts[0], Selector) else None
    return Step(
        root=root,
        selector=selector if isinstance(selector, Selector) else None,
        path=tuple(parts),
        several=found["all"] is not None,
        unit=found["unit"] or "",
        day=found["date"] is not None,
        group=found["group"] or "",
    )


def _selector(text: str) -> Selector:
    words, _, value = text.removeprefix("!").partition("=")
    return Selector(
        words=frozenset(each.strip().casefold() for each in words.split(",")),
        wanted=not text.startswith("!"),
        value=value.strip(),
    )


def value_at(place: Place, record: FhirRecord, noticed: Noticed) -> str:
    """What stands there; "" where nothing does, ?ASKU and the like where the record says that it is absent."""
    reason = ""
    for alternative in place.alternatives:
        parts = [_at(each, place.text, record, noticed) for each in alternative]
        known = [each for each in parts if each and not each.startswith("?")]
        if known:
            return " ".join(known)
        reason = reason or next((each for each in parts if each), "")
    return reason


def _at(step: Step, text: str, record: FhirRecord, noticed: Noticed) -> str:
    if step.root == "parameter":
        return next((record.parameters[each] for each in _words(step) if each in record.parameters), "")
    found = list(_resources(step, record, noticed))
    if not step.path:
        return _presence(step, found, record, noticed)
    values: list[str] = []
    reasons: list[str] = []
    for resource in found:
        for element in _walk(resource, step.path, record):
            value = _read(element, step, text, noticed)
            into = reasons if value.startswith("?") else values
            if value and value not in into:
                into.append(value)
        if not values and (reason := absent(resource)):
            reasons.append(reason)
    if step.several:
        if not values and step.group and none_of(step.group, record):
            return NONE
        return SEVERAL.join(each.replace(SEVERAL, ",") for each in values) or next(iter(reasons), "")
    if len(values) > 1:
        noticed.ambiguous[text] += 1
    return next(iter((*values, *reasons)), "")


def _read(element: Any, step: Step, text: str, noticed: Noticed) -> str:
    if step.unit:
        return measured(element, step.unit)
    if not step.day:
        return shown(element)
    value = day_of(shown(element))
    if _NO_DAY.fullmatch(value):
        noticed.dayless[text] += 1
        return "?ASKU"
    return value


def _words(step: Step) -> frozenset[str]:
    return step.selector.words if step.selector else frozenset()


def _resources(step: Step, record: FhirRecord, noticed: Noticed) -> Iterator[Resource]:
    if step.root in _ROLES:
        whole: Resource = getattr(record, step.root)
        if whole:
            yield whole
        return
    for each in _selected(step.root, step.selector, record):
        if text_of(each, "status") in DEAD or is_code(each.get("verificationStatus"), DEAD):
            noticed.dead.add(id(each))
        else:
            yield each


def _selected(kind: str, selector: Selector | None, record: FhirRecord) -> list[Resource]:
    """The resources of a type that bear one of a selector's words, and its value if it names one."""
    if selector is None:
        return record.by_type.get(kind, [])
    if not selector.wanted:
        found = [each for each in record.by_type.get(kind, ()) if words_of(each).isdisjoint(selector.words)]
    else:
        lists = [record.by_word[kind, each] for each in selector.words if (kind, each) in record.by_word]
        found = lists[0] if len(lists) == 1 else _in_order(lists, record.by_type.get(kind, []))
    if not selector.value:
        return found
    return [each for each in found if is_code(each.get("valueCodeableConcept"), {selector.value})]


def _in_order(lists: list[list[Resource]], all_of_them: list[Resource]) -> list[Resource]:
    wanted = {id(each) for one in lists for each in one}
    return [each for each in all_of_them if id(each) in wanted] if wanted else []


def _presence(step: Step, found: list[Resource], record: FhirRecord, noticed: Noticed) -> str:
    """Y, N or nothing: whether there is such a resource that is not denied."""
    affirmed = [each for each in found if not _is_denied(each)]
    none = bool(step.group) and none_of(step.group, record)
    if affirmed and none:
        noticed.contradicted[step.group] += 1
    if affirmed:
        return "Y"
    return "N" if found or none else ""


def _is_denied(resource: Resource) -> bool:
    return (
        text_of(resource, "status") in _DENIED
        or is_code(resource.get("verificationStatus"), _DENIED)
        or resource.get("valueBoolean") is False
        or is_code(resource.get("valueCodeableConcept"), {"N", "373067005"})
    )


def none_of(group: str, record: FhirRecord) -> bool:
    """Whether the sender says outright that none of the group's items applies; silence says nothing."""
    return any(
        is_code(each.get("valueCodeableConcept"), {NONE_OF_THESE})
        for each in record.by_word.get(("Observation", group), ())
        if text_of(each, "status") not in DEAD
    )


def _walk(start: Any, path: tuple[str | Selector, ...], record: FhirRecord) -> list[Any]:
    """The elements at the end of a path; lists are entered, references followed."""
    elements, end = [start], len(path) - 1
    for place, part in enumerate(path):
        found: list[Any] = []
        for each in elements:
            if not isinstance(each, dict):
                continue
            if isinstance(part, Selector):
                found += [each] if _is_meant(each, part) else []
                continue
            value = each.get(part)
            if isinstance(value, (str, dict)):
                found.append(value)
            else:
                found += _enter(each, part, record, last=place == end)
        if not found:
            return found
        elements = found
    return elements


def _enter(element: Resource, name: str, record: FhirRecord, *, last: bool) -> list[Any]:
    key = name if name in element else _choice(element, name)
    if key is None and (followed := record.resolve(element)) is not None:
        element = followed
        key = name if name in element else _choice(element, name)
    if key is None:
        beside = element.get(f"_{name}")
        return [beside] if last and isinstance(beside, dict) else []
    value = element[key]
    if isinstance(value, list):
        if last and value and all(isinstance(each, str) for each in value):
            return [" ".join(value)]
        return [each for each in value if each is not None]
    return [value]


def _choice(element: Resource, name: str) -> str | None:
    """`value` stands for valueQuantity, valueString and so on."""
    size = len(name)
    for key in element:
        if key.startswith(name) and key[size : size + 1].isupper():
            return key
    return None


def _is_meant(element: Resource, selector: Selector) -> bool:
    words = {text_of(element, key).casefold() for key in ("use", "code", "name", "mode")}
    words |= {text_of(element, key).rstrip("/").rsplit("/", 1)[-1].casefold() for key in ("url", "system")}
    for key in ("type", "code", "relationship", "physicalType"):
        for each in objects(element.get(key)):
            words |= {code.casefold() for code in said(each)}
    return (not words.isdisjoint(selector.words)) is selector.wanted
