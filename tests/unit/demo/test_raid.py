import os
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from swaddle.demo import raid, trial
from swaddle.demo.needles import Category
from swaddle.demo.search import Search

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="copies memory through /proc")

HOLDER = "import sys; held = bytes.fromhex(sys.stdin.readline()); print('ready', flush=True); sys.stdin.read()"


@pytest.fixture
def gateway(tmp_path):
    """A home and a process that holds what it is told: (home, tell)."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "transfers.db").write_bytes(os.urandom(3_000))
    process = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def hold(secret):
        process.stdin.write(secret.hex().encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        return process.pid

    yield home, hold
    process.stdin.close()
    process.stdout.close()
    process.wait()


def raided(home, process, tmp_path, needles, bodies=()):
    sought = raid.Sought()
    sought.add(needles)
    return raid.raid(
        home, process, tmp_path / "raid", sought, read=lambda _: raid.Lying(tuple(bodies)), publics=frozenset()
    )


def body(key):
    sealed = ChaCha20Poly1305(key).encrypt(nonce := os.urandom(12), b"local_record_id,", None)
    return trial.Body("transfer-number-1", nonce, sealed[:8], b"local_re")


@pytest.fixture
def _id_in_home(gateway):
    (gateway[0] / "index").write_bytes(b"held: transfer-number-1")


@pytest.mark.usefixtures("_id_in_home")
def test_what_lies_nowhere_is_not_found_and_the_markers_are(gateway, tmp_path):
    home, hold = gateway
    found = raided(home, hold(b"nothing"), tmp_path, [(b"Okafor,Thandiwe", Category.NAME)], [body(os.urandom(32))])
    assert found.is_proof
    assert found.markers_found == found.markers_planted >= 3
    assert found.keys_tried > 1_000


def test_a_name_in_a_file_and_one_in_memory_are_found(gateway, tmp_path):
    home, hold = gateway
    (home / "log").write_bytes(b"took births of Okafor,Thandiwe")
    process = hold(b"Nguyen,Linh Mai")
    found = raided(home, process, tmp_path, [(b"Okafor,Thandiwe", Category.NAME), (b"Nguyen,Linh Mai", Category.NAME)])
    assert not found.is_proof
    assert {hit.needle for hit in found.hits} == {b"Okafor,Thandiwe", b"Nguyen,Linh Mai"}
    assert any(hit.place.startswith("memory-") for hit in found.hits)


def test_a_data_key_in_memory_that_nobody_searched_for_opens_the_body(gateway, tmp_path):
    home, hold = gateway
    key = os.urandom(32)
    found = raided(home, hold(key), tmp_path, [(b"Okafor,Thandiwe", Category.NAME)], [body(key)])
    assert found.opened == {"transfer-number-1"}
    assert not found.is_proof


def test_a_copy_without_the_ids_that_a_gateway_knows_is_no_copy_of_it(gateway, tmp_path):
    home, hold = gateway
    found = raided(home, hold(b"nothing"), tmp_path, [(b"Okafor,Thandiwe", Category.NAME)], [body(os.urandom(32))])
    assert (found.controls_sought, found.controls_found) == (1, 0)
    assert not found.is_proof


def test_what_was_sent_is_found_in_what_was_sent(tmp_path):
    path = tmp_path / "births.csv"
    path.write_bytes(b"Okafor,Thandiwe\n")
    search = Search({b"Okafor,Thandiwe": 0, b"Nguyen,Linh": 0})
    assert raid.missed(search, [b"as text: Nguyen,Linh"], [path]) == 0
    assert raid.missed(search, [], [path]) == 1
