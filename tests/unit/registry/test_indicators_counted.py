"""Every shipped indicator over the store's own relations: what was sent is what is counted."""

from types import SimpleNamespace

import pytest
from plain_rows import birth, csv_of

from swaddle.indicators.definitions import shipped
from swaddle.indicators.shelf import FOLDER, IndicatorUnknown, NoSuchSplit
from swaddle.registry.counting_now import count
from swaddle.registry.units import RELATIONS

HERE, THERE = "a" * 32, "b" * 32


@pytest.fixture
def counting(shelf):
    """A way to count over the shelf's store, as the registry's owner does."""
    inside = SimpleNamespace(
        home=shelf.folder,
        store=shelf.store,
        state=shelf.state,
        now=shelf.inside.now,
        settings=SimpleNamespace(report_threshold=6, report_zeros="show", report_rounding=1, report_withheld=""),
    )
    return lambda **asked: count(inside, **asked)


def by_id(told):
    return {each["id"]: each for each in told["indicators"]}


def test_every_indicator_is_counted_over_the_store(shelf, days, counting):
    rows = [
        birth(str(n), mother=f"M{n}", outcome="live", ga_weeks=str(35 + n % 5), n_fetuses="1") for n in range(1, 31)
    ]
    assert shelf.take(csv_of("birth", *rows), submitter=HERE, sent_at=days(1)).load.rejected == 0
    told = counting(submitter=HERE)
    found = by_id(told)
    assert set(found) == {item.id for item in shipped()}
    assert (found["preterm"]["numerator"], found["preterm"]["denominator"]) == (12, 30)
    assert {part["id"]: part["numerator"] for part in found["preterm"]["parts"]}["34 to 36"] == 12
    assert found["data_timely"]["denominator"] + found["data_timely"]["unknown"] == 30
    assert found["data_warnings"]["unknown"] == 0
    assert found["sample_age"]["rate"] is None
    assert (told["dictionary"], told["until_load"]) == (shelf.store.dictionary.version, 1)
    assert told["as_of"].endswith("Z")


def test_of_all_together_a_small_number_is_hidden(shelf, days, counting):
    rows = [birth(str(n), mother=f"M{n}", outcome="live", ga_weeks="39" if n > 3 else "30") for n in range(1, 31)]
    shelf.take(csv_of("birth", *rows), submitter=THERE, sent_at=days(1))
    assert by_id(counting(indicators=["preterm"]))["preterm"]["suppressed"]
    own = by_id(counting(indicators=["preterm"], submitter=THERE))["preterm"]
    assert (own["numerator"], own["suppressed"]) == (3, False)
    nobody = by_id(counting(indicators=["preterm"], submitter=HERE))["preterm"]
    assert (nobody["denominator"], nobody["rate"]) == (0, None)


def test_a_period_without_births_is_nobody_and_no_fault(shelf, days, counting):
    shelf.take(csv_of("birth", birth("1", outcome="live", ga_weeks="39")), sent_at=days(1))
    told = by_id(counting(period="1999-Q3", submitter=HERE))
    assert {each["denominator"] for each in told.values()} == {0}


def test_ones_own_is_counted_and_a_broken_one_is_told(shelf, days, counting):
    from importlib.resources import files

    shelf.take(csv_of("birth", birth("1", outcome="live", ga_weeks="35")), submitter=HERE, sent_at=days(1))
    text = files("swaddle.indicators").joinpath("v1", "preterm.toml").read_text("utf-8")
    own = shelf.folder / FOLDER
    own.mkdir()
    (own / "late.toml").write_text(text.replace('id = "preterm"', 'id = "late"'), "utf-8")
    (own / "broken.toml").write_text("<script>", "utf-8")
    told = counting(submitter=HERE)
    assert [each["file"] for each in told["left_out"]] == ["broken"]
    assert by_id(told)["late"]["numerator"] == 1


def thirty(**more):
    return [
        birth(str(n), mother=f"M{n}", outcome="live", ga_weeks="39" if n > 10 else "30", **more) for n in range(1, 31)
    ]


def test_two_runs_a_week_apart_give_no_birth_away(shelf, days, counting):
    """One more preterm birth is one family's: what was told before is told again, with every split and period."""
    shelf.take(csv_of("birth", *thirty()), submitter=THERE, sent_at=days(1))
    before = by_id(counting(indicators=["preterm"]))["preterm"]
    assert (before["numerator"], before["denominator"]) == (10, 30)
    late = birth("31", mother="M31", outcome="live", ga_weeks="30")
    shelf.take(csv_of("birth", late), submitter=THERE, sent_at=days(2))
    assert by_id(counting(indicators=["preterm"]))["preterm"] == before
    assert by_id(counting(indicators=["preterm"], submitter=THERE))["preterm"]["numerator"] == 11, (
        "one's own is in full"
    )
    [[year]] = shelf.ask("select distinct event_year::varchar from births")
    for asked in ({"by": "mother_age"}, {"period": year}, {"by": "mother_age", "period": year}):
        other = by_id(counting(indicators=["preterm"], **asked))["preterm"]
        assert other["suppressed"] or other["denominator"] == 30, asked
    assert by_id(counting(indicators=["preterm"]))["preterm"] == before, "whatever was asked between"


def test_the_same_question_has_the_same_answer(shelf, days, counting):
    shelf.take(csv_of("birth", *thirty()), submitter=THERE, sent_at=days(1))
    first, second = counting(), counting()
    assert first["indicators"] == second["indicators"]
    assert (
        counting(by="robson", indicators=["caesarean"])["indicators"]
        == (counting(by="robson", indicators=["caesarean"])["indicators"])
    )


def test_many_new_births_are_told_anew(shelf, days, counting):
    shelf.take(csv_of("birth", *thirty()), submitter=THERE, sent_at=days(1))
    counting(indicators=["preterm"])
    more = [birth(f"x{n}", mother=f"X{n}", outcome="live", ga_weeks="39" if n > 10 else "30") for n in range(1, 31)]
    shelf.take(csv_of("birth", *more), submitter=HERE, sent_at=days(2))
    assert by_id(counting(indicators=["preterm"]))["preterm"]["denominator"] == 60


def test_what_is_not_there_is_told(counting):
    with pytest.raises(IndicatorUnknown):
        counting(indicators=["nothing"])
    with pytest.raises(NoSuchSplit):
        counting(by="postal_code")


def test_the_store_has_every_relation_that_a_unit_names(shelf):
    from swaddle.indicators.fields import UNITS, fields_of

    assert {unit.relation for unit in UNITS.values()} == set(RELATIONS)
    for unit in UNITS.values():
        columns = {each[0] for each in shelf.store.connection.execute(f"describe {unit.relation}").fetchall()}
        assert set(fields_of(unit.id)) - columns == set(), unit.id
