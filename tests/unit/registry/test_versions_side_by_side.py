"""Two versions of the dictionary during a change-over: each file is checked by the one that its layout is for."""

import re
import shutil
from importlib import resources
from pathlib import Path

import pytest

from swaddle.dictionary.lint import DictionaryUnusable
from swaddle.dictionary.load import load, load_folder
from swaddle.dictionary.versions import together
from swaddle.intake import shelf as layouts
from swaddle.registry.layouts import data_elements
from swaddle.submitter.check import check
from swaddle.submitter.prepare import Source

from .conftest import AT

BIRTHS = """\
site_id,local_record_id,event_date,mother_local_id,mother_family_name,mother_birth_date,child_sex,delivery_local_id,\
admit_dt,delivery_place,para,previous_cs,n_fetuses,onset_labour,presentation,birth_type,birth_order,outcome,birth_weight_g,ga_weeks{more}
S1,{number},2026-11-02,M{number},Okafor,1994-03-01,F,D{number},2026-11-02T03:10,hospital,0,0,1,spontaneous,vertex,vaginal,1,live,{weight},39{values}
"""
DOULA = """
[[field]]
name = "doula"
type = "yesno"
title = "Doula"
title_fr = "Doula"
text = "A doula was there."
text_fr = "Une doula était présente."
required = "R"
class = "C"
"""


def births(number="B1", weight="3400", more="", values=""):
    return BIRTHS.format(number=number, weight=weight, more=more, values=values)


@pytest.fixture
def second(shelf):
    """The registry with a second version, which asks for one field more and takes lighter children."""
    folder = shelf.folder / "dictionaries" / "v2"
    shutil.copytree(Path(str(resources.files("swaddle.dictionary") / "v1")), folder)
    birth = folder / "birth_child.toml"
    text = re.sub(r"hard = \[100, 8165\]", "hard = [50, 8165]", birth.read_text("utf-8"), count=1)
    birth.write_text(text + DOULA, "utf-8")
    return folder


def test_each_file_is_checked_by_the_version_that_its_layout_is_for(shelf, second):
    old = shelf.take(births("B1"))
    new = shelf.take(births("B2", more=",doula", values=",Y"), kind="births-v2")
    light = births("B3", weight="80", more=",doula", values=",N")
    assert shelf.take(light.replace(",doula", "").replace(",N", "")).rows == (1, 0, 1, 0)
    told = shelf.take(light, kind="births-v2")
    assert told.rows == (1, 1, 0, 0), told.found
    assert old.rows == new.rows == (1, 1, 0, 0)
    assert shelf.ask("select kind, dictionary_version from clinical.loads order by load_id") == [
        ("births", "1"), ("births-v2", "2"), ("births", "1"), ("births-v2", "2"),
    ]  # fmt: skip
    assert shelf.ask("select line, doula from clinical.births order by load_id") == [(2, None), (2, True), (2, False)]


def test_what_the_new_version_asks_for_is_not_asked_of_files_of_the_old(shelf, second):
    lacking = shelf.take(births("B2", more=",doula", values=","), kind="births-v2")
    assert lacking.rows == (1, 0, 1, 0)
    assert shelf.take(births("B1")).rows == (1, 1, 0, 0)


def test_a_plain_file_is_of_the_shipped_version_unless_it_is_named_otherwise(shelf, second):
    assert shelf.take(births("B1", more=",doula", values=",Y"), kind=None).report["checked"]["kind"] == "births"


def test_what_was_stored_under_the_new_version_is_there_after_it_was_opened_again(shelf, second):
    shelf.take(births("B2", more=",doula", values=",Y"), kind="births-v2")
    shelf.reopen()
    assert shelf.births("local_record_id") == [("B2",)]
    assert shelf.take(births("B2", weight="3500", more=",doula", values=",N"), kind="births-v2").rows == (1, 1, 0, 0)
    assert shelf.births() == [("B2", 3500)]


def test_the_submitters_check_says_the_same_by_its_own_copy(shelf, second, tmp_path):
    path = tmp_path / "light.csv"
    path.write_text(births("B3", weight="80", more=",doula", values=",Y"), "utf-8")
    own = shelf.folder / "mappings"

    def accepted(kind):
        report, _ = check(source_of(path), kind, AT, own=own)
        return report["rows"]["stored"]

    assert (accepted("births"), accepted("births-v2")) == (0, 1)


def source_of(path):
    from swaddle.submitter.prepare import look_at

    found = look_at(path)
    assert isinstance(found, Source)
    return found


def test_a_mapping_says_which_version_it_is_for(shelf, second):
    text = """
name = "ours"
dictionary = "2"
row = "birth"
recognise = ["Kennung"]
not_carried = [{not_carried}]
[fields.local_record_id]
from = "Kennung"
[fields.event_date]
from = "Tag"
[fields.outcome]
constant = "live"
[fields.doula]
from = "Doula"
"""
    dictionary = load_folder("2", second)
    needed = {"local_record_id", "event_date", "outcome", "doula"}
    required = [
        each.name
        for each in dictionary.wide_fields("birth")
        if each.required == "R" and each.slot in {"header", "birth"} and each.name not in needed
    ]
    layouts.put(shelf.folder / "mappings", text.format(not_carried=", ".join(f'"{each}"' for each in required)))
    assert shelf.take("Kennung,Tag,Doula\nK1,2026-11-02,Y\n", kind=None).rows == (1, 1, 0, 0)
    shutil.rmtree(second)
    assert layouts.unusable(shelf.folder / "mappings") == ["ours"]


def test_a_version_that_contradicts_itself_is_passed_over_and_files_of_the_shipped_one_go_on(shelf, second):
    (second / "birth_child.toml").write_text("name = 3", "utf-8")
    assert shelf.take(births("B1")).rows == (1, 1, 0, 0)
    assert "births-v2" not in layouts.known(shelf.folder / "mappings")


def test_an_incident_names_what_files_of_any_version_can_hold(shelf, second):
    named = {each["element"] for each in data_elements(shelf.inside)}
    assert {"Doula", "Mother's family name"} <= named


def test_a_name_keeps_its_type_from_version_to_version(shelf, second):
    path = second / "birth_child.toml"
    text = path.read_text("utf-8")
    path.write_text(text.replace('name = "apgar10"\ntype = "int"', 'name = "apgar10"\ntype = "decimal"'), "utf-8")
    with pytest.raises(DictionaryUnusable, match="apgar10"):
        together(load("1"), load_folder("2", second))
    assert shelf.take(births("B1")).rows == (1, 1, 0, 0)
    assert "births-v2" not in layouts.known(shelf.folder / "mappings")
