"""A row that says what its sender has verified is asked no warning of it."""

import pytest


def found(result, rule):
    return [each.count for each in result.summary(rule)]


def test_a_verified_value_is_asked_no_warning_and_that_is_told(taken, file_of):
    heavy = {"birth_weight_g": "6400"}
    result = taken(file_of(heavy, {**heavy, "verified_fields": "birth_weight_g"}))
    assert [(line, rule) for line, rule, field in result.findings() if field == "birth_weight_g"] == [
        (2, "F5"),
        (2, "X10"),
    ]
    assert found(result, "V1") == [1]


def test_an_error_stays_an_error(taken, file_of):
    result = taken(file_of({"birth_weight_g": "99000", "verified_fields": "birth_weight_g"}))
    assert result.checked.rejected == 1


def test_another_field_of_the_row_is_asked(taken, file_of):
    result = taken(file_of({"birth_weight_g": "6400", "verified_fields": "ga_weeks; apgar5"}))
    assert found(result, "F5") == [1]


def test_a_name_that_is_no_field_is_told(taken, file_of):
    result = taken(file_of({"verified_fields": "weight"}, {}))
    assert found(result, "V2") == [1]


@pytest.mark.parametrize("said", ["", "   ", ";"])
def test_nothing_said_is_nothing(taken, file_of, said):
    result = taken(file_of({"birth_weight_g": "6400", "verified_fields": said}))
    assert found(result, "F5") == [1]
