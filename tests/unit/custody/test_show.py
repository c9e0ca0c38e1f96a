"""One subject's entries, found by the beginning of its id."""

import pytest

from swaddle.custody.show import NotClear, NothingKnown, story

ENTRIES = [{"subject": "abcdef01" * 4, "event": "a"}, {"subject": "abcdef02" * 4, "event": "b"}]


def test_the_beginning_of_an_id_is_enough():
    assert story([*ENTRIES, ENTRIES[0]], "abcdef01") == {
        "subject": ENTRIES[0]["subject"],
        "entries": [ENTRIES[0], ENTRIES[0]],
    }


def test_nothing_known_is_said():
    with pytest.raises(NothingKnown):
        story(ENTRIES, "ffffffff")


@pytest.mark.parametrize("wanted", ["", "abcde", "abcdef"])
def test_an_unclear_beginning_is_refused(wanted):
    with pytest.raises(NotClear):
        story(ENTRIES, wanted)
