"""FHIR files become sheets: every record is a row, a broken row with its check, or a counted reply."""

import json
import os
import tempfile
from contextlib import contextmanager, suppress

import pytest
from fhir_records import CHILD, MOTHER, birth, bundle, coded, message, observation, screen, written
from hypothesis import given
from hypothesis import strategies as st

from swaddle.errors import FileFault
from swaddle.intake import opened
from swaddle.intake.faults import MappingFault, NoRecords
from swaddle.intake.mapping import load_builtin
from swaddle.intake.readers.fhir_sheets import read_fhir

GIB = 1024**3
RISK_NONE = observation("73775-9", valueCodeableConcept=coded("260413007", "http://snomed.info/sct"))


def mappings():
    return [each for each in load_builtin().values() if each.format == "fhir"]


@contextmanager
def sheets(data, layouts=None):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        found = read_fhir(file.fileno(), len(data), mappings() if layouts is None else layouts, limit_bytes=GIB)
        try:
            yield found
        finally:
            for each in found:
                each.close()


def cells_of(sheet):
    """Rows as line and the fields of the mapping, by the place that each is read from."""
    text = opened.read_piece(sheet.rows_fd, os.fstat(sheet.rows_fd).st_size, 0).decode()
    rows = [each.split("\x1f") for each in text.split("\n")[:-1]]
    assert len(rows) == sheet.rows
    layout = load_builtin()[sheet.layout]
    places = {source.column: name for name, source in layout.fields.items() if source.column}
    return [
        {"line": int(line), **{places.get(name, name): cell for name, cell in zip(sheet.columns, cells, strict=True)}}
        for line, *cells in rows
    ]


def broken_of(sheet):
    text = opened.read_piece(sheet.broken_fd, os.fstat(sheet.broken_fd).st_size, 0).decode()
    return [(int(line), why, raw) for line, why, raw in (each.split("\x1f") for each in text.split("\n")[:-1])]


def only(data):
    with sheets(data) as found:
        (sheet,) = found
        told = {each.rule: (each.count, each.facts.get("names", "")) for each in sheet.findings}
        return sheet, cells_of(sheet), broken_of(sheet), told


def test_a_birth_report_is_one_row():
    sheet, (row,), broken, _ = only(written(birth(observation("8339-4", valueQuantity={"value": 3.4, "code": "kg"}))))
    assert (sheet.form, sheet.layout, sheet.where, broken) == ("birth", "bfdr", "entry", [])
    assert row["line"] == 1
    assert row["local_record_id"] == "2024-ON-012345"
    assert row["action"] == "new"
    assert row["record_version"] == "20240309150000"
    assert row["birth_weight_g"] == "3400"
    assert row["mother_family_name"] == "Okafor"
    assert row["mother_former_family_name"] == "Eze"
    assert row["child_sex"] == "F"


@pytest.mark.parametrize("about", ["birth", "fd", "bfdr", "fetal_death"])
def test_the_life_of_a_record(about):
    data = written(
        message(f"{about}_submission", birth()),
        message(f"{about}_submission_update", birth(), timestamp="2024-03-11T08:00:00Z"),
        message(f"{about}_submission_void", timestamp="2024-03-12T08:00:00Z"),
        message(f"{about}_acknowledgement", response={"code": "ok", "identifier": "x"}),
        message(f"{about}_status", parameters={"status": "manualDemographicCoding"}),
        message(
            f"{about}_extraction_error",
            {"resourceType": "OperationOutcome", "issue": [{"severity": "fatal", "code": "invalid"}]},
        ),
        message(f"{about}_demographics_coding", bundle({"resourceType": "Parameters"})),
    )
    sheet, rows, broken, told = only(data)
    assert sheet.where == "line"
    key = "2024-ON-F012345" if about.startswith("f") else "2024-ON-012345"
    assert [(row["line"], row["action"], row["local_record_id"]) for row in rows] == [
        (1, "new", key),
        (2, "replace", key),
        (3, "void", key),
    ]
    assert [row["record_version"] for row in rows] == ["20240310130000", "20240311080000", "20240312080000"]
    assert broken == []
    assert told["J20"] == (1, "ok (1)")
    assert told["J21"] == (1, "fatal/invalid (1)")
    assert told["J22"] == (1, "manualDemographicCoding (1)")
    assert told["J23"][0] == 1


