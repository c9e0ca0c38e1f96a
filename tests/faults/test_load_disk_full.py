"""A disk that is full while a submission is stored: said as such, nothing half there, whole at the next run."""

import multiprocessing
import resource
import signal

import pytest

from submitter_world import GatewayProcess
from swaddle.durable import DiskFault
from swaddle.registry.operations import ask
from whole_world import make_world, passphrase

CONTEXT = multiprocessing.get_context("spawn")


def pull_on_a_full_disk(home, limit_bytes, said):
    """A pull whose process may not make any file longer than `limit_bytes`: the kernel refuses as a full disk does."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    try:
        ask(home, passphrase, "pull")
    except DiskFault as error:
        said.value = error.code.encode()
    except BaseException as error:  # noqa: BLE001  told to the test
        said.value = type(error).__name__.encode()[:60]


@pytest.fixture
def world(tmp_path):
    gateway = GatewayProcess(tmp_path / "gateway")
    world = make_world(tmp_path, gateway)
    world.enrol("Northshore General")
    yield world
    gateway.stop()


@pytest.mark.slow
def test_a_full_disk_while_loading_loses_nothing_and_leaves_nothing_half_there(world):
    (sent,) = world.send("Northshore General", world.births(4000, seed=5))
    sizes = [path.stat().st_size for path in (world.registry / "store").glob("*.duckdb")]
    said = CONTEXT.Array("c", 64)
    process = CONTEXT.Process(target=pull_on_a_full_disk, args=(world.registry, max(sizes) + 65_536, said))
    process.start()
    process.join(120)
    assert said.value == b"SWD-DISK-01"
    inside = world.inside()
    try:
        assert inside.store.totals() == {"rows": 0, "subjects": 0}
        assert inside.store.verdict(sent) is None
    finally:
        inside.close()
    (taken,) = world.ask("pull")["transfers"]
    assert taken["outcome"] == "stored"
    assert taken["rows"] == {"read": 4000, "stored": 4000, "rejected": 0, "duplicates": 0}
