from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swaddle.indicators.peers import FEWEST, Unit, group_of, groups

units = st.lists(
    st.builds(Unit, name=st.uuids().map(str), level=st.sampled_from(["", "1", "2", "3"]), births=st.integers(0, 9000)),
    unique_by=lambda unit: unit.name,
    max_size=60,
)


@settings(max_examples=150)
@given(units)
def test_every_unit_is_in_one_group_that_is_large_enough(every):
    made = groups(every)
    assert sorted(name for group in made for name in group.members) == sorted(unit.name for unit in every)
    assert all(len(group.members) >= min(FEWEST, len(every)) for group in made)


@given(units, st.randoms())
def test_groups_do_not_hang_on_the_order_in_which_units_come(every, draw):
    turned = list(every)
    draw.shuffle(turned)
    assert groups(every) == groups(turned)


def test_level_first_then_volume():
    every = [
        Unit(name=f"{level}{n}", level=level, births=n) for level in "12" for n in (*range(10, 16), *range(600, 606))
    ]
    made = groups(every)
    assert [(group.levels, group.least, group.below, len(group.members)) for group in made] == [
        (("1",), 0, 500, 6),
        (("1",), 500, None, 6),
        (("2",), 0, 500, 6),
        (("2",), 500, None, 6),
    ]
    assert group_of("2603", made).least == 500
    assert group_of("nobody", made) is None


def test_a_level_of_two_joins_another():
    every = [Unit(name=f"a{n}", level="1", births=50) for n in range(9)]
    every += [Unit(name=f"b{n}", level="3", births=3000) for n in range(2)]
    (made,) = groups(every)
    assert made.levels == ("1", "3")
    assert len(made.members) == 11


def test_what_is_no_list_of_units_is_refused():
    twice = [Unit(name="a", level="1", births=1)] * 2
    with pytest.raises(ValueError):
        groups(twice)
    with pytest.raises(ValueError):
        groups([], volumes=(10, 5))
