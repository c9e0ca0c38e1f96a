"""Records of two submitters meet by a card, and only where the card can be trusted."""

import pytest

HOSPITAL, LAB = "a" * 32, "b" * 32
CARD, OTHER_CARD, MOTHERS = "9876543217", "1234567897", "2468135799"
BIRTH = (
    "local_record_id,event_date,outcome,birth_weight_g,mother_local_id,mother_family_name,mother_birth_date,mother_hcn,"
    "mother_hcn_authority,child_local_id,child_sex,child_hcn,child_hcn_authority,delivery_local_id,birth_order,"
    "screening_card_id,site_id\n"
)
SCREEN = (
    "local_record_id,event_date,child_sex,child_birth_date,child_hcn,child_hcn_authority,screen_card_id,"
    "screen_collection_dt,screen_received_dt,screen_reason,screen_sample_quality,screen_birth_weight_g,site_id\n"
)
STAY = "local_record_id,event_date,child_local_id,child_sex,child_birth_date,child_hcn,child_hcn_authority,site_id,nicu_admit_dt\n"


def birth(number="B1", day="2026-10-01", card="", hcn="", order="1", sex="F", child="C1", mother="M1", hers=MOTHERS):
    mothers = f"{mother},Okafor,1994-03-01,{hers},{'ON' if hers else ''}"
    own = f"{child},{sex},{hcn},{'ON' if hcn else ''}"
    return f"{number},{day},live,3500,{mothers},{own},D-{mother},{order},{card},S1\n"


def screen(card="", hcn="", born="2026-10-01", weight="2000", number="R1", sex="F", day="2026-10-02"):
    own = f"{sex},{born},{hcn},{'ON' if hcn else ''}"
    return f"{number},{day},{own},{card or 'ASKU'},{day},{day},initial,acceptable,{weight},S9\n"


def birth_then_screen(shelf, births, screens):
    """How often X41 (the weights differ) was found, and how often it could not be asked."""
    shelf.take(BIRTH + births, submitter=HOSPITAL)
    taken = shelf.take(SCREEN + screens, submitter=LAB, kind="newborn-screens")
    found = taken.found.get("X41")
    if found:
        assert found["scope"] == "registry"
    return found["count"] if found else 0, taken.report["checked"]["not_evaluated"].get("X41", 0)


MEET = {
    "a screening card": (birth(card="K4711"), screen(card="K4711")),
    "a screening card written otherwise": (birth(card="k-47 11"), screen(card="K4711")),
    "a screening card and a birth told a day later, as by another clock": (
        birth(card="K4711", day="2026-10-01T23:40"),
        screen(card="K4711", born="2026-10-02"),
    ),
    "a health card": (birth(hcn=CARD), screen(hcn=CARD)),
    "a health card with its version": (birth(hcn="9876-543-217-AB"), screen(hcn=CARD)),
    "a health card, and the moment of birth": (birth(hcn=CARD, day="2026-10-01T23:40"), screen(hcn=CARD)),
}
MEET_NOT = {
    "another birth date": (birth(hcn=CARD), screen(hcn=CARD, born="2026-10-02")),
    "no birth date": (birth(hcn=CARD), screen(hcn=CARD, born="")),
    "a birth of which the day is not known": (birth(hcn=CARD, day="2026-10"), screen(hcn=CARD)),
    "another card": (birth(hcn=CARD), screen(hcn=OTHER_CARD)),
    "a wrong check digit": (birth(hcn="9876543210"), screen(hcn="9876543210")),
    "a placeholder": (birth(hcn="0000000000"), screen(hcn="0000000000")),
    "the mother's card on the baby's screen": (birth(), screen(hcn=MOTHERS)),
    "the mother's card, known from another birth of hers": (
        birth(hcn=MOTHERS, hers="") + birth("B2", "2024-01-05", child="C0"),
        screen(hcn=MOTHERS),
    ),
    "one card on twins": (
        birth(hcn=CARD) + birth("B2", hcn=CARD, child="C2", order="2"),
        screen(hcn=CARD),
    ),
    "one card on a boy and a girl": (birth(hcn=CARD, sex="M"), screen(hcn=CARD, sex="F")),
    "one screening card on twins": (
        birth(card="K4711") + birth("B2", card="K4711", child="C2", order="2"),
        screen(card="K4711"),
    ),
    "a screening card used again after years": (birth(card="K4711", day="2024-03-01"), screen(card="K4711", born="")),
    "a screening card of another child of the same month": (
        birth(card="K4711"),
        screen(card="K4711", born="2026-10-04", day="2026-10-06"),
    ),
    "a screening card of zeroes": (birth(card="000000"), screen(card="0000-00")),
    "a screening card that is a word": (birth(card="UNKNOWN"), screen(card="unknown")),
    "a screening card that counts up": (birth(card="123456"), screen(card="123456")),
    "a screening card of two characters": (birth(card="K1"), screen(card="K1")),
}
HARM = (
    "another birth date",
    "a placeholder",
    "the mother's card on the baby's screen",
    "one card on twins",
    "a screening card used again after years",
)


