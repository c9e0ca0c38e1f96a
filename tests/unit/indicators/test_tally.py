"""All indicators of all submitters at once, beside the same counted one at a time."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pytest

from swaddle.indicators.cells import Policy
from swaddle.indicators.compute import compute
from swaddle.indicators.definitions import among, definition, load, shipped, strata, terms
from swaddle.indicators.model import BadDefinition
from swaddle.indicators.running import run
from swaddle.indicators.tally import Split, sums, tally

AT = "2026-11-22T06:00:00Z"
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


@pytest.fixture
def three(births):
    """Three submitters over two years; one of them has three births."""
    births.connection.execute("ALTER TABLE births ADD COLUMN event_month INTEGER")
    births.add(200, **TERM)
    births.add(20, **TERM | {"ga_weeks": 35, "birth_type": "caesarean"})
    births.add(7, **{name: value for name, value in TERM.items() if name != "ga_weeks"})
    births.add(400, submitter="b", year=2025, **TERM | {"onset_labour": "induced", "birth_type": "caesarean"})
    births.add(3, submitter="c", **TERM | {"para": 1})
    births.connection.execute("UPDATE births SET event_month = 1 + rowid % 12")
    return births


def test_the_sums_are_what_each_submitter_is_told_of_itself(three):
    assert tally(three.connection, load()) == 630
    for submitter in ("own", "b", "c"):
        told = compute(three.connection, submitter, as_of=datetime(2026, 11, 22, tzinfo=UTC))
        for result in told:
            found = {
                each.key[0]: (each.numerator, each.denominator, each.unknown)
                for each in sums(three.connection, result.id, ("submitter",))
            }
            own = result.row("own")
            assert found.get(submitter, (0, 0, 0)) == (own.numerator, own.denominator, own.unknown)


def test_months_add_up_to_the_year(three):
    tally(three.connection, among(["preterm"], shipped()))
    months = sums(three.connection, "preterm", ("year", "month"))
    [whole] = sums(three.connection, "preterm")
    assert len(months) == 24
    assert sum(each.denominator for each in months) == whole.denominator == 623
    assert (whole.numerator, whole.unknown) == (20, 7)


def test_every_shipped_indicator_is_counted_over_a_registry_that_has_almost_no_fields(three):
    tally(three.connection, shipped())
    [none] = sums(three.connection, "admission_cold")
    assert (none.numerator, none.denominator, none.unknown) == (0, 0, 0)
    [unknown] = sums(three.connection, "skin_to_skin")
    assert (unknown.denominator, unknown.unknown) == (0, 630)
    lacking = three.connection.execute(
        "SELECT DISTINCT reason, lacking FROM indicator_counts WHERE indicator = 'skin_to_skin'"
    ).fetchall()
    assert lacking == [("skin_to_skin", True)]


def test_a_registry_without_any_birth_has_no_counts_and_no_fault():
    connection = duckdb.connect()
    assert tally(connection, shipped()) == 0
    [nobody] = sums(connection, "preterm")
    assert (nobody.numerator, nobody.denominator, nobody.unknown) == (0, 0, 0)


def test_a_delivery_with_twins_is_one_delivery(births):
    births.connection.execute("ALTER TABLE births ADD COLUMN event_month INTEGER")
    for column in (
        "delivery_local_id VARCHAR",
        "birth_order INTEGER",
        "load_id INTEGER",
        "line INTEGER",
        "ebl_ml INTEGER",
    ):
        births.connection.execute(f"ALTER TABLE births ADD COLUMN {column}")
    births.add(1, delivery_local_id="D1", birth_order=1, ebl_ml=1200, **TERM)
    births.add(1, delivery_local_id="D1", birth_order=2, ebl_ml=1200, **TERM)
    births.add(1, delivery_local_id="D1", submitter="b", birth_order=1, ebl_ml=300, **TERM)
    births.add(2, ebl_ml=1500, **TERM)
    tally(births.connection, among(["severe_bleeding"], shipped()))
    [found] = sums(births.connection, "severe_bleeding")
    assert (found.numerator, found.denominator) == (3, 4)


def test_who_asked_not_to_be_counted_is_in_no_count(three):
    three.connection.execute("ALTER TABLE births ADD COLUMN for_quality BOOLEAN DEFAULT TRUE")
    three.connection.execute("ALTER TABLE births ADD COLUMN for_peers BOOLEAN DEFAULT TRUE")
    three.connection.execute("UPDATE births SET for_peers = FALSE WHERE submitter = 'b'")
    three.connection.execute("UPDATE births SET for_quality = FALSE WHERE submitter = 'c'")
    tally(three.connection, load())
    assert {each.key for each in sums(three.connection, "preterm", ("submitter",))} == {("own",)}
    told = {item.id: item for item in compute(three.connection, "b", as_of=datetime(2026, 11, 22, tzinfo=UTC))}
    assert told["preterm"].row("own").denominator == 400
    told = {item.id: item for item in compute(three.connection, "own", as_of=datetime(2026, 11, 22, tzinfo=UTC))}
    assert told["preterm"].others_submitters == 1


@pytest.mark.parametrize("name", sorted(strata()))
def test_every_way_to_split_fits_a_unit(three, name):
    unit = {"cycle_kind": "cycle", "card_reason": "screen"}.get(name, "birth")
    chosen = [item for item in shipped() if item.counts_of == unit]
    tally(three.connection, chosen, Split(stratum=strata()[name], terms=terms()))
    assert set(strata()[name].labels) == set(strata()[name].labels_fr)


def test_a_split_of_another_unit_is_told(three):
    with pytest.raises(BadDefinition, match="cannot be split"):
        tally(three.connection, among(["sample_age"], shipped()), Split(stratum=strata()["parity"], terms=terms()))


def test_the_stratifiers_of_a_definition_are_there_and_fit():
    for item in shipped():
        for name in item.stratifiers:
            tally(duckdb.connect(), [item], Split(stratum=strata()[name], terms=terms()))


def test_one_submitter_is_told_in_full_and_all_together_through_the_gate(three):
    ask = {"policy": Policy(), "at": AT}
    [mine] = run(three.connection, [definition("preterm")], submitter="c", **ask)
    assert (mine["numerator"], mine["denominator"]) == (0, 3)
    three.add(2, submitter="c", **TERM | {"ga_weeks": 30}, event_month=1)
    [own] = run(three.connection, [definition("preterm")], submitter="c", **ask)
    assert own["numerator"] == 2
    assert {part["id"]: part["numerator"] for part in own["parts"]}["28 to 31"] == 2
    [everybody] = run(three.connection, [definition("preterm")], **ask)
    assert everybody["numerator"] == 22
    parts = {part["id"]: part["numerator"] for part in everybody["parts"]}
    assert parts["28 to 31"] is None


def test_split_by_parity_is_told_with_its_labels_in_french(three):
    [told] = run(
        three.connection, [definition("preterm")], policy=Policy(), at=AT, submitter="own", by="parity", language="fr"
    )
    assert told["title"] == "Naissance prématurée"
    assert [(part["id"], part["label"], part["denominator"]) for part in told["parts"]] == [
        ("first", "Premier accouchement", 220)
    ]


def test_a_robson_table_is_looked_at_as_the_manual_does(three):
    [told] = run(three.connection, [definition("robson")], policy=Policy(), at=AT, submitter="own")
    checks = {check["id"]: check for check in told["checks"]}
    assert checks["first_births"]["verdict"] == "look"
    assert checks["preterm"]["found"] == round(20 / 227, 4)
    assert checks["across_caesarean"]["verdict"] == "too few to say"
    assert all("unverified" in check["provenance"] for check in checks.values())
    [few] = run(three.connection, [definition("robson")], policy=Policy(), at=AT, submitter="c")
    assert {check["verdict"] for check in few["checks"]} == {"too few to say"}
