"""A custody entry: what happened to a transfer, a copy, a key, a submitter or an incident. Pure.

An entry says what and when, never who it is about: its values are ids, digests, counts, instants and the words listed
here. Free text has no form in it, so no person's value can slip in. docs/custody.md is generated from EVENTS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from swaddle.canonical import NotCanonical, canonical, digest_hex, format_instant, parse_canonical, parse_instant
from swaddle.errors import IntegrityFault, OurBug

FIRST_PREVIOUS = "0" * 64
ENTRY_LIMIT_BYTES = 65_536


class EntryUnsafe(OurBug):
    """Somebody tried to write what has no place in custody."""

    code = "SWD-CUSTODY-01"
    what = "a custody entry was about to say what it must not"


class LedgerBroken(IntegrityFault):
    """The custody ledger does not hold together."""

    code = "SWD-CUSTODY-02"
    what = "the custody ledger does not hold: at entry {sequence}, {reason}"
    why = "an entry was changed, removed or put in from outside, or the disk is failing"
    fix = "stop, keep the file as it is, and compare it with the last backup; treat it as an incident until explained"


@dataclass(frozen=True)
class EventKind:
    """What an event means: whose id its subject is, and its text in docs/custody.md."""

    subject: str
    text: str


EVENTS: Mapping[str, EventKind] = {
    "registry-made": EventKind("registry", "a registry's home was made"),
    "gateway-claimed": EventKind("registry", "the gateway took this registry's root, and takes no other"),
    "submitter-invited": EventKind("lookup digest", "an invitation was written; one use, 72 hours"),
    "submitter-active": EventKind("submitter", "the keys of a submitter were verified and enrolled"),
    "submitter-rejected": EventKind("lookup digest", "keys came that the invitation does not vouch for; it is spent"),
    "submitter-revoked": EventKind("submitter", "the submitter's keys are no longer taken"),
    "level-set": EventKind("submitter", "the operator set or took back the submitter's level of care"),
    "submitter-door": EventKind("submitter", "the SFTP door takes these SSH keys of the submitter, and no others"),
    "door-trusted": EventKind("key", "manifests that this key of the SFTP door signed are taken from now on"),
    "key-made": EventKind("key", "a key pair was made"),
    "key-destroyed": EventKind("key", "a key was destroyed: nobody opens what was sealed to it"),
    "intake-published": EventKind("key", "submitters are told to seal to this intake key from now on"),
    "transfer-announced": EventKind("transfer", "a sender announced it; nothing of it is anywhere yet"),
    "transfer-receiving": EventKind("transfer", "its first bytes lie on the gateway"),
    "transfer-held": EventKind("transfer", "the gateway holds it whole, sealed"),
    "transfer-leased": EventKind("transfer", "its one reader began to read it"),
    "transfer-given-back": EventKind("transfer", "its reader gave the lease back; it is held again"),
    "transfer-lapsed": EventKind("transfer", "the lease ended by time; it is held again"),
    "transfer-acknowledged": EventKind("transfer", "its reader's signed word ended it"),
    "transfer-refused": EventKind("transfer", "the gateway did not take it: what came is not what was said"),
    "transfer-expired": EventKind("transfer", "nobody read it in time"),
    "transfer-pulled": EventKind("transfer", "the registry has its bytes, sealed"),
    "copy-destroyed": EventKind("transfer", "the copy at `place` is gone"),
    "submission-stored": EventKind("transfer", "opened, checked and stored; this entry, signed, is the receipt"),
    "submission-refused": EventKind(
        "transfer", "opened, refused, the reasons recorded; this entry, signed, is the receipt"
    ),
    "submission-unreadable": EventKind("transfer", "it could not be opened; the submitter is told"),
    "spool-cleared": EventKind("transfer", "the registry removed the sealed bytes that it had pulled"),
    "store-loaded": EventKind("transfer", "its rows are in the three files and committed by one row"),
    "feedback-sent": EventKind(
        "transfer", "a report, sealed to its submitter, is on the gateway; it answers `answers`"
    ),
    "records-asked-for": EventKind(
        "notice", "a night found records that wait for another one; this notice asks its submitter for `count` of them"
    ),
    "alert-raised": EventKind(
        "alert", "care cannot wait for `count` babies of this submitter; it is told, sealed, and nobody else is"
    ),
    "review-decided": EventKind("finding", "a named person of the registry decided about a finding; `key` signed it"),
    "feedback-opened": EventKind("transfer", "the submitter opened its report"),
    "feedback-expired": EventKind("transfer", "the submitter did not fetch its report in time"),
    "gateway-frozen": EventKind("freeze", "the gateway froze reading because an invariant broke"),
    "gateway-released": EventKind("freeze", "the registry's signature released a freeze"),
    "gateway-backed-up": EventKind("backup", "a backup of the gateway was made; the copy ends at `expires`"),
    "registry-backed-up": EventKind("backup", "a backup of the registry was made; the copy ends at `expires`"),
    "backup-removed": EventKind("backup", "the registry removed this backup: its time was over"),
    "registry-restored": EventKind(
        "backup", "the registry came back from this backup, with custody up to `entries`; what came after it is lost"
    ),
    "registry-upgraded": EventKind("registry", "its home was brought from form `before` to form `after`"),
    "journal-resumed": EventKind(
        "journal head", "a restored registry takes the journal up here; entries `first` to `last` nobody has any more"
    ),
    "sending-asked-for": EventKind(
        "notice", "a restored registry asked a submitter to send again what has a receipt from after `made`"
    ),
    "gateway-restored": EventKind("backup", "a gateway came back from this backup, frozen"),
    "gateway-resumed": EventKind("backup", "the registry told a restored gateway where its journal goes on"),
    "gateway-next-tls-key": EventKind(
        "key", "the gateway made its next TLS key; its pin is published before it is used"
    ),
    "gateway-tls-key": EventKind("key", "the gateway shows this TLS key from now on"),
    "transfer-lost": EventKind(
        "transfer", "the gateway held it by its own journal and has it no more: it was lost with its disk; ask for it"
    ),
    "enrolment-arrived": EventKind("lookup digest", "keys came to the gateway for an open invitation"),
    "gateway-instructed": EventKind("registry", "the gateway took a signed instruction"),
    "journal-drained": EventKind("journal head", "the gateway's journal was read, checked and taken over up to here"),
    "journal-broken": EventKind("journal head", "the gateway's journal does not hold: entries changed or gone"),
    "alarm-raised": EventKind(
        "freeze, transfer or registry", "the registry raised an alarm about this; `reason` says why"
    ),
    "alarm-answered": EventKind("freeze, transfer or registry", "somebody inside looked into it and ended the alarm"),
    "retention-adopted": EventKind("schedule digest", "this retention schedule is followed from now on"),
    "hold-proposed": EventKind("hold", "a person made a hold; it stops disposal from now on"),
    "hold-confirmed": EventKind("hold", "a second person confirmed the hold"),
    "hold-reviewed": EventKind("hold", "a person looked at the hold again, and set the next date for it"),
    "hold-release-proposed": EventKind("hold", "a person asked for the hold's release; it still stops disposal"),
    "hold-released": EventKind("hold", "a second person released the hold"),
    "disposal-begun": EventKind(
        "disposal", "what is due by the schedule is about to be removed; counts, and a commitment to what it is"
    ),
    "disposal-dropped": EventKind("disposal", "it was interrupted before anything was removed, and is planned anew"),
    "data-disposed": EventKind(
        "disposal", "removed from the three files, which were written anew under new keys; the commitment is its proof"
    ),
    "community-asked": EventKind(
        "community", "a person took a community's demand; its births are in nothing that is told of others from now on"
    ),
    "community-confirmed": EventKind("community", "a second person confirmed the demand, or wants it to go on"),
    "community-end-asked": EventKind("community", "a person asked for the demand's end; it still holds"),
    "community-ended": EventKind("community", "a second person ended the demand"),
    "period-closed": EventKind("snapshot", "a period was closed on these counts"),
    "period-reopened": EventKind("snapshot", "a closed period was opened again; its counts at that moment"),
    "mapping-added": EventKind("mapping digest", "files may be read by this mapping of the registry's own from now on"),
    "mapping-removed": EventKind("mapping digest", "no file is read by this mapping any more"),
    "incident-opened": EventKind("incident", "a breach is being handled; its window is `from` to `to`"),
    "incident-scoped": EventKind("incident", "who could be affected was computed"),
    "incident-noted": EventKind(
        "incident", "somebody wrote a fact down; `commitment` is to it, in the store it is read"
    ),
    "incident-contained": EventKind("incident", "the breach is contained"),
    "incident-closed": EventKind("incident", "the incident is closed"),
}

# Words that a value may be; everything else that is text must have the form of an id, digest, instant or error code.
WORDS = frozenset({
    "gateway", "registry", "submitter", "laptop", "release", "other",  # places
    "sealed", "door",  # protection classes
    "stored", "refused", "unreadable", "expired", "acknowledged", "lapsed", "given-back",  # ends
    "root", "statement", "pull", "intake", "journal", "signing", "sealing", "store", "claim", "backup", "tls",  # keys
    "allowance", "stranger", "leases", "bytes", "after-acknowledgement", "chain", "restored",  # reasons of a freeze
    "announced", "receiving", "held", "leased", "destroyed",  # states
    "incident", "court", "access",  # kinds of holds
    "freeze", "foreign-lease", "silence", "canary", "unopened",  # reasons of an alarm or a freeze
})  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OPAQUE = re.compile(
    r"[0-9a-f]{16,128}"  # an id or a digest
    r"|SHA256:[A-Za-z0-9+/]{43}"  # a key's fingerprint
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"  # an instant
    r"|SWD-[A-Z0-9]{2,12}-\d\d"  # an error's code
    r"|[0-9]{1,3}(\.[0-9]{1,3}){0,2}"  # a version
)


@dataclass(frozen=True)
class Entry:
    """One event. `at` is an instant as text; `previous` is the digest of the entry before it, first 64 zeros."""

    sequence: int
    at: str
    event: str
    subject: str
    detail: Mapping[str, Any]
    previous: str

    def digest(self) -> str:
        """SHA-256 of the entry's canonical bytes, hex: the next entry's `previous`."""
        return digest_hex(entry_bytes(self))

    def to_json(self) -> dict[str, Any]:
        """The entry as docs/custody.md describes it."""
        return {
            "at": self.at,
            "detail": dict(self.detail),
            "event": self.event,
            "previous": self.previous,
            "sequence": self.sequence,
            "subject": self.subject,
        }


def entry_bytes(entry: Entry) -> bytes:
    """The canonical JSON of an entry: what is written, hashed and, in a receipt, signed."""
    return canonical(entry.to_json())


def next_entry(last: Entry | None, *, at: datetime, event: str, subject: str, detail: Mapping[str, Any]) -> Entry:
    """The entry that follows `last`; of `at`, whole seconds are kept.

    Raises:
        EntryUnsafe: an event that is not in EVENTS, or a value that could carry free text.
    """
    if str(event) not in EVENTS:  # it may come from a hostile journal
        raise EntryUnsafe("its event is not in the table")
    if not is_opaque(subject):
        raise EntryUnsafe(f"the subject of {event} is not an id or a digest")
    moment = format_instant(at)
    for name, value in detail.items():
        if not _NAME.fullmatch(name):
            raise EntryUnsafe(f"a detail of {event} has no proper name")
        if not is_safe(value):
            raise EntryUnsafe(f"the detail {name!r} of {event} is not an id, digest, count, instant or listed word")
    if last is None:
        return Entry(1, moment, event, subject, dict(detail), FIRST_PREVIOUS)
    return Entry(last.sequence + 1, moment, event, subject, dict(detail), last.digest())


def is_opaque(value: object) -> bool:
    """Whether `value` is text that can only be an id, a digest, a fingerprint, an instant, a code or a version."""
    return isinstance(value, str) and _OPAQUE.fullmatch(value) is not None


def is_safe(value: object) -> bool:
    """Whether `value` may stand in a detail: opaque, a listed word, a count, a truth, nothing, or a list of these."""
    if isinstance(value, list | tuple):
        return all(not isinstance(item, list | tuple) and is_safe(item) for item in value)
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        return 0 <= value < 2**53
    return is_opaque(value) or (isinstance(value, str) and value in WORDS)


def parse_entry(line: bytes, after: Entry | None, previous: str) -> Entry:
    """The entry that a line of the ledger says, checked against the one before it.

    Args:
        line: one line, without its newline.
        after: the entry before it; None for the first.
        previous: the digest of that entry's line, or FIRST_PREVIOUS.

    Raises:
        LedgerBroken: not an entry, or not the one that follows.
    """
    sequence = after.sequence + 1 if after else 1
    try:
        found = parse_canonical(line, ENTRY_LIMIT_BYTES)
        entry = Entry(**found)
        parse_instant(entry.at)
        texts = (found["event"], found["subject"], found["previous"])
        is_whole = all(isinstance(text, str) for text in texts) and isinstance(found["detail"], dict)
        is_whole = is_whole and type(found["sequence"]) is int
    except (NotCanonical, KeyError, TypeError) as error:
        raise LedgerBroken("the line is not an entry", sequence=sequence) from error
    if not is_whole:
        raise LedgerBroken("the line is not an entry", sequence=sequence)
    if entry.sequence != sequence:
        raise LedgerBroken("the numbers do not follow one another", sequence=sequence)
    if entry.previous != previous:
        raise LedgerBroken("it does not name the entry before it", sequence=sequence)
    return entry
