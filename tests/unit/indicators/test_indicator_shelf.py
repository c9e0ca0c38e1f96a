"""An operator's own definitions: one that is right is counted, one with a fault is told and the others go on."""

from __future__ import annotations

from importlib.resources import files

import pytest
from click.testing import CliRunner

from swaddle.cli.indicators import group
from swaddle.indicators.definitions import shipped
from swaddle.indicators.shelf import IndicatorUnknown, shelf

PRETERM = files("swaddle.indicators").joinpath("v1", "preterm.toml").read_text("utf-8")
LATE = PRETERM.replace('id = "preterm"', 'id = "late"', 1).replace('chapter = "birth"', 'chapter = "own"')


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "indicators"
    made.mkdir()
    return made


def test_ones_own_stand_beside_those_that_are_shipped(folder):
    (folder / "late.toml").write_text(LATE, "utf-8")
    there = shelf(folder)
    assert there.left_out == ()
    assert there.of("late").shipped is False
    assert len(there.definitions) == len(shipped()) + 1


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("late", LATE.replace("ga_weeks < 37", "ga_weeks < seven", 1), "no field 'seven'"),
        ("late", LATE.replace("| 37       | placed ", "| 37       | counts ", 1), "line 2 of the example"),
        ("late", LATE + "\n" + "#" * 70_000, "larger than"),
        ("late", "id = 1\nx = [", "not TOML"),
        ("late", "\x00", "not TOML"),
        ("late", "", "missing"),
        ("other", LATE, "id must be the file's name"),
        ("preterm", PRETERM, "comes with an indicator of this name"),
        ("Late one", LATE, "id must be the file's name"),
        ("late", LATE.replace("'live'", "'<script>'").replace('"live"', "\"ga_weeks = 'many'\"", 1), "cannot be"),
        ("late", LATE + "\n[threshold]\ngreen = 1\n", "threshold has"),
    ],
)
def test_one_with_a_fault_is_told_and_the_others_go_on(folder, name, text, said):
    (folder / f"{name}.toml").write_text(text, "utf-8")
    (folder / "mine.toml").write_text(LATE.replace('id = "late"', 'id = "mine"'), "utf-8")
    there = shelf(folder)
    assert [left.file for left in there.left_out] == [name]
    assert said in there.left_out[0].reason
    assert there.of("mine").id == "mine"


def test_what_is_no_text_and_what_is_a_link_is_not_read(folder, tmp_path):
    (folder / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "secret.toml").write_text("secret", "utf-8")
    (folder / "link.toml").symlink_to(tmp_path / "secret.toml")
    there = shelf(folder)
    assert [(left.file, left.reason) for left in there.left_out] == [("bytes", "it is not UTF-8 text")]


def test_a_name_that_is_not_there_is_told(folder):
    with pytest.raises(IndicatorUnknown):
        shelf(folder).of("../../etc/passwd")


def test_the_command_lints_and_shows(folder, tmp_path):
    (folder / "late.toml").write_text(LATE.replace("ga_weeks < 37", "ga_weeks / 0 < 37", 1), "utf-8")
    linted = CliRunner().invoke(group, ["lint", "--home", str(tmp_path)])
    assert linted.exit_code == 1
    assert "divide by nothing" in linted.output
    (folder / "late.toml").write_text(LATE, "utf-8")
    assert CliRunner().invoke(group, ["lint", "--home", str(tmp_path)]).output == ""
    listed = CliRunner().invoke(group, ["list", "--home", str(tmp_path)]).output
    assert "late                     Preterm birth  (your own)" in listed
    shown = CliRunner().invoke(group, ["show", "late", "--home", str(tmp_path)]).output
    assert "## Naissance prématurée" in shown
    alone = CliRunner().invoke(group, ["lint", str(folder / "late.toml"), "--home", str(tmp_path)])
    assert alone.exit_code == 0
