"""Certificates and intake statements: what a submitter refuses before it seals anything."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from swaddle.envelope.keys import SealingPair
from swaddle.envelope.public import (
    IntakeStatement,
    SealingPublic,
    make_certificate,
    make_intake,
    open_certificate,
    open_intake,
)
from swaddle.envelope.refusals import (
    KeyMalformed,
    NotInForce,
    OlderStatement,
    SignatureInvalid,
    StatementMalformed,
    WrongRoot,
    WrongSigner,
)
from swaddle.envelope.signature import INTAKE, ROOT, SigningKey, sign

NOW = datetime(2026, 11, 22, 9, 24, 37, tzinfo=UTC)
DAY = timedelta(days=1)
ROOT_KEY, STATEMENT_KEY, OTHER = (SigningKey.from_seed(bytes([n]) * 32) for n in range(3))
PUBLIC = SealingPair(bytes(32), bytes(31) + b"\1").public
STATEMENT = IntakeStatement(
    sequence=7,
    not_before=NOW,
    seal_until=NOW + 14 * DAY,
    destroy_by=NOW + 30 * DAY,
    registry="ab" * 16,
    recipient=PUBLIC,
    gateway_pins=("pin",),
)


def opened(at=NOW, least=7, key=STATEMENT_KEY, known=None, statement=STATEMENT):
    return open_intake(make_intake(statement, key), STATEMENT_KEY.public, at, least, known)


def test_the_chain_from_the_pinned_root_holds():
    certificate = make_certificate(ROOT_KEY, STATEMENT_KEY.public, NOW, NOW + 365 * DAY)
    assert open_certificate(certificate, ROOT_KEY.public.fingerprint, NOW) == STATEMENT_KEY.public
    assert opened() == STATEMENT


def test_a_certificate_under_another_root_is_refused():
    certificate = make_certificate(OTHER, STATEMENT_KEY.public, NOW, NOW + DAY)
    with pytest.raises(WrongRoot):
        open_certificate(certificate, ROOT_KEY.public.fingerprint, NOW)


def test_a_certificate_that_names_another_root_than_its_signer_is_refused():
    value = {"root": OTHER.public.line, "statement_key": OTHER.public.line}
    value |= {"not_before": "2026-11-22T00:00:00Z", "not_after": "2027-11-22T00:00:00Z"}
    with pytest.raises(WrongRoot):
        open_certificate(sign(ROOT, value, ROOT_KEY), ROOT_KEY.public.fingerprint, NOW)


@pytest.mark.parametrize("at", [NOW - DAY, NOW + 2 * DAY])
def test_a_certificate_out_of_its_time_is_refused(at):
    certificate = make_certificate(ROOT_KEY, STATEMENT_KEY.public, NOW, NOW + DAY)
    with pytest.raises(NotInForce):
        open_certificate(certificate, ROOT_KEY.public.fingerprint, at)


def test_a_certificate_signed_as_something_else_is_refused():
    value = {"root": ROOT_KEY.public.line, "statement_key": OTHER.public.line, "not_before": "", "not_after": ""}
    with pytest.raises(SignatureInvalid):
        open_certificate(sign(INTAKE, value, ROOT_KEY), ROOT_KEY.public.fingerprint, NOW)


def test_an_intake_statement_by_another_key_is_refused():
    with pytest.raises(WrongSigner):
        opened(key=OTHER)


@pytest.mark.parametrize("at", [NOW - DAY, NOW + 15 * DAY])
def test_an_intake_statement_out_of_its_time_is_refused(at):
    with pytest.raises(NotInForce):
        opened(at=at)


def test_a_clock_a_little_late_still_takes_a_statement_made_just_now():
    assert opened(at=NOW - timedelta(minutes=4)) == STATEMENT


def test_a_lower_sequence_is_refused():
    with pytest.raises(OlderStatement):
        opened(least=8)


def test_the_same_sequence_with_other_content_is_refused():
    with pytest.raises(OlderStatement):
        opened(known=replace(STATEMENT, gateway_pins=()))
    assert opened(known=STATEMENT) == STATEMENT
    assert opened(known=replace(STATEMENT, sequence=6)) == STATEMENT


@pytest.mark.parametrize(("seals", "keeps"), [(15, 1), (0, 1), (-1, 1), (14, 17), (14, -1)])
def test_a_key_that_would_live_too_long_is_refused(seals, keeps):
    with pytest.raises(StatementMalformed):
        replace(STATEMENT, seal_until=NOW + seals * DAY, destroy_by=NOW + (seals + keeps) * DAY)


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": -1},
        {"sequence": "7"},
        {"sequence": True},
        {"not_before": "2026-11-22"},
        {"registry": "AB" * 16},
        {"gateway_pins": "pin"},
        {"gateway_pins": ["pin"] * 9},
        {"gateway_pins": [1]},
        {"further": 1},
    ],
)
def test_an_intake_statement_of_another_form_is_refused(change):
    signed = sign(INTAKE, {**STATEMENT.to_json(), **change}, STATEMENT_KEY)
    with pytest.raises(StatementMalformed):
        open_intake(signed, STATEMENT_KEY.public, NOW, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"key_id": "00" * 16},
        {"key_id": PUBLIC.key_id.upper()},
        {"crypt4gh": ""},
        {"crypt4gh": PUBLIC.to_json()["crypt4gh"].rstrip("=")},
        {"hpke": PUBLIC.to_json()["hpke"][4:]},
        {"hpke": None},
        {"note": ""},
    ],
)
def test_a_sealing_key_of_another_form_is_refused(change):
    with pytest.raises(KeyMalformed):
        SealingPublic.from_json({**PUBLIC.to_json(), **change})


def test_what_is_no_ml_kem_key_is_refused_before_anything_is_sealed_to_it():
    with pytest.raises(KeyMalformed):
        SealingPublic(b"\xff" * 1_216, bytes(32))