def test_births_and_fetal_deaths_are_numbered_apart():
    _, rows, _, _ = only(written(birth(), birth(report="92010-8")))
    assert [row["local_record_id"] for row in rows] == ["2024-ON-012345", "2024-ON-F012345"]


def test_a_block_of_voids_is_one_row_a_certificate():
    sheet, rows, _, told = only(written(message("birth_submission_void", parameters={"block_count": 3})))
    assert [row["local_record_id"] for row in rows] == ["2024-ON-012345", "2024-ON-012346", "2024-ON-012347"]
    assert [row["line"] for row in rows] == [1, 2, 3]
    assert sheet.rows == 3
    assert told["J31"][0] == 2


def test_no_two_rows_have_the_same_number():
    """Further rows of a line are numbered after the last line, so that the others keep their own."""
    block = message("birth_submission_void", parameters={"block_count": 3})
    batch = bundle(message("birth_submission", birth()), message("bogus", birth()), kind="batch")
    _, rows, broken, _ = only(written(birth(), block, batch, birth()))
    assert [row["line"] for row in rows] == [1, 2, 5, 6, 3, 4]
    assert [each[:2] for each in broken] == [(7, "J3")]


@pytest.mark.parametrize("count", [0, -1, 1001, 10**12, "many"])
def test_a_block_without_measure_takes_nothing_back(count):
    _, rows, broken, _ = only(written(message("birth_submission_void", parameters={"block_count": count})))
    assert (rows, broken[0][:2]) == ([], (1, "J10"))


def test_a_void_without_a_number_is_left_to_the_check_of_keys():
    _, (row,), _, _ = only(written(message("birth_submission_void", parameters={"cert_no": None})))
    assert (row["action"], row["local_record_id"]) == ("void", "")


def test_a_message_of_an_unknown_kind_is_a_broken_row():
    _, rows, broken, _ = only(written(message("bogus_uri", birth())))
    assert (rows, broken) == ([], [(1, "J3", "bogus_uri")])


@pytest.mark.parametrize(
    ("change", "evidence"),
    [
        ({"resourceType": "Encounter", "actualPeriod": {}}, "R5: Encounter.actualPeriod"),
        ({"resourceType": "Encounter", "class": [coded("IMP")]}, "R5: Encounter.class"),
        ({"resourceType": "Procedure", "occurrenceDateTime": "2024"}, "R5: Procedure.occurrenceDateTime"),
        ({"resourceType": "Condition", "clinicalStatus": "active"}, "STU3: Condition.clinicalStatus"),
        ({"resourceType": "Observation", "related": []}, "STU3: Observation.related"),
        ({"resourceType": "DiagnosticOrder"}, "DSTU2: DiagnosticOrder"),
        ({"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0"}, "5.0.0: fhirVersion"),
        (
            {"resourceType": "Patient", "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/Patient|5.0.0"]}},
            "5.0: Patient.meta.profile",
        ),
    ],
)
def test_another_version_of_fhir_is_said_and_never_read_half(change, evidence):
    _, rows, broken, _ = only(written(birth(), birth(change)))
    assert [row["line"] for row in rows] == [1]
    assert broken == [(2, "J7", evidence)]
    with pytest.raises(NoRecords, match="another version"):
        only(written(birth(change)))


def test_versions_that_are_read_the_same_are_read():
    stated = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}
    encounter = {"resourceType": "Encounter", "class": {"code": "IMP"}, "hospitalization": {}}
    assert len(only(written(birth(stated, encounter)))[1]) == 1


@pytest.mark.parametrize("key", ["modifierExtension", "implicitRules"])
def test_what_changes_the_meaning_and_is_not_known_is_not_read(key):
    changed = observation("8339-4", **{key: [{"url": "x"}] if key.startswith("m") else "http://x"})
    _, rows, broken, _ = only(written(birth(), birth(changed)))
    assert (len(rows), broken) == (1, [(2, "J6", f"Observation.{key}")])


