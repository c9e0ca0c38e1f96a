"""Private key files, six words and where passphrases come from."""

import base64
import json
import os
import subprocess
import sys

import pytest

from swaddle.canonical import canonical
from swaddle.envelope.keys import STORE_KEYS, SealingPair, open_secrets, public_of_file, seal_secrets
from swaddle.envelope.refusals import (
    KeyFileUnreadable,
    PassphraseFileOpen,
    PassphraseMissing,
    PassphraseWrong,
)
from swaddle.envelope.signature import SigningKey
from swaddle.envelope.unlock import passphrase
from swaddle.envelope.words import six_words

PAIR = SealingPair(bytes(range(32)), bytes(range(32, 64)))


def changed(data, **members):
    return canonical({**json.loads(data), **members})


def test_a_pair_comes_back_from_its_file():
    data = PAIR.to_file(b"passphrase")
    assert SealingPair.from_file(data, b"passphrase") == PAIR
    assert public_of_file(data) == PAIR.public
    assert PAIR.hpke_seed not in data


def test_a_pair_and_a_signing_key_come_back_at_full_cost():
    """Made by a process that nobody told to do less (conftest.py); 16 is the rounds that `ssh-keygen` of today uses."""
    made = (
        "import sys; from swaddle.envelope.keys import SealingPair; from swaddle.envelope.signature import SigningKey;"
        "pair = SealingPair(bytes(range(32)), bytes(range(32, 64)));"
        "sys.stdout.buffer.write(pair.to_file(b'passphrase') + SigningKey.from_seed(bytes(32)).to_openssh(b'passphrase'))"
    )
    said = subprocess.run([sys.executable, "-c", made], check=True, capture_output=True).stdout
    pair, signing = said.split(b"\n", 1)
    assert {name: json.loads(pair)["scrypt"][name] for name in "nrp"} == {"n": 32_768, "r": 8, "p": 2}
    assert SealingPair.from_file(pair, b"passphrase") == PAIR
    blob = base64.b64decode(b"".join(signing.strip().splitlines()[1:-1]))
    at = blob.index(b"bcrypt") + len("bcrypt") + 4  # a string of salt and rounds follows
    assert int.from_bytes(blob[at + 20 : at + 24]) == 16
    assert SigningKey.load(signing, b"passphrase").public == SigningKey.from_seed(bytes(32)).public


def test_store_keys_lie_in_the_same_form():
    data = seal_secrets(STORE_KEYS, b"k" * 96, b"passphrase", {})
    assert open_secrets(STORE_KEYS, data, b"passphrase") == (b"k" * 96, {})
    with pytest.raises(KeyFileUnreadable):
        SealingPair.from_file(data, b"passphrase")


def test_another_passphrase_does_not_open_a_file():
    with pytest.raises(PassphraseWrong):
        SealingPair.from_file(PAIR.to_file(b"passphrase"), b"another")


def test_an_empty_passphrase_is_none():
    with pytest.raises(PassphraseMissing):
        PAIR.to_file(b"")


def test_nothing_in_a_file_can_be_changed_without_the_passphrase():
    data = PAIR.to_file(b"passphrase")
    other = SealingPair.generate()
    for members in (
        {"key_id": other.public.key_id},
        {"public": other.public.keys_json()},
        {"note": "x"},
        {"nonce": "AAAAAAAAAAAAAAAA"},
    ):
        with pytest.raises(PassphraseWrong):
            SealingPair.from_file(changed(data, **members), b"passphrase")


@pytest.mark.parametrize("work", [{"n": 2**21}, {"r": 17}, {"p": 5}, {"n": 0}, {"n": 3}, {"n": "2"}, {"salt": "?"}])
def test_a_file_that_asks_for_too_much_work_is_refused(work):
    data = PAIR.to_file(b"passphrase")
    with pytest.raises(KeyFileUnreadable):
        SealingPair.from_file(changed(data, scrypt={**json.loads(data)["scrypt"], **work}), b"passphrase")


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"swaddle-sealing-pair":2}', b'{"swaddle-sealing-pair":true}'])
def test_what_is_no_key_file_is_refused(data):
    with pytest.raises(KeyFileUnreadable):
        SealingPair.from_file(data, b"passphrase")
    with pytest.raises(KeyFileUnreadable):
        public_of_file(data)


def test_a_pair_shows_no_secret():
    assert repr(PAIR) == f"SealingPair({PAIR.public.key_id})"


def test_six_words_are_the_same_on_both_sides_and_others_for_other_keys():
    words = six_words("SHA256:abc", b'{"signing_key":"x"}')
    assert words == six_words("SHA256:abc", b'{"signing_key":"x"}')
    assert len(words.split()) == 6
    assert words != six_words("SHA256:abc", b'{"signing_key":"y"}')
    assert words != six_words("SHA256:abd", b'{"signing_key":"x"}')


def test_six_words_are_the_first_66_bits():
    # SHA-256 of "\0" starts 6e340b9cffb37a98: 0b01101110001 is 881, the 882nd word of the list
    assert six_words("", b"").split()[0] == "hotel"


def source(tmp_path, name, data, mode=0o600):
    path = tmp_path / name
    path.write_bytes(data)
    path.chmod(mode)
    return path


def ask(*answers):
    left = list(answers)
    return lambda _prompt: left.pop(0)


def test_the_sources_are_asked_in_their_order(tmp_path):
    reading, writing = os.pipe()
    os.write(writing, b"from fd\n")
    os.close(writing)
    source(tmp_path, "swaddle-passphrase", b"from systemd\n")
    settings = {"passphrase_file": str(source(tmp_path, "file", b"from file\r\n"))}
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    everything = {"environment": environment, "terminal": True, "ask": ask("from terminal")}
    assert passphrase(settings, fd=reading, **everything) == b"from fd"
    os.close(reading)
    assert passphrase(settings, fd=None, **everything) == b"from systemd"
    everything["environment"] = {"CREDENTIALS_DIRECTORY": str(tmp_path / "none")}
    assert passphrase(settings, fd=None, **everything) == b"from file"
    assert passphrase({}, fd=None, **everything) == b"from terminal"


def test_without_a_source_and_without_a_terminal_it_says_so():
    with pytest.raises(PassphraseMissing):
        passphrase({}, fd=None, environment={"SWADDLE_PASSPHRASE": "never read"}, terminal=False)


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX; Windows keeps a DPAPI blob")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path, mode):
    path = source(tmp_path, "file", b"secret", mode)
    with pytest.raises(PassphraseFileOpen):
        passphrase({"passphrase_file": str(path)}, fd=None, environment={}, terminal=False)


@pytest.mark.parametrize("data", [b"", b"\n", b"x" * 5_000])
def test_an_empty_or_endless_file_is_refused(tmp_path, data):
    path = source(tmp_path, "file", data)
    with pytest.raises(PassphraseMissing):
        passphrase({"passphrase_file": str(path)}, fd=None, environment={}, terminal=False)


def test_a_new_passphrase_is_typed_twice():
    given = {"fd": None, "environment": {}, "terminal": True, "confirm": True}
    assert passphrase({}, **given, ask=ask("one", "one")) == b"one"
    with pytest.raises(PassphraseMissing):
        passphrase({}, **given, ask=ask("one", "other"))
