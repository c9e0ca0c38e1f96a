"""Each of the record types has a table: its rows are stored, replaced and voided like any other's."""

import pytest

from swaddle.dictionary.load import load
from swaddle.registry.records import TABLES

FORMS = tuple(load().forms.values())


def one_row(form, action="new", source="EPIC"):
    """A row of a form in its plain layout: what must be answered is answered by "asked, but unknown"."""
    needed = {slot for slot in form.slots if slot not in form.optional}
    row = {}
    for each in load().wide_fields(form.name):
        is_wanted = each.slot in needed and each.required in {"K", "R"}
        if is_wanted or each.name in form.recognise:
            row[each.name] = "ASKU"
    row |= {"local_record_id": "7", "event_date": "2026-10-01", "action": action, "source_system": source}
    for name in form.recognise:
        values = load().wide(form.name)[name].field.values
        row[name] = next(iter(values)) if values else row[name]
    return ",".join(row) + "\n" + ",".join(row.values()) + "\n"


@pytest.mark.parametrize("form", FORMS, ids=lambda each: each.name)
def test_a_row_of_each_form_is_stored_replaced_and_voided(shelf, days, form):
    first = shelf.take(one_row(form), kind=form.layout, sent_at=days(1))
    assert first.rows == (1, 1, 0, 0), first.found
    record_type, _ = load().slots()[form.chief]
    if record_type.name in TABLES:
        table = TABLES[record_type.name]
        assert shelf.ask(f"select count(*) from clinical.{table}") == [(1,)]
    assert shelf.ask("select form, local_record_id from clinical.stored_rows") == [(form.name, "7")]
    again = shelf.take(one_row(form), kind=form.layout, sent_at=days(2))
    assert again.rows == (1, 0, 0, 1)
    other = shelf.take(one_row(form, source="CERNER"), kind=form.layout, sent_at=days(3))
    assert other.rows == (1, 1, 0, 0)
    void = shelf.take(one_row(form, action="void"), kind=form.layout, sent_at=days(4))
    assert void.rows == (1, 1, 0, 0)
    assert shelf.ask("select step from clinical.stored_rows order by load_id") == [
        ("new",), ("replaced",), ("voided",),
    ]  # fmt: skip
    assert shelf.ask("select count(*) from clinical.stored_rows anti join clinical.superseded using (load_id, line)"
                     " where step <> 'voided'") == [(0,)]  # fmt: skip


def test_the_same_number_in_two_forms_is_two_records(shelf, days):
    by_name = {each.name: each for each in FORMS}
    shelf.take(one_row(by_name["antenatal"]), kind=by_name["antenatal"].layout, sent_at=days(1))
    shelf.take(one_row(by_name["nicu_stay"]), kind=by_name["nicu_stay"].layout, sent_at=days(2))
    void = shelf.take(one_row(by_name["nicu_stay"], action="void"), kind=by_name["nicu_stay"].layout, sent_at=days(3))
    assert void.rows == (1, 1, 0, 0)
    assert shelf.ask(
        "select form from clinical.stored_rows anti join clinical.superseded using (load_id, line) where step = 'new'"
    ) == [("antenatal",)]


def test_nothing_that_identifies_lies_in_the_clinical_file(shelf):
    direct = {each.name for each in load().wide_fields() if each.field.sensitivity == "D"}
    direct |= {f"{name}_missing" for name in direct}
    for (table,) in shelf.ask("select table_name from duckdb_tables() where database_name = 'clinical'"):
        columns = {row[0] for row in shelf.ask(f"describe clinical.{table}")}
        assert columns & direct == set(), table
