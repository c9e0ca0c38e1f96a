"""Programs of others that look at Swaddle from outside: patterns in its text, and what its TLS offers.

They live in .venv-audit (`tools/venv audit`, which `make test-all` brings up); without it these tests are skipped.
"""

import json
import subprocess
from pathlib import Path

import pytest
from sftp_world import sftp_world

from gateway_world import make_home, running
from swaddle.gateway.settings import load
from swaddle.home import Kind, open_home

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / ".venv-audit" / "bin"
# What bandit finds by design, each with its reason; everything else it finds is a red test.
BY_DESIGN = {
    "B101": "assert narrows types for mypy; a check that must hold raises (ruff's S101 has the same reason)",
    "B404": "importing subprocess starts nothing",
    "B603": "subprocesses are started from lists; our own rule keeps them out of the gateway altogether",
    "B608": "our own rule looks at SQL: literal in gateway and state; in intake and indicators from the dictionary only",
}
BY_DESIGN_THERE = {
    ("B704", "src/swaddle/feedback/page.py"),  # the style sheet, a file of the package
    ("B704", "src/swaddle/feedback/figure.py"),  # a drawing of ours, each element and attribute of which it looked at
    ("B405", "src/swaddle/feedback/figure.py"),  # it reads what our own drawer wrote, nothing from outside
    ("B314", "src/swaddle/feedback/figure.py"),
    ("B406", "src/swaddle/indicators/worked_chart.py"),  # it takes escape() from there and reads no XML
    ("B104", "src/swaddle/gateway/run.py"),  # all addresses: compared, not bound
    ("B104", "src/swaddle/gateway/doctor.py"),  # likewise
    ("B104", "src/swaddle/gateway/sftp_doctor.py"),  # likewise
    ("B311", "src/swaddle/demo/broken.py"),  # the demo's made-up births come from a seed
    ("B311", "src/swaddle/demo/cohort.py"),
}

pytestmark = pytest.mark.slow


def program(name):
    path = PROGRAMS / name
    if not path.exists():
        pytest.skip(f"{name} is not here: tools/venv audit brings it")
    return str(path)


def run(*arguments, timeout=300):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=timeout, check=False, cwd=ROOT)


def test_bandit_finds_nothing_that_is_not_by_design():
    done = run(program("bandit"), "-q", "-r", "src", "-f", "json")
    found = json.loads(done.stdout)
    assert found["metrics"]["_totals"]["loc"] > 10_000  # it looked
    left = [
        (issue["test_id"], issue["filename"], issue["line_number"])
        for issue in found["results"]
        if issue["test_id"] not in BY_DESIGN and (issue["test_id"], issue["filename"]) not in BY_DESIGN_THERE
    ]
    assert left == []


class TestOurOwnRules:
    OPTIONS = ("--metrics", "off", "--disable-version-check")

    def test_each_rule_finds_what_it_must_and_leaves_the_rest_alone(self):
        done = run(
            program("semgrep"), "--test", *self.OPTIONS, "--config", "tools/semgrep/swaddle.yaml",
            "tools/semgrep/swaddle.py",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "9/9" in done.stdout

    def test_nothing_in_the_source_breaks_them(self):
        done = run(program("semgrep"), *self.OPTIONS, "--json", "--config", "tools/semgrep/swaddle.yaml", "src")
        found = json.loads(done.stdout)
        assert len(found["paths"]["scanned"]) > 100
        assert [(r["check_id"].split(".")[-1], r["path"], r["start"]["line"]) for r in found["results"]] == []


def test_tls_offers_what_the_modern_profile_allows_and_no_more(tmp_path):
    """sslyze against the running gateway: Mozilla's modern profile but for the certificate, which is pinned."""
    home = make_home(tmp_path / "gateway")
    authority = load(open_home(home, Kind.GATEWAY)).authority
    report = tmp_path / "report.json"
    with running(home):
        run(
            program("sslyze"), "--mozilla_config", "disable", "--tlsv1_3", "--tlsv1_2", "--tlsv1_1", "--tlsv1",
            "--sslv3", "--sslv2", "--heartbleed", "--openssl_ccs", "--robot", "--reneg", "--compression", "--early_data",
            "--elliptic_curves", "--certinfo", "--json_out", str(report), authority,
        )  # fmt: skip
    (server,) = json.loads(report.read_text())["server_scan_results"]
    assert server["connectivity_status"] == "COMPLETED", server
    result = {name: found["result"] for name, found in server["scan_result"].items() if found["status"] == "COMPLETED"}
    for old in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2"):
        assert result[f"{old}_cipher_suites"]["accepted_cipher_suites"] == [], old
    suites = {one["cipher_suite"]["name"] for one in result["tls_1_3_cipher_suites"]["accepted_cipher_suites"]}
    assert suites
    assert suites <= {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"}
    assert result["heartbleed"]["is_vulnerable_to_heartbleed"] is False
    assert result["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"] is False
    assert result["tls_compression"]["supports_compression"] is False
    assert result["tls_1_3_early_data"]["supports_early_data"] is False


def test_ssh_offers_what_the_list_says_and_ssh_audit_fails_none_of_it(tmp_path):
    with sftp_world(tmp_path) as world:
        done = run(program("ssh-audit"), "--json", "--port", str(world.port), "--skip-rate-test", "127.0.0.1")
    found = json.loads(done.stdout)
    offered = {kind: {one["algorithm"] for one in found[kind]} for kind in ("kex", "key", "enc", "mac")}
    assert offered["kex"] - {"kex-strict-s-v00@openssh.com", "ext-info-s"} == {
        "mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org",  # the last is its older name
    }  # fmt: skip
    assert offered["key"] == {"ssh-ed25519"}
    assert offered["enc"] == {"aes128-gcm@openssh.com", "aes256-gcm@openssh.com"}
    failed = [
        (kind, one["algorithm"])
        for kind in ("kex", "key", "enc")
        for one in found[kind]
        if one.get("notes", {}).get("fail")
    ]
    assert failed == []
