from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from swaddle.dictionary.load import load as load_dictionary
from swaddle.indicators import definitions
from swaddle.indicators.definitions import BadDefinition, definition, load
from swaddle.indicators.publish import page

IDS = [item.id for item in load()]


def place(births, item, row):
    """What the definition's own SQL makes of one birth."""
    births.connection.execute("DELETE FROM births")
    births.add(**row.birth)
    inside, event = births.connection.execute(f"SELECT {item.denominator}, {item.numerator} FROM births").fetchone()
    if inside is False:
        return "out"
    if inside is None or event is None:
        return "unknown"
    return "counts" if event else "placed"


@pytest.mark.parametrize("identity", IDS)
def test_the_worked_example_is_what_the_sql_says(births, identity):
    item = definition(identity)
    for row in item.examples:
        placed = place(births, item, row)
        if item.partition:
            [(group,)] = births.connection.execute(f"SELECT {item.partition} FROM births").fetchall()
            assert group == row.group, row.why
            placed = "unknown" if group.startswith("unclassifiable") else placed
        elif item.bands and row.outcome == "counts":
            [bands] = births.connection.execute(
                f"SELECT {', '.join(band.holds for band in item.bands)} FROM births"
            ).fetchall()
            assert [band.id for band, holds in zip(item.bands, bands, strict=True) if holds] == [row.group], row.why
        assert placed == row.outcome, row.why


@pytest.mark.parametrize("identity", IDS)
def test_an_example_shows_every_outcome(identity):
    shown = {row.outcome for row in definition(identity).examples}
    assert shown >= {"counts", "placed", "unknown"}


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


def test_every_code_in_the_sql_is_a_code_of_the_dictionary():
    wide = {field.name: field for record in load_dictionary().record_types for field in record.fields}
    for item in load():
        for row in item.examples:
            for name, value in row.birth.items():
                if isinstance(value, str):
                    assert value in wide[name].values, (item.id, name, value)
    sql = " ".join([*(item.denominator + item.numerator for item in load()), definition("robson").partition])
    codes = {code for name in ("outcome", "presentation", "onset_labour", "birth_type") for code in wide[name].values}
    texts = {part for part in sql.split("'")[1::2] if not part.startswith("unclassifiable") and not part[0].isdigit()}
    assert texts <= codes


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda value: value.pop("title"), "title"),
        (lambda value: value["needs"].append("postal_code"), "postal_code"),
        (lambda value: value["example"].pop(), "ten births"),
        (lambda value: value["example"][0]["birth"].update(para=1), "does not need"),
        (lambda value: value.update(partition="robson.sql"), "not both"),
    ],
)
def test_a_definition_that_lacks_something_is_refused(monkeypatch, change, said):
    text = files("swaddle.indicators").joinpath("v1", "preterm.toml").read_text()
    value = tomllib.loads(text)
    change(value)
    monkeypatch.setattr(definitions.tomllib, "loads", lambda _: value)
    with pytest.raises(BadDefinition, match=said):
        definitions._read("preterm")


def test_the_page_in_the_docs_is_the_definitions():
    shown = (Path(__file__).parents[3] / "docs" / "indicators.md").read_text(encoding="utf-8")
    assert shown == page(load()), "run: python -m swaddle.indicators.publish > docs/indicators.md"
