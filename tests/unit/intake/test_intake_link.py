"""Who each row is about: the same person has one id in every file of a submitter, and nobody else has it."""


def links(result):
    return result.rows("mother_subject, child_subject, delivery")


def test_mother_and_child_are_two_subjects_of_thirty_two_digits(taken, file_of):
    result = taken(file_of({}, {}))
    counts = result.link()
    assert (counts.rows, counts.mothers, counts.children, counts.deliveries) == (2, 2, 2, 2)
    everyone = [each for row in links(result) for each in row]
    assert len(set(everyone)) == 6
    assert all(len(each) == 32 and set(each) <= set("0123456789abcdef") for each in everyone)


def test_twins_share_their_mother_and_their_delivery(taken, file_of):
    twin = {"delivery_local_id": "D1", "n_fetuses": "2"}
    result = taken(
        file_of(
            {**twin, "mother_local_id": "M1", "birth_order": "1"},
            {**twin, "mother_local_id": "NI", "birth_order": "2"},
        )
    )
    counts = result.link()
    assert (counts.mothers, counts.children, counts.deliveries) == (1, 2, 1)


def test_twins_without_a_mothers_number_share_the_mother_of_their_delivery(taken, file_of):
    twin = {"delivery_local_id": "D1", "mother_local_id": "NI"}
    result = taken(file_of({**twin, "birth_order": "1"}, {**twin, "birth_order": "2"}))
    assert result.link().mothers == 1


def test_two_mothers_in_one_delivery_are_both_named(taken, file_of):
    result = taken(file_of({"delivery_local_id": "D1"}, {"delivery_local_id": "D1", "birth_order": "2"}))
    assert result.link().mothers == 2


def test_the_same_person_is_the_same_subject_in_another_file(taken, file_of):
    first, second = taken(file_of({"local_record_id": "B1"})), taken(file_of({"local_record_id": "B9"}, {}))
    first.link()
    second.link()
    assert links(first)[0][0] == links(second)[0][0]


def test_another_submitter_or_another_key_knows_other_subjects(taken, file_of):
    data = file_of({})
    told = set()
    for submitter, key in (("northshore", b"a" * 32), ("lakeside", b"a" * 32), ("northshore", b"b" * 32)):
        result = taken(data, submitter=submitter)
        result.link(submitter=submitter, key=key)
        told |= {links(result)[0][0]}
    assert len(told) == 3


def test_a_child_keeps_its_subject_when_its_record_is_replaced(taken, file_of):
    first, second = taken(file_of({"birth_weight_g": "3400"})), taken(file_of({"birth_weight_g": "3500"}))
    first.link()
    second.link()
    assert links(first)[0][1] == links(second)[0][1]


def test_two_children_under_one_number_are_two_subjects(taken, file_of):
    result = taken(file_of({}, {"local_record_id": "B1", "birth_weight_g": "2900"}))
    assert result.link().children == 2


def test_rejected_and_broken_rows_have_subjects_too(taken, file_of):
    result = taken(file_of({}, {"ga_weeks": "99"}, {"event_date": "never"}) + b"ragged\n")
    assert result.checked.rejected == 3
    result.link()
    subjects = result.connection.execute(
        "SELECT line, category, event_first FROM row_subjects ORDER BY line, category"
    ).fetchall()
    assert [(line, category) for line, category, _ in subjects] == [
        (line, category) for line in (2, 3, 4, 5) for category in ("gave birth", "newborn or child")
    ]
    assert [first is None for _, _, first in subjects] == [False] * 4 + [True] * 4


def test_a_layout_without_numbers_has_a_mother_and_a_child_a_row(taken):
    data = (
        b"DOB_MM,MAGER,TBO_REC,UPREVIS,ESTGEST,DMETH_REC,DPLURAL,DBWT,SEX,APGAR5\n"
        + b"1,30,1,12,39,Vaginal,1 Single,3400,M,9\n" * 3
    )
    result = taken(data)
    counts = result.link()
    assert (counts.mothers, counts.children, counts.deliveries) == (3, 3, 3)
    assert result.checked.keys_derived
    assert result.rows("local_record_id")[0][0].endswith("-2")
