"""The backup pair: made here, its private half moved offline, its public half told to the gateway by instruction.

keys/backup.json        the private half, under the passphrase; belongs offline, with the root key
keys/backup.pub.json    the public half; stays
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from swaddle import durable
from swaddle.canonical import canonical
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.public import SealingPublic
from swaddle.registry import exchange
from swaddle.registry.inside import Registry

PRIVATE = "backup.json"
PUBLIC = "backup.pub.json"
_PUBLISHED = "backup_key_published"


def publish(inside: Registry, *, new: bool = False) -> dict[str, Any]:
    """Make the pair where there is none, and tell the gateway its public half; doing it again is fine.

    Args:
        inside: the registry.
        new: make another pair although there is one. Older backups still open with the older private half only.

    Returns:
        `key_id`, `private` (its file, or null when it is not here any more), `made` (whether it was made now).

    Raises:
        NetworkFault: the gateway was not told; run it again.
    """
    folder = inside.home / "keys"
    made = new or not (folder / PUBLIC).exists()
    if made:
        pair = SealingPair.generate()
        durable.write_file(folder / PRIVATE, inside.intake_keys.lock(pair))
        durable.write_file(folder / PUBLIC, canonical(pair.public.to_json()))
        inside.ledger.append("key-made", pair.public.key_id, {"key": "backup"}, inside.now())
    recipient = public(inside.home)
    assert recipient is not None
    tell(inside, recipient)
    private = folder / PRIVATE
    return {"key_id": recipient.key_id, "private": str(private) if private.exists() else None, "made": made}


def public(home: Path) -> SealingPublic | None:
    """The public half that backups are sealed to; None where no pair was made."""
    path = home / "keys" / PUBLIC
    return SealingPublic.from_json(json.loads(path.read_bytes())) if path.exists() else None


def tell(inside: Registry, recipient: SealingPublic | None = None) -> None:
    """Tell the gateway the public half, unless it was told.

    Raises:
        NetworkFault: it was not reached.
    """
    recipient = recipient or public(inside.home)
    if recipient is None:
        return
    if inside.state.fact(_PUBLISHED) == recipient.key_id:
        return
    exchange.instruct(
        inside.client, inside.keyring, inside.state, "backup-key", inside.now(), recipient=recipient.to_json()
    )
    inside.state.set_facts(**{_PUBLISHED: recipient.key_id})


def forget_told(inside: Registry) -> None:
    """The gateway may not know it any more: it is told anew at the next `tell`."""
    inside.state.set_facts(**{_PUBLISHED: ""})
