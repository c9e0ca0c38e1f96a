"""Every copy that custody knows of: what it is, who holds it, under which key, since when, until when. Pure.

    entries, in order -> one Copy for each thing that lay somewhere -> ends: destroyed, taken away, or its key destroyed

A copy whose key is destroyed is at its end wherever its bytes still lie: nobody opens it. A copy that should be gone
and of whose end custody says nothing is overdue: either it still lies there, or nobody has said that it does not.
What a submitter does with its own files is not in custody, and so not here. A backup of the gateway holds nothing of
any transfer (gateway/backup.py) and is no copy of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from swaddle.canonical import format_instant, parse_instant
from swaddle.custody.entry import Entry

GATEWAY, REGISTRY, SUBMITTER = "gateway", "registry", "submitter"
# A sweep and the journal's way into custody take their time: what ended so little ago is not called overdue.
GRACE = timedelta(hours=1)


class What(Enum):
    """What a copy is a copy of, in the order in which a person reads of them."""

    BODY = "sealed body"
    HEADER = "sealed header"
    FEEDBACK = "sealed report"
    SPOOL = "sealed body, pulled"
    ROWS = "rows in the store"
    SNAPSHOT = "snapshot of a period"
    BACKUP = "backup of the registry"
    INBOX = "report in an inbox"
    KEY = "key"


class Standing(Enum):
    """How it stands with a copy."""

    THERE = "there"
    OVERDUE = "overdue"
    ENDED = "ended"
    KEY_DESTROYED = "key destroyed"
    LOST = "lost"


# Which copies hold something of every transfer that was stored before they were made.
WHOLE = frozenset({What.BACKUP})


@dataclass(frozen=True, kw_only=True)
class Copy:
    """One copy.

    Attributes:
        of: the id of what it is a copy of: a transfer, a backup, a snapshot, a key.
        what: its kind.
        holder: `gateway`, `registry`, or the id of the submitter that holds it.
        place: where at the holder.
        key: the id of the key without which nobody reads it; None where custody does not name one.
        since: an instant as text.
        until: when it is to end, as far as custody says; None: no end was set.
        ended: when it ended.
        because: the event that ended it.
        entries: the numbers of the entries that say so, of its beginning and of its end: the proof.
        submitter: whose data it is.
        about: the transfer whose persons it is about; None where it is of all, or of none.
        standing: at the moment that was asked about.
    """

    of: str
    what: What
    holder: str
    place: str
    since: str
    key: str | None = None
    until: str | None = None
    ended: str | None = None
    because: str | None = None
    entries: tuple[int, ...] = ()
    submitter: str | None = None
    about: str | None = None
    standing: Standing = Standing.THERE

    def to_json(self) -> dict[str, Any]:
        """The copy as docs/custody.md describes it."""
        return {
            "of": self.of, "what": self.what.value, "holder": self.holder, "place": self.place, "key": self.key,
            "since": self.since, "until": self.until, "ended": self.ended, "because": self.because,
            "entries": list(self.entries), "submitter": self.submitter, "about": self.about,
            "standing": self.standing.value,
        }  # fmt: skip


def copies(entries: Iterable[Entry], at: datetime) -> tuple[Copy, ...]:
    """Every copy that the entries tell of, those that ended too, in the order in which they came to be.

    Args:
        entries: custody, in order; read once.
        at: the moment that `standing` is of.
    """
    seen = _Seen()
    for entry in entries:
        seen.take(entry)
    past = format_instant(at - GRACE)  # instants are of one width: as texts they stand in the order of time
    found = [_judged(each, seen.keys, past) for each in seen.all()]
    return tuple(sorted(found, key=lambda each: (each.since, each.entries)))


class _Seen:
    """What was read so far: the open copies of each subject, and what is known about it."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, What], Copy] = {}
        self._over: list[Copy] = []
        self._facts: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, tuple[str, int]] = {}  # destroyed: when, and the entry

    def all(self) -> Iterator[Copy]:
        """The copies, with what was learnt about their subjects after they began."""
        for each in (*self._over, *self._open.values()):
            known = self._facts.get(each.of, {})
            submitter = each.submitter or known.get("submitter")
            key = each.key or (known.get("recipient") if each.what in _SEALED else None)
            # The journal tells of a report's end after the registry's own word that it was sent.
            until = each.until or (known.get("expires") if each.what in _EXPIRING else None)
            is_told = (submitter, key, until) == (each.submitter, each.key, each.until)
            yield each if is_told else replace(each, submitter=submitter, key=key, until=until)

    def take(self, entry: Entry) -> None:
        """Go on by one entry."""
        if entry.event.startswith(("transfer-", "feedback-", "submission-")):
            facts = self._facts.setdefault(entry.subject, {})
            facts.update({name: entry.detail[name] for name in _KEPT if entry.detail.get(name) is not None})
        handle = _HANDLERS.get(entry.event)
        if handle is not None:
            handle(self, entry)

    def begin(self, entry: Entry, what: What, holder: str, place: str, **further: Any) -> None:
        """A copy begins, if it is not there already."""
        facts = self._facts.get(entry.subject, {})
        copy = Copy(
            of=entry.subject, what=what, holder=holder, place=place, since=entry.at, entries=(entry.sequence,),
            **{
                "submitter": facts.get("submitter"), "key": facts.get("recipient") if what in _SEALED else None,
                **further,
            },
        )  # fmt: skip
        self._open.setdefault((entry.subject, what), copy)

    def end(self, entry: Entry, *kinds: What) -> None:
        """Copies of the entry's subject end."""
        for what in kinds:
            copy = self._open.pop((entry.subject, what), None)
            if copy is not None:
                self._over.append(
                    replace(copy, ended=entry.at, because=entry.event, entries=(*copy.entries, entry.sequence))
                )

    def arrived(self, entry: Entry) -> None:
        """Something of a transfer lies on the gateway; its header only when it is whole."""
        facts = self._facts[entry.subject]
        is_feedback = "sender" in facts and facts.get("submitter") == facts.get("reader")
        kinds = [What.FEEDBACK] if is_feedback or "answers" in facts else [What.BODY]
        if kinds == [What.BODY] and entry.event == "transfer-held":
            kinds.append(What.HEADER)
        for what in kinds:
            self.begin(
                entry, what, GATEWAY, "gateway", until=facts.get("expires"), about=facts.get("answers", entry.subject)
            )
            if "answers" in facts:  # the journal may come before the registry's own word: the later one knows more
                known = self._open[entry.subject, what]
                self._open[entry.subject, what] = replace(known, about=facts["answers"])

    def gone(self, entry: Entry) -> None:
        """The copy at a place is gone; where no place is named it is the gateway."""
        if entry.detail.get("place", GATEWAY) == GATEWAY:
            self.end(entry, What.BODY, What.HEADER, What.FEEDBACK)

    def lost(self, entry: Entry) -> None:
        """The gateway's disk took it along: nobody has seen it end."""
        self.end(entry, What.BODY, What.HEADER, What.FEEDBACK)

    def acknowledged(self, entry: Entry) -> None:
        """A reader has what it came for: a report lies in its submitter's inbox from then on."""
        if (entry.subject, What.FEEDBACK) in self._open and entry.detail.get("outcome", "stored") == "stored":
            before = self._open[entry.subject, What.FEEDBACK]
            holder = before.submitter or self._facts[entry.subject].get("submitter") or SUBMITTER
            self.begin(entry, What.INBOX, holder, "inbox", about=before.about)

    def stored(self, entry: Entry) -> None:
        """Its rows are in the three files; what was pulled is not needed any more."""
        self.begin(entry, What.ROWS, REGISTRY, "store", about=entry.subject)

    def pulled(self, entry: Entry) -> None:
        """The registry has the sealed bytes in its spool."""
        self.begin(
            entry, What.SPOOL, REGISTRY, "spool", until=self._facts[entry.subject].get("expires"), about=entry.subject
        )

    def backed_up(self, entry: Entry) -> None:
        """A backup was made: something of every transfer stored before is in it."""
        self.begin(
            entry, What.BACKUP, REGISTRY, "backup", key=entry.detail.get("key_id"), until=entry.detail.get("expires")
        )

    def made_key(self, entry: Entry) -> None:
        """A key is a copy of all that is sealed to it."""
        self.begin(
            entry, What.KEY, REGISTRY, f"keys: {entry.detail.get('key', '?')}", key=entry.subject,
            until=entry.detail.get("until"),
        )  # fmt: skip

    def destroyed_key(self, entry: Entry) -> None:
        """A key is gone, and with it whatever was sealed to it."""
        self.keys[entry.subject] = (entry.at, entry.sequence)
        self.end(entry, What.KEY)

    def closed_period(self, entry: Entry) -> None:
        """A snapshot says which records counted."""
        self.begin(entry, What.SNAPSHOT, REGISTRY, "store")


