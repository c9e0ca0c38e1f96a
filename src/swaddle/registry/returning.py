"""A registry that came back from a backup: what it does before anything else, at its first look at the gateway.

    counters above all that was used -> the journal goes on behind what nobody has any more -> a new pull key
    -> new intake keys -> what the gateway may not know is said again -> each submitter is asked (asking.py)

The lost machine's pull key is no key from then on: whoever has that machine is out. What was sealed to its intake keys
cannot be opened here; it is taken as unreadable, and its sender sends it again. Every step may be done again after a
kill; the fact that it is not over is the last thing to go. Decision 0144.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from swaddle.canonical import format_instant
from swaddle.envelope.refusals import WrongRecipient
from swaddle.errors import NotPermitted
from swaddle.registry import asking, exchange, releasing, rotation
from swaddle.registry.inside import Registry
from swaddle.registry.state import State
from swaddle.wire import messages

RETURNING = "returning"  # the backup's digest, until the first look has come to its end
STEP = "returning_step"
RESTORED = "restored_from"  # {"backup", "made", "at"} of the last time, for ever
LEAST_SEQUENCE = "least_intake_sequence"
_COUNTERS = ("instruction",)


class GatewayKnowsAnother(NotPermitted):
    """The gateway does not know the pull key that was in the backup."""

    code = "SWD-BACKUP-14"
    what = "the gateway does not know this restored registry"
    why = "its pull key was changed after the backup was made"
    fix = "restore a newer backup into another home; make one after each `rotate-keys --pull`"


def prepare(state: State, backup_sha256: str, made: datetime, at: datetime) -> None:
    """In the restored home, before it is one: no number is used twice, and the first look knows what to do."""
    least = int(at.timestamp())
    told = {"backup": backup_sha256, "made": format_instant(made), "at": format_instant(at)}
    state.set_facts(
        **{name: str(max(int(state.fact(name) or 0), least)) for name in _COUNTERS},
        **{
            LEAST_SEQUENCE: str(least),
            RETURNING: backup_sha256,
            STEP: "",
            RESTORED: json.dumps(told),
            "intake_published": "",
        },
    )


def settle(inside: Registry) -> None:
    """Bring a return to its end; nothing to do where there is none.

    Raises:
        GatewayKnowsAnother: the gateway has another pull key by now.
        NetworkFault: the gateway was not reached; the next look goes on.
    """
    if not inside.state.fact(RETURNING):
        return
    try:
        rotation.settle_pull(inside)  # a look that was killed may have got as far as the next pull key
        status = messages.convert(inside.client.get_json("/v1/status"), messages.GatewayStatus)
    except NotPermitted as error:
        raise GatewayKnowsAnother from error
    last = max(int(inside.state.fact("instruction") or 0), status.last_instruction)
    inside.state.set_facts(instruction=str(last))
    go_on_with_journal(inside)
    if inside.state.fact(STEP) != "pull-key":
        rotation.rotate_pull(inside)
        inside.state.set_facts(**{STEP: "pull-key"})
    rotation.renew_intake_key(inside, at_once=True)
    releasing.say_again(inside)
    asking.ask_again(inside, restored(inside) or {})
    inside.state.set_facts(**{RETURNING: "", STEP: ""})


def go_on_with_journal(inside: Registry) -> None:
    """Take the journal up behind what the lost machine had drained: the gateway has those entries no more, nor have we.

    The gateway's journal key signs where it is. Custody says which numbers are missing.

    Raises:
        JournalBroken: the head is not signed by the gateway that was claimed.
    """
    state = inside.state
    last = int(state.fact("journal_sequence") or 0)
    page = messages.convert(inside.client.get_json(f"/v1/journal?after={last}"), messages.JournalPage)
    head = exchange.signed_head(page, state)
    if page.entries:
        through, digest = page.entries[0].sequence - 1, page.entries[0].previous
    else:
        through, digest = int(head["sequence"]), str(head["entry_sha256"])
    if through <= last:
        return
    if not any(entry.event == "journal-resumed" for entry in inside.ledger.newest(digest)):
        detail = {"place": "gateway", "first": last + 1, "last": through}
        inside.ledger.append("journal-resumed", digest, detail, inside.now())
    state.set_facts(journal_sequence=str(through), journal_digest=digest)


def restored(inside: Registry) -> dict[str, Any] | None:
    """From which backup this registry came back, when; None where it never did."""
    told = inside.state.fact(RESTORED)
    return None if told is None else json.loads(told)


def lost_with_keys(inside: Registry) -> list[dict[str, Any]]:
    """Transfers that came since the return and were sealed to intake keys which are not here any more."""
    came_back = restored(inside)
    if came_back is None:
        return []
    names = {each.id: each.name for each in inside.state.submitters()}
    return [
        {"id": each.id, "submitter": each.submitter or None, "name": names.get(each.submitter, "unknown")}
        for each in inside.state.unreadable_for(WrongRecipient.code)
        if any(entry.at >= came_back["at"] for entry in inside.ledger.newest(each.id))
    ]
