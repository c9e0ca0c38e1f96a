"""Rules over several records, asked by the registry with what it holds: found by keys, said where, never guessed."""

from datetime import UTC, date, datetime

import pytest

from swaddle.dictionary.load import load
from swaddle.intake.overdue import overdue
from swaddle.registry.held import Held
from swaddle.submitter.check import check
from swaddle.submitter.prepare import look_at
from workbook import workbook

US, OTHERS = "a" * 32, "b" * 32
BIRTH = "local_record_id,event_date,outcome,birth_weight_g,mother_local_id,child_local_id,child_sex,child_birth_date,"
BIRTH += "delivery_local_id,birth_order,nicu_admit,site_id\n"
NEWBORN = "local_record_id,event_date,child_local_id,child_sex,child_birth_date,delivery_local_id,site_id,"
NEWBORN += "newborn_discharge_dt,newborn_discharge_weight_g,newborn_feeding\n"


def birth(number="B1", day="2026-10-01", child="C1", delivery="D1", order="1", nicu="N", mother="M1"):
    return f"{number},{day},live,3500,{mother},{child},F,{day},{delivery},{order},{nicu},S1\n"


def newborn(weight="2000", child="C1", day="2026-10-03"):
    return f"N1,{day},{child},F,2026-10-01,D1,S1,{day},{weight},breast_milk_only\n"


def scopes(taken, rule):
    return [each["scope"] for each in taken.report["checked"]["findings"] if each["rule"] == rule]


def test_a_later_record_is_checked_against_the_one_that_the_store_holds(shelf):
    shelf.take(BIRTH + birth())
    taken = shelf.take(NEWBORN + newborn(), kind="postpartum-children")
    assert scopes(taken, "X36") == ["registry"]


def test_another_submitters_record_of_the_same_number_is_not_looked_at(shelf):
    shelf.take(BIRTH + birth(), submitter=OTHERS)
    taken = shelf.take(NEWBORN + newborn(), kind="postpartum-children")
    assert scopes(taken, "X36") == []
    assert taken.report["checked"]["not_evaluated"]["X36"] == 1


def test_without_a_key_nothing_is_tried_and_it_is_counted(shelf):
    shelf.take(BIRTH + birth())
    text = (NEWBORN + newborn()).replace("child_local_id,", "").replace("C1,", "").replace("delivery_local_id,", "")
    taken = shelf.take(text.replace("D1,", ""), kind="postpartum-children")
    assert scopes(taken, "X36") == []
    assert taken.report["checked"]["not_evaluated"]["X36"] == 1


def test_twins_are_told_apart_by_the_child_and_not_guessed_by_the_delivery(shelf):
    shelf.take(BIRTH + birth() + birth("B2", child="C2", order="2"))
    assert scopes(shelf.take(NEWBORN + newborn(child="C2"), kind="postpartum-children"), "X36") == ["registry"]
    taken = shelf.take(NEWBORN + newborn(child="ASKU"), kind="postpartum-children")
    assert scopes(taken, "X36") == []


def test_a_second_child_of_the_same_order_is_found_beside_the_first_files(shelf):
    shelf.take(BIRTH + birth())
    assert scopes(shelf.take(BIRTH + birth("B2", child="C2")), "X21") == ["registry"]
    both = shelf.take(BIRTH + birth("B5", child="C5", delivery="D5") + birth("B6", child="C6", delivery="D5"))
    assert scopes(both, "X21") == ["file"]


def test_a_record_that_is_sent_again_does_not_meet_itself(shelf):
    shelf.take(BIRTH + birth())
    assert scopes(shelf.take((BIRTH + birth()).replace("3500", "3550")), "X21") == []


def test_two_deliveries_too_close_are_for_the_registry_to_see(shelf):
    shelf.take(BIRTH + birth(day="2026-08-01"))
    taken = shelf.take(BIRTH + birth("B2", child="C2", delivery="D2", day="2026-10-01"))
    assert scopes(taken, "X46") in ([], ["registry"])  # asked only where the layout tells of deliveries


@pytest.mark.parametrize(("nicu", "found"), [("Y", [("X34", "B1")]), ("N", [])])
def test_a_stay_that_never_came_is_overdue_after_thirty_days(shelf, nicu, found):
    shelf.take(BIRTH + birth(nicu=nicu))
    held = Held(shelf.store, shelf.store.connection, US)

    def told(day):
        return [
            (each.rule.id, each.local_record_id)
            for each in overdue(shelf.store.connection, load(), held, day)
            if each.rule.id == "X34"
        ]

    assert told(date(2026, 10, 20)) == []
    assert told(date(2026, 11, 20)) == found


def test_a_child_without_a_number_is_never_overdue(shelf):
    shelf.take(BIRTH + birth(nicu="Y", child=""))
    held = Held(shelf.store, shelf.store.connection, US)
    told = overdue(shelf.store.connection, load(), held, date(2026, 11, 20))
    assert [each for each in told if each.rule.id == "X34"] == []


def test_a_workbook_of_two_forms_is_checked_alike_here_and_there(shelf, tmp_path):
    pages = {"later": NEWBORN + newborn(), "first": BIRTH + birth()}
    data = workbook(
        sheets=[(title, "visible", [line.split(",") for line in text.splitlines()]) for title, text in pages.items()]
    )
    path = tmp_path / "book.xlsx"
    path.write_bytes(data)
    taken = shelf.take(data, kind=None)
    assert scopes(taken, "X36") == ["file"]
    here, _ = check(look_at(path), None, datetime(2026, 11, 22, 12, tzinfo=UTC))
    there = taken.report["checked"]
    assert here["findings"] == there["findings"]
    assert here["rows"] == there["rows"]