_SEALED = frozenset({What.BODY, What.HEADER, What.FEEDBACK, What.SPOOL, What.INBOX})
_EXPIRING = _SEALED - {What.INBOX}
_KEPT = ("submitter", "sender", "reader", "recipient", "expires", "answers")
_HANDLERS: Mapping[str, Any] = {
    **dict.fromkeys(("transfer-receiving", "transfer-held", "feedback-sent"), _Seen.arrived),
    "transfer-pulled": _Seen.pulled,
    "submission-stored": _Seen.stored,
    "transfer-acknowledged": _Seen.acknowledged,
    "spool-cleared": lambda seen, entry: seen.end(entry, What.SPOOL),
    "copy-destroyed": _Seen.gone,
    "transfer-lost": _Seen.lost,
    "registry-backed-up": _Seen.backed_up,
    "backup-removed": lambda seen, entry: seen.end(entry, What.BACKUP),
    "key-made": _Seen.made_key,
    "key-destroyed": _Seen.destroyed_key,
    "period-closed": _Seen.closed_period,
}


def _judged(copy: Copy, destroyed: Mapping[str, tuple[str, int]], past: str) -> Copy:
    """How it stands with a copy at a moment."""
    if copy.ended is not None:
        standing = Standing.LOST if copy.because == "transfer-lost" else Standing.ENDED
        return replace(copy, standing=standing)
    if copy.key is not None and copy.key in destroyed and copy.what is not What.KEY:
        when, number = destroyed[copy.key]
        return replace(
            copy, ended=max(when, copy.since), because="key-destroyed", entries=(*copy.entries, number),
            standing=Standing.KEY_DESTROYED,
        )  # fmt: skip
    if copy.until is not None and copy.until < past:
        return replace(copy, standing=Standing.OVERDUE)
    return copy


def of_transfers(found: Iterable[Copy], transfers: Iterable[str], stored: Mapping[str, str]) -> tuple[Copy, ...]:
    """The copies in which something of these transfers is: their own, and the backups made after they were stored.

    Args:
        found: every copy.
        transfers: their ids.
        stored: transfer -> when its rows came into the store.
    """
    wanted = frozenset(transfers)
    first = min((stored[each] for each in wanted if each in stored), default=None)
    keys = {copy.key for copy in found if copy.of in wanted or copy.about in wanted}
    return tuple(
        copy
        for copy in found
        if copy.of in wanted
        or copy.about in wanted
        or (copy.what is What.KEY and copy.of in keys)
        or (copy.what in WHOLE and first is not None and copy.since >= first)
    )


def stored_at(found: Iterable[Copy]) -> dict[str, str]:
    """Transfer -> when its rows came into the store."""
    return {copy.of: copy.since for copy in found if copy.what is What.ROWS}


def overdue_days(copy: Copy, at: datetime) -> int:
    """Whole days past its end; 0 for what is not overdue."""
    if copy.standing is not Standing.OVERDUE or copy.until is None:
        return 0
    return (at - parse_instant(copy.until)).days
