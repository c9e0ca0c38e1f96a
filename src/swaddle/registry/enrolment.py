"""Letting submitters in: invite, and activate those whose keys prove the invitation. docs/spec/transfer.md section 4.

A hacked gateway cannot enrol itself or swap keys: what it relays is believed only with an HMAC under a key that it has
never seen, and the six words are compared by phone besides.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime, timedelta

from swaddle.canonical import format_instant, parse_instant
from swaddle.custody.ledger import Ledger
from swaddle.envelope.signature import sign
from swaddle.envelope.words import six_words
from swaddle.errors import SwaddleError, UsageFault
from swaddle.registry import exchange, pins
from swaddle.registry.keys import Keyring
from swaddle.registry.settings import Settings
from swaddle.registry.state import State
from swaddle.wire import messages
from swaddle.wire.client import GatewayClient
from swaddle.wire.enrolment import (
    SECRET_BYTES,
    Invitation,
    ProofWrong,
    SubmitterKeys,
    check_proof,
    enrolment_proof,
    lookup,
    lookup_digest,
    proof_key,
)

INVITATION_LIFE = timedelta(hours=72)


class NameTaken(UsageFault):
    """That submitter is enrolled already."""

    code = "SWD-REG-20"
    what = "this submitter is enrolled already"
    why = "one name is one submitter, with one set of keys"
    fix = "revoke it first, or invite under another name"


def invite(
    name: str,
    *,
    client: GatewayClient,
    keyring: Keyring,
    state: State,
    ledger: Ledger,
    settings: Settings,
    at: datetime,
    sites: Sequence[str] = (),
) -> Invitation:
    """Make an invitation and tell the gateway that an enrolment may come.

    Raises:
        NameTaken: that submitter is active.
    """
    known = state.submitter_named(name)
    if known is not None and known.state == "active" and not known.is_by_door_only:
        raise NameTaken
    submitter = known.id if known else secrets.token_hex(16)
    invitation = Invitation(
        url=settings.gateway_url,
        pin=next(iter(pins.known(state, settings)), None),
        root=keyring.root.fingerprint,
        secret=secrets.token_bytes(SECRET_BYTES),
        expires=at + INVITATION_LIFE,
    )
    expires = format_instant(invitation.expires)
    digest = lookup_digest(lookup(invitation.secret))
    state.add_submitter(submitter, name, digest, proof_key(invitation.secret), format_instant(at), expires, sites)
    exchange.instruct(client, keyring, state, "invite", at, lookup_sha256=digest, expires=expires)
    ledger.append("submitter-invited", digest, {"submitter": submitter, "expires": expires}, at)
    return invitation


def activate_waiting(
    *, client: GatewayClient, keyring: Keyring, state: State, ledger: Ledger, at: datetime
) -> list[dict[str, str]]:
    """Accept or refuse every enrolment that waits on the gateway; (submitter, name, state, words) of each."""
    done = []
    waiting = messages.convert(client.get_json("/v1/enrolments"), messages.PendingEnrolments)
    for pending in waiting.enrolments:
        digest = pending.lookup_sha256
        invitation = state.invitation(digest)
        if invitation is None:
            exchange.instruct(client, keyring, state, "reject", at, lookup_sha256=digest)
            continue
        submitter, proof, expires = invitation
        try:
            keys = proven_keys(pending, proof, keyring.root.fingerprint, parse_instant(expires) <= at)
        except SwaddleError:
            exchange.instruct(client, keyring, state, "reject", at, lookup_sha256=digest)
            state.spend(digest)
            ledger.append("submitter-rejected", digest, {"submitter": submitter}, at)
            done.append({"submitter": submitter, "state": "rejected", "words": ""})
            continue
        text = keys.to_text()
        words = six_words(keyring.root.fingerprint, text)
        statement = {"keys_sha256": exchange.keys_digest(text), "submitter": submitter}
        enrolment = sign("swaddle-enrolment-v1", statement, keyring.statement)
        if not state.is_active(submitter, keys.signing_key):
            detail = {"signing_key": keys.signing_key.fingerprint, "sealing_key": keys.sealing.key_id}
            ledger.append("submitter-active", submitter, detail, at)
            sealing = json.dumps(keys.sealing.to_json())
            state.activate(submitter, keys.signing_key, sealing, enrolment, words, format_instant(at))
        exchange.instruct(
            client, keyring, state, "activate", at,
            lookup_sha256=digest, submitter=submitter, enrolment=enrolment.to_json(),
        )  # fmt: skip
        state.spend(digest)
        done.append({"submitter": submitter, "state": "active", "words": words})
    return done


def proven_keys(
    pending: messages.PendingEnrolment, proof: bytes, root_fingerprint: str, is_late: bool
) -> SubmitterKeys:
    """The keys of a pending enrolment, once their HMAC holds and they have the form of keys.

    Raises:
        ProofWrong: the HMAC does not hold, or the invitation is over.
        KeysMalformed: they break the format.
    """
    text = pending.keys.encode()
    check_proof(enrolment_proof(proof, text, root_fingerprint), b64decode(pending.hmac, validate=True))
    if is_late:
        raise ProofWrong("the invitation is over")
    return SubmitterKeys.from_text(text)