@pytest.mark.parametrize(("births", "screens"), MEET.values(), ids=MEET)
def test_a_card_leads_from_one_submitters_record_to_anothers(shelf, births, screens):
    assert birth_then_screen(shelf, births, screens) == (1, 0)


@pytest.mark.parametrize(
    ("births", "screens"),
    # A second each: those that could join two families are among the quick ones.
    [pytest.param(*each, id=name, marks=[] if name in HARM else pytest.mark.slow) for name, each in MEET_NOT.items()],
)
def test_a_card_in_doubt_leads_nowhere_and_that_is_counted(shelf, births, screens):
    assert birth_then_screen(shelf, births, screens) == (0, 1)


def test_the_birth_that_comes_after_the_screen_is_not_asked_of_what_the_screen_is_asked(shelf):
    shelf.take(SCREEN + screen(card="K4711"), submitter=LAB, kind="newborn-screens")
    taken = shelf.take(BIRTH + birth(card="K4711"), submitter=HOSPITAL)
    assert "X41" not in taken.found


def test_another_submitters_twins_do_not_spoil_each_other_by_their_own_cards(shelf):
    births = birth(hcn=CARD) + birth("B2", hcn=OTHER_CARD, child="C2", order="2")
    assert birth_then_screen(shelf, births, screen(hcn=CARD) + screen(hcn=OTHER_CARD, number="R2")) == (2, 0)


def test_a_corrected_birth_does_not_make_two_children_of_one(shelf):
    shelf.take(BIRTH + birth(hcn=CARD, child="C1"), submitter=HOSPITAL)
    shelf.take(BIRTH + birth(hcn=CARD, child="C9"), submitter=HOSPITAL)
    taken = shelf.take(SCREEN + screen(hcn=CARD), submitter=LAB, kind="newborn-screens")
    assert taken.found["X41"]["count"] == 1


def test_a_woman_who_was_born_here_keeps_the_card_that_she_had_as_a_child(shelf):
    births = birth(hcn=CARD, day="2006-05-05", child="C1") + birth("B2", hers="", mother="M2", child="C2")
    mothers = birth("B3", mother="M9", hers=CARD, child="C9").replace("1994-03-01", "2006-05-05")
    shelf.take(BIRTH + births + mothers, submitter=HOSPITAL)
    taken = shelf.take(
        SCREEN + screen(hcn=CARD, born="2006-05-05", day="2006-05-06"), submitter=LAB, kind="newborn-screens"
    )
    assert taken.found["X41"]["count"] == 1


def test_a_void_birth_is_nobodys_card(shelf):
    shelf.take(BIRTH + birth(card="K4711"), submitter=HOSPITAL)
    shelf.take("local_record_id,event_date,outcome,action\nB1,2026-10-01,live,void\n", submitter=HOSPITAL)
    taken = shelf.take(SCREEN + screen(card="K4711"), submitter=LAB, kind="newborn-screens")
    assert "X41" not in taken.found


class TestInOneWorkbook:
    def test_a_card_leads_between_the_sheets_of_one_file(self, shelf):
        from workbook import workbook

        pages = {"births": BIRTH + birth(hcn=CARD), "screens": SCREEN.replace("S9", "S1") + screen(hcn=CARD)}
        data = workbook(
            sheets=[
                (title, "visible", [line.split(",") for line in text.splitlines()]) for title, text in pages.items()
            ]
        )
        taken = shelf.take(data, kind=None)
        assert [each["scope"] for each in taken.report["checked"]["findings"] if each["rule"] == "X41"] == ["file"]


def test_the_mothers_card_leads_to_her_cycle_at_a_clinic(shelf):
    cycle = (
        "local_record_id,event_date,mother_local_id,mother_family_name,mother_birth_date,mother_hcn,mother_hcn_authority,"
        "site_id,cycle_id,cycle_clinic_id,cycle_start_date,cycle_type\n"
        f"Y1,2026-01-05,X77,Okafor,1994-03-01,{MOTHERS},ON,S9,Y1,C1,2026-01-05,ivf_fresh\n"
    )
    antenatal = (
        "local_record_id,event_date,mother_local_id,mother_family_name,mother_birth_date,mother_hcn,mother_hcn_authority,"
        "site_id,antenatal_first_visit_date,antenatal_conception\n"
        "A1,2026-05-01,M1,Okafor,{born},{card},ON,S1,2026-05-01,ivf\n"
    )
    shelf.take(cycle, submitter=LAB, kind="fertility-cycles")
    told = antenatal.format(born="1994-03-01", card=MOTHERS)
    assert "X44" not in shelf.take(told, kind="antenatal").found
    told = antenatal.format(born="1993-03-01", card=MOTHERS).replace("A1,", "A2,").replace("M1,", "M2,")
    assert "X44" in shelf.take(told, kind="antenatal").found
