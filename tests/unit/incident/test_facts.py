"""Facts of an incident: what may be written, and that nobody rewrites it."""

import pytest

from swaddle.incident.facts import FACTS, Fact, FactWrong, fact_of


@pytest.mark.parametrize(
    ("name", "value", "source", "at"),
    [
        ("colour", "blue", "me", "2026-11-22"), ("cause", "", "me", "2026-11-22"), ("cause", "x", " ", "2026-11-22"),
        ("cause", "x\x1b[2J", "me", "2026-11-22"), ("cause", "\u202ex", "me", "2026-11-22"),
        ("cause", "x" * 4_001, "me", "2026-11-22"), ("cause", "x", "me", "yesterday"), ("../cause", "x", "me", "2026-11-22"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused(name, value, source, at):
    with pytest.raises(FactWrong):
        fact_of(name, value, source, at)


def test_unknown_is_a_value():
    assert fact_of("ransom_demand", "unknown", "the officer", "2026-11-22").value == "unknown"


def test_a_commitment_is_to_every_part_of_it():
    fact = fact_of("cause", "a hole", "the maker", "2026-11-22")
    others = [Fact("kind", "a hole", "the maker", "2026-11-22"), Fact("cause", "a hole", "me", "2026-11-22"),
              Fact("cause", "two", "the maker", "2026-11-22"), Fact("cause", "a hole", "the maker", "2026-11-23")]  # fmt: skip
    told = {each.commitment("i" * 32, "s" * 32) for each in (fact, *others)}
    assert len(told | {fact.commitment("j" * 32, "s" * 32), fact.commitment("i" * 32, "t" * 32)}) == 7


def test_every_fact_says_what_it_is():
    assert all(FACTS.values())
