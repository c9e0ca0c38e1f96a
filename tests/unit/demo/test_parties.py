import os
import subprocess
import sys
import time

import pytest

from swaddle.demo.parties import Party, StepFailed, end, wait_for_line


def test_a_command_runs_in_its_home_and_its_output_is_read(tmp_path):
    said = Party(tmp_path / "home").run("--version", at_home=False)
    assert said.out.startswith("swaddle ")
    assert said.status == 0


def test_a_command_that_fails_stops_the_story_and_says_why_without_paths(tmp_path):
    with pytest.raises(StepFailed) as failed:
        Party(tmp_path / "somebodys-home").run("gateway", "status", "--json")
    assert "gateway status" in failed.value.text()
    assert "somebodys-home" not in failed.value.text()


def test_an_expected_failure_is_read_as_said(tmp_path):
    said = Party(tmp_path / "home").run("gateway", "status", allow=(3,))
    assert said.status == 3
    assert "fix:" in said.talk


def test_proxies_and_settings_of_this_machine_are_not_passed_on(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://nowhere.invalid:1")
    monkeypatch.setenv("SWADDLE_HOME", "/somewhere")
    from swaddle.demo import parties

    passed = parties._environment({"SWADDLE_PART_BYTES": "65536"})
    assert "HTTPS_PROXY" not in passed
    assert "SWADDLE_HOME" not in passed
    assert passed["SWADDLE_PART_BYTES"] == "65536"


@pytest.mark.skipif(os.name == "nt", reason="process groups")
def test_waiting_for_a_line_and_ending_a_process(tmp_path):
    log = tmp_path / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-c", "import time; print('listening on x', flush=True); time.sleep(60)"],
            stdout=sink,
            start_new_session=True,
        )
    assert wait_for_line(log, "listening", process) == "listening on x"
    began = time.monotonic()
    end(process)
    assert process.poll() is not None
    assert time.monotonic() - began < 40  # and not the 60 that it sleeps


def test_a_process_that_ends_before_its_line_is_an_error(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    with pytest.raises(StepFailed):
        wait_for_line(tmp_path / "log", "listening", process)
