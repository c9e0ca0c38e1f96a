"""A checkpoint: the log's name, size and root, signed as a note, so that other people's tools can read it. Pure.

C2SP tlog-checkpoint and signed-note: lines of text, an empty line, and a line for each signature. A key is known by its
name and four bytes of SHA-256(name || 0x0A || 0x01 || the Ed25519 public key), where 0x01 is the algorithm.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from swaddle.custody.tree import HASH_BYTES
from swaddle.errors import IntegrityFault

ED25519 = 0x01
LIMIT_CHARACTERS = 131_072  # sixteen signatures of the largest kind, and room
MOST_SIZE = 2**53
_NAME = re.compile(r"[!-*,-~]{1,200}")  # printable, without a space and without +
_SIGNATURE = re.compile(r"\u2014 ([^ \n]+) ([A-Za-z0-9+/=]+)")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")


class CheckpointWrong(IntegrityFault):
    """A checkpoint that is none, or not of this log."""

    code = "SWD-CUSTODY-06"
    what = "this checkpoint is refused"
    why = "{reason}"
    fix = "keep it, and compare it with the registry's: two heads of one log are an incident"


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log: whose, how many entries, and the root of the tree over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note's text, which is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode('ascii')}\n"


def key_id(name: str, public_key: bytes) -> bytes:
    """The four bytes that a signature line names its key by.

    Args:
        name: of the key, as the line says it.
        public_key: 32 bytes, Ed25519.
    """
    return sha256(name.encode() + b"\n" + bytes([ED25519]) + public_key).digest()[:4]


def note(checkpoint: Checkpoint, public_key: bytes, signature: bytes) -> str:
    """The signed note: `signature` is the origin's Ed25519 signature over `checkpoint.text()`.

    Raises:
        CheckpointWrong: its origin cannot stand in a note.
    """
    if _NAME.fullmatch(checkpoint.origin) is None:
        raise CheckpointWrong("its origin has a space, a plus or other characters that a note cannot have")
    stamp = b64encode(key_id(checkpoint.origin, public_key) + signature).decode("ascii")
    return f"{checkpoint.text()}\n\u2014 {checkpoint.origin} {stamp}\n"


def read_note(text: str, origin: str, public_key: bytes) -> Checkpoint:
    """The checkpoint of a log, once its own signature holds; signatures of others are not looked at.

    Raises:
        CheckpointWrong: it is no note, of another log, not signed by this key, or the signature does not hold.
    """
    body, between, signatures = text[:LIMIT_CHARACTERS].partition("\n\n")
    if not between or len(text) > LIMIT_CHARACTERS or _CONTROL.search(body):
        raise CheckpointWrong("it is not a signed note")
    checkpoint = _body(body)
    if checkpoint.origin != origin:
        raise CheckpointWrong("it is of another log")
    _check_signed(f"{body}\n".encode(), signatures, origin, public_key)
    return checkpoint


def _body(body: str) -> Checkpoint:
    lines = body.split("\n")
    if len(lines) < 3 or not all(lines) or _SIZE.fullmatch(lines[1]) is None or int(lines[1]) >= MOST_SIZE:
        raise CheckpointWrong("it does not say origin, size and root in three lines")
    try:
        root = b64decode(lines[2], validate=True)
    except (NotBase64, ValueError):
        root = b""
    if len(root) != HASH_BYTES or b64encode(root).decode("ascii") != lines[2]:
        raise CheckpointWrong("its root is not a hash in base64")
    return Checkpoint(lines[0], int(lines[1]), root)


def _check_signed(signed: bytes, signatures: str, name: str, public_key: bytes) -> None:
    wanted, key = key_id(name, public_key), Ed25519PublicKey.from_public_bytes(public_key)
    if not signatures.endswith("\n"):
        raise CheckpointWrong("its last line is cut short")
    for line in signatures[:-1].split("\n"):
        found = _SIGNATURE.fullmatch(line)
        if found is None:
            raise CheckpointWrong("a line below its text is no signature")
        try:
            stamp = b64decode(found[2], validate=True)
        except (NotBase64, ValueError):
            raise CheckpointWrong("a signature is not base64") from None
        if found[1] == name and stamp[:4] == wanted:
            try:
                key.verify(stamp[4:], signed)
            except InvalidSignature:
                raise CheckpointWrong("its signature does not hold: it was changed, or signed by another key") from None
            return
    raise CheckpointWrong("it is not signed by this log's key")
