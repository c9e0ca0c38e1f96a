from __future__ import annotations

import random

import pytest

from swaddle.indicators.control_chart import BASELINE, Month, Rule, chart, laney


def months(counts, births=200, start=2024):
    return [
        Month(when=f"{start + place // 12}-{place % 12 + 1:02d}", numerator=count, denominator=births)
        for place, count in enumerate(counts)
    ]


BASE = [60, 58, 62, 59, 61, 60, 63, 57, 60, 61, 59, 60]


def test_limits_are_three_standard_deviations_of_each_months_births():
    drawn = chart(months([*BASE, 60]))
    assert drawn.centre == pytest.approx(0.3)
    assert drawn.marks[-1].high == pytest.approx(0.3 + 3 * (0.3 * 0.7 / 200) ** 0.5)
    assert (drawn.first, drawn.last, drawn.widened, drawn.shift) == ("2024-01", "2024-12", 1.0, None)


def test_eight_in_a_row_are_a_change_told_from_its_first_month():
    drawn = chart(months([*BASE, 61, 55, 52, 58, 54, 56, 53, 57, 55]))
    assert drawn.shift.rule is Rule.EIGHT
    assert (drawn.shift.since, drawn.shift.until, drawn.shift.higher, drawn.shift.points) == (
        *("2025-02", "2025-09", False, 8),
    )


def test_seven_in_a_row_are_not():
    assert chart(months([*BASE, 61, 55, 52, 58, 54, 56, 53, 57])).shift is None


def test_one_point_far_out_is_a_change():
    shift = chart(months([*BASE, 95])).shift
    assert (shift.rule, shift.higher, shift.points) == (Rule.BEYOND, True, 1)


def test_six_that_rise_are_a_change():
    shift = chart(months([*BASE, 55, 57, 59, 61, 62, 64])).shift
    assert (shift.rule, shift.higher, shift.points) == (Rule.SIX, True, 6)


def test_two_of_three_is_asked_only_where_it_was_chosen():
    far = [*BASE, 74, 60, 75]
    assert chart(months(far)).shift is None
    assert chart(months(far), rules=[Rule.TWO_OF_THREE]).shift.rule is Rule.TWO_OF_THREE


def test_the_baseline_is_frozen_and_never_judges_itself():
    drawn = chart(months([95, *BASE[1:], 60]))
    assert drawn.marks[0].broken == ()
    again = chart(months([*BASE, *[90] * 24]))
    assert again.centre == pytest.approx(0.3)
    assert again.marks[-1].baseline is False
    later = chart(months([*BASE, *[90] * 24]), frozen=("2025-01", "2025-12"))
    assert later.centre == pytest.approx(0.45)


def test_a_month_without_births_breaks_no_run_and_makes_none():
    counts = months([*BASE, 55, 52, 58, 54, 56, 53, 57, 55])
    counts.insert(16, Month(when="2025-04b", numerator=0, denominator=0))
    drawn = chart(counts)
    assert drawn.marks[16].share is None
    assert drawn.shift.points == 8


@pytest.mark.parametrize(
    "counts", [BASE, BASE[:5], [0] * 20, [200] * 20, []], ids=["no month after", "short", "none", "all", "nothing"]
)
def test_too_few_to_say_is_none(counts):
    assert chart(months(counts)) is None


def test_very_small_months_are_too_few_to_say():
    assert chart(months([3] * 24, births=9)) is None


def test_points_out_of_order_are_refused():
    with pytest.raises(ValueError):
        chart(list(reversed(months([*BASE, 60]))))


def test_large_months_that_swing_more_than_chance_get_wider_limits():
    draw = random.Random(7)
    counts = months([round(100_000 * (0.08 + draw.gauss(0, 0.003))) for _ in range(48)], births=100_000)
    wide = chart(counts, baseline=24)
    assert 2 < wide.widened < 6
    assert [mark.when for mark in wide.marks if Rule.BEYOND in mark.broken] == []
    alone = [mark for mark in wide.marks if abs(mark.share - wide.centre) > 3 * (0.08 * 0.92 / 100_000) ** 0.5]
    assert len(alone) > 8


def test_laney_never_narrows():
    assert laney([0.0, 0.01, 0.0, 0.01]) == 1.0
    assert laney([0.0, 2.256, 0.0]) == pytest.approx(2.0)


def test_chance_alone_seldom_looks_like_a_change():
    draw = random.Random(3)
    alarms = 0
    for _ in range(300):
        counts = [sum(draw.random() < 0.2 for _ in range(60)) for _ in range(BASELINE + 6)]
        drawn = chart(months(counts, births=60))
        alarms += drawn is not None and drawn.shift is not None
    assert alarms < 30
