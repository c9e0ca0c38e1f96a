from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256

import duckdb
import pytest

from swaddle.feedback.bundle import unpack
from swaddle.feedback.report import DoesNotAddUp, Refusal, RejectedRow, Rows, report
from swaddle.indicators.compute import compute
from swaddle.indicators.definitions import FIELDS

AS_OF = datetime(2026, 11, 22, 6, tzinfo=UTC)
TERM = {"outcome": "live", "n_fetuses": 1, "presentation": "vertex", "ga_weeks": 39, "para": 0, "previous_cs": 0,
        "onset_labour": "spontaneous", "birth_type": "vaginal", "birth_weight_g": 3400}  # fmt: skip


@pytest.fixture
def indicators():
    """Indicators of `a` beside `b`, from births of which `lacking` fields are not carried."""

    def make(births: dict[str, list[tuple[int, dict[str, object]]]], lacking: tuple[str, ...] = ()):
        connection = duckdb.connect()
        kinds = {name: "INTEGER" if isinstance(value, int) else "VARCHAR" for name, value in TERM.items()}
        columns = ", ".join(f"{name} {kinds[name]}, {name}_missing VARCHAR" for name in FIELDS)
        connection.execute(
            f"CREATE TABLE births (submitter TEXT, source TEXT, transfer TEXT, event_year INT, {columns})"
        )
        for submitter, groups in births.items():
            for times, changed in groups:
                birth = TERM | changed | dict.fromkeys(lacking)
                row = [submitter, "layout", "t", 2026]
                for name in FIELDS:
                    row += [birth[name], "NC" if name in lacking else "ASKU" if birth[name] is None else None]
                marks = ", ".join("?" for _ in row)
                connection.execute(f"INSERT INTO births SELECT {marks} FROM range({times})", row)
        return compute(connection, "a", as_of=AS_OF)

    return make


def test_the_verdict_is_the_first_thing_said(make_submission, page_of):
    page = page_of(report(make_submission()).html)
    assert page.text.index("91 of 100 rows are in the registry. 9 rows need mending.") < page.text.index(
        "What was found"
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((100, 100, 0, 0), "All 100 rows are in the registry."),
        ((1, 1, 0, 0), "The row is in the registry."),
        ((100, 60, 0, 40), "All 100 rows are in the registry."),
        ((100, 0, 0, 100), "All 100 rows were already in the registry."),
        ((1, 0, 0, 1), "The row was already in the registry."),
        ((2, 1, 1, 0), "1 of 2 rows are in the registry. 1 row needs mending."),
        ((9, 0, 9, 0), "None of the 9 rows is in the registry. 9 rows need mending."),
        ((9, 0, 4, 5), "5 of 9 rows are in the registry. 4 rows need mending."),
        ((0, 0, 0, 0), "This file holds no rows."),
    ],
)
def test_each_end_has_its_sentence(make_submission, page_of, rows, said):
    read, stored, rejected, duplicates = rows
    made = make_submission(read=read, stored=stored, rejected=rejected, duplicates=duplicates, findings=[])
    assert said in page_of(report(made).html).text


def test_a_refused_file_says_why_and_what_to_do(make_submission, page_of):
    refusal = Refusal(what="this file cannot be taken", why="It is a picture.", fix="Send the CSV.")
    made = make_submission(
        read=0, stored=0, rejected=0, findings=[], refused=refusal, deadlines=("Kept until Friday.",)
    )
    text = page_of(report(made).html).text
    assert "Nothing from this file is in the registry. It is a picture." in text
    assert "Send the CSV." in text
    assert "Kept until Friday." in text


def test_a_file_refused_for_its_errors_shows_them(make_submission, page_of):
    refusal = Refusal(
        what="refused", why="More than a fifth of the rows have errors.", fix="Mend it and send it whole."
    )
    text = page_of(report(make_submission(stored=0, rejected=100, refused=refusal)).html).text
    assert "Mend it and send it whole." in text
    assert "X18 More previous caesareans" in text
    assert "Send the whole file" in text


def test_the_sum_is_drawn_with_its_signs(make_submission, page_of):
    text = page_of(report(make_submission(read=1962, stored=1900, rejected=31, duplicates=31)).html).text
    assert "rows read 1,962" in text
    assert "stored = 1,900" in text
    assert "rejected + 31" in text
    assert "duplicates + 31" in text


