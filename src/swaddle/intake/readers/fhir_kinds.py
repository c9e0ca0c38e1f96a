"""What a FHIR record is to the registry: a birth, a screen, a person, a reply; new, a correction or taken back. Pure.

Tables: the events of vital records' messaging (NVSS FHIR messaging), of HL7 v2 messages turned into FHIR (table 0003),
the documents of Birth and Fetal Death Reporting (LOINC), and what gives other versions of FHIR away.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from swaddle.intake.readers.fhir_record import FhirRecord, Resource, objects, said, text_of
from swaddle.intake.readers.fhir_values import shown
from swaddle.intake.readers.hl7_kinds import CARD, PANELS
from swaddle.intake.readers.hl7_screen import INTERPRETATIONS

LIVE_BIRTH, FETAL_DEATH = frozenset(["92011-6", "68998-4"]), frozenset(["92010-8", "69045-3"])
LIMIT_BLOCK = 1000  # certificates that one void may take back


class Kind(StrEnum):
    """What a record is read as."""

    BIRTH = "birth"
    SCREEN = "newborn_screen"
    PERSON = "person"
    UNCODED = "laboratory message without any code"
    ACKNOWLEDGEMENT = "acknowledgement"
    ERROR = "error"
    STATUS = "status"
    CODING = "coding"
    UNKNOWN_MESSAGE = "message of an unknown kind"
    OTHER = "something else"


REPLIES = frozenset([Kind.ACKNOWLEDGEMENT, Kind.ERROR, Kind.STATUS, Kind.CODING])
# The end of an event's URI, without what it is about (birth_, fd_, fetal_death_, bfdr_) -> kind and action.
_EVENTS: dict[str, tuple[Kind, str]] = {
    "submission": (Kind.BIRTH, "new"),
    "submission_update": (Kind.BIRTH, "replace"),
    "submission_void": (Kind.BIRTH, "void"),
    "acknowledgement": (Kind.ACKNOWLEDGEMENT, ""),
    "acknowledgment": (Kind.ACKNOWLEDGEMENT, ""),
    "extraction_error": (Kind.ERROR, ""),
    "error": (Kind.ERROR, ""),
    "status": (Kind.STATUS, ""),
    "demographics_coding": (Kind.CODING, ""),
    "demographics_coding_update": (Kind.CODING, ""),
    "coded_cause": (Kind.CODING, ""),
    "causeofdeath_coding": (Kind.CODING, ""),
    "causeofdeath_coding_update": (Kind.CODING, ""),
    "cause_of_death_coding": (Kind.CODING, ""),
    "cause_of_death_coding_update": (Kind.CODING, ""),
    "industry_occupation_coding": (Kind.CODING, ""),
    "industryoccupation_coding": (Kind.CODING, ""),
    "industry_occupation_coding_update": (Kind.CODING, ""),
}
_ABOUT = re.compile(r"(?:bfdr|birth|natality|fd|fetal_?-?death)(?:_record)?_(.+)")
_ORDERS = frozenset(["O01", "O21", "O27", "O33", "O19"])
_RESULTS = frozenset(["R01", "R21", "R22", "R40", "R42"])
_PERSONS = re.compile(r"A(?:0[1-9]|[1-5][0-9]|6[0-2])")
_HL7_TIME = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})?([0-9]{2})?(?:\.[0-9]+)?([+-][0-9]{4})?")
_NUMBERED = re.compile(r"([0-9]{4})-?([A-Za-z]{2})-?([0-9]{1,6})")
_WORDS = re.compile(
    r"new\s?born.{0,30}screen|\bnb\s?screen|neonatal.{0,20}screen|newborn.{0,20}metabolic|metabolic.{0,12}screen",
    re.IGNORECASE,
)
_TAKEN_BACK, _CORRECTED = frozenset(["cancelled", "entered-in-error", "revoked"]), frozenset(["amended", "corrected"])

# Elements that only another version of FHIR has: (resource, element, its shape or "" for any) -> that version.
_ELSEWHERE: dict[tuple[str, str, str], str] = {
    ("Encounter", "class", "list"): "R5",
    ("Encounter", "actualPeriod", ""): "R5",
    ("Encounter", "admission", ""): "R5",
    ("Encounter", "subjectStatus", ""): "R5",
    ("Composition", "subject", "list"): "R5",
    ("Composition", "useContext", ""): "R5",
    ("Procedure", "occurrenceDateTime", ""): "R5",
    ("Procedure", "occurrencePeriod", ""): "R5",
    ("Observation", "triggeredBy", ""): "R5",
    ("Observation", "bodyStructure", ""): "R5",
    ("DiagnosticReport", "supportingInfo", ""): "R5",
    ("Condition", "participant", ""): "R5",
    ("Bundle", "issues", ""): "R5",
    ("Coverage", "insurer", ""): "R5",
    ("Composition", "class", ""): "STU3",
    ("Condition", "clinicalStatus", "str"): "STU3",
    ("Condition", "verificationStatus", "str"): "STU3",
    ("Condition", "context", ""): "STU3",
    ("Condition", "patient", ""): "DSTU2",
    ("Condition", "dateRecorded", ""): "DSTU2",
    ("DiagnosticReport", "codedDiagnosis", ""): "STU3",
    ("DiagnosticReport", "context", ""): "STU3",
    ("Encounter", "patient", ""): "DSTU2",
    ("Encounter", "indication", ""): "DSTU2",
    ("MessageHeader", "event", ""): "STU3",
    ("MessageHeader", "timestamp", ""): "STU3",
    ("Observation", "related", ""): "STU3",
    ("Observation", "comment", ""): "STU3",
    ("Observation", "context", ""): "STU3",
    ("Observation", "comments", ""): "DSTU2",
    ("Patient", "animal", ""): "STU3",
    ("Patient", "careProvider", ""): "DSTU2",
    ("Practitioner", "name", "dict"): "DSTU2",
    ("Procedure", "notDone", ""): "STU3",
    ("Procedure", "notPerformed", ""): "DSTU2",
    ("Procedure", "context", ""): "STU3",
    ("RelatedPerson", "relationship", "dict"): "STU3",
}
_TYPES_ELSEWHERE: dict[str, str] = {
    **dict.fromkeys(["DiagnosticOrder", "MedicationOrder", "DeviceUseRequest", "OrderResponse", "Order"], "DSTU2"),
    **dict.fromkeys(["ProcedureRequest", "ReferralRequest", "BodySite", "DataElement", "Sequence"], "STU3"),
    **dict.fromkeys(["Transport", "Permission", "GenomicStudy", "ImagingSelection", "EncounterHistory"], "R5"),
    **dict.fromkeys(["DeviceAssociation", "DeviceDispense", "InventoryItem", "Requirements", "ActorDefinition"], "R5"),
}
_STATED = re.compile(
    r"hl7\.org/fhir/(DSTU2|STU3|[1-6]\.[0-9])/StructureDefinition/|StructureDefinition/[A-Za-z]+\|([1-6]\.[0-9])"
)
_SAME = frozenset(["4.0", "4.1", "4.3"])


def other_version(record: FhirRecord) -> str:
    """What gives away another version of FHIR than R4, such as `R5: Encounter.admission`; "" where nothing does."""
    bundles = [each for each in (record.message, record.bundle) if each]
    for each in (*bundles, *record.outer, *record.resources):
        if found := _elsewhere(each):
            return found
    return ""


def _elsewhere(resource: Resource) -> str:
    kind = text_of(resource, "resourceType")
    if kind in _TYPES_ELSEWHERE:
        return f"{_TYPES_ELSEWHERE[kind]}: {kind}"
    for element, value in resource.items():
        for shape in ("", type(value).__name__):
            if (version := _ELSEWHERE.get((kind, element, shape))) is not None:
                return f"{version}: {kind}.{element}"
    stated = text_of(resource, "fhirVersion")
    if stated and stated[:3] not in _SAME:
        return f"{stated[:8]}: fhirVersion"
    meta = resource.get("meta")
    for each in meta.get("profile") or () if isinstance(meta, dict) else ():
        found = _STATED.search(each) if isinstance(each, str) and "hl7.org/fhir/" in each else None
        if found is not None and "/us/" not in each and (found[1] or found[2]) not in _SAME:
            return f"{found[1] or found[2]}: {kind}.meta.profile"
    return ""


def changes_meaning(record: FhirRecord) -> str:
    """A resource with rules or a modifier that must be understood and is not: FHIR forbids reading on. "" if none."""
    for each in (*record.outer, *record.resources):
        if each.get("modifierExtension"):
            return f"{text_of(each, 'resourceType')}.modifierExtension"
        if each.get("implicitRules"):
            return f"{text_of(each, 'resourceType')}.implicitRules"
    return ""


def kind_of(record: FhirRecord) -> tuple[Kind, str]:
    """What the record is read as, and the action that its event names ("" where the record itself must say)."""
    code = event_of(record)
    if code:
        return _by_event(code, record)
    if is_birth(record):
        return Kind.BIRTH, ""
    if is_screening(record):
        return Kind.SCREEN, ""
    kinds = set(record.by_type)
    if "Patient" in kinds and not kinds & {"DiagnosticReport", "ServiceRequest", "Composition"}:
        return Kind.PERSON, ""
    return Kind.OTHER, ""


def _by_event(code: str, record: FhirRecord) -> tuple[Kind, str]:
    about = _ABOUT.fullmatch(code.casefold().replace("-", "_"))
    if about is not None:
        return _EVENTS.get(about[1], (Kind.UNKNOWN_MESSAGE, ""))
    if code in _ORDERS | _RESULTS:
        if is_screening(record):
            return Kind.SCREEN, ""
        return (Kind.UNCODED, "new") if is_uncoded(record) else (Kind.OTHER, "")
    if _PERSONS.fullmatch(code):
        return Kind.PERSON, {"A29": "void", "A08": "replace", "A31": "replace"}.get(code, "new")
    return Kind.UNKNOWN_MESSAGE, ""


def event_of(record: FhirRecord) -> str:
    """The event of the message: the end of its URI, or its code; "" where there is no message."""
    header = record.header
    uri = text_of(header, "eventUri").rstrip("/").rsplit("/", 1)[-1]
    coding = header.get("eventCoding")
    return uri or (text_of(coding, "code") if isinstance(coding, dict) else "")


def is_birth(record: FhirRecord) -> bool:
    """Whether it holds a report of a live birth or of a fetal death."""
    return bool(said(record.composition.get("type")) & (LIVE_BIRTH | FETAL_DEATH)) or bool(
        re.search("(live-birth|fetal-death)-report", _profiles(record))
    )


def _profiles(record: FhirRecord) -> str:
    meta = record.composition.get("meta")
    names = meta.get("profile") or () if isinstance(meta, dict) else ()
    return " ".join(each for each in names if isinstance(each, str))


def is_screening(record: FhirRecord) -> bool:
    """Whether it is about a newborn's blood spot: by a panel's code or words, or by an observation of the card."""
    for kind in ("DiagnosticReport", "ServiceRequest"):
        for each in record.by_type.get(kind, ()):
            code = each.get("code")
            if said(code) & PANELS or _WORDS.search(_words(code)):
                return True
    return any(said(each.get("code")) & (CARD | INTERPRETATIONS) for each in record.by_type.get("Observation", ()))


def is_uncoded(record: FhirRecord) -> bool:
    """Whether a laboratory's message bears no code at all, so that nobody can say what was ordered or found.

    HL7 v2 messages lose their codes so, on the way into FHIR, where a sender wrote them in another place.
    """
    return bool(record.child) and not any(
        said(each.get("code")) or _words(each.get("code"))
        for kind in ("DiagnosticReport", "ServiceRequest", "Observation")
        for each in record.by_type.get(kind, ())
    )


def _words(concept: Any) -> str:
    if not isinstance(concept, dict):
        return ""
    return " ".join([text_of(concept, "text"), *(text_of(each, "display") for each in objects(concept.get("coding")))])


def action_of(record: FhirRecord, kind: Kind, named: str) -> str:
    """`new`, `replace` or `void`: by the message's event, else by the status of the report."""
    if named:
        return named
    if kind is Kind.SCREEN:
        reports = [text_of(each, "status") for each in record.by_type.get("DiagnosticReport", ())]
        if not reports:
            orders = [text_of(each, "status") for each in record.by_type.get("ServiceRequest", ())]
            return "void" if orders and set(orders) <= _TAKEN_BACK else "new"
        if set(reports) <= _TAKEN_BACK:
            return "void"
        return "replace" if set(reports) & _CORRECTED else "new"
    status = text_of(record.composition, "status")
    replaced = any(
        "replace" in text_of(each, "url").casefold() and "updated" in str(shown(_value(each))).casefold()
        for each in objects(record.composition.get("extension"))
    )
    return "void" if status in _TAKEN_BACK else "replace" if status in _CORRECTED or replaced else "new"


