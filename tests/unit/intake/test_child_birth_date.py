"""The child's date of birth follows from the event of a birth, and from no other event."""


def test_the_event_of_a_birth_is_the_childs_birth(taken, file_of):
    result = taken(file_of({"event_date": "2024-11-02T09:30"}, {"event_date": "2024-11"}))
    assert [str(date) for (date,) in result.rows("child_birth_date")] == ["2024-11-02", "None"]


def test_what_the_row_says_of_it_stands(taken, file_of):
    result = taken(file_of({"child_birth_date": "2024-11-01"}))
    assert [str(date) for (date,) in result.rows("child_birth_date")] == ["2024-11-01"]


def test_the_discharge_of_a_child_is_not_its_birth(taken, csv_text):
    row = {"local_record_id": "P1", "event_date": "2024-11-05", "newborn_discharge_dt": "2024-11-05"}
    result = taken(csv_text([row]), kind="postpartum-children")
    assert result.rows("child_birth_date") == [(None,)]


def test_a_discharge_before_the_birth_is_found_where_only_the_event_tells_of_it(taken, file_of):
    result = taken(file_of({"event_date": "2024-11-02", "newborn_discharge_dt": "2024-10-05"}))
    assert [field for _, rule, field in result.findings() if rule == "X5e"] == ["newborn_discharge_dt"]
