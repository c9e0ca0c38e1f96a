"""What a definition makes of each row, as SQL: out of it, unknown and by which field, placed, or counting. Pure.

A row is in the denominator (`inside`), out of it, or nobody can tell; its numerator (`event`) likewise. A row that is
known to be out is out, whatever else it lacks. Every other row that cannot be placed is unknown under the first field
that is missing, so the reasons add up.
"""

from __future__ import annotations

from swaddle.indicators.fields import OTHER
from swaddle.indicators.gathering import LACKS
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


def numbered(definition: Definition, source: str) -> str:
    """SQL: the rows of `source` that are not out, with `part` and `code`, a number that `told` reads back.

    What `judged` says in words, for counting many rows: grouping by a number is quick. A field that lacks may be one
    that the layout does not carry; that is in the number as well.
    """
    missing = [
        f"WHEN {identifier(name)} IS NULL THEN {_why(place, name)}" for place, name in enumerate(definition.needs)
    ]
    other = 1 + 2 * len(definition.needs)
    sort_out: list[str] = []
    if definition.partition:
        sort_out = [
            f"WHEN part = '{UNCLASSIFIABLE}: {name}' THEN {_why(place, name)}"
            for place, name in enumerate(definition.needs)
        ]
        sort_out.append(f"WHEN part LIKE '{UNCLASSIFIABLE}: %' THEN {other}")
    return (
        f"SELECT *, 3 * CASE {' '.join(sort_out)} WHEN result < 2 THEN 0 {' '.join(missing)} ELSE {other} END + result"
        " AS code FROM (SELECT *, CASE WHEN (inside AND event IS NOT NULL) IS NOT TRUE THEN 2 WHEN event THEN 0 ELSE 1"
        f" END AS result FROM (SELECT *, ({definition.denominator}) AS inside, ({definition.numerator}) AS event,"
        f" {group_of(definition)} AS part FROM {source}) WHERE inside IS NOT FALSE)"
    )


def told(definition: Definition) -> str:
    """SQL columns of rows with `part`, `code` and `many`: grouped, reason, lacking, counts, placed, unknown."""
    names = ", ".join(f"'{name}', '{name}'" for name in definition.needs)
    reason = f"[{names}{', ' if names else ''}'{OTHER}'][code // 3]"  # from 1 on; nothing where there is none
    grouped = "part"
    if definition.partition:
        grouped = "split_part(part, ':', 1)"
        reason = f"CASE WHEN part LIKE '{UNCLASSIFIABLE}: %' THEN part[{len(UNCLASSIFIABLE) + 3}:] ELSE {reason} END"
    lacking = f"code // 3 % 2 = 0 AND code // 3 BETWEEN 1 AND {2 * len(definition.needs)}"
    sums = ", ".join(
        f"coalesce(sum(many) FILTER (code % 3 = {place}), 0)::BIGINT AS {name}"
        for place, name in enumerate(("counts", "placed", "unknown"))
    )
    return f"{grouped} AS grouped, {reason} AS reason, {lacking} AS lacking, {sums}"


def _why(place: int, name: str) -> str:
    return f"{1 + 2 * place} + {name}{LACKS}::INTEGER"


def group_of(definition: Definition) -> str:
    """SQL: the group of the partition, the band of the numerator, or nothing."""
    if definition.partition:
        return f"coalesce({definition.partition}, '{UNCLASSIFIABLE}: {OTHER}')"
    bands = " ".join(f"WHEN {band.holds} THEN {literal(band.id)}" for band in definition.bands)
    return f"CASE {bands} ELSE '' END" if bands else "''"
