"""Which of the gateway's settings the registry may change by a signed instruction, and within which bounds. Pure.

What decides where the gateway listens, whom it trusts and how long it remembers stays in its own settings.toml: nobody
can move it from a distance. A changed value wins over the file until the registry takes it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from swaddle.gateway.refusal import Refusal
from swaddle.gateway.settings import Settings


@dataclass(frozen=True)
class Bounds:
    """The least and the most that an instruction may set; never wider than settings.toml allows."""

    least: int
    most: int


HOUR, DAY, MIB = 3600, 86_400, 1024 * 1024

ADJUSTABLE: Mapping[str, Bounds] = {
    "submission_seconds": Bounds(HOUR, 14 * DAY),
    "feedback_seconds": Bounds(DAY, 14 * DAY),
    "lease_seconds": Bounds(60, HOUR),
    "sweep_seconds": Bounds(1, 60),
    "body_bytes": Bounds(MIB, 2**50),
    "open_transfers": Bounds(1, 1_000_000),
    "open_bytes": Bounds(MIB, 2**52),
    "uploads": Bounds(1, 1024),
    "uploads_each": Bounds(1, 1024),
    "downloads": Bounds(1, 1024),
    "idle_seconds": Bounds(5, 600),
    "slowest_bytes_per_second": Bounds(1, MIB),
    "reserve_bytes": Bounds(MIB, 2**50),
}


def check(name: str, value: int | None) -> None:
    """Refuse what may not be changed so.

    Raises:
        Refusal: `refused`, with the bounds; the name and value that came are not repeated.
    """
    bounds = ADJUSTABLE.get(name)
    if bounds is None:
        raise Refusal("refused", reason="that setting cannot be changed from inside")
    if value is not None and not bounds.least <= value <= bounds.most:
        words = f"it must be from {bounds.least} to {bounds.most}"
        raise Refusal("refused", reason=words)


def apply(stated: Settings, changed: Mapping[str, int]) -> Settings:
    """The settings in force: those stated at the start, and over them what was changed.

    What an older or newer version wrote down and this one does not take is left out: a gateway always starts.
    """
    known = {field.name for field in fields(Settings)}
    wanted: dict[str, Any] = {
        name: value
        for name, value in changed.items()
        if name in known and name in ADJUSTABLE and ADJUSTABLE[name].least <= value <= ADJUSTABLE[name].most
    }
    return replace(stated, **wanted) if wanted else stated
