"""Periods: opened, previewed, signed off by a named person, closed, reopened; each step keeps what counted then."""

from datetime import UTC, datetime
from itertools import product

import pytest

from submitter_world import GatewayProcess
from swaddle.envelope import people
from swaddle.envelope.signature import PublicSigningKey, SigningKey
from swaddle.errors import NotThere
from swaddle.registry.periods import TRANSITIONS, NotInPeriod, PeriodEvent, PeriodState, after
from swaddle.registry.signed_by import SignatureNeeded
from swaddle.registry.snapshots import in_period
from swaddle.submitter import counting
from swaddle.submitter.saying import say, sign_off
from swaddle.wire import spoken
from whole_world import make_world

NAME, OTHER = "Northshore General", "Riverside"
ANNA = SigningKey.generate()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway")
    world = make_world(folder, gateway)
    world.ids = {name: world.enrol(name) for name in (NAME, OTHER)}
    party = world.party(NAME)
    people.add(party.home, "Anna K", "data manager", ANNA.public.line + " anna@north", party.now())
    yield world
    gateway.stop()


@pytest.fixture(autouse=True)
def _without_counting(monkeypatch):
    monkeypatch.setattr(counting, "find_spec", lambda _: None)


def births(world, number, seed, month="2026-07", weight=None):
    def bend(row):
        row |= {"event_date": f"{month}-{row['event_date'][8:10].replace('31', '30')}", "admit_dt": "ASKU"}
        if weight:
            row["birth_weight_g"] = weight

    return world.births(number, seed=seed, bend=bend)


def rows(world):
    (taken,) = world.ask("pull")["transfers"]
    return taken["rows"]


def test_the_life_of_a_period_is_one_table():
    allowed = {pair for pair in product(PeriodState, PeriodEvent) if pair in TRANSITIONS}
    assert len(allowed) == 6
    for pair in set(product(PeriodState, PeriodEvent)) - allowed:
        with pytest.raises(NotInPeriod):
            after(*pair)


@pytest.mark.parametrize(
    ("period", "where"),
    [
        ("2026", "event_year = 2026"),
        ("2026-10", "event_year = 2026 and event_month = 10"),
        ("2026-Q3", "event_year = 2026 and event_month between 7 and 9"),
    ],
)
def test_a_period_is_a_year_a_quarter_or_a_month(period, where):
    assert in_period(period) == where


@pytest.mark.parametrize("period", ["", "26", "2026-13", "2026-Q5", "2026-1", "2026'; drop", "2026-07-01"])
def test_what_is_no_period_is_not_opened(world, period):
    with pytest.raises(NotInPeriod):
        world.ask("period-open", period=period)
    with pytest.raises(spoken.NoPeriod):
        sign_off(world.party(NAME), period, ANNA)


@pytest.mark.slow
def test_a_period_goes_from_open_to_closed_and_back_and_each_snapshot_stays(world):
    world.send(NAME, births(world, 12, 61))
    first = rows(world)["stored"]
    assert world.ask("period-open", period="2026-07")["state"] == "open"
    with pytest.raises(NotInPeriod):
        world.ask("period-step", period="2026-07", event="close")
    preview = world.ask("period-step", period="2026-07", event="preview")["snapshot"]
    assert preview["submitters"][0]["records"] == {"birth": first}
    assert {each["id"] for each in preview["submitters"][0]["indicators"]} >= {"robson", "preterm"}
    sign_off(world.party(NAME), "2026-07", ANNA)
    assert rows(world) == {"read": 1, "stored": 1, "rejected": 0, "duplicates": 0}
    closed = world.ask("period-step", period="2026-07", event="close")
    assert (closed["state"], closed["revised"]) == ("closed", False)
    (signed,) = closed["signed_off"]
    assert (signed["person"], signed["role"], signed["name"]) == ("Anna K", "data manager", NAME)
    world.send(NAME, births(world, 20, 62))
    second = rows(world)["stored"]
    (listed,) = world.ask("periods")["periods"]
    assert listed["revised"] is True
    assert world.ask("snapshot", snapshot=closed["snapshot"]["id"])["submitters"] == preview["submitters"]
    assert world.ask("period-step", period="2026-07", event="reopen")["state"] == "open"
    again = world.ask("period-step", period="2026-07", event="preview")["snapshot"]
    assert again["submitters"][0]["records"] == {"birth": first + second}
    assert world.ask("snapshot", snapshot=preview["id"])["submitters"] == preview["submitters"]
    with pytest.raises(NotThere):
        world.ask("snapshot", snapshot="0" * 64)


@pytest.mark.slow
def test_births_of_another_month_change_nothing_in_a_closed_period(world):
    world.ask("period-open", period="2025-02")
    world.ask("period-step", period="2025-02", event="preview")
    world.ask("period-step", period="2025-02", event="close")
    world.send(NAME, births(world, 9, 63, month="2026-08"))
    rows(world)
    assert not next(p for p in world.ask("periods")["periods"] if p["period"] == "2025-02")["revised"]


