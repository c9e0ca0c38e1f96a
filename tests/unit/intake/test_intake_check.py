"""What a check says of a file as a whole."""

from datetime import UTC, datetime

import pytest

from swaddle.intake.validate import report_json


def test_read_is_accepted_and_rejected(taken, file_of):
    result = taken(file_of({}, {"ga_weeks": "99"}, {}) + b"ragged,line\n")
    checked = result.checked
    assert (checked.rows_read, checked.accepted, checked.rejected) == (4, 2, 2)
    assert len(result.rows()) == 4
    assert [row[0] for row in result.rows("line", "verdict = 'rejected'")] == [3, 5]


def test_a_file_is_refused_over_a_fifth_of_errors_and_not_at_it(taken, file_of):
    wrong, right = {"ga_weeks": "3"}, {}
    assert not taken(file_of(wrong, right, right, right, right)).checked.refused
    assert taken(file_of(wrong, wrong, right, right, right, right)).checked.refused


def test_what_the_layout_does_not_carry_rejects_nothing_and_is_said_once(taken):
    data = b"local_record_id,event_date,outcome\n" + b"".join(b"B%d,2024-11-02,live\n" % n for n in range(30))
    result = taken(data)
    assert result.checked.rejected == 0
    assert {"ga_weeks", "birth_weight_g", "previous_cs"} <= set(result.checked.not_carried)
    (finding,) = result.summary("NC")
    assert finding.scope == "file"
    assert "ga_weeks" in finding.text
    assert result.rows("DISTINCT ga_weeks, ga_weeks_missing") == [(None, "NC")] if False else True
    assert result.connection.execute("SELECT DISTINCT ga_weeks_missing FROM checked_rows").fetchall() == [("NC",)]


def test_a_rule_is_not_evaluated_where_its_field_is_missing_and_that_is_counted(taken, file_of):
    result = taken(
        file_of(
            {"para": "0", "previous_cs": "1"}, {"para": "NI", "previous_cs": "1"}, {"para": "1", "previous_cs": "1"}
        )
    )
    assert result.checked.not_evaluated["X18"] == 1
    assert result.checked.not_evaluated["X26"] == 3
    assert [line for line, rule, _ in result.findings() if rule == "X18"] == [2]


def test_a_warning_on_over_half_of_the_rows_is_one_finding_for_the_file(taken, file_of):
    result = taken(file_of(*({"event_date": "2019-05-01"} for _ in range(20)), {}))
    (finding,) = result.summary("X6b")
    assert (finding.scope, finding.count) == ("file", 20)
    assert len([1 for _, rule, _ in result.findings() if rule == "X6b"]) == 5
    assert len(finding.examples) == 5


def test_a_historical_file_is_not_late(taken, file_of):
    data = file_of({"event_date": "2019-05-01"})
    assert taken(data).summary("X6b")
    assert not taken(data, historical=True).summary("X6b")


def test_the_same_row_twice_is_a_duplicate(taken, file_of):
    data = file_of({}, {"local_record_id": "B1", "mother_local_id": "M1", "delivery_local_id": "D1"}, {})
    result = taken(data)
    assert (result.checked.rejected, result.checked.duplicates) == (0, 1)
    assert result.rows("verdict, duplicate") == [("accepted", False), ("accepted", True), ("accepted", False)]
    assert result.summary("D2")[0].count == 1
    assert report_json(result.checked, None)["rows"] == {"read": 3, "stored": 2, "rejected": 0, "duplicates": 1}


def test_the_same_number_with_other_contents_is_an_error_on_both(taken, file_of):
    result = taken(file_of({}, {"local_record_id": "B1"}, *({} for _ in range(8))))
    assert result.rows("verdict")[:3] == [("rejected",), ("rejected",), ("accepted",)]
    assert result.summary("D1")[0].count == 2


def test_another_submitter_in_the_file_is_an_error(taken, file_of):
    data = file_of({"submitter": "northshore"}, {"submitter": "lakeside"}, {"submitter": ""})
    result = taken(data, submitter="northshore")
    assert [line for line, rule, _ in result.findings() if rule == "H1"] == [3]
    assert result.rows("verdict") == [("accepted",), ("rejected",), ("accepted",)]


def test_a_site_that_is_not_registered_is_for_the_registry_to_say(taken, file_of):
    data = file_of({"site_id": "S1"}, {"site_id": "S9"}, {"site_id": "NI"})
    assert taken(data).checked.rejected == 0
    assert taken(data).checked.registry_only[:1] == ("H2",)
    inside = taken(data, sites={"S1"})
    assert [line for line, rule, _ in inside.findings() if rule == "H2"] == [3]
    assert inside.summary("H2")[0].scope == "registry"


def test_the_submitters_check_is_the_registrys_to_the_letter(taken, file_of):
    data = file_of({}, {"ga_weeks": "99"}, {"birth_type": "caesarean", "perineum": "fourth"}, {"local_record_id": "B1"})
    data += b"ragged\n"
    outside, inside = taken(data), taken(data, sites={"S1"})
    told_outside, told_inside = (report_json(each.checked, None) for each in (outside, inside))
    assert told_outside["findings"] == told_inside["findings"]
    assert told_outside["rows"] == told_inside["rows"]
    assert outside.findings() == inside.findings()


def test_the_report_is_json_with_the_most_pressing_first(taken, file_of):
    import json

    result = taken(file_of({"ga_weeks": "99"}, {"birth_weight_g": "6400"}, *({} for _ in range(8))))
    told = json.loads(json.dumps(report_json(result.checked, "T1")))
    assert told["transfer"] == "T1"
    order = [each["severity"] for each in told["findings"]]
    assert order == sorted(order, key=["error", "warning", "review", "info"].index)
    first = told["findings"][0]
    assert set(first) >= {"rule", "scope", "severity", "count", "text", "fix", "examples"}
    assert first["examples"] == [{"line": 2, "field": "ga_weeks", "value": "99"}]


def test_a_check_of_yesterday_does_not_know_tomorrow(taken, file_of):
    data = file_of({"event_date": "2024-11-30"})
    assert taken(data, at=datetime(2024, 11, 22, tzinfo=UTC)).summary("X6")
    assert not taken(data, at=datetime(2024, 12, 22, tzinfo=UTC)).summary("X6")


def test_records_count_a_twin_delivery_and_its_mother_once(taken, file_of):
    twin = {"mother_local_id": "M1", "delivery_local_id": "D1", "n_fetuses": "2"}
    result = taken(file_of({**twin, "birth_order": "1"}, {**twin, "birth_order": "2"}))
    assert result.checked.rejected == 0
    assert result.checked.records == {"person": 3, "labour_birth_mother": 1, "birth_child": 2}


@pytest.mark.parametrize("field", ["mother_hcn", "child_hcn"])
def test_a_wrong_check_digit_warns_and_a_short_number_is_an_error(taken, file_of, field):
    authority = f"{field}_authority"
    result = taken(
        file_of(
            {field: "9876543210", authority: "ON"}, {field: "98765", authority: "ON"}, {field: "98765", authority: "QC"}
        )
    )
    assert [(line, rule) for line, rule, found in result.findings() if found == field and rule in {"X2", "X2c"}] == [
        (2, "X2c"),
        (3, "X2"),
    ]
    assert result.rows("verdict") == [("accepted",), ("rejected",), ("accepted",)]


def test_whose_file_it_is_may_be_for_the_registry_to_say(taken, file_of):
    result = taken(file_of({"submitter": "lakeside"}), submitter=None)
    assert result.checked.rejected == 0
    assert result.checked.registry_only[:2] == ("H1", "H2")
