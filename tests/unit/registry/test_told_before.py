from __future__ import annotations

from types import SimpleNamespace

import pytest

from swaddle.indicators.disclosure import HIDDEN, Cell, release
from swaddle.indicators.remembered import Table
from swaddle.indicators.results import IndicatorResult, IndicatorRow
from swaddle.registry import told
from swaddle.registry.settings import Settings
from swaddle.registry.state import State


@pytest.fixture
def inside(tmp_path):
    return SimpleNamespace(state=State(tmp_path / "state.sqlite"))


def result(numerator, at, *, total=None):
    table = Table(at=at, total=total or release(Cell(numerator=numerator, denominator=1000)), groups={}, period="2026")
    row = IndicatorRow(
        group="all", label="", whose="others", numerator=numerator, denominator=1000, unknown=0,
        rate=None, low=None, high=None, suppressed=False,
    )  # fmt: skip
    return IndicatorResult(
        id="preterm", title="", period="2026", as_of=at, rows=(row,), answerable=True, finding="", difference=None,
        unknown=0, unknown_by=(), unanswered=(), others_submitters=3, threshold=6, told=table,
    )  # fmt: skip


def test_what_a_submitter_was_told_is_there_the_next_time_in_its_order(inside):
    told.remember(inside, "a", [result(80, "t1")])
    told.remember(inside, "a", [result(90, "t2")])
    told.remember(inside, "b", [result(10, "t1")])
    assert [(table.at, table.total.numerator) for table in told.earlier(inside, "a")["preterm"]] == [
        ("t1", 80),
        ("t2", 90),
    ]
    assert told.earlier(inside, "c") == {}


def test_the_same_again_and_what_was_hidden_are_not_kept(inside):
    told.remember(inside, "a", [result(80, "t1")])
    told.remember(inside, "a", [result(80, "t1")])
    told.remember(inside, "a", [result(80, "t2", total=HIDDEN)])
    assert len(told.earlier(inside, "a")["preterm"]) == 1


def test_no_more_is_kept_than_is_needed(inside, monkeypatch):
    monkeypatch.setattr(told, "MOST_KEPT", 3)
    for week in range(6):
        told.remember(inside, "a", [result(80 + 10 * week, f"t{week}")])
    assert [table.at for table in told.earlier(inside, "a")["preterm"]] == ["t3", "t4", "t5"]


def test_what_is_hidden_is_what_the_settings_say():
    settings = Settings(
        gateway_url="https://gate.example", report_threshold=8, report_zeros="hide", report_rounding=5,
        report_withheld="9, 2b,",
    )  # fmt: skip
    policy = told.policy_of(settings)
    assert (policy.threshold, policy.zeros, policy.rounding, policy.withheld) == (8, "hide", 5, {"9", "2b"})
