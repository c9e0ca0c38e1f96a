"""The oracle: everything that root can copy from a running gateway, and every string in it tried as a key.

A real gateway process, with what real submitters sent and the registry's report waiting on it, and one transfer that is
over. Taken: disk, database and its log, configuration, environment, and the memory of the process. Passed when no value
that was sent, no file name, no secret of the registry or a submitter is in it, when no string of 32 bytes opens a body
or unseals a header, nor any of 16 bytes in the ways that one becomes a key, and when what is over is not there.
"""

import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from submitter_world import GatewayProcess
from swaddle.demo import copied, copying, raid, secrets_held, trial
from swaddle.demo.needles import Category
from whole_world import PASSPHRASE, make_world

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="copies memory through /proc")
NORTH = "Northshore General"
FILE_NAME = "oracle-of-marker-births.csv"


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """(what a raid found, the copy, the homes that were not raided)."""
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway")
    world = make_world(folder, gateway)
    world.enrol(NORTH)
    over = world.births(30, seed=1)
    (ended,) = world.send(NORTH, over)
    world.ask("pull")  # its report waits on the gateway now
    waiting = [world.births(40, seed=seed) for seed in (2, 3)]
    waiting[1] = waiting[1].rename(waiting[1].with_name(FILE_NAME))
    transfers = world.send(NORTH, *waiting)
    sought = raid.Sought()
    texts = [path.read_bytes() for path in (over, *waiting)]
    for text in texts:
        sought.add((line, Category.NAME) for line in text.splitlines()[1:] if len(line) >= 24)
    sought.add([(FILE_NAME.encode(), Category.NAME), (NORTH.encode(), Category.NAME)])
    secret = folder / "registry-passphrase"
    secret.write_bytes(PASSPHRASE)
    registry = SimpleNamespace(home=world.registry, passphrase_file=secret)
    submitter = SimpleNamespace(home=world.submitters[NORTH], passphrase_file=folder / "passphrase-0")
    held = [*secrets_held.of_registry(registry), *secrets_held.of_submitter(submitter)]
    sought.add_secrets(held)
    (gateway.home / "environment").write_bytes(Path(f"/proc/{gateway.process.pid}/environ").read_bytes())
    beginnings = {transfer: text[:8] for transfer, text in zip(transfers, texts[1:], strict=True)}
    found = raid.raid(
        gateway.home, gateway.process.pid, folder / "raid", sought,
        read=lambda home: copied.lying(home, beginnings), publics=secrets_held.sealed_to([registry, submitter]),
    )  # fmt: skip
    yield SimpleNamespace(
        found=found, home=found.taken.home, memory=found.taken.memory, held=held, ended=ended, transfers=transfers,
        beginnings=beginnings, gateway=gateway, world=world,
    )  # fmt: skip
    gateway.stop()


def bodies(taken):
    return copied.lying(taken.home, taken.beginnings).bodies


def test_no_value_no_file_name_no_secret_is_in_what_was_taken(taken):
    assert taken.found.hits == ()
    assert sum(taken.found.sought.values()) > 100
    assert taken.found.markers_found == taken.found.markers_planted
    assert taken.found.controls_found == taken.found.controls_sought == len(taken.transfers)


def test_no_string_of_32_bytes_opens_anything(taken):
    assert taken.found.opened == frozenset()
    assert taken.found.keys_tried > 10_000
    assert taken.found.keys_left_out == 0


def test_the_true_keys_would_have_opened_them(taken):
    """The control: the same trial, given what the submitter's home holds."""
    keys = [
        np.frombuffer(key, dtype=np.uint8)[None, :]
        for key, kind in taken.held
        if kind is Category.KEY and len(key) == 32
    ]
    opened = {body.transfer for body in bodies(taken) for key in keys if trial.opening(key, body)}
    assert opened == set(taken.transfers)


def test_no_string_of_16_bytes_becomes_a_key_that_does(taken):
    """Twice over, under SHA-256, BLAKE2 and HKDF: what a program makes of a short secret."""
    windows = set()
    plain = [path for path in taken.home.rglob("*") if path.is_file() and path.parent.name != "bodies"]
    for path in (*plain, *(each for each in taken.memory if each.name.startswith("memory-"))):
        data = path.read_bytes()
        step = 1 if path in plain else 16
        for start in range(0, len(data) - 15, step):
            piece = data[start : start + 16]
            if len(set(piece)) >= 12:
                windows.add(piece)
            if len(windows) > 150_000:
                break
    made = bytearray()
    for piece in windows:
        made += piece * 2 + hashlib.sha256(piece).digest() + hashlib.blake2b(piece, digest_size=32).digest()
    for piece in list(windows)[:5000]:
        from cryptography.hazmat.primitives.hashes import SHA256

        made += HKDFExpand(SHA256(), 32, None).derive(piece.ljust(32, b"\0"))
    keys = np.frombuffer(bytes(made), dtype=np.uint8).reshape(-1, 32)
    assert len(keys) > 30_000
    assert [body.transfer for body in bodies(taken) if trial.opening(keys, body)] == []


def test_what_is_over_is_not_there(taken):
    rows = {each.id for each in copied.held(taken.home)}
    assert set(taken.transfers) <= rows
    assert taken.ended not in rows  # a tombstone: no manifest, header, description or body
    known = {path.name for path in (taken.home / "bodies").iterdir() if path.is_file()}
    named = {part.name for each in copied.held(taken.home) for part in each.parts}
    assert known == named


def test_no_credential_of_it_is_of_use_inward(taken):
    """Each private key that lies in the copy is one of the gateway's own: TLS and journal, and opens nothing."""
    private = [
        path.name for path in taken.home.rglob("*")
        if path.is_file() and path.parent.name != "bodies" and b"PRIVATE KEY" in path.read_bytes()
    ]  # fmt: skip
    assert private
    assert all(name.startswith(("tls", "journal")) for name in private)
    lines = {path.read_bytes() for path in (taken.world.registry / "keys").rglob("*") if path.is_file()}
    assert not any(
        path.read_bytes() in lines for path in taken.home.rglob("*") if path.is_file() and path.stat().st_size
    )


def test_the_memory_was_of_the_gateway(taken):
    assert taken.found.taken.memory_bytes > 10 * 2**20
    assert copying.family(taken.gateway.process.pid)[0] == taken.gateway.process.pid
