"""FHIR R4 records as small as a test needs them: a birth report, its message, a newborn screen."""

import copy
import json


def coded(code, system="http://loinc.org", text=None):
    concept = {"coding": [{"system": system, "code": code}]} if code else {}
    return {**concept, **({"text": text} if text else {})}


def observation(code, **value):
    return {"resourceType": "Observation", "status": "final", "code": coded(code), **value}


def patient(kind, own, **more):
    profile = f"http://hl7.org/fhir/us/vr-common-library/StructureDefinition/Patient-{kind}-vr"
    return {"resourceType": "Patient", "id": own, "meta": {"profile": [profile]}, **more}


CHILD = patient(
    "child",
    "kid",
    birthDate="2024-03-05",
    gender="female",
    name=[{"use": "official", "family": "Okafor", "given": ["Baby", "Girl"]}],
    identifier=[{"type": coded("MR"), "value": "K1"}],
)
MOTHER = patient(
    "mother",
    "mum",
    birthDate="1994-07-01",
    name=[{"use": "maiden", "family": "Eze"}, {"use": "official", "family": "Okafor", "given": ["Ada", "Ngozi"]}],
    identifier=[{"type": coded("SS"), "value": "000"}, {"type": coded("MR"), "value": "M1"}],
)


def bundle(*resources, kind="collection", **more):
    entries = [{"fullUrl": f"urn:uuid:{place}", "resource": each} for place, each in enumerate(resources)]
    return {"resourceType": "Bundle", "type": kind, "entry": entries, **more}


def birth(*resources, report="92011-6", child=CHILD, mother=MOTHER, **more):
    composition = {"resourceType": "Composition", "type": coded(report), "subject": {"reference": "Patient/kid"}}
    more = {"identifier": {"value": "2024ON012345"}, "timestamp": "2024-03-09T10:00:00-05:00", **more}
    return bundle(composition, *copy.deepcopy((child, mother)), *resources, kind="document", **more)


def message(event, *payload, parameters=None, response=None, timestamp="2024-03-10T08:00:00-05:00"):
    header = {"resourceType": "MessageHeader", "eventUri": f"http://nchs.cdc.gov/{event}"}
    if response:
        header["response"] = response
    said = {"cert_no": 12345, "event_year": 2024, "jurisdiction_id": "ON", **(parameters or {})}
    told = [
        {"name": name, "valueString" if isinstance(value, str) else "valueUnsignedInt": value}
        for name, value in said.items()
        if value is not None
    ]
    resources = [header, {"resourceType": "Parameters", "parameter": told}, *payload]
    return bundle(*resources, kind="message", timestamp=timestamp)


def screen(*observations, panel="54089-8", status="final", event="R01", **more):
    header = {"resourceType": "MessageHeader", "eventCoding": {"code": event}}
    child = {"resourceType": "Patient", "id": "kid", "birthDate": "2024-03-05", "gender": "male"}
    report = {
        "resourceType": "DiagnosticReport",
        "status": status,
        "code": coded(panel),
        "subject": {"reference": "Patient/kid"},
        "effectiveDateTime": "2024-03-06T09:00:00-05:00",
        "issued": "2024-03-08T12:00:00-05:00",
        "identifier": [{"type": coded("PLAC"), "value": "O-1"}, {"type": coded("FILL"), "value": "F-1"}],
        **more,
    }
    return bundle(header, child, report, *observations, kind="message")


def written(*values, indent=None):
    return "\n".join(json.dumps(each, indent=indent) for each in values).encode()
