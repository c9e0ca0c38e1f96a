"""The SSHSIG format (OpenSSH PROTOCOL.sshsig), Ed25519 and SHA-512 only: bytes in, bytes out.

Strict both ways: what is read has exactly the bytes that this module (and `ssh-keygen -Y sign`) would write, so a
signature has one form and nothing can hide in it.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from hashlib import sha512

from swaddle.envelope.refusals import KeyMalformed, SignatureInvalid

KEY_TYPE = b"ssh-ed25519"
KEY_BYTES = 32
SIGNATURE_BYTES = 64
_MAGIC = b"SSHSIG"
_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
_LINE = 70  # what ssh-keygen writes
_ARMOR_LIMIT = 1_024  # one Ed25519 signature takes some 300 characters


@dataclass(frozen=True)
class Parsed:
    """What an armored signature says before anybody has checked it."""

    public_raw: bytes
    namespace: str
    signature_raw: bytes


def key_blob(public_raw: bytes) -> bytes:
    """The SSH wire form of an Ed25519 public key."""
    return _string(KEY_TYPE) + _string(public_raw)


def parse_key_blob(blob: bytes) -> bytes:
    """The 32 raw bytes of an Ed25519 key in SSH wire form.

    Raises:
        KeyMalformed: another type, another length, or bytes left over.
    """
    prefix = _string(KEY_TYPE) + struct.pack(">I", KEY_BYTES)
    if len(blob) != len(prefix) + KEY_BYTES or not blob.startswith(prefix):
        raise KeyMalformed("it is not an Ed25519 key (`ssh-ed25519`)")
    return blob[len(prefix) :]


def signed_data(namespace: str, message: bytes) -> bytes:
    """The bytes that the Ed25519 signature covers."""
    fields = (namespace.encode("ascii"), b"", b"sha512", sha512(message).digest())
    return _MAGIC + b"".join(_string(field) for field in fields)


def armor(public_raw: bytes, namespace: str, signature_raw: bytes) -> str:
    """The armored signature as `ssh-keygen -Y sign` writes it, newline at the end."""
    inner = _string(KEY_TYPE) + _string(signature_raw)
    fields = (key_blob(public_raw), namespace.encode("ascii"), b"", b"sha512", inner)
    blob = _MAGIC + struct.pack(">I", 1) + b"".join(_string(field) for field in fields)
    text = base64.b64encode(blob).decode("ascii")
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return "\n".join([_BEGIN, *lines, _END, ""])


def parse(armored: str) -> Parsed:
    """What an armored signature says; nothing is verified here.

    Raises:
        SignatureInvalid: any form but the one that `armor` writes.
    """
    if len(armored) > _ARMOR_LIMIT:
        raise SignatureInvalid
    lines = armored.split("\n")
    try:
        blob = base64.b64decode("".join(lines[1:-2]), validate=True)
        public_blob, namespace, _reserved, _hash, inner = _fields(blob)
        key_type, signature_raw = _strings(inner, 2)
        parsed = Parsed(parse_key_blob(public_blob), namespace.decode("ascii"), signature_raw)
    except (ValueError, binascii.Error, KeyMalformed):
        raise SignatureInvalid from None
    if key_type != KEY_TYPE or len(signature_raw) != SIGNATURE_BYTES:
        raise SignatureInvalid
    if armor(parsed.public_raw, parsed.namespace, parsed.signature_raw) != armored:
        raise SignatureInvalid
    return parsed


def _fields(blob: bytes) -> list[bytes]:
    head = _MAGIC + struct.pack(">I", 1)
    if not blob.startswith(head):
        raise ValueError("no SSHSIG version 1")
    return _strings(blob[len(head) :], 5)


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _strings(data: bytes, count: int) -> list[bytes]:
    """Exactly `count` SSH strings and nothing behind them."""
    found = []
    for _ in range(count):
        if len(data) < 4:
            raise ValueError("a length is missing")
        (length,) = struct.unpack_from(">I", data)
        if length > len(data) - 4:
            raise ValueError("a length goes past the end")
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    if data:
        raise ValueError("bytes left over")
    return found
