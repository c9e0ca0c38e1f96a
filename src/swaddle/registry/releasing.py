"""Releasing a freeze; and a gateway that came back from its backup: where its journal goes on, what it lost.

Decision 0081. What lay on a lost disk is named from what the drained journal says was held and never ended: the sender
by `send` sends it again by itself, the one at the door is asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from swaddle.custody.entry import FIRST_PREVIOUS, Entry
from swaddle.errors import NotThere, UsageFault
from swaddle.registry import admin, backup_keys, door, exchange, rotation
from swaddle.registry.inside import Registry
from swaddle.wire import messages

RESTORED = "restored"
_TAKING_BACK = "taking_back"
ENDS = frozenset({"transfer-acknowledged", "transfer-refused", "transfer-expired", "copy-destroyed", "transfer-lost"})


class NoSuchFreeze(UsageFault):
    """There is none of that id, or several and none was named."""

    code = "SWD-REG-90"
    what = "no freeze was released"
    why = "{reason}"
    fix = "`swaddle registry status` lists the freezes; look at the cause of each before it is released"


class BackupUnlisted(UsageFault):
    """The gateway came back from a backup that custody does not know."""

    code = "SWD-REG-91"
    what = "the gateway was restored from a backup that custody does not list"
    why = "it was made after the journal was last drained, or by somebody else"
    fix = "compare its sha256 with what `gateway restore` printed; if you made it, run again with --unlisted"


def release_freeze(inside: Registry, freeze: str | None = None, *, unlisted: bool = False) -> dict[str, Any]:
    """Release a freeze; of a restored gateway, by naming where its journal goes on.

    Args:
        inside: the registry.
        freeze: its id or the beginning of it; None where there is only one.
        unlisted: take a restored gateway although custody does not list its backup.

    Returns:
        `released` (its id), `cause`, and for a restored gateway `lost` (transfers, each with its submitter's name) and
        `enrol_again` (names of the submitters that it cannot know).

    Raises:
        NoSuchFreeze, BackupUnlisted: nothing was done.
        NetworkFault: the gateway was not reached.
    """
    status = messages.convert(inside.client.get_json("/v1/status"), messages.GatewayStatus)
    if status.restored is not None and not freeze:
        freeze = next(each.id for each in status.freezes if each.cause == RESTORED)  # nothing else can be said before
    found = [each for each in status.freezes if freeze is None or each.id.startswith(freeze)]
    if not found and inside.state.fact(_TAKING_BACK):
        return settle(inside)  # an earlier call was killed behind the gateway's release
    if len(found) != 1:
        raise NoSuchFreeze("there is none" if not found else f"{len(found)} of them fit; name one")
    chosen = found[0]
    if chosen.cause != RESTORED or status.restored is None:
        at = inside.now()
        exchange.instruct(inside.client, inside.keyring, inside.state, "release-freeze", at, freeze=chosen.id)
        drain(inside)
        return {"released": chosen.id, "cause": chosen.cause, "lost": [], "enrol_again": []}
    is_listed = any(entry.event == "gateway-backed-up" for entry in inside.ledger.entries(status.restored))
    if not is_listed and not unlisted:
        raise BackupUnlisted
    inside.state.set_facts(**{_TAKING_BACK: status.restored})  # from here on every look goes on with it
    return settle(inside)


def settle(inside: Registry) -> dict[str, Any]:
    """Bring the return of a restored gateway to its end; nothing to do where none returns.

    Every step may be done again: a kill anywhere is made good by the next look, or by the same command.

    Raises:
        NetworkFault: the gateway was not reached; the next look goes on.
    """
    backup_sha256 = inside.state.fact(_TAKING_BACK)
    if not backup_sha256:
        return {"released": None, "cause": RESTORED, "lost": [], "enrol_again": []}
    freeze = tell_head(inside)
    if not any(entry.event == "gateway-resumed" for entry in inside.ledger.entries(backup_sha256)):
        inside.ledger.append("gateway-resumed", backup_sha256, {}, inside.now())
    say_again(inside)
    drain(inside)
    told = {
        "released": freeze,
        "cause": RESTORED,
        "lost": name_lost(inside),
        "enrol_again": enrolled_since(inside, backup_sha256),
    }
    inside.state.set_facts(**{_TAKING_BACK: ""})
    return told


def tell_head(inside: Registry) -> str | None:
    """Tell the restored gateway the last entry that custody has, unless it was told; the freeze that this ended."""
    status = messages.convert(inside.client.get_json("/v1/status"), messages.GatewayStatus)
    if status.restored is None:
        return None
    state = inside.state
    through = int(state.fact("journal_sequence") or 0)
    digest = state.fact("journal_digest") or FIRST_PREVIOUS
    exchange.instruct(
        inside.client, inside.keyring, state, "restored", inside.now(), through=through, entry_sha256=digest
    )
    return next((each.id for each in status.freezes if each.cause == RESTORED), None)


def drain(inside: Registry) -> None:
    """Take the journal over into custody."""
    exchange.drain_journal(inside.client, inside.keyring, inside.state, inside.ledger, inside.now)


def say_again(inside: Registry) -> None:
    """What may have been said since the backup: revocations, the intake statement, the backup key."""
    for submitter in inside.state.submitters():
        if submitter.state == "revoked":
            exchange.instruct(
                inside.client, inside.keyring, inside.state, "revoke", inside.now(), submitter=submitter.id
            )
    inside.state.set_facts(intake_published="")
    rotation.renew_intake_key(inside)
    admin.tell_again(inside)
    inside.state.forget_told_of_door()
    door.settle(inside)
    backup_keys.forget_told(inside)
    backup_keys.tell(inside)


def name_lost(inside: Registry) -> list[dict[str, Any]]:
    """Write down each transfer that was held by the drained journal and that the gateway has no more."""
    names = {each.id: each.name for each in inside.state.submitters()}
    lost = []
    for held in still_held(inside.ledger.walk()):
        try:
            inside.client.get_json(f"/v1/transfers/{held.subject}")
        except NotThere:
            submitter = str(held.detail.get("submitter", ""))
            detail = {"place": "gateway", "held_at": held.at} | ({"submitter": submitter} if submitter else {})
            inside.ledger.append("transfer-lost", held.subject, detail, inside.now())
            lost.append(lost_words(held.subject, detail, names))
    return lost


def still_held(entries: Iterable[Entry]) -> list[Entry]:
    """The entries `transfer-held` of transfers whose end custody does not know, oldest first. Pure."""
    open_: dict[str, Entry] = {}
    for entry in entries:
        if entry.event == "transfer-held":
            open_[entry.subject] = entry
        elif entry.event in ENDS:
            open_.pop(entry.subject, None)
    return list(open_.values())


def lost(inside: Registry) -> list[dict[str, Any]]:
    """Every transfer that was ever lost with a gateway's disk, for `registry status`."""
    names = {each.id: each.name for each in inside.state.submitters()}
    return [lost_words(each.subject, each.detail, names) for each in inside.ledger.of_event("transfer-lost")]


def lost_words(transfer: str, detail: Any, names: dict[str, str]) -> dict[str, Any]:
    """One lost transfer as it is told."""
    submitter = str(detail.get("submitter", ""))
    return {
        "id": transfer,
        "submitter": submitter or None,
        "name": names.get(submitter, "unknown"),
        "held_at": detail.get("held_at"),
    }


def enrolled_since(inside: Registry, backup_sha256: str) -> list[str]:
    """Names of active submitters that were let in after the backup was made: its gateway does not know them."""
    made = [entry.detail["made"] for entry in inside.ledger.entries(backup_sha256) if "made" in entry.detail]
    if not made:
        return []
    return [
        each.name
        for each in inside.state.submitters()
        # One that comes in by the door alone was told to it again.
        if each.state == "active"
        and not each.is_by_door_only
        and each.active_at is not None
        and each.active_at >= made[0]  # within its second: named rather than missed
    ]
