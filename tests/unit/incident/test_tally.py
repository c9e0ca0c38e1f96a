"""A tally: what is counted once, what replaces what, and what a hostile list cannot do."""

import json
from base64 import b64encode
from hashlib import sha256

import pytest
from click.testing import CliRunner

from swaddle.cli.main import program
from swaddle.incident.tally import tally
from swaddle.incident.tally_figures import NoFigure, figure_of
from swaddle.incident.tally_page import page_of
from swaddle.incident.tally_read import ColumnUnknown, columns_said, day_of, read_lists

PORTAL = "Name of Covered Entity,State,Covered Entity Type,Individuals Affected,Breach Submission Date\n"
PLAIN = "organization,state,persons,date,vendor\n"


@pytest.fixture
def tallied(tmp_path):
    def run(*lists, columns=(), **options):
        paths = []
        for number, text in enumerate(lists):
            path = tmp_path / (f"{number}.json" if str(text)[:1] in "[{" else f"{number}.csv")
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            paths.append(path)
        return tally(read_lists(paths, columns_said(columns)), **options)

    return run


@pytest.mark.parametrize(
    ("said", "low", "high", "kind"),
    [
        ("1,234", 1234, 1234, "exact"),
        ("500+", 500, None, "at least"),
        ("1,001-2,000", 1001, 2000, "range"),
        ("1 to 2 million", 1_000_000, 2_000_000, "range"),
        ("1.2 million people", 1_200_000, 1_200_000, "exact"),
        ("more than 3000 patients", 3000, None, "at least"),
        ("approximately 9k", 9000, None, "about"),
        ("fewer than 10", 0, 10, "range"),
        ("unknown", None, None, "not disclosed"),
        ("Under investigation", None, None, "not disclosed"),
        ("", None, None, "not disclosed"),
        ("0", 0, 0, "exact"),
    ],
)
def test_what_a_list_says_of_how_many(said, low, high, kind):
    figure = figure_of(said)
    assert (figure.low, figure.high, figure.kind) == (low, high, kind)


@pytest.mark.parametrize(
    "said", ["-5", "(3)", "2,000-1,000", "1e9", "=1+1", "12.5", "9" * 30, "1," * 400_000, "many", "1,2,3", "NaN1"]
)
def test_what_is_no_number_of_persons_is_refused(said):
    with pytest.raises(NoFigure):
        figure_of(said)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("12/03/2019", "2019-12-03"),
        ("2019-12-03", "2019-12-03"),
        ("December 3, 2019", "2019-12-03"),
        ("3 Dec 2019", "2019-12-03"),
        ("13/12/2019", "2019-12-13"),
        ("2019-11-30 - 2019-12-03", "2019-12-03"),
        ("2019", "2019-01-01"),
    ],
)
def test_days_in_the_styles_of_lists(said, day):
    assert day_of(said).isoformat() == day
    assert day_of("soon") is None


def test_a_number_restated_in_a_later_snapshot_replaces_the_first_and_its_history_is_kept(tallied):
    found = tallied(
        PORTAL + "Alder Health,ON,Healthcare Provider,500,06/01/2023\nHalden Plan,ON,Health Plan,10,07/01/2023\n",
        PORTAL + '"Alder Health, Inc.",ON,Healthcare Provider,800,06/01/2023\nOak Care,ON,Health Plan,5,09/01/2023\n',
    )
    row = found["rows"][0]
    assert (row["individuals"], row["breaches"], found["individuals_at_least"]) == (800, 1, 815)
    assert [(each["stated"], each["use"]) for each in row["sources"]] == [
        ("500", "replaced by a later number"),
        ("800", "counted"),
    ]


def test_two_breaches_of_one_organisation_add_up_and_the_same_number_twice_does_not(tallied):
    found = tallied(PORTAL + "Alder Health,ON,,500,06/01/2023\nAlder Health,ON,,70,09/01/2023\n" * 2)
    assert (found["organisations"], found["breaches"], found["individuals_at_least"]) == (1, 2, 570)


def test_silence_never_wipes_out_a_number_and_a_silent_organisation_is_counted(tallied):
    found = tallied(
        PLAIN + "Alder Health,ON,500,2023-06-01,\nAlder Health,ON,unknown,2023-07-01,\nOak,ON,,2023-06-02,\n"
    )
    assert (found["individuals_at_least"], found["not_disclosed"], found["gave_number"]) == (500, 1, 1)
    assert found["rows"][-1]["rank"] is None
    assert found["rows"][-1]["individuals"] is None


def test_of_a_range_the_low_end_counts_and_the_range_is_kept(tallied):
    found = tallied(PLAIN + 'Alder Health,ON,"1,001-2,000",2023-06-01,\nOak Plan,ON,500+,2023-06-01,\n')
    assert (found["individuals_at_least"], found["gave_range"]) == (1501, 2)
    assert (found["rows"][0]["individuals_at_most"], found["rows"][1]["individuals_at_most"]) == (2000, None)


def test_what_clients_lost_at_a_vendor_is_inside_the_vendors_number(tallied):
    rows = "Northgate Clearing,ON,100,2023-06-01,\nAlder College,ON,30,2023-06-09,Northgate Clearing LLC\n"
    found = tallied(PLAIN + rows + "Northgate Clearing on behalf of Oak College,ON,20,2023-07-01,\n")
    assert (found["individuals_at_least"], found["organisations"]) == (100, 3)
    assert [each["organisation"] for each in found["rows"][0]["clients"]] == ["Alder College", "Oak College"]
    more = tallied(PLAIN + rows + "Oak College,ON,90,2023-07-01,Northgate Clearing\n")
    assert (more["individuals_at_least"], more["rows"][0]["how"]) == (120, "sum of clients")


