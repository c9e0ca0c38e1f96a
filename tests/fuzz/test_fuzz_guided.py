"""Every parser that faces the network, under a fuzzer that follows coverage (atheris, libFuzzer)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDED = Path(__file__).with_name("guided.py")
NAMES = re.findall(r'^    "([a-z0-9-]+)": \(', GUIDED.read_text("utf-8"), re.MULTILINE)
SECONDS = os.environ.get("SWADDLE_GUIDED_SECONDS", "20")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_arrives_breaks_a_parser(name, tmp_path):
    pytest.importorskip("atheris", reason="atheris has no wheel for this Python or platform")
    done = subprocess.run(
        [sys.executable, GUIDED, name, SECONDS, tmp_path], capture_output=True, text=True, timeout=300, check=False
    )
    found = [path.read_bytes()[:200] for path in tmp_path.glob("crash-*")] + [
        path.read_bytes()[:200] for path in tmp_path.glob("timeout-*")
    ]
    assert done.returncode == 0, (found, done.stderr[-3000:])
    runs = re.search(r"Done (\d+) ", done.stdout + done.stderr)
    assert runs, done.stderr[-500:]
    assert int(runs[1]) > 1000  # it did fuzz


def test_the_table_has_a_target_for_each_kind_of_input():
    assert {"head", "json-messages", "instructions", "manifests", "crypt4gh-headers"} <= set(NAMES)
