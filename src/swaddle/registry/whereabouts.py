"""Where every copy is and who holds it: custody/copies.py, asked for a transfer, a submitter, a holder, a category.

What comes out are ids, places, times and the numbers of entries; nobody's name and nobody's value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from swaddle.canonical import format_instant
from swaddle.custody.copies import Copy, Standing, What, copies, of_transfers, overdue_days, stored_at
from swaddle.custody.show import SHORTEST_BEGINNING, NotClear, NothingKnown
from swaddle.errors import UsageFault
from swaddle.registry import subjects
from swaddle.registry.inside import Registry

CLEARED, PULLED = "spool-cleared", "transfer-pulled"
HOLDERS = ("gateway", "registry", "submitter")


class NoSuchCategory(UsageFault):
    """Nobody in the store is of this category."""

    code = "SWD-WHERE-01"
    what = "nobody is in this category"
    why = "the store has {reason}"
    fix = "write one of them as it stands here"


class NoSuchHolder(UsageFault):
    """Neither a kind of holder nor a submitter of this registry."""

    code = "SWD-WHERE-02"
    what = "nobody of this name holds anything"
    why = "a holder is `gateway`, `registry`, `submitter` (all of them), or the name of one submitter"
    fix = "`swaddle registry submitters` lists their names"


def note_cleared(inside: Registry, transfer: str) -> None:
    """Write into custody, once, that the sealed bytes that were pulled are not in the spool any more."""
    said = {entry.event for entry in inside.ledger.newest(transfer)}
    if PULLED in said and CLEARED not in said:
        inside.ledger.append(CLEARED, transfer, {}, inside.now())


def settle(inside: Registry, found: Collection[Copy]) -> bool:
    """Write down what was cleared and not written down: a kill came between. Whether there was anything."""
    left = [copy.of for copy in found if copy.what is What.SPOOL and copy.ended is None]
    over = [transfer for transfer in left if _is_over(inside, transfer)]
    for transfer in over:
        note_cleared(inside, transfer)
    return bool(over)


def where(
    inside: Registry,
    transfer: str | None = None,
    submitter: str | None = None,
    holder: str | None = None,
    category: str | None = None,
) -> dict[str, Any]:
    """Every copy that custody knows of, and how it stands with it: the object of `custody where --json`.

    Args:
        inside: the registry.
        transfer: only what something of this transfer is in; its id or the beginning of it.
        submitter: only what something of this submitter's transfers is in; its name or id.
        holder: only what this one holds: `gateway`, `registry`, `submitter`, or a submitter's name or id.
        category: only what something of transfers with such persons is in.

    Raises:
        NothingKnown, NotClear: no such transfer, or several; NoSuchHolder, NoSuchCategory.
    """
    at = inside.now()
    found = copies(inside.ledger.walk(), at)
    if settle(inside, found):
        found = copies(inside.ledger.walk(), at)
    stored = stored_at(found)
    if transfer is not None:
        found = of_transfers(found, [_whole_id(found, transfer)], stored)
    if submitter is not None:
        wanted = _submitter(inside, submitter)
        found = of_transfers(found, {copy.about or copy.of for copy in found if copy.submitter == wanted}, stored)
    if category is not None:
        found = of_transfers(found, _about(inside, category), stored)
    if holder is not None:
        found = _held_by(inside, found, holder)
    names = {each.id: each.name for each in inside.state.submitters()}
    counted = Counter(copy.standing for copy in found)
    return {
        "at": format_instant(at),
        "copies": [
            copy.to_json() | {"overdue_days": overdue_days(copy, at), "name": names.get(copy.submitter or "")}
            for copy in found
        ],
        "counts": {standing.value: counted[standing] for standing in Standing},
    }


def _is_over(inside: Registry, transfer: str) -> bool:
    known = inside.state.transfer(transfer)
    is_done = known is None or known.step == "acknowledged"
    return is_done and not (inside.spool / transfer).exists()


def _whole_id(found: Collection[Copy], wanted: str) -> str:
    if len(wanted) < SHORTEST_BEGINNING:
        raise NotClear(f"it has fewer than {SHORTEST_BEGINNING} characters")
    fit = {copy.of for copy in found if copy.of.startswith(wanted)}
    if not fit:
        raise NothingKnown
    if len(fit) > 1:
        raise NotClear(f"{len(fit)} ids begin so")
    return fit.pop()


def _submitter(inside: Registry, wanted: str) -> str:
    for each in inside.state.submitters():
        if wanted in {each.name, each.id}:
            return each.id
    raise NoSuchHolder


def _held_by(inside: Registry, found: Collection[Copy], holder: str) -> tuple[Copy, ...]:
    if holder == "submitter":
        return tuple(copy for copy in found if copy.holder not in {"gateway", "registry"})
    wanted = holder if holder in HOLDERS else _submitter(inside, holder)
    return tuple(copy for copy in found if copy.holder == wanted)


def _about(inside: Registry, category: str) -> list[str]:
    known = subjects.categories(inside.store.connection)
    if category not in known:
        raise NoSuchCategory(", ".join(known) or "nobody at all")
    return subjects.transfers_about(inside.store.connection, category)
