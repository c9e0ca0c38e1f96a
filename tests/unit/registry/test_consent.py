"""What a person asked about the use of their data: the table, who spoke last, and what that leaves out."""

from itertools import product
from pathlib import Path

import pytest
from plain_rows import birth, csv_of

from swaddle.dictionary.load import load
from swaddle.registry import consent, views
from swaddle.registry.consent import PERMITS, Directive, Purpose, may

CARD, OTHER_CARD = "9876543217", "1234567897"
HERE, THERE = "a" * 32, "b" * 32


def person(number, who="M1", **more):
    return {"local_record_id": number, "person_local_id": who, "person_role": "birthing_parent"} | more


@pytest.fixture
def ward(shelf, days):
    """Births and persons taken in, and who is left in an output."""

    class Ward:
        def births(self, *rows, day=1, submitter=HERE):
            taken = shelf.take(csv_of("birth", *rows), submitter=submitter, sent_at=days(day))
            assert taken.load.rejected == 0, taken.found

        def persons(self, *rows, day=1, submitter=HERE):
            taken = shelf.take(csv_of("person", *rows), submitter=submitter, kind="persons", sent_at=days(day))
            assert taken.load.rejected == 0, taken.found

        def left(self, purpose=Purpose.QUALITY, forms=("birth",)):
            rows = shelf.ask(f"select local_record_id from {views.shown(purpose, forms=forms)} order by 1")
            return [number for (number,) in rows]

        def indicators(self):
            return [number for (number,) in shelf.ask("select local_record_id from births order by 1")]

        def left_out(self, purpose=Purpose.QUALITY, submitter=HERE):
            row = shelf.store.connection.execute(views.left_out(purpose), {"submitter": submitter}).fetchone()
            return row[0]

    return Ward()


def test_every_purpose_answers_every_directive():
    assert PERMITS.keys() == set(product(Purpose, Directive))


@pytest.mark.parametrize("purpose", [Purpose.BREACH_NOTICE, Purpose.CARE_ALERT, Purpose.FEEDBACK])
def test_nobody_can_lose_the_notice_the_alert_or_the_answer(purpose):
    assert all(PERMITS[purpose, directive] for directive in Directive)


@pytest.mark.parametrize("directive", [Directive.OPT_OUT_RESEARCH, Directive.RESTRICTED_USE])
def test_research_asks_everybody(directive):
    assert not PERMITS[Purpose.RESEARCH, directive]


def test_a_stricter_directive_allows_no_more():
    for purpose, (mild, strict) in product(Purpose, zip(list(Directive), list(Directive)[1:], strict=False)):
        assert PERMITS[purpose, strict] <= PERMITS[purpose, mild]


def test_the_directives_are_the_dictionarys():
    codes = load().wide("person")["person_consent_directive"].field.values
    assert set(codes) == {each.value for each in Directive}


def test_a_code_that_is_not_known_is_the_strictest():
    assert not may(Purpose.QUALITY, ["ask_my_lawyer"])
    assert may(Purpose.BREACH_NOTICE, ["ask_my_lawyer"])
    assert may(Purpose.QUALITY, [None, "none"])
    assert not may(Purpose.QUALITY, ["none", "restricted_use"])


@pytest.mark.parametrize("who", ["mother", "child"])
def test_the_store_says_what_the_table_says(ward, who):
    asking = {
        f"{number}": birth(f"{number}", mother=f"M{number}", **{f"{who}_consent_directive": directive.value})
        for number, directive in enumerate(Directive)
    }
    ward.births(*asking.values(), birth("9", mother="M9"))
    for purpose in Purpose:
        allowed = [number for number, directive in zip(asking, Directive, strict=True) if PERMITS[purpose, directive]]
        assert ward.left(purpose) == [*allowed, "9"], purpose
        assert ward.left_out(purpose) == len(asking) - len(allowed), purpose


def test_indicators_do_not_see_who_asked_for_restricted_use(ward):
    ward.births(birth("1", mother_consent_directive="restricted_use"), birth("2", mother="M2"))
    assert ward.indicators() == ["2"]


def test_a_directive_that_comes_later_holds_for_earlier_births(ward):
    ward.births(birth("1"), birth("2", mother="M2"), day=1)
    ward.persons(person("7", person_consent_directive="restricted_use"), day=2)
    assert ward.indicators() == ["2"]


def test_a_directive_is_withdrawn_by_a_later_word(ward):
    ward.births(birth("1", mother_consent_directive="restricted_use"), day=1)
    ward.persons(person("7", person_consent_directive="none"), day=2)
    assert ward.indicators() == ["1"]


def test_an_older_file_that_comes_late_withdraws_nothing(ward):
    ward.births(birth("1", mother_consent_directive="restricted_use"), day=5)
    ward.persons(person("7", person_consent_directive="none"), day=2)
    assert ward.indicators() == []


