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


def test_the_stay_and_the_pregnancy_are_found_too(shelf, days):
    def take(form, kind, *rows, day):
        taken = shelf.take(csv_of(form, *rows), kind=kind, sent_at=days(day))
        assert taken.load.rejected == 0, taken.found

    take("birth", "births", birth("1"), day=1)
    old, new = ({"mother_local_id": "M1", "event_date": date} for date in ("2024-03-01", "2026-04-01"))
    take("antenatal", "antenatal", old | {"local_record_id": "5", "antenatal_gravida": "1"}, day=2)
    assert told(shelf, "antenatal_gravida, antenatal_gravida_missing") == [("1", None, "NC")]
    take("antenatal", "antenatal", new | {"local_record_id": "6", "antenatal_gravida": "2"}, day=3)
    stay = {"local_record_id": "7", "child_local_id": "C1", "newborn_feeding": "breast_milk_only"}
    take("postpartum_child", "postpartum-children", stay, day=4)
    assert told(shelf, "antenatal_gravida, newborn_feeding") == [("1", 2, "breast_milk_only")]


def test_two_pregnancies_of_one_mother_are_two(shelf, days):
    rows = [birth("1", event_date="2024-10-01"), birth("2", event_date="2026-10-01")]
    shelf.take(csv_of("birth", *rows), sent_at=days(1))
    visits = [
        {"local_record_id": str(number), "mother_local_id": "M1", "event_date": date, "antenatal_gravida": str(number)}
        for number, date in ((3, "2024-05-01"), (4, "2026-05-01"))
    ]
    shelf.take(csv_of("antenatal", *visits), kind="antenatal", sent_at=days(2))
    assert told(shelf, "antenatal_gravida") == [("1", 3), ("2", 4)]


@pytest.mark.parametrize(
    ("relation", "form", "kind"),
    [
        ("screens", "newborn_screen", "newborn-screens"),
        ("nicu_stays", "nicu_stay", "nicu-stays"),
        ("cycles", "fertility_cycle", "fertility-cycles"),
    ],
)
def test_each_unit_is_a_relation_that_asks_for_consent(shelf, days, relation, form, kind):
    who = "mother" if form == "fertility_cycle" else "child"
    rows = [{"local_record_id": str(number), f"{who}_local_id": f"P{number}"} for number in (1, 2)]
    rows[0][f"{who}_consent_directive"] = "restricted_use"
    taken = shelf.take(csv_of(form, *rows), kind=kind, sent_at=days(1))
    assert taken.load.stored == 2, taken.found
    assert shelf.ask(f"select local_record_id, for_quality, for_peers from {relation}") == [("2", True, True)]


def test_what_the_registry_knows_of_a_row(shelf, days):
    row = birth("1", event_date="2026-10-01", neonatal_death_dt="2026-10-04")
    row |= {"birth_weight_g": "450", "apgar5": "9"}
    taken = shelf.take(csv_of("birth", row), sent_at=days(1))
    warnings = sum(each["count"] for each in taken.found.values() if each["severity"] == "warning")
    ((data_days, open_warnings, death_days),) = shelf.ask(
        "select data_days, data_open_warnings, death_days from births"
    )
    assert (data_days, death_days) == (52, 3)
    assert open_warnings == warnings > 0
    shelf.take(csv_of("birth", row | {"apgar5": "8"}), sent_at=days(2))
    assert shelf.ask("select data_days from births") == [(52,)], "a correction makes nothing late"


@pytest.mark.parametrize(
    ("born", "screened", "hours"),
    [
        ("2026-10-01T08:15", "2026-10-02T14:45", 30.5),
        ("2026-10-01T08:15", "2026-10-02", None),
        ("2026-10-01", "2026-10-02T14:45", None),
        ("2026-10-01T08:15", "", None),
    ],
)
def test_hours_to_the_heart_screen_are_told_where_both_moments_are(shelf, days, born, screened, hours):
    row = birth("1", event_date=born) | {"newborn_cchd_screen": "pass", "newborn_cchd_dt": screened}
    assert shelf.take(csv_of("birth", row), sent_at=days(1)).load.stored == 1
    assert shelf.ask("select heart_screen_hours from births") == [(hours,)]


def test_a_year_is_no_day_to_count_from(shelf, days):
    shelf.take(csv_of("birth", birth("1", event_date="2026")), sent_at=days(1))
    assert shelf.ask("select data_days from births") == [(None,)]
