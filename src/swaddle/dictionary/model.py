"""What a dictionary says: fields, record types, checks and rules, each one object with its words and its fix.

Pure. The same objects make the SQL that checks a file (intake/plan.py) and the page that people read
(dictionary/publish.py), so the two cannot disagree.

A submitter's row is *wide*: one row makes records of several types. Four slots hold them side by side: the mother as a
person (`mother_…`), the child as a person (`child_…`), the delivery and the birth (bare names).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
]
Requirement = Literal["K", "R", "W", "C", "O"]  # key, answered, wanted, by a rule, optional
Class = Literal["D", "Q", "C", "A"]  # direct identifier, quasi-identifier, clinical, administrative

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
        values: pick list, code to words.
        roles: for a person, the slots that have this field.
        required: requirement per role ("" where the record type has no roles).
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
    roles: tuple[str, ...] = ()
    mistaken_unit: tuple[float, float, str] | None = None
    system: str = ""


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


@dataclass(frozen=True, kw_only=True)
class RecordType:
    """A kind of record and its fields. `slots` maps a role to its prefix in the wide row."""

    name: str
    title: str
    text: str
    slots: Mapping[str, str]
    fields: tuple[Field, ...]


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


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What must hold between fields of a row, or between rows of a file: check, words, fix and tests are one object.

    Attributes:
        fields: wide fields that must be known; a row that lacks one is not evaluated (never False).
        reads: further wide fields, read whether known or not; the rule is off where a layout carries none of them.
        shows: the field whose value the finding shows.
        holds: an SQL expression over the wide row; with file scope it may look at other rows through `window`.
        window: the named window that a file rule's `holds` uses; "" for rules over one row.
        passes: rows (file scope: lists of rows) on which it holds.
        fails: rows (file scope: lists of rows) on which it does not.
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


@dataclass(frozen=True)
class Dictionary:
    """One version: what a submission is checked against."""

    version: str
    record_types: tuple[RecordType, ...]
    checks: Mapping[str, Check]
    rules: tuple[Rule, ...]

    def wide_fields(self) -> tuple[WideField, ...]:
        """Every field of the wide row, in the order of the data files."""
        return tuple(
            WideField(
                name=prefix + each.name,
                slot=role,
                record_type=record_type.name,
                required=each.required[role],
                field=each,
            )
            for record_type in self.record_types
            for role, prefix in record_type.slots.items()
            for each in record_type.fields
            if role in each.required
        )

    def wide(self) -> dict[str, WideField]:
        """The wide fields by name."""
        return {each.name: each for each in self.wide_fields()}
