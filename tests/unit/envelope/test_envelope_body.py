"""Bodies of every awkward size, sealed part by part and file to file, opened both ways."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from swaddle.envelope.keys import SealingPair
from swaddle.envelope.manifest import Description, FileEntry
from swaddle.envelope.parts import PART_BYTES, Layout
from swaddle.envelope.refusals import CutShort, DescriptionMalformed, PartChanged, SourceChanged, TrailingBytes
from swaddle.envelope.seal import PartSealer, SealedBody, close_envelope, new_data_key, seal_file
from swaddle.envelope.signature import SigningKey
from swaddle.envelope.unseal import BodyOpener, check_envelope, open_envelope, unseal_file
from swaddle.errors import OurBug

PAIR = SealingPair(bytes(range(32)), bytes(range(32, 64)))
SIGNER = SigningKey.from_seed(bytes(32))
NOW = datetime(2026, 11, 22, 9, 24, 37, tzinfo=UTC)
SMALL_PART = 131_072


def closed(body: SealedBody, data_key, plaintext_sha256="0" * 64):
    """Close an envelope around a body and open it again."""
    core = body.core(
        transfer="12" * 16,
        submitter="34" * 16,
        recipient=PAIR.public.key_id,
        created=NOW,
        expires=NOW + timedelta(hours=72),
    )
    entry = FileEntry("births.csv", body.layout.plaintext_bytes, plaintext_sha256)
    sealed = close_envelope(core, data_key, Description("births", (entry,)), PAIR.public, SIGNER)
    assert len(sealed.header) == 1_260
    manifest = check_envelope(sealed.manifest, sealed.header, sealed.description, {SIGNER.public}, set())
    return open_envelope(manifest, sealed.header, sealed.description, {PAIR.public.key_id: PAIR})


def sealed_in_parts(path, part_bytes, data_key, threads=2):
    """What a sender does: one part after another through one buffer."""
    layout = Layout(path.stat().st_size, part_bytes)
    parts, digests, plaintext = [], [], sha256()
    with path.open("rb") as source, PartSealer(data_key, part_bytes, threads) as sealer:
        for n in range(layout.parts):
            span = layout.span(n)
            part = sealer.seal(source.fileno(), span.plaintext_offset, span.plaintext_bytes, plaintext.update)
            parts.append(bytes(part.data))
            digests.append(part.sha256.hex())
    return parts, SealedBody(layout, tuple(digests)), plaintext.hexdigest()


SIZES = [0, 1, 65_535, 65_536, 65_537, SMALL_PART - 1, SMALL_PART, SMALL_PART + 1, 2 * SMALL_PART, 1_000_000]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("threads", [1, 2])
def test_part_by_part_every_size_comes_back(tmp_path, size, threads):
    source, data_key = tmp_path / "source", new_data_key()
    source.write_bytes(os.urandom(size))
    parts, body, digest = sealed_in_parts(source, SMALL_PART, data_key, threads)
    assert digest == sha256(source.read_bytes()).hexdigest()
    assert sum(map(len, parts)) == body.layout.body_bytes
    opener, plaintext = BodyOpener(closed(body, data_key)), bytearray()
    for n, part in enumerate(parts):
        opener.open_part(n, part, plaintext.extend)
    opener.finish()
    assert bytes(plaintext) == source.read_bytes()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("threads", [1, 2])
def test_file_to_file_every_size_comes_back(tmp_path, size, threads):
    source, body_path, target = tmp_path / "source", tmp_path / "body", tmp_path / "target"
    source.write_bytes(os.urandom(size))
    data_key = new_data_key()
    body = seal_file(source, body_path, data_key, SMALL_PART, threads)
    assert body_path.stat().st_size == body.layout.body_bytes
    unseal_file(closed(body, data_key), body_path, target, threads)
    assert target.read_bytes() == source.read_bytes()
    assert target.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("size", [PART_BYTES, PART_BYTES + 1])
def test_the_default_part_and_one_byte_more(tmp_path, size):
    source, body_path, target = tmp_path / "source", tmp_path / "body", tmp_path / "target"
    with source.open("wb") as out:
        out.truncate(size)
        out.write(b"first")
    data_key = new_data_key()
    body = seal_file(source, body_path, data_key)
    assert len(body.parts) == (1 if size == PART_BYTES else 2)
    assert body.layout.span(0).body_bytes == 67_137_536
    unseal_file(closed(body, data_key), body_path, target)
    assert sha256(target.read_bytes()).digest() == sha256(source.read_bytes()).digest()


def test_parts_go_into_a_descriptor_in_any_order(tmp_path):
    source, data_key = tmp_path / "source", new_data_key()
    source.write_bytes(os.urandom(3 * SMALL_PART + 5))
    parts, body, _ = sealed_in_parts(source, SMALL_PART, data_key)
    opener = BodyOpener(closed(body, data_key))
    with (tmp_path / "target").open("wb") as target:
        for n in (3, 0, 2, 1):
            opener.open_part(n, parts[n], target.fileno())
    opener.finish()
    assert (tmp_path / "target").read_bytes() == source.read_bytes()


def test_nothing_of_a_changed_part_is_given_out(tmp_path):
    source, data_key, given = tmp_path / "source", new_data_key(), []
    source.write_bytes(os.urandom(SMALL_PART))
    parts, body, _ = sealed_in_parts(source, SMALL_PART, data_key)
    opener = BodyOpener(closed(body, data_key))
    part = bytearray(parts[0])
    part[-1] ^= 1
    for wrong, refusal in ((part, PartChanged), (parts[0][:-1], CutShort), (parts[0] + b"x", TrailingBytes)):
        with pytest.raises(refusal):
            opener.open_part(0, wrong, given.append)
    with pytest.raises(TrailingBytes):
        opener.open_part(1, parts[0], given.append)
    with pytest.raises(CutShort):
        opener.finish()
    assert given == []


def test_a_stream_takes_no_part_twice(tmp_path):
    source, data_key = tmp_path / "source", new_data_key()
    source.write_bytes(b"x")
    parts, body, _ = sealed_in_parts(source, SMALL_PART, data_key)
    opener = BodyOpener(closed(body, data_key))
    opener.open_part(0, parts[0], bytearray().extend)
    with pytest.raises(OurBug):
        opener.open_part(0, parts[0], bytearray().extend)


def test_what_was_there_stays_when_a_body_is_refused(tmp_path):
    source, body_path, target = tmp_path / "source", tmp_path / "body", tmp_path / "target"
    source.write_bytes(b"new")
    target.write_bytes(b"old")
    data_key = new_data_key()
    opened = closed(seal_file(source, body_path, data_key), data_key)
    body_path.write_bytes(b"y" * body_path.stat().st_size)
    with pytest.raises(PartChanged):
        unseal_file(opened, body_path, target)
    assert target.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["body", "source", "target"]


def test_the_same_part_sealed_again_shares_no_nonce(tmp_path):
    source, data_key = tmp_path / "source", new_data_key()
    source.write_bytes(bytes(SMALL_PART))
    first, second = (sealed_in_parts(source, SMALL_PART, data_key)[0][0] for _ in range(2))
    nonces = {part[at : at + 12] for part in (first, second) for at in range(0, len(part), 65_564)}
    assert len(nonces) == 4


def test_a_file_that_shrinks_meanwhile_is_refused(tmp_path):
    source = tmp_path / "source"
    source.write_bytes(bytes(100))
    with source.open("rb") as file, PartSealer(new_data_key()) as sealer, pytest.raises(SourceChanged):
        sealer.seal(file.fileno(), 0, 101)


def test_a_description_that_tells_of_another_length_is_not_sealed(tmp_path):
    (tmp_path / "source").write_bytes(b"abc")
    data_key = new_data_key()
    body = seal_file(tmp_path / "source", tmp_path / "body", data_key)
    core = body.core(transfer="1" * 32, submitter="2" * 32, recipient=PAIR.public.key_id, created=NOW,
                     expires=NOW + timedelta(1))  # fmt: skip
    with pytest.raises(OurBug):
        close_envelope(core, data_key, Description("births", (FileEntry("a", 4, "0" * 64),)), PAIR.public, SIGNER)
    with pytest.raises(DescriptionMalformed):
        close_envelope(core, data_key, Description("births", (FileEntry("\udcff", 3, "0" * 64),)), PAIR.public, SIGNER)
    with pytest.raises(OurBug):
        close_envelope(core, data_key, Description("births", ()), SealingPair.generate().public, SIGNER)


@pytest.mark.slow
def test_over_four_gibibytes_in_little_memory(tmp_path):
    """A sparse file beyond 2^32 bytes, in a process of its own so that its peak is its own."""
    program = """
import os, resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_envelope_body as room
folder = Path(sys.argv[2])
source, body, target = folder / "source", folder / "body", folder / "target"
size = 2**32 + 65_537
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with source.open("wb") as out:
    out.truncate(size)
    out.seek(size - 4)
    out.write(b"last")
key = room.new_data_key()
opened = room.closed(room.seal_file(source, body, key), key)
source.unlink()
room.unseal_file(opened, body, target)
assert target.stat().st_size == size
with target.open("rb") as back:
    back.seek(size - 4)
    assert back.read() == b"last"
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, Path(__file__).parent, tmp_path], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 64


def test_sealing_and_opening_leave_no_thread_or_descriptor(tmp_path):
    descriptors = Path("/proc/self/fd")
    (tmp_path / "source").write_bytes(bytes(300_000))
    before = threading.active_count(), len(list(descriptors.iterdir())) if descriptors.is_dir() else 0
    data_key = new_data_key()
    opened = closed(seal_file(tmp_path / "source", tmp_path / "body", data_key, SMALL_PART), data_key)
    unseal_file(opened, tmp_path / "body", tmp_path / "target")
    after = threading.active_count(), len(list(descriptors.iterdir())) if descriptors.is_dir() else 0
    assert before == after
