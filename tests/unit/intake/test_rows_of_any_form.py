"""Rows of every form: which slots a file holds, what is asked of them, and who they are about."""

import os

import pytest

from swaddle.dictionary.load import load
from swaddle.intake import engine
from swaddle.intake.link import link
from swaddle.intake.lookups import Beside
from swaddle.intake.mapping import by_kind, recognise
from swaddle.intake.sheet import SheetWriter

BIRTH = {
    "local_record_id": "B1", "event_date": "2024-05-02", "outcome": "live", "site_id": "S1", "delivery_local_id": "D1",
    "birth_order": "1", "birth_weight_g": "3400", "apgar5": "9", "child_sex": "F", "child_local_id": "C1",
    "child_birth_date": "2024-05-02",
}  # fmt: skip


@pytest.mark.parametrize("form", list(load().forms.values()), ids=lambda form: form.name)
def test_the_plain_layout_of_a_form_is_recognised_by_its_columns(form):
    wide = load().wide(form.name)
    assert recognise(list(wide)).name == form.layout
    assert {"local_record_id", "event_date"} <= set(by_kind(form.layout).recognise)


def test_a_slot_that_the_file_holds_nothing_of_makes_no_record_and_asks_for_nothing(taken, csv_text):
    result = taken(csv_text([BIRTH]), kind="births")
    assert set(result.checked.slots) == {"birth", "child"}
    assert set(result.checked.records) == {"birth_child", "person"}
    assert not [field for _, _, field in result.findings() if field.startswith(("antenatal_", "mother_"))]


def test_required_fields_of_a_slot_that_few_rows_tell_of_are_asked_of_those_rows_only(taken, csv_text):
    told = {"newborn_discharge_weight_g": "3300", "newborn_discharge_dt": ""}
    silent = {"newborn_discharge_weight_g": "", "newborn_discharge_dt": ""}
    rows = [{**BIRTH, **told}, {**BIRTH, **silent, "local_record_id": "B2", "delivery_local_id": "D2"}]
    result = taken(csv_text(rows), kind="births")
    assert [line for line, rule, field in result.findings() if (rule, field) == ("F1", "newborn_discharge_dt")] == [2]
    assert result.checked.records["postpartum_child"] == 0  # the row that tells of one is rejected


def test_a_person_on_their_own_is_the_same_subject_as_in_a_birth(taken, csv_text):
    birth = taken(csv_text([BIRTH]), kind="births")
    birth.link()
    person = {"local_record_id": "P1", "event_date": "2024-06-01", "person_local_id": "C1", "person_role": "child"}
    alone = taken(csv_text([person]), kind="persons")
    link(alone.connection, submitter="northshore", file_digest="0" * 64, subject_key=b"k" * 32, form="person")
    assert alone.rows("person_subject") == birth.rows("child_subject")
    subjects = alone.connection.execute("SELECT category FROM row_subjects").fetchall()
    assert subjects == [("newborn or child",)]


def test_a_newborns_row_that_names_no_mother_is_about_nobody_else(taken, csv_text):
    row = {"local_record_id": "N1", "event_date": "2024-05-03", "child_local_id": "C1", "nicu_admit_dt": "2024-05-02"}
    result = taken(csv_text([row]), kind="nicu-stays")
    link(result.connection, submitter="northshore", file_digest="0" * 64, subject_key=b"k" * 32, form="nicu_stay")
    assert result.connection.execute("SELECT count(*) FROM row_subjects").fetchall() == [(1,)]


def test_rejected_records_of_an_earlier_sheet_are_not_looked_up(taken, csv_text):
    connection, beside = engine.connect(memory_bytes=1024**3), Beside()
    taken(csv_text([{**BIRTH, "outcome": "alive"}]), kind="births", connection=connection, beside=beside)
    newborn = {
        "local_record_id": "N1", "event_date": "2024-05-04", "child_local_id": "C1", "child_sex": "F",
        "newborn_discharge_weight_g": "2000", "newborn_discharge_dt": "2024-05-04", "newborn_feeding": "ASKU",
        "child_birth_date": "2024-05-02",
    }  # fmt: skip
    result = taken(csv_text([newborn]), kind="postpartum-children", connection=connection, beside=beside)
    assert "X36" not in {rule for _, rule, _ in result.findings()}
    assert result.checked.not_evaluated["X36"] == 1


def test_a_sheet_grows_columns_keeps_line_ends_and_breaks_rows_with_control_characters():
    with SheetWriter("person", where="message") as writer:
        writer.add_named(1, {"PID-5.1": " Okafor\xa0"})
        writer.add_named(2, {"PID-7": "1994\r\n03", "PID-5.1": None})
        writer.add_named(3, {"PID-5.1": "a\x1fb"})
        sheet = writer.close()
    try:
        assert (sheet.columns, sheet.rows, sheet.broken, sheet.where) == (("PID-5.1", "PID-7"), 2, 1, "message")
        assert os.pread(sheet.rows_fd, 100, 0) == b"1\x1fOkafor\x1f\n2\x1f\x1f1994\x1e03\n"
        assert os.pread(sheet.broken_fd, 100, 0).startswith(b"3\x1fB3\x1fa")
    finally:
        sheet.close()
