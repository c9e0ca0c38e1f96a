"""The registry's keys: which there are, where they lie, when an intake pair is made and when it is destroyed.

    keys/root.key, statement.key, pull.key    OpenSSH, under the passphrase; root.key belongs offline (docs/keys.md)
    keys/intake/<key id>.json                 a sealing pair under scrypt; in no backup; destroyed when its time is over
    keys/intake/<key id>.until                when that is: written before the pair, gone after it
    keys/*.next.key                           made by a rotation that the gateway has not confirmed yet (rotation.py)
    keys/store.json                           the keys of the three encrypted files and of the subject ids
    statements/certificate.json, intake.json  what the root and the statement key have signed

Source: protocol.md, "Keys"; docs/spec/transfer.md section 1.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from swaddle import durable
from swaddle.canonical import canonical, format_instant, parse_instant
from swaddle.envelope.keys import STORE_KEYS, SealingPair, open_secrets, seal_secrets
from swaddle.envelope.public import IntakeStatement, SealingPublic, make_certificate, make_intake
from swaddle.envelope.signature import PublicSigningKey, Signed, SigningKey
from swaddle.errors import SettingsFault

SEAL_FOR = timedelta(days=14)
KEEP_AFTER = timedelta(days=16)
RENEW_BEFORE = timedelta(days=7)
STATEMENT_KEY_LIFE = timedelta(days=365)
STORE_KEY_NAMES = ("identifiers", "subjects", "clinical", "subject_ids")


class KeysMissing(SettingsFault):
    """The registry's keys are not where they should be."""

    code = "SWD-REG-02"
    what = "the registry's keys are not complete"
    fix = "run `swaddle registry init` in a new home, or restore this one from its backup"


@dataclass(frozen=True)
class Keyring:
    """The registry's private keys, unlocked. The root is not among them: it signs one certificate a year."""

    registry_id: str
    statement: SigningKey
    pull: SigningKey
    certificate: Signed
    root: PublicSigningKey
    store: dict[str, bytes]


def make(home: Path, passphrase: bytes, at: datetime) -> None:
    """Make every key of a new registry; what an earlier, killed call made is kept."""
    durable.make_folder(home / "keys" / "intake")
    durable.make_folder(home / "statements")
    for name in ("root", "statement", "pull"):
        path = home / "keys" / f"{name}.key"
        if not path.exists():
            durable.write_file(path, SigningKey.generate().to_openssh(passphrase))
    store = home / "keys" / "store.json"
    if not store.exists():
        box = seal_secrets(STORE_KEYS, secrets.token_bytes(32 * len(STORE_KEY_NAMES)), passphrase, {})
        durable.write_file(store, box)
    root = _signing_key(home, "root", passphrase)
    certificate = home / "statements" / "certificate.json"
    if not certificate.exists():
        statement = _signing_key(home, "statement", passphrase)
        signed = make_certificate(root, statement.public, at - timedelta(minutes=5), at + STATEMENT_KEY_LIFE)
        durable.write_file(certificate, json.dumps(signed.to_json()).encode())
    identity = home / "keys" / "registry.json"
    if not identity.exists():
        durable.write_file(identity, canonical({"registry": secrets.token_hex(16), "root": root.public.line}))


def unlock(home: Path, passphrase: bytes) -> Keyring:
    """The keyring of a registry.

    Raises:
        KeysMissing: `make` has not run to its end here.
        swaddle.envelope errors: the passphrase is wrong, a key file is damaged.
    """
    try:
        identity = json.loads((home / "keys" / "registry.json").read_bytes())
        certificate = Signed.from_json(json.loads((home / "statements" / "certificate.json").read_bytes()))
        box = (home / "keys" / "store.json").read_bytes()
        statement = _signing_key(home, "statement", passphrase)
        pull = _signing_key(home, "pull", passphrase)
    except FileNotFoundError as error:
        raise KeysMissing("a key file is not there") from error
    store, _ = open_secrets(STORE_KEYS, box, passphrase)
    return Keyring(
        registry_id=identity["registry"],
        statement=statement,
        pull=pull,
        certificate=certificate,
        root=PublicSigningKey.from_line(identity["root"]),
        store={name: store[32 * place : 32 * place + 32] for place, name in enumerate(STORE_KEY_NAMES)},
    )


