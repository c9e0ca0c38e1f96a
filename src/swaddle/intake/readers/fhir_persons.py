"""What a FHIR record says of mother and child where one place is not enough: age, card, anomalies, role. Pure."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from swaddle.intake.readers.fhir_kinds import version_of
from swaddle.intake.readers.fhir_places import DEAD, NONE, none_of
from swaddle.intake.readers.fhir_record import FhirRecord, Resource, objects, said, text_of
from swaddle.intake.readers.fhir_values import is_code, measured, shown

ANOMALIES = "73780-9"  # LOINC: congenital anomalies of the newborn
_CARDS = frozenset(["JHN", "HC", "NH", "NHS"])  # HL7 v2 table 0203
_ISSUER = re.compile(r"(?:^|/)ca-([a-z]{2})-patient|(nhs-number)$", re.IGNORECASE)
_UNSURE = frozenset(["unconfirmed", "provisional", "differential"])  # of a condition's verificationStatus
_YEAR_DAYS = 366


def reported_age(record: FhirRecord) -> str:
    """The mother's age in years at the delivery, as vital records report it on the child; "" where they do not."""
    for each in objects(record.child.get("extension")):
        if "reported-parent-age" not in text_of(each, "url"):
            continue
        parts = {text_of(one, "url").rsplit("/", 1)[-1]: one for one in objects(each.get("extension"))}
        whose, age = parts.get("motherOrFather", {}), parts.get("reportedAge", {})
        if "MTH" in said(whose.get("valueCodeableConcept")):
            return measured(age.get("valueQuantity"), "a")
    return ""


def health_card(person: Resource) -> tuple[str, str]:
    """The number of a person's health card and who issued it, as the identifier's type or system tells."""
    for each in objects(person.get("identifier")):
        issuer = _ISSUER.search(text_of(each, "system"))
        if issuer is not None or is_code(each.get("type"), _CARDS):
            by = "" if issuer is None else "NHS" if issuer[2] else issuer[1].upper()
            return text_of(each, "value"), by
    return "", ""


def anomalies(record: FhirRecord, *, suspected: bool) -> str:
    """Codes of the child's anomalies, apart by semicolons: the confirmed ones, or those that are only suspected."""
    found: dict[str, None] = {}
    for each in record.by_type.get("Condition", ()):
        if ANOMALIES not in said(each.get("category")) or is_code(each.get("verificationStatus"), DEAD | {"refuted"}):
            continue
        code = shown(each.get("code"))
        if code and not code.startswith("?") and _is_suspected(each) is suspected:
            found[code.replace(";", ",")] = None
    if not found and not suspected and none_of(ANOMALIES, record):
        return NONE
    return ";".join(found)


def _is_suspected(condition: Resource) -> bool:
    """Unconfirmed by its status, or resting on a test that is still pending."""
    evidence = [one for each in objects(condition.get("evidence")) for one in objects(each.get("code"))]
    pending = any("pending" in text_of(each, "text").casefold() for each in evidence)
    return pending or is_code(condition.get("verificationStatus"), _UNSURE)


def role_of(record: FhirRecord) -> str:
    """`child` where the age tells it, "" where nothing does."""
    return "child" if is_infant(record) else ""


def is_infant(record: FhirRecord) -> bool:
    """Whether the patient was under a year old when the message was made, as far as it says."""
    born, made = _day(record.child.get("birthDate")), version_of(record)
    return born is not None and len(made) == 14 and 0 <= (date.fromisoformat(made[:8]) - born).days <= _YEAR_DAYS


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