def test_rows_that_do_not_add_up_are_our_bug(make_submission):
    with pytest.raises(DoesNotAddUp):
        report(make_submission(read=100, stored=100, rejected=1))
    with pytest.raises(DoesNotAddUp):
        Rows(read=1)


def test_errors_come_before_warnings_and_the_many_before_the_few(make_submission, make_finding, page_of):
    findings = [
        make_finding("X50", "warning", 70),
        make_finding("X4", "info", 1),
        make_finding("X9", "error", 2),
        make_finding("X18", "error", 7),
    ]
    text = page_of(report(make_submission(findings=findings)).html).text
    places = [text.index(f" {rule} More") for rule in ("X18", "X9", "X50", "X4")]
    assert places == sorted(places)
    assert "9 errors on 9 rows, 70 warnings, 1 for information" in text


def test_a_health_card_number_is_masked_but_for_its_end(make_submission, make_finding, page_of):
    examples = [
        {"line": 4, "field": "child_hcn", "value": "9876543217"},
        {"line": 5, "field": "mother_hcn", "value": "12"},
        {"line": 6, "field": "mother_hcn_authority", "value": "ATLANTIS"},
    ]
    made = make_submission(findings=[make_finding("X3", examples=examples)])
    html = report(made, rejected_csv=b"x").html
    text = page_of(html).text
    assert "••••••3217" in text
    assert b"987654" not in html
    assert "ATLANTIS" in text
    assert "Of a health card number only the last four characters are shown." in text


def test_the_sample_is_in_the_order_of_the_file_and_says_how_many_more(make_submission, make_finding, page_of):
    rows = tuple(
        RejectedRow(line=line, record=f"B-{line}", field="ga_weeks", value="4", rule="X9", text="Outside.", fix="Mend.")
        for line in range(40, 10, -1)
    )
    text = page_of(report(make_submission(findings=[make_finding(count=34)], sample=rows), rejected_csv=b"x").html).text
    assert text.index("B-11") < text.index("B-22")
    assert "B-23" not in text
    assert "Findings 1 to 12 of 34" in text


def test_rejected_csv_is_offered_only_when_it_comes_along(make_submission, page_of):
    with_it = page_of(report(make_submission(), rejected_csv=b"line\r\n").html)
    assert [attrs["href"] for tag, attrs in with_it.elements if tag == "a"] == ["rejected.csv", "rejected.csv"]
    assert not [attrs for tag, attrs in page_of(report(make_submission()).html).elements if tag == "a"]


def test_an_indicator_opens_with_its_finding_and_shows_own_beside_others(make_submission, page_of, indicators):
    found = indicators({"a": [(90, {}), (10, {"ga_weeks": 35})], "b": [(900, {}), (100, {"ga_weeks": 35})]})
    text = page_of(report(make_submission(), found).html).text
    assert "10.0% of your live births came before 37 weeks. Beside the other hospitals' 10.0%, chance" in text
    assert "Yours, 2026 100 10 10.0% 5.5 to 17.4 chance can explain the difference" in text
    assert "1 other hospital 1,000 100 10.0% 8.3 to 12.0 all of its births" in text
    assert "34 to 36 weeks 100 10 10.0% 5.5 to 17.4 others 10.0%" in text


def test_unknown_births_are_counted_by_what_is_missing(make_submission, page_of, indicators):
    found = indicators({"a": [(93, {}), (7, {"ga_weeks": None})]})
    text = page_of(report(make_submission(), found).html).text
    assert "7 births could not be placed, of 100 that were looked at. Weeks of gestation not known 7" in text


def test_what_the_layout_cannot_answer_is_said_with_its_fields(make_submission, page_of, indicators):
    found = indicators({"a": [(90, {})]}, lacking=("presentation", "previous_cs"))
    made = make_submission(not_carried=("presentation", "previous_cs", "child_hcn"))
    text = page_of(report(made, found).html).text
    assert "2 indicators cannot be answered from this file." in text
    assert "Not answerable from this layout: it does not carry position of the baby and earlier caesareans." in text
    assert "Fields: presentation , previous_cs . Nothing was read as No." in text
    assert "3 fields of the dictionary are not in this layout" in text


