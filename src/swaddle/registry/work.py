"""What the registry does when it looks outside: let submitters in, keep keys fresh, take transfers in, give back.

One transfer at a time: the gateway's allowance is one, so a stolen puller's credential is frozen before its second
object. Each step can be killed and is gone on with at the next look.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from swaddle.canonical import digest_hex
from swaddle.custody.entry import Entry
from swaddle.envelope.signature import Signed, sign
from swaddle.errors import IntegrityFault, NetworkFault, NotThere, OurBug, SettingsFault
from swaddle.feedback.deliver import clear
from swaddle.registry import (
    admin,
    alerts,
    door,
    enrolment,
    exchange,
    monthly,
    night,
    pull,
    releasing,
    returning,
    rotation,
    watch,
    whereabouts,
)
from swaddle.registry.giving import give_back
from swaddle.registry.inside import Registry
from swaddle.registry.pipeline import GONE, Outcome, take_in, unreadable, unseal
from swaddle.registry.state import Transfer
from swaddle.wire.problems import Leased

ATTEMPTS = 3
OUTCOME_EVENT = {
    "stored": "submission-stored",
    "refused": "submission-refused",
    "unreadable": "submission-unreadable",
}


class GivenUp(IntegrityFault):
    """Three attempts to open it failed by no fault of the sender's that could be named."""

    code = "SWD-REG-32"
    what = "this transfer could not be taken in"
    why = "the registry failed three times while opening it; the fault is most likely the registry's"
    fix = "send it again; the registry's operator sees the same code"


def look(inside: Registry) -> dict[str, Any]:
    """One look at the gateway, everything that waits done; the object of `registry pull --json`."""
    tidy(inside)
    returning.settle(inside)
    releasing.settle(inside)
    rotation.settle(inside)
    admin.settle(inside)
    door.settle(inside)
    rotation.renew_intake_key(inside)
    enrolled = enrolment.activate_waiting(
        client=inside.client, keyring=inside.keyring, state=inside.state, ledger=inside.ledger, at=inside.now()
    )
    drain(inside)
    taken = [result for waiting in to_take_in(inside) if (result := take_one(inside, waiting)) is not None]
    found = alerts.look(inside)
    reports = give_back(inside)
    drain(inside)
    names = {submitter.id: submitter.name for submitter in inside.state.submitters()}
    return {
        "pulled": len(taken),
        "acknowledged": sum(transfer.step == "acknowledged" for transfer, _ in taken),
        "failed": [
            {"id": transfer.id, "code": outcome.reason.code, "why": outcome.reason.lines()[1]}
            for transfer, outcome in taken
            if outcome.reason is not None
        ],
        "transfers": [
            {
                "id": transfer.id,
                "name": names.get(transfer.submitter, "unknown"),
                "outcome": outcome.outcome,
                "rows": outcome.rows,
                "why": outcome.reason.lines()[1] if outcome.reason else None,
            }
            for transfer, outcome in taken
        ],
        "enrolled": [{**each, "name": names.get(each["submitter"], "unknown")} for each in enrolled],
        "reports_sent": reports,
        "alerts": found,
        "alarms": [alarm.cause for alarm in watch.standing(inside)],
    }


def tidy(inside: Registry) -> None:
    """Remove sealed pieces that a killed run left behind after it was done with them: nothing stays here either."""
    for folder in inside.spool.iterdir():
        known = inside.state.transfer(folder.name)
        if known is not None and known.step == "acknowledged":
            pull.clear(inside.spool, known.id)
            whereabouts.note_cleared(inside, known.id)
    for folder in inside.outbox.iterdir():
        known = inside.state.transfer(folder.name)
        if (known is not None and known.feedback is not None) or any(
            room.is_sent(inside, folder.name) for room in (night, alerts, monthly)
        ):
            clear(folder)


def drain(inside: Registry) -> None:
    """Take the gateway's journal over into custody."""
    try:
        exchange.drain_journal(
            inside.client, inside.keyring, inside.state, inside.ledger, inside.now, partial(watch.notice, inside)
        )
    except exchange.JournalBroken:
        watch.journal_broken(inside, is_broken=True)
        raise
    watch.journal_broken(inside, is_broken=False)


def to_take_in(inside: Registry) -> list[str]:
    """Ids of the transfers to work on: those begun before, then those that wait, oldest first."""
    begun = [transfer.id for transfer in inside.state.begun()]
    if watch.is_key_misused(inside):
        return begun  # each further lease would freeze reading; an operator looks first (`registry alarms --answer`)
    waiting = [entry.id for entry in pull.waiting(inside.client)]
    return begun + [each for each in waiting if inside.state.transfer(each) is None]


