"""What a row does not say of the mother or of the other twin is asked of the records that the registry holds."""

CARD, OTHER = "9876543217", "1234567897"
BIRTH = (
    "local_record_id,event_date,outcome,birth_weight_g,mother_local_id,mother_family_name,mother_birth_date,mother_hcn,"
    "mother_hcn_authority,child_local_id,child_sex,delivery_local_id,birth_order,site_id\n"
)
STAY = "local_record_id,event_date,child_local_id,child_sex,child_hcn,child_hcn_authority,site_id,nicu_admit_dt"
TWIN = (
    "local_record_id,event_date,outcome,mother_local_id,mother_family_name,mother_birth_date,child_local_id,child_sex,"
    "delivery_local_id,birth_order,n_fetuses,presentation,birth_type,site_id\n"
)


def birth(number="B1", child="C1", order="1", card=CARD):
    return f"{number},2026-10-01,live,3400,M1,Okafor,1994-03-01,{card},ON,{child},F,D1,{order},S1\n"


def stay(child="C1", card=CARD, delivery=""):
    end = f",{delivery}" if delivery else ""
    return f"{STAY}{',delivery_local_id' if delivery else ''}\nN1,2026-10-01,{child},F,{card},ON,S1,2026-10-01{end}\n"


def twin(number, order, birth_type, sex="F"):
    return f"{number},2026-10-01,live,M1,Okafor,1994-03-01,C{order},{sex},D1,{order},2,vertex,{birth_type},S1\n"


def test_the_mothers_card_on_her_babys_stay_is_an_error(shelf):
    shelf.take(BIRTH + birth())
    taken = shelf.take(stay(), kind="nicu-stays")
    assert (taken.found["X3"]["scope"], taken.found["X3"]["severity"]) == ("registry", "error")
    assert taken.rows == (1, 0, 1, 0)


def test_the_childs_own_card_is_none(shelf):
    shelf.take(BIRTH + birth())
    assert "X3" not in shelf.take(stay(card=OTHER), kind="nicu-stays").found


def test_a_baby_that_leads_to_nobody_is_not_evaluated(shelf):
    shelf.take(BIRTH + birth())
    taken = shelf.take(stay(child="C9"), kind="nicu-stays")
    assert "X3" not in taken.found
    assert taken.report["checked"]["not_evaluated"]["X3"] == 1


def test_the_second_twin_leads_to_the_same_mother_by_the_delivery(shelf):
    shelf.take(BIRTH + birth() + birth("B2", "C2", "2"))
    assert "X3" in shelf.take(stay(child="ASKU", delivery="D1"), kind="nicu-stays").found


def test_a_later_record_that_says_nothing_of_her_card_does_not_hide_it(shelf):
    shelf.take(BIRTH + birth() + birth("B2", "C2", "2", card="NI").replace(",ON,C2", ",NI,C2"))
    assert "X3" in shelf.take(stay(child="ASKU", delivery="D1"), kind="nicu-stays").found


def test_a_twin_born_in_another_way_is_told_of_when_it_comes_in_a_file_of_its_own(shelf):
    shelf.take(TWIN + twin("B1", "1", "vaginal"))
    taken = shelf.take(TWIN + twin("B2", "2", "caesarean"))
    assert taken.found["X23"]["scope"] == "registry"


def test_twins_born_alike_in_two_files_are_not(shelf):
    shelf.take(TWIN + twin("B1", "1", "vaginal"))
    assert "X23" not in shelf.take(TWIN + twin("B2", "2", "vaginal")).found
