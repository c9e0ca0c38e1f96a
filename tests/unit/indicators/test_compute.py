from __future__ import annotations

from datetime import UTC, datetime

import pytest

from swaddle.indicators.compare import wilson
from swaddle.indicators.compute import compute
from swaddle.indicators.definitions import load

AS_OF = datetime(2026, 11, 22, 6, tzinfo=UTC)
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


def results(births, **wanted):
    return {item.id: item for item in compute(births.connection, "own", as_of=AS_OF, **wanted)}


def test_own_and_others_are_counted_apart(births):
    births.add(90, **TERM)
    births.add(10, **TERM | {"ga_weeks": 35})
    births.add(900, submitter="b", **TERM)
    births.add(100, submitter="c", **TERM | {"ga_weeks": 30})
    preterm = results(births)["preterm"]
    own, others = preterm.row("own"), preterm.row("others")
    assert (own.numerator, own.denominator, own.unknown, own.rate) == (10, 100, 0, 0.1)
    assert (own.low, own.high) == wilson(10, 100)
    assert (others.numerator, others.denominator, others.rate) == (100, 1000, 0.1)
    assert preterm.row("own", "34 to 36").numerator == 10
    assert preterm.row("others", "28 to 31").numerator == 100
    assert preterm.others_submitters == 2
    assert preterm.difference == "alike"
    assert preterm.finding == (
        "10.0% of your live births came before 37 weeks. Beside the other hospitals' 10.0%, chance can explain the"
        " difference."
    )


def test_a_difference_beyond_chance_is_said(births):
    births.add(50, **TERM)
    births.add(50, **TERM | {"birth_type": "caesarean"})
    births.add(900, submitter="b", **TERM)
    births.add(100, submitter="b", **TERM | {"birth_type": "caesarean"})
    ntsv = results(births)["ntsv_caesarean"]
    assert ntsv.difference == "higher"
    assert "50.0% of your first births at term, one baby head down, were by caesarean. Higher than" in ntsv.finding


def test_an_unknown_is_counted_and_never_read_as_no(births):
    births.add(80, **TERM)
    births.add(7, **{name: value for name, value in TERM.items() if name != "ga_weeks"})
    births.add(3, **{name: value for name, value in TERM.items() if name not in {"ga_weeks", "outcome"}})
    preterm = results(births)["preterm"]
    assert (preterm.row("own").denominator, preterm.row("own").unknown) == (80, 10)
    assert [(item.field, item.births, item.not_carried) for item in preterm.unknown_by] == [
        ("outcome", 3, False),
        ("ga_weeks", 7, False),
    ]


def test_a_birth_known_to_be_out_is_not_unknown(births):
    births.add(20, **TERM)
    births.add(5, outcome="live", n_fetuses=2)
    assert results(births)["low_birth_weight"].row("own").unknown == 0


def test_robson_groups_add_up_and_contribute(births):
    births.add(50, **TERM)
    births.add(10, **TERM | {"onset_labour": "induced", "birth_type": "caesarean"})
    births.add(25, **TERM | {"para": 2, "previous_cs": 1, "birth_type": "caesarean"})
    births.add(15, **TERM | {"presentation": "other"})
    births.add(4, **{name: value for name, value in TERM.items() if name != "birth_type"})
    births.add(6, **TERM | {"outcome": "termination"})
    robson = results(births)["robson"]
    own = {row.group: row for row in robson.rows if row.whose == "own"}
    assert (own["all"].numerator, own["all"].denominator, own["all"].unknown) == (35, 100, 4)
    groups = [row for name, row in own.items() if name != "all"]
    assert len(groups) == 13
    assert sum(row.numerator for row in groups) == 35
    assert sum(row.denominator for row in groups) == 100
    assert sum(row.share for row in groups) == pytest.approx(1)
    assert sum(row.absolute for row in groups) == pytest.approx(0.35)
    assert sum(row.relative for row in groups) == pytest.approx(1)
    assert (own["5"].share, own["5"].rate, own["5"].absolute) == (0.25, 1.0, 0.25)
    assert own["unclassifiable"].denominator == 15
    assert [(item.field, item.births) for item in robson.unknown_by] == [("presentation", 15), ("birth_type", 4)]
    assert "the largest part of them, 71.4%, is group 5" in robson.finding


def test_births_that_lack_the_same_field_are_one_line(births):
    births.add(30, **TERM)
    births.add(4, **TERM | {"presentation": "other", "birth_type": "caesarean"})
    births.add(3, **{name: value for name, value in TERM.items() if name not in {"presentation", "birth_type"}})
    robson = results(births)["robson"]
    assert [(item.field, item.births) for item in robson.unknown_by] == [("presentation", 7)]
    assert robson.unknown == 7


