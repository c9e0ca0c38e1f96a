"""What other tools get: Table Schemas that say what the dictionary says."""

import csv
import io
import json

import pytest

from swaddle.dictionary.export import FORMATS, frictionless
from swaddle.dictionary.load import load


@pytest.fixture(scope="module")
def package():
    return json.loads(frictionless(load()))


def test_there_is_a_schema_for_every_form(package):
    assert [each["name"] for each in package["resources"]] == [form.layout for form in load().forms.values()]
    for resource, form in zip(package["resources"], load().forms, strict=True):
        names = [each["name"] for each in resource["schema"]["fields"]]
        assert names == list(load().wide(form))
        assert len(names) == len(set(names))


def test_types_ranges_codes_and_keys_are_those_of_the_dictionary(package):
    births = {each["name"]: each for each in package["resources"][0]["schema"]["fields"]}
    weight = births["birth_weight_g"]
    assert (weight["type"], weight["constraints"]) == ("integer", {"minimum": 100, "maximum": 8165})
    assert weight["swaddle:loinc"] == "8339-4"
    assert weight["swaddle:title_fr"] == "Poids de naissance"
    assert births["local_record_id"]["constraints"] == {"required": True}
    assert births["pph"]["constraints"] == {"enum": ["Y", "N"]}
    assert "live" in births["outcome"]["constraints"]["enum"]
    assert {"value": "live", "label": "live birth"} in births["outcome"]["categories"]
    assert births["resuscitation"]["type"] == "list"
    assert births["resuscitation"]["delimiter"] == ";"
    assert "?NA" in births["mother_family_name"]["missingValues"]


def test_every_type_is_one_of_the_standard(package):
    standard = {"string", "integer", "number", "date", "list"}
    for resource in package["resources"]:
        assert {each["type"] for each in resource["schema"]["fields"]} <= standard


def test_the_table_has_a_line_for_each_field_of_each_form():
    lines = list(csv.DictReader(io.StringIO(FORMATS["csv"](load()))))
    assert len(lines) == sum(len(load().wide(form)) for form in load().forms)
    weight = next(each for each in lines if (each["form"], each["name"]) == ("birth", "birth_weight_g"))
    assert (weight["hard_low"], weight["hard_high"], weight["unit"]) == ("100", "8165", "g")


def test_the_whole_comes_out_as_json():
    whole = json.loads(FORMATS["json"](load()))
    assert len(whole["record_types"]) == 10
    assert {each["id"] for each in whole["rules"]} == {each.id for each in load().rules}


def test_frictionless_itself_takes_the_package_and_finds_what_we_find(package, tmp_path):
    frictionless_package = pytest.importorskip("frictionless", reason="the peer is not installed (extra bench)")
    assert list(frictionless_package.Package.metadata_validate(package)) == []
    lines = [
        "local_record_id,event_date,outcome,birth_weight_g,resuscitation,apgar5",
        "B1,2024-11,live,3400,ppv;cpap,9",
    ]
    lines += ["B2,2024,lost,50,none,ASKU", ",2024,live,3000,none,"]
    (tmp_path / "births.csv").write_text("\n".join(lines) + "\n", "utf-8")
    schema = frictionless_package.Schema.from_descriptor(package["resources"][0]["schema"])
    report = frictionless_package.Resource(path="births.csv", basepath=str(tmp_path), schema=schema).validate()
    found = set(map(tuple, report.flatten(["rowNumber", "fieldName"])))
    assert {(3, "outcome"), (3, "birth_weight_g"), (4, "local_record_id")} <= found
    assert not any(row == 2 for row, _ in found)
