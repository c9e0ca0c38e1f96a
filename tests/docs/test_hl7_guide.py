"""The guide to HL7 messages names every place and every name that a mapping can use."""

import re

from swaddle.intake.mapping import load_builtin
from swaddle.intake.readers.hl7_columns import COMPUTED
from swaddle.intake.readers.hl7_paths import compile_path
from swaddle.intake.readers.hl7_sheets import FORMAT


def test_every_name_that_stands_for_an_answer_is_in_the_guide(root):
    guide = (root / "docs" / "guide-hl7.md").read_text("utf-8")
    assert set(re.findall(r"`((?:message|person|screen):[a-z_]+)`", guide)) == set(COMPUTED)


def test_every_place_of_the_guide_is_one(root):
    guide = (root / "docs" / "guide-hl7.md").read_text("utf-8")
    places = [each.replace("\\|", "|") for each in re.findall(r"^\| `([A-Z][^`]+)` \|", guide, re.MULTILINE)]
    assert len(places) == 9
    for each in places:
        compile_path(each)


def test_the_guide_names_the_built_in_mappings(root):
    guide = (root / "docs" / "guide-hl7.md").read_text("utf-8")
    for each in load_builtin().values():
        assert each.format != FORMAT or f"`{each.name}`" in guide
