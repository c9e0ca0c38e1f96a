from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from swaddle.indicators.definitions import BadDefinition, definition, load, shipped, strata, terms
from swaddle.indicators.examples import wrong
from swaddle.indicators.publish import page
from swaddle.indicators.reading import read

IDS = [item.id for item in shipped()]


@pytest.mark.parametrize("identity", IDS)
def test_the_worked_example_is_what_the_definition_makes_of_it(identity):
    assert list(wrong(definition(identity))) == []


@pytest.mark.parametrize("identity", IDS)
def test_an_example_shows_every_outcome(identity):
    shown = {row.outcome for row in definition(identity).examples}
    assert shown >= {"counts", "placed", *(["unknown"] if definition(identity).needs else [])}


@pytest.mark.parametrize("item", [item for item in load() if item.bands], ids=lambda item: item.id)
def test_bands_do_not_overlap_and_add_up(births, item):
    [field] = [name for name in item.needs if name in {"ga_weeks", "birth_weight_g"}]
    for value in range(10, 6000, 7) if field == "birth_weight_g" else range(15, 46):
        births.add(**{field: value})
    bands = " + ".join(f"({band.holds})::INT" for band in item.bands)
    wrong = births.connection.execute(
        f"SELECT count(*) FROM births WHERE ({bands}) <> ({item.numerator})::INT"
    ).fetchone()
    assert wrong == (0,)


def text_of(name: str) -> str:
    return files("swaddle.indicators").joinpath("v1", f"{name}.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('title = "Preterm birth"\n', "", "title is missing"),
        ('title_fr = "Naissance prématurée"\n', "", "title_fr is missing"),
        ('needs = ["outcome", "ga_weeks"]', 'needs = ["outcome", "postal_code"]', "postal_code"),
        ('numerator = "ga_weeks < 37"', 'numerator = "ga_week < 37"', "is it ga_weeks"),
        ('numerator = "ga_weeks < 37"', 'numerator = "ga_weeks / 0 < 37"', "divide by nothing"),
        ('numerator = "ga_weeks < 37"', 'numerator = "ga_weeks / ga_weeks < 37"', "divide by nothing"),
        ('numerator = "ga_weeks < 37"', 'numerator = "(from births)"', "no field 'from'"),
        ('numerator = "ga_weeks < 37"', "numerator = \"getenv('HOME') = 'x'\"", "known functions"),
        ('numerator = "ga_weeks < 37"', "numerator = \"mother_family_name = 'x'\"", "no field"),
        ('direction = "lower"', 'direction = "down"', "direction is one of"),
        ('direction = "lower"', 'direction = "lower"\npassword = "x"', "unknown keys"),
        ("live                  | 40       | placed ", "live                  | 40 | | placed ", "cells"),
        ("live                  | 40       | placed ", "alive                 | 40       | placed ", "has not"),
        (
            "live                  | 40       | placed ",
            "live                  | many     | placed ",
            "none of its type",
        ),
    ],
)
def test_a_definition_that_is_not_right_says_what_is_wrong(was, becomes, said):
    text = text_of("preterm")
    assert was in text
    with pytest.raises(BadDefinition, match=said):
        read(text.replace(was, becomes), "preterm", terms(), strata())


def test_a_term_that_never_ends_is_told():
    text = text_of("preterm").replace('denominator = "live"', 'denominator = "one"')
    with pytest.raises(BadDefinition, match="never ends"):
        read(text + "\n[terms]\none = 'two'\ntwo = 'NOT one'\n", "preterm", terms(), strata())


def test_terms_that_grow_beyond_measure_are_told():
    doubled = "\n".join(f"t{n} = 't{n - 1} AND t{n - 1}'" for n in range(1, 25))
    text = text_of("preterm").replace('denominator = "live"', 'denominator = "t24"')
    with pytest.raises(BadDefinition, match="beyond every measure"):
        read(f"{text}\n[terms]\nt0 = 'live'\n{doubled}\n", "preterm", terms(), strata())


def test_an_example_that_is_wrong_is_found():
    text = text_of("preterm").replace(
        "live                  | 37       | placed ", "live                  | 37       | counts "
    )
    assert list(wrong(read(text, "preterm", terms(), strata()))) == ["line 2 of the example becomes placed, not counts"]


def test_the_pages_in_the_docs_are_the_definitions():
    folder = Path(__file__).parents[3] / "docs" / "indicators"
    shown = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    assert shown == {item.id: page(item) for item in shipped()}, "run `make pages`"
