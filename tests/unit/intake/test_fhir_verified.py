"""The edit flags of vital records name the fields whose values were verified."""

import pytest
from fhir_records import MOTHER, birth, coded, observation

from swaddle.intake.readers.fhir_record import records_of
from swaddle.intake.readers.fhir_verified import verified_fields

URL = "http://hl7.org/fhir/us/vr-common-library/StructureDefinition/BypassEditFlag"


def flag(code):
    return {"extension": [{"url": URL, "valueCodeableConcept": coded(code)}]}


def told(record):
    (each,) = records_of(1, record)
    return verified_fields(each)


@pytest.mark.parametrize(
    ("code", "fields"),
    [("1", "birth_weight_g"), ("1failedVerified", "birth_weight_g"), ("2", ""), ("2failedNotVerified", ""), ("0", "")],
)
def test_only_a_flag_that_says_verified_counts(code, fields):
    quantity = {"value": 6400, "code": "g", **flag(code)}
    assert told(birth(observation("8339-4", valueQuantity=quantity))) == fields


def test_an_observation_that_no_field_comes_from_is_passed_over():
    assert told(birth(observation("57712-2", valueCodeableConcept={**coded("x"), **flag("1")}))) == ""


def test_the_mothers_date_of_birth_covers_her_age():
    mother = {**MOTHER, "_birthDate": flag("1dataQueried")}
    assert told(birth(mother=mother)) == "mother_birth_date;mother_age_years"
