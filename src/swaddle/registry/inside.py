"""The registry as one object: all that taking in and giving back needs, opened once by the owner of the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from swaddle import durable
from swaddle.custody.ledger import FILE_NAME, Ledger
from swaddle.home import Home, Kind, open_home
from swaddle.registry import forms, keys, pins, rewriting, settings
from swaddle.registry.keys import IntakeKeys, Keyring
from swaddle.registry.settings import Settings
from swaddle.registry.state import State
from swaddle.registry.store import Store
from swaddle.wire.client import GatewayClient


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


@dataclass
class Registry:
    """An opened registry: its keys unlocked, its files attached, one connection outwards."""

    home: Path
    settings: Settings
    keyring: Keyring
    intake_keys: IntakeKeys
    state: State
    store: Store
    ledger: Ledger
    client: GatewayClient
    passphrase: bytes = field(repr=False, default=b"")
    now: Callable[[], datetime] = now

    @property
    def spool(self) -> Path:
        """Where sealed transfers lie until they are taken in."""
        return self.home / "spool"

    @property
    def outbox(self) -> Path:
        """Where sealed feedback lies until the gateway holds it."""
        return self.home / "outbox"

    def close(self) -> None:
        """Close every file and the connection."""
        self.client.close()
        self.store.close()
        self.state.close()


def open_registry(
    path: Path, passphrase: Callable[[Mapping[str, Any]], bytes], clock: Callable[[], datetime] = now
) -> Registry:
    """Open the registry at `path`; the caller holds the owner's lock.

    Args:
        path: the registry's home.
        passphrase: gives the passphrase, once the settings say where it may come from.
        clock: the present.

    Raises:
        HomeFault, SettingWrong, KeysMissing: it cannot be used; passphrase errors of swaddle.envelope.
        FormOlder, FormNewer: it is of another version's form.
    """
    home: Home = open_home(path, Kind.REGISTRY)
    values = home.settings()
    wanted = settings.read(values)
    forms.check(path)
    secret = passphrase(values)
    rewriting.settle(path)
    keyring = keys.unlock(path, secret)
    for folder in ("spool", "outbox", "store"):
        durable.make_folder(path / folder)
    state = State(path / "registry.db")
    forms.stamp(state, clock())
    client = GatewayClient(
        wanted.gateway_url,
        wanted.gateway_pin or None,
        keyring.pull,
        further_pins=pins.known(state, wanted),
        clock=clock,
    )
    return Registry(
        home=path,
        settings=wanted,
        keyring=keyring,
        intake_keys=IntakeKeys(path, keyring, secret),
        state=state,
        store=Store(path / "store", keyring.store),
        ledger=Ledger(path / FILE_NAME),
        client=client,
        passphrase=secret,
        now=clock,
    )
