from __future__ import annotations

import csv

import pytest

from swaddle.indicators.comparison import compare_with_peers
from swaddle.indicators.control_chart import Month
from swaddle.indicators.disclosure import Cell
from swaddle.indicators.saying import Measure, number, percent, say, when


def cell(numerator, denominator):
    return Cell(numerator=numerator, denominator=denominator)


PEERS = {f"p{n:02d}": cell(240 + 3 * n, 1000) for n in range(20)}
MONTHS = [
    Month(when=f"{2024 + n // 12}-{n % 12 + 1:02d}", numerator=60 if n < 14 else 50 + n % 3, denominator=200)
    for n in range(24)
]


OWN = cell(701, 2663)


def compared(own=OWN, peers=PEERS, months=MONTHS, **more):
    return compare_with_peers("own", {"own": own, **peers}, months, at="2026-11-22", **more)


def test_the_page_opens_with_its_finding():
    said = say(compared())
    assert said.sentence == "26.3%. As expected among peers, and truly lower since March 2025."
    assert said.under.startswith("701 of 2,663 births. Ten points in a row lie below your frozen baseline of 30.0%")
    assert said.funnel_title == "Among 20 other peers: as expected"
    assert said.chart_title == "Over time: lower since March 2025"


def test_it_says_the_same_in_french():
    said = say(compared(), "fr")
    assert said.sentence == "26,3\u00a0%. Comme attendu parmi les pairs, et réellement plus bas depuis mars 2025."
    assert "701 naissances sur 2\u00a0663." in said.under
    assert all(vars(said).values())


def test_one_far_out_is_called_by_chance_and_not_by_good_or_bad():
    said = say(compared(own=cell(1000, 2663)))
    assert "Higher than chance explains among peers" in said.sentence
    assert not {"good", "bad", "worse", "better", "alarm"} & set(said.sentence.lower().split())


@pytest.mark.parametrize("language", ["en", "fr"])
def test_too_few_of_anything_is_said(language):
    alone = say(compared(peers={}, months=[]), language)
    few = say(compared(own=cell(2, 5)), language)
    nobody = say(compared(own=cell(0, 0)), language)
    assert {"en": "too few peers", "fr": "trop peu de pairs"}[language] in alone.sentence
    assert {"en": "Too few births", "fr": "Trop peu de naissances"}[language] in few.sentence
    assert {"en": "nothing to compare", "fr": "rien à comparer"}[language] in nobody.sentence


def test_a_group_of_four_is_not_told_at_all():
    small = compared(peers=dict(list(PEERS.items())[:3]))
    assert small.peers.suppressed
    assert small.funnel is None


def test_a_peer_with_a_small_number_is_in_no_point_and_another_goes_with_it():
    comparison = compared(peers=PEERS | {"p05": cell(3, 400)})
    assert comparison.hidden == 2
    drawn = [(placed.point.numerator, placed.point.denominator) for placed in comparison.funnel.points]
    assert (3, 400) not in drawn
    assert len(drawn) == 19
    rest = comparison.peers.numerator - sum(n for n, _ in drawn if n != 701)
    assert rest >= 6
    assert "2 peers are not drawn" in say(comparison).funnel_text


def test_no_peer_is_named_anywhere():
    comparison = compared()
    text = comparison.funnel_csv() + comparison.chart_csv() + str(say(comparison))
    assert not any(name in text for name in PEERS)


def test_the_csv_beside_a_chart_holds_its_points():
    rows = list(csv.DictReader(compared().funnel_csv().splitlines()))
    assert len(rows) == 21
    assert [row["numerator"] for row in rows if row["who"] == "own"] == ["701"]
    rows = list(csv.DictReader(compared().chart_csv().splitlines()))
    assert len(rows) == 24
    assert sum(row["baseline"] == "yes" for row in rows) == 12
    assert rows[-1]["rules_broken"] == "eight in a row on one side"


def test_a_week_later_a_few_more_births_are_not_told_of():
    first = compared()
    moved = PEERS | {"p03": cell(PEERS["p03"].numerator + 1, 1003)}
    later = compare_with_peers("own", {"own": cell(710, 2690), **moved}, MONTHS, at="later", earlier=[first.told])
    assert later.told is first.told
    assert later.own.numerator == 710
    assert later.peers == first.peers


def test_the_lines_behind_the_charts():
    own, baseline, peers = compared().lines()
    assert (own.numerator, baseline.denominator, peers.denominator) == (701, 2400, 20_000)
    assert own.low < own.share < own.high


def test_words_of_numbers_and_months():
    assert (percent(0.0984), percent(0.0984, "fr")) == ("9.8%", "9,8\u00a0%")
    assert (number(12345), number(12345, "fr")) == ("12,345", "12\u00a0345")
    assert (when("2026-03"), when("2026-03", "fr"), when("2026"), when("2026-Q1")) == (
        *("March 2026", "mars 2026", "2026", "2026-Q1"),
    )


def test_one_peer_comes_and_another_leaves_and_the_hidden_one_is_not_found_by_subtraction():
    before = compared(peers=PEERS | {"p05": cell(3, 400)}, period="2026").told
    assert before.groups["p05"].suppressed
    swapped = {name: one for name, one in PEERS.items() if name != "p05"} | {"new": cell(300, 1000)}
    after = compared(peers=swapped, period="2026", earlier=[before])
    assert after.told == before  # else: 3 = the total then - the total now + 300
    assert after.peer_count == 20
    next_year = compared(peers=swapped, period="2027", earlier=[before])
    assert "new" in next_year.told.groups


def test_a_rate_per_thousand_of_something_else_is_told_as_that():
    deaths = Measure(per=1000, many="screening cards", many_fr="cartes de dépistage")
    said = say(compared(own=cell(7, 2000)), "en", deaths)
    assert said.sentence.startswith("3.5 per 1,000. ")
    assert said.under.startswith("7 of 2,000 screening cards.")
    assert "birth" not in f"{said.sentence}{said.under}{said.funnel_text}{said.chart_text}"
    french = say(compared(own=cell(7, 2000)), "fr", deaths)
    assert french.sentence.startswith("3,5 pour 1\u00a0000. ")
    assert "naissance" not in f"{french.sentence}{french.under}{french.funnel_text}{french.chart_text}"
