from datetime import date, timedelta

from swaddle.demo.care import Newborn, missed_of, newborns, screens

LAST = date(2026, 10, 31)


def newborn(days, place=1):
    return Newborn(place, f"LVW-B{days:08d}", f"LVW-C{days:08d}-K", LAST - timedelta(days=days))


def test_one_newborn_of_the_last_weeks_is_left_out_and_no_other():
    known = [newborn(days) for days in (0, 5, 9, 20, 40, 200)]
    missed = missed_of(known)
    assert missed == newborn(20)
    text = screens(known, missed).decode()
    assert missed.card not in text
    assert all(newborn(days).card in text for days in (0, 5, 9, 40))
    assert newborn(200).card not in text


def test_a_birth_too_young_or_of_another_place_is_not_the_missed_one():
    assert missed_of([newborn(0), newborn(3), newborn(20, place=0)]) is None
    assert missed_of([]) is None


def test_a_stillbirth_or_a_birth_without_a_card_needs_no_screen():
    row = {"local_record_id": "B1", "event_date": "2026-10-02T08:00", "outcome": "live", "screening_card_id": "C1-K"}
    rows = [row, {**row, "outcome": "stillbirth_antepartum"}, {**row, "screening_card_id": ""}]
    assert list(newborns(1, rows)) == [Newborn(1, "B1", "C1-K", date(2026, 10, 2))]