def _signing_key(home: Path, name: str, passphrase: bytes) -> SigningKey:
    return SigningKey.load((home / "keys" / f"{name}.key").read_bytes(), passphrase)


class IntakeKeys:
    """The intake pairs: the current one, those still kept, and the statement that publishes the current one."""

    def __init__(self, home: Path, keyring: Keyring, passphrase: bytes) -> None:
        """Look at what lies in the home; pairs are unlocked when first asked for."""
        self._folder = home / "keys" / "intake"
        self._statement_path = home / "statements" / "intake.json"
        self._keyring = keyring
        self._passphrase = passphrase
        self._unlocked: dict[str, SealingPair] = {}

    def signed(self) -> Signed | None:
        """The current intake statement as it is handed out."""
        if not self._statement_path.exists():
            return None
        return Signed.from_json(json.loads(self._statement_path.read_bytes()))

    def is_due(self, at: datetime) -> bool:
        """Whether there is no statement, or its sealing time is nearly over."""
        signed = self.signed()
        return signed is None or parse_instant(json.loads(signed.message)["seal_until"]) - RENEW_BEFORE <= at

    def renew(self, at: datetime, gateway_pins: tuple[str, ...], least_sequence: int = 1) -> tuple[Signed, str]:
        """Make the next pair and its statement, of a number not below `least_sequence`; (statement, key id)."""
        pair = SealingPair.generate()
        key_id = pair.public.key_id
        seal_until = at + SEAL_FOR
        destroy_by = seal_until + KEEP_AFTER
        # The date before the pair: a kill in between never leaves a pair that nobody destroys.
        durable.write_file(self._folder / f"{key_id}.until", format_instant(destroy_by).encode())
        durable.write_file(self._folder / f"{key_id}.json", pair.to_file(self._passphrase))
        previous = self.signed()
        following = 1 if previous is None else int(json.loads(previous.message)["sequence"]) + 1
        statement = IntakeStatement(
            sequence=max(following, least_sequence),
            not_before=at - timedelta(minutes=5),
            seal_until=seal_until - timedelta(minutes=5),
            destroy_by=destroy_by - timedelta(minutes=5),
            registry=self._keyring.registry_id,
            recipient=pair.public,
            gateway_pins=gateway_pins,
        )
        signed = make_intake(statement, self._keyring.statement)
        durable.write_file(self._statement_path, json.dumps(signed.to_json()).encode())
        self._unlocked[key_id] = pair
        return signed, key_id

    def pair(self, key_id: str) -> SealingPair | None:
        """The pair of that id, if it still exists; the id is compared, never used as a path."""
        if key_id not in self._unlocked:
            for path in self._folder.glob("*.json"):
                if path.stem == key_id:
                    self._unlocked[key_id] = SealingPair.from_file(path.read_bytes(), self._passphrase)
        return self._unlocked.get(key_id)

    def lock(self, pair: SealingPair) -> bytes:
        """The key file of a pair, under the registry's passphrase."""
        return pair.to_file(self._passphrase)

    def recipient(self) -> SealingPublic | None:
        """The public half that submitters seal to now."""
        signed = self.signed()
        return None if signed is None else SealingPublic.from_json(json.loads(signed.message)["recipient"])

    def use(self, keyring: Keyring, intake: Signed | None) -> None:
        """Go on with another statement key, and the statement in force as that one signs it."""
        self._keyring = keyring
        if intake is not None:
            durable.write_file(self._statement_path, json.dumps(intake.to_json()).encode())

    def destroy_expired(self, at: datetime, note: Callable[[str], None] = lambda _: None) -> list[str]:
        """Destroy every pair whose time is over; their key ids. `note` is told each once its pair is gone.

        A kill before `note` has returned leaves the date, so that the next call notes it.

        The file is removed and the unlocked copy dropped: afterwards nobody opens what was sealed to it. No more is
        claimed (NIST SP 800-88r2): not that its blocks on the disk were overwritten.
        """
        destroyed = []
        for until in sorted(self._folder.glob("*.until")):
            if parse_instant(until.read_text()) <= at:
                durable.remove_file(until.with_suffix(".json"))
                self._unlocked.pop(until.stem, None)
                note(until.stem)
                durable.remove_file(until)
                destroyed.append(until.stem)
        return destroyed
