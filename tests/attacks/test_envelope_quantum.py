"""Threat 3: what lies on a gateway cannot be opened with an X25519 secret alone, nor with the ML-KEM half alone."""

import os
from datetime import UTC, datetime, timedelta
from hashlib import shake_256

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

from swaddle.envelope import suite
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.manifest import Description, FileEntry
from swaddle.envelope.seal import close_envelope, new_data_key, seal_file
from swaddle.envelope.signature import SigningKey

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def stored(tmp_path):
    """A pair, the core, and every byte that a gateway keeps of a transfer."""
    pair, data_key = SealingPair.generate(), new_data_key()
    (tmp_path / "source").write_bytes(b"Doe,Jane,1990-01-01\n" * 10)
    body = seal_file(tmp_path / "source", tmp_path / "body", data_key)
    core = body.core(
        transfer="1" * 32, submitter="2" * 32, recipient=pair.public.key_id, created=NOW, expires=NOW + timedelta(1)
    )
    description = Description("births", (FileEntry("doe-family.csv", 200, "0" * 64),))
    return pair, core, close_envelope(core, data_key, description, pair.public, SigningKey.generate()), data_key


def test_no_classic_header_lies_beside_the_sealed_one(stored, tmp_path):
    _, _, sealed, data_key = stored
    kept = sealed.header + sealed.description + sealed.manifest.message + (tmp_path / "body").read_bytes()
    for secret in (b"crypt4gh", b"doe-family", b"Jane", data_key, data_key.hex().encode()):
        assert secret not in kept


def test_half_of_the_hybrid_key_opens_nothing(stored):
    pair, core, sealed, _ = stored
    wide = shake_256(pair.hpke_seed).digest(96)
    halves = MLKEM768PrivateKey.from_seed_bytes(wide[:64]), X25519PrivateKey.from_private_bytes(wide[64:])
    broken_curve = MLKEM768X25519PrivateKey(MLKEM768PrivateKey.from_seed_bytes(os.urandom(64)), halves[1])
    broken_kem = MLKEM768X25519PrivateKey(halves[0], X25519PrivateKey.generate())
    info = suite.info(suite.HEADER, core.canonical())
    for half in (broken_curve, broken_kem):
        with pytest.raises(InvalidTag):
            suite.HPKE.decrypt(sealed.header, half, info)
    assert suite.HPKE.decrypt(sealed.header, MLKEM768X25519PrivateKey(*halves), info).startswith(b"crypt4gh")
