"""Which values of a FHIR record bear the edit flag of vital records that says: out of the usual, and verified. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from swaddle.intake.readers.fhir_record import FhirRecord, Resource, objects, said, text_of

_VERIFIED = re.compile(r"1|1failedVerified|1correctOutOfRange|1dataQueried|editBypass1")
_FLAG = "bypasseditflag"
# LOINC code of an observation -> the fields that it fills (mappings/bfdr.toml), with what follows from them.
FIELDS = {
    "8339-4": ("birth_weight_g",),
    "11884-4": ("ga_weeks",),
    "57722-1": ("n_fetuses",),
    "8302-2": ("antenatal_height_cm", "antenatal_bmi"),
    "56077-1": ("antenatal_pre_preg_weight_kg", "antenatal_bmi"),
    "69461-2": ("delivery_weight_kg",),
    "68493-6": ("antenatal_prenatal_visits",),
    "68497-7": ("previous_cs",),
}
_MOTHERS = ("mother_birth_date", "mother_age_years")


def flags(resource: Resource) -> int:
    """How many values of a resource bear the flag."""
    return sum(1 for _ in _flagged(resource))


def verified_fields(record: FhirRecord) -> str:
    """The dictionary's fields whose values bear it, apart by semicolons."""
    names: dict[str, None] = {}
    for each in record.by_type.get("Observation", ()):
        if flags(each):
            for code in said(each.get("code")):
                names |= dict.fromkeys(FIELDS.get(code, ()))
    if any(element in {"_birthDate", "birthDate"} for element in _flagged(record.mother)):
        names |= dict.fromkeys(_MOTHERS)
    plural = any("multipleBirth" in element for element in _flagged(record.child))
    return ";".join([*names, *(["n_fetuses"] if plural and "n_fetuses" not in names else [])])


def _flagged(resource: Resource) -> Iterator[str]:
    """The elements of a resource that bear the flag, once for each."""
    for name, value in resource.items():
        for each in objects(value):
            for one in objects(each.get("extension")):
                if text_of(one, "url").casefold().endswith(_FLAG) and any(
                    _VERIFIED.fullmatch(code) for code in said(one.get("valueCodeableConcept"))
                ):
                    yield name
