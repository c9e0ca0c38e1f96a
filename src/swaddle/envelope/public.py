"""What may be known to everybody: sealing public keys, the statement key's certificate, intake statements.

Everything here is opened by public keys alone; the gateway may import it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any, Self

from swaddle.canonical import format_instant
from swaddle.envelope import suite
from swaddle.envelope.members import Members
from swaddle.envelope.refusals import (
    KeyMalformed,
    NotInForce,
    OlderStatement,
    StatementMalformed,
    WrongRoot,
)
from swaddle.envelope.signature import INTAKE, ROOT, PublicSigningKey, Signed, SigningKey, open_signed, sign, signer_of

SEAL_LIMIT = timedelta(days=14)
KEEP_LIMIT = timedelta(days=16)
CLOCK_SLACK = timedelta(minutes=5)  # a statement made a moment ago is good on a clock that is a little late
_MOST_PINS = 8


@dataclass(frozen=True)
class SealingPublic:
    """The public half of a sealing pair: an HPKE key and a Crypt4GH key that live and die together.

    Raises:
        KeyMalformed: a length is wrong, or the HPKE key is none.
    """

    hpke: bytes
    crypt4gh: bytes

    def __post_init__(self) -> None:
        """Refuse what could not be sealed to."""
        suite.public_key(self.hpke)
        if len(self.crypt4gh) != suite.CRYPT4GH_PUBLIC_BYTES:
            raise KeyMalformed("a Crypt4GH key has 32 bytes")

    @cached_property
    def key_id(self) -> str:
        """32 hex digits: the first 16 bytes of SHA-256 over the suite label and both keys."""
        return sha256(suite.LABEL.encode("ascii") + b"\x00" + self.hpke + self.crypt4gh).digest()[:16].hex()

    def keys_json(self) -> dict[str, str]:
        """The two keys alone, base64."""
        return {"hpke": _text(self.hpke), "crypt4gh": _text(self.crypt4gh)}

    def to_json(self) -> dict[str, str]:
        """Key id and both keys, base64."""
        return {"key_id": self.key_id, **self.keys_json()}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """The public half that `to_json` wrote.

        Raises:
            KeyMalformed: any other form, or a key id that is not of these keys.
        """
        members = Members(value, ("key_id", "hpke", "crypt4gh"), KeyMalformed)
        public = cls(
            hpke=members.base64("hpke", suite.HPKE_PUBLIC_BYTES),
            crypt4gh=members.base64("crypt4gh", suite.CRYPT4GH_PUBLIC_BYTES),
        )
        if members.hex("key_id", 32) != public.key_id:
            raise KeyMalformed("its key id is not of its keys")
        return public


@dataclass(frozen=True)
class IntakeStatement:
    """The registry's word: seal to this key, until then; it is destroyed by then.

    Raises:
        StatementMalformed: times further apart than protocol version 1 allows.
    """

    sequence: int
    not_before: datetime
    seal_until: datetime
    destroy_by: datetime
    registry: str
    recipient: SealingPublic
    gateway_pins: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a key that would live too long."""
        seals = self.seal_until - self.not_before
        keeps = self.destroy_by - self.seal_until
        if not timedelta(0) < seals <= SEAL_LIMIT or not timedelta(0) <= keeps <= KEEP_LIMIT:
            raise StatementMalformed("its times are out of order or too far apart")

    def to_json(self) -> dict[str, Any]:
        """The object that is signed."""
        return {
            "sequence": self.sequence,
            "not_before": format_instant(self.not_before),
            "seal_until": format_instant(self.seal_until),
            "destroy_by": format_instant(self.destroy_by),
            "registry": self.registry,
            "recipient": self.recipient.to_json(),
            "gateway_pins": list(self.gateway_pins),
        }


def make_certificate(
    root: SigningKey, statement: PublicSigningKey, not_before: datetime, not_after: datetime
) -> Signed:
    """The root's word that `statement` is the statement key for that time."""
    value = {
        "root": root.public.line,
        "statement_key": statement.line,
        "not_before": format_instant(not_before),
        "not_after": format_instant(not_after),
    }
    return sign(ROOT, value, root)


def open_certificate(signed: Signed, root_fingerprint: str, at: datetime) -> PublicSigningKey:
    """The statement key, once it is known that the pinned root signed its certificate and that it is in force.

    Raises:
        WrongRoot: another root than the pinned one.
        SignatureInvalid, NotCanonical, StatementMalformed: broken.
        NotInForce: too early or too late.
    """
    root = signer_of(signed)
    if root.fingerprint != root_fingerprint:
        raise WrongRoot
    value = open_signed(signed, ROOT, (root,))
    members = Members(value, ("root", "statement_key", "not_before", "not_after"), StatementMalformed)
    if members.text("root") != root.line:
        raise WrongRoot
    if not members.instant("not_before") - CLOCK_SLACK <= at <= members.instant("not_after"):
        raise NotInForce("the certificate of the registry's statement key is too new or too old for this clock")
    try:
        return PublicSigningKey.from_line(members.text("statement_key"))
    except KeyMalformed:
        raise StatementMalformed("`statement_key` is not an Ed25519 key") from None


def make_intake(statement: IntakeStatement, key: SigningKey) -> Signed:
    """Sign an intake statement with the statement key."""
    return sign(INTAKE, statement.to_json(), key)


def open_intake(
    signed: Signed,
    statement_key: PublicSigningKey,
    at: datetime,
    least_sequence: int,
    known: IntakeStatement | None = None,
) -> IntakeStatement:
    """The intake statement, once it is known to be the registry's, in force, and not older than one seen.

    Args:
        signed: as it came.
        statement_key: from `open_certificate`.
        at: now.
        least_sequence: the highest sequence seen so far; 0 if none.
        known: the statement that had that sequence; another one of the same number is refused.

    Raises:
        OlderStatement: of lower sequence, or of the same as `known` and not equal to it.
        NotInForce: too early, or its time to seal is over.
    """
    statement = parse_intake(open_signed(signed, INTAKE, (statement_key,)))
    is_other = known is not None and known.sequence == statement.sequence and known != statement
    if statement.sequence < least_sequence or is_other:
        raise OlderStatement
    if not statement.not_before - CLOCK_SLACK <= at <= statement.seal_until:
        raise NotInForce("its time to seal to the registry's key is over, or has not begun, by this clock")
    return statement


def parse_intake(value: object) -> IntakeStatement:
    """The intake statement of its JSON object; whether it is signed and in force is checked elsewhere.

    Raises:
        StatementMalformed, KeyMalformed: any other form.
    """
    names = ("sequence", "not_before", "seal_until", "destroy_by", "registry", "recipient", "gateway_pins")
    members = Members(value, names, StatementMalformed)
    pins = members.array("gateway_pins")
    if len(pins) > _MOST_PINS or not all(isinstance(pin, str) and 1 <= len(pin) <= 64 for pin in pins):
        raise StatementMalformed("`gateway_pins` is not a short list of pins")
    return IntakeStatement(
        sequence=members.integer("sequence"),
        not_before=members.instant("not_before"),
        seal_until=members.instant("seal_until"),
        destroy_by=members.instant("destroy_by"),
        registry=members.hex("registry", 32),
        recipient=SealingPublic.from_json(members.anything("recipient")),
        gateway_pins=tuple(pins),
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
