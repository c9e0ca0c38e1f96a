"""What a community asks of all that is told of others is kept out of it, from its first signature, and given back by none."""

import pytest
from plain_rows import birth, csv_of
from quiet_registry import NORTH, RIVER, QuietRegistry, make_home

from swaddle.indicators.definitions import definition
from swaddle.indicators.tally import sums, tally
from swaddle.registry import letting_go, units
from swaddle.registry.community import (
    IN_FORCE,
    TRANSITIONS,
    Demand,
    DemandAct,
    DemandNotNow,
    DemandState,
    DemandUnusable,
    after,
)
from swaddle.registry.signed_by import SignatureNeeded

DEMAND = {"community": "c" * 32, "name": "Elders of Arnhem Bay", "postal": ["K0A"], "identities": ["inuit"]}


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("communities") / "registry"
    make_home(path)
    return path


@pytest.fixture
def registry(tmp_path, template):
    registry = QuietRegistry(tmp_path / "registry", template)
    registry.person("Anna Officer")
    registry.person("Bela Officer")
    yield registry
    registry.close()


def file_of(letter, many, apart=0, by="postal"):
    rows = []
    for number in range(many):
        told = {"mother_postal_code": "K1A 0B1", "mother_indigenous_identity": "no"}
        if number < apart:
            told = {"mother_postal_code": "k0a 1b2"} if by == "postal" else {"mother_indigenous_identity": "inuit"}
        rows.append(
            birth(
                f"{letter}{number}", mother=f"M{letter}{number}", outcome="live", ga_weeks="35", n_fetuses="1", **told
            )
        )
    return csv_of("birth", *rows)


def ask(registry, person="Anna Officer", **more):
    demand = {**DEMAND, **more}
    signed = Demand.from_json(demand).to_json()
    return registry.do("community-ask", demand=demand, word=registry.word(person, {"act": "ask", **signed}))


def step(registry, act, person):
    known = registry.do("community-show", demand=DEMAND["community"])
    word = registry.word(person, {"act": act, **known["to_sign"]})
    return registry.do("community-step", demand=known["community"], act=act, word=word)


def told_of_others(registry):
    """Preterm births by submitter, as everything that compares counts them; and each submitter's own."""
    tables = registry.inside.store.cursor()
    tables.execute(f"create or replace temp view births as {units.relation('births', registry.inside.store.placement)}")
    tally(tables, [definition("preterm")])
    others = {each.key[0]: each.denominator for each in sums(tables, "preterm", ("submitter",))}
    own = dict(tables.execute("select submitter, count(*) from births where for_quality group by all").fetchall())
    tables.close()
    return others, own


class TestWhatIsTold:
    @pytest.mark.parametrize("by", ["postal", "identity"])
    def test_its_births_are_in_no_figure_about_others_and_in_their_hospitals_own(self, registry, by):
        registry.take(file_of("N", 12, apart=5, by=by))
        registry.take(file_of("R", 9), submitter=RIVER)
        assert told_of_others(registry) == ({NORTH: 12, RIVER: 9}, {NORTH: 12, RIVER: 9})
        assert ask(registry)["rows"] == 5  # one signature is enough for it to hold
        assert told_of_others(registry) == ({NORTH: 7, RIVER: 9}, {NORTH: 12, RIVER: 9})

    def test_what_comes_later_and_over_a_restart_is_kept_out_too(self, registry):
        ask(registry)
        registry.take(file_of("N", 12, apart=4))
        registry.reopen()
        assert told_of_others(registry)[0] == {NORTH: 8}
        registry.take(file_of("R", 6, apart=6), submitter=RIVER)
        assert told_of_others(registry)[0] == {NORTH: 8}

    def test_two_demands_over_one_birth_keep_it_out_until_both_have_ended(self, registry):
        registry.take(file_of("N", 12, apart=4))
        ask(registry)
        ask(registry, community="d" * 32, name="Another", identities=[], postal=["K0"])
        for act, person in (("end", "Anna Officer"), ("confirm-end", "Bela Officer")):
            step(registry, act, person)
        assert told_of_others(registry)[0] == {NORTH: 8}

    def test_the_rows_go_with_the_records_that_are_let_go_of(self):
        assert "clinical.set_apart" in letting_go.by_row()


class TestTwoPersons:
    def test_a_second_one_confirms_and_two_end_it(self, registry):
        registry.take(file_of("N", 12, apart=4))
        assert ask(registry)["state"] == "asked"
        with pytest.raises(SignatureNeeded):
            step(registry, "confirm", "Anna Officer")
        assert step(registry, "confirm", "Bela Officer")["state"] == "standing"
        assert step(registry, "end", "Bela Officer")["state"] == "ending"
        with pytest.raises(SignatureNeeded):
            step(registry, "confirm-end", "Bela Officer")
        assert told_of_others(registry)[0] == {NORTH: 8}
        assert step(registry, "confirm-end", "Anna Officer")["state"] == "ended"
        assert told_of_others(registry)[0] == {NORTH: 12}
        assert registry.do("communities") == {"communities": []}
        assert registry.events()[-4:] == [
            "community-asked", "community-confirmed", "community-end-asked", "community-ended"
        ]  # fmt: skip

    def test_custody_never_says_whose(self, registry):
        ask(registry)
        told = registry.inside.ledger.entries()[-1]
        assert set(told.detail) == {"word_sha256", "key"}

    @pytest.mark.parametrize("person", ["Anna Officer"])
    def test_a_word_about_another_demand_does_nothing(self, registry, person):
        signed = Demand.from_json({**DEMAND, "postal": ["M5V"]}).to_json()
        with pytest.raises(SignatureNeeded):
            registry.do("community-ask", demand=DEMAND, word=registry.word(person, {"act": "ask", **signed}))
        assert registry.do("communities") == {"communities": []}


class TestHostile:
    @pytest.mark.parametrize(
        "more",
        [
            {"postal": [], "identities": []},
            {"postal": ["K%"]},
            {"postal": ["'; drop table"]},
            {"postal": ["K"]},
            {"identities": ["Inuit'"]},
            {"identities": ["martian"]},
            {"name": ""},
            {"name": "x" * 121},
            {"community": "../x"},
        ],
    )
    def test_what_names_nobody_or_is_no_code_is_refused_and_nothing_is_kept(self, registry, more):
        with pytest.raises(DemandUnusable):
            ask(registry, **more)
        assert registry.count("clinical.communities") == 0

    def test_every_step_that_the_table_has_not_is_refused(self):
        for state in DemandState:
            for act in DemandAct:
                if (state, act) not in TRANSITIONS:
                    with pytest.raises(DemandNotNow):
                        after(state, act)
        assert DemandState.ENDED not in IN_FORCE
