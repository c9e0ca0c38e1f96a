"""FHIR: places in a record as a mapping names them, and the values that stand there."""

import json

import pytest
from fhir_records import CHILD, MOTHER, birth, coded, observation

from swaddle.intake.readers.fhir import parse
from swaddle.intake.readers.fhir_places import BadPlace, Noticed, compile_place, value_at
from swaddle.intake.readers.fhir_record import records_of

SNOMED = "http://snomed.info/sct"
NULL = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"


def value(place, *resources, noticed=None, **more):
    whole = parse(json.dumps(birth(*resources, **more)))
    (record,) = records_of(1, whole)
    return value_at(compile_place(place), record, noticed or Noticed())


def snomed(code):
    return {"valueCodeableConcept": coded(code, SNOMED)}


@pytest.mark.parametrize(
    "place",
    [
        "",
        "father.name",
        "Patient..name",
        "Observation[8339-4",
        "Observation[8339-4].value in stone",
        "child.name none",
        "child.name none x",
        "a.b",
        "child.name()",
        "child.name[x].y; DROP",
        "../../etc",
    ],
)
def test_a_place_in_another_form_is_refused(place):
    with pytest.raises(BadPlace):
        compile_place(place)


@pytest.mark.parametrize(
    ("place", "read"),
    [
        ("child.birthDate", "2024-03-05"),
        ("child.name.given", "Baby Girl"),
        ("child.name.given + child.name.family", "Baby Girl Okafor"),
        ("mother.name[official].family", "Okafor"),
        ("mother.name[maiden].family", "Eze"),
        ("mother.name[!maiden,old].given", "Ada Ngozi"),
        ("mother.identifier[mr].value", "M1"),
        ("mother.identifier[xx].value | mother.id", "mum"),
        ("Patient[patient-child-vr].gender", "female"),
        ("Composition.type", "92011-6"),
        ("Composition.subject.birthDate", "2024-03-05"),
        ("bundle.identifier.value", "2024ON012345"),
        ("child.maritalStatus", ""),
        ("maternity.period.start", ""),
        ("Coverage.type", ""),
    ],
)
def test_what_stands_in_a_place(place, read):
    assert value(place) == read


@pytest.mark.parametrize(
    ("told", "unit", "read"),
    [
        ({"value": 3122, "code": "g"}, "g", "3122"),
        ({"value": 3122.0, "unit": "gram"}, "g", "3122"),
        ({"value": 3.122, "code": "kg"}, "g", "3122"),
        ({"value": 1769.859285, "code": "g"}, "g", "1770"),
        ({"value": 38.9, "code": "wk"}, "wk", "38"),
        ({"value": 7.5, "code": "[lb_av]"}, "g", "3402"),
        ({"value": 3122}, "g", "3122"),
        ({"value": 3122, "code": "{score}", "unit": "g"}, "g", "3122"),
        ({"value": 3122, "code": "stone"}, "g", "3122 stone"),
        ({"value": 38, "code": "wk"}, "g", "38 wk"),
        ({"value": 271, "code": "d"}, "wk", "38"),
        ({"value": 271, "code": "d"}, "d%7", "5"),
        ({"value": 38, "code": "wk"}, "d%7", ""),
        ({"value": 65, "code": "[in_i]"}, "cm", "165.1"),
        ({"value": 400, "comparator": "<", "code": "g"}, "g", "<400 g"),
        ({"value": 1e300, "code": "kg"}, "g", "1e+300 kg"),
        ({"value": "heavy", "code": "kg"}, "g", "heavy kg"),
    ],
)
def test_a_quantity_comes_in_the_unit_asked_or_as_it_is_written(told, unit, read):
    place = f"Observation[8339-4].value in {unit}"
    assert value(place, observation("8339-4", valueQuantity=told)) == read


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ({"valueInteger": 5}, "5"),
        ({"valueBoolean": False}, "false"),
        ({"valueDateTime": "2024-02-21T01:52:33.123-05:00"}, "2024-02-21T01:52"),
        ({"valueDateTime": "2024-02"}, "2024-02"),
        ({"valuePeriod": {"start": "2024-02-21", "end": "2024-02-22"}}, "2024-02-21"),
        ({"valueString": "  two words "}, "  two words "),
        ({"valueCodeableConcept": {"text": "in words"}}, "in words"),
        ({"valueCodeableConcept": {"coding": [{"code": "local"}, {"code": "LA6112-2"}]}}, "LA6112-2"),
        ({"valueCodeableConcept": {"coding": [{"display": "only words"}]}}, "only words"),
        ({"valueCodeableConcept": {"coding": [{"system": NULL, "code": "UNK"}]}}, "?ASKU"),
        ({"valueCodeableConcept": {"coding": [{"system": NULL, "code": "OTH"}]}}, "OTH"),
        ({"valueCodeableConcept": {"coding": [{"system": SNOMED, "code": "261665006"}]}}, "?ASKU"),
        ({"dataAbsentReason": coded("masked")}, "?MSK"),
        ({"dataAbsentReason": coded("what-is-this")}, "?NI"),
        ({"valueCodeableConcept": {}}, ""),
        ({"valueQuantity": [1, 2]}, "1 2"),
        ({"valueString": {"a": {"b": []}}}, ""),
        ({}, ""),
    ],
)
def test_a_value_of_any_type_becomes_text(told, read):
    assert value("Observation[x-1].value", observation("x-1", **told)) == read


