"""How much the gateway is used, blurred: counts per week, in steps of ten, of nobody in particular.

The database only ever holds whole tens (or whole GiB of bytes); what is below a step stays in memory and is lost at a
restart. So it says that the gateway is used, never that one submitter sent one file on a Tuesday. Weeks go after two
years.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from datetime import datetime, timedelta

KEPT = timedelta(weeks=104)
STEPS = {"transfers": 10, "acknowledged": 10, "refused": 10, "gibibytes": 1}
GIBIBYTE = 2**30


class Usage:
    """The usage database; touched by the index's thread only."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take the database over."""
        self._connection = connection
        self._pending: Counter[str] = Counter()
        self._pending_bytes = 0

    def count(self, what: str, now: datetime, number: int = 1) -> None:
        """Count; written only when a whole step is full."""
        self._pending[what] += number
        steps, self._pending[what] = divmod(self._pending[what], STEPS[what])
        if steps:
            self._add(what, steps * STEPS[what], now)

    def count_bytes(self, number: int, now: datetime) -> None:
        """Count bytes, whole GiB only."""
        self._pending_bytes += number
        whole, self._pending_bytes = divmod(self._pending_bytes, GIBIBYTE)
        if whole:
            self._add("gibibytes", whole, now)

    def weeks(self) -> list[tuple[str, str, int]]:
        """Week, what, count."""
        rows = self._connection.execute("SELECT week, what, count FROM usage ORDER BY week, what")
        return [(row["week"], row["what"], row["count"]) for row in rows]

    def close(self) -> None:
        """Let the database go."""
        self._connection.close()

    def _add(self, what: str, number: int, now: datetime) -> None:
        self._connection.execute(
            "INSERT INTO usage VALUES (?, ?, ?) ON CONFLICT (week, what) DO UPDATE SET count = count + excluded.count",
            (week_of(now), what, number),
        )
        self._connection.execute("DELETE FROM usage WHERE week < ?", (week_of(now - KEPT),))


def week_of(moment: datetime) -> str:
    """ISO week, `2026-W47`."""
    year, week, _ = moment.isocalendar()
    return f"{year}-W{week:02d}"
