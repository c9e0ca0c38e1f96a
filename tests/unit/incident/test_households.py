"""Every person in exactly one letter or on one list; never a letter to the dead."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swaddle.incident.addresses import key
from swaddle.incident.households import Kind, Letter, Person, Unwritten, Why, letters

AT = date(2026, 11, 23)


def person(subject, mother=None, **told):
    given_ = {
        "is_child": mother is not None,
        "name": f"Name of {subject}",
        "born": date(2024, 5, 1) if mother else date(1990, 1, 1),
        "died": False,
        "line": None if mother else "12 Main Street",
        "city": None if mother else "Arnhem Bay",
        "province": None if mother else "ON",
        "postal_code": None if mother else "K1A 0B1",
    }
    return Person(subject=subject, mother=mother, **{**given_, **told})


def made(*persons):
    return list(letters(persons, AT))


class TestTheDead:
    def test_a_mother_who_died_gets_no_letter_and_her_children_a_gentler_one_to_their_guardian(self):
        first, second = sorted(
            made(person("m", died=True), person("c", "m")), key=lambda each: isinstance(each, Letter)
        )
        assert first == Unwritten("m", Why.DIED)
        assert (second.kind, second.to, second.about) == (Kind.MOTHER_DIED, None, ("c",))
        assert second.address[0] == "12 Main Street"

    def test_a_baby_that_died_is_told_of_gently_in_its_mothers_letter(self):
        (letter,) = made(person("m"), person("c", "m", died=True), person("d", "m"))
        assert (letter.kind, letter.to) == (Kind.BABY_DIED, "Name of m")
        assert letter.about == ("m", "c", "d")
        assert letter.children == ("Name of d",)

    def test_a_stillbirth_is_told_of_gently_too(self):
        (letter,) = made(person("m", has_lost=True))
        assert letter.kind is Kind.BABY_DIED

    def test_where_all_have_died_nobody_is_written_to(self):
        assert {each.why for each in made(person("m", died=True), person("c", "m", died=True))} == {Why.DIED}


class TestOneHousehold:
    def test_a_mother_and_her_children_have_one_letter(self):
        (letter,) = made(person("m"), person("c", "m"), person("d", "m", line="12 MAIN ST.", postal_code="k1a0b1"))
        assert letter.about == ("m", "c", "d")

    def test_a_child_who_lives_elsewhere_has_its_own_to_a_guardian(self):
        mothers, childs = made(
            person("m"), person("c", "m", line="9 Elm Road", city="Arnhem Bay", postal_code="K1A 0B2")
        )
        assert (mothers.to, mothers.about) == ("Name of m", ("m",))
        assert (childs.to, childs.about) == (None, ("c",))

    def test_a_grown_child_gets_its_own(self):
        grown = person("c", "m", born=date(2008, 11, 23))
        assert [(each.kind, each.to) for each in made(person("m"), grown)] == [
            (Kind.GROWN_CHILD, "Name of c"),
            (Kind.STANDARD, "Name of m"),
        ]

    def test_a_day_short_of_grown_is_a_child(self):
        (letter,) = made(person("m"), person("c", "m", born=date(2008, 11, 24)))
        assert letter.about == ("m", "c")

    def test_without_an_address_it_is_said(self):
        assert {(each.subject, each.why) for each in made(person("m", line=None), person("c", "m"))} == {
            ("m", Why.NO_ADDRESS),
            ("c", Why.NO_ADDRESS),
        }


class TestAddresses:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("12 Main Street", "12 main st."),
            ("4-12 Main St", "12 Main Street, Apt 4"),
            ("12 Main St #4", "12 Main St Unit 4"),
            ("88 rue Saint-Édouard Ouest", "88 RUE ST EDOUARD O"),
            ("7 boul. René", "7 Boulevard Rene"),
            ("5 rue Sainte-Anne, Ste 9", "5 RUE STE-ANNE UNIT 9"),
        ],
    )
    def test_two_ways_to_write_one(self, one, other):
        assert key(one, "x", "K1A 0B1") == key(other, "y", "k1a-0b1")

    @pytest.mark.parametrize(
        ("one", "other"),
        [("12 Main St Apt 4", "12 Main St Apt 5"), ("12 Main St", "21 Main St"), ("12 Main St N", "12 Main St S")],
    )
    def test_two_families_are_not_one(self, one, other):
        assert key(one, "x", "K1A 0B1") != key(other, "x", "K1A 0B1")

    @pytest.mark.parametrize("line", [None, "", "  ", "...", "\u200b"])
    def test_a_postal_code_alone_is_no_address(self, line):
        assert key(line, "Arnhem Bay", "K1A 0B1") is None


_WORDS = st.sampled_from([None, "", "1 Elm St", "1 Elm Street", "2 Oak Ave", "\u202e3 Fir Rd"])
_CHILD = st.builds(
    dict,
    mother=st.sampled_from(["m", "other", None]),
    is_child=st.just(True),
    name=st.sampled_from([None, "A", "B"]),
    born=st.sampled_from([None, date(1999, 1, 1), date(2020, 2, 29)]),
    died=st.booleans(),
    line=_WORDS,
    city=st.sampled_from([None, "X"]),
    province=st.none(),
    postal_code=st.sampled_from([None, "K1A 0B1"]),
)
_MOTHER = st.builds(dict, mother=st.none(), is_child=st.just(False), name=st.sampled_from([None, "M"]), born=st.none(),
                    died=st.booleans(), line=_WORDS, city=st.sampled_from([None, "X"]), province=st.none(),
                    postal_code=st.sampled_from([None, "K1A 0B1"]))  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(_MOTHER, st.lists(_CHILD, max_size=4))
def test_everybody_is_in_one_place_and_no_letter_goes_to_the_dead(mother, children):
    family = [Person(subject="m", **mother), *(Person(subject=f"c{n}", **each) for n, each in enumerate(children))]
    found = list(letters(family, AT))
    named = [subject for each in found for subject in (each.about if isinstance(each, Letter) else (each.subject,))]
    assert sorted(named) == sorted(each.subject for each in family)
    dead = {each.subject for each in family if each.died}
    for each in found:
        if isinstance(each, Letter):
            assert each.address
            assert each.about[0] not in dead
            assert not (dead & {each.about[0]})
            assert each.kind is Kind.BABY_DIED or not dead & set(each.about)
