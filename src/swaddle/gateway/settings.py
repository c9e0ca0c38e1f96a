"""The gateway's settings: settings.toml of its home, then `SWADDLE_GATEWAY_*`; read once at start, all with a bound.

docs/settings-gateway.md lists every one and a test compares. A value that is unknown, of another type or out of bounds
refuses to start.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from swaddle.home import Home
from swaddle.settings import SettingWrong, stated
from swaddle.wire.signing import authority_of

MIB = 1024 * 1024
PREFIX = "SWADDLE_GATEWAY_"


def _bounded(default: int, least: int, most: int, words: str) -> Any:
    return field(default=default, metadata={"least": least, "most": most, "words": words})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One frozen object per process."""

    url: str = field(metadata={"words": "the address that submitters and the registry use: `https://host[:port]`"})
    host: str = field(default="127.0.0.1", metadata={"words": "the address to listen on"})
    port: int = _bounded(8443, 1, 65_535, "the port to listen on")
    lease_seconds: int = _bounded(900, 1, 86_400, "how long a lease lasts after bytes last moved")
    sweep_seconds: int = _bounded(5, 1, 3600, "pause between two sweeps (expiry, lapsed leases, what may be forgotten)")
    submission_seconds: int = _bounded(72 * 3600, 1, 14 * 86_400, "longest life of a transfer to the registry")
    feedback_seconds: int = _bounded(14 * 86_400, 1, 14 * 86_400, "longest life of a transfer from the registry")
    tombstone_seconds: int = _bounded(14 * 86_400, 1, 90 * 86_400, "how long the end of a transfer is remembered")
    body_bytes: int = _bounded(2**40, 1, 2**50, "largest body of one transfer")
    open_transfers: int = _bounded(1000, 1, 1_000_000, "transfers that one submitter may have alive")
    open_bytes: int = _bounded(2**42, 1, 2**52, "bytes that the transfers of one submitter may announce together")
    uploads: int = _bounded(32, 1, 1024, "parts that may come in at once")
    uploads_each: int = _bounded(8, 1, 1024, "parts that may come in at once from one sender")
    downloads: int = _bounded(32, 1, 1024, "parts that may go out at once")
    unsigned: int = _bounded(16, 1, 1024, "claim and enrolment requests that may be read at once")
    idle_seconds: int = _bounded(30, 1, 3600, "longest silence inside a body before the connection is given up")
    slowest_bytes_per_second: int = _bounded(16_384, 1, 2**40, "a body slower than this on the whole is given up")
    drain_seconds: int = _bounded(60, 1, 3600, "how long a stop waits for what is under way")
    metrics_host: str = field(default="127.0.0.1", metadata={"words": "the address of `/metrics`; never a public one"})
    metrics_port: int = field(default=0, metadata={"words": "the port of `/metrics`; 0: none"})
    log_format: str = field(default="text", metadata={"words": "`text` or `json`, on stderr; neither has a name"})
    backup_days: int = _bounded(30, 1, 400, "how long a backup may be restored")
    door_socket: str = field(
        default="", metadata={"words": "the Unix socket where the SFTP door finds the gateway; empty: no door"}
    )
    door_user: str = field(
        default="", metadata={"words": "the user that the door runs as; empty: the gateway's own (worse)"}
    )
    door_seconds: int = _bounded(7 * 86_400, 1, 14 * 86_400, "longest life of a transfer that came by the door")
    collecting_seconds: int = _bounded(
        86_400, 60, 14 * 86_400, "after how long without the registry the door takes nothing new"
    )
    reserve_bytes: int = _bounded(64 * MIB, 0, 2**50, "disk kept free: beyond it nothing new is taken (507)")

    def __post_init__(self) -> None:
        """Refuse what is out of bounds.

        Raises:
            SettingWrong: naming the setting, never its value.
        """
        try:
            authority_of(self.url)
        except ValueError:
            raise SettingWrong("is not of the form https://host:port", name="url") from None
        if self.log_format not in {"text", "json"}:
            raise SettingWrong("must be `text` or `json`", name="log_format")
        if not 0 <= self.metrics_port <= 65_535 or (self.metrics_port == self.port and self.metrics_port):
            raise SettingWrong("must be from 0 to 65535, and not `port`", name="metrics_port")
        for one in fields(self):
            value = getattr(self, one.name)
            if not one.metadata.get("least"):
                continue
            if not one.metadata["least"] <= value <= one.metadata["most"]:
                reason = f"must be from {one.metadata['least']} to {one.metadata['most']}"
                raise SettingWrong(reason, name=one.name)

    @property
    def authority(self) -> str:
        """Host and port that requests must name."""
        return authority_of(self.url)


def load(home: Home, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a home.

    Raises:
        SettingWrong: unknown, of another type, missing, or out of bounds.
        SettingsUnreadable: settings.toml is not TOML.
    """
    return read(home.settings(), environment)


def read(values: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """The settings that a TOML table says, then `SWADDLE_GATEWAY_*`.

    Raises:
        SettingWrong: unknown, of another type, missing, or out of bounds.
    """
    return Settings(**stated(Settings, values, environment, PREFIX, [one.name for one in fields(Settings)]))
