from datetime import date

import pytest

from swaddle.demo import broken, layout, needles
from swaddle.demo.cohort import SITES, births
from swaddle.demo.needles import Category

LAST_DAY = date(2026, 10, 31)


@pytest.fixture(scope="module")
def rows():
    return [layout.row(birth) for birth in births(SITES[1], 600, seed=2026, last_day=LAST_DAY)]


def test_every_row_has_every_column_and_no_value_needs_quotes(rows):
    assert all(tuple(row) == layout.COLUMNS for row in rows)
    assert not any(mark in value for row in rows for value in row.values() for mark in ',"\n\r')


def test_columns_are_fields_of_the_dictionary():
    dictionary = pytest.importorskip("swaddle.dictionary.load").load()
    assert set(layout.COLUMNS) <= set(dictionary.wide())


def test_five_per_cent_are_broken_each_by_a_known_rule_and_stay_the_same_people(rows):
    wrong = [dict(row) for row in rows]
    chosen = broken.break_some(wrong, seed=1)
    assert len(chosen) == 30
    assert set(chosen.values()) == {rule for rule, _ in broken.BREAKS}
    for place, (before, after) in enumerate(zip(rows, wrong, strict=True)):
        assert (before == after) is (place not in chosen)
        assert all(before[column] == after[column] for column in layout.LOCAL_IDS)


def test_the_picture_is_a_png():
    assert broken.picture().startswith(b"\x89PNG\r\n\x1a\n")


def test_needles_of_births_are_names_cards_ids_dates_and_rows_as_they_stand_in_the_file(rows):
    lines = list(layout.lines(rows))
    found = list(needles.of_births(lines[0].split(b","), lines[1:]))
    text = b"\n".join(lines)
    kinds = {kind for _, kind in found}
    assert kinds == {Category.NAME, Category.CARD, Category.LOCAL_ID, Category.BIRTH_DATE, Category.ROW}
    assert all(needle in text and len(needle) >= 8 for needle, _ in found)
    row = rows[0]
    sought = dict(found)
    assert sought[f"{row['mother_family_name']},{row['mother_given_names']}".encode()] is Category.NAME
    assert f"{row['mother_given_names']},{row['mother_birth_date']}".encode() in sought
    assert row["mother_birth_date"].encode() not in sought


def test_a_layout_without_the_columns_is_refused():
    with pytest.raises(ValueError, match="mother_family_name"):
        list(needles.of_births([b"a", b"b"], []))


def test_a_short_name_is_sought_with_what_follows_it():
    header = [column.encode() for column in layout.COLUMNS]
    fields = dict.fromkeys(layout.COLUMNS, "")
    fields |= {"mother_family_name": "Wu", "mother_given_names": "Li", "mother_birth_date": "1990-01-02"}
    found = list(needles.of_births(header, [",".join(fields.values()).encode()]))
    assert (b"Wu,Li,1990-01-02", Category.NAME) in found


def test_secrets_are_found_in_base64_whatever_stands_around_them():
    import base64
    import os

    secret = os.urandom(32)
    forms = [needle for needle, _ in needles.of_secret(secret, Category.KEY)]
    for lead in range(4):
        for tail in range(3):
            text = base64.b64encode(os.urandom(lead) + secret + os.urandom(tail))
            assert any(form in text for form in forms)
            assert any(form in base64.urlsafe_b64encode(base64.b64decode(text)) for form in forms)


def test_pieces_of_a_file_come_from_every_step_and_are_no_padding(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 32 + bytes(4_096) + bytes(range(255, -1, -1)) * 16)
    pieces = [piece for piece, _ in needles.of_file(path)]
    assert len(pieces) == 3
    assert all(len(piece) == needles.WINDOW_BYTES for piece in pieces)
