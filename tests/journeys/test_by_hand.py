"""A stranger's path, by hand, from README: each party in its own home and its own processes, from an installed wheel."""

import csv
import json
import re
import signal
import subprocess
import sys
import time

import pytest

from swaddle.demo import layout
from swaddle.demo.cohort import SITES, births
from whole_world import LAST_DAY

SHAPES = {
    "send": {"transfers", "seconds", "bytes_per_second"},
    "status": {"transfers"},
    "report": {"transfer", "rows", "records", "findings"},
    "check": {"transfer", "rows", "records", "findings"},
    "scope": {
        "incident", "window", "transfers", "persons", "unknown", "by_category", "by_submitter", "data_elements",
        "protection", "seconds",
    },
}  # fmt: skip


pytestmark = [pytest.mark.slow, pytest.mark.first]


class Program:
    """`swaddle` as somebody runs it who has installed it: no terminal, no secret in arguments or environment."""

    def __init__(self, environment, folder):
        self.environment = environment
        self.folder = folder

    def __call__(self, *arguments, status=0):
        done = subprocess.run(
            [sys.executable, "-m", "swaddle", *map(str, arguments)],
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def json(self, *arguments, status=0):
        return json.loads(self(*arguments, "--json", status=status))

    def start(self, *arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "swaddle", *map(str, arguments)],
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip


@pytest.fixture(scope="module")
def party(installed, tmp_path_factory):
    """A gateway and a registry that run, and one submitter enrolled, all by the commands of README."""
    folder = tmp_path_factory.mktemp("by-hand")
    swaddle = Program(installed, folder)
    made = swaddle.json("gateway", "init", "--home", "gateway", "--url", "https://127.0.0.1:0", "--port", "0")
    gateway = swaddle.start("gateway", "run", "--home", "gateway")
    assert gateway.stderr.readline().startswith("listening on https://")
    init = ("registry", "init", "--home", "registry", "--gateway", made["url"], "--claim", made["claim"])
    swaddle(*init, "--new-passphrase-file", "registry.passphrase")
    swaddle(*init)  # again is fine
    registry = swaddle.start("registry", "run", "--home", "registry")
    assert "owns the store" in registry.stderr.readline()
    invitation = swaddle("registry", "invite", "Northshore General", "--home", "registry").strip()
    enrol = ("enrol", invitation, "--home", "submitter", "--timeout", "60")
    words = swaddle(*enrol, "--new-passphrase-file", "submitter.passphrase")
    yield swaddle, words
    for process in (registry, gateway):
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 0


def a_file(folder, number, seed, bend=lambda row: None):
    rows = [layout.row(each) for each in births(SITES[0], number, seed=seed, last_day=LAST_DAY)]
    for row in rows:
        for number_of in ("local_record_id", "delivery_local_id"):
            row[number_of] = f"{seed}-{row[number_of]}"
        bend(row)
    path = folder / f"births-{seed}.csv"
    path.write_bytes(b"\n".join(layout.lines(rows)) + b"\n")
    return path


def until(found, seconds=60):
    """What `found` gives, once it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.5)
    raise AssertionError("it did not happen in time")


def test_six_words_are_the_same_on_both_sides(party):
    swaddle, said = party
    told = swaddle.json("registry", "submitters", "--home", "registry")["submitters"]
    (known,) = [each for each in told if each["name"] == "Northshore General"]
    assert known["state"] == "active"
    assert len(known["words"].split()) == 6
    assert known["words"] in said


def test_from_a_file_of_ones_own_to_its_report(party, tmp_path):
    swaddle, _ = party
    home = ("--home", "submitter")

    def bend(row):
        if row["local_record_id"].endswith("7"):
            row["previous_cs"] = str(int(row["para"]) + 2)

    path = a_file(tmp_path, 60, 11, bend)
    checked = swaddle.json("check", path, "--as", "births", status=7)
    assert SHAPES["check"] <= set(checked)
    sent = swaddle.json("send", path, "--as", "births", "--wait", *home)
    assert SHAPES["send"] <= set(sent)
    (transfer,) = sent["transfers"]
    assert json.loads((swaddle.folder / transfer["receipt"]).read_text())["signature"].startswith(
        "-----BEGIN SSH SIGNATURE-----"
    )
    waiting = until(lambda: swaddle.json("inbox", *home)["waiting"])
    report = swaddle.json("report", transfer["id"], "--rejected", tmp_path / "rejected.csv", *home)
    assert SHAPES["report"] <= set(report)
    rows = report["rows"]
    assert rows["read"] == 60 == rows["stored"] + rows["rejected"] + rows["duplicates"]
    assert rows == checked["rows"] | {"stored": rows["stored"]}
    wrong = {f["rule"]: f["count"] for f in report["findings"] if f["severity"] == "error"}
    assert wrong == {f["rule"]: f["count"] for f in checked["findings"] if f["severity"] == "error"}
    with (tmp_path / "rejected.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == rows["rejected"]
    status = swaddle.json("status", *home)
    assert SHAPES["status"] <= set(status)
    assert next(t for t in status["transfers"] if t["id"] == transfer["id"])["verdict"]["stored"] == rows["stored"]
    assert waiting is not None


def test_the_same_file_again_is_all_duplicates(party, tmp_path):
    swaddle, _ = party
    path = a_file(tmp_path, 30, 12)
    first = swaddle.json("send", path, "--as", "births", "--wait", "--home", "submitter")["transfers"][-1]
    path.touch()
    again = swaddle.json("send", path, "--as", "births", "--wait", "--home", "submitter")["transfers"][-1]
    if again["id"] == first["id"]:
        pytest.skip("the sender itself knows that this very file has its receipt")
    rows = swaddle.json("report", again["id"], "--home", "submitter")["rows"]
    assert rows == {"read": 30, "stored": 0, "rejected": 0, "duplicates": 30}


def test_an_incident_names_whom_it_could_be_about(party, tmp_path):
    swaddle, _ = party
    for waiting in swaddle.json("inbox", "--home", "submitter")["waiting"]:
        swaddle("get", waiting["id"], "--home", "submitter")
    time.sleep(2)  # what was on the gateway is gone for a whole second
    path = a_file(tmp_path, 25, 13)
    began = now()
    transfer = swaddle.json("send", path, "--as", "births", "--wait", "--home", "submitter")["transfers"][-1]["id"]
    opened = swaddle.json("incident", "open", "--from", began, "--to", now(), "--home", "registry")
    scope = swaddle.json("incident", "scope", opened["incident"], "--home", "registry")
    assert SHAPES["scope"] <= set(scope)
    assert scope["gateway_reached"]
    rows = [layout.row(each) for each in births(SITES[0], 25, seed=13, last_day=LAST_DAY)]
    assert scope["persons"]["upper"] == len({r["mother_local_id"] for r in rows} | {r["child_local_id"] for r in rows})
    shown = swaddle("custody", "show", transfer, "--home", "registry")
    for event in ("transfer-held", "submission-stored", "copy-destroyed"):
        assert event in shown


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def test_status_of_both_ends_while_they_run(party):
    swaddle, _ = party
    registry = swaddle.json("registry", "status", "--home", "registry")
    assert {"registry", "gateway", "intake", "stored", "submitters", "transfers"} <= set(registry)
    gateway = swaddle.json("gateway", "status", "--home", "gateway")
    assert isinstance(gateway, dict)
    pulled = swaddle.json("registry", "pull", "--once", "--home", "registry")
    assert {"pulled", "acknowledged", "failed"} <= set(pulled)


def test_an_invitation_is_one_line_and_names_no_one(party):
    swaddle, _ = party
    line = swaddle("registry", "invite", "Riverbend Midwives", "--home", "registry").strip()
    assert re.fullmatch(r"swaddle-invitation-1\.[A-Za-z0-9_-]+", line)
    assert "Riverbend" not in line


def test_a_wrong_home_and_a_missing_passphrase_are_three_lines(party, tmp_path):
    swaddle, _ = party
    done = subprocess.run(
        [sys.executable, "-m", "swaddle", "registry", "status", "--home", "gateway"],
        cwd=swaddle.folder, env=swaddle.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert len(done.stderr.strip().splitlines()) == 3
    assert tmp_path.name not in done.stderr
