"""Whom a submitter believes: the registry's statement key under the pinned root, and the newest intake statement.

A gateway only hands these on. What is unsigned, expired, older than one seen, or under another root stops the sending
before a byte of data is sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from swaddle.envelope.public import IntakeStatement, open_certificate, open_intake, parse_intake
from swaddle.envelope.signature import INTAKE, PublicSigningKey, open_signed
from swaddle.submitter.state import read_record, write_record
from swaddle.wire import messages


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


def keep(home: Path, trust: Trust) -> None:
    """Remember what was verified, so that nothing older is believed later."""
    path = trust_path(home)
    if not path.exists() or read_record(path, messages.Intake) != trust.proof:
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


def trust_path(home: Path) -> Path:
    """Where the newest certificate and intake statement lie."""
    return home / "trust.json"
