"""Who may come in by the SFTP door, whose signature its files bear, and what its partners must know to find it.

The door's key is signed by nobody: the registry keeps the first that the gateway tells it, in custody, and takes no
other until its operator says so. A file by the door is believed when that key signed it and the SSH key it names is
enrolled for that submitter; so a hacked door can lie about its own partners' files, and about nobody else's.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from swaddle.envelope.manifest import parse_manifest
from swaddle.envelope.refusals import WrongSigner
from swaddle.envelope.signature import MANIFEST, PublicSigningKey, Signed, open_signed
from swaddle.errors import IntegrityFault, UsageFault
from swaddle.registry import exchange
from swaddle.registry.inside import Registry
from swaddle.registry.state import Submitter, ssh_fingerprint
from swaddle.wire import messages
from swaddle.wire.problems import TransferRefused

KEY, HOST_KEY, OFFERED, EARLIER = "door_key", "door_host_key", "door_offered", "door_earlier"
DEFAULT_PORT = 2222


class NothingToTrust(UsageFault):
    """The door's key is the trusted one, or there is no door, or another one was named."""

    code = "SWD-REG-72"
    what = "there is no such key of a door to be trusted"
    why = "{reason}"
    fix = "`swaddle registry door` shows which key is trusted and which one the door shows now"


def settle(inside: Registry) -> None:
    """Tell the gateway whose SSH keys the door takes, where it was not told, and learn what the door is known by."""
    for submitter in inside.state.submitters():
        if submitter.state == "active" and submitter.ssh_keys != submitter.ssh_keys_told:
            with suppress(TransferRefused):  # it stays untold, and `registry door` says so; nobody else waits for it
                tell(inside, submitter)
    if any(submitter.ssh_keys for submitter in inside.state.submitters()):
        learn(inside)


def tell(inside: Registry, submitter: Submitter) -> None:
    """Tell the gateway the SSH keys of one submitter; doing it again is fine."""
    note(inside, submitter)
    exchange.instruct(
        inside.client, inside.keyring, inside.state, "door-submitter", inside.now(),
        submitter=submitter.id, ssh_keys=list(submitter.ssh_keys),
    )  # fmt: skip
    inside.state.told_of_door(submitter.id, submitter.ssh_keys)


def note(inside: Registry, submitter: Submitter) -> int:
    """Write the keys of a submitter into custody, once; the number of the entry."""
    keys = [ssh_fingerprint(key) for key in submitter.ssh_keys]
    last = next((each for each in inside.ledger.newest(submitter.id) if each.event == "submitter-door"), None)
    if last is None or last.detail["ssh_keys"] != keys:
        last = inside.ledger.append("submitter-door", submitter.id, {"ssh_keys": keys}, inside.now())
    return last.sequence


def learn(inside: Registry) -> None:
    """Ask the gateway what its door is known by: the first is kept, another one waits for the operator."""
    told = messages.convert(inside.client.get_json("/v1/status"), messages.GatewayStatus).door
    if told is None:
        return
    if inside.state.fact(KEY) is None:
        keep(inside, told.key, told.host_key)
    shown = json.dumps([told.key, told.host_key])
    is_same = [told.key, told.host_key] == [inside.state.fact(KEY), inside.state.fact(HOST_KEY)]
    if inside.state.fact(OFFERED) != ("" if is_same else shown):
        inside.state.set_fact(OFFERED, "" if is_same else shown)


def keep(inside: Registry, key: str, host_key: str) -> int:
    """Trust this door from now on; the number of the custody entry that says so."""
    fingerprint = PublicSigningKey.from_line(key).fingerprint
    detail = {"host_key": ssh_fingerprint(host_key)}
    entry = inside.ledger.append("door-trusted", fingerprint, detail, inside.now())
    inside.state.set_facts(**{KEY: key, HOST_KEY: host_key})
    return entry.sequence


def trust(inside: Registry, fingerprint: str | None = None) -> dict[str, Any]:
    """Take the door that shows itself now in place of the one before; what was held of that one is still taken.

    Raises:
        NothingToTrust: the door has not changed, or `fingerprint` is not of the key that it shows.
    """
    learn(inside)
    offered = inside.state.fact(OFFERED)
    if not offered:
        raise NothingToTrust("the door shows the key that is trusted already, or there is no door")
    key, host_key = json.loads(offered)
    if fingerprint not in (None, PublicSigningKey.from_line(key).fingerprint, ssh_fingerprint(host_key)):
        raise NothingToTrust("the door shows another key than the one that you named")
    before = inside.state.fact(KEY)
    sequence = keep(inside, key, host_key)
    earlier = json.loads(inside.state.fact(EARLIER) or "{}")
    if before is not None and before != key:
        earlier[before] = sequence
    inside.state.set_facts(**{EARLIER: json.dumps(earlier), OFFERED: ""})
    return show(inside)


