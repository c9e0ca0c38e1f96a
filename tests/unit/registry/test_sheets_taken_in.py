"""A file of several sheets: each is a load of its own, in the order of lookups; the whole adds up, a kill goes on."""

import json

import pytest

from swaddle.registry import sheets
from workbook import workbook

BIRTHS = [
    ["local_record_id", "event_date", "outcome", "birth_weight_g", "child_local_id"],
    ["1", "2026-10-01", "live", "3000", "C1"],
    ["2", "2026-10-02", "live", "x", "C2"],
    *[[str(n), "2026-10-02", "live", "3000", f"C{n}"] for n in range(3, 9)],
]
PERSONS = [
    ["local_record_id", "event_date", "person_family_name", "person_local_id"],
    ["7", "2026-10-01", "Okafor", "M7"],
]
NOTES = [["remarks of the ward"], ["nothing to do"]]


def several(*found):
    return workbook(sheets=[(name, "visible", rows) for name, rows in found])


def loads_of(shelf, transfer):
    return shelf.ask(
        "select sheet, form, outcome, rows_read, rows_stored, rows_rejected from clinical.loads where transfer = ?"
        " order by load_id",
        [transfer],
    )


def person_row(shelf):
    """A person with all that must be answered."""
    needed = [each for each in shelf.store.dictionary.wide_fields("person") if each.required == "R"]
    names = [each.name for each in needed if each.name not in PERSONS[0]]
    return [[*PERSONS[0], *names], [*PERSONS[1], *["ASKU"] * len(names)]]


def test_sheets_are_loads_of_their_own_and_the_file_adds_up(shelf):
    done = shelf.take(several(("Births", BIRTHS), ("People", person_row(shelf))), kind=None)
    assert done.rows == (9, 8, 1, 0)
    assert loads_of(shelf, done.transfer) == [
        (1, "person", "stored", 1, 1, 0),
        (2, "birth", "stored", 8, 7, 1),
        (0, "birth", "stored", 9, 8, 1),
    ]
    assert done.report["checked"]["life"] == {"new": 8}
    assert [each["rows"]["read"] for each in done.report["checked"]["files"]] == [1, 8]
    assert done.found["F2"]["examples"][0]["line"] == 3


def test_a_sheet_that_is_no_data_sinks_nothing_and_is_named(shelf):
    done = shelf.take(several(("Notes", NOTES), ("Births", BIRTHS)), kind=None)
    assert done.rows[1] == 7
    assert done.load.read == done.load.stored + done.load.rejected + done.load.duplicates
    told = json.dumps(done.report["checked"])
    assert "Notes" in told or any(each["outcome"] == "refused" for each in done.report["checked"].get("files", ()))


def test_a_kill_between_two_sheets_goes_on_behind_the_first(shelf, monkeypatch):
    class Killed(Exception):
        pass

    real, taken = sheets.take_sheet, []

    def dying(*given):
        taken.append(1)
        if len(taken) == 2:
            raise Killed
        return real(*given)

    monkeypatch.setattr(sheets, "take_sheet", dying)
    monkeypatch.setattr("secrets.token_hex", lambda _: "c" * 32)
    data = several(("Births", BIRTHS), ("People", person_row(shelf)))
    with pytest.raises(Killed):
        shelf.take(data, kind=None)
    assert [row[0] for row in loads_of(shelf, "c" * 32)] == [1]
    done = shelf.take(data, kind=None)
    assert [row[0] for row in loads_of(shelf, "c" * 32)] == [1, 2, 0]
    assert done.rows == (9, 8, 1, 0)
    assert len(taken) == 3
