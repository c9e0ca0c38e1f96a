"""Peers and months: from births to the page of a month. The answer to a submission has none of them."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import UTC, datetime
from types import SimpleNamespace

import duckdb
import pytest

from swaddle.feedback.monthly import Count, Figure, Month, page
from swaddle.feedback.report import report
from swaddle.indicators.beside_peers import comparisons, peers_of
from swaddle.indicators.compute import compute
from swaddle.indicators.definitions import definition, load
from swaddle.indicators.tally import tally

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
HOSPITALS = 8
NAME = "<script>alert(1)</script>\u202e=cmd()"


@pytest.fixture(scope="module")
def connection():
    """Eight hospitals, two years, 40 births a month; preterm births of the first rise by much in the second year."""
    made = duckdb.connect()
    made.execute(
        f"""
        CREATE TABLE births AS
        SELECT 'h' || (place % {HOSPITALS}) AS submitter, 'births' AS source, 't' AS transfer,
            2024 + month // 12 AS event_year, 1 + month % 12 AS event_month, 'live' AS outcome,
            CASE WHEN hash(place, 7) % 100 < (CASE WHEN place % {HOSPITALS} = 0 AND month >= 12 THEN 40 ELSE 10 END)
                THEN 34 ELSE 39 END AS ga_weeks,
            NULL::VARCHAR AS outcome_missing, NULL::VARCHAR AS ga_weeks_missing
        FROM (SELECT range AS place, (range // {HOSPITALS * 40}) AS month FROM range({HOSPITALS * 40 * 24}))
        """
    )
    return made


@pytest.fixture(scope="module")
def given(connection):
    indicators = compute(connection, "h0", as_of=AT)
    tally(connection, load())
    answered = [item.id for item in indicators if item.answerable]
    return indicators, comparisons(connection, "h0", answered, at="2026-11-22T06:00:00Z")


@pytest.fixture(scope="module")
def made(given):
    _, compared = given
    figures = tuple(
        Figure(
            definition=definition(name), parts={}, cases=(), lacking=False,
            month=Count(numerator=4, denominator=40), before=Count(numerator=40, denominator=480),
        )
        for name in compared
    )  # fmt: skip
    told = Month(
        report="0" * 32, name=NAME, month="2025-12", at="2026-11-22T06:00:00Z", dictionary="1", snapshot="made up",
        revised=False, figures=figures, comparisons=compared,
    )  # fmt: skip
    return SimpleNamespace(html=page(told, "en").encode(), html_fr=page(told, "fr").encode())


def test_peers_are_of_the_year_before(connection):
    group = peers_of(connection, "h0", 12 * 2025 + 11, {})
    assert len(group.members) == HOSPITALS
    assert peers_of(connection, "nobody", 12 * 2025 + 11, {}) is None


def test_peers_are_of_the_same_level_where_enough_have_one():
    made = duckdb.connect()
    made.execute(
        "create table births as select 'h' || n as submitter, year as event_year, 6 as event_month"
        " from range(12) t(n), range(2024, 2026) u(year), range(40)"
    )
    last = 12 * 2025 + 11
    like = {f"h{n}" for n in range(6)}
    levels = dict.fromkeys(like, "2b")
    assert peers_of(made, "h0", last, levels).members == like
    assert peers_of(made, "h7", last, levels).members == {f"h{n}" for n in range(6, 12)}
    few = dict.fromkeys(sorted(like)[:3], "2b")  # three of a level would be named by it
    assert len(peers_of(made, "h0", last, few).members) == 12


def test_months_and_peers_are_counted_from_births(given):
    _, compared = given
    preterm = compared["preterm"]
    assert len(preterm.chart.marks) == 24
    assert preterm.own.denominator == 12 * 40
    assert preterm.peers.denominator == 12 * 40 * (HOSPITALS - 1)
    assert preterm.funnel.own.stands == "higher"
    assert preterm.chart.shift.higher


def test_the_page_says_it_first_and_draws_it(made):
    page = made.html.decode("utf-8")
    assert "Higher than chance explains among peers" in page
    assert page.index('id="peers"') < page.index("All indicators")
    assert page.count("<svg") >= 3
    assert "<title>Among 7 other peers" in page
    french = made.html_fr.decode("utf-8")
    assert "Plus élevé que le hasard ne l" in french
    assert "Parmi les pairs, et dans le temps" in french


def test_the_page_stays_without_script_style_or_fetch(made):
    for html in (made.html, made.html_fr):
        text = html.decode("utf-8")
        assert len(html) < 2_000_000
        assert "<script" not in text
        assert "\u202e" not in text
        assert not re.search(r"\sstyle=|\son\w+=|xlink|@import|url\((?!#)", text.replace("<style>", ""))


def test_no_two_drawings_share_an_id(made):
    named = re.findall(r'\sid="(d[0-9a-f]{8}-[^"]+)"', made.html.decode("utf-8"))
    assert len(named) == len(set(named)) > 0


def test_the_table_and_the_csv_stand_beside_the_chart(made):
    text = made.html.decode("utf-8")
    links = re.findall(r'href="data:text/csv;charset=utf-8;base64,([^"]+)"', text)
    assert len(links) >= 2
    assert b64decode(links[1]).decode().splitlines()[0].startswith("when,numerator,denominator")
    assert "The numbers behind the chart" in text


def test_the_answer_to_a_submission_points_to_the_report_of_the_month(given):
    from tests.unit.feedback.conftest import submission

    indicators, _ = given
    html = report(submission(), indicators).html
    assert b'id="peers"' not in html
    assert b"report of the month" in html
