"""Funnels and trends over a million real births: 917 places of birth in Santa Catarina, 2012 to 2023 (SINASC)."""

from __future__ import annotations

import os
from functools import reduce
from pathlib import Path

import duckdb
import pytest

from swaddle.indicators.cells import Cell, Policy, unsafe
from swaddle.indicators.comparison import compare_with_peers
from swaddle.indicators.control_chart import Month, chart
from swaddle.indicators.peers import FEWEST, Unit, group_of, groups
from swaddle.indicators.saying import say

FILE = (
    Path(os.environ.get("SWADDLE_REAL_DATA", Path(__file__).parents[4] / "shared" / "data"))
    / "sinasc_sc_anomalia"
    / "sinasc_sc.parquet"
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.real_data,
    pytest.mark.skipif(not FILE.is_file(), reason="the SINASC file is not there (SWADDLE_REAL_DATA)"),
]

# (what counts, what could have counted), in the words of the file
INDICATORS = {
    "preterm": (
        "cat_gestacao IN ('Menos de 22 semanas', '22 à 27 semanas', '28 à 31 semanas', '32 à 36 semanas')",
        "cat_gestacao IS NOT NULL",
    ),
    "caesarean": ("cat_parto = 'Cesariana'", "cat_parto IN ('Cesariana', 'Vaginal')"),
    "apgar5_low": ("cat_apgar5 = 'Até 7'", "cat_apgar5 IS NOT NULL"),
}


@pytest.fixture(scope="module")
def counted():
    """By indicator, place and month: events and births."""
    connection = duckdb.connect()
    connection.read_parquet(str(FILE)).create_view("births")
    found = {}
    for name, (event, inside) in INDICATORS.items():
        rows = connection.execute(
            f"SELECT codestab, ano, mes, count(*) FILTER ({event}), count(*) FILTER ({inside}) FROM births"
            " WHERE codestab IS NOT NULL AND ano IS NOT NULL AND mes IS NOT NULL GROUP BY ALL"
        ).fetchall()
        found[name] = {(place, int(year), int(month)): (events, births) for place, year, month, events, births in rows}
    return found


def of_year(counts, year):
    cells = {}
    for (place, when, _), (events, births) in counts.items():
        if when == year:
            before = cells.get(place, Cell(numerator=0, denominator=0))
            cells[place] = before.plus(Cell(numerator=events, denominator=births))
    return cells


def months_of(counts, place):
    every = [f"{year}-{month:02d}" for year in range(2012, 2024) for month in range(1, 13)]
    own = {f"{year}-{month:02d}": cell for (where, year, month), cell in counts.items() if where == place}
    return [
        Month(when=when, numerator=own.get(when, (0, 0))[0], denominator=own.get(when, (0, 0))[1]) for when in every
    ]


@pytest.fixture(scope="module")
def peer_groups(counted):
    before = of_year(counted["caesarean"], 2022)
    return groups(Unit(name=place, level="", births=cell.denominator) for place, cell in before.items())


def test_every_place_has_peers(peer_groups, counted):
    assert len({place for place, _, _ in counted["caesarean"]}) > 900
    assert all(len(group.members) >= FEWEST for group in peer_groups)
    assert len(peer_groups) >= 4


@pytest.mark.parametrize("name", INDICATORS)
def test_a_funnel_of_every_large_place_says_something_and_hides_what_it_must(name, counted, peer_groups):
    cells = of_year(counted[name], 2023)
    large = sorted(cells, key=lambda place: -cells[place].denominator)[:12]
    stood = []
    for place in large:
        group = group_of(place, peer_groups)
        members = {one: cells[one] for one in group.members if one in cells}
        compared = compare_with_peers(place, members, months_of(counted[name], place), at="now")
        shown = [each for each in compared.told.groups.values() if not each.suppressed]
        assert not any(unsafe(Cell(numerator=each.numerator, denominator=each.denominator)) for each in shown)
        if not compared.peers.suppressed:
            apart = reduce(Cell.plus, (Cell(numerator=e.numerator, denominator=e.denominator) for e in shown))
            rest = (compared.peers.numerator - apart.numerator, compared.peers.denominator - apart.denominator)
            assert all(count == 0 or count >= Policy().threshold for count in (*rest, rest[1] - rest[0]))
        assert say(compared).sentence.endswith(".")
        assert say(compared, "fr").sentence.endswith(".")
        if compared.funnel is not None and compared.funnel.own is not None:
            stood.append(compared.funnel.own.stands)
    assert len(stood) >= 6


def test_caesareans_differ_by_far_more_than_chance_and_the_funnel_says_so(counted, peer_groups):
    cells = of_year(counted["caesarean"], 2023)
    place = max(cells, key=lambda one: cells[one].denominator)
    members = {one: cells[one] for one in group_of(place, peer_groups).members if one in cells}
    compared = compare_with_peers(place, members, [], at="now")
    assert compared.funnel.dispersion > 10
    assert "wider for all" in say(compared).funnel_text


def test_a_trend_of_the_whole_state_needs_laneys_limits(counted):
    """Eight thousand births a month: chance alone is too narrow, and twelve years are more than one change."""
    every = {}
    for (_, year, month), (events, births) in counted["caesarean"].items():
        before = every.get((year, month), (0, 0))
        every[year, month] = (before[0] + events, before[1] + births)
    months = [
        Month(when=f"{year}-{month:02d}", numerator=events, denominator=births)
        for (year, month), (events, births) in sorted(every.items())
    ]
    assert len(months) == 144
    drawn = chart(months, baseline=24)
    assert drawn.widened > 1
    assert sum(month.denominator for month in months) > 1_000_000
    assert 0.5 < drawn.centre < 0.7


def test_trends_of_all_places_and_too_few_is_said(counted):
    places = sorted({place for place, _, _ in counted["preterm"]})
    told = {"too few": 0, "change": 0, "none": 0}
    for place in places:
        drawn = chart(months_of({k: v for k, v in counted["preterm"].items() if k[0] == place}, place))
        told["too few" if drawn is None else "change" if drawn.shift else "none"] += 1
    assert told["too few"] > 500
    assert told["change"] + told["none"] > 80