def _value(extension: Resource) -> Any:
    return next((value for key, value in extension.items() if key.startswith("value")), None)


def version_of(record: FhirRecord) -> str:
    """When the message or the report was made, in UTC, as a number that grows; "" where it does not say."""
    candidates: list[Any] = [each.get("timestamp") for each in (record.message, record.bundle)]
    candidates += [_message_time(record.header), record.composition.get("date")]
    candidates += [each.get("issued") for each in record.by_type.get("DiagnosticReport", ())]
    for each in candidates:
        if isinstance(each, str) and (moment := _instant(each)) is not None:
            return moment.strftime("%Y%m%d%H%M%S")
    return ""


def _message_time(header: Resource) -> str:
    """MSH-7 of an HL7 v2 message turned into FHIR, as its makers keep it."""
    for each in objects(header.get("extension")):
        for one in objects(each.get("extension")):
            found = _HL7_TIME.fullmatch(text_of(one, "valueString")) if text_of(one, "url") == "MSH.7" else None
            if found is not None:
                year, month, day, hour, minute, second, offset = found.groups()
                return f"{year}-{month}-{day}T{hour}:{minute or '00'}:{second or '00'}{offset or ''}"
    return ""


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def keys_of(record: FhirRecord) -> list[str]:
    """The numbers of the certificates it is about: year, jurisdiction, number; several only where a block is voided.

    An empty list: the block is none, or longer than LIMIT_BLOCK. [""]: it does not say its number.
    """
    said_by = record.parameters
    number, year, place = said_by.get("cert_no", ""), said_by.get("event_year", ""), said_by.get("jurisdiction_id", "")
    if number.isascii() and number.isdigit() and year and place:
        count = said_by.get("block_count", "1") if "void" in event_of(record) else "1"
        if not (count.isascii() and count.isdigit() and 1 <= int(count[:9]) <= LIMIT_BLOCK and len(number) < 10):
            return []
        return [_key(record, year, place, int(number) + each) for each in range(int(count))]
    return [_key_of_document(record)]


