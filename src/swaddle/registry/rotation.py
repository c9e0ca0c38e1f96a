"""The registry's keys in season: intake keys by themselves, the pull key yearly, the statement key by the root.

    intake     next statement 7 days before the old one's seal-until; the pair destroyed at its time, custody says so
    pull       keys/pull.next.key -> the gateway takes it -> keys/pull.key
    statement  keys/statement.next.key + statements/certificate.next.json (signed where the root is)
               -> the gateway takes certificate and intake statement together -> keys/statement.key

A new key is on the disk before the gateway hears of it, and the gateway is asked which one it knows: a kill anywhere is
made good by `settle`, which every look begins with. Source: protocol.md "Keys"; docs/spec/transfer.md section 5.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from swaddle import durable
from swaddle.canonical import format_instant, parse_instant
from swaddle.envelope.public import make_intake, open_certificate, parse_intake
from swaddle.envelope.refusals import EnvelopeRefused
from swaddle.envelope.signature import PublicSigningKey, Signed, SigningKey
from swaddle.errors import NotPermitted, UsageFault
from swaddle.registry import exchange, pins
from swaddle.registry.inside import Registry
from swaddle.wire.client import GatewayClient

PULL_KEY_LIFE = timedelta(days=365)
PULL_KEY_MADE = "pull_key_made"


class CertificateWrong(UsageFault):
    """The certificate is not of the key that waits for one, or not of this registry's root."""

    code = "SWD-REG-60"
    what = "this certificate does not make the next statement key"
    why = "it is of another key, or another root signed it, or it is not in force by this clock"
    fix = "run `swaddle registry rotate-keys --statement --root-key FILE` with the root key of this registry"


def renew_intake_key(inside: Registry, *, at_once: bool = False) -> str:
    """Make and publish the next intake key when it is time, or at once; destroy those whose time is over.

    Returns:
        The id of the intake key that senders are told to seal to.
    """
    at = inside.now()
    inside.intake_keys.destroy_expired(at, lambda key_id: note(inside, "key-destroyed", key_id, "intake"))
    signed = inside.intake_keys.signed()
    inside.client.also_trust(pins.known(inside.state, inside.settings))
    is_old = not pins.are_published(inside.state, inside.settings, signed)  # the gateway's next TLS key was announced
    if at_once or is_old or inside.intake_keys.is_due(at):
        least = int(inside.state.fact("least_intake_sequence") or 1)  # of a return from a backup (returning.py)
        inside.intake_keys.renew(at, pins.known(inside.state, inside.settings), least)
    signed = inside.intake_keys.signed()
    assert signed is not None
    said = json.loads(signed.message)
    key_id = str(said["recipient"]["key_id"])
    note(inside, "key-made", key_id, "intake", until=said["destroy_by"])
    if inside.state.fact("intake_published") != key_id:
        exchange.instruct(inside.client, inside.keyring, inside.state, "intake", at, intake=signed.to_json())
        note(inside, "intake-published", key_id, "intake")
        inside.state.set_facts(intake_published=key_id)
    return key_id


def note(inside: Registry, event: str, key_id: str, kind: str, **further: str) -> None:
    """Write a key's event into custody, once; `further`, what else the entry is to say."""
    if not any(entry.event == event for entry in inside.ledger.newest(key_id)):
        inside.ledger.append(event, key_id, {"key": kind, **further}, inside.now())


def settle(inside: Registry) -> None:
    """Bring to its end what a killed rotation left, and begin the yearly one of the pull key when it is time.

    Raises:
        NetworkFault: the gateway was not reached; the next look goes on.
    """
    settle_statement(inside)
    settle_pull(inside)
    made = inside.state.fact(PULL_KEY_MADE)
    if made is None:
        inside.state.set_facts(**{PULL_KEY_MADE: format_instant(inside.now())})
    elif parse_instant(made) + PULL_KEY_LIFE <= inside.now():
        rotate_pull(inside)


def rotate_pull(inside: Registry) -> dict[str, Any]:
    """Make the next pull key and have the gateway take it; the old one is no key from then on."""
    following = _next_path(inside, "pull")
    if not following.exists():
        durable.write_file(following, SigningKey.generate().to_openssh(inside.passphrase))
    settle_pull(inside)
    return {"pull_key": inside.keyring.pull.public.fingerprint}


