"""Claims and invitations: one secret, three keys, and lines that are whole or refused."""

import base64
import hmac
import json
from datetime import UTC, datetime

import pytest

from swaddle.canonical import canonical
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.signature import SigningKey, sign
from swaddle.wire.enrolment import (
    INVITATION_MARK,
    ClaimFile,
    Invitation,
    InvitationMalformed,
    KeysMalformed,
    ProofWrong,
    RegistryKeys,
    SubmitterKeys,
    check_proof,
    claim_key,
    claim_proof,
    enrolment_proof,
    lookup,
    proof_key,
)

SECRET = bytes(range(20))
EXPIRES = datetime(2026, 11, 25, 9, 24, 37, tzinfo=UTC)
PIN = base64.b64encode(bytes(32)).decode()
KEY = SigningKey.from_seed(bytes(32))
INVITATION = Invitation("https://gate.example:8443", PIN, KEY.public.fingerprint, SECRET, EXPIRES)
CLAIM = ClaimFile("https://gate.example:8443", PIN, SECRET, EXPIRES)


def test_each_purpose_has_its_own_key():
    assert len({claim_key(SECRET), lookup(SECRET), proof_key(SECRET)}) == 3


def test_the_derivation_is_hkdf_of_rfc_5869_without_salt():
    extracted = hmac.digest(bytes(32), SECRET, "sha256")
    assert proof_key(SECRET) == hmac.digest(extracted, b"swaddle-proof-v1\x01", "sha256")


def test_a_secret_of_another_length_is_refused():
    with pytest.raises(ValueError):
        claim_key(bytes(19))


def test_a_changed_key_changes_the_proof():
    key = proof_key(SECRET)
    first = enrolment_proof(key, b"keys", KEY.public.fingerprint)
    check_proof(first, enrolment_proof(key, b"keys", KEY.public.fingerprint))
    for other in (
        enrolment_proof(key, b"kezs", KEY.public.fingerprint),
        enrolment_proof(key, b"keys", SigningKey.generate().public.fingerprint),
        enrolment_proof(lookup(SECRET), b"keys", KEY.public.fingerprint),
        claim_proof(key, b"keys"),
        b"",
    ):
        with pytest.raises(ProofWrong):
            check_proof(first, other)


class TestInvitation:
    def test_there_and_back_in_one_line(self):
        line = INVITATION.encode()
        assert "\n" not in line
        assert Invitation.decode(f"  {line}\n") == INVITATION

    def test_the_pin_may_be_left_to_a_public_authority(self):
        plain = Invitation("https://gate.example", None, KEY.public.fingerprint, SECRET, EXPIRES)
        assert Invitation.decode(plain.encode()) == plain

    def test_the_secret_is_not_printed(self):
        assert "secret" not in repr(INVITATION)
        assert "secret" not in repr(CLAIM)

    @pytest.mark.parametrize("cut", [1, 10, 100])
    def test_a_line_that_is_not_whole_is_refused(self, cut):
        with pytest.raises(InvitationMalformed):
            Invitation.decode(INVITATION.encode()[:-cut])

    @pytest.mark.parametrize(
        "change",
        [
            {"url": "http://gate.example"},
            {"url": "https://gate.example/x"},
            {"pin": "short"},
            {"root": "SHA256:short"},
            {"secret": "AAAA"},
            {"secret": 5},
            {"expires": "tomorrow"},
            {"more": 1},
        ],
        ids=str,
    )
    def test_a_member_of_another_form_is_refused(self, change):
        text = INVITATION.encode().removeprefix(INVITATION_MARK)
        value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        changed = base64.urlsafe_b64encode(canonical({**value, **change})).rstrip(b"=").decode()
        with pytest.raises(InvitationMalformed) as caught:
            Invitation.decode(INVITATION_MARK + changed)
        assert caught.value.exit_status == 2

    @pytest.mark.parametrize("text", ["", "hello", "swaddle-invitation-2.AAAA", INVITATION_MARK, "x" * 10_000])
    def test_other_text_is_refused(self, text):
        with pytest.raises(InvitationMalformed):
            Invitation.decode(text)


class TestClaimFile:
    def test_there_and_back(self):
        assert ClaimFile.from_bytes(CLAIM.to_bytes() + b"\n") == CLAIM

    @pytest.mark.parametrize(
        "change", [{"claim": 2}, {"claim": True}, {"pin": None}, {"secret": ""}, {"x": 1}], ids=str
    )
    def test_a_member_of_another_form_is_refused(self, change):
        with pytest.raises(InvitationMalformed):
            ClaimFile.from_bytes(canonical({**json.loads(CLAIM.to_bytes()), **change}))

    @pytest.mark.parametrize("data", [b"", b"{}", b"\xff\x00", b"[]", b"{" * 5000])
    def test_other_bytes_are_refused(self, data):
        with pytest.raises(InvitationMalformed):
            ClaimFile.from_bytes(data)


class TestKeysTexts:
    def test_a_submitters_keys_there_and_back(self):
        keys = SubmitterKeys(SealingPair.generate().public, KEY.public)
        assert SubmitterKeys.from_text(keys.to_text()) == keys

    def test_a_registrys_keys_there_and_back(self):
        keys = RegistryKeys(sign("swaddle-root-v1", {"a": 1}, KEY), KEY.public, "0" * 32, SigningKey.generate().public)
        assert RegistryKeys.from_text(keys.to_text()) == keys

    @pytest.mark.parametrize("kind", [SubmitterKeys, RegistryKeys])
    @pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b'{"sealing":{},"signing_key":"ssh-rsa AAAA"}'])
    def test_other_texts_are_refused(self, kind, text):
        with pytest.raises(KeysMalformed):
            kind.from_text(text)

    def test_a_key_id_that_is_not_of_the_keys_is_refused(self):
        value = json.loads(SubmitterKeys(SealingPair.generate().public, KEY.public).to_text())
        value["sealing"]["key_id"] = "0" * 32
        with pytest.raises(KeysMalformed):
            SubmitterKeys.from_text(canonical(value))