def _key(record: FhirRecord, year: str, place: str, number: int) -> str:
    """The key of a certificate, as the fixed-width layouts have it: reports of fetal deaths are numbered apart."""
    return f"{year}-{place.upper()}-{'F' if is_fetal_death(record) else ''}{number:06d}"


def is_fetal_death(record: FhirRecord) -> bool:
    """Whether it reports a fetal death, by the event of its message or by its composition."""
    if re.match(r"fd_|fetal", event_of(record), re.IGNORECASE):
        return True
    return bool(said(record.composition.get("type")) & FETAL_DEATH) or "fetal-death-report" in _profiles(record)


def _key_of_document(record: FhirRecord) -> str:
    identifiers = objects(record.bundle.get("identifier")) + objects(record.composition.get("identifier"))
    for each in identifiers:
        found = _NUMBERED.fullmatch(text_of(each, "value").strip())
        if found is not None:
            return _key(record, found[1], found[2], int(found[3]))
    return next((text_of(each, "value").strip() for each in identifiers if text_of(each, "value").strip()), "")


def date_of(record: FhirRecord) -> str:
    """The day on which the message or the report was made, in UTC; "" where it does not say."""
    made = version_of(record)
    return f"{made[:4]}-{made[4:6]}-{made[6:8]}" if made else ""
