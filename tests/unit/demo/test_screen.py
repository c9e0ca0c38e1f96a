import io
from pathlib import Path

import pytest
from rich.console import Console

from swaddle.demo.account import Account
from swaddle.demo.copying import Taken
from swaddle.demo.needles import Category
from swaddle.demo.outcome import Incident, Outcome, Proof, Sender, Sent
from swaddle.demo.raid import Found
from swaddle.demo.screen import Screen
from swaddle.demo.search import Hit

ROWS = {"read": 2_980, "stored": 2_831, "rejected": 149, "duplicates": 0}


def found(**changes):
    values = {
        "taken": Taken(Path("home"), (), 5_000_000, 60_000_000, 12, 1),
        "sought": {Category.NAME: 5_000, Category.ROW: 2_980, Category.KEY: 40},
        "hits": (),
        "markers_planted": 4,
        "markers_found": 4,
        "controls_sought": 2,
        "controls_found": 2,
        "transfers": 2,
        "transfers_untried": 0,
        "keys_tried": 40_000,
        "keys_left_out": 0,
        "private_keys_tried": 300,
        "opened": frozenset(),
        "seconds": 3.0,
    }
    return Found(**{**values, **changes})


@pytest.fixture
def outcome():
    sender = Sender("a" * 32, "Lakeview Women's", dict(ROWS), reports=1, reports_opened=1, indicators=13)
    return Outcome(
        seed=2026,
        synthetic=True,
        senders=[sender],
        sent=[Sent(0, "births", True, "7f3a91c2" + "0" * 24, dict(ROWS), destroyed_after_s=2.0)],
        proofs=[Proof("No row is lost", "2,831 + 149 + 0 = 2,980", holds=True)],
        raids=[found()],
        incidents=[
            Incident(1, 5_917, (("gave birth", 2_937), ("newborn or child", 2_980)), 0, (("sealed", 1),), 0.2, 1, 5_917)
        ],
        needles_checked=7_980,
        reports="/tmp/reports",
        accounts=[
            Account("Lakeview Women's", ("2,831 of 2,980 births are stored.", "Higher. " * 20), "lakeview/r.html")
        ],
        seconds=12.9,
    )


def drawn(outcome, *, terminal=False, width=120):
    text = io.StringIO()
    screen = Screen(Console(file=text, force_terminal=terminal, width=width, color_system=None, highlight=False))
    screen.begin(outcome, 3)
    with screen.phase("Set up") as say:
        say("keys made")
    screen.end(outcome)
    return text.getvalue()


def test_a_log_gets_one_line_to_a_phase_and_every_figure(outcome):
    text = drawn(outcome)
    assert "\x1b" not in text
    assert len([line for line in text.splitlines() if line.startswith("  Set up")]) == 1
    for piece in (
        "Synthetic births, seed 2026",
        "2,831 + 149 + 0 = 2,980",
        "Lakeview Women's",
        "149",
        "All proved in 12.9 s. Reports: /tmp/reports",
        "1 transfers, 5,917 persons",
        "7f3a91c2 after 2.0 s",
        "Nothing found.",
        "Not proved here:",
    ):
        assert piece in text


def test_a_terminal_gets_bars_that_end_as_done(outcome):
    text = drawn(outcome, terminal=True)
    assert "done" in text
    assert "keys made" in text


def test_a_find_is_never_called_proved(outcome):
    outcome.raids = [found(hits=(Hit(b"Okafor,Thandiwe", Category.NAME, "memory-7", 4),))]
    outcome.proofs.append(Proof("A raid reads nothing", "1 found", holds=False))
    text = drawn(outcome)
    assert "Not all proved" in text
    assert "memory-7" in text
    assert "Okafor" not in text


@pytest.mark.parametrize(
    "change", [{"markers_found": 3}, {"keys_left_out": 5}, {"transfers_untried": 1}, {"controls_found": 1}]
)
def test_a_raid_that_left_something_out_is_no_proof(outcome, change):
    assert not found(**change).is_proof
    outcome.raids = [found(**change)]
    assert "Not proved." in drawn(outcome)


def test_the_object_has_the_members_of_the_contract(outcome):
    value = outcome.to_json()
    assert value["submitters"] == [
        {"id": "a" * 32, "name": "Lakeview Women's", **ROWS, "feedback_opened": True},
    ]
    assert value["totals"] == ROWS
    assert value["raid"] == {"searched_for": 8_020, "found": 0}
    assert value["sources"][0]["kind"] == "births"
    assert value["seconds"] == 12.9
    assert value["incidents"][0]["equal"]


def test_an_exposure_that_differs_is_not_exact(outcome):
    incident = outcome.incidents[0]
    assert incident.is_exact
    assert not Incident(1, 5_916, (), 0, (), 0.1, 1, 5_917).is_exact
    assert not Incident(1, 5_917, (), 1, (), 0.1, 1, 5_917).is_exact


def test_what_the_reports_say_fits_a_narrow_window_and_names_the_page(outcome):
    lines = drawn(outcome).splitlines()
    start = lines.index("  What the reports say")
    said = lines[start : start + 6]
    assert max(map(len, said)) <= 80
    assert "    lakeview/r.html" in said
