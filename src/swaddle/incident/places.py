"""Where a breach was, and what lay there: the copies of custody as presences at a place. Pure.

gateway   sealed transfers on their way          store     rows in the registry's encrypted files, keys beside them
door      what came by SFTP, while it arrived    backup    what was stored before it was made; its key is offline
release   a report that its receiver opened      other     one submitter's own systems: all that it ever sent
laptop    the same as `other`, on a machine that somebody carried
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime

from swaddle.canonical import parse_instant
from swaddle.custody.copies import Copy, What
from swaddle.custody.entry import Entry
from swaddle.errors import UsageFault
from swaddle.incident.exposure import DOOR, GATEWAY, RESOLUTION, Presence, Window, presences

STORE, BACKUP, RELEASE, LAPTOP, OTHER = "store", "backup", "release", "laptop", "other"
READABLE, KEY_SAFE, KEY_AT_RISK = "readable", "sealed-key-safe", "sealed-key-at-risk"
# What has to be named besides the place: the id of a copy, or a submitter.
WITH_ID, WITH_SUBMITTER = frozenset({BACKUP, RELEASE}), frozenset({LAPTOP, OTHER})
PLACES = (GATEWAY, DOOR, STORE, BACKUP, RELEASE, LAPTOP, OTHER)
ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)  # nobody knows since when a submitter had what it sent


class PlaceUnclear(UsageFault):
    """A place that is not in the table, or of which it is not said which one."""

    code = "SWD-INCIDENT-05"
    what = "it is not clear where the breach was"
    why = "{reason}"
    fix = "--place gateway, door or store; backup or release with --which ID; laptop or other with --which SUBMITTER"


def which_of(place: str, which: str | None, found: Iterable[Copy], submitters: Mapping[str, str]) -> str | None:
    """The id of what was broken into at a place of which there are several.

    Args:
        place: one of PLACES.
        which: the beginning of a copy's id, or a submitter's name or id.
        found: every copy that custody knows of.
        submitters: name -> id.

    Raises:
        PlaceUnclear: no such place, nothing named, or nothing of that name, or more than one.
    """
    if place not in PLACES:
        raise PlaceUnclear(f"a place is one of {', '.join(PLACES)}")
    if place in WITH_SUBMITTER:
        if which is None or which not in {*submitters, *submitters.values()}:
            raise PlaceUnclear("which submitter's it was is not said, or no submitter has that name")
        return submitters.get(which, which)
    if place in WITH_ID:
        kind = What.BACKUP if place == BACKUP else What.INBOX
        fit = {copy.of for copy in found if copy.what is kind and which and copy.of.startswith(which)}
        if len(fit) != 1:
            raise PlaceUnclear(f"{len(fit)} copies begin with that id, and one has to be meant")
        return fit.pop()
    if which is not None:
        raise PlaceUnclear("there is only one such place")
    return None


def present_at(place: str, which: str | None, entries: Sequence[Entry], found: Sequence[Copy]) -> tuple[Presence, ...]:
    """What lay at a place, from when to when, and how it was protected there.

    Args:
        place: one of PLACES.
        which: as `which_of` says.
        entries: custody, in order.
        found: its copies.
    """
    if place == GATEWAY:
        return presences(entries)
    if place == DOOR:
        return tuple(_at_the_door(entries))
    if place == STORE:
        return tuple(_in_the_store(found))
    if place == BACKUP:
        return tuple(_in_a_backup(found, which))
    if place == RELEASE:
        return tuple(
            _presence(copy, READABLE, RELEASE) for copy in found if copy.what is What.INBOX and copy.of == which
        )
    sent = {
        copy.about or copy.of: copy
        for copy in found
        if copy.submitter == which and copy.what in {What.BODY, What.ROWS} and (copy.about or copy.of) == copy.of
    }
    return tuple(replace(_presence(copy, READABLE, place), since=ALWAYS, until=None) for copy in sent.values())


def at_risk(present: Iterable[Presence], found: Iterable[Copy], inside: Iterable[Window]) -> tuple[Presence, ...]:
    """The presences, those sealed to a key that lay where another breach was said to be at risk.

    Args:
        present: what lay at this incident's place.
        found: every copy; keys are copies too.
        inside: the windows of incidents at the place where the keys are kept.
    """
    windows = tuple(inside)
    copies = tuple(found)
    taken = {copy.of for copy in copies if copy.what is What.KEY and any(_touches(copy, each) for each in windows)}
    opens = {copy.of: copy.key for copy in copies if copy.what in {What.BODY, What.FEEDBACK}}
    return tuple(
        replace(each, protection=KEY_AT_RISK)
        if opens.get(each.transfer) in taken and each.protection not in {DOOR, READABLE}
        else each
        for each in present
    )


def not_arrived(upper: Iterable[Presence], known: AbstractSet[str]) -> list[dict[str, object]]:
    """Transfers whose persons nobody knows, submitter by submitter: whom to ask, and about what."""
    asked: dict[str | None, list[Presence]] = {}
    for copy in upper:
        if copy.about not in known:
            asked.setdefault(copy.submitter, []).append(copy)
    rows: list[dict[str, object]] = []
    for submitter, own in sorted(asked.items(), key=lambda item: item[0] or ""):
        stated = [copy.stated_count for copy in own if copy.stated_count is not None]
        rows.append(
            {
                "submitter": submitter,
                "transfers": sorted({copy.about for copy in own}),
                "stated_count": sum(stated) if stated else None,
            }
        )
    return rows


def _touches(copy: Copy, window: Window) -> bool:
    ended = None if copy.ended is None else parse_instant(copy.ended) + RESOLUTION
    return parse_instant(copy.since) < window.end and (ended is None or ended > window.start)


def _presence(copy: Copy, protection: str, place: str) -> Presence:
    return Presence(
        transfer=copy.of,
        about=copy.about or copy.of,
        submitter=copy.submitter,
        place=place,
        since=parse_instant(copy.since),
        until=None if copy.ended is None else parse_instant(copy.ended) + RESOLUTION,
        protection=protection,
        stated_count=None,
    )


def _in_the_store(found: Iterable[Copy]) -> Iterator[Presence]:
    """Rows lie there under keys that lie beside them; what was pulled is sealed, and its key is there too."""
    for copy in found:
        if copy.what is What.ROWS:
            yield _presence(copy, READABLE, STORE)
        elif copy.what is What.SPOOL:
            yield _presence(copy, KEY_AT_RISK, STORE)


def _in_a_backup(found: Sequence[Copy], which: str | None) -> Iterator[Presence]:
    for backup in (copy for copy in found if copy.what is What.BACKUP and copy.of == which):
        whole = _presence(backup, KEY_SAFE, BACKUP)
        for copy in found:
            if copy.what is What.ROWS and copy.since <= backup.since:
                yield replace(whole, transfer=copy.of, about=copy.of, submitter=copy.submitter)


def _at_the_door(entries: Sequence[Entry]) -> Iterator[Presence]:
    """In the clear from the first word about it until the gateway held it sealed and whole."""
    held = {entry.subject: parse_instant(entry.at) for entry in entries if entry.event == "transfer-held"}
    begun: dict[str, datetime] = {}
    for entry in entries:
        begun.setdefault(entry.subject, parse_instant(entry.at))
    for copy in presences(entries):
        if copy.protection == DOOR:
            sealed = held[copy.transfer] + RESOLUTION if copy.transfer in held else copy.until
            yield replace(
                copy, place=DOOR, since=min(begun[copy.transfer], copy.since), until=sealed, protection=READABLE
            )
