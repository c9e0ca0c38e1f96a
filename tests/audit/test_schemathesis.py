"""Requests made up from docs/openapi.json against a running gateway, signed so that they get in.

Every answer is one that the description names, of the form that it names; none is a fault of the gateway's.
"""

import re
import subprocess
from pathlib import Path

import pytest

from gateway_world import RealLine, World, make_home, running
from signing_front import signing_front
from swaddle.gateway.run import status

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / ".venv-audit" / "bin" / "schemathesis"
PULLER = re.compile(r"/v1/(instructions|journal|status|inbox|transfers/[^/]+/(lease|acknowledgement|give-back))$")
UNSIGNED = re.compile(r"/(healthz|readyz|v1/time|v1/claim|v1/enrolments/state)$")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PROGRAM.exists(), reason="schemathesis is not here: tools/venv audit brings it"),
]


def test_every_answer_is_one_that_the_description_names(tmp_path):
    home = make_home(tmp_path / "gateway")
    with running(home) as process:
        line = RealLine(home)
        world = World(line).claim()
        assert world.intake().status == 200
        party = world.enrol()

        def key_for(method, path):
            if UNSIGNED.match(path) or (path, method) == ("/v1/enrolments", "POST"):
                return None
            is_pullers = PULLER.match(path) or path == "/v1/enrolments"
            return world.pull if is_pullers else party.key

        with signing_front(line, key_for) as url:
            done = subprocess.run(
                [
                    PROGRAM, "run", ROOT / "docs" / "openapi.json", "--url", url, "--max-examples", "20", "--seed", "1",
                    "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
                    "--phases", "coverage,fuzzing", "--request-timeout", "20", "--continue-on-failure", "--no-color",
                    # appending has a media type that it cannot make up; tests/interop has real clients for it
                    "--generation-database", "none", "--exclude-method", "PATCH",
                ],
                capture_output=True, text=True, timeout=900, check=False, cwd=tmp_path,
            )  # fmt: skip
        line.close()
        assert process.poll() is None, "the gateway ended"
    report = done.stdout[-6000:] + done.stderr[-2000:]
    assert done.returncode == 0, report
    tested = re.search(r"(\d+) / (\d+)|Tested: (\d+)|(\d+) generated", done.stdout)
    assert tested, report
    assert not status(home)["freezes"], "a made-up request froze reading"
