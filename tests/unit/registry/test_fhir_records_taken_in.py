"""FHIR at the registry: what becomes of a submission, an update, a late copy, a void, and of replies."""

import pytest
from fhir_records import birth as report
from fhir_records import bundle, message, observation, screen, written

from swaddle.registry.views import current

EARLY, LATER, LATEST = "2024-03-10T08:00:00-05:00", "2024-03-11T08:00:00-05:00", "2024-03-12T08:00:00-05:00"


def birth(grams):
    return report(observation("8339-4", valueQuantity={"value": grams, "code": "g"}))


def births(shelf):
    """The births that count."""
    return shelf.ask(
        f"select kept.local_record_id, birth_weight_g from {current(forms=('birth',))} kept"
        " join (select load_id, line, birth_weight_g from clinical.births) birth using (load_id, line) order by all"
    )


@pytest.fixture
def take(shelf):
    return lambda *values, **more: shelf.take(written(*values).decode(), kind="unknown", **more).rows


def test_a_submission_its_update_a_late_copy_and_its_void(shelf, take):
    assert take(message("birth_submission", birth(3000), timestamp=EARLY)) == (1, 1, 0, 0)
    assert take(message("birth_submission_update", birth(3100), timestamp=LATER)) == (1, 1, 0, 0)
    assert births(shelf) == [("2024-ON-012345", 3100)]
    assert take(message("birth_submission", birth(3000), timestamp=EARLY)) == (1, 0, 0, 1)
    assert births(shelf) == [("2024-ON-012345", 3100)]
    assert take(message("birth_submission_void", timestamp=LATEST)) == (1, 1, 0, 0)
    assert births(shelf) == []


def test_a_block_of_voids_takes_back_what_is_there_and_says_what_is_not(shelf, take):
    other = birth(2900)
    first = message("birth_submission", birth(3000), timestamp=EARLY)
    second = message("birth_submission", other, parameters={"cert_no": 12346}, timestamp=EARLY)
    assert take(first, second) == (2, 2, 0, 0)
    block = message("birth_submission_void", parameters={"block_count": 3}, timestamp=LATER)
    read, stored, rejected, _ = take(
        block, *[message("birth_submission", birth(3000), parameters={"cert_no": n}) for n in range(20, 40)]
    )
    assert (read, stored, rejected) == (23, 22, 1)
    assert [key for key, _ in births(shelf) if key in {"2024-ON-012345", "2024-ON-012346", "2024-ON-012347"}] == []


def test_another_submitter_cannot_take_back(shelf, take):
    assert take(message("birth_submission", birth(3000), timestamp=EARLY)) == (1, 1, 0, 0)
    void = message("birth_submission_void", timestamp=LATER)
    assert take(void, submitter="b" * 32) == (1, 0, 1, 0)
    assert births(shelf) == [("2024-ON-012345", 3000)]


def test_replies_are_no_records(shelf, take):
    reply = message("birth_acknowledgement", response={"code": "ok"})
    assert take(message("birth_submission", birth(3000)), reply) == (1, 1, 0, 0)


def test_a_file_of_several_forms_is_kept_each_with_its_kind(shelf, take):
    person = bundle({"resourceType": "Patient", "id": "p", "birthDate": "1994-01-01", "identifier": [{"value": "P7"}]})
    taken = screen(observation("57723-9", valueString="C-1"), observation("57718-9", valueString="acceptable"))
    assert take(birth(3000), taken, person) == (3, 3, 0, 0)
    assert births(shelf) == [("2024-ON-012345", 3000)]
