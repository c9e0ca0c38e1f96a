"""Wycheproof's vectors against the binding that the envelope stands on."""

import json

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from swaddle.envelope.refusals import SignatureInvalid
from swaddle.envelope.signature import PublicSigningKey

pytestmark = pytest.mark.real_data


@pytest.fixture
def groups(real_data, request):
    path = real_data / "wycheproof" / request.param
    if not path.is_file():
        pytest.skip("no Wycheproof files: set SWADDLE_REAL_DATA to a folder that has wycheproof/")
    return json.loads(path.read_text())["testGroups"]


def unhex(test, *names):
    return [bytes.fromhex(test[name]) for name in names]


@pytest.mark.parametrize("groups", ["chacha20_poly1305_test.json"], indirect=True)
def test_chacha20_poly1305(groups):
    count = 0
    for test in (test for group in groups for test in group["tests"]):
        key, nonce, aad, message, ciphertext, tag = unhex(test, "key", "iv", "aad", "msg", "ct", "tag")
        cipher, sealed, out = ChaCha20Poly1305(key), ciphertext + tag, bytearray(len(message))
        if test["result"] == "valid":
            into = bytearray(len(sealed))
            cipher.encrypt_into(nonce, message, aad, into)
            cipher.decrypt_into(nonce, sealed, aad, out)
            assert (bytes(into), bytes(out)) == (sealed, message), test["tcId"]
        else:
            with pytest.raises((InvalidTag, ValueError)):
                cipher.decrypt_into(nonce, sealed, aad, out)
        count += 1
    assert count > 300


@pytest.mark.parametrize("groups", ["x25519_test.json"], indirect=True)
def test_x25519(groups):
    count = 0
    for test in (test for group in groups for test in group["tests"]):
        private, public, shared = unhex(test, "private", "public", "shared")
        key = X25519PrivateKey.from_private_bytes(private)
        if "ZeroSharedSecret" in test["flags"]:  # `acceptable` to Wycheproof, refused by us
            with pytest.raises(ValueError):
                key.exchange(X25519PublicKey.from_public_bytes(public))
        else:
            assert key.exchange(X25519PublicKey.from_public_bytes(public)) == shared, test["tcId"]
        count += 1
    assert count > 500


@pytest.mark.parametrize("groups", ["ed25519_test.json"], indirect=True)
def test_ed25519(groups):
    count = 0
    for group in groups:
        public = bytes.fromhex(group["publicKey"]["pk"])
        for test in group["tests"]:
            message, signature = unhex(test, "msg", "sig")
            if test["result"] == "valid":
                PublicSigningKey(public).check_raw(signature, message)
            else:
                with pytest.raises(SignatureInvalid):
                    PublicSigningKey(public).check_raw(signature, message)
                with pytest.raises(InvalidSignature):
                    Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
            count += 1
    assert count > 140
