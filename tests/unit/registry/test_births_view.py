"""The births that indicators read: a birth that came without its delivery is joined to the delivery sent on its own."""

import pytest
from plain_rows import birth, csv_of

HERE, THERE = "a" * 32, "b" * 32


def delivery(number, of, **more):
    return {"local_record_id": number, "delivery_local_id": of, "ga_weeks": "39"} | more


@pytest.fixture
def send(shelf, days):
    def take(form, *rows, day=1, submitter=HERE):
        kind = {"birth": "births", "delivery": "deliveries"}[form]
        taken = shelf.take(csv_of(form, *rows), submitter=submitter, kind=kind, sent_at=days(day))
        assert taken.load.rejected == 0, taken.found

    return take


def told(shelf, columns="ga_weeks, ga_weeks_missing"):
    return shelf.ask(f"select local_record_id, {columns} from births order by all")


def test_a_birth_without_its_delivery_finds_it_by_its_number(shelf, send):
    send("birth", birth("1", delivery_local_id="D1"), birth("2", mother="M2", delivery_local_id="D2"))
    assert told(shelf) == [("1", None, "NC"), ("2", None, "NC")]
    send("delivery", delivery("9", "D1"), day=2)
    assert told(shelf) == [("1", 39, None), ("2", None, "NC")]


def test_what_is_not_known_of_the_delivery_is_not_known_and_not_absent(shelf, send):
    send("birth", birth("1", delivery_local_id="D1"))
    send("delivery", delivery("9", "D1", ga_weeks="ASKU"), day=2)
    assert told(shelf) == [("1", None, "ASKU")]


def test_the_rows_own_word_comes_first(shelf, send):
    send("birth", birth("1", delivery_local_id="D1", ga_weeks="41"))
    send("delivery", delivery("9", "D1", para="2"), day=2)
    assert told(shelf, "ga_weeks, para") == [("1", 41, 2)]


def test_a_delivery_of_another_submitter_is_another(shelf, send):
    send("birth", birth("1", delivery_local_id="D1"))
    send("delivery", delivery("9", "D1"), day=2, submitter=THERE)
    assert told(shelf) == [("1", None, "NC")]


def test_two_records_of_one_delivery_make_no_second_birth(shelf, send):
    send("birth", birth("1", delivery_local_id="D1"), birth("2", delivery_local_id="D1"))
    send("delivery", delivery("8", "D1", ga_weeks="38"), delivery("9", "D1", ga_weeks="40"), day=2)
    assert told(shelf, "ga_weeks") == [("1", 40), ("2", 40)]


def test_a_delivery_that_was_taken_back_is_gone(shelf, send):
    send("birth", birth("1", delivery_local_id="D1"))
    send("delivery", delivery("9", "D1"), day=2)
    send("delivery", delivery("9", "D1", action="void"), day=3)
    assert told(shelf) == [("1", None, "NC")]


def test_deliveries_without_a_number_join_nothing(shelf, send):
    send("birth", birth("1", delivery_local_id="ASKU"))
    send("delivery", delivery("9", "ASKU"), day=2)
    assert told(shelf) == [("1", None, "NC")]