def test_every_kind_of_broken_record_is_one_broken_row_beside_the_good():
    bad = [
        b'{"resourceType": "Bundle", "resourceType": "Bundle"}',
        b"{}",
        b"[1, 2]",
        b'"text"',
        b'{"resourceType": "Bundle"}',
        b'{"resourceType": "Bundle", "entry": {"resource": 3}}',
        b'{"resourceType": "Bundle", "entry": [{"resource": {"id": "1"}}]}',
        b'{"resourceType": "Medication"}',
        b'{"resourceType": "Bundle", "entry": [',
        b'{"a": "\\ud800"}',
        json.dumps(birth(child={"resourceType": "Basic"}, mother=MOTHER)).encode(),
    ]
    good = json.dumps(birth()).encode()
    _, rows, broken, _ = only(b"\n".join([good, *bad, good]))
    assert [row["line"] for row in rows] == [1, len(bad) + 2]
    checks = ["J4", "J2", "J2", "J2", "J5", "J5", "J5", "J8", "J1", "J12", "J11"]
    assert sorted((line, why) for line, why, _ in broken) == list(enumerate(checks, start=2))


def test_a_message_that_lost_its_header_is_not_taken_for_a_submission():
    headless = message("birth_submission", birth())
    del headless["entry"][0]
    _, rows, broken, _ = only(written(birth(), headless))
    assert (len(rows), [each[:2] for each in broken]) == (1, [(2, "J5")])


def test_a_death_certificate_is_none_of_ours():
    _, rows, broken, _ = only(written(birth(), message("vrdr_submission", bundle({"resourceType": "Patient"}))))
    assert (len(rows), broken) == (1, [(2, "J3", "vrdr_submission")])


def test_a_batch_of_messages_gives_a_row_each_with_its_place():
    batch = bundle(message("birth_submission", birth()), message("birth_submission", birth()), kind="batch")
    sheet, rows, _, _ = only(written(batch, indent=1))
    assert (sheet.where, [row["line"] for row in rows]) == ("entry", [1, 2])


def test_bundles_in_bundles_without_end_are_refused():
    nested = birth()
    for _ in range(40):
        nested = bundle(nested, kind="batch")
    with pytest.raises(NoRecords):
        only(written(nested))


def test_what_the_layout_does_not_read_is_named_and_counted():
    found = [
        {"resourceType": "Coverage"},
        {"resourceType": "Immunization"},
        {"resourceType": "Immunization"},
        observation("11341-5", valueString="x"),
        {"resourceType": "Observation", "code": {}, "valueString": "x"},
        {"resourceType": "<script>", "x": 1},
    ]
    _, rows, _, told = only(written(birth(*found)))
    assert len(rows) == 1
    assert told["J24"] == (4, "Immunization (2), Coverage (1), another (1)")
    assert told["J25"] == (1, "11341-5 (1)")
    assert told["J26"][0] == 1


def test_silence_in_a_report_is_no_answer():
    _, (silent, said), _, _ = only(written(birth(), birth(RISK_NONE)))
    assert silent["antenatal_prior_preterm"] == ""
    assert said["antenatal_prior_preterm"] == "N"


def test_a_newborn_screen_is_one_row():
    found = [
        observation("57723-9", valueString="C-77"),
        observation("57718-9", valueCodeableConcept=coded("LA12432-3")),
        observation("67704-7", valueCodeableConcept=coded("LA16914-6")),
        observation("67704-7", valueCodeableConcept=coded("LA12418-2")),
        observation("46769-6", valueCodeableConcept=coded("LA18592-8")),
        observation("29575-8", valueQuantity={"value": 12.3, "unit": "m[IU]/L"}),
        observation("57713-0", valueCodeableConcept=coded("LA137-2")),
    ]
    sheet, (row,), _, _ = only(written(screen(*found)))
    assert (sheet.form, sheet.layout) == ("newborn_screen", "fhir-screening")
    assert row["local_record_id"] == "O-1"
    assert row["screen_card_id"] == "C-77"
    assert row["screen_sample_quality"] == "acceptable"
    assert row["screen_feeding"] == "breast_milk;tpn"
    assert row["screen_condition_result"] == "46769-6=in_range"
    assert row["screen_analyte"] == "29575-8=12.3 m[IU]/L"
    assert row["screen_infant_factors"] == "none"
    assert row["screen_reported_dt"] == "2024-03-08T12:00"


@pytest.mark.parametrize(
    ("status", "action"),
    [
        ("final", "new"),
        ("corrected", "replace"),
        ("amended", "replace"),
        ("cancelled", "void"),
        ("entered-in-error", "void"),
    ],
)
def test_the_status_of_a_report_says_what_becomes_of_it(status, action):
    _, (row,), _, _ = only(written(screen(status=status)))
    assert row["action"] == action


