"""What a dictionary says: fields, record types, checks and rules, each one object with its words and its fix.

Pure. The same objects make the SQL that checks a file (intake/plan.py) and the page that people read
(dictionary/publish.py), so the two cannot disagree.

A submitter's row is *wide*: it has the header's fields and those of one record or several, side by side in *slots*: the
mother as a person (`mother_…`), the child as a person (`child_…`), the delivery and the birth (bare names), a stay in
intensive care (`nicu_…`) and so on. Which slots a row has is its *form*. A field has one wide name, slot prefix and
name, in every form, layout, rule and report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

Severity = Literal["error", "warning", "review", "info"]
Scope = Literal["row", "file", "registry"]
FieldType = Literal[
    "text",  # any text, trimmed
    "name",  # a person's name or address: taken literally, NULL and NA are names
    "id",  # an identifier, trimmed
    "hcn",  # a health card number: spaces and hyphens go, trailing version letters go to hcn_version
    "postal",  # a postal code: upper case, one space
    "date",
    "datetime",
    "event",  # a date at any precision: 2024, 2024-11, 2024-11-02, 2024-11-02T09:30
    "int",
    "decimal",
    "code",
    "codes",  # several codes, separated by semicolons
    "yesno",
    "pairs",  # code=value, several separated by semicolons
]
Requirement = Literal["K", "R", "W", "C", "O"]  # key, answered, wanted, by a rule, optional
Absent = Literal["", "fails", "passes"]  # what a lookup that finds no record means; "" is not evaluated
Class = Literal["D", "Q", "C", "A"]  # direct identifier, quasi-identifier, clinical, administrative

HEADER = "header"  # the slot and the record type of the fields that every row has
EVENT = "event_date"
PERSONS = frozenset({"mother", "child", "person"})  # slots that hold a person
# The record types in the order in which sheets are taken in: a record can look up those of earlier types.
RECORD_TYPES = (
    "person",
    "fertility_cycle",
    "antenatal",
    "prenatal_screen",
    "labour_birth_mother",
    "birth_child",
    "postpartum_mother",
    "postpartum_child",
    "nicu_stay",
    "newborn_screen",
)

MISSING_REASONS: dict[str, str] = {
    "NI": "not asked",
    "ASKU": "asked, but unknown",
    "NA": "not applicable",
    "MSK": "withheld",
    "NC": "not carried by this layout (set by a mapping, never written in a file)",
}
REQUIREMENTS: dict[str, str] = {
    "K": "key: must have a value",
    "R": "must be answered: a value or a missing reason",
    "W": "wanted: left blank, it is a warning",
    "C": "required by a rule in some records",
    "O": "optional",
}
CLASSES: dict[str, str] = {
    "D": "direct identifier",
    "Q": "quasi-identifier",
    "C": "clinical",
    "A": "administrative",
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a record type.

    Attributes:
        name: the name in its record type.
        hard: lowest and highest possible value; outside is an error. None at either end is open.
        soft: lowest and highest usual value; outside is a warning.
        values: pick list, code to words; values_fr the same in French.
        codes: pick list, code to the code of `system`.
        system: the code system that `codes` are of.
        loinc: the LOINC code of what is observed.
        derived: an SQL expression over the wide row that stands in where no value is given; "" for none.
        missing: reasons that may stand in place of a value.
        required: requirement by slot; for the header by form, "" for every other form.
        mistaken_unit: a range that betrays another unit, with the words that say so.
    """

    name: str
    type: FieldType
    title: str
    text: str
    required: Mapping[str, Requirement]
    sensitivity: Class
    unit: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    hard: tuple[float | None, float | None] | None = None
    soft: tuple[float | None, float | None] | None = None
    mistaken_unit: tuple[float, float, str] | None = None
    mistaken_unit_fr: str = ""
    system: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    loinc: str = ""
    derived: str = ""
    missing: tuple[str, ...] = ("NI", "ASKU", "NA", "MSK")
    title_fr: str = ""
    text_fr: str = ""
    values_fr: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WideField:
    """A field in its slot of the wide row."""

    name: str
    slot: str
    record_type: str
    required: Requirement
    field: Field

    @property
    def title(self) -> str:
        """What people call it: "Mother's family name"."""
        whose = {"mother": "Mother's ", "child": "Child's "}.get(self.slot, "")
        title = self.field.title
        return whose + title[0].lower() + title[1:] if whose else title

    @property
    def title_fr(self) -> str:
        """The same in French: "Nom de famille de la mère"."""
        whose = {"mother": " de la mère", "child": " de l'enfant"}.get(self.slot, "")
        return (self.field.title_fr or self.field.title) + whose


@dataclass(frozen=True, kw_only=True)
class RecordType:
    """A kind of record and its fields. `slots` maps a slot to its prefix in the wide row."""

    name: str
    title: str
    text: str
    slots: Mapping[str, str]
    fields: tuple[Field, ...]
    title_fr: str = ""
    text_fr: str = ""


