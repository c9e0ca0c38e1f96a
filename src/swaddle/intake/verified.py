"""Warnings that a row answers itself: `verified_fields` names what its sender found unusual, asked about and verified.

Birth certificates carry such a mark beside a field (`BW_BYPASS`, BypassEditFlag); any other file may carry the field.
Of these fields no warning is asked, and the file is told of how many rows (V1). Errors stay errors. What two records
together show is asked all the same: one record's sender cannot have verified it. Pure: text in, text out.
"""

from __future__ import annotations

from collections.abc import Collection

from swaddle.intake.engine import literal

FIELD = "verified_fields"
_NAMES = f"string_split(replace({FIELD}, ' ', ''), ';')"


def names(field: str) -> str:
    """SQL: whether the row says that this field was verified."""
    return f"coalesce(list_contains({_NAMES}, {literal(field)}), false)"


def told(fields: Collection[str]) -> tuple[tuple[str, str], ...]:
    """The checks of the field itself, with when they fire: that it says something, that it names no field."""
    known = ", ".join(map(literal, sorted(fields)))
    named = f"list_filter({_NAMES}, each -> each <> '')"
    return ("V1", f"{FIELD} IS NOT NULL"), ("V2", f"{FIELD} IS NOT NULL AND NOT list_has_all([{known}], {named})")
