"""A preview of a version of the dictionary: what it would say of what the store holds, and nothing changes by it."""

import json
import re
import shutil
from importlib import resources
from pathlib import Path

import pytest

from swaddle.cli.dictionary import preview_words
from swaddle.dictionary.versions import VersionUnknown
from swaddle.registry.operations import Operations
from swaddle.registry.previewing import preview

from .conftest import AT

BIRTHS = """\
site_id,local_record_id,event_date,mother_local_id,mother_family_name,mother_birth_date,child_sex,delivery_local_id,\
admit_dt,delivery_place,para,previous_cs,n_fetuses,onset_labour,presentation,birth_type,birth_order,outcome,birth_weight_g,ga_weeks,pph
S1,B1,2026-11-02,M1,Okafor,1994-03-01,F,D1,2026-11-02T03:10,hospital,0,0,1,spontaneous,vertex,vaginal,1,live,3400,39,N
S1,B2,2026-11-03,M2,Na,1991-01-05,M,D2,2026-11-03,home_planned,1,0,1,spontaneous,vertex,vaginal,1,live,480,23,ASKU
S1,B3,2026-11-04,M3,?ASKU,1991-01-05,M,D3,2026-11-04,hospital,1,1,1,no_labour_cs,breech,caesarean,1,live,2900,38,Y
"""
CARDS = """\
site_id,local_record_id,event_date,child_local_id,child_sex,screen_card_id,screen_collection_dt,screen_received_dt,screen_sample_quality,screen_condition_result
S1,N1,2026-11-04,C1,F,K1,2026-11-04T10:00,2026-11-06,acceptable,LA12532-0=in_range
"""


@pytest.fixture
def second(shelf):
    """A second version in the registry's own folder, to be changed."""
    folder = shelf.folder / "dictionaries" / "v2"
    shutil.copytree(Path(str(resources.files("swaddle.dictionary") / "v1")), folder)
    shelf.inside.now = lambda: AT

    def change(name, old, new):
        text = (folder / name).read_text("utf-8")
        assert re.search(old, text, re.DOTALL), old
        (folder / name).write_text(re.sub(old, new, text, count=1, flags=re.DOTALL), "utf-8")

    return change


def found(told):
    return {(each["rule"], each["field"]): (each["count_today"], each["count"]) for each in told["findings"]}


def test_a_version_alike_says_the_same_and_every_row_is_written_out_as_it_came(shelf, second):
    shelf.take(BIRTHS)
    shelf.take(CARDS, kind="newborn-screens")
    told = preview(shelf.inside, "2")
    assert (told["rows"], told["rejected"], told["rejected_today"]) == (4, 0, 0)
    assert told["findings"] == []
    assert "no finding comes or goes" in preview_words(json.loads(json.dumps(told)))
    assert Operations(shelf.inside).do("dictionary-preview", version="2", days=31) == told


def test_a_narrower_range_shows_whom_it_would_reject(shelf, second):
    shelf.take(BIRTHS)
    second("birth_child.toml", r"hard = \[100, 8165\]\nsoft = \[500", "hard = [500, 8165]\nsoft = [500")
    before = shelf.births("*")
    told = preview(shelf.inside, "2")
    assert (told["rejected_today"], told["rejected"]) == (0, 1)
    assert found(told)["F4", "birth_weight_g"] == (0, 1)
    assert found(told)["F5", "birth_weight_g"] == (1, 0)
    assert told["refused"] == [shelf.ask("select distinct submitter from clinical.loads")[0][0]]
    assert shelf.births("*") == before


def test_a_code_that_is_taken_away_and_a_field_that_is_new_are_shown(shelf, second):
    shelf.take(BIRTHS)
    second("labour_birth_mother.toml", r'home_planned = "planned home birth"\n', "")
    second("labour_birth_mother.toml", r'home_planned = "domicile, prévu"\n', "")
    second("labour_birth_mother.toml", r'home_planned = "408839006"\n', "")
    told = preview(shelf.inside, "2")
    assert told["rejected"] == 1
    assert ("F3", "delivery_place") in found(told)


def test_a_field_that_becomes_a_key_or_goes_is_no_fault_of_the_preview(shelf, second):
    shelf.take(BIRTHS)
    second("birth_child.toml", r'\[\[field\]\]\nname = "head_circ_cm".*?soft = \[15, 45\]\n\n', "")
    assert preview(shelf.inside, "2")["rejected"] == 0


def test_only_rows_that_count_and_came_in_these_days_are_looked_at(shelf, second):
    shelf.take(BIRTHS)
    shelf.take(BIRTHS.replace("3400", "3500"))
    assert preview(shelf.inside, "2")["rows"] == 3
    shelf.inside.now = lambda: AT.replace(year=2027)
    assert preview(shelf.inside, "2")["rows"] == 0


def test_a_form_that_the_version_lacks_is_named(shelf, second):
    shelf.take(CARDS, kind="newborn-screens")
    second("forms.toml", r'\[\[form\]\]\nname = "newborn_screen".*$', "")
    assert preview(shelf.inside, "2")["forms_lost"] == ["newborn_screen"]


def test_a_version_that_is_not_there_is_refused(shelf, second):
    with pytest.raises(VersionUnknown):
        preview(shelf.inside, "3")
