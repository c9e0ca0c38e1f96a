"""The commands as hospitals run them: from timers, in pipes, by hand; real processes, real gateway."""

import json
import os
import subprocess
import sys

import pytest

from submitter_world import rows

TIMER = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


def swaddle(*arguments, environment=TIMER, **options):
    """Run the program without a terminal, as a timer does."""
    return subprocess.run(
        [sys.executable, "-m", "swaddle", *map(str, arguments)],
        stdin=options.pop("stdin", subprocess.DEVNULL), capture_output=True, text=True, timeout=60,
        env=environment, start_new_session=True, **options,
    )  # fmt: skip


@pytest.fixture
def secret(home):
    """The home's passphrase, taken out of its settings: it must come another way."""
    settings = home / "settings.toml"
    lines = settings.read_text().splitlines()
    settings.write_text("\n".join(line for line in lines if not line.startswith("passphrase_file")) + "\n")
    return (home.parent / "passphrase").read_text().strip()


class TestFromATimer:
    """`send` with no terminal and no secret in arguments or environment."""

    def test_with_the_passphrase_file_of_the_settings(self, registry, home, file):
        done = swaddle("send", file, "--as", "births", "--home", home, "--json")
        assert done.returncode == 0, done.stderr
        (transfer,) = json.loads(done.stdout)["transfers"]
        assert transfer["state"] == "held"
        assert registry.take() == {transfer["id"]: file.read_bytes()}

    def test_with_a_systemd_credential(self, home, file, secret, tmp_path):
        credentials = tmp_path / "credentials"
        credentials.mkdir()
        (credentials / "swaddle-passphrase").write_text(secret + "\n")
        environment = TIMER | {"CREDENTIALS_DIRECTORY": str(credentials)}
        assert secret not in str(environment)
        done = swaddle("send", file, "--home", home, environment=environment)
        assert done.returncode == 0, done.stderr

    def test_with_a_file_descriptor(self, home, file, secret):
        reading, writing = os.pipe()
        os.write(writing, secret.encode())
        os.close(writing)
        done = swaddle("send", file, "--home", home, "--passphrase-fd", reading, pass_fds=[reading])
        os.close(reading)
        assert done.returncode == 0, done.stderr

    def test_without_any_it_says_so_and_does_not_wait_for_an_answer(self, home, file, secret):
        from swaddle.envelope.keys import SealingPair

        pair = SealingPair.from_file((home / "keys" / "sealing.json").read_bytes(), secret.encode())
        (home / "keys" / "sealing.json").write_bytes(pair.to_file(secret.encode()))
        done = swaddle("send", file, "--home", home)
        assert done.returncode == 3
        assert "passphrase" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_passphrase_file_that_others_can_read_is_refused(self, home, file):
        (home.parent / "passphrase").chmod(0o644)
        done = swaddle("send", file, "--home", home)
        assert done.returncode == 3
        assert "chmod 600" in done.stderr


def test_send_status_report_and_inbox_tell_the_same_story(registry, party, home, file):
    sent = json.loads(swaddle("send", file, "--home", home, "--json").stdout)
    transfer = sent["transfers"][0]["id"]
    assert sent["transfers"][0]["receipt"] is None
    (line,) = json.loads(swaddle("status", "--home", home, "--json").stdout)["transfers"]
    assert (line["state"], line["copies"][0]["place"]) == ("held", "gateway")
    assert line["copies"][0]["until"] == line["expires_at"]

    assert swaddle("report", transfer, "--home", home).returncode == 9
    registry.take(read=2500, stored=2499, rejected=1, duplicates=0, warnings=3)
    waited = swaddle("send", "--wait", "--home", home, "--json")
    assert waited.returncode == 7
    assert json.loads(waited.stdout)["transfers"][0]["state"] == "stored"
    (line,) = json.loads(swaddle("status", transfer, "--home", home, "--json").stdout)["transfers"]
    assert line["state"] == "stored"
    assert line["verdict"] == {"stored": 2499, "rejected": 1, "warnings": 3}
    assert [copy["place"] for copy in line["copies"]] == ["registry"]

    report = {
        "transfer": transfer,
        "rows": {"read": 2500, "stored": 2499, "rejected": 1, "duplicates": 0},
        "records": {},
        "findings": [
            {
                "rule": "X1", "scope": "row", "severity": "error", "count": 1, "text": "\x1b[2Jwiped", "fix": "no",
                "examples": [{"line": 4, "field": "weight", "value": "\x1b]0;owned\x07"}],
            }
        ],
    }  # fmt: skip
    files = {"report.html": b"<p>", "report.json": json.dumps(report).encode(), "rejected.csv": b"a,b\n"}
    answer = registry.give(party.sealing.public, files, answers=transfer)
    inbox = json.loads(swaddle("inbox", "--home", home, "--json").stdout)
    assert [one["id"] for one in inbox["waiting"]] == [answer]
    out = home.parent / "rejected.csv"
    told = swaddle("report", transfer, "--home", home, "--rejected", out)
    assert told.returncode == 0, told.stderr
    assert "\x1b" not in told.stdout
    assert out.read_bytes() == b"a,b\n"
    assert json.loads(swaddle("report", transfer, "--home", home, "--json").stdout) == report
    fetched = swaddle("get", answer, "--out", home.parent / "out", "--home", home)
    assert fetched.returncode == 0
    assert (home.parent / "out" / "report.html").read_bytes() == b"<p>"
    inbox = json.loads(swaddle("inbox", "--home", home, "--json").stdout)
    assert (inbox["waiting"], [one["id"] for one in inbox["received"]]) == ([], [answer])
    assert registry.client.get_json(f"/v1/transfers/{answer}")["outcome"] == "stored"