@dataclass(frozen=True, kw_only=True)
class Form:
    """What one row of a layout tells of.

    Attributes:
        slots: the slots of its row.
        optional: slots that make a record only where the layout carries a field of theirs.
        where_told: of these, the slots that make a record only of a row that tells anything of them.
        event: what event_date means in it.
        layout: name of the plain layout, whose columns bear the wide names.
        recognise: columns that a file of the plain layout must have beside the keys.
    """

    name: str
    title: str
    text: str
    event: str
    slots: tuple[str, ...]
    layout: str
    optional: frozenset[str] = frozenset()
    where_told: frozenset[str] = frozenset()
    recognise: tuple[str, ...] = ()
    title_fr: str = ""
    text_fr: str = ""
    event_fr: str = ""

    @property
    def chief(self) -> str:
        """The slot that it is about: the first required one that is no person, if any is."""
        needed = [each for each in self.slots if each not in self.optional]
        return next((each for each in needed if each not in PERSONS), needed[0])


@dataclass(frozen=True, kw_only=True)
class Check:
    """What is checked of a single field or of a row's form: words with `{title}` and the like, no condition of its own.

    The conditions are in intake/plan.py; a check without words here, or words without a check there, is a red test.
    """

    id: str
    severity: Severity
    scope: Scope
    text: str
    fix: str
    text_fr: str = ""
    fix_fr: str = ""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What must hold between fields of a row, or between rows of a file: check, words, fix and tests are one object.

    A rule is asked of every row whose form has its slot `on`. Names of other slots are columns of that row where the
    form has them; else the record that they belong to is looked up (intake/link.py) in the file and, by the registry,
    in the store.

    Attributes:
        on: the slot on whose rows it is asked; "header" asks it of every row.
        fields: wide fields that must be known; a row that lacks one is not evaluated (never False).
        reads: further wide fields, read whether known or not; the rule is off where a layout carries none of them.
        shows: the field whose value the finding shows.
        holds: an SQL expression over the wide row; with file scope it may look at other rows through `window`.
        window: the named window that a file rule's `holds` uses, "" for rules over one row. A row that stands alone in
            its window never breaks the rule: the check passes such rows over.
        passes: rows (file scope: lists of rows) on which it holds.
        fails: rows (file scope: lists of rows) on which it does not.
        absent: what it means where a record that it looks up is not there.
        after_days: asked by the registry only when so many days have passed since the event; None asks it at once.
    """

    id: str
    severity: Severity
    scope: Scope
    fields: tuple[str, ...]
    reads: tuple[str, ...]
    shows: str
    holds: str
    window: str
    text: str
    fix: str
    passes: tuple[tuple[Mapping[str, object], ...], ...]
    fails: tuple[tuple[Mapping[str, object], ...], ...]
    on: str = HEADER
    absent: Absent = ""
    after_days: int | None = None
    text_fr: str = ""
    fix_fr: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """The wide fields that it names, each once."""
        return tuple(dict.fromkeys((*self.fields, *self.reads)))


@dataclass(frozen=True)
class Dictionary:
    """One version: what a submission is checked against."""

    version: str
    header: RecordType
    record_types: tuple[RecordType, ...]
    forms: Mapping[str, Form]
    checks: Mapping[str, Check]
    rules: tuple[Rule, ...]

    def wide_fields(self, form: str | None = None) -> tuple[WideField, ...]:
        """Every field of a form's wide row: the header's, then slot by slot; without a form, those of every form."""
        return tuple(self.wide(form).values())

    def wide(self, form: str | None = None) -> Mapping[str, WideField]:
        """The wide fields by name."""
        if form not in self._wide:
            told = _wide_fields(self, self.forms[form] if form is not None else None)
            self._wide[form] = {each.name: each for each in told}
        return self._wide[form]

    @cached_property
    def _wide(self) -> dict[str | None, dict[str, WideField]]:
        """What `wide` has told already."""
        return {}

    def slots(self) -> Mapping[str, tuple[RecordType, str]]:
        """Slot to its record type and prefix."""
        return {slot: (each, prefix) for each in self.record_types for slot, prefix in each.slots.items()}


def _wide_fields(dictionary: Dictionary, form: Form | None) -> list[WideField]:
    told = [
        WideField(
            name=each.name,
            slot=HEADER,
            record_type=HEADER,
            required=each.required.get(form.name if form else "", each.required.get("", "O")),
            field=_of_form(each, form),
        )
        for each in dictionary.header.fields
    ]
    slots = dictionary.slots()
    for slot in slots if form is None else form.slots:
        record_type, prefix = slots[slot]
        told += [
            WideField(
                name=prefix + each.name,
                slot=slot,
                record_type=record_type.name,
                required=each.required[slot],
                field=each,
            )
            for each in record_type.fields
            if slot in each.required
        ]
    return told


def _of_form(field: Field, form: Form | None) -> Field:
    """A header field as this form means it: event_date is the birth of a birth, the admission of a stay."""
    if form is None or field.name != EVENT:
        return field
    return replace(field, title=form.event, title_fr=form.event_fr)
