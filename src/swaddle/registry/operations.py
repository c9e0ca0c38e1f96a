"""What the owner of the store can be asked to do, by name; commands and other rooms use these and nothing beneath."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from swaddle.canonical import format_instant
from swaddle.errors import NetworkFault, UsageFault
from swaddle.home import Kind, open_home
from swaddle.registry import (
    admin,
    adopted,
    backup,
    backup_keys,
    case_facts,
    communities,
    counting_now,
    disposal,
    door,
    enrolment,
    holding,
    issued,
    layouts,
    levels,
    mail,
    monthly,
    months,
    moving,
    night,
    periods,
    previewing,
    proof,
    releasing,
    returning,
    reviewing,
    rotation,
    snapshots,
    subjects,
    watch,
    whereabouts,
    work,
)
from swaddle.registry import (
    alerts as care,
)
from swaddle.registry.inside import Registry, open_registry
from swaddle.registry.owner import Asker, Inside, Lock

STATUS_TRANSFERS = 1000  # the latest; a status of all would be read by nobody


class NoSuchOperation(UsageFault):
    """The owner was asked for something that it does not do (a command of another version)."""

    code = "SWD-REG-43"
    what = "the owner of the store does not know this request"
    fix = "restart `swaddle registry run` so that both are of one version"


class Operations:
    """The registry's operations over an opened registry."""

    def __init__(self, inside: Registry) -> None:
        """Know the registry that they work on."""
        self._inside = inside

    def do(self, operation: str, **values: Any) -> Any:
        """Do one; results are JSON values.

        Raises:
            NoSuchOperation: there is none of that name.
        """
        if operation not in TABLE:
            raise NoSuchOperation(f"it has no operation {operation!r}")
        return TABLE[operation](self._inside, **values)


@contextmanager
def inside_of(home: Path, passphrase: Callable[[Mapping[str, Any]], bytes]) -> Iterator[Inside]:
    """The registry at `home`, to be asked any number of times: here if nobody owns its store, else through its owner.

    Raises:
        HomeFault, KeysMissing, passphrase errors: it cannot be opened.
        AnotherOwner: somebody owns it and does not answer.
    """
    open_home(home, Kind.REGISTRY)
    lock = Lock(home)
    if not lock.take():
        yield Asker(home)
        return
    try:
        inside = open_registry(home, passphrase)
        try:
            yield Operations(inside)
        finally:
            inside.close()
    finally:
        lock.release()


def ask(home: Path, passphrase: Callable[[Mapping[str, Any]], bytes], operation: str, **values: Any) -> Any:
    """Do one operation on the registry at `home`."""
    with inside_of(home, passphrase) as inside:
        return inside.do(operation, **values)


def pull(inside: Registry) -> dict[str, Any]:
    """One look at the gateway; then the mails that are due, also where the gateway was not reached."""
    try:
        result = work.look(inside)
    except BaseException:
        mail.carry(inside)
        raise
    return {**result, "mail": mail.carry(inside)}


def invite(inside: Registry, name: str, sites: Sequence[str] = ()) -> dict[str, Any]:
    """Make an invitation; `sites` are the site ids that its files may name, none meaning any."""
    invitation = enrolment.invite(
        name,
        client=inside.client,
        keyring=inside.keyring,
        state=inside.state,
        ledger=inside.ledger,
        settings=inside.settings,
        at=inside.now(),
        sites=sites,
    )
    submitter = inside.state.submitter_named(name)
    assert submitter is not None
    return {
        "submitter": submitter.id,
        "name": name,
        "invitation": invitation.encode(),
        "expires": format_instant(invitation.expires),
    }


def list_submitters(inside: Registry) -> dict[str, Any]:
    """Who may send."""
    of_care = levels.of_all(inside)
    return {
        "submitters": [
            {
                "id": each.id,
                "name": each.name,
                "state": each.state,
                "words": each.words,
                "sites": list(each.sites),
                "level": of_care.get(each.id),
                "by_door": bool(each.ssh_keys),
                "signing_key": each.signing_key.fingerprint if each.signing_key else None,
                "invited_at": each.invited_at,
                "active_at": each.active_at,
            }
            for each in inside.state.submitters()
        ]
    }


