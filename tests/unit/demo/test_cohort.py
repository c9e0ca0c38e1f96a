from collections import Counter
from datetime import date, timedelta

import pytest

from swaddle.demo.cohort import HISTORY_DAYS, LATE_DAYS, SITES, births, health_card, luhn_digit, split
from swaddle.indicators.compare import LEAST_TO_COMPARE

LAST_DAY = date(2026, 10, 31)


def cohort(count=4_000, seed=2026):
    return [
        birth
        for site, share in zip(SITES, split(count), strict=True)
        for birth in births(site, share, seed=seed, last_day=LAST_DAY)
    ]


def test_the_same_seed_gives_the_same_births_and_another_seed_others():
    assert cohort(100) == cohort(100)
    assert cohort(100) != cohort(100, seed=7)


def test_the_default_is_split_as_the_places_say():
    assert split(8_000) == (4_996, 2_980, 24)
    assert sum(split(123_457)) == 123_457
    assert min(split(40)) == 1


def test_too_small_a_cohort_is_refused():
    with pytest.raises(ValueError, match="40"):
        split(39)


def test_health_cards_are_ten_digits_with_a_true_check_digit_and_nobody_shares_one():
    rows = cohort()
    cards = {row.mother_id: row.mother_card for row in rows if row.mother_card}
    every = [*cards.values(), *(row.child_card for row in rows if row.child_card)]
    assert len(set(every)) == len(every) > 4_000
    assert all(len(card) == 10 and card[0] == "9" and luhn_digit(card[:9]) == card[9] for card in every)


def test_the_check_digit_is_luhns():
    assert luhn_digit("987654321") == "7"
    assert luhn_digit("123456789") == "7"
    assert health_card(1, half=0) != health_card(1, half=1)


def test_twins_share_mother_and_delivery_and_are_in_order():
    twins = [row for row in cohort() if row.about.fetuses == 2]
    by_delivery = Counter(row.delivery for row in twins)
    assert set(by_delivery.values()) <= {1, 2}
    assert sum(1 for count in by_delivery.values() if count == 2) > 20
    assert all(len({row.mother_id for row in twins if row.delivery == one}) == 1 for one in by_delivery)


def test_births_lie_in_the_year_that_ends_on_the_last_day():
    born = [row.born for row in cohort()]
    assert max(born) <= LAST_DAY
    assert min(born) > LAST_DAY - timedelta(days=365)


def test_rates_look_like_rates():
    rows = cohort(8_000)
    assert 0.05 < sum(row.about.gestation_days < 259 for row in rows) / len(rows) < 0.11
    assert 0.22 < sum(row.child.birth_type == "caesarean" for row in rows) / len(rows) < 0.34
    assert all(row.about.previous_caesareans <= row.about.para for row in rows)
    assert all(row.child.birth_type == "caesarean" for row in rows if row.about.onset == "no_labour")


def test_some_children_have_no_name_yet_and_some_are_called_null():
    rows = cohort()
    assert any(row.child_given == "BABY GIRL" for row in rows)
    assert any(row.mother_family == "Null" for row in rows)


def first_births_by_caesarean(site, *, late):
    rows = [
        row
        for row in births(site, 4_000, seed=2026, last_day=LAST_DAY, days=HISTORY_DAYS)
        if row.about.para == 0 and ((LAST_DAY - row.born).days < LATE_DAYS) is late
    ]
    return sum(row.child.birth_type == "caesarean" for row in rows) / len(rows)


def test_one_place_does_well_and_one_has_changed_of_late():
    well, changing = SITES[:2]
    assert first_births_by_caesarean(well, late=True) < first_births_by_caesarean(changing, late=False)
    assert first_births_by_caesarean(changing, late=True) > 1.2 * first_births_by_caesarean(changing, late=False)
    assert abs(first_births_by_caesarean(well, late=True) - first_births_by_caesarean(well, late=False)) < 0.05


def test_one_place_has_too_few_births_a_month_for_a_chart():
    assert split(8_000)[2] / 24 < LEAST_TO_COMPARE
