"""What a dictionary must be: names that stand once, rules that read only what they say. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

from swaddle.dictionary.model import (
    CLASSES,
    HEADER,
    MISSING_REASONS,
    REQUIREMENTS,
    Absent,
    Dictionary,
    Field,
    FieldType,
    Form,
    Rule,
    Scope,
    Severity,
)
from swaddle.errors import OurBug

# What a rule may read beside the wide fields (made in intake/layers.py and intake/lookups.py).
DERIVED = ("event_first", "event_last", "submitted_on", "historical")
COUNT = "_count"  # nicu_count: how many records of that slot a lookup found
WORD = re.compile(r"[a-z_][a-z_0-9]*")
_PICKS = frozenset({"code", "codes"})


class DictionaryUnusable(OurBug):
    """A dictionary's data files contradict themselves."""

    code = "SWD-DICT-01"
    what = "the data dictionary cannot be used"
    fix = "mend its files, or report this where they are those that `swaddle` was shipped with"


def lint(dictionary: Dictionary) -> None:
    """Refuse a dictionary that contradicts itself.

    Raises:
        DictionaryUnusable: it does; the first place is named.
    """
    for fault in faults(dictionary):
        raise DictionaryUnusable(fault)


def faults(dictionary: Dictionary) -> Iterator[str]:
    """Every place in which the dictionary contradicts itself, in plain words."""
    names = dictionary.wide_fields()
    given = len(dictionary.header.fields) + sum(
        slot in field.required for kind in dictionary.record_types for slot in kind.slots for field in kind.fields
    )
    if given != len(names):
        yield "two fields have the same wide name"
    slots = dictionary.slots()
    for form in dictionary.forms.values():
        yield from _of_form(form, set(slots))
    for each in dictionary.wide_fields():
        if not _is_field(each.field):
            yield f"field {each.name} is not well formed"
    seen: set[tuple[str, str]] = set()
    for rule in dictionary.rules:
        if (rule.id, rule.shows) in seen or rule.id in dictionary.checks:
            yield f"rule {rule.id} stands twice"
        seen.add((rule.id, rule.shows))
        if not _is_rule(rule, dictionary, set(slots)):
            yield f"rule {rule.id} is not well formed"


def slot_of(rule: Rule, dictionary: Dictionary) -> str:
    """The slot on whose rows a rule is asked that does not say it: that of its fields; "" where they have several."""
    wide = dictionary.wide()
    slots = {wide[name].slot for name in rule.named if name in wide} - {HEADER}
    return slots.pop() if len(slots) == 1 else HEADER if not slots else ""


def _of_form(form: Form, slots: set[str]) -> Iterator[str]:
    if not form.slots or not set(form.slots) <= slots or not form.optional <= set(form.slots):
        yield f"form {form.name} names slots that no record type has"
    elif form.optional >= set(form.slots) or not form.where_told <= form.optional:
        yield f"form {form.name} has no slot that it needs, or asks of one only where it is told"


def _is_field(field: Field) -> bool:
    return (
        WORD.fullmatch(field.name) is not None
        and field.type in get_args(FieldType)
        and field.sensitivity in CLASSES
        and set(field.required.values()) <= set(REQUIREMENTS)
        and (field.type == "pairs" or (field.type in _PICKS) == bool(field.values))
        and (field.hard is None or field.type in {"int", "decimal"})
        and set(field.codes) <= set(field.values)
        and set(field.values_fr) <= set(field.values)
        and set(field.missing) <= set(MISSING_REASONS) - {"NC"}
    )


def _is_rule(rule: Rule, dictionary: Dictionary, slots: set[str]) -> bool:
    wide = set(dictionary.wide())
    counted = {f"{slot}{COUNT}" for slot in slots}
    readable = wide | {f"{name}_missing" for name in wide} | counted
    # A rule may read only what it says it reads: otherwise "not evaluated" would be wrong.
    spoken = set(WORD.findall(re.sub(r"'[^']*'", "", rule.holds))) & readable
    unsaid = {name.removesuffix("_missing") if name not in wide else name for name in spoken} - set(rule.named)
    rows = [row for example in (*rule.passes, *rule.fails) for row in example]
    return (
        rule.severity in get_args(Severity)
        and rule.scope in get_args(Scope)
        and rule.absent in get_args(Absent)
        and rule.on in slots | {HEADER}
        and set(rule.named) <= wide | counted
        and rule.shows in rule.named
        and bool(rule.passes)
        and bool(rule.fails)
        and (not rule.window or rule.scope != "row")
        and (rule.after_days is None or rule.scope == "registry")
        and not unsaid
        and all(set(row) <= readable | set(DERIVED) | {"record", "form"} for row in rows)
    )
