"""The report in a terminal: what needs somebody, in the words of the page, in two languages; silence when all is well."""

import pytest
from click.testing import CliRunner
from plain_rows import birth, csv_of

from swaddle.cli import report_words
from swaddle.cli.main import program


@pytest.fixture
def printed(tmp_path, monkeypatch):
    monkeypatch.setenv("SWADDLE_HOME", str(tmp_path / "home"))

    def run(text, *options, name="births.csv", kind="births"):
        path = tmp_path / name
        path.write_text(text)
        result = CliRunner().invoke(program, ["check", str(path), "--as", kind, *options])
        return result.exit_code, result.stdout, result.stderr

    return run


GOOD = birth("1") | {"mother_hcn": "9876543217", "mother_hcn_authority": "ON"}


def answer(**more):
    """A report in which all is well."""
    rows = {"read": 9, "stored": 9, "rejected": 0, "duplicates": 0}
    return {"rows": rows, "findings": [], "refused": False, "where": "line"} | more


def finding(severity="error", **more):
    found = {"rule": "X18", "severity": severity, "count": 2, "text": "Too many.", "fix": "Check.", "scope": "row"}
    return found | {"examples": [{"line": 38, "field": "para", "value": "3"}], "text_fr": "Trop."} | more


def test_nothing_is_printed_when_all_is_well():
    assert report_words.report(answer(), "births.csv", is_check=True) == ""
    assert report_words.report(answer(findings=[finding("info")]), "births.csv", is_check=True) == ""


@pytest.mark.parametrize(
    "more",
    [
        {"findings": [finding("warning")]},
        {"findings": [finding("review")]},
        {"refused": True},
        {"rows": {"read": 9, "stored": 8, "rejected": 1, "duplicates": 0}},
        {"rows": {"read": 0, "stored": 0, "rejected": 0, "duplicates": 0}},
        {"files": [{"name": "a", "outcome": "refused", "rows": {"rejected": 0, "read": 0}, "reason": {"why": "no"}}]},
    ],
)
def test_what_needs_somebody_is_printed(more):
    assert report_words.report(answer(**more), "births.csv", is_check=True)


def test_the_registrys_report_says_at_least_that_all_is_there():
    assert "9 stored" in report_words.report(answer(), "f00d")


@pytest.mark.parametrize(("where", "said"), [("message", "message 38"), ("entry", "entry 38"), ("row", "row 38")])
def test_a_place_is_called_what_it_is(where, said):
    assert said in report_words.report(answer(where=where, findings=[finding()]), "x")
    example = [{"line": 38, "field": "para", "value": "3", "file": "a.hl7", "where": where}]
    assert f"a.hl7, {said}" in report_words.report(answer(findings=[finding(examples=example)]), "x")


def test_the_life_and_the_answers_are_told():
    told = report_words.report(answer(life={"new": 5, "replaced": 3, "late": 1}, answered_before=4), "x")
    assert "of records known before: 3 replaced, 1 older than what is held, set aside" in told
    assert "4 were answered before" in told


def test_french_is_french_and_falls_back():
    told = report_words.report(answer(findings=[finding()]), "x", language="fr")
    assert "lignes : 9 lues" in told
    assert "Trop." in told
    assert "correction : Check." in told, "a fix without French is told in English"


def test_both_languages_have_the_same_words():
    assert report_words.SAID["en"].keys() == report_words.SAID["fr"].keys()


def test_a_strangers_value_moves_no_cursor():
    told = report_words.report(answer(findings=[finding(text="a\x1b[2Jb")]), "x\x1b]0;", language="fr")
    assert "\x1b" not in told


def test_a_good_file_is_silent(printed):
    assert printed(csv_of("birth", GOOD | {"mother_family_name": "Roy", "mother_given_names": "Ann"}))[1] in {"", None}


def test_a_file_with_errors_is_told_in_french(printed):
    status, out, err = printed(
        csv_of("birth", birth("1", birth_weight_g="heavy"), *map(birth, "23456")), "--lang", "fr"
    )
    assert status == 7
    assert "lignes : 6 lues" in out
    assert "correction : " in out
    assert "règles" in err
    assert out.splitlines()[0].endswith("births.csv")