def status(inside: Registry) -> dict[str, Any]:
    """The state of the registry; the `transfers` array is as docs/commands.md says."""
    signed = inside.intake_keys.signed()
    intake = json.loads(signed.message) if signed else None
    try:
        gateway = inside.client.get_json("/v1/status")
    except NetworkFault as error:
        gateway = {"code": error.code, "why": error.lines()[1]}
    return {
        "registry": inside.keyring.registry_id,
        "root": inside.keyring.root.fingerprint,
        "intake": None
        if intake is None
        else {
            "key_id": intake["recipient"]["key_id"],
            "seal_until": intake["seal_until"],
            "destroy_by": intake["destroy_by"],
        },
        "gateway": gateway,
        "alarms": alarms(inside)["alarms"],
        "lost": releasing.lost(inside),
        "restored": returning.restored(inside),
        "lost_with_keys": returning.lost_with_keys(inside),
        "door_shown_now": door.show(inside)["shown_now"],
        "mail": mail.state(inside),
        "letting_go": disposal.state(inside),
        "stored": inside.store.totals(),
        "submitters": list_submitters(inside)["submitters"],
        "transfers": [
            transfer_status(inside, transfer.id) for transfer in inside.state.latest_transfers(STATUS_TRANSFERS)
        ],
    }


def transfer_status(inside: Registry, transfer_id: str) -> dict[str, Any]:
    """One transfer as `status --json` shows it, from custody and the store."""
    transfer = inside.state.transfer(transfer_id)
    assert transfer is not None
    entries = inside.ledger.entries(transfer_id)
    times = {entry.event: entry.at for entry in entries}
    copies = [
        {
            "place": "gateway",
            "since": times.get("transfer-held"),
            "until": times.get("copy-destroyed"),
        }
    ]
    if "submission-stored" in times:
        copies.append({"place": "registry", "since": times["submission-stored"], "until": None})
    return {
        "id": transfer.id,
        "submitter": transfer.submitter,
        "state": transfer.outcome or transfer.step,
        "sent_at": times.get("transfer-held"),
        "expires_at": next((entry.detail["expires"] for entry in entries if "expires" in entry.detail), None),
        "destroyed_at": times.get("copy-destroyed"),
        "copies": copies,
        "verdict": inside.store.verdict(transfer.id),
        "report": transfer.feedback,
    }


def alarms(inside: Registry, answer: str | None = None) -> dict[str, Any]:
    """The alarms that stand; those about `answer` (an id, or its beginning) are ended first."""
    ended = watch.answer_alarm(inside, answer) if answer else ()
    stand = watch.standing(inside)
    shown = [{"cause": each.cause, "subject": each.subject, "raised_at": each.raised_at} for each in stand]
    return {"alarms": shown, "ended": len(ended), "text": [each.text() for each in stand]}


def drain_journal(inside: Registry) -> dict[str, Any]:
    """Take the gateway's journal over, so that what lies there now is known; says whether it was reached."""
    try:
        work.drain(inside)
    except NetworkFault as error:
        return {"reached": False, "code": error.code}
    return {"reached": True, "code": None}


def custody_entries(inside: Registry, subject: str | None = None) -> list[dict[str, Any]]:
    """Entries of the ledger, all or about one subject."""
    return [entry.to_json() for entry in inside.ledger.entries(subject)]


def custody_append(inside: Registry, event: str, subject: str, detail: dict[str, Any]) -> dict[str, Any]:
    """Write one entry for a room above (an incident's steps)."""
    return inside.ledger.append(event, subject, detail, inside.now()).to_json()


def subject_counts(inside: Registry, transfers: list[str]) -> dict[str, Any]:
    """Who is in these transfers, counted (registry.subjects)."""
    return subjects.counts(inside.store.connection, transfers)


def subject_transfers(inside: Registry) -> list[str]:
    """Transfers whose data subjects are written down."""
    return subjects.transfers(inside.store.connection)


def subject_details(inside: Registry, transfers: list[str]) -> dict[str, Any]:
    """Where the persons in these transfers live, what was carried about them, and how far they were joined."""
    return {
        "by_residence": subjects.residence(inside.store.connection, transfers),
        "data_elements": layouts.data_elements_in(inside, transfers),
        "counted_apart": subjects.not_joined(inside.store.connection, transfers),
    }


