"""A registry that came back from a backup asks for what it receipted after that: from then on, those files are new.

    HOME/lost.json    the times between a backup and the return from it: a receipt of such a time proves nothing now

Without this a later `send` of the same file would say that it was sent already, which the registry no longer knows. A
receipt of that time may still be on its way when the notice is read.
"""

from __future__ import annotations

import json
from pathlib import Path

from swaddle import durable
from swaddle.canonical import NotCanonical, canonical, format_instant, parse_instant
from swaddle.feedback.asking import KIND
from swaddle.submitter.delivered import forget_since
from swaddle.submitter.state import State

FILE = "lost.json"


def take(home: Path, state: State, report: bytes | None) -> int:
    """Do what a notice asks, if a report is one; how many transfers are to be sent again. Again is fine.

    Args:
        home: the submitter's.
        state: what it remembers.
        report: report.json of what was opened, signed by the registry.
    """
    try:
        told = json.loads(report or b"{}")
        if not isinstance(told, dict) or told.get("kind") != KIND:
            return 0
        after, until = (parse_instant(str(told.get(name))) for name in ("receipted_after", "receipted_until"))
    except (ValueError, RecursionError, NotCanonical):
        return 0
    first, last = format_instant(after), format_instant(until)
    known = _times(home)
    if [first, last] not in known:
        durable.write_file(home / FILE, canonical({"lost": [*known, [first, last]]}))
        forget_since(home, after)
    return state.lost_between(first, last)


def is_lost(home: Path, receipted_at: str) -> bool:
    """Whether the registry lost what it receipted at this instant."""
    return any(first <= receipted_at <= last for first, last in _times(home))


def _times(home: Path) -> list[list[str]]:
    path = home / FILE
    return list(json.loads(path.read_bytes())["lost"]) if path.exists() else []
