"""The secrets that the registry and the submitters hold: what must not be found on the gateway.

Read out of their homes as their owners could: every private key, every body's data key that is still kept, every token
that is still good, and the passphrases. The gateway's own TLS and journal keys are not among them: they are on the
gateway, they open no transfer, and docs/attacks.md says what their thief gains.
"""

from __future__ import annotations

import json
import sqlite3
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from swaddle.demo.needles import Category
from swaddle.demo.parties import Party
from swaddle.envelope import suite
from swaddle.envelope.keys import SEALING_PAIR, SEED_BYTES, STORE_KEYS, SealingPair, open_secrets
from swaddle.submitter.carry import DATA_KEY

_OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_MOST_BYTES = 65_536  # larger files are no key files

Secret = tuple[bytes, Category]


def of_registry(registry: Party) -> Iterator[Secret]:
    """Root, statement and pull key, the intake pairs, the store keys; leases that are not ended; the passphrase."""
    passphrase = _passphrase(registry)
    yield passphrase, Category.TOKEN
    yield from _keys(registry.home, passphrase)
    with closing(sqlite3.connect(f"{(registry.home / 'registry.db').as_uri()}?mode=ro", uri=True)) as rows:
        for (token,) in rows.execute("SELECT token FROM transfers WHERE step <> 'acknowledged'"):
            yield str(token).encode(), Category.TOKEN
        for (proof_key,) in rows.execute("SELECT proof_key FROM invitations"):
            yield bytes(proof_key), Category.TOKEN


def of_submitter(submitter: Party) -> Iterator[Secret]:
    """Signing key, sealing pair, the data keys of what is on its way, the passphrase."""
    passphrase = _passphrase(submitter)
    yield passphrase, Category.TOKEN
    yield from _keys(submitter.home, passphrase)
    pair = SealingPair.from_file((submitter.home / "keys" / "sealing.json").read_bytes(), passphrase)
    for path in sorted((submitter.home / "sends").glob("*.json")):
        send = json.loads(path.read_bytes())
        info = suite.info(DATA_KEY, bytes.fromhex(send["reference"]))
        yield pair.open_sealed(b64decode(send["data_key"], validate=True), info), Category.KEY


def of_invitation(text: str) -> Iterator[Secret]:
    """The secret of an invitation or of a claim, as bytes and as it is written."""
    secret = str(json.loads(_from_base64url(text.rpartition(".")[2]) if "{" not in text else text)["secret"])
    yield secret.encode(), Category.TOKEN
    yield _from_base64url(secret), Category.TOKEN


def sealed_to(parties: Sequence[Party]) -> frozenset[bytes]:
    """The X25519 halves of the public keys that headers of these parties are sealed to."""
    publics = set()
    for party in parties:
        for path in _small_files(party.home):
            if (value := _json(path)) and SEALING_PAIR in value:
                publics.add(b64decode(value["public"]["hpke"])[-32:])
    return frozenset(publics)


def _keys(home: Path, passphrase: bytes) -> Iterator[Secret]:
    """Every private key that lies in a home, whatever its file is called."""
    for path in _small_files(home):
        data = path.read_bytes()
        if data.startswith(_OPENSSH):
            try:
                key = load_ssh_private_key(data, password=passphrase)
            except ValueError:
                key = load_ssh_private_key(data, password=None)
            yield getattr(key, "private_bytes_raw")(), Category.KEY  # noqa: B009  Ed25519 alone is written here
        elif (value := _json(path)) and (SEALING_PAIR in value or STORE_KEYS in value):
            kind = SEALING_PAIR if SEALING_PAIR in value else STORE_KEYS
            secrets, _ = open_secrets(kind, data, passphrase)
            for start in range(0, len(secrets), SEED_BYTES):
                yield secrets[start : start + SEED_BYTES], Category.KEY


def _passphrase(party: Party) -> bytes:
    return party.passphrase_file.read_bytes().strip()


def _small_files(home: Path) -> list[Path]:
    return sorted(path for path in home.rglob("*") if path.is_file() and path.stat().st_size <= _MOST_BYTES)


def _json(path: Path) -> dict[str, Any] | None:
    data = path.read_bytes()
    if not data.startswith(b"{"):
        return None
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _from_base64url(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
