"""Who is alerted about and who is not: hostile data first. Judged by the store alone; nothing is sent here."""

from datetime import UTC, date, datetime, timedelta

import pytest

from swaddle.registry import alerts

US, OTHERS, LAB, LAB_2 = "a" * 32, "b" * 32, "c" * 32, "d" * 32
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BIRTH = (
    "local_record_id,event_date,outcome,birth_weight_g,mother_local_id,child_local_id,child_sex,child_birth_date,"
    "child_hcn,child_hcn_authority,delivery_local_id,birth_order,n_fetuses,screening_card_id,"
    "infant_living,neonatal_death_dt,site_id,action\n"
)
SCREEN = (
    "local_record_id,event_date,screen_card_id,screen_initial_card_id,screen_collection_dt,screen_received_dt,"
    "screen_reported_dt,screen_overall,screen_diagnostic_outcome,child_hcn,child_hcn_authority,child_birth_date,"
    "site_id\n"
)
PERSON = "local_record_id,event_date,person_local_id,person_role,person_birth_date,person_death_date,site_id\n"
PLACEHOLDER = "0000000"


def birth(
    number="B1", *, card="KC40123A", day="2026-11-08", outcome="live", died="", hcn="", delivery="", order="1",
    living="Y", action="new",
):  # fmt: skip
    authority = "ON" if hcn else ""
    fetuses = "2" if delivery else "1"
    return (
        f"{number},{day},{outcome},3500,M{number},C{number},F,{day},{hcn},{authority},{delivery or 'D' + number},"
        f"{order},{fetuses},{card},{living},{died},S1,{action}\n"
    )


def screen(
    number="Z1", *, card="KC99999Z", got="2026-11-20", first="", overall="in_range", outcome="", hcn="", born=""
):
    authority = "ON" if hcn else ""
    return (
        f"{number},{got},{card},{first},{got}T08:00,{got}T18:00,{got}T20:00,{overall},{outcome},{hcn},{authority},"
        f"{born},S1\n"
    )


def lab(shelf, *rows, submitter=LAB):
    return shelf.take(SCREEN + "".join(rows), kind="newborn-screens", submitter=submitter)


def standing(shelf):
    return shelf.ask(
        "select submitter, local_record_id, cause from clinical.alerts where ended_at is null order by all"
    )


def ended(shelf):
    return shelf.ask("select local_record_id, ended_by from clinical.alerts where ended_at is not null order by all")


def why_not(shelf, submitter=US):
    return alerts.not_judged(shelf.store, NOW, date(2026, 9, 1), date(2026, 11, 22)).get(submitter, {})


