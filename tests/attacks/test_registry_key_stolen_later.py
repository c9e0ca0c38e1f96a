"""A spool that was copied, and every key that is left afterwards: what was sealed to a destroyed key stays closed."""

import os
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from swaddle.envelope.keys import SealingPair
from swaddle.envelope.manifest import Description, FileEntry, parse_manifest
from swaddle.envelope.refusals import WrongCore, WrongRecipient
from swaddle.envelope.seal import close_envelope, new_data_key, seal_file
from swaddle.envelope.signature import SigningKey
from swaddle.envelope.unseal import open_envelope
from swaddle.registry.keys import IntakeKeys, make, unlock

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PASSPHRASE = b"correct horse battery staple"


def sealed_to(recipient, folder):
    """A transfer as somebody copied it from the gateway."""
    data = b"a birth"
    (folder / "births.csv").write_bytes(data)
    key = new_data_key()
    body = seal_file(folder / "births.csv", folder / "body", key)
    core = body.core(
        transfer=os.urandom(16).hex(), submitter=os.urandom(16).hex(), recipient=recipient.key_id,
        created=NOW, expires=NOW + timedelta(hours=72),
    )  # fmt: skip
    described = Description(
        "births", (FileEntry("births.csv", len(data), sha256(data).hexdigest()),), None, None, None, None
    )
    return close_envelope(core, key, described, recipient, SigningKey.generate())


def test_every_live_key_together_opens_nothing_that_was_sealed_to_a_destroyed_one(tmp_path):
    home = tmp_path / "registry"
    home.mkdir()
    make(home, PASSPHRASE, NOW)
    ring = unlock(home, PASSPHRASE)
    intake = IntakeKeys(home, ring, PASSPHRASE)
    _, old = intake.renew(NOW, ())
    copied = sealed_to(intake.recipient(), tmp_path)
    manifest = parse_manifest(copied.manifest.message)
    opened = open_envelope(manifest, copied.header, copied.description, {old: intake.pair(old)})
    assert opened.description.kind == "births"  # while its time lasts it opens, or the rest would prove nothing

    _, new = intake.renew(NOW + timedelta(days=13), ())
    assert intake.destroy_expired(NOW + timedelta(days=30)) == [old]
    thief = IntakeKeys(home, unlock(home, PASSPHRASE), PASSPHRASE)  # everything in the home, and the passphrase
    live = [SealingPair.from_file(path.read_bytes(), PASSPHRASE) for path in (home / "keys" / "intake").glob("*.json")]
    assert [pair.public.key_id for pair in live] == [new]
    assert thief.pair(old) is None
    with pytest.raises(WrongRecipient):
        open_envelope(manifest, copied.header, copied.description, {pair.public.key_id: pair for pair in live})
    for pair in live:
        with pytest.raises(WrongCore):
            pair.open_sealed(copied.header, b"anything")
    with pytest.raises(WrongRecipient):
        open_envelope(manifest, copied.header, copied.description, {old: live[0]})