def settle_pull(inside: Registry) -> None:
    """Where a next pull key lies: the gateway takes it, if it has not yet; then it is the pull key."""
    following = _next_path(inside, "pull")
    if not following.exists():
        return
    key, old = SigningKey.load(following.read_bytes(), inside.passphrase), inside.keyring.pull.public
    fingerprint = key.public.fingerprint
    note(inside, "key-made", fingerprint, "pull")
    settings = inside.settings
    further = pins.known(inside.state, settings)
    client = GatewayClient(
        settings.gateway_url, settings.gateway_pin or None, key, further_pins=further, clock=inside.now
    )
    try:
        client.get_json("/v1/intake")  # answered: an earlier call got as far as the gateway
    except NotPermitted:
        exchange.instruct(
            inside.client, inside.keyring, inside.state, "pull-key", inside.now(), pull_key=key.public.line
        )
    inside.client.close()
    inside.client, inside.keyring = client, replace(inside.keyring, pull=key)
    put_in_place(inside, "pull", old, key.public)
    inside.state.set_facts(**{PULL_KEY_MADE: format_instant(inside.now())})
    durable.remove_file(following)


def put_in_place(inside: Registry, name: str, old: PublicSigningKey, new: PublicSigningKey) -> None:
    """The next key becomes the key of that name; the one before it is gone, and custody says so.

    Which one that was is written down first: after a kill behind the replacement nothing else would know.
    """
    replaced = f"replaced_{name}_key"
    if old != new:
        inside.state.set_facts(**{replaced: old.fingerprint})
    durable.write_file(inside.home / "keys" / f"{name}.key", _next_path(inside, name).read_bytes())
    gone = inside.state.fact(replaced)
    if gone is not None and gone != new.fingerprint:
        note(inside, "key-destroyed", gone, name)


def begin_statement(inside: Registry) -> dict[str, Any]:
    """Make the next statement key; what the root is to sign, wherever it is kept."""
    following = _next_path(inside, "statement")
    if not following.exists():
        durable.write_file(following, SigningKey.generate().to_openssh(inside.passphrase))
    key = SigningKey.load(following.read_bytes(), inside.passphrase)
    return {"statement_key": key.public.line, "root": inside.keyring.root.line}


def finish_statement(inside: Registry, certificate: dict[str, str]) -> dict[str, Any]:
    """Take the root's certificate of the next statement key, and go over to it.

    Raises:
        CertificateWrong: it is not that.
    """
    following, signed = _next_path(inside, "statement"), Signed.from_json(certificate)
    try:
        if not following.exists():
            raise CertificateWrong
        key = SigningKey.load(following.read_bytes(), inside.passphrase)
        if open_certificate(signed, inside.keyring.root.fingerprint, inside.now()) != key.public:
            raise CertificateWrong
    except EnvelopeRefused as error:
        raise CertificateWrong from error
    durable.write_file(_next_certificate(inside), json.dumps(signed.to_json()).encode())
    settle_statement(inside)
    return {
        "statement_key": inside.keyring.statement.public.fingerprint,
        "until": json.loads(signed.message)["not_after"],
    }


def settle_statement(inside: Registry) -> None:
    """Where a certified next statement key lies: the gateway takes it, if it has not yet; then it is in force."""
    following, certified = _next_path(inside, "statement"), _next_certificate(inside)
    if not following.exists() or not certified.exists():
        return
    key = SigningKey.load(following.read_bytes(), inside.passphrase)
    certificate = Signed.from_json(json.loads(certified.read_bytes()))
    fingerprint, old = key.public.fingerprint, inside.keyring.statement.public
    note(inside, "key-made", fingerprint, "statement")
    keyring = replace(inside.keyring, statement=key, certificate=certificate)
    intake = _signed_anew(inside, key)
    if inside.client.get_json("/v1/intake")["certificate"] != certificate.to_json():
        exchange.instruct(
            inside.client, keyring, inside.state, "certificate", inside.now(),
            certificate=certificate.to_json(), intake=None if intake is None else intake.to_json(),
        )  # fmt: skip
    durable.write_file(inside.home / "statements" / "certificate.json", certified.read_bytes())
    inside.keyring = keyring
    inside.intake_keys.use(keyring, intake)
    put_in_place(inside, "statement", old, key.public)
    durable.remove_file(following)
    durable.remove_file(certified)


def _signed_anew(inside: Registry, key: SigningKey) -> Signed | None:
    """The intake statement in force, word for word, signed by the next statement key; None where none is in force."""
    signed = inside.intake_keys.signed()
    if signed is None:
        return None
    statement = parse_intake(json.loads(signed.message))
    return make_intake(statement, key) if inside.now() <= statement.seal_until else None


def _next_path(inside: Registry, name: str) -> Path:
    return inside.home / "keys" / f"{name}.next.key"


def _next_certificate(inside: Registry) -> Path:
    return inside.home / "statements" / "certificate.next.json"
