"""Which custody entries are told by mail, to whom, and when. Pure.

Mail follows custody and nothing else: what is not in custody did not happen, and what is there is told once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from swaddle.canonical import parse_instant
from swaddle.custody.entry import Entry
from swaddle.registry.mail_texts import EXPIRING, LOST, RECEIVED, REFUSED, REPORT, reason_of

REPORT_LIFE = timedelta(days=13, hours=23)  # giving.FEEDBACK_LIFE; a test compares
WARN_BEFORE = timedelta(days=3)


@dataclass(frozen=True)
class Due:
    """One thing to tell one submitter, not before `at`. `about` is the transfer, which no mail ever names."""

    submitter: str
    kind: str
    about: str
    reason: str | None
    at: datetime


def told_by(entry: Entry, registry: str, was_held: Callable[[str], bool]) -> tuple[list[Due], str | None]:
    """What an entry gives to tell; and the transfer whose waiting mail it makes pointless, if any.

    Args:
        entry: of the registry's custody.
        registry: its id: what was on its way to it and got lost is asked for again.
        was_held: whether the gateway ever held that transfer whole.
    """
    submitter = entry.detail.get("submitter")
    if not isinstance(submitter, str) or not submitter:
        return [], None
    at, about = parse_instant(entry.at), entry.subject

    def due(kind: str, reason: str | None = None, when: datetime = at) -> Due:
        return Due(submitter, kind, about, reason, when)

    match entry.event:
        case "submission-stored":
            return [due(RECEIVED)], None
        case "submission-refused":
            return [due(REFUSED, reason_of(entry.detail.get("code")))], None
        case "submission-unreadable":
            return [due(REFUSED, "unreadable")], None
        case "feedback-sent":
            return [due(REPORT), due(EXPIRING, None, at + REPORT_LIFE - WARN_BEFORE)], None
        case "transfer-lost":
            return [due(LOST)], None
        case "transfer-expired" if entry.detail.get("reader") == registry:
            return ([due(LOST)] if was_held(about) else []), None
        case "transfer-acknowledged" | "transfer-expired":  # a report that was fetched, or can be no more
            return [], about
    return [], None
