"""HL7 v2, FHIR and other JSON: messages and resources as rows whose columns the format itself names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from swaddle.errors import FileFault
from swaddle.incident import columns_words as words
from swaddle.incident.scan_source import NotRead, Rows, Source, Table
from swaddle.intake.readers.fhir import documents
from swaddle.intake.readers.hl7 import BadMessage, Message, Segment, parse, part, repetitions
from swaddle.intake.readers.hl7_stream import Framing, decode, messages_of

_BLOCK = 500
_LIMIT_DEPTH = 40
# segment, field, component -> element, whose; HL7 v2.5.1 chapters 3 and 7. The mother of a newborn stands in NK1.
_HL7: tuple[tuple[str, int, int, str, str], ...] = (
    ("PID", 3, 1, words.RECORD_NUMBER, words.PATIENT), ("PID", 5, 1, words.FAMILY_NAME, words.PATIENT),
    ("PID", 5, 2, words.GIVEN_NAME, words.PATIENT), ("PID", 6, 1, words.FAMILY_NAME, words.CONTACT),
    ("PID", 7, 1, words.BIRTH_DATE, words.PATIENT), ("PID", 8, 1, words.SEX, words.PATIENT),
    ("PID", 10, 1, words.ORIGIN, words.PATIENT), ("PID", 11, 1, words.ADDRESS, words.PATIENT),
    ("PID", 11, 3, words.MUNICIPALITY, words.PATIENT), ("PID", 11, 5, words.POSTAL_CODE, words.PATIENT),
    ("PID", 13, 1, words.PHONE, words.PATIENT), ("PID", 18, 1, words.ACCOUNT_NUMBER, words.PATIENT),
    ("PID", 19, 1, words.NATIONAL_NUMBER, words.PATIENT), ("PID", 21, 1, words.RECORD_NUMBER, words.MOTHER),
    ("PID", 29, 1, words.DEATH_DATE, words.PATIENT),
    ("NK1", 2, 1, words.FAMILY_NAME, words.MOTHER), ("NK1", 2, 2, words.GIVEN_NAME, words.MOTHER),
    ("NK1", 4, 1, words.ADDRESS, words.MOTHER), ("NK1", 4, 5, words.POSTAL_CODE, words.MOTHER),
    ("NK1", 5, 1, words.PHONE, words.MOTHER), ("NK1", 16, 1, words.BIRTH_DATE, words.MOTHER),
    ("NK1", 33, 1, words.RECORD_NUMBER, words.MOTHER), ("NK1", 37, 1, words.NATIONAL_NUMBER, words.MOTHER),
    ("GT1", 3, 1, words.FAMILY_NAME, words.CONTACT), ("GT1", 5, 1, words.ADDRESS, words.CONTACT),
    ("IN1", 36, 1, words.POLICY_NUMBER, words.PATIENT), ("IN1", 49, 1, words.HEALTH_CARD, words.PATIENT),
    ("PV1", 44, 1, words.EVENT_DATE, words.PATIENT), ("OBR", 7, 1, words.EVENT_DATE, words.PATIENT),
    ("DG1", 3, 1, words.CLINICAL_CODE, words.PATIENT), ("OBX", 3, 1, words.CLINICAL_CODE, words.PATIENT),
    ("OBX", 5, 1, words.LAB_RESULT, words.PATIENT), ("NTE", 3, 1, words.NOTES, ""),
    ("PR1", 3, 1, words.BIRTH, words.PATIENT),
)  # fmt: skip
_CARD_TYPES = frozenset(["JHN", "HC", "PHN", "NH", "MC", "JHNON", "JHNBC"])
_HL7_CARD = len(_HL7) + 1


def hl7_tables(source: Source) -> Iterator[Table]:
    """One row for each message."""
    names = (*(f"{segment}-{number}.{component}" for segment, number, component, _, _ in _HL7), "PID-3 health card")
    known = {place: (element, whose) for place, (*_, element, whose) in enumerate(_HL7, start=1)}
    known[_HL7_CARD] = (words.HEALTH_CARD, words.PATIENT)
    spoilt = [0]

    def rows() -> Iterator[Rows]:
        framing, block = Framing(), Rows()
        for raw in messages_of(source.all(), framing):
            try:
                row = None if raw.check else _message(parse(decode(raw.data, framing)))
            except BadMessage:
                row = None
            if row is None:
                spoilt[0] += 1
            else:
                block.append(row)
            if len(block) >= _BLOCK:
                yield block
                block = Rows()
        if block:
            yield block

    yield Table("hl7", names, rows(), spoilt, known=known)


def _message(message: Message) -> list[str]:
    row = [""]
    for segment, number, component, _, _ in _HL7:
        found = message.named(segment)
        one = next(iter(found), None) if segment != "NK1" else _mother(message, found)
        row.append(message.text(one, number, component) if one is not None else "")
    card = ""
    for pid in message.named("PID")[:1]:
        for repetition in repetitions(pid, 3, message.delimiters):
            if part(repetition, message.delimiters, 5).upper() in _CARD_TYPES:
                card = card or part(repetition, message.delimiters, 1)
    return [*row, card]


def _mother(message: Message, found: list[Segment]) -> Segment | None:
    """The next of kin who is the mother, else the first."""
    return next(
        (each for each in found if message.text(each, 3, 1).upper() in {"MTH", "MOTHER"}), next(iter(found), None)
    )


_PERSONS = {"Patient": words.PATIENT, "RelatedPerson": words.CONTACT, "Person": words.PATIENT}
_FHIR = (
    (words.FAMILY_NAME, "name.family"), (words.GIVEN_NAME, "name.given"), (words.BIRTH_DATE, "birthDate"),
    (words.RECORD_NUMBER, "identifier.value"), (words.HEALTH_CARD, "identifier.value (health card)"),
    (words.ADDRESS, "address.line"), (words.MUNICIPALITY, "address.city"), (words.POSTAL_CODE, "address.postalCode"),
    (words.PHONE, "telecom.phone"), (words.EMAIL, "telecom.email"), (words.SEX, "gender"),
    (words.EVENT_DATE, "date of event"),
)  # fmt: skip
_CARE = {
    "Observation": words.LAB_RESULT, "Condition": words.CLINICAL_CODE, "Procedure": words.BIRTH,
    "Encounter": words.EVENT_DATE,
    "DiagnosticReport": words.LAB_RESULT, "MedicationRequest": words.RISK, "MedicationStatement": words.RISK,
    "Immunization": words.RISK, "AllergyIntolerance": words.RISK, "Coverage": words.POLICY_NUMBER,
}  # fmt: skip
_EVENTS = ("effectiveDateTime", "performedDateTime", "issued", "recordedDate", "authoredOn", "date")


def json_tables(source: Source) -> Iterator[Table]:
    """FHIR: a row for each patient and each person related to one. Other JSON: a row for each object.

    Raises:
        NotRead: no JSON, or a document that is too large.
    """
    fd, size = source.in_memory()
    try:
        kinds: dict[str, list[Table]] = {}
        spoilt = [0]
        found = _walked(fd, size, spoilt)
        yield from _kept(found, spoilt, kinds)
    except FileFault as fault:
        raise NotRead(str(fault.lines()[1])) from None
    finally:
        os.close(fd)


def _kept(
    found: Iterator[tuple[str, list[str] | dict[str, str]]], spoilt: list[int], _: dict[str, list[Table]]
) -> Iterator[Table]:
    """Tables of the rows, some thousand at a time: persons of FHIR, and each form of other objects."""
    fhir: dict[str, list[list[str]]] = {words.MOTHER: [], words.CHILD: [], words.PATIENT: [], words.CONTACT: []}
    plain: dict[tuple[str, ...], list[dict[str, str]]] = {}
    care: set[str] = set()
    count = 0
    for kind, row in found:
        if isinstance(row, dict):
            plain.setdefault(tuple(sorted(row)) if len(plain) > 30 else ("any",), []).append(row)
        elif kind == "care":
            care.add(row[0])
        else:
            fhir[kind].append(row)
        count += 1
        if count >= 20_000:
            yield from _tables(fhir, plain, care, spoilt)
            count, plain = 0, {}
            for each in fhir.values():
                each.clear()
    yield from _tables(fhir, plain, care, spoilt)


def _tables(
    fhir: dict[str, list[list[str]]],
    plain: dict[tuple[str, ...], list[dict[str, str]]],
    care: set[str],
    spoilt: list[int],
) -> Iterator[Table]:
    names = tuple(name for _, name in _FHIR)
    for whose, rows in fhir.items():
        if rows or (care and whose == words.PATIENT):
            known = {place: (element, whose) for place, (element, _) in enumerate(_FHIR, start=1)}
            extra = sorted(care) if whose == words.PATIENT else []
            known |= {len(_FHIR) + 1 + at: (element, whose) for at, element in enumerate(extra)}
            width = len(_FHIR) + len(extra)
            filled: Rows = [[*row, *["1"] * (width + 1 - len(row))] for row in rows]
            yield Table("fhir", (*names, *extra), iter([filled] if filled else []), spoilt, known=known)
    for objects in plain.values():
        columns = list(dict.fromkeys(name for each in objects for name in each))[:2000]
        table: Rows = [["", *(each.get(name, "") for name in columns)] for each in objects]
        yield Table("json", tuple(columns), iter([table]), spoilt)


def _walked(fd: int, size: int, spoilt: list[int]) -> Iterator[tuple[str, list[str] | dict[str, str]]]:
    for document in documents(fd, size):
        if document.check:
            spoilt[0] += 1
            continue
        values = document.value if isinstance(document.value, list) else [document.value]
        for value in values:
            resources = list(_resources(value, 0))
            if resources:
                latest = max((day for each in resources for day in _dates(each)), default="")
                for each in resources:
                    yield from _resource(each, latest)
            elif isinstance(value, dict):
                yield "plain", dict(_flat(value, "", 0))
            else:
                spoilt[0] += 1


def _resources(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Every resource within a value, in bundles and contained ones too."""
    if depth > _LIMIT_DEPTH:
        return
    if isinstance(value, dict):
        if isinstance(value.get("resourceType"), str):
            yield value
        for name in ("entry", "contained", "resource", "parameter"):
            if name in value:
                yield from _resources(value[name], depth + 1)
    elif isinstance(value, list):
        for each in value:
            yield from _resources(each, depth + 1)