def test_vendors_that_name_each_other_end(tallied):
    found = tallied(PLAIN + "Alder,ON,10,2023-06-01,Halden\nHalden,ON,20,2023-06-01,Alder\n")
    assert found["individuals_at_least"] == 20


def test_parts_of_single_states_add_up_only_where_nobody_told_the_whole(tallied):
    texas = "Entity or Individual Name,Number of Texans Affected,Date Published at OAG Website\nAlder Health,300,06/01/2023\n"
    maine = "Entity Name,Maine residents affected,Date Reported\nAlder Health,20,06/05/2023\n"
    assert tallied(texas, maine)["individuals_at_least"] == 320
    assert tallied(texas, maine, PLAIN + "Alder Health,ON,5000,2023-06-10,\n")["individuals_at_least"] == 5000


def test_growth_ends_at_the_total(tallied):
    found = tallied(PLAIN + "Alder,ON,10,2023-06-01,\nAlder,ON,30,2023-08-01,\nOak,ON,5,2023-07-01,Alder\n")
    assert [(at["month"], at["individuals"]) for at in found["growth"]] == [
        ("2023-06", 10),
        ("2023-07", 10),
        ("2023-08", 30),
    ]


def test_every_row_has_one_use_and_all_of_them_are_told(tallied):
    found = tallied(PLAIN + "Alder,ON,10,2023-06-01,\n,ON,4,2023-06-01,\nOak,ON,-4,2023-06-01,\nElm,ON,x,2023-06-01,\n")
    assert sum(found["rows_by_use"].values()) + len(found["refused"]) == found["rows_read"] == 4
    assert [(each["row"], each["why"]) for each in found["refused"]] == [
        (2, "no organisation is named"),
        (3, "the number is negative"),
        (4, "what stands there is not a number"),
    ]


def test_veris_incidents_are_read_and_one_told_twice_is_one(tallied):
    incident = {
        "incident_id": "0A1B2C3D-0000",
        "victim": {"victim_id": "Alder Health", "state": "ON", "industry": "62"},
        "attribute": {"confidentiality": {"data_total": 40}},
        "timeline": {"incident": {"year": 2023, "month": 6}},
    }
    other = incident | {"incident_id": "0A1B2C3D-0001"}
    assert tallied(json.dumps([incident]), json.dumps(other))["individuals_at_least"] == 80
    nobody = {"incident_id": "x", "victim": {"country": "CA"}}
    found = tallied(json.dumps([incident, incident, nobody, 7, {"victim": []}]))
    assert (found["individuals_at_least"], found["breaches"], len(found["refused"])) == (40, 1, 2)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\1\2",
        b"a,b\n1,2\n",
        b"[" * 100_000,
        b'{"victim":',
        b"\xff\xfe\x00",
        b"name,persons\n" + b"x" * 3_000_000 + b",1\n",
    ],
)
def test_what_is_no_list_is_said_and_the_others_are_tallied(tmp_path, raw):
    (tmp_path / "bad.csv").write_bytes(raw)
    (tmp_path / "good.csv").write_text(PLAIN + "Alder,ON,10,2023-06-01,\n")
    found = tally(read_lists([tmp_path], {}))
    assert found["individuals_at_least"] == 10
    assert [each["file"] for each in found["unreadable"]] == ["bad.csv"]


def test_other_encodings_delimiters_and_lines_before_the_header(tallied):
    assert (
        tallied(("List of 2023\n\n" + PLAIN).encode("utf-16") + "Alder,ON,10,2023,\n".encode("utf-16-le"))[
            "organisations"
        ]
        == 1
    )
    found = tallied(PLAIN.replace(",", ";").encode() + "Clinique de l'Érable;QC;1 200;2023-06-01;\n".encode("cp1252"))
    assert (found["rows"][0]["organisation"], found["individuals_at_least"]) == ("Clinique de l'Érable", 1200)


def test_a_column_of_another_name_is_mapped(tallied):
    found = tallied("Who,How many\nAlder,7\n", columns=("organisation=Who", "individuals=How many"))
    assert found["individuals_at_least"] == 7
    with pytest.raises(ColumnUnknown):
        columns_said(["whatever=Who"])


def test_a_hostile_name_does_nothing_on_the_page_or_the_terminal(tmp_path):
    path = tmp_path / "list.csv"
    hostile = "<script>alert(1)</script>\u202e\x1b[31m"
    path.write_text(PLAIN + f'"{hostile}",ON,10,2023-06-01,\n"=cmd()",ON,3,2023-08-01,\n')
    page = page_of(tally(read_lists([path], {})))
    assert "<script" not in page
    assert "\u202e" not in page
    assert "<svg" in page
    result = CliRunner().invoke(program, ["tally", str(path), "--html", str(tmp_path / "page.html")])
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output
    assert "13 persons at least" in result.output


def test_strict_ends_with_seven_where_a_row_was_left_out(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(PLAIN + "Alder,ON,-3,2023-06-01,\nOak,ON,3,2023-06-01,\n")
    result = CliRunner().invoke(program, ["tally", str(path), "--strict", "--json"])
    assert result.exit_code == 7
    found = json.loads(result.stdout)
    assert {"organisations", "individuals_at_least", "not_disclosed", "rows"} <= set(found)
    assert {"rank", "organisation", "individuals", "date", "sources"} <= set(found["rows"][0])


def test_the_pages_own_policy_lets_its_style_in(tmp_path):
    listed = tmp_path / "list.csv"
    listed.write_text("organisation,individuals,date\nExample Clinic,1200,2024-01-02\n")
    page = page_of(tally(read_lists([listed], {})))
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert b64encode(sha256(style.encode()).digest()).decode() in page
