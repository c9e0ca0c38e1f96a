"""Whom a submitter believes: the registry's statement key under the pinned root, and the newest intake statement.

A gateway only hands these on. What is unsigned, expired, older than one seen, or under another root stops the sending
before a byte of data is sealed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from swaddle.canonical import parse_instant
from swaddle.envelope.public import IntakeStatement, open_certificate, open_intake, parse_intake
from swaddle.envelope.refusals import NotInForce
from swaddle.envelope.signature import INTAKE, PublicSigningKey, open_signed
from swaddle.submitter.state import read_record, write_record
from swaddle.wire import messages
from swaddle.wire.client import GatewayClient, retry

MOST_EARLIER = 4
EARLIER_LIFE = timedelta(days=15)


class Earlier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Certificates of statement keys that were in force here before, the newest first."""

    certificates: tuple[messages.SignedText, ...]


@dataclass(frozen=True)
class Trust:
    """Verified: who signs for the registry, and what to seal to."""

    statement_key: PublicSigningKey
    intake: IntakeStatement
    proof: messages.Intake


def verify(proof: messages.Intake, root: str, at: datetime, known: IntakeStatement | None) -> Trust:
    """Check a certificate and an intake statement as a gateway hands them out.

    Raises:
        WrongRoot, NotInForce, OlderStatement, SignatureInvalid, WrongSigner, StatementMalformed: do not seal to it.
    """
    key = open_certificate(proof.certificate.signed(), root, at)
    least = known.sequence if known else 0
    return Trust(key, open_intake(proof.intake.signed(), key, at, least, known), proof)


def ask(client: GatewayClient, home: Path, root: str, at: datetime) -> Trust:
    """The registry's certificate and intake statement of today, verified and kept.

    Raises:
        NetworkFault: the gateway was not reached.
        As `verify`: do not seal to it.
    """
    proof = messages.convert(retry(lambda: client.get_json("/v1/intake")), messages.Intake)
    trust = verify(proof, root, at, known_intake(home))
    keep(home, trust)
    return trust


def keep(home: Path, trust: Trust) -> None:
    """Remember what was verified, so that nothing older is believed later.

    A certificate that is followed by another one still vouches for what was signed before (`statement_keys`).
    """
    path = trust_path(home)
    known = read_record(path, messages.Intake) if path.exists() else None
    if known == trust.proof:
        return
    if known is not None and known.certificate.message != trust.proof.certificate.message:
        earlier = (known.certificate, *_earlier(home).certificates)[:MOST_EARLIER]
        write_record(_earlier_path(home), Earlier(certificates=earlier))
    write_record(path, trust.proof)


def known_intake(home: Path) -> IntakeStatement | None:
    """The newest intake statement that was verified here, in force or not."""
    if not trust_path(home).exists():
        return None
    proof = read_record(trust_path(home), messages.Intake)
    signed = proof.intake.signed()
    return parse_intake(msgspec.json.decode(signed.message))


def statement_key(home: Path, root: str, at: datetime) -> PublicSigningKey:
    """The registry's statement key by the newest certificate that was verified here.

    Raises:
        NotInForce: its year is over; the next certificate comes with the next intake statement.
        StateBroken: nothing was ever verified here, or the file was changed.
    """
    proof = read_record(trust_path(home), messages.Intake)
    key = open_certificate(proof.certificate.signed(), root, at)
    open_signed(proof.intake.signed(), INTAKE, [key])
    return key


def statement_keys(home: Path, root: str, at: datetime) -> tuple[PublicSigningKey, ...]:
    """The keys that what waits for us may be signed by: today's, and for 15 days the one before it.

    A report lives for 14 days; longer than that nothing signed by a former key is on its way.

    Raises:
        NotInForce: the newest certificate's year is over.
        StateBroken: nothing was ever verified here, or a file was changed.
    """
    keys = [statement_key(home, root, at)]
    followed_by = read_record(trust_path(home), messages.Intake).certificate
    for certificate in _earlier(home).certificates:
        if parse_instant(msgspec.json.decode(followed_by.message)["not_before"]) + EARLIER_LIFE < at:
            break
        with suppress(NotInForce):
            keys.append(open_certificate(certificate.signed(), root, at))
        followed_by = certificate
    return tuple(keys)


def _earlier(home: Path) -> Earlier:
    path = _earlier_path(home)
    return read_record(path, Earlier) if path.exists() else Earlier(certificates=())


def _earlier_path(home: Path) -> Path:
    return home / "trust-earlier.json"


def trust_path(home: Path) -> Path:
    """Where the newest certificate and intake statement lie."""
    return home / "trust.json"
