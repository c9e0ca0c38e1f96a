"""The report of a month, over real rows: hostile names, months that are not, cases of one's own alone."""

import csv
import io
import json
from types import SimpleNamespace

import pytest
from plain_rows import birth, csv_of

from swaddle.feedback.monthly import guarded
from swaddle.registry.monthly import NobodyToTell, NoSuchMonth, report

HERE, THERE = "a" * 32, "b" * 32
HOSTILE = '=cmd()"<script>alert(1)</script>\u202e'


@pytest.fixture
def reporting(shelf, tmp_path):
    """A way to write the reports of October 2026; the files by submitter and name."""
    for each, name in ((HERE, HOSTILE), (THERE, "There")):
        shelf.state.run(
            "insert into submitters (id, name, state, invited_at, active_at) values (?, ?, 'active', '2026-01-01', '')",
            (each, name),
        )
    inside = SimpleNamespace(
        home=shelf.folder,
        store=shelf.store,
        state=shelf.state,
        now=shelf.inside.now,
        settings=SimpleNamespace(
            report_threshold=6, report_zeros="show", report_rounding=1, report_withheld="", report_pdf="no"
        ),
    )

    def make(**asked):
        out = tmp_path / "out"
        told = report(inside, preview=str(out), **asked)
        files = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.glob("*/*")}
        return told, files

    return make


def births(letter, many, weeks="39"):
    return csv_of(
        "birth",
        *(
            birth(f"{letter}{n}", mother=f"M{n}", outcome="live", ga_weeks=weeks if n > 4 else "35", n_fetuses="1")
            for n in range(1, many + 1)
        ),
    )


def test_each_sees_its_own_cases_alone_behind_each_figure(shelf, days, reporting):
    shelf.take(births("H", 20), submitter=HERE, sent_at=days(1))
    shelf.take(births("T", 20), submitter=THERE, sent_at=days(1))
    told, files = reporting(month="2026-10")
    assert {each["outcome"] for each in told["reports"]} == {"written"}
    kept = json.loads(files[f"{HERE}/report.json"])
    assert (kept["kind"], kept["month"], kept["snapshot"]) == ("month", "2026-10", told["snapshot"])
    preterm = next(each for each in kept["indicators"] if each["id"] == "preterm")
    assert (preterm["numerator"], preterm["denominator"], preterm["cases"]) == (4, 20, ["H1", "H2", "H3", "H4"])
    assert all(b"T1" not in data for name, data in files.items() if name.startswith(HERE) and name.endswith("csv"))
    assert sum(kept["screens_not_judged"].values()) == 20  # no laboratory, no card: nobody can say that one is missing
    assert b"could not be judged" in files[f"{HERE}/report.html"]
    rows = list(csv.DictReader(io.StringIO(files[f"{HERE}/figures.csv"].decode())))
    assert any(row["indicator"] == "preterm" and row["numerator"] == "4" for row in rows)


def test_names_and_numbers_from_outside_are_text_and_no_formula(shelf, days, reporting):
    row = birth("=1+1<b>", mother="M1", outcome="live", ga_weeks="35", n_fetuses="1")
    shelf.take(csv_of("birth", row), submitter=HERE, sent_at=days(1))
    _, files = reporting(month="2026-10", submitter=HERE)
    for name in ("report.html", "report-fr.html"):
        page = files[f"{HERE}/{name}"].decode()
        assert "<script" not in page
        assert "<b>," not in page
        assert "\u202e" not in page
        assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    for name in ("cases.csv", "figures.csv"):
        for line in csv.reader(io.StringIO(files[f"{HERE}/{name}"].decode())):
            assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in line)
    assert guarded(" =cmd()") == "' =cmd()"


def test_where_nothing_can_be_compared_chance_is_not_claimed(shelf, days, reporting):
    shelf.take(births("H", 3), submitter=HERE, sent_at=days(1))
    _, files = reporting(month="2026-10", submitter=HERE)
    page = files[f"{HERE}/report.html"].decode()
    assert "Too few months and too few peers to say." in page
    assert "Nothing that chance does not explain" not in page
    assert "Preterm birth: 3 in the month." in page


def test_the_same_data_are_the_same_report(shelf, days, reporting):
    shelf.take(births("H", 5), submitter=HERE, sent_at=days(1))
    first, _ = reporting(month="2026-10", submitter=HERE)
    again, _ = reporting(month="2026-10", submitter=HERE)
    assert first == again
    shelf.take(births("L", 6), submitter=HERE, sent_at=days(2))
    late, _ = reporting(month="2026-10", submitter=HERE)
    assert late["snapshot"] != first["snapshot"]
    assert late["reports"][0]["id"][:16] == first["reports"][0]["id"][:16]
    assert late["reports"][0]["id"] != first["reports"][0]["id"]


def test_a_month_without_records_makes_nothing(shelf, days, reporting):
    shelf.take(births("H", 5), submitter=HERE, sent_at=days(1))
    told, files = reporting(month="2019-02")
    assert {each["outcome"] for each in told["reports"]} == {"no records"}
    assert not files


@pytest.mark.parametrize("month", ["2026-11", "2026-13", "2026-1", "1 or 1=1", "\u0662026-10", ""])
def test_a_month_that_is_none_or_not_over_is_refused(reporting, month):
    with pytest.raises(NoSuchMonth):
        reporting(month=month)


def test_nobody_of_that_name_is_refused(reporting):
    with pytest.raises(NobodyToTell):
        reporting(month="2026-10", submitter="../x")


def test_the_rows_of_a_month_and_their_errors_stand_beside_the_months_before(shelf, days, reporting):
    shelf.take(births("H", 5), submitter=HERE, sent_at=days(1))
    _, files = reporting(month="2026-10", submitter=HERE)
    kept = json.loads(files[f"{HERE}/report.json"])
    loaded = shelf.store.connection.execute(
        "select strftime(loaded_at, '%Y-%m'), rows_read from clinical.loads"
    ).fetchall()
    assert [(each["month"], each["read"]) for each in kept["error_rates"]] == [
        (month, read) for month, read in loaded if month <= "2026-10"
    ]


def test_the_days_from_birth_to_the_registry_are_told(shelf, days, reporting):
    shelf.take(births("H", 12), submitter=HERE, sent_at=days(1))
    _, files = reporting(month="2026-10", submitter=HERE)
    kept = json.loads(files[f"{HERE}/report.json"])
    counted = {each["name"]: each["now"]["count"] for each in kept["days"] if each["now"]}
    page = files[f"{HERE}/report.html"].decode()
    assert ("From birth to the registry" in page) == ("birth to registry" in counted)
    assert counted["birth to registry"] == 12
