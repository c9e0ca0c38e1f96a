"""How a file is to be read: what the reading process is told, and all that it knows beside the file's bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

from swaddle.intake.mapping import Mapping

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What reading one file may take; beyond it the reading process is stopped.

    Attributes:
        memory_bytes: address space of the process.
        sheet_bytes: one memory file of rows.
        unpacked_bytes: what a packed file (Excel, gzip) may unpack to.
        unpacked_ratio: how many times larger than the file that may be, where it is more than a few megabytes.
        base_seconds, seconds_per_mebibyte: the time it may take.
    """

    memory_bytes: int = 2 * GIBIBYTE
    sheet_bytes: int = 4 * GIBIBYTE
    unpacked_bytes: int = 2 * GIBIBYTE
    unpacked_ratio: int = 200
    base_seconds: float = 120.0
    seconds_per_mebibyte: float = 2.0

    def seconds(self, size_bytes: int) -> float:
        """The time that a file of this size may take."""
        return self.base_seconds + self.seconds_per_mebibyte * size_bytes / MEBIBYTE


@dataclass(frozen=True, kw_only=True)
class How:
    """What a reader is told of one file.

    Attributes:
        kind: what the file is by its first bytes or by its mapping (intake/sniff.py); a key of `kinds.READERS`.
        mappings: the layouts that it may be of: one where it was named, else every one that is known.
        named: whether the layout was named, so that nothing is to be recognised.
    """

    kind: str
    mappings: tuple[Mapping, ...] = ()
    named: bool = False
    limits: Limits = field(default_factory=Limits)

    @property
    def mapping(self) -> Mapping | None:
        """The layout that was named, if one was."""
        return self.mappings[0] if self.named and self.mappings else None
