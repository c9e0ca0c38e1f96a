"""The registry's keys: made once, unlocked by the passphrase, intake pairs destroyed in time."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from swaddle.envelope.public import open_certificate, open_intake
from swaddle.envelope.refusals import PassphraseWrong
from swaddle.registry import keys
from swaddle.registry.keys import IntakeKeys, KeysMissing, make, unlock

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PASSPHRASE = b"correct horse battery staple"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    path = tmp_path_factory.mktemp("registry")
    make(path, PASSPHRASE, NOW)
    return path


def test_making_keys_again_changes_none(home):
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    make(home, PASSPHRASE, NOW + timedelta(days=1))
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_every_private_key_is_locked_and_its_owners_alone(home):
    for path in (home / "keys").glob("*.key"):
        assert b"OPENSSH PRIVATE KEY" in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(PassphraseWrong):
        unlock(home, b"another")


def test_a_home_without_keys_says_so(tmp_path):
    with pytest.raises(KeysMissing):
        unlock(tmp_path, PASSPHRASE)


def test_the_root_vouches_for_the_statement_key_and_it_for_the_intake_key(home):
    ring = unlock(home, PASSPHRASE)
    assert open_certificate(ring.certificate, ring.root.fingerprint, NOW) == ring.statement.public
    signed, key_id = IntakeKeys(home, ring, PASSPHRASE).renew(NOW, ("pin",))
    statement = open_intake(signed, ring.statement.public, NOW, 0)
    assert statement.recipient.key_id == key_id
    assert statement.seal_until <= statement.not_before + timedelta(days=14)
    assert statement.destroy_by <= statement.seal_until + timedelta(days=16)


def test_four_store_keys_differ(home):
    store = unlock(home, PASSPHRASE).store
    assert set(store) == set(keys.STORE_KEY_NAMES)
    assert len(set(store.values())) == 4
    assert all(len(key) == 32 for key in store.values())


def test_an_intake_pair_is_renewed_before_its_time_and_destroyed_after_it(tmp_path):
    make(tmp_path, PASSPHRASE, NOW)
    intake = IntakeKeys(tmp_path, unlock(tmp_path, PASSPHRASE), PASSPHRASE)
    assert intake.is_due(NOW)
    first_signed, first = intake.renew(NOW, ())
    assert not intake.is_due(NOW + timedelta(days=6))
    assert intake.is_due(NOW + timedelta(days=7))
    second_signed, second = intake.renew(NOW + timedelta(days=7), ())
    sequences = [json.loads(signed.message)["sequence"] for signed in (first_signed, second_signed)]
    assert sequences == [1, 2]
    assert intake.pair(first) is not None
    assert intake.destroy_expired(NOW + timedelta(days=29)) == []
    assert intake.destroy_expired(NOW + timedelta(days=30)) == [first]
    assert intake.pair(first) is None
    assert intake.pair(second) is not None
    assert not list((tmp_path / "keys" / "intake").glob(f"{first}*"))


def test_a_key_id_from_outside_is_never_a_path(tmp_path):
    make(tmp_path, PASSPHRASE, NOW)
    intake = IntakeKeys(tmp_path, unlock(tmp_path, PASSPHRASE), PASSPHRASE)
    for hostile in ("../store", "../../keys/store", "/etc/passwd", "*", ""):
        assert intake.pair(hostile) is None
