"""Rules that only the registry can ask: two deliveries too close, a cycle that nobody told of, births that are missing."""

from datetime import date

from swaddle.dictionary.load import load
from swaddle.intake.overdue import overdue
from swaddle.registry.held import Held

US = "a" * 32
DELIVERY = (
    "local_record_id,event_date,mother_local_id,mother_family_name,mother_birth_date,delivery_local_id,site_id,admit_dt,"
    "delivery_place,para,previous_cs,n_fetuses,ga_weeks,onset_labour,presentation,birth_type\n"
)
ANTENATAL = (
    "local_record_id,event_date,mother_local_id,mother_family_name,mother_birth_date,site_id,antenatal_first_visit_date,"
    "antenatal_conception\n"
)
CYCLE = (
    "local_record_id,event_date,mother_local_id,mother_family_name,mother_birth_date,site_id,cycle_id,cycle_clinic_id,"
    "cycle_start_date,cycle_type\n"
)
BIRTH = (
    "local_record_id,event_date,outcome,birth_weight_g,mother_local_id,mother_family_name,mother_birth_date,"
    "child_local_id,child_sex,delivery_local_id,birth_order,site_id\n"
)


def delivery(number="R1", day="2026-08-01", key="D1", mother="M1", fetuses="1"):
    return f"{number},{day},{mother},Okafor,1994-03-01,{key},S1,{day},hospital,0,0,{fetuses},39,spontaneous,vertex,vaginal\n"


def antenatal(conception, mother="M1"):
    return f"A1,2026-05-01,{mother},Okafor,1994-03-01,S1,2026-05-01,{conception}\n"


def birth(number, order):
    return f"{number},2026-08-01,live,3400,M1,Okafor,1994-03-01,C{order},F,D1,{order},S1\n"


def found(taken, rule):
    return [each["count"] for each in taken.report["checked"]["findings"] if each["rule"] == rule]


def late(shelf, rule, day):
    held = Held(shelf.store, shelf.store.connection, US)
    told = overdue(shelf.store.connection, load(), held, day)
    return [each.local_record_id for each in told if each.rule.id == rule]


class TestTwoDeliveries:
    def test_weeks_apart_are_one_delivery_reported_twice(self, shelf):
        shelf.take(DELIVERY + delivery(), kind="deliveries")
        taken = shelf.take(DELIVERY + delivery("R2", "2026-09-01", "D2"), kind="deliveries")
        assert found(taken, "X46") == [1]

    def test_a_year_apart_are_two(self, shelf):
        shelf.take(DELIVERY + delivery(day="2025-08-01"), kind="deliveries")
        taken = shelf.take(DELIVERY + delivery("R2", "2026-08-01", "D2"), kind="deliveries")
        assert found(taken, "X46") == []

    def test_of_two_mothers_say_nothing(self, shelf):
        shelf.take(DELIVERY + delivery(), kind="deliveries")
        taken = shelf.take(DELIVERY + delivery("R2", "2026-09-01", "D2", mother="M2"), kind="deliveries")
        assert found(taken, "X46") == []


class TestConception:
    def test_by_ivf_without_a_cycle_is_for_review(self, shelf):
        shelf.take(CYCLE + "Y1,2026-02-01,M9,Other,1990-01-01,S1,Y1,K1,2026-02-01,ivf_fresh\n", kind="fertility-cycles")
        assert found(shelf.take(ANTENATAL + antenatal("ivf"), kind="antenatal"), "X44") == [1]

    def test_by_ivf_with_its_cycle_is_well(self, shelf):
        shelf.take(
            CYCLE + "Y1,2026-02-01,M1,Okafor,1994-03-01,S1,Y1,K1,2026-02-01,ivf_fresh\n", kind="fertility-cycles"
        )
        assert found(shelf.take(ANTENATAL + antenatal("ivf"), kind="antenatal"), "X44") == []
        assert found(shelf.take(ANTENATAL + antenatal("spontaneous", "M3"), kind="antenatal"), "X44") == []


class TestTwins:
    def test_of_whom_one_never_came_are_told_after_thirty_days(self, shelf):
        shelf.take(DELIVERY + delivery(fetuses="2"), kind="deliveries")
        shelf.take(BIRTH + birth("B1", 1), kind="births")
        assert late(shelf, "X20", date(2026, 8, 20)) == []
        assert late(shelf, "X20", date(2026, 9, 20)) == ["R1"]

    def test_who_both_came_are_well(self, shelf):
        shelf.take(DELIVERY + delivery(fetuses="2"), kind="deliveries")
        shelf.take(BIRTH + birth("B1", 1) + birth("B2", 2), kind="births")
        assert late(shelf, "X20", date(2026, 9, 20)) == []
