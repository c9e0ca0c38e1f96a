"""Exposure: what could have been read in a window of time, and whom it is about. Pure.

It is computed from what was *present*, never from what a log says was read: a thief with root leaves no line in a log.
Two bounds are given. Upper: what lay there at any moment of the window, so what one look may have seen. Lower: what lay
there during the whole of it, so what every look has seen. Who is in a transfer is known for those that were opened;
of the others the count that its sender stated is given, where there was one, and never who.

Custody tells time in whole seconds: a copy recorded from 12:00:05 to 12:00:09 may have been there until the end of that
last second, and a window from 12:00:00 to 12:00:05 includes its last second too. Intervals here are half-open and
already widened so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from swaddle.canonical import NotCanonical, parse_instant
from swaddle.custody.entry import Entry
from swaddle.errors import UsageFault

RESOLUTION = timedelta(seconds=1)
GATEWAY = "gateway"
SEALED, DOOR = "sealed", "door"
STARTS = ("transfer-receiving", "transfer-held", "feedback-sent")
END = "copy-destroyed"


class WindowBackwards(UsageFault):
    """A window that ends before it begins."""

    code = "SWD-INCIDENT-02"
    what = "the window ends before it begins"
    why = "its end is earlier than its start"
    fix = "give the earliest possible moment of the breach as --from and the latest as --to"


class MomentUnclear(UsageFault):
    """A moment that is not written as an instant."""

    code = "SWD-INCIDENT-04"
    what = "this is not a moment"
    why = "a moment is written in UTC to the second, like 2026-11-22T09:24:37Z"
    fix = "write --from and --to so"


class CategoryCount(Protocol):
    """How many persons of one category, and the first and last date of an event in their records."""

    @property
    def category(self) -> str:
        """`gave birth`, `newborn or child` and so on."""
        ...

    @property
    def persons(self) -> int:
        """Distinct persons."""
        ...

    @property
    def first(self) -> object:
        """The earliest date, ISO 8601 text or a date; None where no record has one."""
        ...

    @property
    def last(self) -> object:
        """The latest date."""
        ...


class Subjects(Protocol):
    """Who is in which transfer: what the registry wrote down when it opened them."""

    def transfers_known(self) -> AbstractSet[str]:
        """Transfers whose data subjects are written down."""
        ...

    def persons_in(self, transfers: Collection[str]) -> Sequence[CategoryCount]:
        """Distinct persons in a set of transfers, by category."""
        ...

    def distinct_persons(self, transfers: Collection[str]) -> int:
        """Distinct persons in a set of transfers."""
        ...

    def persons_by_submitter(self, transfers: Collection[str]) -> Sequence[tuple[str, int]]:
        """Distinct persons in a set of transfers, by the submitter of the transfer."""
        ...


@dataclass(frozen=True)
class Window:
    """From `start` up to, not including, `end`."""

    start: datetime
    end: datetime

    @classmethod
    def of_seconds(cls, first: str, last: str) -> Window:
        """The window of two instants, the last second included.

        Raises:
            MomentUnclear: one of them is not an instant.
            WindowBackwards: the last is before the first.
        """
        try:
            start, end = parse_instant(first), parse_instant(last) + RESOLUTION
        except (NotCanonical, OverflowError) as error:
            raise MomentUnclear from error
        if end <= start:
            raise WindowBackwards
        return cls(start, end)


@dataclass(frozen=True)
class Presence:
    """A copy of a transfer at a place, from `since` up to, not including, `until` (None: it is still there).

    `about` is the transfer whose data subjects it is about: itself, or the one that a report answers.
    """

    transfer: str
    about: str
    submitter: str | None
    place: str
    since: datetime
    until: datetime | None
    protection: str
    stated_count: int | None

    def touches(self, window: Window) -> bool:
        """Whether it was there at any moment of the window."""
        until = window.end if self.until is None else min(self.until, window.end)
        return max(self.since, window.start) < until

    def spans(self, window: Window) -> bool:
        """Whether it was there during the whole window."""
        return self.since <= window.start and (self.until is None or self.until >= window.end)


def presences(entries: Iterable[Entry], place: str = GATEWAY) -> tuple[Presence, ...]:
    """The copies that custody knows of at `place`, in the order they came there.

    A copy whose arrival is not recorded but whose end is counts from the first word about it. Much of this is the
    gateway's own word, and a hacked one can set its clock back: a copy was there at least until the last thing that
    custody says of it before its end, and that includes the registry's own reading.
    """
    # Instants as texts: of one width, they stand in the order of time.
    since: dict[str, str] = {}
    until: dict[str, str] = {}
    first_word: dict[str, str] = {}
    last_word: dict[str, str] = {}
    facts: dict[str, dict[str, Any]] = {}
    for entry in entries:
        at = entry.at
        first_word[entry.subject] = min(at, first_word.get(entry.subject, at))
        last_word[entry.subject] = max(at, last_word.get(entry.subject, at))
        facts.setdefault(entry.subject, {}).update(entry.detail)
        if entry.detail.get("place", GATEWAY) != place:
            continue
        if entry.event in STARTS:
            since[entry.subject] = min(at, since.get(entry.subject, at))
        elif entry.event == END:
            since.setdefault(entry.subject, first_word[entry.subject])
            until[entry.subject] = last_word[entry.subject]
    return tuple(
        _presence(transfer, place, begun, until.get(transfer), facts[transfer]) for transfer, begun in since.items()
    )


def _presence(transfer: str, place: str, since: str, until: str | None, facts: Mapping[str, Any]) -> Presence:
    return Presence(
        transfer=transfer,
        about=facts.get("answers") or transfer,
        submitter=facts.get("submitter"),
        place=place,
        since=parse_instant(since),
        until=None if until is None else parse_instant(until) + RESOLUTION,
        # The gateway names the SSH key of what came by its door; the registry says the class once it has read it.
        protection=facts.get("protection") or (DOOR if facts.get("door") else SEALED),
        stated_count=facts.get("subject_count"),
    )


def exposed(present: Iterable[Presence], window: Window, subjects: Subjects) -> dict[str, Any]:
    """What the window exposes: the object of `incident scope --json`, but for its number, elements and time taken."""
    upper = [copy for copy in present if copy.touches(window)]
    lower = [copy for copy in upper if copy.spans(window)]
    known = subjects.transfers_known()
    about = {copy.about for copy in upper} & known
    unknown = [copy for copy in upper if copy.about not in known]
    return {
        "transfers": {"upper": len(upper), "lower": len(lower)},
        "persons": {
            "upper": subjects.distinct_persons(about),
            "lower": subjects.distinct_persons({copy.about for copy in lower} & known),
        },
        "unknown": {"transfers": len(unknown), "stated_count": stated_count(unknown)},
        "by_category": [
            {"category": row.category, "persons": row.persons, "first": day(row.first), "last": day(row.last)}
            for row in subjects.persons_in(about)
        ],
        "by_submitter": by_submitter(upper, dict(subjects.persons_by_submitter(about))),
        "protection": by_protection(upper, known, subjects),
    }


def stated_count(unknown: Sequence[Presence]) -> int | None:
    """The sum of what senders stated about transfers that nobody opened; None where none did."""
    stated = [copy.stated_count for copy in unknown if copy.stated_count is not None]
    return sum(stated) if stated else None


def by_submitter(upper: Sequence[Presence], persons: Mapping[str, int]) -> list[dict[str, Any]]:
    """One row for each submitter: how many transfers, how many persons; None where custody does not name it."""
    transfers = dict.fromkeys(persons, 0)
    nameless = 0
    for copy in upper:
        if copy.submitter is None:
            nameless += 1
        else:
            transfers[copy.submitter] = transfers.get(copy.submitter, 0) + 1
    rows: list[dict[str, Any]] = [
        {"submitter": submitter, "transfers": count, "persons": persons.get(submitter, 0)}
        for submitter, count in sorted(transfers.items())
    ]
    return rows + ([{"submitter": None, "transfers": nameless, "persons": 0}] if nameless else [])


def by_protection(upper: Sequence[Presence], known: AbstractSet[str], subjects: Subjects) -> list[dict[str, Any]]:
    """One row for each protection class: `sealed` from end to end, `door` for what came in the clear."""
    rows = []
    for name in sorted({copy.protection for copy in upper}):
        copies = [copy for copy in upper if copy.protection == name]
        persons = subjects.distinct_persons({copy.about for copy in copies} & known)
        rows.append({"class": name, "transfers": len(copies), "persons": persons})
    return rows


def day(value: object) -> str | None:
    """A date as ISO 8601 text."""
    return None if value is None else str(value)[:10]
