"""Holds: two persons make one and two release it; it stops disposal from its first signature, and never ends by itself."""

import secrets
from datetime import date, timedelta
from itertools import product

import duckdb
import pytest
from quiet_registry import START, QuietRegistry, make_home

from swaddle.registry import doctor, holding
from swaddle.registry.holds import (
    IN_FORCE,
    TRANSITIONS,
    Held,
    Hold,
    HoldAct,
    HoldNotNow,
    HoldState,
    HoldUnusable,
    Scope,
    after,
    covers,
    covers_sql,
)
from swaddle.registry.signed_by import SignatureNeeded

A, B, T, P, Q = ("a" * 32, "b" * 32, "c" * 32, "d" * 32, "e" * 32)


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("holds")
    make_home(folder / "template")
    opened = QuietRegistry(folder / "registry", folder / "template")
    for name in ("Ada", "Ben"):
        opened.person(name)
    yield opened
    opened.close()


def made(**more):
    scope = Scope().to_json() | more.pop("scope", {})
    return {
        "hold": secrets.token_hex(16),
        "kind": "court",
        "reason": "file 12",
        "review": "2027-06-01",
        "scope": scope,
    } | more


def propose(registry, hold, person="Ada"):
    return registry.do("hold-propose", hold=hold, word=registry.word(person, {"act": "propose", **hold}))


def step(registry, hold, act, person, **more):
    told = registry.do("hold-show", hold=hold["hold"])["to_sign"]
    if "until" in more:
        told = told | {"review": more["until"]}
    return registry.do(
        "hold-step", hold=hold["hold"], act=act, word=registry.word(person, {"act": act, **told}), **more
    )


def test_the_life_of_a_hold_is_one_table():
    for pair in set(product(HoldState, HoldAct)) - TRANSITIONS.keys():
        with pytest.raises(HoldNotNow):
            after(*pair)
    assert {state for state in HoldState if state not in IN_FORCE} == {HoldState.RELEASED}
    assert HoldState.RELEASED not in {state for state, _ in TRANSITIONS}


def test_it_takes_two_to_make_one_and_two_to_release_it_and_custody_has_each_step(registry):
    hold = made()
    assert propose(registry, hold)["in_force"]
    with pytest.raises(SignatureNeeded):
        step(registry, hold, "confirm", "Ada")
    assert step(registry, hold, "confirm", "Ben")["state"] == "standing"
    assert step(registry, hold, "release", "Ben")["in_force"]
    with pytest.raises(SignatureNeeded):
        step(registry, hold, "confirm-release", "Ben")
    assert step(registry, hold, "confirm-release", "Ada")["state"] == "released"
    entries = registry.inside.ledger.entries(hold["hold"])
    assert [each.event for each in entries] == [
        "hold-proposed", "hold-confirmed", "hold-release-proposed", "hold-released",
    ]  # fmt: skip
    assert {each.detail["key"] for each in entries} == {
        registry.keys[name].public.fingerprint for name in ("Ada", "Ben")
    }
    with pytest.raises(HoldNotNow):
        step(registry, hold, "review", "Ada", until="2028-01-01")


def test_two_names_with_one_key_are_not_two_persons(registry):
    hold = made()
    propose(registry, hold)
    forged = registry.word("Ada", {"act": "confirm", **hold})
    forged["message"] = forged["message"].replace('"name":"Ada"', '"name":"Eve"')
    with pytest.raises(SignatureNeeded):
        registry.do("hold-step", hold=hold["hold"], act="confirm", word=forged)


@pytest.mark.parametrize("word", [None, {}, {"message": "{}", "signature": ""}, "text"])
def test_a_word_that_is_none_makes_no_hold(registry, word):
    with pytest.raises(SignatureNeeded):
        registry.do("hold-propose", hold=made(), word=word)


def test_a_word_about_another_hold_confirms_none(registry):
    first, second = made(), made()
    propose(registry, first)
    propose(registry, second)
    with pytest.raises(SignatureNeeded):
        registry.do(
            "hold-step", hold=second["hold"], act="confirm", word=registry.word("Ben", {"act": "confirm", **first})
        )


