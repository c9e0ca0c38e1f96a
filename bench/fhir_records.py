"""FHIR R4 birth reports: how many a second are read, beside fhir.resources.

    python bench/fhir_records.py [--records 200] [--rounds 5] [--data ../shared/data] [--out FILE]

The records are birth reports (BFDR) made up here, of 50 resources each, one a line; with --data, the real one that lies
there, over and over. Four ways take turns:

- ours, to rows: the whole reader, from the bytes of a file to a sheet of birth rows, everything counted;
- ours, parsed: JSON as strict as the reader is, and the resources by type and by reference;
- fhir.resources, R4B: `Bundle.model_validate_json`, the nearest to R4 that it has;
- plain JSON: the standard library's `json.loads`, which checks nothing.

fhir.resources is given one record's bytes at a time and no value is taken out of what it makes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from rounds import Target, Way, interleave, table

from swaddle.intake import opened
from swaddle.intake.mapping import load_builtin
from swaddle.intake.readers.fhir import documents
from swaddle.intake.readers.fhir_record import records_of
from swaddle.intake.readers.fhir_sheets import FORMAT, read_fhir

SEED = 20261122
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
PROFILES = "http://hl7.org/fhir/us/vr-common-library/StructureDefinition/"
COUNTS = ("68493-6", "11638-4", "68496-9", "69043-8", "64794-1", "87298-6", "87299-4", "64795-8", "68497-7", "9272-6",
          "9274-2", "9271-8", "73773-4", "73772-6")  # fmt: skip


def concept(code: str, system: str = LOINC) -> dict:
    return {"coding": [{"system": system, "code": code, "display": f"words of {code}"}]}


def made_up(number: int) -> bytes:
    """A birth report of 50 resources."""
    chance = random.Random(SEED + number)
    child, mother = {"reference": "Patient/child"}, {"reference": "Patient/mother"}
    names = [{"use": "official", "family": f"Example{number}", "given": ["Ann", "Mary"]}]
    record = [
        {"resourceType": "Patient", "id": "child", "meta": {"profile": [f"{PROFILES}Patient-child-vr"]}, "name": names,
         "gender": "female", "birthDate": "2024-03-04", "multipleBirthInteger": 1,
         "identifier": [{"type": concept("MR"), "value": f"K{number}"}]},
        {"resourceType": "Patient", "id": "mother", "meta": {"profile": [f"{PROFILES}Patient-mother-vr"]},
         "name": names, "birthDate": "1990-01-01", "identifier": [{"type": concept("MR"), "value": f"M{number}"}]},
        {"resourceType": "Composition", "status": "final", "type": concept("92011-6"), "subject": child,
         "date": "2024-03-05", "author": [mother], "title": "Birth"},
        {"resourceType": "Encounter", "status": "finished", "class": {"code": "IMP"}, "subject": mother,
         "period": {"start": "2024-03-03T10:00:00-05:00"}, "identifier": [{"value": f"D{number}"}]},
        {"resourceType": "Procedure", "status": "completed", "category": concept("73762-7"),
         "code": concept("700000006", SNOMED), "subject": mother},
    ]  # fmt: skip
    for code in COUNTS:
        value = chance.randint(0, 10)
        record.append({"resourceType": "Observation", "status": "final", "code": concept(code), "valueInteger": value})
    for code, unit in (("8339-4", "g"), ("11884-4", "wk"), ("56077-1", "kg"), ("8302-2", "cm"), ("69461-2", "kg")):
        quantity = {"value": chance.randint(30, 4000), "unit": unit, "code": unit}
        record.append(
            {"resourceType": "Observation", "status": "final", "code": concept(code), "valueQuantity": quantity}
        )
    for code in ("73775-9", "73813-8", "73781-7", "73812-0", "73780-9", "72519-2"):
        none = concept("260413007", SNOMED)
        record.append(
            {"resourceType": "Observation", "status": "final", "code": concept(code), "valueCodeableConcept": none}
        )
    while len(record) < 50:
        record.append(
            {"resourceType": "Observation", "status": "final", "code": concept(f"1000-{len(record) % 10}"),
             "subject": mother, "effectiveDateTime": "2024-03-04T10:00:00-05:00", "valueString": "further words"}
        )  # fmt: skip
    bundle = {
        "resourceType": "Bundle",
        "type": "document",
        "timestamp": "2024-03-05T10:00:00Z",
        "identifier": {"value": f"2024ON{number:06d}"},
        "entry": [{"fullUrl": f"urn:uuid:{place}", "resource": each} for place, each in enumerate(record)],
    }
    return json.dumps(bundle).encode()


def real(folder: Path, number: int) -> list[bytes]:
    """The real record as often as wanted, on one line each."""
    found = json.loads((folder / "bfdr_fixtures" / "json" / "BasicBirthRecord.json").read_bytes())
    return [json.dumps(found).encode()] * number


class Ours:
    """The reader of this checkout."""

    def __init__(self, records: list[bytes]) -> None:
        self.data = b"\n".join(records)
        self.memory_fd = opened.memory_file(len(self.data))
        opened.write_all(self.memory_fd, self.data)
        self.mappings = [each for each in load_builtin().values() if each.writing.format == FORMAT]

    def to_rows(self) -> None:
        for sheet in read_fhir(self.memory_fd, len(self.data), self.mappings, limit_bytes=2**31):
            sheet.close()

    def parsed(self) -> None:
        for document in documents(self.memory_fd, len(self.data)):
            for record in records_of(document.number, document.value):
                _ = record.by_type, record.by_reference


def peers(records: list[bytes]) -> list[Way]:
    """fhir.resources, where it is installed, and the standard library."""

    def plain() -> None:
        for each in records:
            json.loads(each)

    try:
        from fhir.resources.R4B.bundle import Bundle
    except ImportError:
        return [Way("plain JSON", plain)]

    def modelled() -> None:
        for each in records:
            Bundle.model_validate_json(each)

    return [Way("fhir.resources, R4B", modelled), Way("plain JSON", plain)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--records", type=int, default=200)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--data", type=Path)
    options.add_argument("--out", type=Path)
    told = options.parse_args()
    records = real(told.data, told.records) if told.data else [made_up(each) for each in range(told.records)]
    ours = Ours(records)
    ways = [Way("Swaddle, to rows", ours.to_rows), Way("Swaddle, parsed", ours.parsed), *peers(records)]
    interleave(ways, told.rounds)
    title = f"FHIR R4, {told.records} birth reports of {len(ours.data) // told.records:,} bytes"
    table(title, ways, told.records, "records/s", [Target("fhir.resources, R4B"), Target("plain JSON")], told.out)
    os.close(ours.memory_fd)


if __name__ == "__main__":
    main()
