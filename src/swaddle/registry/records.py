"""Which table holds which field: the dictionary's fields sorted into the three encrypted files. Pure.

A wide row (intake/tables.py) becomes a delivery and a birth (clinical), two persons (identifiers) and two data
subjects (subjects). What identifies directly (class D) lies in identifiers and nowhere else; the other two files hold
opaque ids.

    identifiers   persons     load_id, line, role, subject, every D field of that person
                  records     load_id, line, every D field of the delivery and the birth
                  reports     load_id, transfer, the quality report and the rejected rows as they came
    subjects      presence    load_id, transfer, submitter, subject, category, first, last
    clinical      deliveries  load_id, delivery, the delivery's fields, the mother's fields that do not identify
                  births      load_id, line, delivery, subjects, the birth's fields, the child's that do not identify
                  loads       load_id, transfer, …: the row that commits a load
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from swaddle.dictionary.model import Dictionary, WideField

MISSING = "_missing"
PERSON, DELIVERY, BIRTH = "person", "labour_birth_mother", "birth_child"


@dataclass(frozen=True)
class Placement:
    """The wide columns of each table, in the dictionary's order; after each value column its missing reason."""

    mother: tuple[str, ...]
    child: tuple[str, ...]
    records: tuple[str, ...]
    deliveries: tuple[str, ...]
    births: tuple[str, ...]

    def all(self) -> tuple[str, ...]:
        """The columns of all tables."""
        return self.mother + self.child + self.records + self.deliveries + self.births


def place(dictionary: Dictionary) -> Placement:
    """Sort the wide fields of a dictionary."""
    fields = dictionary.wide_fields()
    direct = [field for field in fields if field.field.sensitivity == "D"]
    others = [field for field in fields if field.field.sensitivity != "D"]
    return Placement(
        mother=_columns(field for field in direct if field.slot == "mother"),
        child=_columns(field for field in direct if field.slot == "child"),
        records=_columns(field for field in direct if field.record_type != PERSON),
        deliveries=_columns(field for field in others if field.slot == "mother" or field.record_type == DELIVERY),
        births=_columns(field for field in others if field.slot == "child" or field.record_type == BIRTH),
    )


def _columns(fields: Iterable[WideField]) -> tuple[str, ...]:
    return tuple(column for field in fields for column in (field.name, field.name + MISSING))