def take_one(inside: Registry, transfer_id: str) -> tuple[Transfer, Outcome] | None:
    """Bring one transfer from wherever it is to its acknowledgement."""
    transfer = inside.state.begin(transfer_id, pull.new_token())
    try:
        held = pull.lease(inside.client, transfer, inside.spool)
    except Leased:
        # Somebody else has it. Giving it back unasked would hand a thief of the pull key one object after another.
        watch.leased_elsewhere(inside, transfer_id)
        return None
    except NotThere as reason:
        return gone(inside, transfer, reason)
    at = inside.now()
    try:
        foretell(inside, held)
        fetch_body(inside, held, transfer.token)
    except NotThere as reason:
        return gone(inside, transfer, reason)
    except IntegrityFault as reason:
        outcome = unreadable(held, inside, reason, at)
    else:
        if not has_entry(inside, transfer_id, "transfer-pulled"):
            detail = {"place": "registry"} | door.protection(inside, transfer_id)
            inside.ledger.append("transfer-pulled", transfer_id, detail, at)
        outcome = take_in_or_hold_back(inside, held, transfer, at)
        if outcome.outcome == "held back":
            return transfer, outcome
    receipt = receipt_for(inside, outcome, held, at)
    inside.state.update(
        transfer_id,
        submitter=outcome.submitter,
        step="taken-in",
        outcome=outcome.outcome,
        reason=outcome.reason.code if outcome.reason else None,
        kind=outcome.kind,
        stated_subjects=outcome.stated_subjects,
        receipt=json.dumps(receipt.to_json()),
    )
    with suppress(NotThere):  # it expired meanwhile: there is nothing left to destroy, and it is taken in all the same
        pull.acknowledge(
            inside.client, transfer_id, manifest_digest(held), outcome.outcome, receipt, inside.keyring, inside.now()
        )
    inside.state.update(transfer_id, step="acknowledged")
    pull.clear(inside.spool, transfer_id)
    whereabouts.note_cleared(inside, transfer_id)
    known = inside.state.transfer(transfer_id)
    assert known is not None
    return known, outcome


def gone(inside: Registry, transfer: Transfer, reason: NotThere) -> tuple[Transfer, Outcome]:
    """A transfer that was begun and is no longer on the gateway: expired, or lost with its disk.

    It stands in nobody's way; who is in it stays unknown, and its sender sends it again.
    """
    inside.state.update(transfer.id, step="acknowledged", outcome=GONE, reason=reason.code)
    pull.clear(inside.spool, transfer.id)
    return transfer, Outcome(transfer.id, transfer.submitter, GONE, reason=reason)


def foretell(inside: Registry, held: pull.Held) -> None:
    """Check signature and recipient and open the description before a byte of the body is asked for.

    What no enrolled submitter has signed fills no disk here; of a body that never arrives, kind and count are known.
    """
    opened = unseal(held, inside)
    inside.state.update(
        held.id,
        submitter=opened.manifest.core.submitter,
        kind=opened.description.kind,
        stated_subjects=opened.description.subject_count,
        door=opened.manifest.door,
    )


def fetch_body(inside: Registry, held: pull.Held, token: str) -> None:
    """The sealed parts in the spool; one that does not come whole is asked for again, three times in all.

    Raises:
        PartWrong: it never came whole.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(pull.PartWrong):
            return pull.fetch_body(inside.client, held, token)
    return pull.fetch_body(inside.client, held, token)


def take_in_or_hold_back(inside: Registry, held: pull.Held, transfer: Transfer, at: datetime) -> Outcome:
    """Take a transfer in; one on which our own code fails must not stand in the way of the others.

    It is given back and tried again at the next look, three times in all, counted before each, for it may end the
    process. Then it is unreadable, and its submitter is told.
    """
    inside.state.update(transfer.id, attempts=transfer.attempts + 1)
    if transfer.attempts >= ATTEMPTS:
        return unreadable(held, inside, GivenUp(), at)
    try:
        return take_in(held, at, inside)
    except (NetworkFault, SettingsFault):
        raise  # the line or the disk: nothing is wrong with the transfer
    except Exception as fault:  # noqa: BLE001  a fault of ours; its message may hold a value and is not told
        if transfer.attempts + 1 == ATTEMPTS:
            return unreadable(held, inside, GivenUp(), at)
        pull.give_back(inside.client, transfer.id, inside.keyring, at)
        pull.clear(inside.spool, transfer.id)
        return Outcome(transfer.id, "", "held back", reason=OurBug(f"{type(fault).__name__} while it was taken in"))


def receipt_for(inside: Registry, outcome: Outcome, held: pull.Held, at: datetime) -> Signed:
    """The custody entry of the outcome, written once, signed."""
    event = OUTCOME_EVENT[outcome.outcome]
    entry = next((e for e in inside.ledger.newest(held.id) if e.event in OUTCOME_EVENT.values()), None)
    if entry is None:
        detail = {"manifest_sha256": manifest_digest(held), "outcome": outcome.outcome, "submitter": outcome.submitter}
        if outcome.reason:
            detail["code"] = outcome.reason.code
        if not outcome.submitter:
            del detail["submitter"]
        detail |= door.protection(inside, held.id) | door.repeats(inside, held.id, outcome.outcome)
        entry = inside.ledger.append(event, held.id, detail, at)
    return sign_entry(inside, entry)


def sign_entry(inside: Registry, entry: Entry) -> Signed:
    """A custody entry as a receipt (`swaddle-receipt-v1`)."""
    return sign("swaddle-receipt-v1", entry.to_json(), inside.keyring.statement)


def has_entry(inside: Registry, subject: str, event: str) -> bool:
    """Whether custody says this of that already."""
    return any(entry.event == event for entry in inside.ledger.newest(subject))


def manifest_digest(held: pull.Held) -> str:
    """SHA-256 of the manifest's canonical text."""
    return digest_hex(held.manifest.message)
