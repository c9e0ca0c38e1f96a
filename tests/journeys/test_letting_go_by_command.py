"""A privacy officer and a colleague by the command line: a schedule, a hold by two, a disposal, its proof."""

import json
import os
import stat
import subprocess
import sys

import pytest
from quiet_registry import QuietRegistry, birth, births, make_home, schedule

from swaddle import durable
from swaddle.envelope.signature import SigningKey
from swaddle.registry.run import run_forever
from swaddle.registry.settings import Settings
from swaddle.settings import as_toml

pytestmark = pytest.mark.slow
OLD, YOUNG = "1990-05-03", "2020-05-03"


@pytest.fixture
def home(tmp_path):
    make_home(tmp_path / "template")
    registry = QuietRegistry(tmp_path / "registry", tmp_path / "template")
    registry.take(births(birth("N1", OLD), birth("N2", YOUNG)))
    registry.close()
    secret = tmp_path / "passphrase"
    secret.write_bytes(b"a passphrase of the tests\n")
    secret.chmod(stat.S_IRUSR | stat.S_IWUSR)
    durable.write_file(
        registry.path / "settings.toml",
        as_toml(Settings(gateway_url="https://127.0.0.1:1", passphrase_file=str(secret))).encode(),
    )
    for name in ("ada", "ben"):
        key = SigningKey.generate()
        (tmp_path / name).write_bytes(key.to_openssh())
        (tmp_path / f"{name}.pub").write_text(f"{key.public.line} {name}\n")
    return registry.path


@pytest.fixture
def swaddle(home):
    def run(*arguments, given=None, status=0):
        done = subprocess.run(
            [sys.executable, "-m", "swaddle", *map(str, arguments), "--home", str(home)],
            input=given, capture_output=True, text=True, check=False, env={**os.environ},
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        return done.stdout

    return run


def test_a_schedule_a_hold_by_two_a_disposal_and_its_proof(home, swaddle, tmp_path):
    for name in ("ada", "ben"):
        swaddle("people", "add", name.title(), tmp_path / f"{name}.pub", "--role", "privacy officer")
    assert "No schedule was adopted" in swaddle("registry", "retention", "show")
    assert swaddle("registry", "retention", "show", "--toml").startswith("#")
    assert "nothing is done by them" in swaddle("registry", "retention", "preview")
    ours = tmp_path / "ours.toml"
    ours.write_text(schedule())
    swaddle("registry", "retention", "adopt", ours, status=2)  # there are people: one of them signs
    assert "by Ada" in swaddle("registry", "retention", "adopt", ours, "--key", tmp_path / "ada")
    who = swaddle("registry", "hold", "person", "--submitter", "North", given="MN1\n").split()
    assert who[1] == "1"
    told = ["registry", "hold", "add", "--kind", "access", "--reason", "request 7", "--review", "2030-01-01"]
    swaddle(*told, "--key", tmp_path / "ada", status=2)  # of what?
    made = json.loads(swaddle(*told, "--person", who[0], "--key", tmp_path / "ada", "--json"))
    assert made["in_force"]
    swaddle("registry", "hold", "confirm", made["hold"][:8], "--key", tmp_path / "ada", status=2)
    assert "access, standing" in swaddle("registry", "hold", "confirm", made["hold"][:8], "--key", tmp_path / "ben")
    assert "1 records and 0 reports are due and on hold" in swaddle("registry", "dispose", "--preview")
    assert json.loads(swaddle("registry", "status", "--json"))["letting_go"]["holds"] == 1
    assert "review 2031-01-01" in swaddle(
        "registry", "hold", "review", made["hold"][:8], "--until", "2031-01-01", "--key", tmp_path / "ben"
    )
    assert "still holds" in swaddle("registry", "hold", "release", made["hold"][:8], "--key", tmp_path / "ben")
    assert "released" in swaddle("registry", "hold", "release", made["hold"][:8], "--key", tmp_path / "ada")
    assert swaddle("registry", "hold", "list") == "Nothing is on hold.\n"
    swaddle("registry", "dispose", status=2)  # for good, so --yes
    done = json.loads(swaddle("registry", "dispose", "--yes", "--json"))
    assert done["counts"]["numbers"] == 1
    assert done["id"][:8] in swaddle("registry", "disposal", "list")
    assert "holds: 2 in its list" in swaddle("registry", "disposal", "verify", done["id"][:8])
    found = swaddle("registry", "disposal", "find", "--submitter", "North", given="N2\nN1\n")
    assert f"number 2 of the list: disposal {done['id'][:8]}" in found
    assert "N1" not in found
    assert "data-disposed" in swaddle("custody", "show", done["id"][:8])


def test_the_night_comes_though_the_gateway_is_away(home, swaddle, tmp_path):
    ours = tmp_path / "ours.toml"
    ours.write_text(schedule())
    swaddle("registry", "retention", "adopt", ours)
    said = []
    run_forever(home, lambda _: b"a passphrase of the tests", said.append, stop_after=1)
    assert any("1 records let go of" in line for line in said), said
    assert json.loads(swaddle("registry", "disposal", "list", "--json"))["disposals"][0]["state"] == "done"
