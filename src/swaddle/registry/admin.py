"""What the registry's operator changes at the gateway: who is let in, how much, a few settings; and where mail goes.

Each is a signed instruction over the connection that the registry opened; there is no other way. What was said is
remembered here too, so that it can be shown, and said again to a gateway that came back from a backup.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from swaddle.errors import NetworkFault, UsageFault
from swaddle.registry import exchange
from swaddle.registry.inside import Registry
from swaddle.registry.mail_texts import LANGUAGES, check_address
from swaddle.registry.state import Submitter
from swaddle.wire.problems import TransferRefused

QUOTAS, SETTINGS = "gateway_quotas", "gateway_settings"
LIMITS = ("bytes", "transfers", "transfers_per_hour")


class NoSuchSubmitter(UsageFault):
    """Nobody has that name."""

    code = "SWD-REG-61"
    what = "there is no submitter of that name"
    why = "names are compared letter by letter"
    fix = "`swaddle registry submitters` lists them"


class InstructionRefused(UsageFault):
    """The gateway understood and refused."""

    code = "SWD-REG-62"
    what = "the gateway did not take this"
    fix = "docs/settings-gateway.md lists what may be changed from inside, and the bounds"


def revoke(inside: Registry, name: str) -> dict[str, Any]:
    """End a submitter's enrolment: its keys are no keys any more, here at once, at the gateway within five seconds.

    What the gateway held of it before stays until it is read; what comes under its key later is refused here too.

    Raises:
        NoSuchSubmitter: nobody has that name.
        NetworkFault: it is revoked here; the gateway is told at the next look that reaches it.
    """
    submitter = named(inside, name)
    if submitter.state != "revoked":
        with suppress(NetworkFault):
            exchange.drain_journal(inside.client, inside.keyring, inside.state, inside.ledger, inside.now)
        if submitter.state != "revoking":
            entry = inside.ledger.append("submitter-revoked", submitter.id, {}, inside.now())
            key = submitter.signing_key
            inside.state.revoke(submitter.id, None if key is None else key.fingerprint, entry.sequence)
    tell_revoked(inside, submitter.id)
    return {"submitter": submitter.id, "name": name, "state": "revoked"}


def tell_revoked(inside: Registry, submitter: str) -> None:
    """Tell the gateway; doing it again is fine."""
    exchange.instruct(inside.client, inside.keyring, inside.state, "revoke", inside.now(), submitter=submitter)
    inside.state.revoked(submitter)


def settle(inside: Registry) -> None:
    """Tell the gateway what it could not be told when it was decided."""
    for submitter in inside.state.submitters():
        if submitter.state == "revoking":
            tell_revoked(inside, submitter.id)


def quota(inside: Registry, name: str, *, reset: bool = False, **limits: int | None) -> dict[str, Any]:
    """Set, show or take back what one submitter may have on the gateway.

    Args:
        inside: the registry.
        name: the submitter's.
        reset: as for everybody again.
        limits: `bytes`, `transfers`, `transfers_per_hour`; None leaves one as it is.

    Raises:
        NoSuchSubmitter, InstructionRefused: nothing was changed.
    """
    submitter = named(inside, name)
    known = _remembered(inside, QUOTAS)
    before = known.get(submitter.id, dict.fromkeys(LIMITS))
    given = {limit: value for limit, value in limits.items() if limit in LIMITS and value is not None}
    wanted = dict.fromkeys(LIMITS) if reset else before | given
    if reset or given:
        _instruct(inside, "quota", submitter=submitter.id, **wanted)
        _remember(inside, QUOTAS, known | {submitter.id: wanted})
    return {"submitter": submitter.id, "name": name, **wanted}


def gateway_setting(inside: Registry, name: str | None = None, value: int | None = None) -> dict[str, Any]:
    """Set one of the gateway's settings; value None takes it back; without a name, only show what is changed.

    Raises:
        InstructionRefused: it may not be changed so, or is out of its bounds.
    """
    known = _remembered(inside, SETTINGS)
    if name is not None:
        _instruct(inside, "setting", name=name, value=value)
        known = {key: kept for key, kept in (known | {name: value}).items() if kept is not None}
        _remember(inside, SETTINGS, known)
    return {"changed_settings": known}


def contact(
    inside: Registry, name: str, address: str | None = None, language: str | None = None, *, remove: bool = False
) -> dict[str, Any]:
    """Set, show or remove where content-free mail for a submitter goes.

    Raises:
        NoSuchSubmitter: nobody has that name.
        AddressUnusable: no mail can go there; nothing was changed.
    """
    submitter = named(inside, name)
    if language is not None and language not in LANGUAGES:
        raise UsageFault(f"there are texts in {' and '.join(LANGUAGES)}")
    address = None if remove else submitter.contact if address is None else check_address(address)
    language = language or submitter.language
    if (address, language) != (submitter.contact, submitter.language):
        inside.state.set_contact(submitter.id, address, language)
    return {"submitter": submitter.id, "name": name, "contact": address, "language": language}


def tell_again(inside: Registry) -> None:
    """Tell a gateway that came back from a backup the quotas and settings that it may not know."""
    enrolled = {submitter.id for submitter in inside.state.submitters() if submitter.state == "active"}
    for submitter, limits in _remembered(inside, QUOTAS).items():
        with suppress(InstructionRefused):  # it was enrolled after the backup, and has to be again
            if submitter in enrolled:
                _instruct(inside, "quota", submitter=submitter, **limits)
    for name, value in _remembered(inside, SETTINGS).items():
        _instruct(inside, "setting", name=name, value=value)


def named(inside: Registry, name: str) -> Submitter:
    """The submitter of that name.

    Raises:
        NoSuchSubmitter: there is none.
    """
    submitter = inside.state.submitter_named(name)
    if submitter is None:
        raise NoSuchSubmitter
    return submitter


def _instruct(inside: Registry, instruction: str, **members: object) -> None:
    try:
        exchange.instruct(inside.client, inside.keyring, inside.state, instruction, inside.now(), **members)
    except TransferRefused as error:
        raise InstructionRefused(str(error.facts["reason"])) from error


def _remembered(inside: Registry, fact: str) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(inside.state.fact(fact) or "{}")
    return kept


def _remember(inside: Registry, fact: str, value: dict[str, Any]) -> None:
    inside.state.set_facts(**{fact: json.dumps(value, sort_keys=True)})
