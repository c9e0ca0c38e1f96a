"""Private sealing keys, and the scrypt box in which secrets lie on disk. Never imported by the gateway.

A sealing pair is an HPKE key kept as its 32-byte seed and an X25519 Crypt4GH key (docs/spec/envelope.md, sections 2
and 8). Nothing here prints a secret; `repr` shows the key id.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from functools import cached_property
from hashlib import shake_256
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from swaddle.canonical import NotCanonical, canonical, parse_canonical
from swaddle.envelope import suite
from swaddle.envelope.members import Members
from swaddle.envelope.public import SealingPublic
from swaddle.envelope.refusals import KeyFileUnreadable, KeyMalformed, PassphraseMissing, PassphraseWrong, WrongCore

SEALING_PAIR = "swaddle-sealing-pair"
STORE_KEYS = "swaddle-store-keys"
SEED_BYTES = 32
_COST = {"n": 2**15, "r": 8, "p": 2}  # 32 MiB, about a fifth of a second (decision 0096)
_MOST_COST = {"n": 2**20, "r": 16, "p": 4}
_SALT_BYTES = 16
_NONCE_BYTES = 12


@dataclass(frozen=True, repr=False)
class SealingPair:
    """The private half of a sealing pair: a 32-byte HPKE seed and a 32-byte Crypt4GH secret."""

    hpke_seed: bytes
    crypt4gh_secret: bytes

    def __repr__(self) -> str:
        return f"SealingPair({self.public.key_id})"

    @classmethod
    def generate(cls) -> Self:
        """A new random pair."""
        return cls(os.urandom(SEED_BYTES), os.urandom(SEED_BYTES))

    @cached_property
    def _hpke(self) -> MLKEM768X25519PrivateKey:
        return MLKEM768X25519PrivateKey(*self._halves())

    @cached_property
    def public(self) -> SealingPublic:
        """The public half."""
        kem, curve = self._halves()
        hpke = kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
        crypt4gh = X25519PrivateKey.from_private_bytes(self.crypt4gh_secret).public_key().public_bytes_raw()
        return SealingPublic(hpke, crypt4gh)

    def open_sealed(self, sealed: bytes, info: bytes) -> bytes:
        """The plaintext of an HPKE message to this pair.

        Raises:
            WrongCore: it was sealed to another key or under another `info`, or it was changed.
        """
        try:
            return suite.HPKE.decrypt(sealed, self._hpke, info)
        except (InvalidTag, ValueError):
            raise WrongCore from None

    def to_file(self, passphrase: bytes) -> bytes:
        """The key file: both secrets in a scrypt box, both public keys beside it.

        Raises:
            PassphraseMissing: the passphrase is empty.
        """
        public = {"key_id": self.public.key_id, "public": self.public.keys_json()}
        return seal_secrets(SEALING_PAIR, self.hpke_seed + self.crypt4gh_secret, passphrase, public)

    @classmethod
    def from_file(cls, data: bytes, passphrase: bytes) -> Self:
        """The pair of a key file.

        Raises:
            KeyFileUnreadable: not such a file, or its public half is another key's.
            PassphraseWrong: the passphrase does not open it.
        """
        secrets, public = open_secrets(SEALING_PAIR, data, passphrase)
        if len(secrets) != 2 * SEED_BYTES:
            raise KeyFileUnreadable("it does not hold a pair of keys")
        pair = cls(secrets[:SEED_BYTES], secrets[SEED_BYTES:])
        if public != {"key_id": pair.public.key_id, "public": pair.public.keys_json()}:
            raise KeyFileUnreadable("its public half is another key's")
        return pair

    def _halves(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        """Expand the seed: SHAKE256 to 64 bytes of ML-KEM seed and 32 of X25519 secret."""
        wide = shake_256(self.hpke_seed).digest(96)
        return MLKEM768PrivateKey.from_seed_bytes(wide[:64]), X25519PrivateKey.from_private_bytes(wide[64:])


def public_of_file(data: bytes) -> SealingPublic:
    """The public half that a sealing pair's file shows, without its passphrase (not authenticated).

    Raises:
        KeyFileUnreadable: not such a file.
    """
    value = _parse(SEALING_PAIR, data)
    try:
        keys = value["public"] if isinstance(value.get("public"), dict) else {}
        return SealingPublic.from_json({"key_id": value.get("key_id"), **keys})
    except KeyMalformed:
        raise KeyFileUnreadable("its public half is broken") from None


def seal_secrets(kind: str, secrets: bytes, passphrase: bytes, public: dict[str, Any]) -> bytes:
    """A key file of `kind`: `secrets` under scrypt and ChaCha20-Poly1305, everything else in it authenticated.

    Args:
        kind: the member that names the file's kind, as `swaddle-store-keys`.
        secrets: what is locked.
        passphrase: not empty.
        public: further members, readable by anybody; they cannot be changed without the passphrase.

    Raises:
        PassphraseMissing: the passphrase is empty.
    """
    if not passphrase:
        raise PassphraseMissing("it is empty")
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    clear = {**public, kind: 1, "scrypt": {**_COST, "salt": _text(salt)}, "nonce": _text(nonce)}
    box = _cipher(passphrase, salt, _COST).encrypt(nonce, secrets, canonical(clear))
    return canonical({**clear, "box": _text(box)}) + b"\n"


def open_secrets(kind: str, data: bytes, passphrase: bytes) -> tuple[bytes, dict[str, Any]]:
    """The secrets of a key file of `kind`, and its further public members.

    Raises:
        KeyFileUnreadable: not such a file, or one that asks for more work than a reader does.
        PassphraseWrong: the passphrase does not open it, or it was changed.
    """
    value = _parse(kind, data)
    own = {kind, "scrypt", "nonce", "box"}
    members = Members({name: value.get(name) for name in own}, own, KeyFileUnreadable)
    work = Members(members.anything("scrypt"), ("n", "r", "p", "salt"), KeyFileUnreadable)
    cost = {name: work.integer(name, 1) for name in _COST}
    if any(cost[name] > most for name, most in _MOST_COST.items()) or cost["n"] < 2 or cost["n"] & (cost["n"] - 1):
        raise KeyFileUnreadable("it asks for more work than a reader does")
    nonce, box, salt = members.base64("nonce", _NONCE_BYTES), members.base64("box"), work.base64("salt")
    clear = {name: member for name, member in value.items() if name != "box"}
    try:
        secrets = _cipher(passphrase, salt, cost).decrypt(nonce, box, canonical(clear))
    except InvalidTag:
        raise PassphraseWrong from None
    return secrets, {name: member for name, member in value.items() if name not in own}


def _parse(kind: str, data: bytes) -> dict[str, Any]:
    try:
        value = parse_canonical(data.removesuffix(b"\n"), 65_536)
    except NotCanonical:
        raise KeyFileUnreadable("it is not canonical JSON") from None
    if type(value.get(kind)) is not int or value[kind] != 1:
        raise KeyFileUnreadable(f"it is not a {kind} file of version 1")
    return value


def _cipher(passphrase: bytes, salt: bytes, cost: dict[str, int]) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(Scrypt(salt=salt, length=32, **cost).derive(passphrase))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
