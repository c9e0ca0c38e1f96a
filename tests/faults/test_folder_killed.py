"""kill -9 at the steps of sending a folder, spooled or not, and of taking it in; then run again: once, whole."""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import submitter_world
from killed_step import killed_in, pull
from submitter_world import GatewayProcess, Registry, enrolled_home, party_of, rows
from swaddle.envelope.pack_reader import contents, look_through
from swaddle.submitter import counting
from swaddle.submitter.send import send
from whole_world import make_world

KILLED_AT = Path(submitter_world.__file__).with_name("killed_at.py")
MOST_STEPS = 200


@pytest.fixture(autouse=True)
def without_counting(monkeypatch):
    monkeypatch.setattr(counting, "find_spec", lambda _: None)


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
    return enrolled_home(registry, tmp_path, part_bytes=65_536)


def killed(step, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SWADDLE")}
    done = subprocess.run(
        [sys.executable, str(KILLED_AT), str(step), *map(str, arguments)],
        capture_output=True, env=environment, timeout=60,
    )  # fmt: skip
    assert done.returncode in {0, -9}, done.stderr.decode()
    return done.returncode == -9


def transfers_ever(registry):
    return sum(registry.client.get_json("/v1/status")["transfers"].values())


def opened(registry):
    """What came, by name, over all transfers; each name at most once."""
    found = {}
    for transfer in registry.waiting():
        _, said, body, digest = registry.open(transfer)
        members = look_through([memoryview(body)], index_sha256=said.files[0].sha256, members=said.members)
        for member, content in contents([memoryview(body)], members):
            assert member.is_good
            assert member.name not in found
            found[member.name] = b"".join(map(bytes, content))
        registry.acknowledge(transfer, digest)
    return found


def kill_and_mend(registry, home, tmp_path, step, *options):
    party = party_of(home)
    folder = tmp_path / f"exports-{step}"
    (folder / "ward").mkdir(parents=True)
    files = {f"{n}.csv": rows(700 * n, seed=b"%d-%d" % (step, n)) for n in range(4)} | {"ward/é.csv": rows(9)}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    before = transfers_ever(registry)
    was_killed = killed(step, "send", folder, "--home", home, *options)
    (sent,) = send(party, [folder], spooled=bool(options))
    assert (sent.state, sent.members, sent.left_out) == ("held", 5, [])
    assert transfers_ever(registry) == before + 1
    if sent.is_spooled:
        shutil.rmtree(folder)
    assert opened(registry) == files
    assert [one.state for one in send(party, [])] == ["stored"]
    assert party.state.pending() == []
    assert list((home / "sends").iterdir()) == []
    assert not (home / "spool").exists() or list((home / "spool").iterdir()) == []
    if folder.exists():
        assert [one.state for one in send(party, [folder])] == ["unchanged"]
    return was_killed


def test_a_folder_killed_here_and_there_goes_on_as_the_same_transfer(registry, home, tmp_path):
    assert all(kill_and_mend(registry, home, tmp_path, step) for step in (3, 7, 12, 16, 20))


def test_a_spooled_folder_killed_here_and_there_goes_on_and_needs_its_files_no_more(registry, home, tmp_path):
    assert all(kill_and_mend(registry, home, tmp_path, step, "--spool") for step in (8, 15, 22))


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--spool",)], ids=["plain", "spooled"])
def test_a_folder_killed_at_any_step_goes_on_as_the_same_transfer(registry, home, tmp_path, options):
    ends = list(
        itertools.takewhile(bool, (kill_and_mend(registry, home, tmp_path, n, *options) for n in range(1, MOST_STEPS)))
    )
    assert 20 < len(ends) < MOST_STEPS - 1


STEPS = (
    "swaddle.durable:write_file",
    "swaddle.durable:append_line",
    "swaddle.wire.client:GatewayClient.post_json",
    "swaddle.wire.client:GatewayClient.get_part",
    "swaddle.registry.state:State.update",
    "swaddle.registry.loads:_Transaction.__exit__",
)
SEEDS = itertools.count(5000)


def pull_killed_at(home, kill_at):
    return killed_in(pull, home, STEPS, kill_at=kill_at)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    process = GatewayProcess(folder / "gateway")
    world = make_world(folder, process)
    world.enrol("Northshore General")
    yield world
    process.stop()


def pull_and_mend(world, tmp_path, kill_at):
    folder = tmp_path / f"pull-{kill_at}"
    folder.mkdir()
    for n in range(2):
        (folder / f"{n}.csv").write_bytes(world.births(4, seed=next(SEEDS)).read_bytes())
    (folder / "bad.csv").write_bytes(b"\x89PNG\r\n\x1a\n")
    (sent,) = world.send("Northshore General", folder)
    was_killed, steps = pull_killed_at(world.registry, kill_at)
    world.ask("pull")
    inside = world.inside()
    try:
        run = inside.store.connection.execute
        assert run("select count(*) from births where transfer = ?", [sent]).fetchone() == (8,)
        found = run(
            "select member, outcome, rows_stored from clinical.loads where transfer = ? order by 1", [sent]
        ).fetchall()
        assert found == [(0, "stored", 8), (1, "stored", 4), (2, "stored", 4), (3, "refused", 0)]
        for table in ("identifiers.persons", "clinical.births", "subjects.presence", "identifiers.reports"):
            strays = f"select count(*) from {table} where load_id not in (select load_id from clinical.loads)"
            assert run(strays).fetchone() == (0,), table
        events = [entry.event for entry in inside.ledger.entries(sent)]
        assert events.count("submission-stored") == 1
        assert inside.state.transfer(sent).feedback is not None
        assert not list(inside.spool.iterdir())
    finally:
        inside.close()
    return was_killed, steps


@pytest.mark.slow
def test_taking_a_folder_in_killed_here_and_there_is_made_good_by_the_next_look(world, tmp_path):
    was_killed, steps = pull_and_mend(world, tmp_path, -1)
    assert not was_killed
    for kill_at in (steps, 2 * steps - 20):
        assert pull_and_mend(world, tmp_path, kill_at)[0]


@pytest.mark.slow
@pytest.mark.first
@pytest.mark.parametrize("begin", [0, 2], ids=["even", "odd"])
def test_taking_a_folder_in_killed_at_any_step_is_made_good_by_the_next_look(world, tmp_path, begin):
    _, steps = pull_and_mend(world, tmp_path, -1)
    places = range(begin, 2 * steps, 4)
    ends = [pull_and_mend(world, tmp_path, kill_at)[0] for kill_at in places]
    assert ends.count(True) >= len(places) - 2
