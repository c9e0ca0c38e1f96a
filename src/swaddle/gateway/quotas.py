"""What one submitter may have waiting on the gateway, and how often it may announce.

The gateway's settings say it for everybody; the registry's instruction `quota` says it for one submitter. The rule is
pure (`over`); the rows are read at each announcement, so a new quota is in force at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from swaddle.gateway.index import Index, seconds
from swaddle.gateway.settings import Settings

HOUR_SECONDS = 3600


@dataclass(frozen=True)
class Quota:
    """Limits of one submitter; a rate of None is no limit.

    Attributes:
        bytes: what its living transfers may announce together.
        transfers: how many it may have alive.
        transfers_per_hour: how many it may announce in any hour.
    """

    bytes: int
    transfers: int
    transfers_per_hour: int | None


@dataclass(frozen=True)
class Standing:
    """Where a submitter stands: what it has alive, and what it announced in the last hour."""

    transfers: int
    bytes: int
    last_hour: int


def over(quota: Quota, standing: Standing, more_bytes: int) -> str | None:
    """Why one more transfer of `more_bytes` is over the quota; None when it is not. Pure."""
    if quota.transfers_per_hour is not None and standing.last_hour >= quota.transfers_per_hour:
        return "too many transfers of this sender in an hour"
    if standing.transfers >= quota.transfers or standing.bytes + more_bytes > quota.bytes:
        return "too much of this sender is waiting to be read"
    return None


def quota_of(index: Index, submitter: str) -> Quota:
    """The quota in force for a submitter."""
    row = index.row("SELECT * FROM quotas WHERE submitter = ?", submitter)
    settings: Settings = index.settings
    if row is None:
        return Quota(settings.open_bytes, settings.open_transfers, None)
    return Quota(
        settings.open_bytes if row["bytes"] is None else row["bytes"],
        settings.open_transfers if row["transfers"] is None else row["transfers"],
        row["transfers_per_hour"],
    )


def last_hour(index: Index, submitter: str, quota: Quota) -> int:
    """How many transfers a submitter announced in the hour that ends now, as far as its quota must know."""
    if quota.transfers_per_hour is None:
        return 0
    since = seconds(index.now()) - HOUR_SECONDS
    row = index.row(
        "SELECT count(*) AS n FROM (SELECT 1 FROM transfers WHERE sender = ? AND created > ? LIMIT ?)",
        submitter, since, quota.transfers_per_hour,
    )  # fmt: skip
    return 0 if row is None else int(row["n"])
