"""The entries about one subject, found by its id or the beginning of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from swaddle.errors import NotThere, UsageFault

SHORTEST_BEGINNING = 6


class NothingKnown(NotThere):
    """Custody has no entry about this."""

    code = "SWD-CUSTODY-03"
    what = "custody knows nothing of this"
    why = "no entry is about it"
    fix = "`swaddle registry status` lists the transfers; their first 8 characters are enough here"


class NotClear(UsageFault):
    """The beginning of an id fits more than one, or is too short."""

    code = "SWD-CUSTODY-04"
    what = "this does not say clearly which one is meant"
    why = "{reason}"
    fix = "give more of the id"


def story(entries: Sequence[Mapping[str, Any]], wanted: str) -> dict[str, Any]:
    """The subject's whole id and every entry about it, in order.

    Raises:
        NothingKnown: no entry is about it.
        NotClear: a beginning of fewer than six characters, or one that fits several.
    """
    if len(wanted) < SHORTEST_BEGINNING:
        raise NotClear(f"it has fewer than {SHORTEST_BEGINNING} characters")
    subjects = {entry["subject"] for entry in entries if entry["subject"].startswith(wanted)}
    if not subjects:
        raise NothingKnown
    if len(subjects) > 1:
        raise NotClear(f"{len(subjects)} ids begin so")
    subject = subjects.pop()
    return {"subject": subject, "entries": [entry for entry in entries if entry["subject"] == subject]}
