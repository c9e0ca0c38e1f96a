"""Signing keys and statements, against the real ssh-keygen wherever it has a say."""

import json
import shutil
import subprocess

import pytest

from swaddle.canonical import NotCanonical
from swaddle.envelope import sshsig
from swaddle.envelope.refusals import (
    KeyFileUnreadable,
    KeyMalformed,
    PassphraseWrong,
    SignatureInvalid,
    StatementMalformed,
    WrongSigner,
)
from swaddle.envelope.signature import (
    MANIFEST,
    RECEIPT,
    PublicSigningKey,
    Signed,
    SigningKey,
    open_signed,
    sign,
    signer_of,
)

KEY = SigningKey.from_seed(bytes(range(32)))
OTHER = SigningKey.from_seed(bytes(32))
VALUE = {"transfer": "00", "n": 3, "ü": [None, True, 2]}

needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


def ssh_keygen(*arguments, data=b""):
    return subprocess.run(["ssh-keygen", *map(str, arguments)], input=data, capture_output=True)


def test_a_statement_opens_under_its_key_and_namespace():
    assert open_signed(sign(RECEIPT, VALUE, KEY), RECEIPT, {KEY.public}) == VALUE


def test_a_statement_survives_the_wire():
    signed = sign(RECEIPT, VALUE, KEY)
    assert Signed.from_json(json.loads(json.dumps(signed.to_json()))) == signed
    assert signer_of(signed) == KEY.public


def test_another_key_is_the_wrong_signer():
    with pytest.raises(WrongSigner):
        open_signed(sign(RECEIPT, VALUE, OTHER), RECEIPT, {KEY.public})


def test_another_namespace_is_refused():
    with pytest.raises(SignatureInvalid):
        open_signed(sign(MANIFEST, VALUE, KEY), RECEIPT, {KEY.public})


def test_a_changed_message_is_refused():
    signed = sign(RECEIPT, {"outcome": "stored"}, KEY)
    changed = Signed(signed.message.replace(b"stored", b"storer"), signed.signature)
    with pytest.raises(SignatureInvalid):
        open_signed(changed, RECEIPT, {KEY.public})


def test_a_signed_text_that_is_not_canonical_is_refused():
    message = b'{"b": 1, "a": 2}'
    raw = KEY.sign_raw(sshsig.signed_data(RECEIPT, message))
    with pytest.raises(NotCanonical):
        open_signed(Signed(message, sshsig.armor(KEY.public.raw, RECEIPT, raw)), RECEIPT, {KEY.public})


def test_every_form_of_a_signature_but_one_is_refused():
    armored = sign(RECEIPT, VALUE, KEY).signature
    body = armored.splitlines()[1]
    for other in (
        "",
        armored + "\n",
        armored.rstrip("\n"),
        armored.replace("\n", "\r\n"),
        armored.replace(body, body[:-1] + "\n" + body[-1]),
        armored.replace("BEGIN SSH", "BEGIN PGP"),
        armored.replace(body, "AAAA" + body[4:]),
        armored.replace("=\n", "\n"),
        "-" * 100_000,
    ):
        assert other != armored
        with pytest.raises(SignatureInvalid):
            open_signed(Signed(b"{}", other), RECEIPT, {KEY.public})


@pytest.mark.parametrize(
    "value",
    [None, [], "x", {}, {"message": "{}"}, {"message": 1, "signature": ""}, {"message": "\ud800", "signature": ""}],
)
def test_a_statement_of_another_form_is_refused(value):
    with pytest.raises(StatementMalformed):
        Signed.from_json(value)


def test_a_statement_with_a_further_member_is_refused():
    with pytest.raises(StatementMalformed):
        Signed.from_json({**sign(RECEIPT, VALUE, KEY).to_json(), "note": "x"})


