"""Workbooks made to do harm: bombs, entities, ways out of the archive, cells at the end of the world."""

import io
import os
import time
import zipfile

import pytest

from swaddle.errors import FileFault
from swaddle.intake import opened
from swaddle.intake.faults import HeaderFault, NotADataSet, TooLarge, Unreadable
from swaddle.intake.readers.how import How
from swaddle.intake.wall.apart import read_apart
from workbook import MAIN, sheet_xml, workbook

HEADER = ["local_record_id", "event_date", "outcome"]
ROW = ["B1", "2024", "live"]
SHEET = "xl/worksheets/sheet1.xml"


def read(data):
    fd = opened.memory_file(0)
    try:
        opened.write_all(fd, data)
        sheets = read_apart(fd, len(data), How(kind="excel"))
    finally:
        os.close(fd)
    rows = [opened.read_piece(each.rows_fd, 1_000_000, 0) for each in sheets]
    for each in sheets:
        each.close()
    return rows


class TestABombInAWorkbook:
    """What unpacks to far more than it is, is stopped while it unpacks."""

    @pytest.mark.slow
    def test_a_gigabyte_of_blanks(self):
        started = time.monotonic()
        bomb = sheet_xml([HEADER, ROW]).replace("<sheetData>", "<sheetData>" + " " * 400_000_000)
        data = workbook([HEADER], replaced={SHEET: bomb})
        assert len(data) < 1_000_000
        with pytest.raises(TooLarge, match="unpacks"):
            read(data)
        assert time.monotonic() - started < 60

    @pytest.mark.slow
    def test_shared_texts_without_end(self):
        data = workbook([HEADER], shared=["<t>" + "x" * 1000 + "</t>"] * 300_000)
        with pytest.raises(TooLarge, match="unpacks"):
            read(data)

    def test_more_parts_than_any_workbook(self):
        with pytest.raises(TooLarge, match="parts"):
            read(workbook([HEADER, ROW], replaced={f"xl/media/{n}": "" for n in range(10_001)}))

    def test_parts_that_lie_over_each_other(self):
        out = io.BytesIO(workbook([HEADER, ROW]))
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr("XL/workbook.xml", "<workbook/>")
        with pytest.raises(Unreadable, match="one name"):
            read(out.getvalue())


class TestEntitiesInAWorkbook:
    """No document type, so no entity: none that grows, none that reads."""

    @pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml"])
    @pytest.mark.parametrize(
        "declared",
        [
            '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">',
            '<!ENTITY a SYSTEM "file:///etc/hostname">',
            '<!ENTITY % a SYSTEM "http://127.0.0.1/x.dtd"> %a;',
        ],
    )
    def test_are_refused(self, part, declared):
        text = f'<?xml version="1.0"?><!DOCTYPE x [{declared}]><x xmlns="{MAIN}">&a;</x>'
        with pytest.raises(Unreadable, match=r"document type|no XML"):
            read(workbook([HEADER, ROW], shared=[], replaced={part: text}))


class TestWaysOutOfAWorkbook:
    """A relationship is a key of the archive's table, never a path."""

    @pytest.mark.parametrize(
        "target", ["../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "\\\\host\\share"]
    )
    def test_lead_nowhere(self, target):
        related = f'<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="{target}"/></Relationships>'
        with pytest.raises(Unreadable, match="missing"):
            read(workbook([HEADER, ROW], replaced={"xl/_rels/workbook.xml.rels": related}))

    def test_links_to_elsewhere_are_not_followed(self):
        related = (
            '<Relationships><Relationship Id="rId1" Type="x/worksheet" TargetMode="External" '
            'Target="http://127.0.0.1/sheet.xml"/></Relationships>'
        )
        with pytest.raises(FileFault):
            read(workbook([HEADER, ROW], replaced={"xl/_rels/workbook.xml.rels": related}))


class TestAtTheEndOfTheWorld:
    """A cell in the last column of the last row costs one cell."""

    def test_a_cell_in_the_last_column_below_a_small_header(self):
        far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
        text = sheet_xml([HEADER, ROW]).replace("</sheetData>", far)
        (rows,) = read(workbook([HEADER], replaced={SHEET: text}))
        assert rows == b"2\x1fB1\x1f2024\x1flive\n"

    def test_a_header_that_wide_is_refused(self):
        text = sheet_xml([HEADER, ROW]).replace("</row>", '<c r="XFD1"><v>1</v></c></row>', 1)
        with pytest.raises(HeaderFault, match="columns"):
            read(workbook([HEADER], replaced={SHEET: text}))

    def test_xml_deeper_than_any_workbooks(self):
        with pytest.raises(Unreadable, match="deeper"):
            read(workbook([HEADER], replaced={SHEET: "<a>" * 100_000}))


def test_a_workbook_under_a_password_is_named():
    data = bytearray(workbook([HEADER, ROW]))
    start = 0
    while (start := data.find(b"PK\x01\x02", start)) >= 0:
        data[start + 8] |= 1
        start += 4
    with pytest.raises(NotADataSet, match="password"):
        read(bytes(data))


def test_every_cut_and_every_turned_byte_is_a_fault_or_a_sheet():
    from swaddle.intake.readers import excel

    data = workbook([HEADER, ROW])
    for place in range(0, len(data), 7):
        for hurt in (data[:place], data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]):
            fd = opened.memory_file(0)
            opened.write_all(fd, hurt)
            try:
                for each in excel.read(fd, len(hurt), How(kind="excel")):
                    each.close()
            except FileFault:
                pass
            finally:
                os.close(fd)
