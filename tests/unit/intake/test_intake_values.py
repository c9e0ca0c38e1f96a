"""Values as people type them: what is taken, what is an error, and what the fix says."""

import pytest


def rules_of(result, line=2):
    return {(rule, field) for found, rule, field in result.findings() if found == line}


def test_a_plain_file_of_births_has_no_errors(taken, file_of):
    result = taken(file_of({}, {}, {"birth_order": "1"}))
    assert result.checked.rejected == 0
    assert result.checked.records == {"person": 6, "labour_birth_mother": 3, "birth_child": 3}
    assert result.checked.kind == "births"


def test_the_real_surname_null_is_a_name(taken, file_of):
    result = taken(file_of({"mother_family_name": "NULL"}, {"mother_family_name": "NA"}, {"mother_family_name": "?NA"}))
    assert result.rows("mother_family_name, mother_family_name_missing") == [("NULL", None), ("NA", None), (None, "NA")]
    assert result.checked.rejected == 0


@pytest.mark.parametrize("reason", ["NI", "ASKU", "NA", "MSK"])
def test_a_missing_reason_answers_a_required_field(taken, file_of, reason):
    result = taken(file_of({"ga_weeks": reason}))
    assert result.rows("verdict, ga_weeks, ga_weeks_missing") == [("accepted", None, reason)]


def test_a_required_field_left_blank_is_an_error(taken, file_of):
    result = taken(file_of({"ga_weeks": ""}, {}))
    assert ("F1", "ga_weeks") in rules_of(result)
    assert result.rows("verdict") == [("rejected",), ("accepted",)]


def test_a_key_needs_a_value_not_a_reason(taken, file_of):
    result = taken(file_of({"local_record_id": "ASKU"}, {"event_date": ""}))
    assert ("K1", "local_record_id") in rules_of(result)
    assert ("K1", "event_date") in rules_of(result, 3)
    assert result.checked.rejected == 2


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("event_date", "31/02/2024", "F2"),
        ("event_date", "2024-02-31", "F2"),
        ("event_date", "2024-13", "F2"),
        ("event_date", "2024-11-02x", "F2"),
        ("event_date", "99/99/9999", "F7"),
        ("event_date", "9/99/9999", "F7"),
        ("mother_birth_date", "2024-1-5", "F2"),
        ("mother_birth_date", "0024-01-05", "F2"),
        ("birth_weight_g", "7.5", "F6"),
        ("birth_weight_g", "7", "F6"),
        ("birth_weight_g", "3.4", "F6"),
        ("birth_weight_g", "9999", "F7"),
        ("birth_weight_g", "50", "F4"),
        ("birth_weight_g", "3400.5", "F2"),
        ("birth_weight_g", "3,400", "F2"),
        ("birth_weight_g", "1e3", "F2"),
        ("birth_weight_g", "0x10", "F2"),
        ("birth_weight_g", "-3400", "F4"),
        ("ga_weeks", "273", "F6"),
        ("ga_weeks", "99", "F7"),
        ("apgar5", "11", "F4"),
        ("apgar5", "99", "F7"),
        ("child_sex", "girl", "F3"),
        ("child_sex", "9", "F3"),
        ("outcome", "alive", "F3"),
    ],
)
def test_a_wrong_value_is_an_error_of_its_kind(taken, file_of, field, value, rule):
    result = taken(file_of({field: value}, {}))
    assert (rule, field) in rules_of(result)
    found = result.summary(rule)[0]
    assert found.severity == "error"
    assert found.fix
    assert found.examples[0].value == value
    assert result.rows("verdict") == [("rejected",), ("accepted",)]


def test_pounds_and_unknown_codes_get_their_own_fix(taken, file_of):
    result = taken(file_of({"birth_weight_g": "7"}, {"birth_weight_g": "9999"}))
    assert "pounds" in result.summary("F6")[0].fix
    assert "ASKU" in result.summary("F7")[0].fix


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2024-11-02", "2024-11-02", "2024-11-02"),
        ("2024-11-02T09:30", "2024-11-02", "2024-11-02"),
        ("2024-11-02 09:30:15", "2024-11-02", "2024-11-02"),
    ],
)
def test_the_date_of_birth_may_be_known_to_any_precision(taken, file_of, written, first, last):
    result = taken(file_of({"event_date": written}))
    ((verdict, canonical, low, high),) = result.rows("verdict, event_date, event_first, event_last")
    assert (verdict, str(low), str(high)) == ("accepted", first, last)
    assert canonical == written[:16].replace(" ", "T")


def test_values_are_typed_and_codes_do_not_mind_capitals(taken, file_of):
    result = taken(
        file_of(
            {
                "birth_type": "Caesarean",
                "cs_type": "PLANNED",
                "pph": "yes",
                "nicu_admit": "n",
                "transfusion": "U",
                "resuscitation": "PPV; intubation",
                "birth_weight_g": " 3400.0 ",
                "admit_dt": "2024-11-01T22:10",
                "mother_postal_code": "k1a0b1",
                "mother_hcn": "1234-567-897-AB",
                "mother_hcn_authority": "on",
            }
        )
    )
    assert result.rows("birth_type, cs_type, pph, nicu_admit, transfusion_missing, resuscitation, birth_weight_g") == [
        ("caesarean", "planned", True, False, "ASKU", "ppv;intubation", 3400)
    ]
    ((admitted, postal, card, version),) = result.rows("admit_dt, mother_postal_code, mother_hcn, mother_hcn_version")
    assert (str(admitted), postal, card, version) == ("2024-11-01 22:10:00", "K1A 0B1", "1234567897", "AB")


def test_the_mothers_age_is_worked_out_from_a_whole_date_only(taken, file_of):
    result = taken(file_of({"event_date": "2024-02-28"}, {"event_date": "2024-03-01"}, {"event_date": "2024"}))
    assert result.rows("mother_age_years") == [(29,), (30,), (None,)]


def test_an_age_that_is_given_wins(taken, file_of):
    result = taken(file_of({"mother_age_years": "31"}, {"mother_age_years": ""}))
    assert result.rows("mother_age_years") == [(31,), (30,)]


def test_a_usual_range_only_warns(taken, file_of):
    result = taken(file_of({"birth_weight_g": "6400"}))
    assert ("F5", "birth_weight_g") in rules_of(result)
    assert result.checked.rejected == 0


def test_formulas_and_markup_in_names_are_only_text(taken, file_of):
    names = ["=cmd()|' /C calc'!A0", "<script>alert(1)</script>", "@SUM(1)", "+1", "-1", "Robert'); DROP TABLE rows;--"]
    result = taken(file_of(*({"mother_family_name": name} for name in names)))
    assert [name for (name,) in result.rows("mother_family_name")] == names
    assert result.checked.rejected == 0


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-11-02T09:30-05:00", "2024-11-02T09:30"),
        ("2024-11-02 09:30:15.250+0530", "2024-11-02T09:30"),
        ("2024-11-02T23:59:59-04:00", "2024-11-02T23:59"),
        ("2024-11-02T09:30Z", None),
        ("2024-11-02T09:30+5", None),
        ("2024-11-02-05:00", None),
    ],
)
def test_a_time_is_the_clock_of_its_place_whatever_its_offset(taken, file_of, written, read):
    result = taken(file_of({"event_date": written, "admit_dt": written}))
    ((event, admitted),) = result.rows("event_date, left(CAST(admit_dt AS VARCHAR), 16)")
    assert event == read
    assert admitted == (read.replace("T", " ") if read else None)
