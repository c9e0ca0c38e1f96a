"""A submitter's home, unlocked: its settings, its id, its two private keys, and a client of its gateway."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from swaddle import durable, home
from swaddle.envelope import unlock
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.signature import PublicSigningKey, SigningKey
from swaddle.errors import SettingsFault
from swaddle.submitter import settings, trust
from swaddle.submitter.state import State, read_record
from swaddle.wire import messages
from swaddle.wire.client import GatewayClient, utc_now


class NotEnrolled(SettingsFault):
    """The registry has not activated this home, or nobody has asked it to."""

    code = "SWD-SUB-04"
    what = "this home is not enrolled yet"
    why = "{reason}"
    fix = "run `swaddle enrol INVITATION`, again if it was run before; it goes on where it was"


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the registry has said about us, signed; verified when it was written down."""

    submitter: messages.Id
    journal_key: messages.PublicLine
    enrolment: messages.SignedText


@dataclass(frozen=True)
class Party:
    """An enrolled submitter at work."""

    home: Path
    settings: settings.Settings
    state: State
    submitter: str
    journal_key: PublicSigningKey
    signing: SigningKey
    sealing: SealingPair
    now: Callable[[], datetime] = utc_now

    def client(self) -> GatewayClient:
        """A client of the gateway that signs with our key; opens no connection yet."""
        known = trust.known_intake(self.home)
        return GatewayClient(
            self.settings.gateway_url,
            self.settings.gateway_pin or None,
            self.signing,
            further_pins=known.gateway_pins if known and self.settings.gateway_pin else (),
            timeout_s=self.settings.timeout_s,
            clock=self.now,
        )


def open_party(path: Path, *, passphrase_fd: int | None = None, environment: Mapping[str, str] = os.environ) -> Party:
    """Unlock the submitter's home at `path`.

    Raises:
        HomeFault: there is no submitter's home.
        NotEnrolled: enrolment has not ended.
        SettingsFault: a setting, the passphrase or a key file.
    """
    found = home.open_home(path, home.Kind.SUBMITTER)
    read = settings.read(found.settings(), environment) if (path / home.SETTINGS).exists() else None
    if read is None or not identity_path(path).exists():
        begun = (path / "enrolment.json").exists()
        raise NotEnrolled("the registry has not answered yet" if begun else "it has taken up no invitation")
    identity = read_record(identity_path(path), Identity)
    signing, sealing = unlock_keys(path, ask_passphrase(read, passphrase_fd, environment))
    return Party(
        home=path,
        settings=read,
        state=State(path),
        submitter=identity.submitter,
        journal_key=PublicSigningKey.from_line(identity.journal_key),
        signing=signing,
        sealing=sealing,
    )


def ask_passphrase(
    read: settings.Settings, fd: int | None, environment: Mapping[str, str], *, is_new: bool = False
) -> bytes:
    """The passphrase of the key files, from the first source that has one (docs/spec/envelope.md section 8)."""
    return unlock.passphrase(
        {"passphrase_file": read.passphrase_file} if read.passphrase_file else {},
        fd=fd,
        environment=environment,
        terminal=sys.stdin is not None and sys.stdin.isatty(),
        confirm=is_new,
    )


def make_keys(path: Path, passphrase: bytes) -> tuple[SigningKey, SealingPair]:
    """Make both key pairs; only before anybody has been told of earlier ones."""
    signing, sealing = SigningKey.generate(), SealingPair.generate()
    durable.make_folder(path / "keys")
    durable.write_file(path / "keys" / "signing", signing.to_openssh(passphrase))
    durable.write_file(path / "keys" / "signing.pub", f"{signing.public.line}\n".encode(), mode=0o644)
    durable.write_file(path / "keys" / "sealing.json", sealing.to_file(passphrase))
    return signing, sealing


def unlock_keys(path: Path, passphrase: bytes) -> tuple[SigningKey, SealingPair]:
    """Both key pairs of a home.

    Raises:
        NotEnrolled: there are none.
        PassphraseWrong, KeyFileUnreadable: they do not open.
    """
    try:
        signing = (path / "keys" / "signing").read_bytes()
        sealing = (path / "keys" / "sealing.json").read_bytes()
    except OSError as error:
        raise NotEnrolled("its keys are not there") from error
    with ThreadPoolExecutor(1) as pool:  # two key derivations that are slow on purpose: side by side they cost one
        opened = pool.submit(SealingPair.from_file, sealing, passphrase)
        return SigningKey.load(signing, passphrase), opened.result()


def identity_path(path: Path) -> Path:
    """Where it is written down who we are."""
    return path / "identity.json"
