"""The suite: its label, its sizes, and HPKE towards a public key (docs/spec/envelope.md, section 2).

Only sealing is here; opening needs a private key and lives in `keys`, which the gateway never imports.
"""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite

from swaddle.envelope.refusals import KeyMalformed

LABEL = "swaddle-1-mlkem768x25519-hkdfsha256-chacha20poly1305"
HEADER = "header"
DESCRIPTION = "description"
HPKE_PUBLIC_BYTES = 1_216
CRYPT4GH_PUBLIC_BYTES = 32
ENC_BYTES = 1_120
TAG_BYTES = 16
SEALED_EXTRA_BYTES = ENC_BYTES + TAG_BYTES
MLKEM_PUBLIC_BYTES = 1_184

HPKE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def info(purpose: str, context: bytes) -> bytes:
    """The HPKE `info`: suite label ‖ 0 ‖ purpose ‖ 0 ‖ SHA-256(context).

    What was sealed for one purpose and context opens for no other.
    """
    return b"\x00".join((LABEL.encode("ascii"), purpose.encode("ascii"), sha256(context).digest()))


def public_key(hpke: bytes) -> MLKEM768X25519PublicKey:
    """The HPKE public key of its 1,216 bytes.

    Raises:
        KeyMalformed: another length, or no ML-KEM key.
    """
    if len(hpke) != HPKE_PUBLIC_BYTES:
        raise KeyMalformed("a sealing key has 1,216 bytes")
    try:
        kem = MLKEM768PublicKey.from_public_bytes(hpke[:MLKEM_PUBLIC_BYTES])
        curve = X25519PublicKey.from_public_bytes(hpke[MLKEM_PUBLIC_BYTES:])
    except ValueError:
        raise KeyMalformed("it is not a sealing key") from None
    return MLKEM768X25519PublicKey(kem, curve)


def seal(plaintext: bytes, hpke: bytes, info_bytes: bytes) -> bytes:
    """HPKE base mode to `hpke`: enc (1,120) ‖ ciphertext ‖ tag (16).

    Raises:
        KeyMalformed: no usable key.
    """
    try:
        return HPKE.encrypt(plaintext, public_key(hpke), info_bytes)
    except ValueError:
        raise KeyMalformed("it is not a usable sealing key") from None
