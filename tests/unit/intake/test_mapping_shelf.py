"""Mappings like others, mappings with a table beside them, and the shelf where a party keeps its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from swaddle.intake import shelf
from swaddle.intake.faults import KindUnknown, MappingFault
from swaddle.intake.mapping import load_builtin, load_file, parse, recognise

LIKE = """
name = "county-natality"
title = "County extract"
like = "nchs-natality-2021"
recognise = ["COUNTY", "DBWT"]
not_carried = ["apgar5"]
[fields.site_id]
from = "COUNTY"
[fields.birth_weight_g]
from = "DBWT"
unit = "oz"
"""
FIXED = """
name = "small-fixed"
dictionary = "1"
format = "fixed"
layout = "places.csv"
length = 30
not_carried = ["birth_order", "site_id", "delivery_local_id"]
[fields.local_record_id]
from = "ID"
[fields.event_date]
from = "BORN"
[fields.outcome]
constant = "live"
[fields.birth_weight_g]
from = "WEIGHT"
"""
PLACES = 'Field,Start,End\nID,1,6\nBORN,7,16\nWEIGHT,17,20\n"A ""quoted"" name",21,22\n'


def beside(folder: Path, text: str = FIXED) -> Path:
    (folder / "places.csv").write_text(PLACES)
    path = folder / "small.toml"
    path.write_text(text)
    return path


def test_likeness_takes_over_what_is_not_said_again() -> None:
    mapping, model = parse(LIKE), load_builtin()["nchs-natality-2021"]
    assert mapping.fields["site_id"].column == "COUNTY"
    assert mapping.fields["birth_weight_g"].unit == "oz"
    assert mapping.fields["ga_weeks"] == model.fields["ga_weeks"]
    assert "apgar5" not in mapping.fields
    assert mapping.not_carried == (model.not_carried - {"site_id"}) | {"apgar5"}
    assert mapping.historical
    assert mapping.recognise == ("COUNTY", "DBWT")


@pytest.mark.parametrize("model", ["nothing-like-it", "../births", "births", ""])
def test_likeness_to_what_is_no_mapping_file_is_refused(model: str) -> None:
    with pytest.raises(MappingFault):
        parse(LIKE.replace("nchs-natality-2021", model))


def test_a_field_from_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MappingFault, match="HEIGHT"):
        load_file(beside(tmp_path, FIXED.replace('from = "WEIGHT"', 'from = "HEIGHT"')))


def test_a_mapping_settles_so_that_it_needs_no_table_beside_it(tmp_path: Path) -> None:
    path = beside(tmp_path)
    text = shelf.settled(path)
    assert parse(text) == load_file(path)
    assert parse(text).writing.columns == ("ID", "BORN", "WEIGHT", 'A "quoted" name')
    path.write_text(LIKE)
    assert shelf.settled(path) == LIKE


@pytest.mark.parametrize("name", ["../places.csv", "/etc/hostname", "nowhere.csv"])
def test_a_table_is_only_looked_for_beside_the_mapping(tmp_path: Path, name: str) -> None:
    (tmp_path / "inner").mkdir()
    beside(tmp_path)
    with pytest.raises(MappingFault):
        load_file(beside(tmp_path / "inner", FIXED.replace("places.csv", name)))


def test_what_is_put_on_the_shelf_is_known_and_what_is_taken_off_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "mappings"
    assert shelf.known(None) == shelf.known(folder) == load_builtin()
    shelf.put(folder, LIKE)
    assert set(shelf.known(folder)) - set(load_builtin()) == {"county-natality"}
    shelf.put(folder, LIKE.replace("County extract", "County extract, second edition"))
    assert shelf.own(folder)["county-natality"].title == "County extract, second edition"
    shelf.take_off(folder, "county-natality")
    assert shelf.own(folder) == {}
    with pytest.raises(KindUnknown):
        shelf.take_off(folder, "../county-natality")


def test_a_built_in_layout_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(shelf.LayoutTaken):
        shelf.put(tmp_path, LIKE.replace('"county-natality"', '"nchs-births-2006"'))


def test_a_file_that_is_no_mapping_any_more_is_named_and_passed_over(tmp_path: Path) -> None:
    shelf.put(tmp_path, LIKE)
    (tmp_path / "spoilt.toml").write_text("name = 1")
    (tmp_path / "other-name.toml").write_text(LIKE)
    assert list(shelf.own(tmp_path)) == ["county-natality"]
    assert shelf.unusable(tmp_path) == ["other-name", "spoilt"]


KINDS_OF_VALUES = ["1", "1.5", "true", "[]", "[[1]]", "{}", "{ a = 1 }", '""', "2024-01-01", '["a"]']
TOP = [
    *("name", "title", "dictionary", "row", "like", "format", "columns", "length", "layout", "known_by", "recognise"),
    *("encoding", "delimiter", "historical", "not_carried", "note", "fields", "nonsense"),
]
OF_A_FIELD = ["from", "constant", "derived", "codes", "missing", "unit", "format", "optional", "note", "nonsense"]


@pytest.mark.parametrize("value", KINDS_OF_VALUES)
def test_whatever_a_line_holds_it_is_a_mapping_or_a_mappings_fault(value: str) -> None:
    lines = {
        "name": '"a"',
        "dictionary": '"1"',
        "not_carried": '["site_id", "delivery_local_id", "birth_order", "birth_weight_g"]',
    }
    fields = (
        "[fields.local_record_id]\nfrom = 'k'\n[fields.event_date]\nfrom = 'd'\n[fields.outcome]\nconstant = 'live'\n"
    )
    texts = ["\n".join(f"{key} = {told}" for key, told in {**lines, key: value}.items()) for key in TOP]
    plain = "\n".join(f"{key} = {told}" for key, told in lines.items())
    own = [f"{plain}\n{fields}[fields.resuscitation]\n{key} = {value}\n" for key in OF_A_FIELD]
    own += [f"{plain}\n{fields}[fields.resuscitation]\nfrom = 'r'\n{key} = {value}\n" for key in OF_A_FIELD[1:]]
    for text in [*(f"{each}\n{fields}" for each in texts), *texts, *own]:
        try:
            assert parse(text).name == "a"
        except MappingFault:
            continue


@pytest.mark.parametrize("written", ["csv", "excel", "ndjson", "parquet"])
def test_a_table_is_recognised_by_its_columns_whatever_it_is_written_in(tmp_path: Path, written: str) -> None:
    shelf.put(tmp_path, LIKE.replace("like =", f'format = "{written}"\nlike ='))
    known = shelf.known(tmp_path)
    columns = [*load_builtin()["nchs-natality-2021"].columns(), "COUNTY"]
    assert recognise(["COUNTY", "DBWT"], known.values()).name == "county-natality"
    assert recognise(columns, known.values()).name == "nchs-natality-2021"  # it has more to tell it by
