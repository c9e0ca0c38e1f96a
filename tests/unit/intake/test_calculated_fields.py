"""What follows from other fields is worked out where it is not given, and only there."""

import pytest

CYCLE = {"site_id": "S1", "local_record_id": "C1", "event_date": "2024-05-02", "mother_local_id": "M1"}
CARD = {"site_id": "S1", "local_record_id": "N1", "event_date": "2024-05-03", "child_sex": "F", "screen_card_id": "K1"}


@pytest.mark.parametrize(
    ("form", "row", "name", "expected"),
    [
        ("antenatal", {"antenatal_pre_preg_weight_kg": "64", "antenatal_height_cm": "160"}, "antenatal_bmi", 25.0),
        ("antenatal", {"antenatal_pre_preg_weight_kg": "64", "antenatal_height_cm": "ASKU"}, "antenatal_bmi", None),
        ("antenatal", {"antenatal_pre_preg_weight_kg": "64", "antenatal_height_cm": "0"}, "antenatal_bmi", None),
        (
            "antenatal",
            {"antenatal_pre_preg_weight_kg": "64", "antenatal_height_cm": "160", "antenatal_bmi": "24.9"},
            "antenatal_bmi",
            24.9,
        ),
        (
            "fertility-cycles",
            {"mother_birth_date": "1990-05-03", "cycle_start_date": "2024-05-02"},
            "cycle_patient_age_years",
            33,
        ),
        (
            "fertility-cycles",
            {"mother_birth_date": "2030-05-03", "cycle_start_date": "2024-05-02"},
            "cycle_patient_age_years",
            None,
        ),
        (
            "newborn-screens",
            {"screen_birth_dt": "2024-05-02T09:00", "screen_collection_dt": "2024-05-03T10:30"},
            "screen_age_at_collection_h",
            25.5,
        ),
        (
            "newborn-screens",
            {"screen_birth_dt": "2024-05-02", "screen_collection_dt": "2024-05-03T10:30"},
            "screen_age_at_collection_h",
            None,
        ),
        (
            "newborn-screens",
            {"screen_birth_dt": "2024-05-04T09:00", "screen_collection_dt": "2024-05-03T10:30"},
            "screen_age_at_collection_h",
            None,
        ),
    ],
)
def test_a_field_is_worked_out_from_others(taken, form, row, name, expected):
    keys = CARD if form == "newborn-screens" else CYCLE
    whole = keys | row
    data = f"{','.join(whole)}\n{','.join(whole.values())}\n".encode()
    result = taken(data, kind=form)
    assert result.rows(name) == [(expected,)]


def test_the_length_of_stay_follows_from_admission_and_discharge(taken, file_of):
    stay = {"admit_dt": "2024-11-01T23:50", "postpartum_discharge_dt": "2024-11-04T09:00"}
    result = taken(file_of(stay, {**stay, "admit_dt": ""}, {**stay, "postpartum_los_days": "2"}))
    assert result.rows("postpartum_los_days") == [(3,), (None,), (2,)]


def test_without_the_admission_the_length_of_stay_is_as_given(taken, csv_text):
    row = {"local_record_id": "P1", "event_date": "2024-11-04", "postpartum_discharge_dt": "2024-11-04"}
    assert taken(csv_text([row]), kind="postpartum-mothers").rows("postpartum_los_days") == [(None,)]
    given = {**row, "postpartum_los_days": "3"}
    assert taken(csv_text([given]), kind="postpartum-mothers").rows("postpartum_los_days") == [(3,)]
