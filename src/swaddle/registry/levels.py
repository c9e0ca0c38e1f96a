"""The level of care of each submitter, as the registry's operator sets it; hospitals are compared with their like.

The words are the operator's own (in Ontario 1a to 3b): short, because they are compared letter by letter. Custody says
that a level was set, not which: it is no secret, but custody holds no word of anybody's.
"""

from __future__ import annotations

import json
import re
from typing import Any

from swaddle.errors import UsageFault
from swaddle.registry.admin import named
from swaddle.registry.inside import Registry

FACT = "levels_of_care"
_LEVEL = re.compile(r"[0-9A-Za-z][0-9A-Za-z+-]{0,7}")


class LevelUnusable(UsageFault):
    """A word that is no level of care."""

    code = "SWD-LEVEL-01"
    what = "that cannot be a level of care"
    why = "a level is one to eight letters or digits, + and - among them, such as 1, 2b or 3"
    fix = "give a level as it is written where you are, or --remove"


def set_level(inside: Registry, name: str, level: str | None = None, *, remove: bool = False) -> dict[str, Any]:
    """Set, show or take back one submitter's level of care.

    Args:
        inside: the registry.
        name: the submitter's.
        level: None leaves it as it is.
        remove: nobody said which.

    Raises:
        NoSuchSubmitter, LevelUnusable: nothing was changed.
    """
    submitter = named(inside, name)
    if level is not None and _LEVEL.fullmatch(level) is None:
        raise LevelUnusable
    known = of_all(inside)
    wanted = {key: kept for key, kept in known.items() if key != submitter.id}
    if not remove and (word := level or known.get(submitter.id)):
        wanted[submitter.id] = word
    if wanted != known:
        inside.state.set_fact(FACT, json.dumps(wanted, sort_keys=True))
        inside.ledger.append("level-set", submitter.id, {}, inside.now())
    return {"submitter": submitter.id, "name": name, "level": wanted.get(submitter.id)}


def of_all(inside: Registry) -> dict[str, str]:
    """Submitter's id to its level of care, where somebody set one."""
    kept: dict[str, str] = json.loads(inside.state.fact(FACT) or "{}")
    return kept
