"""A mapping that is like another one: it says only what is different. Pure.

    like = "nchs-natality-2021"

takes over what a row tells of, the fields and what is not carried; how the file is written, by what it is recognised
and what it is called are its own.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Map
from typing import Any

from swaddle.intake.faults import MappingFault

LIKE = "like"
_TAKEN_OVER = ("dictionary", "row", "historical")
_DEPTH = 3


def with_likeness(entry: Map[str, Any], known: Callable[[str], Map[str, Any] | None], depth: int = 0) -> dict[str, Any]:
    """The entry with all that it takes over from the one it is like.

    A field that it maps takes the place of the other's, and a field under its `not_carried` is not mapped any more.

    Args:
        entry: a mapping file.
        known: gives the mapping file of that name, or None.
        depth: how many are like one another already.

    Raises:
        MappingFault: there is no mapping of that name, or too many are like one another.
    """
    told = {key: value for key, value in entry.items() if key != LIKE}
    if LIKE not in entry:
        return told
    name = entry[LIKE]
    model = known(name) if isinstance(name, str) and depth < _DEPTH else None
    if model is None:
        raise MappingFault("like must name a built-in mapping file")
    model = with_likeness(model, known, depth + 1)
    own, own_lack = told.get("fields", {}), told.get("not_carried", [])
    if not isinstance(own, dict) or not isinstance(own_lack, list):
        return told  # the parser says what is wrong with it
    taken = {key: model[key] for key in _TAKEN_OVER if key in model}
    fields = {key: value for key, value in model["fields"].items() if key not in own_lack}
    lacking = [each for each in model.get("not_carried", []) if each not in own and each not in own_lack]
    return {**taken, **told, "fields": {**fields, **own}, "not_carried": [*lacking, *own_lack]}
