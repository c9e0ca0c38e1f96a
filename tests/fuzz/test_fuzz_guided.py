"""Every parser under a fuzzer that follows coverage (atheris, libFuzzer); those that face the network the longest.

What a file holds was sealed by someone who is enrolled, and is read behind a wall: seconds are enough for each change.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDED = Path(__file__).with_name("guided.py")
NAMES = re.findall(r'^    "([a-z0-9-]+)": \(', GUIDED.read_text("utf-8"), re.MULTILINE)
OF_FILES = {
    *("csv-files", "json-files", "excel-files", "excel-sheets", "fixed-width-files", "fhir-files", "hl7-files"),
    *("mapping-files", "lists-of-partners"),
}
ALONE = {"instructions", "content-digests", "uploads", "sftp-packets", "packs", "door-questions"}  # no other fuzzer's
STATED = os.environ.get("SWADDLE_GUIDED_SECONDS")


@pytest.mark.slow
@pytest.mark.first
@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_arrives_breaks_a_parser(name, tmp_path):
    pytest.importorskip("atheris", reason="atheris has no wheel for this Python or platform")
    seconds = STATED or ("8" if name in OF_FILES else "60" if name in ALONE else "40")
    done = subprocess.run(
        [sys.executable, GUIDED, name, seconds, tmp_path], capture_output=True, text=True, timeout=300, check=False
    )
    found = [path.read_bytes()[:200] for path in tmp_path.glob("crash-*")] + [
        path.read_bytes()[:200] for path in tmp_path.glob("timeout-*")
    ]
    assert done.returncode == 0, (found, done.stderr[-3000:])
    runs = re.search(r"Done (\d+) ", done.stdout + done.stderr)
    assert runs, done.stderr[-500:]
    assert int(runs[1]) > 200  # it did fuzz, on a busy machine too


def test_the_table_has_a_target_for_each_kind_of_input():
    assert set(NAMES) > OF_FILES | ALONE
    assert {"head", "json-messages", "instructions", "manifests", "crypt4gh-headers"} <= set(NAMES)
