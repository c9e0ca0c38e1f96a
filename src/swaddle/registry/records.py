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


def place(dictionary: Dictionary) -> Placement:
    """Sort the wide fields of a dictionary."""
    fields = dictionary.wide_fields()
    return Placement(
        mother=_columns(f for f in fields if _identifies(f) and f.slot == "mother"),
        child=_columns(f for f in fields if _identifies(f) and f.slot == "child"),
        records=_columns(f for f in fields if _identifies(f) and f.record_type != PERSON),
        deliveries=_columns(f for f in fields if not _identifies(f) and (f.slot == "mother" or f.record_type == DELIVERY)),
        births=_columns(f for f in fields if not _identifies(f) and (f.slot == "child" or f.record_type == BIRTH)),
    )


def _identifies(field: WideField) -> bool:
    return field.field.sensitivity == "D"


def _columns(fields: Iterable[WideField]) -> tuple[str, ...]:
    return tuple(column for field in fields for column in (field.name, field.name + MISSING))