@needs_ssh_keygen
def test_ssh_keygen_verifies_what_we_sign(tmp_path):
    signed = sign(MANIFEST, VALUE, KEY)
    (tmp_path / "allowed").write_text(f"hospital {KEY.public.line}\n")
    (tmp_path / "statement.sig").write_text(signed.to_json()["signature"])
    verify = ("-Y", "verify", "-f", tmp_path / "allowed", "-I", "hospital", "-s", tmp_path / "statement.sig")
    assert ssh_keygen(*verify, "-n", MANIFEST, data=signed.message).returncode == 0
    assert ssh_keygen(*verify, "-n", RECEIPT, data=signed.message).returncode != 0
    assert ssh_keygen(*verify, "-n", MANIFEST, data=signed.message + b" ").returncode != 0


@needs_ssh_keygen
def test_we_verify_what_ssh_keygen_signs(tmp_path):
    (tmp_path / "key").write_bytes(KEY.to_openssh())
    (tmp_path / "key").chmod(0o600)
    message = sign(MANIFEST, VALUE, KEY).message
    made = ssh_keygen("-Y", "sign", "-f", tmp_path / "key", "-n", MANIFEST, data=message)
    signed = Signed(message, made.stdout.decode())
    assert open_signed(signed, MANIFEST, {KEY.public}) == VALUE
    assert signed == sign(MANIFEST, VALUE, KEY)  # the same bytes: Ed25519 draws no randomness


@needs_ssh_keygen
@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_a_key_that_ssh_keygen_made_is_loaded(tmp_path, passphrase):
    ssh_keygen("-q", "-t", "ed25519", "-N", passphrase, "-C", "someone@hospital", "-f", tmp_path / "key")
    key = SigningKey.load((tmp_path / "key").read_bytes(), passphrase.encode() or None)
    assert key.public == PublicSigningKey.from_public_file((tmp_path / "key.pub").read_text())
    assert key.public.fingerprint in ssh_keygen("-l", "-f", tmp_path / "key.pub").stdout.decode().split()


@needs_ssh_keygen
@pytest.mark.parametrize("passphrase", [b"", b"correct horse"])
def test_ssh_keygen_reads_a_key_that_we_wrote(tmp_path, passphrase):
    (tmp_path / "key").write_bytes(KEY.to_openssh(passphrase))
    (tmp_path / "key").chmod(0o600)
    shown = ssh_keygen("-y", "-P", passphrase.decode(), "-f", tmp_path / "key").stdout.decode()
    assert PublicSigningKey.from_public_file(shown) == KEY.public


@needs_ssh_keygen
def test_another_type_of_key_is_refused(tmp_path):
    ssh_keygen("-q", "-t", "ecdsa", "-N", "", "-f", tmp_path / "key")
    with pytest.raises(KeyFileUnreadable):
        SigningKey.load((tmp_path / "key").read_bytes())


@pytest.mark.parametrize("passphrase", [None, b"", b"wrong"])
def test_a_locked_key_needs_its_passphrase(passphrase):
    with pytest.raises(PassphraseWrong):
        SigningKey.load(KEY.to_openssh(b"right"), passphrase)


def test_a_passphrase_that_is_not_needed_is_not_used():
    assert SigningKey.load(KEY.to_openssh(), b"unneeded").public == KEY.public


@pytest.mark.parametrize(
    "data", [b"", b"x", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"]
)
def test_what_is_no_key_file_is_refused(data):
    with pytest.raises(KeyFileUnreadable):
        SigningKey.load(data, b"passphrase")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ssh-rsa AAAA",
        KEY.public.line + " comment",
        KEY.public.line + "\n",
        " " + KEY.public.line,
        KEY.public.line[:-1],
        KEY.public.line.replace("AAAAC3", "AAAAD3"),
    ],
)
def test_a_public_line_has_one_form(line):
    with pytest.raises(KeyMalformed):
        PublicSigningKey.from_line(line)


def test_a_key_shows_no_secret():
    assert KEY.public.fingerprint in repr(KEY)
    assert bytes(range(32)).hex() not in repr(KEY)
