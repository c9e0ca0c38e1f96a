"""Claim and enrolment (docs/spec/transfer.md section 4): the only requests that nobody signs, so each is small.

The gateway can check a claim, because it made it; it can check no enrolment, because it never sees the proof key.
"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256

from swaddle.canonical import format_instant
from swaddle.envelope.public import open_certificate
from swaddle.errors import SwaddleError
from swaddle.gateway import journal, trust
from swaddle.gateway.index import Index
from swaddle.gateway.refusal import Refusal
from swaddle.wire.enrolment import RegistryKeys, SubmitterKeys, check_proof, claim_proof, lookup_digest
from swaddle.wire.messages import (
    Claim,
    Claimed,
    Enrolment,
    EnrolmentState,
    GatewayKeys,
    PendingEnrolment,
    PendingEnrolments,
)

MOST_PENDING = 500


def claim(index: Index, message: Claim) -> Claimed:
    """Take a registry, once. The same claim again gives the same answer.

    Raises:
        Refusal: `unsigned` for a claim that is wrong, used or too late: one text.
    """
    text = message.keys.encode("utf-8")
    proof = base64.b64decode(message.hmac)
    answer = Claimed(gateway=GatewayKeys(journal_key=index.journal_key.public.line))
    digest = sha256(text + proof).hexdigest()
    taken = index.fact("claim_sha256")
    if taken is not None and hmac.compare_digest(taken, digest):
        return answer
    key, expires = index.fact("claim_key"), index.fact("claim_expires")
    if key is None or expires is None or expires <= format_instant(index.now()):
        raise Refusal("unsigned")
    try:
        check_proof(claim_proof(bytes.fromhex(key), text), proof)
        keys = RegistryKeys.from_text(text)
        statement_key = open_certificate(keys.certificate, keys.root.fingerprint, index.now())
    except SwaddleError:
        raise Refusal("unsigned") from None
    if len({keys.pull_key, keys.root, statement_key}) != 3:
        raise Refusal("unsigned")  # one key for two purposes: the pull key could then acknowledge
    index.set_fact("registry", keys.registry)
    index.set_fact("root", keys.root.line)
    index.set_fact("certificate", trust.text_of(keys.certificate))
    index.set_fact("pull_key", keys.pull_key.line)
    index.set_fact("claim_sha256", digest)
    index.drop_fact("claim_key")
    index.drop_fact("claim_expires")
    journal.append(index, "claimed", keys.registry, root=keys.root.fingerprint, pull_key=keys.pull_key.fingerprint)
    return answer


def enrol(index: Index, message: Enrolment) -> None:
    """Keep the first keys that come for an invited lookup; the same again changes nothing.

    Raises:
        Refusal: `not-found` for a lookup that nobody invited, `conflict` for other keys, `malformed`.
    """
    digest = lookup_digest(base64.b64decode(message.lookup))
    row = index.row("SELECT * FROM enrolments WHERE lookup_sha256 = ?", digest)
    if row is None or row["forget_at"] <= index.now().timestamp():
        raise Refusal("not-found")
    posted = sha256(message.keys.encode("utf-8") + b"\x00" + message.hmac.encode("ascii")).hexdigest()
    if row["posted_sha256"] is not None:
        if not hmac.compare_digest(row["posted_sha256"], posted):
            raise Refusal("conflict")
        return
    if row["state"] != "invited":
        raise Refusal("conflict")
    try:
        SubmitterKeys.from_text(message.keys.encode("utf-8"))
    except SwaddleError:
        raise Refusal("malformed") from None
    index.write(
        "UPDATE enrolments SET state = 'waiting', keys = ?, hmac = ?, posted_sha256 = ? WHERE lookup_sha256 = ?",
        message.keys, message.hmac, posted, digest,
    )  # fmt: skip
    journal.append(index, "enrolment", digest, keys_sha256=sha256(message.keys.encode("utf-8")).hexdigest())


def state(index: Index, lookup: str) -> EnrolmentState:
    """How far an enrolment is; the chain that the submitter verifies, once it is active.

    Raises:
        Refusal: `not-found` for a lookup that nobody invited.
    """
    row = index.row(
        "SELECT state, statement FROM enrolments WHERE lookup_sha256 = ? AND forget_at > ?",
        lookup_digest(base64.b64decode(lookup)), int(index.now().timestamp()),
    )  # fmt: skip
    if row is None:
        raise Refusal("not-found")
    if row["state"] == "rejected":
        return EnrolmentState(state="rejected")
    if row["state"] != "active" or index.fact("intake") is None:
        return EnrolmentState(state="waiting")
    return EnrolmentState(
        state="active",
        certificate=trust.certificate_text(index),
        intake=trust.intake_text(index),
        enrolment=trust.signed_text(row["statement"]),
        journal_key=index.journal_key.public.line,
    )


def pending(index: Index) -> PendingEnrolments:
    """The enrolments that wait for the registry."""
    rows = index.rows(
        "SELECT lookup_sha256, keys, hmac FROM enrolments WHERE state = 'waiting' AND forget_at > ? LIMIT ?",
        int(index.now().timestamp()), MOST_PENDING,
    )  # fmt: skip
    return PendingEnrolments(
        enrolments=tuple(
            PendingEnrolment(lookup_sha256=row["lookup_sha256"], keys=row["keys"], hmac=row["hmac"]) for row in rows
        )
    )