def test_a_period_that_is_not_open_takes_no_sign_off(world):
    sign_off(world.party(NAME), "2019-01", ANNA)
    assert rows(world) == {"read": 1, "stored": 0, "rejected": 1, "duplicates": 0}


def test_a_key_that_is_nobodys_here_signs_nothing(world):
    with pytest.raises(people.NoSuchPerson):
        sign_off(world.party(NAME), "2026-07", SigningKey.generate())


def refused(world, party, data):
    say(party, data, spoken.SIGN_OFF)
    (taken,) = world.ask("pull")["transfers"]
    return taken["outcome"] == "refused"


def test_nobody_signs_off_for_another_submitter(world):
    party = world.party(OTHER)
    anna = people.Person(name="Anna K", role="data manager", key=ANNA.public.line)
    said = {"period": "2026-07", "submitter": world.ids[NAME], "at": "2026-11-22T12:00:00Z"}
    assert refused(world, party, spoken.write_sign_off(people.sign_as(anna, ANNA, said)))


def test_a_sign_off_that_names_another_key_than_the_one_that_signed_is_refused(world):
    party = world.party(NAME)
    somebody = people.Person(name="Anna K", role="data manager", key=SigningKey.generate().public.line)
    said = {"period": "2026-07", "submitter": party.submitter, "at": "2026-11-22T12:00:00Z"}
    assert refused(world, party, spoken.write_sign_off(people.sign_as(somebody, ANNA, said)))


def test_expected_against_received(world):
    world.ask("expect", name=NAME, period="2026-09", form="birth", number=12)
    world.send(NAME, births(world, 9, 64, month="2026-09"))
    stored = rows(world)["stored"]
    (row,) = world.ask("expected", period="2026-09")["rows"]
    assert (row["name"], row["expected"], row["received"], row["missing"]) == (NAME, 12, stored, 12 - stored)
    with pytest.raises(NotInPeriod):
        world.ask("expect", name=NAME, period="2026-09", form="births", number=1)


class TestPeople:
    def test_a_person_is_added_once_and_removed(self, tmp_path):
        at = datetime.now(UTC)
        key = SigningKey.generate().public
        added = people.add(tmp_path, "Anna K", "privacy officer", key.line, at)
        assert people.add(tmp_path, "Anna K", "privacy officer", key.line + " comment", at) == added
        assert people.known(tmp_path) == (added,)
        for name, public in (("Anna K", SigningKey.generate().public), ("Bea", key)):
            with pytest.raises(people.PersonUnusable):
                people.add(tmp_path, name, "privacy officer", public.line, at)
        people.remove(tmp_path, "Anna K")
        assert people.known(tmp_path) == ()
        with pytest.raises(people.NoSuchPerson):
            people.remove(tmp_path, "Anna K")

    @pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101, "a\u202eb"])
    def test_a_name_is_a_line_of_text(self, tmp_path, name):
        at = datetime.now(UTC)
        with pytest.raises(people.PersonUnusable):
            people.add(tmp_path, name, "role", SigningKey.generate().public.line, at)

    def test_what_a_person_signed_reads_back_and_a_changed_one_does_not(self):
        key = SigningKey.generate()
        person = people.Person(name="Anna", role="lead", key=key.public.line)
        signed = people.sign_as(person, key, {"period": "2026"})
        said = people.read_signed(signed)
        assert PublicSigningKey.from_line(said["person"]["key"]) == key.public


def test_once_the_registry_has_people_one_of_them_closes_and_reopens(world, tmp_path):
    key, name = SigningKey.generate(), "Ada L"
    world.ask("period-open", period="2025-03")
    seen = world.ask("period-step", period="2025-03", event="preview")["snapshot"]["id"]
    people.add(world.registry, name, "privacy officer", key.public.line + " ada@registry", datetime.now(UTC))
    try:
        with pytest.raises(SignatureNeeded):
            world.ask("period-step", period="2025-03", event="close")
        said = world.ask("period-to-sign", period="2025-03", event="close")
        assert said == {"act": "close-period", "period": "2025-03", "snapshot": seen}
        signed = people.sign_as(
            people.of_key(world.registry, key), key, said | {"at": "2026-11-22T12:00:00Z"}
        ).to_json()
        other = said | {"period": "2025-02", "at": "2026-11-22T12:00:00Z"}
        wrong = people.sign_as(people.of_key(world.registry, key), key, other).to_json()
        with pytest.raises(SignatureNeeded):  # a word about another period closes none
            world.ask("period-step", period="2025-03", event="close", word=wrong)
        closed = world.ask("period-step", period="2025-03", event="close", word=signed)
        assert [(each["act"], each["person"]) for each in closed["decided_by"]] == [("close", name)]
        with pytest.raises(SignatureNeeded):  # the word that closed it does not open it
            world.ask("period-step", period="2025-03", event="reopen", word=signed)
        entries = [e for e in world.ask("custody-entries") if e["event"] == "period-closed"]
        assert entries[-1]["subject"] == closed["snapshot"]["id"]
        assert entries[-1]["detail"]["seen"] == seen
        assert entries[-1]["detail"]["key"] == key.public.fingerprint
    finally:
        people.remove(world.registry, name)
