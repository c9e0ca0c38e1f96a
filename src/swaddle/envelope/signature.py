"""Signing keys and signed statements: Ed25519, OpenSSH files, SSHSIG over canonical JSON.

Use `sign` and `open_signed`; the namespace is fixed by the place where a statement is read, never taken from it. What
is signed here is verified by `ssh-keygen -Y verify` on any machine, and the other way round (docs/spec/envelope.md,
section 7).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_ssh_private_key,
)

from swaddle.canonical import canonical, parse_canonical
from swaddle.envelope import sshsig
from swaddle.envelope.refusals import (
    KeyFileUnreadable,
    KeyMalformed,
    PassphraseWrong,
    SignatureInvalid,
    StatementMalformed,
    WrongSigner,
)

ROOT = "swaddle-root-v1"
MANIFEST = "swaddle-manifest-v1"
INTAKE = "swaddle-intake-v1"
INSTRUCTION = "swaddle-instruction-v1"
ACKNOWLEDGEMENT = "swaddle-acknowledgement-v1"
GIVE_BACK = "swaddle-give-back-v1"
RECEIPT = "swaddle-receipt-v1"
ENROLMENT = "swaddle-enrolment-v1"
HELD = "swaddle-held-v1"
JOURNAL = "swaddle-journal-v1"
PERSON = "swaddle-person-v1"

_LINE = re.compile(r"ssh-ed25519 ([A-Za-z0-9+/]{68})")
_KDF_ROUNDS = 16  # of bcrypt, in a locked key file; a tenth of a second


@dataclass(frozen=True)
class PublicSigningKey:
    """An Ed25519 public key; equal keys are equal values."""

    raw: bytes

    def __post_init__(self) -> None:
        """Refuse what is no key of 32 bytes."""
        if len(self.raw) != sshsig.KEY_BYTES:
            raise KeyMalformed("an Ed25519 key has 32 bytes")

    @classmethod
    def from_line(cls, line: str) -> Self:
        """The key of `ssh-ed25519 AAAA…`, without comment, as statements carry it.

        Raises:
            KeyMalformed: any other form.
        """
        found = _LINE.fullmatch(line)
        if found is None:
            raise KeyMalformed("it is not of the form `ssh-ed25519 AAAA…`")
        key = cls(sshsig.parse_key_blob(base64.b64decode(found[1])))
        if key.line != line:
            raise KeyMalformed("its base64 is not canonical")
        return key

    @classmethod
    def from_public_file(cls, text: str) -> Self:
        """The key of a `.pub` file, comment and newline allowed.

        Raises:
            KeyMalformed: it holds no Ed25519 key.
        """
        return cls.from_line(" ".join(text.split()[:2]))

    @property
    def line(self) -> str:
        """`ssh-ed25519 AAAA…`, no comment."""
        return f"ssh-ed25519 {base64.b64encode(sshsig.key_blob(self.raw)).decode('ascii')}"

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, as `ssh-keygen -l` prints it."""
        digest = sha256(sshsig.key_blob(self.raw)).digest()
        return f"SHA256:{base64.b64encode(digest).decode('ascii').rstrip('=')}"

    def check_raw(self, signature: bytes, data: bytes) -> None:
        """Check a bare Ed25519 signature over `data`.

        Raises:
            SignatureInvalid: it does not hold.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, data)
        except (InvalidSignature, ValueError):
            raise SignatureInvalid from None


class SigningKey:
    """An Ed25519 private key. Never printed: its repr shows the public half's fingerprint."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        """Wrap a key; use `generate` or `load`."""
        self._private = private
        self.public = PublicSigningKey(private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"SigningKey({self.public.fingerprint})"

    @classmethod
    def generate(cls) -> Self:
        """A new random key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """The key of a 32-byte seed (test vectors)."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def load(cls, data: bytes, passphrase: bytes | None = None) -> Self:
        """The key of an OpenSSH private key file; a passphrase that is not needed is not used.

        Raises:
            KeyFileUnreadable: not such a file, or another type of key.
            PassphraseWrong: it is locked, and the passphrase does not open it.
        """
        private: object
        try:
            private = load_ssh_private_key(data, password=None)
        except (TypeError, ValueError, UnsupportedAlgorithm) as error:
            private = _load_locked(data, passphrase, error)
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyFileUnreadable("it holds another type of key; Swaddle takes Ed25519 only")
        return cls(private)

    def to_openssh(self, passphrase: bytes | None = None) -> bytes:
        """The OpenSSH private key file, locked where a passphrase is given (not an empty one)."""
        lock: KeySerializationEncryption = NoEncryption()
        if passphrase:
            lock = PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(_KDF_ROUNDS).build(passphrase)
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, lock)

    def sign_raw(self, data: bytes) -> bytes:
        """A bare Ed25519 signature over `data`, 64 bytes (for HTTP Message Signatures)."""
        return self._private.sign(data)


