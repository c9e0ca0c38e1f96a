"""The report in French: every word of the templates has one, and a rule's own words come in both."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from swaddle.feedback import french, words
from swaddle.feedback.report import Refusal, RejectedRow, report
from swaddle.feedback.tongue import catalogue, runs, translated
from swaddle.feedback.trend import Sent
from swaddle.feedback.verdict import SAYINGS

TEMPLATES = sorted(
    each.name for each in files("swaddle.feedback").joinpath("templates").iterdir() if each.name.endswith(".html")
)
AT = datetime(2026, 12, 1, 9, 4, tzinfo=UTC)
# English words that no French sentence has.
ENGLISH = re.compile(r"\b(the|and|of|your|rows?|is|are|what|which|with|births?|there|this|from|to)\b", re.IGNORECASE)


def source(name):
    return files("swaddle.feedback").joinpath("templates", name).read_text("utf-8")


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_run_of_text_has_its_french(name):
    missing = [run for run in runs(source(name)) if run not in catalogue("words")]
    assert missing == [], "write them into templates/french.toml"


def test_no_french_is_left_over_from_a_template_that_changed():
    used = {run for name in TEMPLATES for run in runs(source(name))}
    assert sorted(set(catalogue("words")) - used) == []
    quoted = {match.strip() for name in TEMPLATES for match in re.findall(r"\"([^\"{}]*)\"", source(name))}
    assert sorted(set(catalogue("said")) - quoted) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_translation_keeps_every_mark(name):
    """Not a tag, not a condition and not a value more or less: what is escaped in one is escaped in the other."""
    marks = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|</?[a-z0-9]+", re.DOTALL)
    bare = [re.sub(r"\"[^\"]*\"", '""', mark) for mark in marks.findall(source(name))]
    assert [re.sub(r"\"[^\"]*\"", '""', mark) for mark in marks.findall(translated(source(name), "fr"))] == bare


def test_the_two_languages_say_the_same_things():
    english, french_ones = SAYINGS["en"], SAYINGS["fr"]
    assert english.keys() == french_ones.keys()


@pytest.fixture
def full(make_submission, make_finding):
    findings = [
        make_finding(
            "X18", "error", 9, [{"line": 38, "field": "previous_cs", "value": "3"}],
            text_fr="Plus de césariennes que d'accouchements.", fix_fr="Vérifiez les deux nombres.",
        ),
        make_finding("X50", "warning", 3, text_fr="Âge inhabituel.", fix_fr="Vérifiez."),
        make_finding("NC", "info", 1, scope="file", text_fr="Des champs manquent.", fix_fr="Rien à faire."),
    ]  # fmt: skip
    sample = tuple(
        RejectedRow(
            line=38, field="previous_cs", value="3", rule="X18", text="More", fix="Check",
            text_fr="Plus de césariennes.", fix_fr="Vérifiez.",
        )
        for _ in range(2)
    )  # fmt: skip
    checked = make_submission(findings=findings).checked | {
        "life": {"new": 80, "replaced": 9, "late": 2, "voided": 1},
        "where": "message",
        "answered": [{"rule": "X31", "field": "ebl_ml", "count": 19, "text": "Loss", "text_fr": "Perte."}],
    }
    return make_submission(
        checked=checked, sample=sample, left_out=2, file_kind="Naissances",
        earlier=(Sent(at=AT, read=200, rejected=30), Sent(at=AT, read=100, rejected=9)),
        deadlines=("Until Friday.",), deadlines_fr=("Jusqu'à vendredi.",),
    )  # fmt: skip


def test_a_french_page_is_french(full, page_of):
    page = page_of(report(full, rejected_csv=b"x").html_fr)
    assert page.elements[0] == ("html", {"lang": "fr"})
    told = re.sub(r"\S*rejected\.csv|report\.(html|json)", "", page.text)
    assert ENGLISH.findall(told) == []
    assert "91 lignes sur" in told or "91 sur 100" in told
    for said in (
        "Plus de césariennes que d'accouchements.",
        "Message",
        "à la place d'une version antérieure",
        "vendredi",
    ):
        assert said in told


def test_an_english_page_stays_english(full, page_of):
    page = page_of(report(full, rejected_csv=b"x").html)
    assert page.elements[0] == ("html", {"lang": "en"})
    assert "césariennes" not in page.text
    assert "message 38" in page.text
    assert "in the place of an earlier version 9" in page.text


def test_what_was_answered_before_is_told_and_not_asked(full, page_of):
    text = page_of(report(full).html).text
    assert "X31 Loss 19 19 0" in text
    assert "3 warnings ask you to look at a value." in text


def test_a_refusal_without_french_is_told_in_english(make_submission, page_of):
    refusal = Refusal(what="this file cannot be taken", why="It is a picture.", fix="Send the CSV.")
    made = make_submission(read=0, stored=0, rejected=0, findings=[], refused=refusal)
    text = page_of(report(made).html_fr).text
    assert "Rien de ce fichier n'est dans le registre. It is a picture." in text


@pytest.mark.parametrize("value", ['<b>"x"</b>', "{{ 7 * 7 }}", "{% raw %}", "not in the layout", "the whole file"])
def test_a_value_is_never_translated_or_run(make_submission, page_of, value):
    row = RejectedRow(line=1, field="f", value=value, rule="X1", text="t", fix="f")
    made = make_submission(sample=(row,), submitter_name=value)
    for html in (report(made).html, report(made).html_fr):
        assert page_of(html).text.count(value) == 2 + 1, "the title, the band and the row"
        assert b"<b>" not in html.split(b"Rejected rows")[-1].split(b"</table>")[0] or b"<b>X1</b>" in html


def test_numbers_and_days_as_french_writes_them():
    assert french.number(1234567) == "1\xa0234\xa0567"
    assert french.percent(0.098) == "9,8\xa0%"
    assert french.moment(AT) == "1er décembre 2026, 9\xa0h\xa004 UTC"
    assert [french.counted(count, "row") for count in (0, 1, 2)] == ["0\xa0ligne", "1\xa0ligne", "2\xa0lignes"]
    assert french.listed(("a", "b", "c")) == "a, b et c"


def test_both_languages_have_the_same_functions():
    for name in ("number", "counted", "percent", "interval", "moment", "day", "listed"):
        assert callable(getattr(words, name))
        assert callable(getattr(french, name))


@pytest.mark.parametrize(
    ("said", "told"), [("2025 to 2026", "2025 à 2026"), ("2026", "2026"), ("no dates", "sans date")]
)
def test_the_years_of_a_table_are_said_in_french(said, told):
    assert french.years(said) == told
    assert words.years(said) == said
