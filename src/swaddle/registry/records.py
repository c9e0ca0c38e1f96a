"""Which table holds which field: the dictionary's fields sorted into the three encrypted files. Pure.

A wide row (intake/tables.py) becomes one row of stored_rows, a record in the table of each record type that it tells
of, persons (identifiers) and data subjects (subjects). What identifies directly (class D) lies in identifiers and
nowhere else; the other two files hold opaque ids.

    identifiers   persons      load_id, line, role, subject, every D field of that person
                  records      load_id, line, every D field of the records
                  reports      load_id, transfer, the quality report and the rejected rows as they came
                  issued       transfer, submitter, the report on it, byte for byte as it was sent
    subjects      presence     load_id, transfer, submitter, subject, category, first, last
    clinical      superseded   load_id, line of a row that no longer counts, and the load that came over it
                  stored_rows  load_id, line: what became of the row, its number and version, who it is about; the
                               header's and the persons' fields that do not identify
                  deliveries, births, antenatal, …   load_id, line, the record's fields that do not identify
                  directives   load_id, line, subject, what that person asked about the use of their data, and when
                  warnings     load_id, line of the warnings on stored rows, with a digest of what was looked at
                  answers      those that their submitter has answered, for that value
                  waiting      records for which another one did not come in time, and what ended the wait
                  alerts       babies whose care cannot wait, told to their hospital, and what ended it
                  reviews      findings that somebody in the registry looks at, like warnings
                  decisions    what a person decided about one, for that value
                  snapshots    what counted in a period at a moment, and up to which load
                  loads        load_id, transfer, …: the row that commits a load
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from swaddle.dictionary.model import HEADER, Dictionary, WideField

MISSING = "_missing"
PERSON, DELIVERY, BIRTH = "person", "labour_birth_mother", "birth_child"

# The table of each record type that has one of its own; persons and the header lie in stored_rows.
TABLES: Mapping[str, str] = {
    "fertility_cycle": "cycles",
    "antenatal": "antenatal",
    "prenatal_screen": "prenatal_screens",
    DELIVERY: "deliveries",
    BIRTH: "births",
    "postpartum_mother": "postpartum_mothers",
    "postpartum_child": "postpartum_children",
    "nicu_stay": "nicu_stays",
    "newborn_screen": "newborn_screens",
}
ROLES = ("mother", "child", "person")


@dataclass(frozen=True)
class Placement:
    """The wide columns of each table, in the dictionary's order; after each value column its missing reason.

    Attributes:
        persons: role to what identifies that person.
        records: what else identifies.
        header: the row's own fields that do not identify.
        plain: role to the fields of that person that do not identify.
        types: record type to its fields that do not identify.
    """

    persons: Mapping[str, tuple[str, ...]]
    records: tuple[str, ...]
    header: tuple[str, ...]
    plain: Mapping[str, tuple[str, ...]]
    types: Mapping[str, tuple[str, ...]]

    @property
    def rows(self) -> tuple[str, ...]:
        """The columns of stored_rows."""
        return self.header + tuple(column for role in ROLES for column in self.plain[role])

    def all(self) -> tuple[str, ...]:
        """The columns of all tables."""
        groups = (*self.persons.values(), self.records, self.rows, *self.types.values())
        return tuple(column for group in groups for column in group)


def place(dictionary: Dictionary) -> Placement:
    """Sort the wide fields of a dictionary."""
    fields = dictionary.wide_fields()
    direct = [field for field in fields if field.field.sensitivity == "D"]
    others = [field for field in fields if field.field.sensitivity != "D"]
    return Placement(
        persons={role: _columns(each for each in direct if each.slot == role) for role in ROLES},
        records=_columns(each for each in direct if each.record_type != PERSON),
        header=_columns(each for each in others if each.slot == HEADER),
        plain={role: _columns(each for each in others if each.slot == role) for role in ROLES},
        types={name: _columns(each for each in others if each.record_type == name) for name in TABLES},
    )


def _columns(fields: Iterable[WideField]) -> tuple[str, ...]:
    return tuple(column for field in fields for column in (field.name, field.name + MISSING))
