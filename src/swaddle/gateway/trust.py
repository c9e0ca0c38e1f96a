"""Whom the gateway believes: the root it was claimed with, the statement key under it, the keys enrolled since.

Every key is looked up at each request, so a revocation or a new pull key is in force at once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from swaddle.envelope.public import IntakeStatement, open_certificate, parse_intake
from swaddle.envelope.signature import PublicSigningKey, Signed
from swaddle.errors import SwaddleError
from swaddle.gateway.access import Kind, Who
from swaddle.gateway.index import Index, moment, seconds
from swaddle.gateway.refusal import Refusal
from swaddle.wire.messages import SignedText
from swaddle.wire.signing import ClockWrong, Request, Unsigned, check_request


def authenticate(index: Index, request: Request) -> Who:
    """Whose key signed a request, in force now; its nonce is used up.

    Raises:
        Refusal: `unsigned`, one text for all reasons, or `clock`.
    """
    now = index.now()
    found: dict[str, Who] = {}

    def key_of(fingerprint: str) -> PublicSigningKey | None:
        enrolled = _enrolled(index, fingerprint)
        if enrolled is None:
            return None
        found[fingerprint] = enrolled[1]
        return enrolled[0]

    def nonce_is_new(nonce: str, expires: datetime) -> bool:
        return index.write("INSERT OR IGNORE INTO nonces VALUES (?, ?)", nonce, seconds(expires)) == 1

    try:
        return found[check_request(request, key_of, now, nonce_is_new)]
    except Unsigned:
        raise Refusal("unsigned") from None
    except ClockWrong:
        raise Refusal("clock", server_time=now) from None


def registry_id(index: Index) -> str:
    """The id of the registry that claimed this gateway.

    Raises:
        Refusal: `not-found` while nobody has.
    """
    return _fact(index, "registry")


def statement_key(index: Index) -> PublicSigningKey:
    """The registry's statement key, its certificate in force now.

    Raises:
        Refusal: `refused` when the certificate is not in force (any more).
    """
    certificate = Signed.from_json(json.loads(_fact(index, "certificate")))
    root = PublicSigningKey.from_line(_fact(index, "root"))
    try:
        return open_certificate(certificate, root.fingerprint, index.now())
    except SwaddleError:
        raise Refusal("refused", reason="the statement key is not in force") from None


def signer(index: Index, who: Who) -> PublicSigningKey:
    """The key that signs this party's statements: the statement key, or the enrolled signing key.

    Raises:
        Refusal: there is none in force.
    """
    if who.kind is Kind.REGISTRY:
        return statement_key(index)
    row = index.row("SELECT signing_key FROM submitters WHERE id = ? AND NOT revoked", who.id)
    if row is None:
        raise Refusal("unsigned")
    return PublicSigningKey.from_line(row["signing_key"])


def certificate_text(index: Index) -> SignedText:
    """The statement key's certificate as it is handed out.

    Raises:
        Refusal: `not-found` while the gateway is not claimed.
    """
    return signed_text(_fact(index, "certificate"))


def intake_text(index: Index) -> SignedText:
    """The intake statement as it is handed out.

    Raises:
        Refusal: `not-found` while there is none.
    """
    return signed_text(_fact(index, "intake"))


def intake(index: Index) -> IntakeStatement:
    """The intake statement, verified when it was taken.

    Raises:
        Refusal: `refused` while there is none.
    """
    text = index.fact("intake")
    if text is None:
        raise Refusal("refused", reason="the registry has no intake key yet")
    return parse_intake(json.loads(json.loads(text)["message"]))


@dataclass(frozen=True)
class Epoch:
    """How long an intake key is sealed to, and by when it is destroyed."""

    seal_until: datetime
    destroy_by: datetime


def epoch_of(index: Index, key_id: str) -> Epoch | None:
    """The epoch of an intake key that may still be sealed to: the current one, or one before it until its time is over.

    Raises:
        Refusal: `refused` while the registry has no intake key at all.
    """
    current = intake(index)
    if current.recipient.key_id == key_id:
        return Epoch(current.seal_until, current.destroy_by)
    row = index.row(
        "SELECT * FROM earlier_intakes WHERE key_id = ? AND seal_until > ?", key_id, seconds(index.now())
    )  # fmt: skip
    return None if row is None else Epoch(moment(row["seal_until"]), moment(row["destroy_by"]))


def keep_earlier(index: Index, earlier: IntakeStatement) -> None:
    """Remember the intake statement that has just been followed by another: senders that began with it go on."""
    index.write(
        "INSERT OR REPLACE INTO earlier_intakes VALUES (?, ?, ?)",
        earlier.recipient.key_id, seconds(earlier.seal_until), seconds(earlier.destroy_by),
    )  # fmt: skip
    index.write("DELETE FROM earlier_intakes WHERE seal_until <= ?", seconds(index.now()))


def signed_text(text: str) -> SignedText:
    """A signed statement as the rows keep it."""
    value = json.loads(text)
    return SignedText(message=value["message"], signature=value["signature"])


def text_of(signed: Signed) -> str:
    """A signed statement as the rows keep it."""
    return json.dumps(signed.to_json())


def _enrolled(index: Index, fingerprint: str) -> tuple[PublicSigningKey, Who] | None:
    pull = index.fact("pull_key")
    if pull is not None:
        key = PublicSigningKey.from_line(pull)
        if key.fingerprint == fingerprint:
            return key, Who(Kind.REGISTRY, registry_id(index))
    row = index.row("SELECT id, signing_key FROM submitters WHERE fingerprint = ? AND NOT revoked", fingerprint)
    if row is None:
        return None
    return PublicSigningKey.from_line(row["signing_key"]), Who(Kind.SUBMITTER, row["id"])


def _fact(index: Index, name: str) -> str:
    value = index.fact(name)
    if value is None:
        raise Refusal("not-found")
    return value
