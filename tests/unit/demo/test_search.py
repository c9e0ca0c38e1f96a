import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swaddle.demo import search as search_module
from swaddle.demo.search import Search


def found(needles, data):
    return set(Search(dict.fromkeys(needles, 0)).in_bytes(data, "here"))


@pytest.mark.parametrize("offset", [*range(9), search_module.WINDOW_BYTES - 5, search_module.WINDOW_BYTES + 3])
def test_a_needle_is_found_at_any_offset_also_across_windows(offset):
    needle = b"Okafor,Thandiwe"
    data = os.urandom(offset) + needle + os.urandom(11)
    assert found([needle], data) == {needle}


def test_a_needle_at_the_very_end_is_found():
    assert found([b"12345,ab"], b"\0" * 3_000_000 + b"12345,ab") == {b"12345,ab"}


def test_needles_with_one_beginning_are_told_apart():
    needles = [b"same beginning, one end", b"same beginning, other end", b"same beg"]
    assert found(needles, b"xx same beginning, other end xx") == set(needles[1:])


def test_a_number_inside_a_longer_number_is_another_number():
    assert found([b"9876543217"], b"id 19876543217 and 98765432170") == set()
    assert found([b"9876543217"], b"id 19876543217, card 9876543217\n") == {b"9876543217"}


def test_what_is_not_there_is_not_found():
    rng = random.Random(1)
    needles = [rng.randbytes(24) for _ in range(5_000)]
    assert found(needles, rng.randbytes(3_000_000)) == set()


def test_the_first_place_is_told(tmp_path):
    path = tmp_path / "image"
    path.write_bytes(b"\0" * 100 + b"a needle here, a needle here")
    hit = Search({b"a needle": 3}).in_file(path, "memory-1")[b"a needle"]
    assert (hit.place, hit.offset, hit.category) == ("memory-1", 100, 3)


def test_an_empty_file_and_no_needles_are_fine(tmp_path):
    path = tmp_path / "empty"
    path.touch()
    assert Search({b"a needle": 0}).in_file(path, "x") == {}
    assert Search({}).in_bytes(b"something or other", "x") == {}


def test_too_short_a_needle_is_refused():
    with pytest.raises(ValueError, match="8 to"):
        Search({b"Li Wu": 0})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(min_size=8, max_size=20), min_size=1, max_size=6), st.binary(max_size=300), st.data())
def test_it_agrees_with_a_plain_search(needles, noise, data):
    needles = [needle for needle in needles if not needle.isdigit()]
    cut = data.draw(st.integers(0, len(noise)))
    hay = noise[:cut] + b"".join(needles[::2]) + noise[cut:]
    assert found(needles, hay) == {needle for needle in needles if needle in hay}
