"""Layouts of the registry's own: added by a file, used at once, never by what a sender says a mapping is."""

import pytest

from swaddle.intake.faults import FileFault, KindUnknown, MappingFault
from swaddle.intake.shelf import LayoutTaken
from swaddle.registry import layouts

SCALE = """
name = "scale-export"
title = "Export of the scale in the nursery"
dictionary = "1"
row = "birth"
recognise = ["number", "day", "grams"]
not_carried = ["site_id", "delivery_local_id", "birth_order"]
[fields.local_record_id]
from = "number"
[fields.event_date]
from = "day"
[fields.outcome]
constant = "live"
[fields.birth_weight_g]
from = "grams"
"""
FIXED = SCALE.replace('recognise = ["number", "day", "grams"]', 'format = "fixed"\nlength = 24').replace(
    "scale-export", "scale-fixed"
) + (
    "[columns]\nnumber = [1, 4]\nday = [5, 10]\ngrams = [17, 4]\n"
    '[known_by]\nnumber = "digits"\ngrams = "digits or blank"\n'
)
ROWS = "number,day,grams\n1,2026-11-02,3400\n2,2026-11-03,2900\n"


def test_a_file_of_an_unknown_layout_is_refused_and_taken_once_its_mapping_is_there(shelf):
    with pytest.raises(FileFault):
        shelf.take(ROWS, kind=None)
    assert layouts.add(shelf.inside, SCALE)["replaced"] is False
    assert shelf.take(ROWS, kind=None).rows == (2, 2, 0, 0)
    assert shelf.births() == [("1", 3400), ("2", 2900)]


def test_the_registry_reads_by_its_own_copy_whatever_the_sender_calls_the_file(shelf):
    layouts.add(shelf.inside, SCALE)
    with pytest.raises(FileFault):  # a slip of the sender: the plain layout lacks its columns
        shelf.take(ROWS, kind="births")
    assert shelf.take(ROWS, kind="a-name-that-only-the-sender-knows").rows == (2, 2, 0, 0)


def test_a_fixed_width_layout_of_ones_own_is_recognised(shelf):
    layouts.add(shelf.inside, FIXED)
    data = "".join(f"{number:04d}2026-11-02  {3000 + number}    \r\n" for number in range(1, 6))
    assert shelf.take(data, kind=None).rows == (5, 5, 0, 0)


def test_a_mapping_added_again_is_replaced_and_one_removed_is_forgotten(shelf):
    layouts.add(shelf.inside, SCALE)
    told = layouts.add(shelf.inside, SCALE.replace('from = "grams"', 'from = "grams"\nunit = "kg"'))
    assert told["replaced"]
    shelf.take(ROWS.replace("3400", "3.4").replace("2900", "2.9"), kind="scale-export")
    assert shelf.births() == [("1", 3400), ("2", 2900)]
    layouts.remove(shelf.inside, "scale-export")
    with pytest.raises(KindUnknown):
        layouts.remove(shelf.inside, "scale-export")
    assert not [each for each in layouts.show(shelf.inside)["layouts"] if each["own"]]
    assert shelf.births() == [("1", 3400), ("2", 2900)]


@pytest.mark.parametrize("text", ["", "name = 1", SCALE.replace("birth_weight_g", "no_such_field")])
def test_what_is_no_mapping_is_not_added(shelf, text):
    with pytest.raises(MappingFault):
        layouts.add(shelf.inside, text)
    assert not (shelf.inside.home / "mappings").exists()


def test_no_mapping_takes_the_place_of_a_built_in_one(shelf):
    with pytest.raises(LayoutTaken):
        layouts.add(shelf.inside, SCALE.replace("scale-export", "nchs-births-2006"))


def test_custody_says_by_which_mapping_files_are_read_and_no_name(shelf):
    layouts.add(shelf.inside, SCALE)
    layouts.add(shelf.inside, SCALE.replace("in the nursery", "on the ward"))
    layouts.remove(shelf.inside, "scale-export")
    first, second, third = shelf.inside.ledger.entries()
    assert [each.event for each in (first, second, third)] == ["mapping-added", "mapping-added", "mapping-removed"]
    assert second.detail == {"replaces": first.subject}
    assert third.subject == second.subject