def _dates(resource: dict[str, Any]) -> list[str]:
    return [each[:10] for name in _EVENTS if isinstance(each := resource.get(name), str)]


def _resource(resource: dict[str, Any], latest: str) -> Iterator[tuple[str, list[str] | dict[str, str]]]:
    kind = resource["resourceType"]
    if kind in _CARE:
        yield "care", [_CARE[kind]]
    whose = _PERSONS.get(kind)
    if whose is None:
        return
    profile = json.dumps(resource.get("meta", {})).casefold() + json.dumps(resource.get("relationship", "")).casefold()
    if "child" in profile and kind == "Patient":
        whose = words.CHILD
    elif "mother" in profile or "mth" in profile:
        whose = words.MOTHER
    yield whose, _person(resource, latest)


def _person(resource: dict[str, Any], latest: str) -> list[str]:
    names, addresses, telecoms = (_dicts(resource.get(each)) for each in ("name", "address", "telecom"))
    name, address = next(iter(names), {}), next(iter(addresses), {})
    numbers = _dicts(resource.get("identifier"))
    cards = [
        each
        for each in numbers
        if any(word in json.dumps(each).casefold() for word in ("jhn", "health-card", "nhs-number", "hcn", "phn"))
    ]
    others = [each for each in numbers if each not in cards]

    def telecom(system: str) -> str:
        return next((_text(each.get("value")) for each in telecoms if each.get("system") == system), "")

    return ["", _text(name.get("family")), _text(name.get("given")), _text(resource.get("birthDate")),
            _text(next(iter(others), {}).get("value")), _text(next(iter(cards), {}).get("value")),
            _text(address.get("line")),
            _text(address.get("city")), _text(address.get("postalCode")), telecom("phone"), telecom("email"),
            _text(resource.get("gender")), latest]  # fmt: skip


def _dicts(value: Any) -> list[dict[str, Any]]:
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, dict)]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(_text(each) for each in value)
    return value if isinstance(value, str) else ""


def _flat(value: dict[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for name, each in value.items():
        full = f"{prefix}{name}"
        if isinstance(each, dict) and depth < 8:
            yield from _flat(each, f"{full}.", depth + 1)
        elif isinstance(each, list):
            yield full, ";".join(str(one) for one in each if isinstance(one, str | int))[:1000]
        elif each is not None:
            yield full, str(each)
