"""Which rules a layout can answer, and how: over the row, over rows, over records looked up. Pure.

A rule names fields by their wide names. Those of slots that the layout holds are columns of the row. Those of other
slots belong to records that the row's keys lead to (lookups.py); `nicu_count` is how many of that slot there are.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from swaddle.dictionary.lint import COUNT
from swaddle.dictionary.model import HEADER, PERSONS, Dictionary, Rule, WideField
from swaddle.intake import cast
from swaddle.intake.lookups import CHILD, DELIVERY, NUMBERS

_MOTHER = "mother"


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A rule over records of several types, asked of one of them.

    Attributes:
        slots: what is looked up: slot to the wide fields that are read of it; none where only the number counts.
        needed: of these slots, those without whose record there is nothing to ask.
        local: wide fields of the row itself.
        types: the SQL types of all of them, for what is not there.
    """

    rule: Rule
    slots: Map[str, tuple[str, ...]]
    needed: frozenset[str]
    local: tuple[str, ...]
    types: Map[str, str]


@dataclass
class _Sorted:
    row: list[Rule] = field(default_factory=list)
    file: list[Rule] = field(default_factory=list)
    joined: list[Joined] = field(default_factory=list)
    later: list[Rule] = field(default_factory=list)
    off: list[Rule] = field(default_factory=list)


@dataclass(frozen=True)
class Asked:
    """The rules of a dictionary that concern a layout, by how they are asked; the others do not concern it."""

    row: tuple[Rule, ...]
    file: tuple[Rule, ...]
    joined: tuple[Joined, ...]
    later: tuple[Rule, ...]
    off: tuple[Rule, ...]


def sort_rules(
    dictionary: Dictionary, held: AbstractSet[str], absent: AbstractSet[str], derived: AbstractSet[str]
) -> Asked:
    """Sort the rules.

    Args:
        dictionary: whose rules.
        held: the slots that the layout holds.
        absent: fields of the form that it does not carry.
        derived: fields that it does not carry, but that follow from what it does.
    """
    everything = dictionary.wide()
    there = {HEADER, *held, *(everything[name].slot for name in derived)}
    told = _Sorted()
    for rule in dictionary.rules:
        if rule.on not in there or rule.after_days is not None:
            continue  # no record here that it could be asked of; or the registry asks it later (overdue.py)
        local, slots = _parted(rule, everything, held | _persons(rule, held, absent), derived)
        lacking = absent & set(local) | {name for name in local if everything[name].slot not in held} - derived
        if set(rule.fields) & lacking or _reads_nothing(rule, local, lacking, slots):
            told.off.append(rule)
        elif rule.window and slots:
            told.off.append(rule)  # a window looks over rows as they are, without what could be looked up
        elif rule.window:
            (told.later if rule.scope == "registry" else told.file).append(rule)
        elif slots:
            needed = frozenset(slot for slot, names in slots.items() if set(names) & set(rule.fields))
            types = {name: cast.TYPES[everything[name].field.type] for name in rule.named if name in everything}
            told.joined.append(Joined(rule=rule, slots=slots, needed=needed, local=tuple(local), types=types))
        else:
            told.row.append(rule)
    return Asked(tuple(told.row), tuple(told.file), tuple(told.joined), tuple(told.later), tuple(told.off))


def _parted(
    rule: Rule, everything: Map[str, WideField], held: AbstractSet[str], derived: AbstractSet[str]
) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """What a rule names: fields of the row itself, and by slot the fields that are looked up."""
    slots: dict[str, tuple[str, ...]] = {}
    local: list[str] = []
    for name in rule.named:
        if name not in everything:
            slots.setdefault(name.removesuffix(COUNT), ())
            continue
        slot = everything[name].slot
        if slot in {HEADER, *held} or name in derived:
            local.append(name)
        else:
            slots[slot] = (*slots.get(slot, ()), name)
    return local, slots


def _persons(rule: Rule, held: AbstractSet[str], absent: AbstractSet[str]) -> set[str]:
    """The persons who are nobody but whom the row names: all, but for the mother where a rule cannot do without her.

    A row without its mother leads to her by the child or the delivery, if it names one of them.
    """
    hers = any(name.startswith(f"{_MOTHER}_") for name in rule.fields)
    leads = any(NUMBERS[way] not in absent and slot in held for way, slot in ((CHILD, CHILD), (DELIVERY, HEADER)))
    return set(PERSONS) - ({_MOTHER} if hers and leads and _MOTHER not in held else set())


def _reads_nothing(rule: Rule, local: list[str], absent: AbstractSet[str], slots: Map[str, tuple[str, ...]]) -> bool:
    """Whether a rule is off because the layout carries none of what it reads."""
    return bool(rule.reads) and not slots and set(rule.reads) <= absent & set(local)
