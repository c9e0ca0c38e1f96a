from __future__ import annotations

from datetime import UTC, datetime

import pytest

from swaddle.indicators.cells import Policy
from swaddle.indicators.compute import compute
from swaddle.indicators.definitions import load
from swaddle.indicators.disclosure import HIDDEN, Cell, release
from swaddle.indicators.nesting import _conjuncts, nested
from swaddle.indicators.releasing import Counted, released
from swaddle.indicators.remembered import Table, from_json

TERM = {
    "outcome": "live",
    "n_fetuses": 1,
    "presentation": "vertex",
    "ga_weeks": 39,
    "para": 0,
    "previous_cs": 0,
    "onset_labour": "spontaneous",
    "birth_type": "vaginal",
    "birth_weight_g": 3400,
}


def cell(numerator, denominator, unknown=0):
    return Cell(numerator=numerator, denominator=denominator, unknown=unknown)


def told(counts, earlier=None):
    return released(
        load(),
        {name: Counted(total=one, groups={}) for name, one in counts.items()},
        policy=Policy(),
        at="now",
        earlier=earlier,
    )


def test_which_population_lies_inside_which_is_read_from_the_definitions():
    pairs = {(one.wider, one.narrower): one.same_event for one in nested(load())}
    assert pairs["robson", "ntsv_caesarean"]
    assert not pairs["preterm", "low_birth_weight"]
    assert ("low_birth_weight", "preterm") not in pairs


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("live AND singleton", ["live", "singleton"]),
        ("ga_weeks BETWEEN 37 AND 38 AND live", ["ga_weeks BETWEEN 37 AND 38", "live"]),
        ("(a = 1 AND b = 2) AND c = 'x AND y'", ["(a = 1 AND b = 2)", "c = 'x AND y'"]),
        ("live", ["live"]),
    ],
)
def test_conditions_are_the_parts_between_ands(text, parts):
    assert _conjuncts(text) == parts


def test_live_births_less_live_single_births_are_no_few_twins():
    shown = told({"preterm": cell(80, 1003), "low_birth_weight": cell(50, 1000)})
    assert shown["low_birth_weight"].total == HIDDEN
    assert shown["preterm"].total.numerator == 80
    shown = told({"preterm": cell(80, 1010), "low_birth_weight": cell(50, 1000)})
    assert shown["low_birth_weight"].total.numerator == 50


def test_caesareans_less_caesareans_of_first_births_are_not_a_few():
    shown = told({"robson": cell(304, 1400), "ntsv_caesarean": cell(300, 1000)})
    assert shown["ntsv_caesarean"].total == HIDDEN


def test_a_table_comes_back_from_where_it_was_kept():
    table = Table(
        at="then", total=release(cell(30, 400)), groups={"a": HIDDEN, "b": release(cell(20, 90))}, period="2024"
    )
    assert from_json(table.to_json()) == table


def test_what_was_told_of_another_period_is_not_repeated_as_this_one():
    old = Table(at="then", total=release(cell(80, 1000)), groups={}, period="2023")
    shown = told({"preterm": cell(82, 1020)}, {"preterm": [old]})
    assert shown["preterm"].total == HIDDEN


def test_a_report_a_week_later_tells_the_others_figure_again_with_its_moment(births):
    births.add(90, **TERM)
    births.add(900, submitter="b", **TERM)
    births.add(100, submitter="c", **TERM | {"ga_weeks": 30})

    def results(day, earlier=None):
        at = datetime(2026, 11, day, tzinfo=UTC)
        return {item.id: item for item in compute(births.connection, "own", as_of=at, earlier=earlier)}

    first = results(1)
    births.add(2, submitter="b", **TERM | {"ga_weeks": 30})
    births.add(5, **TERM | {"ga_weeks": 30})
    second = results(8, {name: [item.told] for name, item in first.items()})
    preterm = second["preterm"]
    assert (preterm.row("others").numerator, preterm.row("own").denominator) == (100, 95)
    assert (preterm.as_of[:10], preterm.others_as_of[:10]) == ("2026-11-08", "2026-11-01")
    births.add(20, submitter="b", **TERM | {"ga_weeks": 30})
    third = results(15, {name: [item.told] for name, item in first.items()})["preterm"]
    assert (third.row("others").numerator, third.others_as_of[:10]) == (122, "2026-11-15")
