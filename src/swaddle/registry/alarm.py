"""What the registry raises an alarm about, and how long it stands. Rules are pure; `Alarms` keeps what was raised.

An alarm is raised from inside, by what the gateway's journal and status say; the gateway itself tells nobody. A thief
of the pull key who reads a single transfer breaks no invariant, but the journal then shows a lease that this registry
never wrote down: that alone is an alarm. Silence is one too, and freezes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from swaddle.canonical import format_instant
from swaddle.durable import DiskFault
from swaddle.errors import IntegrityFault
from swaddle.wire.messages import FreezeView, JournalEntry

FREEZE, FOREIGN_LEASE, JOURNAL, SILENCE = "freeze", "foreign-lease", "journal", "silence"
UNOPENED = "unopened"
SILENT_FOR = timedelta(minutes=15)
WORDS = {
    FREEZE: "the gateway froze reading: somebody asked for what an honest reader does not ask for",
    FOREIGN_LEASE: "a transfer for this registry was leased, and not by this registry",
    JOURNAL: "the gateway's journal does not hold: entries were changed or removed",
    SILENCE: "the gateway has not been reached for 15 minutes",
    UNOPENED: "an alert about the care of newborns has not been opened for 24 hours",
}
FIXES = {
    FREEZE: "see what asked (`swaddle custody show`); `registry rotate-keys --pull` if it was not your own worker;"
    " then `registry release-freeze`",
    FOREIGN_LEASE: "`registry rotate-keys --pull` at once, find out where the key was used, then `registry alarms"
    " --answer` gives the lease back; nothing new is pulled until then. If this registry was restored from a backup,"
    " the lease may be its own",
    JOURNAL: "treat the gateway as broken into: `incident open`, keep its disk",
    SILENCE: "see whether the gateway runs and the line is up; submitters keep their files until they have a receipt",
    UNOPENED: "telephone the hospital that `registry alerts` names; say only that an alert waits for it: `swaddle get`",
}

SCHEMA = """
create table if not exists alarms (
    cause text not null, subject text not null, raised_at text not null, ended_at text, primary key (cause, subject)
) strict;
"""


class AlarmStands(IntegrityFault):
    """An alarm was raised at this look, or stands."""

    code = "SWD-REG-70"
    what = "ALARM: {words}"
    why = "raised at {at}, about {subject}"
    fix = "{remedy}"


@dataclass(frozen=True)
class Alarm:
    """One alarm: why, and the id of what it is about (a freeze, a transfer, the registry)."""

    cause: str
    subject: str
    raised_at: str
    ended_at: str | None = None

    def text(self) -> str:
        """The alarm as a person reads it."""
        return AlarmStands(
            words=WORDS[self.cause], at=self.raised_at, subject=self.subject, remedy=FIXES[self.cause]
        ).text()


def foreign_leases(
    entries: Iterable[JournalEntry],
    registry: str,
    token_of: Callable[[str], str | None],
    reader_of: Callable[[str], str | None] = lambda _: None,
) -> tuple[str, ...]:
    """Transfers for this registry that somebody else leased.

    Under its name with a token that it never made; or under another name, which only writing to the gateway's database
    can bring about.

    Args:
        entries: the journal's.
        registry: this registry's id.
        token_of: the token that was written down for a transfer before its lease was asked for, if any.
        reader_of: whom custody says a transfer was announced for, if it says so.
    """
    found: list[str] = []
    readers: dict[str, object] = {}
    for entry in entries:
        if entry.event in {"announced", "held"}:
            readers.setdefault(entry.subject, entry.detail.get("reader"))
        if entry.event != "leased":
            continue
        if entry.detail.get("reader") == registry:
            is_foreign = entry.detail.get("lease_sha256") != _digest(token_of(entry.subject))
        else:
            is_foreign = (reader_of(entry.subject) or readers.get(entry.subject)) == registry
        if is_foreign:
            found.append(entry.subject)
    return tuple(found)


def standing_freezes(freezes: Iterable[FreezeView]) -> tuple[str, ...]:
    """Ids of the freezes that are in force, whoever's reads they stop."""
    return tuple(freeze.id for freeze in freezes)


def is_silent(last_answer: datetime, now: datetime) -> bool:
    """Whether the gateway has been silent for too long."""
    return now - last_answer >= SILENT_FOR


class Alarms:
    """The alarms of one registry, in its small database; a connection of its own, for a thread of its own."""

    def __init__(self, path: Path) -> None:
        """Open them; `path` is the registry's small database."""
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
        self._connection.execute("pragma synchronous = full")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def token_of(self, transfer: str) -> str | None:
        """The lease token that the registry wrote down for a transfer."""
        row = self._run("select token from transfers where id = ?", transfer).fetchone()
        return None if row is None else str(row[0])

    def seen(self) -> int:
        """The number of the last journal entry that was looked at, here or when it was drained."""
        row = self._run("select value from facts where name = 'alarm_seen'").fetchone()
        return 0 if row is None else int(row[0])

    def see(self, sequence: int) -> None:
        """Entries up to this number were looked at, and what they gave rise to is written down."""
        self._run("insert or replace into facts values ('alarm_seen', ?)", str(sequence))

    def raise_one(self, cause: str, subject: str, at: datetime) -> Alarm | None:
        """Raise an alarm; None when it stands already. One that had ended stands again."""
        written = self._run(
            "insert into alarms values (?, ?, ?, null) on conflict do update set raised_at = excluded.raised_at,"
            " ended_at = null where ended_at is not null",
            cause, subject, format_instant(at),
        )  # fmt: skip
        return Alarm(cause, subject, format_instant(at)) if written.rowcount else None

    def end(self, cause: str, keep: Iterable[str], at: datetime) -> None:
        """End the alarms of a cause but those about `keep`: what they were about is over."""
        kept = set(keep)
        for alarm in self.standing():
            if alarm.cause == cause and alarm.subject not in kept:
                self._run(
                    "update alarms set ended_at = ? where cause = ? and subject = ?",
                    format_instant(at), cause, alarm.subject,
                )  # fmt: skip

    def standing(self) -> tuple[Alarm, ...]:
        """Those that stand, oldest first."""
        rows = self._run(
            "select cause, subject, raised_at, ended_at from alarms where ended_at is null order by raised_at"
        )
        return tuple(Alarm(*row) for row in rows)

    def _run(self, sql: str, *values: str) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except sqlite3.OperationalError as error:
            raise DiskFault("the registry's small database could not be written") from error


def _digest(token: str | None) -> str | None:
    return None if token is None else sha256(token.encode()).hexdigest()
