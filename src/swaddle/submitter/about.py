"""What an opened transfer is about, read from its report.json: an alert, a month's report, or an answer. Pure.

The gateway cannot tell them apart, nor can `inbox` before they are opened. What stands in the file was signed by the
registry; still only numbers and a month of our own form are taken from it, since the month becomes a folder's name.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import msgspec

Kind = Literal["alert", "month", "report"]
_KINDS: dict[str, Kind] = {"alert": "alert", "month": "month", "monthly": "month"}
_MONTH = re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])")
# What is looked at first: care that cannot wait, then a month's report, then answers.
ORDER: tuple[Kind, ...] = ("alert", "month", "report")


class _Told(msgspec.Struct):
    """The members that are looked at; others are passed over."""

    kind: object = None
    month: object = None
    alerts: object = None


@dataclass(frozen=True)
class About:
    """What came.

    Attributes:
        kind: alert, month or report; what this version does not know is a report.
        month: 2026-10, of a month's report.
        newborns: how many an alert is about.
    """

    kind: Kind = "report"
    month: str | None = None
    newborns: int = 0

    @property
    def words(self) -> str:
        """In words, for a person who looks at a list."""
        if self.kind == "alert":
            return f"ALERT: the care of {self.newborns:,} newborn{'s' if self.newborns != 1 else ''} cannot wait"
        if self.kind == "month":
            return f"report of the month {self.month}" if self.month else "report of a month"
        return "report"


def about(report: bytes | None) -> About:
    """What a report.json says that it is; whatever it holds, an answer."""
    try:
        told = msgspec.json.decode(report or b"{}", type=_Told)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return About()
    kind = _KINDS.get(told.kind, "report") if isinstance(told.kind, str) else "report"
    month = told.month if isinstance(told.month, str) and _MONTH.fullmatch(told.month) else None
    newborns = len(told.alerts) if isinstance(told.alerts, list) else 0
    return About(kind, month if kind == "month" else None, newborns if kind == "alert" else 0)


def folder_name(one: About, transfer: str, taken: Collection[str] = ()) -> str:
    """A folder for it, made of our words, a month and digits of its id: `swaddle-report-2026-10`.

    Args:
        one: what it is.
        transfer: its id, 32 hex digits.
        taken: names that are there already: a revised report stands beside the first one.
    """
    first = {"alert": "swaddle-alert", "month": "swaddle-report", "report": "swaddle-answer"}[one.kind]
    if one.month and (name := f"{first}-{one.month}") not in taken:
        return name
    return "-".join(part for part in (first, one.month, transfer[:8]) if part)