def subject_overlap(inside: Registry, transfers: list[str], others: list[str]) -> int:
    """Persons who are in both sets of transfers."""
    return subjects.in_both(inside.store.connection, transfers, others)


def transfer_facts(inside: Registry) -> list[dict[str, Any]]:
    """What is known of each transfer without opening it again: submitter, outcome, stated count."""
    return [
        {
            "id": each.id,
            "submitter": each.submitter,
            "outcome": each.outcome,
            "stated_subjects": each.stated_subjects,
        }
        for each in inside.state.transfers()
    ]


def make_backup_keys(inside: Registry, *, new: bool = False) -> dict[str, Any]:
    """Make the backup pair, where there is none, and tell the gateway."""
    return backup_keys.publish(inside, new=new)


def rotate_keys(inside: Registry, which: str = "intake") -> dict[str, Any]:
    """Make the next intake key, or the next pull key, now."""
    rotation.settle(inside)
    if which == "pull":
        return rotation.rotate_pull(inside)
    key_id = rotation.renew_intake_key(inside, at_once=True)
    signed = inside.intake_keys.signed()
    assert signed is not None
    return {"intake_key": key_id, "seal_until": json.loads(signed.message)["seal_until"]}


def look_at_door(inside: Registry) -> dict[str, Any]:
    """What partners and firewalls must know of the SFTP door, as the gateway says it now where it is reached."""
    reached = True
    try:
        door.settle(inside)
    except NetworkFault:
        reached = False
    return {**door.show(inside), "reached": reached}


TABLE: dict[str, Callable[..., Any]] = {
    "backup": backup.make_backup,
    "backup-keys": make_backup_keys,
    "release-freeze": releasing.release_freeze,
    "revoke": admin.revoke,
    "quota": admin.quota,
    "gateway-setting": admin.gateway_setting,
    "contact": admin.contact,
    "level": levels.set_level,
    "mapping-add": layouts.add,
    "mapping-remove": layouts.remove,
    "mapping-list": layouts.show,
    "data-elements": layouts.data_elements,
    "dictionary-preview": previewing.preview,
    "indicators-run": counting_now.count,
    "rotate-keys": rotate_keys,
    "next-statement-key": rotation.begin_statement,
    "take-certificate": rotation.finish_statement,
    "alarms": alarms,
    "import-submitters": moving.import_submitters,
    "invite-by-door": moving.invite_by_door,
    "door": look_at_door,
    "trust-door": door.trust,
    "pull": pull,
    "invite": invite,
    "submitters": list_submitters,
    "status": status,
    "drain-journal": drain_journal,
    "custody-entries": custody_entries,
    "custody-append": custody_append,
    "alerts": care.listed,
    "night": night.look,
    "review-queue": reviewing.queue,
    "review-decide": reviewing.decide,
    "review-decided": reviewing.decided,
    "issued-report": issued.write,
    "month-report": monthly.report,
    "months-plan": months.plan,
    "months-step": months.step,
    "community-ask": communities.ask,
    "community-step": communities.step,
    "community-show": communities.one,
    "communities": communities.listed,
    "period-open": periods.begin,
    "period-step": periods.step,
    "period-to-sign": periods.to_sign,
    "periods": periods.listed,
    "expect": periods.expect,
    "expected": periods.expected,
    "snapshot": lambda inside, snapshot: snapshots.of(inside.store, snapshot),
    "retention-show": adopted.show,
    "retention-adopt": adopted.adopt,
    "retention-preview": adopted.preview,
    "dispose": disposal.dispose,
    "dispose-preview": disposal.preview,
    "dispose-nightly": disposal.nightly,
    "disposals": proof.listed,
    "disposal-verify": proof.verify,
    "disposal-find": proof.find,
    "hold-propose": holding.propose,
    "hold-step": holding.step,
    "hold-show": holding.one,
    "holds": holding.listed,
    "hold-scope": holding.scope,
    "hold-person": holding.person,
    "subject-counts": subject_counts,
    "subject-transfers": subject_transfers,
    "subject-details": subject_details,
    "subject-overlap": subject_overlap,
    "transfer-facts": transfer_facts,
    "incident-note": case_facts.keep,
    "incident-facts": case_facts.listed,
    "custody-where": whereabouts.where,
}
