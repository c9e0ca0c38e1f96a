from __future__ import annotations

from itertools import product

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaddle.indicators import robson
from swaddle.indicators.definitions import robson_expression
from swaddle.indicators.robson import classify

SINGLE = {
    "n_fetuses": 1,
    "presentation": "vertex",
    "ga_weeks": 39,
    "para": 0,
    "previous_cs": 0,
    "onset_labour": "spontaneous",
}
EVERY = {
    "n_fetuses": [None, 1, 2, 3],
    "presentation": [None, "vertex", "breech", "transverse_oblique", "other", "?"],
    "ga_weeks": [None, 20, 36, 37, 42],
    "para": [None, 0, 1, 4],
    "previous_cs": [None, 0, 1, 2],
    "onset_labour": [None, "spontaneous", "induced", "no_labour_cs", "?"],
}


@pytest.mark.parametrize(
    ("changed", "group"),
    [
        ({}, "1"),
        ({"onset_labour": "induced"}, "2a"),
        ({"onset_labour": "no_labour_cs"}, "2b"),
        ({"para": 1}, "3"),
        ({"para": 1, "onset_labour": "induced"}, "4a"),
        ({"para": 1, "onset_labour": "no_labour_cs"}, "4b"),
        ({"para": 2, "previous_cs": 1}, "5"),
        ({"para": 2, "previous_cs": 2, "onset_labour": None}, "5"),
        ({"presentation": "breech"}, "6"),
        ({"presentation": "breech", "para": 3, "previous_cs": 1}, "7"),
        ({"presentation": "breech", "ga_weeks": None, "onset_labour": None}, "6"),
        ({"n_fetuses": 2, "presentation": None, "ga_weeks": None, "para": None}, "8"),
        ({"presentation": "transverse_oblique", "para": None}, "9"),
        ({"ga_weeks": 36}, "10"),
        ({"ga_weeks": 36, "para": None, "previous_cs": None, "onset_labour": None}, "10"),
        ({"para": 0, "previous_cs": None}, "1"),
        ({"n_fetuses": None}, "unclassifiable: n_fetuses"),
        ({"presentation": None}, "unclassifiable: presentation"),
        ({"presentation": "other"}, "unclassifiable: presentation"),
        ({"presentation": "breech", "para": None}, "unclassifiable: para"),
        ({"ga_weeks": None}, "unclassifiable: ga_weeks"),
        ({"para": None}, "unclassifiable: para"),
        ({"onset_labour": None}, "unclassifiable: onset_labour"),
        ({"para": 1, "previous_cs": None}, "unclassifiable: previous_cs"),
        ({"para": 1, "onset_labour": None}, "unclassifiable: onset_labour"),
    ],
)
def test_each_group_by_its_rule(changed, group):
    assert classify(**(SINGLE | changed)) == group


def test_the_sql_says_the_same_on_every_combination():
    connection = duckdb.connect()
    names = list(EVERY)
    connection.execute(
        "CREATE TABLE births (n_fetuses INT, presentation VARCHAR, ga_weeks INT, para INT, previous_cs INT,"
        " onset_labour VARCHAR)"
    )
    rows = list(product(*EVERY.values()))
    lists = [[row[place] for row in rows] for place in range(len(names))]
    connection.execute(f"INSERT INTO births SELECT {', '.join('unnest(?)' for _ in names)}", lists)
    found = connection.execute(f"SELECT {', '.join(names)}, {robson_expression()} FROM births").fetchall()
    assert len(found) == len(rows) == 9600
    assert [row for row in found if classify(**dict(zip(names, row, strict=False))) != row[-1]] == []


@given(st.fixed_dictionaries({name: st.sampled_from(values) for name, values in EVERY.items()}))
def test_every_birth_has_exactly_one_place(birth):
    group = classify(**birth)
    assert group in robson.GROUPS or group.removeprefix("unclassifiable: ") in EVERY