def test_what_this_file_lacks_is_said_although_other_births_answer(make_submission, page_of, indicators):
    found = indicators({"a": [(90, {})]})
    made = make_submission(not_carried=("presentation", "child_hcn"))
    text = page_of(report(made, found).html).text
    assert "2 indicators cannot be answered from this file." in text
    assert (
        "Caesarean in first births at term This file does not carry position of the baby. What is shown above comes from"
        " your other births." in text
    )


def test_small_numbers_of_others_are_nowhere_on_the_page(make_submission, page_of, indicators):
    own = [(200, {})]
    found = indicators({"a": own, "b": [(4321, {}), (3, {"ga_weeks": 30, "birth_weight_g": 1400})]})
    made = report(make_submission(), found)
    text = page_of(made.html).text
    assert "hidden: a small number" in text
    assert "The other hospitals' figure is hidden" in text
    assert "4,324" not in text.split("Caesarean in first births")[0]
    for item in json.loads(made.json)["indicators"]:
        for row in item["rows"]:
            if row["whose"] == "others":
                assert not any(0 < (row[name] or 0) < 6 for name in ("numerator", "denominator", "unknown"))


def test_robson_shows_all_groups_and_adds_up(make_submission, page_of, indicators):
    found = indicators({"a": [(60, {}), (40, {"para": 1, "previous_cs": 1, "birth_type": "caesarean"})]})
    text = page_of(report(make_submission(), found).html).text
    for group in ("1", "2a", "2b", "3", "4a", "4b", "5", "6", "7", "8", "9", "10"):
        assert f" {group} " in text
    assert "All births 100 100.0% 40 40.0% 30.9 to 49.8 40.0 100.0%" in text
    assert (
        "the largest part of them, 100.0%, is group 5 (earlier caesarean, one baby head down, 37 weeks or more)" in text
    )


def test_the_json_is_that_of_the_command_with_the_indicators(make_submission, indicators):
    value = json.loads(report(make_submission(), indicators({"a": [(20, {})]})).json)
    assert {"transfer", "rows", "records", "findings", "indicators"} <= set(value)
    assert value["transfer"] == "3c917be05f20aa11"
    assert value["rows"] == {"read": 100, "stored": 91, "rejected": 9, "duplicates": 0}
    assert [item["id"] for item in value["indicators"]] == ["preterm", "low_birth_weight", "ntsv_caesarean", "robson"]


def test_a_bundle_holds_what_was_made(make_submission):
    made = report(make_submission(), rejected_csv=b"line,field\r\n")
    assert unpack(made.packed()) == {
        "report.html": made.html,
        "report-fr.html": made.html_fr,
        "report.json": made.json,
        "rejected.csv": b"line,field\r\n",
    }
    assert set(unpack(report(make_submission()).packed())) == {"report.html", "report-fr.html", "report.json"}


class TestOneFileThatFetchesNothing:
    """The page works from a USB stick, in a mail, without a network, under the strictest policy."""

    @pytest.fixture
    def page(self, make_submission, page_of, indicators):
        found = indicators({"a": [(90, {}), (10, {"ga_weeks": 35})], "b": [(900, {}), (100, {"birth_type": None})]})
        return page_of(report(make_submission(), found, rejected_csv=b"x").html)

    def test_no_script_no_form_no_frame_and_nothing_inline(self, page):
        tags = {tag for tag, _ in page.elements}
        assert not tags & {"script", "form", "iframe", "object", "embed", "link", "base", "img", "input"}
        for _, attrs in page.elements:
            assert not [name for name in attrs if name == "style" or name.startswith("on") or name == "src"]
            assert (attrs.get("href") or "#").startswith("#") or attrs["href"] == "rejected.csv"

    def test_the_policy_allows_its_one_style_and_nothing_else(self, page):
        [policy] = [a["content"] for tag, a in page.elements if tag == "meta" and a.get("http-equiv")]
        digest = b64encode(sha256(page.style.encode()).digest()).decode()
        assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
        assert "url(" not in page.style
        assert "@import" not in page.style

    def test_it_is_small(self, make_submission, indicators):
        assert len(report(make_submission(), indicators({"a": [(90, {})]})).html) < 200_000