def test_a_refused_file_is_exit_6_and_a_missing_receipt_exit_5(registry, home, file):
    assert swaddle("send", file, "--wait", "--timeout", "0.3", "--home", home).returncode == 5
    registry.take("refused")
    assert swaddle("send", "--wait", "--home", home).returncode == 6


def test_status_knows_what_it_can_when_the_gateway_is_away(gateway, home, file):
    sent = json.loads(swaddle("send", file, "--home", home, "--json").stdout)
    gateway.stop()
    try:
        done = swaddle("status", "--home", home, "--json", environment=TIMER | {"SWADDLE_TIMEOUT_S": "1"})
    finally:
        gateway.start()
    assert done.returncode == 0
    assert "does not answer" in done.stderr
    assert [line["id"] for line in json.loads(done.stdout)["transfers"]] == [sent["transfers"][0]["id"]]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("status", "0" * 32), 9),
        (("get", "0" * 32), 9),
        (("get", "../../x"), 2),
        (("send", "nowhere.csv"), 6),
        (("enrol", "swaddle-invitation-1.abc"), 2),
    ],
)
def test_what_cannot_be_done_has_its_own_exit_status_and_three_lines(home, arguments, status):
    done = swaddle(*arguments, "--home", home)
    assert done.returncode == status, done.stderr
    assert "why:" in done.stderr
    assert "fix:" in done.stderr


def test_enrolling_by_hand_prints_six_words_and_goes_on_when_run_again(registry, tmp_path):
    invitation = registry.invite().encode()
    home, secret = tmp_path / "home", tmp_path / "secret"
    arguments = ("enrol", "-", "--home", home, "--new-passphrase-file", secret, "--timeout", "0", "--json")
    with (tmp_path / "invitation").open("w+") as given:
        given.write(invitation + "\n")
        given.seek(0)
        first = swaddle(*arguments, stdin=given)
        given.seek(0)
        registry.activate()
        second = swaddle(*arguments, stdin=given)
    assert (first.returncode, second.returncode) == (5, 0), first.stderr + second.stderr
    begun, enrolled = json.loads(first.stdout), json.loads(second.stdout)
    assert (begun["state"], enrolled["state"]) == ("waiting", "active")
    assert begun["words"] == enrolled["words"]
    assert len(begun["words"].split()) == 6
    assert secret.stat().st_mode & 0o777 == 0o600
    assert enrolled["submitter"] in registry.submitters
    other = swaddle("enrol", registry.invite().encode(), "--home", home)
    assert other.returncode == 2


@pytest.mark.parametrize("extension", ["csv", "unknown"])
def test_sending_needs_no_duckdb(home, tmp_path, extension):
    file = tmp_path / f"rows.{extension}"
    file.write_bytes(rows(10, seed=extension.encode()))
    block = "import sys; sys.modules['duckdb'] = None; import importlib.util as u; f = u.find_spec\n"
    block += "u.find_spec = lambda n, *a: None if n == 'duckdb' else f(n, *a)\n"
    block += f"from swaddle.cli.main import main; main(['send', {str(file)!r}, '--home', {str(home)!r}])"
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, env=TIMER, timeout=60)
    assert done.returncode == 0, done.stderr
