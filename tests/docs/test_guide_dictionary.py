"""The guide to a dictionary of one's own: its example is a field, its commands are there, its keys are the loader's."""

import re
import shutil
from importlib import resources
from pathlib import Path

import pytest
from click.testing import CliRunner

from swaddle.cli.dictionary import group
from swaddle.dictionary.load import FIELD_KEYS, load_folder

GUIDE = (Path(__file__).parents[2] / "docs" / "guide-dictionary.md").read_text("utf-8")


@pytest.fixture
def second(tmp_path):
    folder = tmp_path / "v2"
    shutil.copytree(Path(str(resources.files("swaddle.dictionary") / "v1")), folder)
    return folder


def test_the_field_of_the_guide_can_be_added_as_it_stands(second):
    (example,) = re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    path = second / "birth_child.toml"
    path.write_text(path.read_text("utf-8") + "\n" + example, "utf-8")
    assert list(load_folder("2", second).wide()["doula"].field.values) == ["present", "absent"]
    assert CliRunner().invoke(group, ["lint", str(second)]).exit_code == 0
    shown = CliRunner().invoke(group, ["diff", "1", str(second)]).output
    assert shown == "field doula: added\n"


def test_every_command_of_the_guide_is_there():
    named = set(re.findall(r"swaddle dictionary (\w+)", GUIDE))
    assert named == set(group.commands)


def test_every_key_of_a_field_is_told_and_no_other():
    table = GUIDE.partition("| key | what it says |")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    told = {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)} - {"_fr"}
    told |= {f"{name}_fr" for name in ("title", "text", "mistaken_unit")}
    assert told == set(FIELD_KEYS)
