from __future__ import annotations

from swaddle.indicators.cells import Policy
from swaddle.indicators.disclosure import HIDDEN, Cell, release
from swaddle.indicators.remembered import Table, answer, renewed


def cell(numerator, denominator):
    return Cell(numerator=numerator, denominator=denominator)


WORLD = {"a": cell(30, 400), "b": cell(3, 90), "c": cell(40, 500), "d": cell(4, 80), "e": cell(25, 300)}


def ask(parts, earlier=(), world=None, at="t1"):
    return answer(world or WORLD, frozenset(parts), earlier, at=at)


def test_a_sum_is_told_once_and_then_again_as_it_was():
    told, kept = ask("abc")
    assert told.numerator == 73
    again, nothing = ask("abc", [kept])
    assert (again, nothing) == (told, None)


def test_all_less_all_but_one_is_no_way_to_the_one():
    _, kept = ask("abcde")
    assert ask("acde", [kept])[0] == HIDDEN
    assert ask("bcde", [kept])[0].numerator == 72


def test_three_sums_that_together_give_one_away_are_not_all_told():
    told, kept = [], []
    for parts in ("ab", "bc", "ac"):  # (ab + bc - ac) / 2 = b
        shown, more = ask(parts, kept)
        told.append(shown)
        kept += [more] if more else []
    assert HIDDEN in told


def test_a_difference_that_is_a_small_number_of_two_hospitals_is_not_told():
    world = WORLD | {"b": cell(2, 90), "d": cell(2, 80)}
    _, kept = ask("abcde", world=world)
    assert ask("ace", [kept], world=world)[0] == HIDDEN


def test_a_few_more_since_last_time_tell_the_old_figure_again():
    first, kept = ask("abc")
    later = WORLD | {"a": cell(31, 420)}
    again, nothing = ask("abc", [kept], world=later, at="t2")
    assert (again, nothing) == (first, None)
    enough = WORLD | {"a": cell(40, 440)}
    shown, second = ask("abc", [kept], world=enough, at="t2")
    assert (shown.numerator, second.at) == (83, "t2")


def test_a_few_since_any_earlier_time_count_as_well():
    _, first = ask("abc")
    _, second = ask("abc", [first], world=WORLD | {"a": cell(40, 440)}, at="t2")
    shown, third = ask("abc", [first, second], world=WORLD | {"a": cell(32, 440)}, at="t3")
    assert third is None  # eight fewer than last time, but two more than the first time
    assert shown.numerator == 83


def test_other_parts_at_another_time_are_subtracted_too():
    _, kept = ask("ac")
    moved = WORLD | {"a": cell(33, 404)}
    assert ask("ace", [kept], world=moved | {"e": cell(0, 0)})[0] == HIDDEN


def test_nothing_asked_and_nobody_there_are_hidden():
    assert ask("")[0] == HIDDEN
    assert ask("z")[0] == HIDDEN


def table(at, *figures):
    return Table(
        at=at, total=release(cell(*figures[0])), groups={str(n): release(cell(*f)) for n, f in enumerate(figures[1:])}
    )


def test_a_table_is_told_whole_or_as_it_was():
    old = table("t1", (100, 1000), (40, 400), (60, 600))
    assert renewed(table("t2", (107, 1010), (43, 404), (64, 606)), [old], threshold=6) is old
    new = table("t3", (120, 1100), (50, 450), (70, 650))
    assert renewed(new, [old], threshold=6) is new
    assert renewed(new, [], threshold=6) is new


def test_a_rare_group_does_not_hold_back_the_whole_table():
    old = table("t1", (300, 3000), (40, 400), (60, 600), (200, 2000))
    new = table("t2", (340, 3400), (42, 420), (70, 700), (228, 2280))
    told = renewed(new, [old], threshold=6)
    assert told.total == new.total
    assert told.groups["0"] == old.groups["0"]
    assert [name for name in new.groups if told.groups[name] == old.groups[name]] == ["0", "1"]
    assert told.groups["2"] == new.groups["2"]


def test_a_few_in_every_group_repeat_the_table():
    old = table("t1", (300, 3000), (40, 400), (260, 2600))
    new = table("t2", (308, 3100), (44, 450), (264, 2650))
    told = renewed(new, [old], threshold=6)
    assert told.groups == old.groups
    assert told.total == new.total


def test_bands_of_the_same_births_keep_two_of_their_figures():
    old = table("t1", (90, 1000), (20, 1000), (30, 1000), (40, 1000))
    new = table("t2", (122, 1400), (22, 1400), (41, 1400), (59, 1400))
    told = renewed(new, [old], threshold=6)
    assert [name for name in new.groups if told.groups[name] == old.groups[name]] == ["0", "1"]


def test_a_policy_decides_what_is_few():
    assert answer(WORLD, frozenset("abc"), [], at="t1", policy=Policy(threshold=80))[0] == HIDDEN
