"""The life of a record: what becomes of a row that was sent, given what the registry knows of its number. Pure.

A record is known by (submitter, record type, local record number). STEPS is the whole of it: nothing else asks which
step comes next. `step_sql` writes the same table as SQL, for a million rows at a time; a test holds both to each other.

    read = stored + rejected + duplicates      FATES says which step is which
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import product


class Known(Enum):
    """What stands under a record's number before a row comes."""

    NOTHING = "nothing"
    RECORD = "record"
    TOMBSTONE = "tombstone"


class Sent(Enum):
    """What a row asks for. `new` and `replace` are one: what is known decides, not what the sender believed."""

    RECORD = "record"
    VOID = "void"


class Age(Enum):
    """The row beside what is known: of a later version, or of an earlier one that came late."""

    NEWER = "newer"
    OLDER = "older"


class Step(Enum):
    """What becomes of the row."""

    NEW = "new"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    LATE = "late"
    VOIDED = "voided"
    VOIDED_BEFORE = "voided before"
    NOTHING_TO_VOID = "nothing to void"
    REVIVED = "revived"


class Fate(Enum):
    """Where the row is counted."""

    STORED = "stored"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"


FATES: Mapping[Step, Fate] = {
    Step.NEW: Fate.STORED,
    Step.REPLACED: Fate.STORED,
    Step.VOIDED: Fate.STORED,
    Step.REVIVED: Fate.STORED,
    Step.UNCHANGED: Fate.DUPLICATE,
    Step.LATE: Fate.DUPLICATE,
    Step.VOIDED_BEFORE: Fate.DUPLICATE,
    Step.NOTHING_TO_VOID: Fate.REJECTED,
}

# (known, sent, age, the same content as what is known) -> step
STEPS: Mapping[tuple[Known, Sent, Age, bool], Step] = {
    **{(Known.NOTHING, Sent.RECORD, age, same): Step.NEW for age, same in product(Age, (False, True))},
    **{(Known.NOTHING, Sent.VOID, age, same): Step.NOTHING_TO_VOID for age, same in product(Age, (False, True))},
    **{(Known.RECORD, Sent.RECORD, age, True): Step.UNCHANGED for age in Age},
    (Known.RECORD, Sent.RECORD, Age.NEWER, False): Step.REPLACED,
    (Known.RECORD, Sent.RECORD, Age.OLDER, False): Step.LATE,
    **{(Known.RECORD, Sent.VOID, Age.NEWER, same): Step.VOIDED for same in (False, True)},
    **{(Known.RECORD, Sent.VOID, Age.OLDER, same): Step.LATE for same in (False, True)},
    **{(Known.TOMBSTONE, Sent.VOID, age, same): Step.VOIDED_BEFORE for age, same in product(Age, (False, True))},
    # A tombstone keeps an earlier version from coming back; what was sent after it is a record again, and is told of.
    **{(Known.TOMBSTONE, Sent.RECORD, Age.NEWER, same): Step.REVIVED for same in (False, True)},
    **{(Known.TOMBSTONE, Sent.RECORD, Age.OLDER, same): Step.LATE for same in (False, True)},
}


@dataclass(frozen=True, kw_only=True)
class Version:
    """What orders two versions of a record.

    Attributes:
        number: its record_version, where that is a whole number.
        instant: its record_version, where that is an instant.
        sent: when its file was sealed by its sender.
    """

    number: int | None = None
    instant: datetime | None = None
    sent: datetime


def age(known: Version, sent: Version) -> Age:
    """Whether `sent` is later than `known`: by the stated versions where both state one of a kind, else by the files.

    What is equal in all is newer: it arrived later.
    """
    if known.number is not None and sent.number is not None and known.number != sent.number:
        return Age.NEWER if sent.number > known.number else Age.OLDER
    if known.instant is not None and sent.instant is not None and known.instant != sent.instant:
        return Age.NEWER if sent.instant > known.instant else Age.OLDER
    return Age.OLDER if sent.sent < known.sent else Age.NEWER


def step(known: Known, sent: Sent, its_age: Age, *, same: bool) -> Step:
    """What becomes of a row."""
    return STEPS[known, sent, its_age, same]


def age_sql(known: str, sent: str) -> str:
    """`age` as SQL over two relations with columns version_number, version_instant and sent_at: 'newer' or 'older'."""
    choices = " ".join(
        f"when {known}.{column} <> {sent}.{column} then"
        f" case when {sent}.{column} > {known}.{column} then 'newer' else 'older' end"
        for column in ("version_number", "version_instant")
    )
    return f"case {choices} when {sent}.sent_at < {known}.sent_at then 'older' else 'newer' end"


def step_sql(known: str, sent: str, its_age: str, same: str) -> str:
    """STEPS as an SQL expression.

    Args:
        known: SQL of 'nothing', 'record' or 'tombstone'.
        sent: SQL of 'record' or 'void'.
        its_age: SQL of 'newer' or 'older'.
        same: SQL of a truth value, never null.
    """
    choices = " ".join(
        f"when {known} = '{each_known.value}' and {sent} = '{each_sent.value}' and {its_age} = '{each_age.value}'"
        f" and {'' if each_same else 'not '}{same} then '{after.value}'"
        for (each_known, each_sent, each_age, each_same), after in STEPS.items()
    )
    return f"case {choices} end"


def of_fate(fate: Fate) -> tuple[str, ...]:
    """The words of the steps that are counted there."""
    return tuple(each.value for each, its in FATES.items() if its is fate)
