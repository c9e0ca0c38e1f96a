"""The night: what did not come is found once, asked of its submitter, and ends when it came or was answered."""

from datetime import UTC, datetime
from itertools import count

import pytest

from swaddle.registry import answered, waiting
from swaddle.wire.spoken import finding

US, OTHERS, LAB = "a" * 32, "b" * 32, "c" * 32
SUMMER = datetime(2026, 11, 22, 2, tzinfo=UTC)
BIRTH = (
    "local_record_id,event_date,outcome,birth_weight_g,mother_local_id,child_local_id,child_sex,child_birth_date,"
    "delivery_local_id,birth_order,n_fetuses,nicu_admit,screening_card_id,site_id,action\n"
)
NICU = "local_record_id,event_date,child_local_id,child_sex,child_birth_date,site_id,nicu_admit_dt\n"
NEWBORN = "local_record_id,event_date,child_local_id,child_sex,child_birth_date,site_id,newborn_nbs_collected\n"
SCREEN = "local_record_id,event_date,child_local_id,screen_card_id,screen_collection_dt,screen_received_dt,site_id\n"


def birth(number="B1", *, child="C1", delivery="D1", nicu="N", fetuses="1", card="", action="new", weight="3500"):
    return (
        f"{number},2026-08-01,live,{weight},M1,{child},F,2026-08-01,{delivery},1,{fetuses},{nicu},{card},S1,{action}\n"
    )


def night(shelf, at=SUMMER):
    number = count(1)
    return waiting.look(shelf.store, at, lambda: f"{next(number):032x}")


def stay(child="C1"):
    return NICU + f"N1,2026-08-02,{child},F,2026-08-01,S1,2026-08-02\n"


class TestAStayThatNeverCame:
    def test_is_found_once_and_asked_of_the_one_who_sent_the_birth(self, shelf):
        shelf.take(BIRTH + birth(nicu="Y"))
        shelf.take(BIRTH + birth(), submitter=OTHERS)
        first = night(shelf)
        assert (dict(first.new), list(first.notices)) == ({"X34": 1}, [US])
        assert [each.record for each in waiting.told(shelf.store, first.notices[US])] == ["B1"]
        second = night(shelf)
        assert (dict(second.new), second.notices, second.standing) == ({}, {}, 1)

    def test_ends_when_it_came_and_asks_again_if_it_went(self, shelf):
        shelf.take(BIRTH + birth(nicu="Y"))
        night(shelf)
        shelf.take(stay(), kind="nicu-stays")
        assert (night(shelf).ended, night(shelf).standing) == (1, 0)
        shelf.take(stay().replace("S1,", "S1,").replace("C1", "C9"), kind="nicu-stays")
        assert dict(night(shelf).new) == {"X34": 1}

    def test_is_silent_once_answered_for_that_value_and_for_nobody_else(self, shelf, days):
        shelf.take(BIRTH + birth(nicu="Y") + birth("B2", child="C2", delivery="D2", nicu="Y"))
        notice = night(shelf).notices[US]
        assert answered.take(shelf.store, OTHERS, "f" * 32, [finding(notice, "X34")], SUMMER).unmet == 1
        assert answered.take(shelf.store, US, "f" * 32, [finding(notice, "X34@1")], SUMMER).silenced == 1
        after = night(shelf)
        assert (dict(after.new), after.standing) == ({}, 1)
        # The record is sent again with another weight: what was asked of it is the same.
        shelf.take(BIRTH + birth(nicu="Y", weight="3400"), sent_at=days(60))
        assert dict(night(shelf).new) == {}

    def test_is_asked_of_no_child_without_a_number(self, shelf):
        shelf.take(BIRTH + birth(nicu="Y", child=""))
        found = night(shelf)
        assert (dict(found.new), found.not_tried["X34"]) == ({}, 1)

    def test_is_not_asked_of_a_birth_that_was_voided(self, shelf, days):
        shelf.take(BIRTH + birth(nicu="Y"), sent_at=days(1))
        shelf.take(BIRTH + birth(nicu="Y", action="void"), sent_at=days(2))
        assert dict(night(shelf).new) == {}

    def test_is_not_asked_before_its_day(self, shelf):
        shelf.take(BIRTH + birth(nicu="Y"))
        assert dict(night(shelf, datetime(2026, 8, 31, tzinfo=UTC)).new) == {}
        assert dict(night(shelf, datetime(2026, 9, 1, tzinfo=UTC)).new) == {"X34": 1}


class TestAScreen:
    """It comes from a laboratory, which knows the card and not the hospital's numbers."""

    def take(self, shelf, card=""):
        shelf.take(BIRTH + birth(card=card))
        shelf.take(NEWBORN + "P1,2026-08-03,C1,F,2026-08-01,S1,Y\n", kind="postpartum-children")

    def screen(self, shelf, card="KC40123A", submitter=LAB):
        text = SCREEN + f"Z1,2026-08-03,,{card},2026-08-03T10:00,2026-08-05T10:00,S1\n"
        return shelf.take(text, kind="newborn-screens", submitter=submitter)

    def test_of_the_card_that_the_birth_names_is_found_across_submitters(self, shelf):
        self.take(shelf, card="KC40123A")
        assert dict(night(shelf).new) == {"X45": 1}
        self.screen(shelf)
        assert night(shelf).ended == 1

    def test_of_a_card_that_is_used_again_years_later_is_not_this_childs(self, shelf):
        self.take(shelf, card="KC40123A")
        text = SCREEN + "Z1,2024-08-03,,KC40123A,2024-08-03T10:00,2024-08-05T10:00,S1\n"
        shelf.take(text, kind="newborn-screens", submitter=LAB)
        assert dict(night(shelf).new) == {"X45": 1}

    def test_without_a_card_is_not_asked_of_a_hospital_that_sends_no_screens(self, shelf):
        self.take(shelf)
        self.screen(shelf)
        found = night(shelf)
        assert (dict(found.new), found.not_tried) == ({}, {"X45": 1})

    def test_of_another_card_is_not_this_childs(self, shelf):
        self.take(shelf, card="KC40123A")
        self.screen(shelf, card="KC40124B")
        assert dict(night(shelf).new) == {"X45": 1}


def test_a_rule_that_was_answered_asks_again_for_another_value(shelf, days):
    shelf.take(BIRTH + birth(fetuses="2"), sent_at=days(1))
    notice = night(shelf).notices[US]
    assert answered.take(shelf.store, US, "f" * 32, [finding(notice, "X20")], SUMMER).silenced == 1
    shelf.take(BIRTH + birth(fetuses="3"), sent_at=days(2))
    assert dict(night(shelf).new) == {"X20": 1}


def test_a_night_that_is_killed_is_not_done(shelf, monkeypatch):
    shelf.take(BIRTH + birth(nicu="Y"))

    def killed():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        waiting.look(shelf.store, SUMMER, killed)
    shelf.reopen()
    assert dict(night(shelf).new) == {"X34": 1}