def test_a_value_that_is_only_said_to_be_absent_gives_way_to_a_real_one():
    absent = observation("a-1", dataAbsentReason=coded("asked-unknown"))
    assert value("Observation[a-1].value | Observation[b-1].value", absent) == "?ASKU"
    known = observation("b-1", valueInteger=3)
    assert value("Observation[a-1].value | Observation[b-1].value", absent, known) == "3"


def test_absence_of_an_element_is_told_by_its_extension():
    extension = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]
    }
    mother = {**MOTHER, "_birthDate": extension}
    del mother["birthDate"]
    assert value("mother.birthDate", mother=mother) == "?MSK"


@pytest.mark.parametrize(
    ("parts", "read"),
    [
        ({"year": 2024, "month": 3, "day": 5}, "2024-03-05"),
        ({"year": 2024, "month": 3, "day": None}, "2024-03"),
        ({"year": 2024, "month": None, "day": 5}, "2024"),
        ({"year": None, "month": 3, "day": 5}, "?ASKU"),
    ],
)
def test_a_date_of_which_parts_are_known_comes_as_far_as_it_is(parts, read):
    """Vital records' extension, in both of its spellings."""
    for name in ("PartialDate", "Extension-partial-date-time-vr"):
        told = [{"url": key, **({"valueUnsignedInt": part} if part else {})} for key, part in parts.items()]
        child = {**CHILD, "_birthDate": {"extension": [{"url": f"http://x/{name}", "extension": told}]}}
        child.pop("birthDate", None)
        assert value("child.birthDate", child=child) == read


@pytest.mark.parametrize(
    ("written", "read", "told"),
    [
        ("1994-07-01", "1994-07-01", 0),
        ("1994-07", "?ASKU", 1),
        ("1994", "?ASKU", 1),
        ("1994-07-01T10:00:00Z", "1994-07-01", 0),
    ],
)
def test_a_date_without_its_day_is_unknown_where_a_day_is_asked(written, read, told):
    noticed = Noticed()
    assert value("mother.birthDate as date", mother={**MOTHER, "birthDate": written}, noticed=noticed) == read
    assert noticed.dayless.total() == told


PLACE = "Procedure[116859006] none 73781-7"
DONE = {"resourceType": "Procedure", "status": "completed", "code": coded("116859006", SNOMED)}
NOTHING = observation("73781-7", **snomed("260413007"))


