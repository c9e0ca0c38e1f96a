"""A mapping file and a fixed-width file made to do harm: neither reads a file, asks a database or moves a value."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from swaddle.intake import opened, shelf
from swaddle.intake.faults import KindUnknown, MappingFault
from swaddle.intake.mapping import load_builtin, load_file, parse
from swaddle.intake.positions import from_table
from swaddle.intake.readers.fixed import read_fixed

MAPPING = """
name = "{name}"
dictionary = "1"
not_carried = ["site_id", "delivery_local_id", "birth_order", "birth_weight_g"]
{more}
[fields.local_record_id]
{key}
[fields.event_date]
from = "d"
[fields.outcome]
constant = "live"
"""


def mapping(*, name: str = "harm", more: str = "", key: str = 'from = "k"') -> str:
    return MAPPING.format(name=name, more=more, key=key)


class TestAMappingThatReachesOut:
    @pytest.mark.parametrize(
        "expression",
        [
            "(SELECT content FROM read_text('/etc/hostname'))",
            "read_text('/etc/hostname')",
            "getenv('HOME')",
            "k; DROP TABLE staged_raw",
            "k /* comment */",
            "current_setting('secret_directory')",
            "k::BLOB",
            "identifiers.persons.family_name",
            "CASE WHEN k = '1' THEN (SELECT 1) END",
            "join(';', (SELECT 1), k)",
        ],
    )
    def test_an_expression_can_only_compute(self, expression):
        with pytest.raises(MappingFault):
            parse(mapping(key=f'derived = "{expression}"'))

    @pytest.mark.parametrize("name", ["../../etc/x", "a/b", "a\\\\b", ".hidden", "A", "a b", "", "-a", "con:x"])
    def test_its_name_is_never_a_path(self, tmp_path, name):
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(MappingFault):
            shelf.put(tmp_path / "mappings", mapping(name=name))
        assert sorted(tmp_path.rglob("*")) == before
        with pytest.raises(KindUnknown):
            shelf.take_off(tmp_path / "mappings", name)

    @pytest.mark.parametrize("table", ["../secret.csv", "/etc/passwd", "..", ".ssh", "C:secret.csv", "a\\\\b"])
    def test_a_layout_table_outside_its_folder_is_not_read(self, tmp_path, table):
        (tmp_path / "inner").mkdir()
        (tmp_path / "secret.csv").write_text("Field,Start,End\nk,1,2\nd,3,12\n")
        path = tmp_path / "inner" / "harm.toml"
        path.write_text(mapping(more=f'format = "fixed"\nlayout = "{table}"'))
        with pytest.raises(MappingFault):
            load_file(path)

    def test_a_table_beside_it_is_not_read_where_there_is_no_beside(self):
        with pytest.raises(MappingFault):
            parse(mapping(more='format = "fixed"\nlayout = "places.csv"'))

    def test_a_built_in_layout_is_never_replaced(self, tmp_path):
        for name in load_builtin():
            with pytest.raises((shelf.LayoutTaken, MappingFault)):
                shelf.put(tmp_path, mapping(name=name))


class TestAFixedWidthFileThatMovesValues:
    LAYOUT = from_table({"id": [1, 6], "weight": [7, 4], "sex": [11, 1]}, 20)

    def read(self, data: bytes) -> tuple[list[str], int]:
        source = opened.memory_file(len(data))
        try:
            opened.write_all(source, data)
            (sheet,) = read_fixed(source, len(data), self.LAYOUT, "utf-8")
            text = b"".join(opened.chunks(sheet.rows_fd, os.fstat(sheet.rows_fd).st_size)).decode()
            sheet.close()
            return text.splitlines(), sheet.broken
        finally:
            os.close(source)

    @pytest.mark.parametrize("place", range(20))
    def test_a_sign_too_few_or_too_many_anywhere_rejects_the_record(self, place):
        good = [b"%06d3450F         " % number for number in range(1, 10)]
        fewer = good[4][:place] + good[4][place + 1 :]
        more = good[4][:place] + b"0" + good[4][place:]
        for bent in (fewer, more):
            rows, broken = self.read(b"\n".join([*good[:4], bent, *good[5:]]))
            assert broken == 1
            assert [each.split("\x1f")[2:] for each in rows] == [["3450", "F"]] * 8

    def test_the_marks_between_cells_cannot_be_smuggled_in(self):
        good = b"0000013450F         "
        rows, broken = self.read(b"\n".join([good, good.replace(b"000", b"0\x1f0"), good.replace(b"34", b"3\x1e")]))
        assert (len(rows), broken) == (1, 2)


def test_the_shelf_is_only_readable_by_its_owner(tmp_path):
    shelf.put(tmp_path / "mappings", mapping())
    (kept,) = Path(tmp_path / "mappings").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