def test_what_no_birth_of_the_layout_carries_is_not_answered(births):
    carried = {name: value for name, value in TERM.items() if name not in {"presentation", "previous_cs"}}
    births.add(50, source="nchs-births-2006", not_carried=("presentation", "previous_cs"), **carried)
    found = results(births)
    assert [name for name, item in found.items() if not item.answerable] == ["ntsv_caesarean", "robson"]
    robson = found["robson"]
    assert robson.rows == ()
    assert robson.not_carried == ("presentation", "previous_cs")
    assert robson.finding == (
        "Not answerable from this layout: it does not carry position of the baby and earlier caesareans."
    )
    assert [(item.source, item.births) for item in robson.unanswered] == [("nchs-births-2006", 50)]


def test_two_layouts_one_of_which_answers(births):
    carried = {name: value for name, value in TERM.items() if name != "presentation"}
    births.add(50, source="old", not_carried=("presentation",), **carried)
    births.add(40, source="births", **TERM)
    ntsv = results(births)["ntsv_caesarean"]
    assert ntsv.answerable
    assert (ntsv.row("own").denominator, ntsv.row("own").unknown) == (40, 50)
    assert [(item.source, item.fields) for item in ntsv.unanswered] == [("old", ("presentation",))]
    assert [(item.field, item.births, item.not_carried) for item in ntsv.unknown_by] == [("presentation", 50, True)]


def test_a_transfer_narrows_own_births_and_lends_none_to_the_others(births):
    births.add(30, transfer="t1", **TERM)
    births.add(70, transfer="t2", **TERM)
    births.add(500, submitter="b", transfer="t3", **TERM)
    preterm = results(births, transfer="t1")["preterm"]
    assert preterm.row("own").denominator == 30
    assert preterm.row("others").denominator == 500


def test_others_are_compared_within_the_same_years(births):
    births.add(30, year=2014, **TERM)
    births.add(100, submitter="b", year=2014, **TERM)
    births.add(900, submitter="b", year=2006, **TERM | {"ga_weeks": 30})
    preterm = results(births)["preterm"]
    assert preterm.period == "2014"
    assert preterm.row("others").denominator == 100
    assert preterm.row("others").numerator == 0


def test_nothing_yet_and_nobody_else_are_said(births):
    assert all(item.finding == "None of your births are in the registry yet." for item in results(births).values())
    births.add(20, **TERM)
    preterm = results(births)["preterm"]
    assert preterm.row("others") is None
    assert preterm.finding.endswith("No other hospital has births of these years yet.")


def test_too_few_births_are_not_read_as_a_share(births):
    births.add(4, **TERM)
    births.add(1, **TERM | {"ga_weeks": 30})
    assert results(births)["preterm"].finding == "1 of 5 births: too few to read a share from."


def test_small_numbers_of_others_never_leave(births):
    births.add(200, **TERM)
    births.add(300, submitter="b", **TERM)
    births.add(3, submitter="b", **TERM | {"ga_weeks": 30, "birth_weight_g": 1400, "birth_type": "caesarean"})
    births.add(2, submitter="b", **TERM | {"presentation": "transverse_oblique", "birth_type": "caesarean"})
    for item in results(births).values():
        for row in item.rows:
            if row.whose == "others":
                shown = row.to_json()
                figures = [shown[name] for name in ("numerator", "denominator", "unknown")]
                assert all(value is None or value == 0 or value >= 6 for value in figures)
                if row.suppressed:
                    assert {shown[n] for n in ("numerator", "denominator", "rate", "low", "high")} == {None}
                    assert (row.share, row.absolute, row.relative) == (None, None, None)
    robson = {row.group: row for row in results(births)["robson"].rows if row.whose == "others"}
    assert robson["all"].suppressed
    assert "hidden" in results(births)["preterm"].finding


def test_own_small_numbers_are_shown_in_full(births):
    births.add(98, **TERM)
    births.add(2, **TERM | {"ga_weeks": 30})
    assert results(births)["preterm"].row("own", "28 to 31").numerator == 2


def test_a_submitters_name_is_bound_and_never_sql(births):
    births.add(10, submitter="x' OR 1=1 --", **TERM)
    births.add(20, submitter="b", **TERM)
    found = compute(births.connection, "x' OR 1=1 --", as_of=AS_OF)
    assert found[0].row("own").denominator == 10


def test_the_json_is_the_object_of_the_command(births):
    births.add(20, **TERM)
    shown = results(births)["preterm"].to_json()
    assert {"id", "title", "period", "as_of", "rows"} <= set(shown)
    assert shown["as_of"] == "2026-11-22T06:00:00Z"
    row = {"group", "numerator", "denominator", "unknown", "rate", "low", "high", "suppressed"}
    assert all(row <= set(line) for line in shown["rows"])


def test_every_definition_is_computed_in_order(births):
    births.add(1, **TERM)
    assert [item.id for item in compute(births.connection, "own", as_of=AS_OF)] == [item.id for item in load()]


def test_a_result_says_of_which_dictionary_and_which_state_it_is(births):
    births.add(20, **TERM)
    told = results(births, dictionary="1", snapshot="load 7")["preterm"].to_json()
    assert (told["as_of"], told["dictionary"], told["snapshot"]) == ("2026-11-22T06:00:00Z", "1", "load 7")
