"""Both ways with the reference `crypt4gh` package: it opens ours once unsealed, ours opens what it sealed."""

import io
import os

import crypt4gh.header as reference_header
import crypt4gh.lib as reference
import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from swaddle.envelope import crypt4gh
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.parts import SEALED_SEGMENT_BYTES
from swaddle.envelope.refusals import DataKeys, EditList
from swaddle.envelope.seal import seal_file
from swaddle.envelope.segments import Batches

PAIR = SealingPair(bytes(range(32)), bytes(range(32, 64)))
READER = PAIR.public.crypt4gh
SIZES = [0, 1, 65_535, 65_536, 65_537, 1_000_000]


@pytest.mark.parametrize("size", SIZES)
def test_the_reference_opens_our_header_and_body(tmp_path, size):
    plaintext, data_key = os.urandom(size), os.urandom(32)
    (tmp_path / "source").write_bytes(plaintext)
    seal_file(tmp_path / "source", tmp_path / "body", data_key, 131_072)
    header = crypt4gh.write_header(data_key, READER, os.urandom(32), os.urandom(12))
    out = io.BytesIO()
    reference.decrypt([(0, PAIR.crypt4gh_secret, None)], io.BytesIO(header + (tmp_path / "body").read_bytes()), out)
    assert out.getvalue() == plaintext


@pytest.mark.parametrize("size", SIZES)
def test_we_open_header_and_body_of_the_reference(size):
    plaintext, out = os.urandom(size), io.BytesIO()
    reference.encrypt([(0, os.urandom(32), READER)], io.BytesIO(plaintext), out)
    header, body = out.getvalue()[:124], memoryview(out.getvalue())[124:]
    opened = memoryview(bytearray(size))
    Batches(crypt4gh.read_header(header, PAIR.crypt4gh_secret)).open(body, opened)
    assert bytes(opened) == plaintext


def test_a_header_of_the_reference_for_two_readers_is_read_by_one():
    other = SealingPair.generate().public.crypt4gh
    secret, data_key = os.urandom(32), os.urandom(32)
    content = reference_header.make_packet_data_enc(0, data_key)
    packets = reference_header.encrypt(content, [(0, secret, other), (0, secret, READER)])
    header = reference_header.serialize(packets)
    assert crypt4gh.read_header(header, PAIR.crypt4gh_secret) == data_key
    with pytest.raises(DataKeys):
        crypt4gh.read_header(header, os.urandom(32))


def test_an_edit_list_by_the_reference_is_refused():
    out, edited = io.BytesIO(), io.BytesIO()
    reference.encrypt([(0, os.urandom(32), READER)], io.BytesIO(bytes(200_000)), out)
    out.seek(0)
    reference.rearrange([(0, PAIR.crypt4gh_secret, READER)], out, edited, offset=10, span=100)
    header = edited.getvalue()[: -2 * SEALED_SEGMENT_BYTES] if len(edited.getvalue()) > 140_000 else edited.getvalue()
    length = 16 + sum(len(packet) + 4 for packet in reference_header.parse(io.BytesIO(header)))
    with pytest.raises(EditList):
        crypt4gh.read_header(header[:length], PAIR.crypt4gh_secret)


def test_the_reference_takes_what_we_refuse():
    """Why a manifest is needed at all: Crypt4GH alone accepts a body without its first segment."""
    data_key, out = os.urandom(32), io.BytesIO()
    cipher = ChaCha20Poly1305(data_key)
    segments = [(nonce := os.urandom(12)) + cipher.encrypt(nonce, bytes([n]) * 65_536, None) for n in range(3)]
    header = crypt4gh.write_header(data_key, READER, os.urandom(32), os.urandom(12))
    reference.decrypt([(0, PAIR.crypt4gh_secret, None)], io.BytesIO(header + segments[2] + segments[1]), out)
    assert out.getvalue() == b"\2" * 65_536 + b"\1" * 65_536