def signer_of(inside: Registry, transfer: str, sender: Submitter, ssh_key: str, manifest: Signed) -> PublicSigningKey:
    """The door's key that signed a manifest, once its SSH key is one of this submitter's.

    Raises:
        WrongSigner: the SSH key is not enrolled for it (any more), or the door's key is not trusted.
    """
    if ssh_key not in {ssh_fingerprint(key) for key in sender.ssh_keys}:
        revoked_by = inside.state.revoked_by(ssh_key, sender.id)
        if revoked_by is None or not is_held_before(inside, transfer, revoked_by):
            raise WrongSigner
    for line, until in trusted(inside):
        if until is not None and not is_held_before(inside, transfer, until):
            continue
        key = PublicSigningKey.from_line(line)
        try:
            open_signed(manifest, MANIFEST, [key])
        except WrongSigner:
            continue
        return key
    raise WrongSigner


def sender_of(inside: Registry, manifest: Signed) -> str | None:
    """The submitter of a file by the door, where it is enrolled and a trusted door says so; else None."""
    try:
        stated = parse_manifest(manifest.message)
        known = inside.state.submitter(stated.core.submitter)
        if stated.door is None or known is None:
            return None
        signer_of(inside, stated.core.transfer, known, stated.door, manifest)
    except IntegrityFault:
        return None
    return known.id


def trusted(inside: Registry) -> list[tuple[str, int | None]]:
    """The door's keys that are believed: the present one, and earlier ones for what was held before they changed."""
    present = inside.state.fact(KEY)
    earlier: dict[str, int] = json.loads(inside.state.fact(EARLIER) or "{}")
    return ([] if present is None else [(present, None)]) + list(earlier.items())


def is_held_before(inside: Registry, transfer: str, sequence: int) -> bool:
    """Whether custody says that the gateway held this transfer before its entry number `sequence`: by our own order."""
    entries = inside.ledger.newest(transfer)
    return any(entry.event == "transfer-held" and entry.sequence < sequence for entry in entries)


def protection(inside: Registry, transfer: str) -> dict[str, str]:
    """What custody and the receipt say of a transfer's protection: nothing where it was sealed from end to end."""
    known = inside.state.transfer(transfer)
    return {} if known is None or known.door is None else {"protection": "door"}


def repeats(inside: Registry, transfer: str, outcome: str) -> dict[str, str]:
    """Which earlier transfer of the same submitter was stored with the very same content, if any."""
    known = inside.state.transfer(transfer)
    if known is None or known.content is None or outcome != "stored":
        return {}
    before = inside.state.stored_with(known.submitter, known.content, transfer)
    return {} if before is None else {"repeats": before}


def show(inside: Registry) -> dict[str, Any]:
    """Everything that a partner or a firewall must know, and which key of the door is trusted."""
    key, host_key = inside.state.fact(KEY), inside.state.fact(HOST_KEY)
    offered = inside.state.fact(OFFERED)
    host, port = address(inside)
    partners = [each for each in inside.state.submitters() if each.ssh_keys]
    return {
        "host": host,
        "port": port,
        "door_key": None if key is None else PublicSigningKey.from_line(key).fingerprint,
        "host_key": None if host_key is None else ssh_fingerprint(host_key),
        "known_hosts": None if host_key is None else known_hosts_line(host, port, host_key),
        "shown_now": None
        if not offered
        else {
            "door_key": PublicSigningKey.from_line(json.loads(offered)[0]).fingerprint,
            "host_key": ssh_fingerprint(json.loads(offered)[1]),
        },
        "partners": [
            {
                "name": each.name,
                "state": each.state,
                "ssh_keys": [ssh_fingerprint(line) for line in each.ssh_keys],
                "is_told": each.ssh_keys == each.ssh_keys_told,
                "has_sealing_pair": each.sealing is not None,
            }
            for each in partners
        ],
        "hosts": firewall(inside, host, port),
    }


def address(inside: Registry) -> tuple[str, int]:
    """Where partners find the door: the setting `door_address`, else the gateway's host and the door's usual port."""
    stated = inside.settings.door_address
    if not stated:
        return urlsplit(inside.settings.gateway_url).hostname or "", DEFAULT_PORT
    host, _, port = stated.rpartition(":")
    return host.strip("[]"), int(port)


def known_hosts_line(host: str, port: int, host_key: str) -> str:
    """A line of `known_hosts` (sshd(8)): the port stands there unless it is 22."""
    return f"{host if port == 22 else f'[{host}]:{port}'} {host_key}"


def firewall(inside: Registry, host: str, port: int) -> list[dict[str, Any]]:
    """Who opens connections to whom: nothing else is needed, and nothing opens one inwards."""
    gateway = urlsplit(inside.settings.gateway_url)
    at_gateway = {"host": gateway.hostname or "", "port": gateway.port or 443}
    settings = inside.settings
    mail = {"from": "registry", "host": settings.smtp_host, "port": settings.smtp_port, "protocol": "tcp, SMTP"}
    return [
        {"from": "partner by SFTP", "host": host, "port": port, "protocol": "tcp, SSH", "why": "files in, answers out"},
        {"from": "submitter by `swaddle`", **at_gateway, "protocol": "tcp, TLS 1.3", "why": "send, status, get"},
        {"from": "registry", **at_gateway, "protocol": "tcp, TLS 1.3", "why": "pull, reports; opened from inside"},
        *([{**mail, "why": "content-free mail"}] if settings.smtp_host else []),
    ]
