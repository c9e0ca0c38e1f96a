"""New keys for the three encrypted files: the files written anew under them, the old keys gone (rewriting.py)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from hashlib import sha256

from swaddle.envelope.keys import STORE_KEYS, seal_secrets
from swaddle.registry import rewriting
from swaddle.registry.inside import Registry
from swaddle.registry.keys import STORE_KEY_NAMES
from swaddle.registry.store import FILES


def renew_store(inside: Registry) -> tuple[str, ...]:
    """Write the files anew and let the old keys go; digests of these, for custody. The caller alone uses the store.

    The key of the subject ids stays: subjects keep their ids.

    Raises:
        DiskFault, NotCopied: the old files and keys are in force.
    """
    rewriting.check_room(inside.home / "store")
    before = inside.keyring.store
    keys = {name: secrets.token_bytes(32) if name in FILES else before[name] for name in STORE_KEY_NAMES}
    box = seal_secrets(STORE_KEYS, b"".join(keys[name] for name in STORE_KEY_NAMES), inside.passphrase, {})
    inside.store.close()
    try:
        rewriting.begin(inside.home, box, before, keys)
    except BaseException:
        rewriting.settle(inside.home)
        inside.store.reopen(before)
        raise
    inside.keyring = replace(inside.keyring, store=keys)
    rewriting.settle(inside.home)
    inside.store.reopen(keys)
    return tuple(sha256(before[name]).hexdigest() for name in FILES)
