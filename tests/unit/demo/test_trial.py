import base64
import os
from hashlib import shake_256

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from swaddle.demo import trial

PLAIN = b"record_id,site,and,so,on"


def body(key):
    nonce = os.urandom(12)
    sealed = ChaCha20Poly1305(key).encrypt(nonce, PLAIN, None)
    return trial.Body("transfer", nonce, sealed[:8], PLAIN[:8])


def tried(path, one, step=1):
    batches = [trial.encoded_keys(path), *trial.windows(path, step)]
    return [hit for batch in batches for hit in trial.opening(batch, one)]


def test_a_data_key_that_lies_about_is_found_at_any_offset(tmp_path):
    key = os.urandom(32)
    path = tmp_path / "transfers.db"
    path.write_bytes(os.urandom(1_003) + key + os.urandom(77))
    assert tried(path, body(key)) == [key]
    assert tried(path, body(os.urandom(32))) == []


def test_a_key_in_hex_or_base64_is_found(tmp_path):
    key = os.urandom(32)
    path = tmp_path / "settings.toml"
    for text in (key.hex().encode(), base64.b64encode(b"x" + key), base64.urlsafe_b64encode(key).rstrip(b"=")):
        path.write_bytes(b'{"secret": "' + text + b'"}')
        assert key in tried(path, body(key))


def test_memory_is_tried_at_every_sixteenth_byte(tmp_path):
    key = os.urandom(32)
    path = tmp_path / "memory-1"
    path.write_bytes(b"\0" * 4_800 + key + b"\0" * 640)
    assert tried(path, body(key), step=16) == [key]


def test_the_seed_of_a_private_key_is_known_by_its_public_half_and_a_bare_secret_is_none():
    secret, seed = os.urandom(32), os.urandom(32)

    def public(raw):
        return X25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()

    publics = frozenset({public(secret), public(shake_256(seed).digest(96)[64:])})
    keys = np.frombuffer(secret + os.urandom(32) + seed, dtype=np.uint8).reshape(3, 32)
    assert trial.unsealing(keys, publics) == [seed]


def test_random_keys_are_never_left_out_and_text_and_zeros_are(tmp_path):
    path = tmp_path / "many"
    path.write_bytes(os.urandom(32 * 2_000))
    assert sum(map(len, trial.windows(path, 32))) == 2_000
    path.write_bytes(b"a line of words, and a line of words; " * 500 + b"\0" * 9_000)
    assert sum(map(len, trial.windows(path, 1))) == 0
