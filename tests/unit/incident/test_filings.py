"""What an authority asks is answered as far as it is known; nothing is guessed, and no person is in it."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from swaddle.incident import filings
from swaddle.incident.case import case_of
from swaddle.incident.filings import FORMS, NoSuchForm, due, filing
from swaddle.incident.veris import ACTIONS, veris

SCOPE = {
    "incident": "0f" * 16,
    "window": ["2023-05-28T00:00:00Z", "2023-05-31T23:59:59Z"],
    "place": "gateway",
    "transfers": {"upper": 12, "lower": 7},
    "persons": {"upper": 3_400, "lower": 1_200},
    "unknown": {"transfers": 2, "stated_count": 60},
    "by_category": [
        {"category": "gave birth", "persons": 1_400, "first": "2010-04-01", "last": "2023-05-30"},
        {"category": "newborn or child", "persons": 2_000, "first": "2010-04-01", "last": "2023-05-30"},
    ],
    "by_submitter": [{"submitter": "aa", "transfers": 12, "persons": 3_400}],
    "data_elements": [
        {"element": "Mother's family name", "element_fr": "Nom de famille de la mère", "class": "direct identifier"},
        {"element": "Weight", "element_fr": "Poids", "class": "quasi-identifier"},
    ],
    "protection": [{"class": "sealed", "transfers": 12, "persons": 3_400}],
}


def fact(value, source="the vendor's notice", at="2023-06-01"):
    return {"value": value, "source": source, "at": at}


FACTS = {
    "cause": fact("A weakness in a file-transfer product was used."),
    "kind": fact("exploited weakness"),
    "discovered": fact("2023-05-31T12:00:00Z"),
    "discovery": fact("The vendor told us."),
    "law_enforcement": fact("unknown"),
}


def whole(filled):
    return json.dumps(filings.to_json(filled), ensure_ascii=False)


class TestHonesty:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("language", ["en", "fr"])
    def test_nothing_known_is_a_form_of_not_known_yet(self, form, language):
        filled = filing(form, case_of({}, {"incident": "0f" * 16, "window": SCOPE["window"]}), language)
        assert filled.missing
        assert all(answer.parts or answer.missing for answer in filled.answers)

    @pytest.mark.parametrize("form", FORMS)
    def test_never_that_nobody_has_to_be_told(self, form):
        for language in ("en", "fr"):
            text = whole(filing(form, case_of(FACTS, SCOPE), language)).lower()
            assert not re.search(
                r"no duty|not required to notify|need not (?:be )?(?:notif|told)|aucune obligation", text
            )

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize(
        "value",
        [
            "It was the file of patient 1234 567 897.",
            "See jane.roe@example.org.",
            "She lives at K1A 0B1.",
            "The mother, born on 1990-02-03, was told.",
        ],
    )
    def test_a_fact_that_looks_like_a_persons_is_held_back(self, form, value):
        filled = filing(form, case_of({**FACTS, "cause": fact(value)}, SCOPE), "en")
        assert value not in whole(filled)
        assert "held back" in whole(filled)
        assert "cause" in filled.missing
        assert value not in json.dumps(veris(case_of({"cause": fact(value)}, SCOPE)))

    def test_the_organisations_own_telephone_is_no_persons(self):
        filled = filing("ontario", case_of({"contact": fact("416 555 0100 ext. 2")}, SCOPE), "en")
        assert "416 555 0100" in whole(filled)

    def test_unknown_is_not_an_answer(self):
        filled = filing("ontario", case_of(FACTS, SCOPE), "en")
        assert "law_enforcement" in filled.missing

    def test_each_value_says_where_it_comes_from(self):
        filled = filing("ontario", case_of(FACTS, SCOPE), "en")
        told = {text: source for answer in filled.answers for text, source, _ in answer.parts}
        assert told["The vendor told us."] == "the vendor's notice"
        assert told["at most 3,400 distinct persons, at least 1,200"] == "scope"

    def test_no_form_of_another_name_is_opened(self):
        with pytest.raises(NoSuchForm):
            filing("../ontario", case_of(FACTS, SCOPE), "en")


class TestClocks:
    def test_they_count_from_the_discovery(self):
        filled = filing("gdpr", case_of(FACTS, SCOPE), "en")
        assert filled.clocks[0].due == datetime(2023, 6, 3, 12, tzinfo=UTC)

    def test_sixty_days_end_with_their_last_day(self):
        filled = filing("hipaa", case_of(FACTS, SCOPE), "en")
        assert filled.clocks[0].due == datetime(2023, 7, 30, 23, 59, 59, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("year", "end"),
        [(2023, datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)), (2024, datetime(2025, 3, 1, 23, 59, 59, tzinfo=UTC))],
    )
    def test_sixty_days_after_the_year(self, year, end):
        assert due({"days_after_year": 60}, datetime(year, 5, 1, tzinfo=UTC)) == end

    def test_without_a_discovery_there_is_no_due_time_but_the_words(self):
        filled = filing("gdpr", case_of({}, SCOPE), "en")
        assert filled.clocks[0].due is None
        assert "72 hours" in filled.clocks[0].words

    def test_a_threshold_that_could_be_reached_applies(self):
        could = {**SCOPE, "persons": {"upper": 600, "lower": 3}}
        words = [each.whom for each in filing("hipaa", case_of(FACTS, could), "en").clocks]
        assert "The Secretary, 500 persons or more" in words
        assert "The Secretary, fewer than 500 persons" in words

    def test_many_have_no_clock_for_few(self):
        words = [each.whom for each in filing("hipaa", case_of(FACTS, SCOPE), "en").clocks]
        assert "The Secretary, fewer than 500 persons" not in words

    def test_what_is_over_and_not_done_is_said(self):
        case = case_of(FACTS, SCOPE)
        at = datetime(2023, 9, 25, tzinfo=UTC)  # the 117th day
        assert len(filings.over([filing("hipaa", case, "en")], at)) == 3
        done = case_of({**FACTS, "letters_sent": fact("2023-07-01")}, SCOPE)
        assert len(filings.over([filing("hipaa", done, "en")], at)) == 2


@pytest.fixture(scope="module")
def validator(real_data):
    schema = json.loads(Path(real_data, "veris_schema", "verisc-merged.json").read_text(encoding="utf-8"))
    return jsonschema.Draft4Validator(schema)


class TestVeris:
    @pytest.mark.parametrize("kind", [None, "something else", *ACTIONS])
    @pytest.mark.parametrize("place", ["gateway", "door", "store", "backup", "laptop", "release", "other", "moon"])
    def test_it_is_valid_whatever_is_known(self, validator, kind, place):
        facts = (
            {}
            if kind is None
            else {**FACTS, "kind": fact(kind), "country": fact("CA"), "contained": fact("2023-06-02")}
        )
        told = veris(case_of(facts, {**SCOPE, "place": place}))
        assert [error.message for error in validator.iter_errors(told)] == []

    def test_what_nobody_counted_is_valid_too(self, validator):
        told = veris(case_of({"country": fact("<script>")}, {"incident": "0f" * 16, "window": SCOPE["window"]}))
        assert [error.message for error in validator.iter_errors(told)] == []
        assert told["victim"]["country"] == ["Unknown"]

    def test_a_file_that_is_wrong_would_be_seen(self, validator):
        assert list(validator.iter_errors({**veris(case_of(FACTS, SCOPE)), "security_incident": "Perhaps"}))

    def test_it_counts_and_names_what_is_not_known(self):
        told = veris(case_of(FACTS, SCOPE))
        assert told["attribute"]["confidentiality"]["data_total"] == 3_400
        assert told["attribute"]["confidentiality"]["state"] == ["Stored encrypted"]
        assert told["timeline"]["discovery"] == {"unit": "Days", "value": 3.5}
        assert "ransom demand" in told["notes"]


class TestOfOneIncident:
    """Asked of a registry whose answers stand here, as `incident filings` asks it."""

    @pytest.fixture
    def inside(self, monkeypatch):
        from swaddle.incident import filed

        written = {name: {**each, "vouched": name != "discovery"} for name, each in FACTS.items()}
        monkeypatch.setattr(filed, "scope", lambda _, incident: {**SCOPE, "asked": incident})
        monkeypatch.setattr(filed, "facts", lambda _, __: {"facts": written})
        return filed

    def test_pages_in_both_languages_and_json_are_written_and_open_nothing(self, inside, tmp_path):
        at = datetime(2023, 9, 25, tzinfo=UTC)
        told = inside.filings(None, "0f0f0f0f", (), at, tmp_path / "out")
        assert {path.name for path in (tmp_path / "out").iterdir()} == set(told["files"])
        assert len(told["files"]) == 3 * len(FORMS) + 1
        page = (tmp_path / "out" / "hipaa-fr.html").read_text()
        assert "Personnes" in page or "personnes" in page
        assert "échu" in page
        for name in told["files"]:
            text = (tmp_path / "out" / name).read_text()
            assert "<script" not in text
            assert "The vendor told us." not in text  # custody does not vouch for it

    def test_hostile_facts_are_text(self, inside, tmp_path, monkeypatch):
        hostile = {"cause": {**fact("<script>alert(1)</script>\u202e=cmd()"), "vouched": True}}
        monkeypatch.setattr(inside, "facts", lambda _, __: {"facts": hostile})
        inside.filings(None, "0f0f0f0f", ("ontario",), datetime(2023, 9, 25, tzinfo=UTC), tmp_path)
        page = (tmp_path / "ontario.html").read_text()
        assert "<script" not in page
        assert "&lt;script&gt;" in page
        assert "\u202e" not in page

    def test_an_unknown_form_scopes_nothing(self, inside, monkeypatch):
        monkeypatch.setattr(inside, "scope", lambda *_: pytest.fail("it was scoped"))
        with pytest.raises(NoSuchForm):
            inside.filings(None, "0f0f0f0f", ("ohio",), datetime(2023, 9, 25, tzinfo=UTC))


def test_every_fact_that_a_form_asks_for_can_be_written_or_is_counted():
    from swaddle.incident.case import counted
    from swaddle.incident.facts import FACTS as WRITABLE

    assert set(filings.asked_for()) <= set(WRITABLE) | set(counted(SCOPE))
