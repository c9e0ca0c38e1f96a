"""When reading freezes: the invariants that a raid must break. Pure; docs/spec/transfer.md section 6.

Each function says the cause, or None. What an unauthenticated request does never comes here, so it freezes nothing.
"""

from __future__ import annotations

from enum import Enum

MOST_LEASES = 4
MOST_TIMES_SERVED = 4


class Cause(Enum):
    """Why reading froze; the words of custody."""

    ALLOWANCE = "allowance"
    STRANGER = "stranger"
    LEASES = "leases"
    BYTES = "bytes"
    AFTER_ACKNOWLEDGEMENT = "after-acknowledgement"
    CHAIN = "chain"
    RESTORED = "restored"


def on_lease(*, leases_before: int, open_elsewhere: int, allowance: int) -> Cause | None:
    """A new lease is asked for.

    Args:
        leases_before: leases that this transfer has had.
        open_elsewhere: this reader's other transfers neither acknowledged nor given back, lapsed ones included.
        allowance: how many it may have open; None of them is this one.
    """
    if open_elsewhere + 1 > allowance:
        return Cause.ALLOWANCE
    if leases_before >= MOST_LEASES:
        return Cause.LEASES
    return None


def on_read(*, served_bytes: int, asked_bytes: int, body_bytes: int) -> Cause | None:
    """A part is asked for under a good lease."""
    if served_bytes + asked_bytes > MOST_TIMES_SERVED * body_bytes:
        return Cause.BYTES
    return None


def on_late_read(*, acknowledged: bool, lease_was_good: bool) -> Cause | None:
    """A part is asked for of a transfer that has ended."""
    return Cause.AFTER_ACKNOWLEDGEMENT if acknowledged and lease_was_good else None
