"""FHIR made to do harm, read as any file is: behind the wall, bounded, named by line, the rest kept."""

import json
import os
from collections import Counter

import pytest
from fhir_records import CHILD, birth, bundle, message, observation, written

from swaddle.errors import FileFault
from swaddle.intake import opened
from swaddle.intake.faults import NoRecords, TooLarge, Unreadable
from swaddle.intake.mapping import load_builtin
from swaddle.intake.readers.how import How
from swaddle.intake.wall.apart import read_apart

MEBIBYTE = 1024 * 1024
GOOD = json.dumps(birth()).encode() + b"\n"


def read(*pieces):
    """Rows, the checks of the broken ones by line, and what is told of the file."""
    fd = opened.memory_file(0)
    try:
        for each in pieces:
            opened.write_all(fd, each)
        sheets = read_apart(fd, os.fstat(fd).st_size, How(kind="fhir", mappings=tuple(load_builtin().values())))
    finally:
        os.close(fd)
    rows, broken, told = 0, {}, {}
    for sheet in sheets:
        rows += sheet.rows
        lines = opened.read_piece(sheet.broken_fd, 10_000_000, 0).decode().split("\n")[:-1]
        broken |= {int(line): why for line, why, _ in (each.split("\x1f") for each in lines)}
        told |= {each.rule: each.facts.get("names", "") for each in sheet.findings}
        sheet.close()
    return rows, broken, told


def test_a_line_of_300_megabytes_is_one_broken_row():
    endless = [b'{"resourceType": "Patient", "id": "', *(b"A" * MEBIBYTE for _ in range(300)), b'"}\n']
    assert read(GOOD, *endless, GOOD)[:2] == (2, {2: "J9"})


def test_one_document_of_100_megabytes_is_refused():
    with pytest.raises(TooLarge):
        read(b'{"resourceType":\n"', *(b"A" * MEBIBYTE for _ in range(100)), b'"}')


def test_a_million_brackets_are_one_broken_row():
    for opening in (b"[", b'{"resourceType":'):
        assert read(GOOD, b'{"resourceType":' + opening * 300_000 + b"}\n", GOOD)[:2] == (2, {2: "J9"})
    with pytest.raises(Unreadable):
        read(b'{"resourceType":\n' + b"[" * 1_000_000)


def test_a_number_without_end_is_text_and_no_work():
    weight = observation("8339-4", valueQuantity={"value": 1, "code": "kg"})
    data = json.dumps(birth(weight)).replace('"value": 1,', '"value": ' + "9" * 900_000 + ",")
    assert read(data.encode() + b"\n", GOOD)[0] == 2


def test_as_many_voids_as_a_block_may_have_and_not_one_more():
    huge = written(message("birth_submission_void", parameters={"block_count": 10**9}))
    assert read(huge + b"\n", GOOD)[:2] == (1, {1: "J10"})


def test_a_circle_of_references_ends():
    first = {"resourceType": "Encounter", "id": "a", "subject": {"reference": "Encounter/b"}}
    second = {
        "resourceType": "Encounter",
        "id": "b",
        "subject": {"reference": "Encounter/a"},
        "partOf": {"reference": "#"},
    }
    itself = {"resourceType": "Patient", "id": "kid", "link": [{"other": {"reference": "Patient/kid"}}]}
    assert read(written(birth(first, second, itself)))[0] == 1


def test_fifty_thousand_resources_that_answer_to_one_name():
    many = [
        {"resourceType": "Observation", "id": "same", "code": {"coding": [{"code": "8339-4"}]}} for _ in range(50_000)
    ]
    assert read(written(birth(*many)) + b"\n", GOOD)[0] == 2


def test_names_out_of_a_record_are_told_only_where_they_are_names():
    strange = [{"resourceType": "<img src=x onerror=alert(1)>"}, observation("<script>", valueString="x")]
    _, _, told = read(written(birth(*strange)))
    assert "<" not in json.dumps(told)
    with pytest.raises(NoRecords) as refused:
        read(written(bundle({"resourceType": "<b>"}), message("birth<script>", {"resourceType": "Basic"})))
    assert "<" not in str(refused.value)


def test_no_value_of_a_person_stands_in_a_refusal():
    person = {**CHILD, "name": [{"family": "Hidden"}], "animal": {}}
    with pytest.raises(FileFault) as refused:
        read(written({**birth(child=person)}))
    assert "Hidden" not in str(refused.value)


def test_what_a_file_says_twice_is_not_chosen_between():
    twice = json.dumps(birth()).replace('"gender": "female"', '"gender": "female", "gender": "male"')
    assert Counter(read(GOOD, twice.encode() + b"\n", GOOD)[1].values()) == {"J4": 1}