def test_an_older_version_that_comes_late_still_told_of_a_wish(ward):
    ward.births(birth("1"), day=5)
    ward.births(birth("1", mother_consent_directive="restricted_use"), day=2)
    assert ward.indicators() == []


def test_silence_and_a_void_take_no_wish_back(ward):
    ward.births(birth("1", mother_consent_directive="restricted_use"), birth("2"), day=1)
    ward.births(birth("1", mother_consent_directive=""), day=2)
    assert ward.indicators() == []
    ward.births(birth("1", action="void"), day=3)
    assert ward.indicators() == []


def test_the_same_record_sent_again_says_nothing_new(ward):
    ward.births(birth("1", mother_consent_directive="restricted_use"), day=1)
    ward.persons(person("7", person_consent_directive="none"), day=2)
    ward.births(birth("1", mother_consent_directive="restricted_use"), day=3)
    assert ward.indicators() == ["1"]


def test_of_two_words_of_one_moment_the_stricter_counts(ward):
    ward.births(
        birth("1", mother_consent_directive="none"), birth("2", mother_consent_directive="restricted_use"), day=1
    )
    assert ward.indicators() == []


def test_a_version_from_the_future_does_not_stand_for_ever(ward):
    ward.births(birth("1", mother_consent_directive="none", record_version="2099-01-01T00:00:00"), day=1)
    ward.persons(person("7", person_consent_directive="restricted_use"), day=2)
    assert ward.indicators() == []


def test_a_wish_is_known_again_elsewhere_by_card_and_birth_date(ward):
    known = {"mother_hcn": CARD, "mother_hcn_authority": "ON", "mother_birth_date": "1990-02-03"}
    ward.births(birth("1", mother_consent_directive="restricted_use", **known), day=1)
    ward.births(
        birth("5", mother="X9", **known), birth("6", mother="X8", mother_birth_date="ASKU"), day=2, submitter=THERE
    )
    assert ward.indicators() == ["6"]


def test_a_hospital_that_writes_none_on_everybody_withdraws_nothing_that_was_asked_at_another(ward):
    known = {"mother_hcn": CARD, "mother_hcn_authority": "ON", "mother_birth_date": "1990-02-03"}
    ward.births(birth("1", mother_consent_directive="restricted_use", **known), day=1)
    ward.births(birth("5", mother="X9", mother_consent_directive="none", **known), day=3, submitter=THERE)
    assert ward.indicators() == []
    ward.persons(person("7", person_consent_directive="none"), day=4)
    assert ward.indicators() == ["1", "5"]


@pytest.mark.parametrize(
    "other",
    [
        {"mother_hcn": CARD, "mother_birth_date": "1990-02-04"},
        {"mother_hcn": OTHER_CARD, "mother_birth_date": "1990-02-03"},
    ],
)
def test_a_card_alone_or_a_birth_date_alone_is_nobody(ward, other):
    known = {"mother_hcn": CARD, "mother_hcn_authority": "ON", "mother_birth_date": "1990-02-03"}
    ward.births(birth("1", mother_consent_directive="restricted_use", **known), day=1)
    ward.births(birth("5", mother="X9", mother_hcn_authority="ON", **other), day=2, submitter=THERE)
    assert ward.indicators() == ["5"]


def test_the_same_number_at_another_hospital_is_another_person(ward):
    ward.births(birth("1", mother_consent_directive="restricted_use"), day=1)
    ward.births(birth("1"), day=2, submitter=THERE)
    assert ward.indicators() == ["1"]


def test_a_store_from_before_catches_up(ward, shelf):
    ward.births(birth("1", mother_consent_directive="restricted_use"), birth("2", mother="M2"))
    shelf.store.connection.execute(f"drop table {consent.TABLE}")
    shelf.reopen()
    assert ward.indicators() == ["2"]
    shelf.reopen()
    assert shelf.ask(f"select count(*) from {consent.TABLE}") == [(1,)]


def test_what_a_killed_load_left_is_no_wish(ward, shelf):
    ward.births(birth("1"))
    subject = shelf.ask("select mother_subject from clinical.stored_rows")[0][0]
    shelf.store.connection.execute(f"insert into {consent.TABLE} values (99, 2, ?, 'restricted_use', now())", [subject])
    assert ward.indicators() == ["1"]


def test_the_guide_shows_the_table_as_it_is():
    page = (Path(__file__).parents[3] / "docs" / "guide-consent.md").read_text("utf-8")
    for purpose in Purpose:
        told = ["in" if PERMITS[purpose, directive] else "**out**" for directive in Directive]
        assert f"| {purpose.value} | {' | '.join(told)} |" in page
