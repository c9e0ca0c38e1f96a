"""kill -9 at every step of a send, a receipt, an enrolment and a fetch; then run again: the same, once, whole."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import submitter_world
from submitter_world import GatewayProcess, Registry, enrolled_home, party_of, rows
from swaddle.submitter import counting, enrol, inbox
from swaddle.submitter.send import send

KILLED_AT = Path(submitter_world.__file__).with_name("killed_at.py")
PART_BYTES = 65_536
MOST_STEPS = 200


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    process = GatewayProcess(tmp_path_factory.mktemp("gateway") / "home", sweep_seconds=1)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def registry(gateway):
    return Registry(gateway.claim)


@pytest.fixture
def home(registry, tmp_path):
    return enrolled_home(registry, tmp_path, part_bytes=PART_BYTES)


@pytest.fixture(autouse=True)
def without_counting(monkeypatch):
    monkeypatch.setattr(counting, "find_spec", lambda _: None)


def killed(step, *arguments):
    """Run the command line, kill it at `step`; whether it was killed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SWADDLE")}
    done = subprocess.run(
        [sys.executable, str(KILLED_AT), str(step), *map(str, arguments)],
        capture_output=True, env=environment, timeout=60,
    )  # fmt: skip
    assert done.returncode in {0, -9}, done.stderr.decode()
    return done.returncode == -9


def transfers_ever(registry):
    return sum(registry.client.get_json("/v1/status")["transfers"].values())


def every_step(run):
    """Call `run(step)` for 1, 2, … until it says that nothing was killed; how many steps there were."""
    for step in range(1, MOST_STEPS):
        if not run(step):
            return step - 1
    raise AssertionError("it never ends")


@pytest.mark.slow
def test_a_send_killed_at_any_step_goes_on_as_the_same_transfer_once_and_whole(registry, home, tmp_path):
    party = party_of(home)

    def run(step):
        file = tmp_path / f"births-{step}.csv"
        file.write_bytes(rows(2500, seed=b"%d" % step))
        before = transfers_ever(registry)
        was_killed = killed(step, "send", file, "--as", "births", "--home", home)
        (sent,) = send(party, [file], "births")
        assert sent.state == "held"
        assert transfers_ever(registry) == before + 1
        taken = registry.take()
        assert taken == {sent.transfer: file.read_bytes()}
        assert [one.state for one in send(party, [file])] == ["stored"]
        assert transfers_ever(registry) == before + 1
        assert party.state.pending() == []
        return was_killed

    assert every_step(run) > 25


def test_the_receipt_is_kept_and_the_key_erased_however_often_it_is_killed(registry, home, tmp_path):
    party = party_of(home)

    def run(step):
        file = tmp_path / f"births-{step}.csv"
        file.write_bytes(rows(100, seed=b"receipt %d" % step))
        (sent,) = send(party, [file])
        registry.take()
        before = transfers_ever(registry)
        was_killed = killed(step, "send", "--home", home)
        (again,) = send(party, [file])
        assert (again.transfer, again.state) == (sent.transfer, "stored")
        assert again.receipt.exists()
        assert list((home / "sends").glob("*")) == []
        assert transfers_ever(registry) == before
        return was_killed

    assert every_step(run) >= 8


@pytest.mark.slow
def test_an_enrolment_killed_at_any_step_goes_on_with_the_keys_that_were_posted(registry, tmp_path):
    passphrase = tmp_path / "passphrase"
    enrol.make_passphrase_file(passphrase)

    def run(step):
        invitation, home = registry.invite(), tmp_path / f"home-{step}"
        arguments = ("enrol", invitation.encode(), "--home", home, "--passphrase-file", passphrase, "--timeout", 20)
        waiting = subprocess.Popen(
            [sys.executable, str(KILLED_AT), str(step), *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while waiting.poll() is None:
            registry.activate()
            time.sleep(0.05)
        waiting.communicate()
        begun = enrol.begin(home, invitation, passphrase_file=passphrase, environment={})
        registry.activate()
        enrolled = enrol.finish(home, timeout_s=5)
        assert enrolled.words == begun.words
        party = party_of(home)
        assert registry.submitters[enrolled.submitter].signing_key == party.signing.public
        assert registry.submitters[enrolled.submitter].sealing == party.sealing.public
        return waiting.returncode == -9

    assert every_step(run) >= 12


@pytest.mark.slow
def test_a_fetch_killed_at_any_step_opens_once_and_lets_the_gateway_destroy_its_copy(registry, home):
    party = party_of(home)
    files = {"report.html": b"<p>", "report.json": b"{}", "rejected.csv": b"a\n"}

    def run(step):
        transfer = registry.give(party.sealing.public, files, answers="0" * 32)
        was_killed = killed(step, "get", transfer, "--home", home)
        with party.client() as client:
            one = inbox.get(party, client, transfer)
            assert inbox.waiting(client) == ()
        assert one.is_acknowledged
        folder = home / "inbox" / transfer
        assert {path.name for path in folder.iterdir()} == {*files, "received.json"}
        return was_killed

    assert every_step(run) >= 18