@pytest.mark.parametrize(
    ("resources", "read"),
    [
        ((), ""),
        ((DONE,), "Y"),
        ((NOTHING,), "N"),
        (({**DONE, "status": "not-done"},), "N"),
        (({**DONE, "status": "entered-in-error"},), ""),
        (({**DONE, "code": coded("1", SNOMED)},), ""),
        (({**NOTHING, "status": "cancelled"},), ""),
        ((observation("73781-7", **snomed("309904001")),), ""),
        ((observation("73813-8", **snomed("260413007")),), ""),
    ],
)
def test_silence_is_not_no(resources, read):
    assert value(PLACE, *resources) == read


def test_something_and_none_of_these_in_one_record_is_noticed():
    noticed = Noticed()
    assert value(PLACE, DONE, NOTHING, noticed=noticed) == "Y"
    assert noticed.contradicted == {"73781-7": 1}


def test_an_observation_by_its_code_and_its_value():
    place = "Observation[73812-0=830077005] none 73812-0"
    assert value(place, observation("73812-0", **snomed("830077005"))) == "Y"
    assert value(place, observation("73812-0", **snomed("1"))) == ""
    assert value(place, observation("73812-0", **snomed("260413007"))) == "N"


def test_several_values_come_apart_by_semicolons():
    found = [
        {"resourceType": "Condition", "category": [coded("72519-2")], "code": coded(code, SNOMED)}
        for code in ("15628003", "76272004", "15628003")
    ]
    assert value("Condition[72519-2].code*", *found) == "15628003;76272004"
    assert value("Condition[72519-2].code* none 72519-2", observation("72519-2", **snomed("260413007"))) == "none"


def test_more_than_one_value_where_one_is_asked_is_noticed():
    noticed = Noticed()
    apgars = [observation("9274-2", valueInteger=each) for each in (7, 9, 7)]
    assert value("Observation[9274-2].value", *apgars, noticed=noticed) == "7"
    assert noticed.ambiguous == {"Observation[9274-2].value": 1}


def test_a_reference_is_followed_once_and_never_in_a_circle():
    doctor = {"resourceType": "Practitioner", "id": "d", "name": [{"family": "Roy"}]}
    stay = {
        "resourceType": "Encounter",
        "subject": {"reference": "Patient/kid"},
        "partOf": {"reference": "Encounter/self"},
        "id": "self",
        "participant": [{"type": [coded("87286-1")], "individual": {"reference": "https://x.org/fhir/Practitioner/d"}}],
    }
    assert value("birth.participant[87286-1].individual.name.family", stay, doctor) == "Roy"
    assert value("birth.partOf.partOf.partOf.partOf.status", stay) == ""


def test_two_resources_of_one_name_are_referred_to_by_none():
    doctors = [{"resourceType": "Practitioner", "id": "d", "name": [{"family": each}]} for each in ("Roy", "Tan")]
    stay = {
        "resourceType": "Encounter",
        "subject": {"reference": "Patient/kid"},
        "participant": [{"individual": {"reference": "Practitioner/d"}}],
    }
    assert value("birth.participant.individual.name.family", stay, *doctors) == ""


@pytest.mark.parametrize("odd", [None, 3, "x", [], [[]], {"coding": "x"}, {"coding": [None, 3]}, True])
def test_elements_of_another_shape_are_nothing_and_break_nothing(odd):
    resources = [
        {"resourceType": "Observation", "code": odd, "valueCodeableConcept": odd, "category": odd, "meta": odd},
        {"resourceType": "Condition", "code": odd, "verificationStatus": odd, "extension": odd},
        {"resourceType": "Encounter", "subject": odd, "location": odd, "extension": odd, "status": odd},
        {"resourceType": "RelatedPerson", "relationship": odd, "patient": odd, "name": odd},
    ]
    child = {**CHILD, "name": odd, "contact": odd, "identifier": odd}
    for place in (
        "child.name[official].family",
        "Observation[8339-4].value in g",
        "Condition[73780-9].code*",
        "mother.name.family",
        PLACE,
    ):
        assert isinstance(value(place, *resources, child=child), str)
