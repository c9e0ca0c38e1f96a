"""What a definition makes of each row, as SQL: out of it, unknown and by which field, placed, or counting. Pure.

A row is in the denominator (`inside`), out of it, or nobody can tell; its numerator (`event`) likewise. A row that is
known to be out is out, whatever else it lacks. Every other row that cannot be placed is unknown under the first field
that is missing, so the reasons add up.
"""

from __future__ import annotations

from swaddle.indicators.fields import OTHER
from swaddle.indicators.model import Definition
from swaddle.indicators.robson import UNCLASSIFIABLE
from swaddle.intake.engine import identifier, literal


def judged(definition: Definition, source: str) -> str:
    """SQL: the rows of `source` that are not out, with `inside`, `event`, `grouped` and `reason`.

    Args:
        definition: whose judgement.
        source: a relation with the fields that it reads.
    """
    missing = " ".join(f"WHEN {identifier(name)} IS NULL THEN '{name}'" for name in definition.needs)
    first_missing = f"CASE {missing} ELSE '{OTHER}' END" if missing else f"'{OTHER}'"
    unplaced = f"WHEN (inside AND event IS NOT NULL) IS NOT TRUE THEN {first_missing}"
    reason = f"CASE {unplaced} END"
    group, shown = group_of(definition), "part"
    if definition.partition:
        sort_out = f"WHEN part LIKE '{UNCLASSIFIABLE}: %' THEN part[{len(UNCLASSIFIABLE) + 3}:]"
        reason = f"CASE {sort_out} {unplaced} END"
        shown = "split_part(part, ':', 1)"
    return (
        f"SELECT *, {shown} AS grouped, {reason} AS reason FROM (SELECT *, ({definition.denominator}) AS inside,"
        f" ({definition.numerator}) AS event, {group} AS part FROM {source}) WHERE inside IS NOT FALSE"
    )


def group_of(definition: Definition) -> str:
    """SQL: the group of the partition, the band of the numerator, or nothing."""
    if definition.partition:
        return f"coalesce({definition.partition}, '{UNCLASSIFIABLE}: {OTHER}')"
    bands = " ".join(f"WHEN {band.holds} THEN {literal(band.id)}" for band in definition.bands)
    return f"CASE {bands} ELSE '' END" if bands else "''"