@dataclass(frozen=True)
class Signed:
    """A signed statement: the canonical JSON text that was signed, and the armored SSHSIG."""

    message: bytes
    signature: str

    def to_json(self) -> dict[str, str]:
        """The object that stands on the wire and on disk."""
        return {"message": self.message.decode("utf-8"), "signature": self.signature}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """The statement that `to_json` wrote; nothing is verified yet.

        Raises:
            StatementMalformed: any other form.
        """
        if not isinstance(value, dict) or value.keys() != {"message", "signature"}:
            raise StatementMalformed("it is not an object of message and signature")
        message, signature = value["message"], value["signature"]
        if not isinstance(message, str) or not isinstance(signature, str):
            raise StatementMalformed("message and signature are not both text")
        try:
            return cls(message.encode("utf-8"), signature)
        except UnicodeEncodeError:
            raise StatementMalformed("its message is not valid text") from None


def sign(namespace: str, value: object, key: SigningKey) -> Signed:
    """Sign the canonical JSON of `value` in `namespace`."""
    message = canonical(value)
    raw = key.sign_raw(sshsig.signed_data(namespace, message))
    return Signed(message, sshsig.armor(key.public.raw, namespace, raw))


def open_signed(signed: Signed, namespace: str, keys: Collection[PublicSigningKey]) -> dict[str, Any]:
    """What `signed` says, once it is known that one of `keys` signed it in `namespace`.

    Raises:
        SignatureInvalid: malformed, for another namespace, or not by the key that it names.
        WrongSigner: a good signature by a key that is not among `keys`.
        NotCanonical: signed, but not in the one canonical form.
    """
    parsed = sshsig.parse(signed.signature)
    if parsed.namespace != namespace:
        raise SignatureInvalid
    signer = PublicSigningKey(parsed.public_raw)
    signer.check_raw(parsed.signature_raw, sshsig.signed_data(namespace, signed.message))
    if signer not in keys:
        raise WrongSigner
    return parse_canonical(signed.message)


def signer_of(signed: Signed) -> PublicSigningKey:
    """The key that `signed` names, unverified: for looking up, never for deciding.

    Raises:
        SignatureInvalid: the signature is malformed.
    """
    return PublicSigningKey(sshsig.parse(signed.signature).public_raw)


def _load_locked(data: bytes, passphrase: bytes | None, first: Exception) -> object:
    """Try again with the passphrase; say whether the file or the passphrase is wrong."""
    if not _is_locked(data):
        raise KeyFileUnreadable("it is not an OpenSSH private key") from first
    if not passphrase:
        raise PassphraseWrong from None
    try:
        return load_ssh_private_key(data, password=passphrase)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise PassphraseWrong from None


def _is_locked(data: bytes) -> bool:
    """Whether an OpenSSH key file names a cipher other than `none`."""
    body = b"".join(line for line in data.splitlines() if not line.startswith(b"-----"))
    try:
        blob = base64.b64decode(body, validate=True)
    except (ValueError, binascii.Error):
        return False
    magic = b"openssh-key-v1\x00"
    return blob.startswith(magic) and not blob.startswith(magic + b"\x00\x00\x00\x04none")
