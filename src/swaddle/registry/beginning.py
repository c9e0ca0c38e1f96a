"""A registry's first day: its home, its keys, its claim on a gateway, its first intake statement."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from swaddle import durable, home
from swaddle.errors import UsageFault
from swaddle.registry import backup_keys, exchange, keys, rotation
from swaddle.registry.inside import now, open_registry
from swaddle.registry.owner import AnotherOwner, Lock
from swaddle.registry.settings import Settings, read
from swaddle.settings import as_toml
from swaddle.wire.enrolment import ClaimFile


class ClaimElsewhere(UsageFault):
    """The claim is for another gateway than the one named."""

    code = "SWD-REG-03"
    what = "this claim does not fit the gateway"
    fix = "give the address that `swaddle gateway init` printed, with the claim it wrote"


def begin(
    path: Path,
    *,
    gateway_url: str,
    claim_file: bytes,
    passphrase_file: str,
    passphrase: Callable[[Mapping[str, Any]], bytes],
) -> dict[str, Any]:
    """Make a registry and claim its gateway; every step is skipped that an earlier call has done.

    Raises:
        ClaimElsewhere: the claim's address is another one.
        HomeFault, passphrase and network errors: nothing is half there; run it again.
    """
    claim = ClaimFile.from_bytes(claim_file)
    if claim.url.rstrip("/") != gateway_url.rstrip("/"):
        raise ClaimElsewhere("its address is another one")
    place = home.create(path, home.Kind.REGISTRY)
    if not (path / home.SETTINGS).exists():
        wanted = Settings(gateway_url=claim.url, gateway_pin=claim.pin, passphrase_file=passphrase_file)
        durable.write_file(path / home.SETTINGS, as_toml(wanted).encode())
    read(place.settings())
    keys.make(path, passphrase(place.settings()), now())
    lock = Lock(path)
    if not lock.take():
        raise AnotherOwner("it is running")
    try:
        inside = open_registry(path, passphrase)
        try:
            exchange.claim(inside.client, claim, inside.keyring, inside.state)
            if inside.ledger.head()[0] == 0:
                inside.ledger.append("registry-made", inside.keyring.registry_id, {}, inside.now())
            rotation.renew_intake_key(inside)
            backup_keys.publish(inside)
            signed = inside.intake_keys.signed()
            assert signed is not None
            statement = json.loads(signed.message)
            return {
                "registry": inside.keyring.registry_id,
                "root": inside.keyring.root.fingerprint,
                "gateway": claim.url,
                "intake_key": statement["recipient"]["key_id"],
                "seal_until": statement["seal_until"],
            }
        finally:
            inside.close()
    finally:
        lock.release()
