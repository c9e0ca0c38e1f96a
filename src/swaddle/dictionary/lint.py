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
_CODE = re.compile(r"[A-Za-z0-9_]{1,64}")  # they go into expressions as they are
_LAYOUT = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


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
        yield from (f"field {each.name}: {fault}" for fault in _of_field(each.field))
    seen: set[tuple[str, str]] = set()
    for rule in dictionary.rules:
        if (rule.id, rule.shows) in seen or rule.id in dictionary.checks:
            yield f"rule {rule.id} stands twice"
        seen.add((rule.id, rule.shows))
        yield from (f"rule {rule.id}: {fault}" for fault in _of_rule(rule, dictionary, set(slots)))


def slot_of(rule: Rule, dictionary: Dictionary) -> str:
    """The slot on whose rows a rule is asked that does not say it: that of its fields; "" where they have several."""
    wide = dictionary.wide()
    slots = {wide[name].slot for name in rule.named if name in wide} - {HEADER}
    return slots.pop() if len(slots) == 1 else HEADER if not slots else ""


def _of_form(form: Form, slots: set[str]) -> Iterator[str]:
    if not WORD.fullmatch(form.name) or not _LAYOUT.fullmatch(form.layout):
        yield f"form {form.name}: its name is a word, its layout words with hyphens"
    if not form.slots or not set(form.slots) <= slots or not form.optional <= set(form.slots):
        yield f"form {form.name} names slots that no record type has"
    elif form.optional >= set(form.slots) or not form.where_told <= form.optional:
        yield f"form {form.name} has no slot that it needs, or asks of one only where it is told"


def _of_field(field: Field) -> Iterator[str]:
    needs_list = field.type in _PICKS
    has_range = field.hard is not None or field.soft is not None
    told = {
        "its name is no lower-case word": WORD.fullmatch(field.name) is not None,
        f"there is no type {field.type}": field.type in get_args(FieldType),
        f"there is no class {field.sensitivity}": field.sensitivity in CLASSES,
        "required is one of K, R, W, C, O": set(field.required.values()) <= set(REQUIREMENTS),
        "a code field has a pick list, and no other": field.type == "pairs" or needs_list == bool(field.values),
        "a code is letters, digits and underscores": all(map(_CODE.fullmatch, field.values)),
        "only a number has a range": not has_range or field.type in {"int", "decimal"},
        "codes of a system for codes that it does not have": set(field.codes) <= set(field.values),
        "French for codes that it does not have": set(field.values_fr) <= set(field.values),
        "a missing reason that there is not": set(field.missing) <= set(MISSING_REASONS) - {"NC"},
    }
    yield from (fault for fault, holds in told.items() if not holds)


def _of_rule(rule: Rule, dictionary: Dictionary, slots: set[str]) -> Iterator[str]:
    wide = set(dictionary.wide())
    counted = {f"{slot}{COUNT}" for slot in slots}
    readable = wide | {f"{name}_missing" for name in wide} | counted
    # A rule may read only what it says it reads: otherwise "not evaluated" would be wrong.
    spoken = set(WORD.findall(re.sub(r"'[^']*'", "", rule.holds))) & readable
    unsaid = {name.removesuffix("_missing") if name not in wide else name for name in spoken} - set(rule.named)
    unknown = set(rule.named) - wide - counted
    rows = [row for example in (*rule.passes, *rule.fails) for row in example]
    strange = {name for row in rows for name in row} - readable - set(DERIVED) - {"record", "form"}
    told = {
        f"there is no severity {rule.severity}": rule.severity in get_args(Severity),
        f"there is no scope {rule.scope}": rule.scope in get_args(Scope),
        "absent is fails, passes or nothing": rule.absent in get_args(Absent),
        "say by `on` in which slot it is asked": rule.on in slots | {HEADER},
        f"there is no field {', '.join(sorted(unknown))}": not unknown,
        f"it reads {', '.join(sorted(unsaid))} and does not say so under fields or reads": not unsaid,
        "shows is none of its fields": rule.shows in rule.named,
        "it needs a case that passes and one that fails": bool(rule.passes) and bool(rule.fails),
        f"its cases have what is no field: {', '.join(sorted(strange))}": not strange,
        "a rule over one row has no window": not rule.window or rule.scope != "row",
        "only a rule of the registry waits (after_days)": rule.after_days is None or rule.scope == "registry",
    }
    yield from (fault for fault, holds in told.items() if not holds)