class TestAMissedScreen:
    def test_is_told_once_to_the_hospital_of_the_birth(self, shelf):
        shelf.take(BIRTH + birth())
        lab(shelf, screen())
        assert alerts.find(shelf.store, NOW) == 1
        assert standing(shelf) == [(US, "B1", "missed")]
        assert alerts.find(shelf.store, NOW) == 0
        assert alerts.find(shelf.store, NOW + timedelta(days=1)) == 0

    @pytest.mark.slow
    def test_waits_for_day_7_to_begin(self, shelf):
        shelf.take(BIRTH + birth(day="2026-11-13"))
        lab(shelf, screen())
        assert alerts.find(shelf.store, datetime(2026, 11, 19, 23, 59, tzinfo=UTC)) == 0
        assert alerts.find(shelf.store, datetime(2026, 11, 20, 0, 0, tzinfo=UTC)) == 1

    @pytest.mark.slow
    def test_a_clock_set_back_ends_nothing_and_finds_nothing_twice(self, shelf):
        shelf.take(BIRTH + birth())
        lab(shelf, screen())
        alerts.find(shelf.store, NOW)
        assert alerts.find(shelf.store, datetime(2026, 11, 1, tzinfo=UTC)) == 0
        assert len(standing(shelf)) == 1
        assert alerts.find(shelf.store, NOW) == 0

    @pytest.mark.slow
    def test_of_a_baby_that_cannot_be_judged_is_counted_and_not_told(self, shelf):
        rows = (
            birth("B1", card=""), birth("B2", card=PLACEHOLDER), birth("B3", card="", hcn="1234567890"),
            birth("B4", card="KC40004A", died="2026-11-11T10:00"), birth("B5", card="KC40005A", living="N"),
            birth("B6", card="KC40006A", outcome="stillbirth_antepartum"), birth("B7", card="KC40007A"),
        )  # fmt: skip
        shelf.take(BIRTH + "".join(rows))
        shelf.take(PERSON + "P1,2026-11-12,CB7,child,2026-11-08,2026-11-11,S1\n", kind="persons")
        lab(shelf, screen())
        assert alerts.find(shelf.store, NOW) == 0
        assert why_not(shelf) == {"no usable key": 3, "died": 3}

    def test_is_not_told_before_the_laboratorys_data_reach_day_7(self, shelf):
        shelf.take(BIRTH + birth())
        lab(shelf, screen(got="2026-11-14"))
        assert (alerts.find(shelf.store, NOW), why_not(shelf)) == (0, {"laboratory data end before day 7": 1})
        lab(shelf, screen("Z2", got="2026-11-15"))
        assert alerts.find(shelf.store, NOW) == 1

    @pytest.mark.slow
    def test_is_not_told_where_no_laboratory_sends(self, shelf):
        shelf.take(BIRTH + birth())
        assert (alerts.find(shelf.store, NOW), why_not(shelf)) == (0, {"no laboratory sends data": 1})

    @pytest.mark.slow
    def test_counts_the_slower_of_two_laboratories_unless_the_hospital_has_its_own(self, shelf):
        shelf.take(BIRTH + birth())
        lab(shelf, screen())
        lab(shelf, screen(got="2026-11-10"), submitter=LAB_2)
        assert alerts.find(shelf.store, NOW) == 0
        shelf.take(BIRTH + birth("B2", card="KC50000A"))
        lab(shelf, screen("Z9", card="KC50000A"))
        assert alerts.find(shelf.store, NOW) == 1

    def test_of_twins_on_one_card_is_judged_for_neither(self, shelf):
        shelf.take(BIRTH + birth(delivery="D9") + birth("B2", delivery="D9", order="2"))
        lab(shelf, screen())
        assert (alerts.find(shelf.store, NOW), why_not(shelf)) == (0, {"no usable key": 2})

    @pytest.mark.slow
    def test_of_a_baby_whose_birth_two_hospitals_sent_is_told_to_both(self, shelf):
        shelf.take(BIRTH + birth())
        shelf.take(BIRTH + birth("X7"), submitter=OTHERS)
        lab(shelf, screen())
        assert alerts.find(shelf.store, NOW) == 2
        lab(shelf, screen("Z2", card="KC40123A"))
        assert (alerts.find(shelf.store, NOW), standing(shelf)) == (0, [])

    @pytest.mark.slow
    def test_of_a_health_card_is_judged_only_where_laboratories_write_health_cards(self, shelf):
        shelf.take(BIRTH + birth(card="", hcn="9876543217"))
        lab(shelf, screen())
        assert (alerts.find(shelf.store, NOW), why_not(shelf)) == (0, {"no usable key": 1})
        lab(shelf, screen("Z2", hcn="1234567897", born="2026-11-09"))
        assert alerts.find(shelf.store, NOW) == 1
        lab(shelf, screen("Z3", hcn="9876543217", born="2026-11-08"))
        alerts.find(shelf.store, NOW)
        assert ended(shelf) == [("B1", "came")]

    @pytest.mark.slow
    def test_ends_when_it_came_and_is_told_again_if_it_went(self, shelf, days):
        shelf.take(BIRTH + birth(), sent_at=days(1))
        lab(shelf, screen())
        alerts.find(shelf.store, NOW)
        lab(shelf, screen("Z2", card="KC40123A"))
        alerts.find(shelf.store, NOW)
        assert ended(shelf) == [("B1", "came")]
        shelf.take(BIRTH + birth(card="KC77777B"), sent_at=days(2))
        assert alerts.find(shelf.store, NOW) == 1

    @pytest.mark.slow
    def test_ends_when_the_birth_is_void_or_no_live_baby_any_more(self, shelf, days):
        numbers = [(f"B{n}", f"KC4000{n}A") for n in range(3)]
        changes = ({"action": "void"}, {"died": "2026-11-11T10:00"}, {"outcome": "stillbirth_unknown"})
        shelf.take(BIRTH + "".join(birth(number, card=card) for number, card in numbers), sent_at=days(1))
        lab(shelf, screen())
        assert alerts.find(shelf.store, NOW) == 3
        changed = zip(numbers, changes, strict=True)
        rows = "".join(birth(number, card=card, **change) for (number, card), change in changed)
        shelf.take(BIRTH + rows, sent_at=days(2))
        alerts.find(shelf.store, NOW)
        assert ended(shelf) == [("B0", "gone"), ("B1", "gone"), ("B2", "gone")]

    @pytest.mark.slow
    def test_of_long_ago_is_no_alert(self, shelf):
        shelf.take(BIRTH + birth(day="2026-06-01"))
        lab(shelf, screen())
        assert alerts.find(shelf.store, NOW) == 0

    @pytest.mark.slow
    def test_of_ten_thousand_births_is_one_alert(self, shelf):
        rows = "".join(birth(f"B{n}", card=f"KC4{n:05d}A") for n in range(10_000))
        shelf.take(BIRTH + rows)
        lab(shelf, screen())
        assert alerts.find(shelf.store, NOW) == 10_000
        assert shelf.ask("select count(distinct alert) from clinical.alerts") == [(1,)]

    @pytest.mark.slow
    def test_killed_half_way_is_found_at_the_next_look(self, shelf, monkeypatch):
        shelf.take(BIRTH + birth())
        lab(shelf, screen())

        def killed(_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(alerts.secrets, "token_hex", killed)
            with pytest.raises(KeyboardInterrupt):
                alerts.find(shelf.store, NOW)
        shelf.reopen()
        assert alerts.find(shelf.store, NOW) == 1


class TestACriticalResult:
    def take(self, shelf, **result):
        shelf.take(BIRTH + birth())
        lab(shelf, screen(card="KC40123A", **result), screen("Z2"))

    @pytest.mark.slow
    def test_is_told_when_its_follow_up_is_late_by_what_the_laboratory_sent(self, shelf):
        results = (
            ("urgent", "2026-11-18"), ("urgent", "2026-11-19"), ("out_of_range", "2026-11-10"),
            ("in_range", "2026-11-10"), ("second_tier", "2026-11-10"),
        )  # fmt: skip
        shelf.take(BIRTH + "".join(birth(f"B{n}", card=f"KC4000{n}A") for n in range(len(results))))
        rows = (screen(f"Z{n}", card=f"KC4000{n}A", overall=each, got=got) for n, (each, got) in enumerate(results))
        lab(shelf, *rows, screen("Z9"))
        assert alerts.find(shelf.store, NOW) == 1
        assert standing(shelf) == [(US, "B0", "urgent")]

    @pytest.mark.slow
    def test_that_has_an_outcome_is_not_told_unless_the_baby_was_lost(self, shelf):
        self.take(shelf, overall="urgent", got="2026-11-10", outcome="true_positive")
        assert alerts.find(shelf.store, NOW) == 0
        shelf.take(BIRTH + birth("B2", card="KC50000A"))
        lab(shelf, screen("Z5", card="KC50000A", overall="urgent", got="2026-11-10", outcome="lost"))
        assert alerts.find(shelf.store, NOW) == 1

    @pytest.mark.slow
    def test_ends_with_a_second_sample(self, shelf):
        self.take(shelf, overall="urgent", got="2026-11-10")
        assert alerts.find(shelf.store, NOW) == 1
        assert standing(shelf) == [(US, "B1", "urgent")]
        lab(shelf, screen("Z7", card="KC60000C", first="KC40123A"))
        alerts.find(shelf.store, NOW)
        assert ended(shelf) == [("B1", "came")]

    @pytest.mark.slow
    def test_without_a_birth_is_told_to_nobody(self, shelf):
        lab(shelf, screen(overall="urgent", got="2026-11-10"), screen("Z2"))
        assert alerts.find(shelf.store, NOW) == 0
