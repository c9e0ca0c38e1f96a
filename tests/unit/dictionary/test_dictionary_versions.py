"""Versions side by side: shipped ones, the operator's own, and what changed from one to the other."""

import re
import shutil
from importlib import resources
from pathlib import Path

import pytest
from click.testing import CliRunner

from swaddle.cli.dictionary import group
from swaddle.dictionary import versions
from swaddle.dictionary.compare import compare
from swaddle.dictionary.completeness import gaps
from swaddle.dictionary.lint import DictionaryUnusable
from swaddle.dictionary.load import load


@pytest.fixture
def shelf(tmp_path):
    """A folder of one's own versions with a second version that is like the first."""
    folder = tmp_path / "home" / "dictionaries"
    shutil.copytree(Path(str(resources.files("swaddle.dictionary") / "v1")), folder / "v2")
    return folder


def rewrite(path, old, new):
    text = path.read_text("utf-8")
    assert re.search(old, text, re.DOTALL), old
    path.write_text(re.sub(old, new, text, count=1, flags=re.DOTALL), "utf-8")


def run(*arguments):
    return CliRunner().invoke(group, [str(each) for each in arguments])


def test_ones_own_version_stands_beside_the_shipped_one(shelf):
    assert versions.known(shelf) == ["1", "2"]
    assert versions.of("2", shelf).version == "2"
    assert versions.of("1", shelf) == load("1")


def test_a_shipped_version_cannot_be_replaced_by_ones_own(shelf):
    (shelf / "v2").rename(shelf / "v1")
    rewrite(shelf / "v1" / "birth_child.toml", 'title = "Apgar at 5 minutes"', 'title = "Something else"')
    assert versions.known(shelf) == ["1"]
    assert versions.of("1", shelf).wide()["apgar5"].title == "Apgar at 5 minutes"


@pytest.mark.parametrize("version", ["3", "", "../v2", "v2", "२", "1" * 50, "2\n"])
def test_a_version_that_is_not_there_is_said_not_to_be(shelf, version):
    with pytest.raises(versions.VersionUnknown) as refused:
        versions.of(version, shelf)
    assert "\n" not in refused.value.text().split("\n")[1].removeprefix("  why: ")


def test_a_link_is_no_version(shelf, tmp_path):
    (shelf / "v3").symlink_to(shelf / "v2", target_is_directory=True)
    assert versions.known(shelf) == ["1", "2"]


def test_a_version_that_contradicts_itself_is_refused(shelf):
    rewrite(shelf / "v2" / "birth_child.toml", 'name = "apgar5"', 'name = "apgar1"')
    with pytest.raises(DictionaryUnusable):
        versions.of("2", shelf)


def test_what_changed_is_told_thing_by_thing(shelf):
    kind = shelf / "v2" / "birth_child.toml"
    rewrite(kind, r'\[\[field\]\]\nname = "head_circ_cm".*?soft = \[15, 45\]\n\n', "")
    rewrite(kind, r"hard = \[100, 8165\]", "hard = [50, 8165]")
    rewrite(kind, r'termination = "termination of pregnancy"', 'late_termination = "termination of pregnancy"')
    rewrite(kind, r'termination = "interruption de grossesse"', 'late_termination = "interruption de grossesse"')
    rewrite(kind, r'text = "In the first hour."', 'text = "Within the first hour."')
    told = [str(each) for each in compare(load("1"), versions.of("2", shelf))]
    assert "field head_circ_cm: removed" in told
    assert "field birth_weight_g: hard was 100, 8165, is 50, 8165" in told
    assert "field outcome: codes taken away: termination" in told
    assert "field outcome: codes added: late_termination" in told
    assert "field skin_to_skin: text changed" in told
    shown = run("diff", "1", "2", "--home", shelf.parent).output.splitlines()
    assert shown == [each for each in told if not each.endswith(" changed")]


def test_two_versions_alike_have_no_difference(shelf):
    assert compare(load("1"), versions.of("2", shelf)) == []


def test_the_shipped_version_lacks_nothing_in_either_language():
    assert list(gaps(load("1"))) == []
    assert run("lint").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (r'title_fr = "Apgar à 5 minutes"\n', "", "no French title"),
        (r'loinc = "9274-2"', 'loinc = "9274-3"', "is no LOINC code"),
        (r"soft = \[500, 6000\]", "soft = [50, 6000]", "not within the possible one"),
        (r'text_fr = "Durant la première heure."', 'text_fr = "Quand ?"', "space before"),
        (r'live = "naissance vivante"\n', "", "no French for live"),
    ],
)
def test_lint_names_what_readers_lack(shelf, old, new, said):
    rewrite(shelf / "v2" / "birth_child.toml", old, new)
    result = run("lint", shelf / "v2")
    assert result.exit_code == 1
    assert said in result.output


def test_show_says_what_a_field_is_in_both_languages():
    assert "Birth weight" in run("show", "birth_weight_g").output
    french = run("show", "birth_weight_g", "--language", "fr").output
    assert "Poids de naissance" in french
    assert "exigence : R" in french


@pytest.mark.parametrize(
    "name", ["births", "birth", "nicu_stay", "header", "X24", "F5", "mother_hcn", "delivery_place"]
)
def test_show_knows_forms_layouts_types_rules_checks_and_fields(name):
    assert run("show", name).exit_code == 0


def test_show_refuses_a_name_that_there_is_not():
    assert run("show", "no_such_thing").exception.code == "SWD-DICT-03"


def test_show_prints_the_whole_page_of_ones_own_version(shelf):
    assert run("show", "--page", "--version", "2", "--home", shelf.parent).output.startswith(
        "# Data dictionary, version 2"
    )
    assert "version 2" in run("show", "--guide", "--version", "2", "--home", shelf.parent).output


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "apgar5"\ntype = "int"', 'name = "apgar5"\ntype = "float"', "field apgar5: there is no type float"),
        (
            'name = "vit_k"\ntype = "yesno"',
            'name = "vit_k"\ntype = "code"',
            "field vit_k: a code field has a pick list",
        ),
        ('live = "live birth"', '"x\')--" = "live birth"', "a code is letters, digits and underscores"),
        ('name = "vit_k"', 'name = "vit k"', "its name is no lower-case word"),
        ('name = "hcn_issued"', 'name = "vit_k"', "two fields have the same wide name"),
        ('name = "apgar1"', 'name = "apgar_1"', "apgar1"),
    ],
)
def test_a_faulty_version_is_refused_with_the_place_and_what_is_wrong_there(shelf, old, new, said):
    path = shelf / "v2" / "birth_child.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(DictionaryUnusable) as refused:
        versions.of("2", shelf)
    assert said in refused.value.text()


def test_versions_lists_what_is_shipped_and_what_is_ones_own(shelf):
    assert run("versions", "--home", shelf.parent).output.splitlines() == ["1  shipped", "2  your own"]


@pytest.mark.parametrize("kind", ["frictionless", "json", "csv"])
def test_export_writes_ones_own_version(shelf, kind):
    result = run("export", "--as", kind, "--version", "2", "--home", shelf.parent)
    assert result.exit_code == 0
    assert "birth_weight_g" in result.output