def test_what_is_no_newborn_screen_is_not_taken_for_one():
    other = screen(observation("94558-4", valueString="x"), panel="24323-8")
    _, rows, broken, _ = only(written(screen(), other))
    assert (len(rows), [each[:2] for each in broken]) == (1, [(2, "J8")])


def test_a_message_that_lost_its_codes_still_says_who_the_newborn_is():
    lost = screen({"resourceType": "Observation", "valueString": "x"}, code={}, event="O21")
    lost["timestamp"] = "2024-03-07T00:00:00Z"
    with sheets(written(lost)) as found:
        assert [(each.form, each.rows) for each in found] == [("person", 1)]
        assert "J34" in {each.rule for each in found[0].findings}
    lost["timestamp"] = "2034-03-07T00:00:00Z"
    with pytest.raises(NoRecords):
        only(written(lost))


def test_a_mixed_file_gives_a_sheet_for_each_form_and_all_is_counted():
    person = {"resourceType": "Patient", "id": "p", "birthDate": "1990-01-01"}
    with sheets(written(birth(), screen(), person, bundle({**CHILD}), {"resourceType": "Medication"})) as found:
        assert [(each.form, each.rows, each.broken) for each in found] == [
            ("birth", 1, 1),
            ("newborn_screen", 1, 0),
            ("person", 2, 0),
        ]


def test_two_children_of_one_message_are_two_rows():
    twins = screen()
    second = {"resourceType": "Patient", "id": "two", "birthDate": "2024-03-05"}
    report = {
        **twins["entry"][2]["resource"],
        "subject": {"reference": "Patient/two"},
        "identifier": [{"value": "O-2"}],
    }
    twins["entry"] += [{"resource": second}, {"resource": report}]
    with sheets(written(twins)) as (sheet,):
        assert [row["local_record_id"] for row in cells_of(sheet)] == ["O-1", "O-2"]


def test_a_file_of_replies_only_is_refused_with_what_it_holds():
    with pytest.raises(NoRecords, match="replies"):
        only(written(message("birth_acknowledgement", response={"code": "ok"})))


def test_records_of_another_form_than_the_layout_named_are_counted():
    layouts = [each for each in mappings() if each.form == "birth"]
    with sheets(written(birth(), screen()), layouts) as (sheet,):
        told = {each.rule: dict(each.facts) for each in sheet.findings}
    assert told["J33"] == {"names": "newborn_screen (1)"}


def test_a_mapping_with_a_place_that_is_none_is_refused():
    layout = next(each for each in mappings() if each.form == "birth")
    source = layout.fields["apgar5"]
    bad = type(layout)(**{**vars(layout), "fields": {**layout.fields, "apgar5": type(source)(column="Observation(1)")}})
    with pytest.raises(MappingFault, match="no place"), sheets(written(birth()), [bad]):
        pass


@pytest.mark.parametrize("sign", ["\x00", "\x1f", "\x1e", "\x0b"])
def test_a_control_character_in_a_value_breaks_its_row_alone(sign):
    child = {**CHILD, "name": [{"use": "official", "family": f"O{sign}K"}]}
    _, rows, broken, _ = only(written(birth(child=child), birth()))
    assert [row["line"] for row in rows] == [2]
    assert [each[:2] for each in broken] == [(1, "B3")]


def test_a_value_cannot_pass_for_a_missing_reason_by_a_code_of_the_mapping():
    child = {**CHILD, "gender": "?ASKU"}
    _, (row,), _, _ = only(written(birth(child=child)))
    assert row["child_sex"] == "?ASKU"


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["Bundle", "Patient", "8339-4"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceType", "entry", "resource", "code", "coding", "subject", "meta", "name", "extension"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(st.lists(JSONS, max_size=3), st.sampled_from(["document", "message", "batch", 3]))
def test_no_json_breaks_the_reader_and_everything_is_accounted_for(odd, kind):
    report = birth()
    report["type"] = kind
    report["entry"] += [{"resource": each} for each in odd] + [
        {"resource": {"resourceType": "Observation", "code": each}} for each in odd
    ]
    report["entry"][0]["resource"]["section"] = odd
    data = written(birth(), report, *[{"resourceType": "Bundle", "entry": odd}])
    with suppress(FileFault), sheets(data) as found:
        replies = sum(f.count for s in found for f in s.findings if f.rule in {"J20", "J21", "J22", "J23", "J33"})
        assert sum(each.read for each in found) + replies >= 3