def test_somebody_who_is_removed_signs_nothing_more(registry):
    from swaddle.envelope import people

    registry.person("Eve")
    hold = made()
    word = registry.word("Eve", {"act": "propose", **hold})
    people.remove(registry.path, "Eve")
    with pytest.raises(SignatureNeeded):
        registry.do("hold-propose", hold=hold, word=word)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "whim"}, {"reason": ""}, {"reason": "x" * 501}, {"review": "soon"}, {"review": None},
        {"review": "2026-11-21"}, {"hold": "1"}, {"scope": {"submitter": "North"}}, {"scope": {"persons": ["x"]}},
        {"scope": {"record_type": "birth'; drop table"}}, {"scope": {"first": "2026-02-30"}},
        {"scope": {"first": "2026-02-02", "last": "2026-02-01"}}, {"scope": {"persons": [P] * 101}},
        {"scope": {"more": 1}}, {"scope": {"transfer": f"{T}' or true --"}},
    ],
)  # fmt: skip
def test_what_is_no_hold_is_refused(registry, wrong):
    with pytest.raises(HoldUnusable):
        propose(registry, made(**wrong))


def test_an_overdue_review_is_shown_and_the_hold_goes_on(registry):
    hold = made(review="2026-12-01")
    propose(registry, hold)
    registry.at = START + timedelta(days=400)
    try:
        shown = next(each for each in registry.do("holds")["holds"] if each["hold"] == hold["hold"])
        assert (shown["overdue"], shown["in_force"]) == (True, True)
        (found,) = doctor.holds(registry.path, registry.at)
        assert (found.check, found.state) == ("holds", "look")
        with pytest.raises(HoldUnusable):
            step(registry, hold, "review", "Ada", until="2027-01-01")
        assert not step(registry, hold, "review", "Ada", until="2029-01-01")["overdue"]
    finally:
        registry.at = START


def test_a_kill_before_custody_heard_is_made_good(registry, monkeypatch):
    hold = made()

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(registry.inside.ledger, "append", killed)
    with pytest.raises(KeyboardInterrupt):
        propose(registry, hold)
    monkeypatch.undo()
    assert registry.inside.ledger.entries(hold["hold"]) == ()
    registry.do("holds")
    registry.do("holds")
    assert [each.event for each in registry.inside.ledger.entries(hold["hold"])] == ["hold-proposed"]


def test_no_reason_and_no_name_stands_in_custody_or_in_the_small_database(registry):
    propose(registry, made(reason="NEEDLE of a reason"))
    kept = (registry.path / "custody.jsonl").read_bytes()
    kept += b"".join(path.read_bytes() for path in registry.path.glob("registry.db*"))
    assert b"NEEDLE of a reason" not in kept


SCOPES = [
    Scope(), Scope(submitter=A), Scope(transfer=T), Scope(record_type="nicu_stay"), Scope(first=date(2020, 1, 1)),
    Scope(last=date(2020, 1, 1)), Scope(first=date(2019, 1, 1), last=date(2019, 12, 31), submitter=B),
    Scope(persons=(P,)), Scope(persons=(P, Q), record_type="birth_child"),
]  # fmt: skip
ROWS = [
    Held(submitter=submitter, transfer=T, types=frozenset(types), event_first=first, event_last=last, persons=frozenset(persons))
    for submitter in (A, B)
    for types in (["birth_child"], ["nicu_stay", "birth_child"], [])
    for first, last in ((None, None), (date(2019, 1, 1), date(2019, 12, 31)), (date(2020, 1, 1), date(2020, 1, 1)))
    for persons in ([], [P], [Q])
]  # fmt: skip


def test_what_a_scope_covers_is_one_rule_in_python_and_in_sql():
    with duckdb.connect() as connection:
        connection.execute(
            "create table row (place int, submitter varchar, transfer varchar, types varchar[], event_first date,"
            " event_last date, persons varchar[])"
        )
        connection.executemany(
            "insert into row values (?, ?, ?, ?, ?, ?, ?)",
            [[place, row.submitter, row.transfer, sorted(row.types), row.event_first, row.event_last, sorted(row.persons)]
             for place, row in enumerate(ROWS)],
        )  # fmt: skip
        for scope in SCOPES:
            found = connection.execute(f"select place from row where {covers_sql([scope])} order by place").fetchall()
            assert [place for (place,) in found] == [n for n, row in enumerate(ROWS) if covers(scope, row)], scope
        both = connection.execute(f"select count(*) from row where {covers_sql(SCOPES[1:3])}").fetchone()
        assert both == (len(ROWS),)
        assert connection.execute(f"select count(*) from row where {covers_sql([])}").fetchone() == (0,)


def test_a_hold_is_what_was_signed_and_back_again():
    hold = Hold.from_json(made(scope={"persons": [Q, P], "first": "2020-01-01"}))
    assert Hold.from_json(hold.to_json()) == hold
    assert hold.scope.persons == (P, Q)
    assert holding.overdue(None, date(2026, 1, 1)) == []
