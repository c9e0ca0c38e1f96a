"""The real FHIR files: every one is read or refused with a reason, and all of its records are accounted for."""

import os

import pytest

from swaddle.errors import FileFault
from swaddle.intake.faults import NoRecords
from swaddle.intake.mapping import load_builtin
from swaddle.intake.readers.fhir_sheets import read_fhir

pytestmark = pytest.mark.real_data


def mappings():
    return [each for each in load_builtin().values() if each.format == "fhir"]


def read(path):
    with path.open("rb") as file:
        found = read_fhir(file.fileno(), os.fstat(file.fileno()).st_size, mappings(), limit_bytes=1024**3)
        told = {each.form: (each.rows, each.broken) for each in found}
        for each in found:
            each.close()
    return told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("BasicBirthRecord.json", {"birth": (1, 0)}),
        ("BasicFetalDeathRecord.json", {"birth": (1, 0)}),
        ("BirthRecordSubmissionMessage.json", {"birth": (1, 0)}),
        ("BirthRecordUpdateMessage.json", {"birth": (1, 0)}),
        ("BirthRecordVoidMessage.json", {"birth": (10, 0)}),
        ("InvalidMessage.json", {"birth": (0, 1)}),
    ],
)
def test_vital_records_and_their_life(real_data, name, told):
    assert read(real_data / "bfdr_fixtures" / "json" / name) == told


def test_every_newborn_screening_bundle_is_accounted_for(real_data):
    counted = {"newborn_screen": 0, "person": 0, "refused": 0}
    files = sorted(real_data.glob("hl7_newborn_screening/**/*.fhir"))
    for path in files:
        try:
            told = read(path)
        except NoRecords:
            counted["refused"] += 1
            continue
        for form, (rows, broken) in told.items():
            assert broken == 0
            counted[form] += rows
    assert sum(counted.values()) == len(files)
    assert counted == {"newborn_screen": 25, "person": 26, "refused": 2}  # two name no birth date and no code


def test_the_json_test_suite_breaks_nothing(real_data):
    """318 files of JSON that is right, wrong, or a matter of opinion (nst/JSONTestSuite), where they are there."""
    for path in real_data.glob("nasty/**/*.json"):
        try:
            read(path)
        except FileFault:
            continue
