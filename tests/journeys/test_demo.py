"""The demo as a person runs it: in a process of its own, with nothing in HOME."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,  # `make demo` is the quick way to see it; here it is one of the longest tests
    pytest.mark.first,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the raid copies memory through /proc"),
]
REAL_DATA = Path(os.environ.get("SWADDLE_REAL_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


def demo(home, *arguments, empty_home):
    environment = {**os.environ, "HOME": str(empty_home)}
    return subprocess.run(
        [sys.executable, "-m", "swaddle", "demo", "--home", str(home), *arguments],
        env=environment, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """One run of the demo for all workers: the first one plays it, another waits for what it said."""
    own = tmp_path_factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "demo"
    said = place / "said.json"
    try:
        place.mkdir()
    except FileExistsError:
        end = time.monotonic() + 900
        while not said.exists() and time.monotonic() < end:
            time.sleep(0.5)
    else:
        (place / "nobody").mkdir()
        done = demo(place / "homes", "--births", "400", "--json", empty_home=place / "nobody")
        whole = place / "said.json.part"
        whole.write_text(json.dumps([done.returncode, done.stdout, done.stderr]))
        whole.replace(said)
    code, out, talk = json.loads(said.read_text())
    assert code == 0, talk
    return place, json.loads(out), talk


def test_everything_is_proved(told):
    _, said, talk = told
    assert said["all_proved"]
    assert all(proof["holds"] for proof in said["proofs"]), said["proofs"]
    assert "All proved in" in talk


def test_no_row_is_lost_and_the_broken_ones_are_rejected(told):
    _, said, _ = told
    for each in (*said["submitters"], said["totals"]):
        assert each["read"] == each["stored"] + each["rejected"] + each["duplicates"]
    assert said["totals"]["read"] == 400
    assert said["totals"]["rejected"] == round(0.05 * 149)
    assert [each["feedback_opened"] for each in said["submitters"]] == [True] * 3
    assert said["sources"] == [
        {"kind": "births", "made_up": True, "transfers": 3, **said["totals"], "cannot_answer": []}
    ]


def test_both_raids_find_nothing_and_are_scoped_exactly(told):
    _, said, _ = told
    assert said["raid"]["found"] == 0
    assert said["raid"]["searched_for"] > 3_000
    assert [raid["transfers"] for raid in said["raids"]] == [4, 0]
    first, second = said["incidents"]
    assert (first["persons"], first["transfers"]) == (first["true_persons"], 4)
    assert first["persons"] > 790
    assert (second["persons"], second["transfers"]) == (0, 0)


def test_it_ends_with_what_each_report_says_and_one_alert(told):
    place, said, talk = told
    assert "A missed newborn screen is told to its hospital" in [proof["what"] for proof in said["proofs"]]
    alert, *reports = said["says"]
    assert alert["says"][0].startswith("ALERT")
    assert len(reports) == 3
    assert all((place / "homes" / "reports" / each["page"]).is_file() for each in said["says"])
    assert "What the reports say" in talk


def test_only_the_reports_are_left_and_home_is_untouched(told):
    place, said, _ = told
    assert [path.name for path in (place / "homes").iterdir()] == ["reports"]
    assert said["reports"] == str(place / "homes" / "reports")
    folders = [path.parent.name for path in (place / "homes" / "reports").rglob("report.html")]
    months = [name for name in folders if name.startswith("swaddle-report-")]
    assert len(folders) - len(months) == 4 + 1  # an answer to each transfer, and the alert
    assert len(months) >= 2
    assert not list((place / "nobody").iterdir())


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "something").write_text("mine")
    done = demo(tmp_path, empty_home=tmp_path)
    assert done.returncode == 2
    assert "SWD-DEMO-03" in done.stderr
    assert (tmp_path / "something").read_text() == "mine"


@pytest.mark.real_data
@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the real files are not here (SWADDLE_REAL_DATA)")
def test_half_a_million_real_births_go_through(tmp_path):
    (tmp_path / "nobody").mkdir()
    done = demo(tmp_path / "homes", "--data", str(REAL_DATA), "--json", empty_home=tmp_path / "nobody")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["all_proved"]
    real = [source for source in said["sources"] if not source["made_up"]]
    assert sum(source["read"] for source in real) >= 500_000
    assert all(source["rejected"] < 0.02 * source["read"] for source in real)
    assert all(not source["cannot_answer"] for source in said["sources"] if source["kind"] == "births")
