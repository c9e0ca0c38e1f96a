"""The mails that are to be sent: a small database, so that none is made twice and none is lost.

    custody entry -> row `waiting` (with the place in custody, in one transaction) -> batch `sending` -> `sent`

Rows of one submitter and one kind that wait together become one mail, a batch with a Message-ID of its own that is
written down first. After a kill while a mail server answered, nobody can know whether it took the mail: it is sent once
more under the same Message-ID, which mail systems take for the same mail. No address and no text lies here.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from swaddle.durable import DiskFault
from swaddle.registry.mail_due import Due

FILE_NAME = "mail.db"
KEPT = timedelta(days=30)
GIVE_UP = timedelta(days=5)
PAUSES = (60, 300, 900, 3600)  # seconds between attempts; the last one again and again

SCHEMA = """
create table if not exists facts (name text primary key, value text not null) strict;
create table if not exists mails (
    id integer primary key, submitter text not null, kind text not null, about text not null, reason text,
    due integer not null, state text not null default 'waiting', batch text, attempts integer not null default 0,
    next_at integer not null default 0, made_at integer not null, ended_at integer,
    unique (submitter, kind, about)) strict;
create index if not exists mails_open on mails (state, due) where state in ('waiting', 'sending');
create index if not exists mails_ended on mails (submitter, kind, ended_at) where state = 'sent';
"""


@dataclass(frozen=True)
class Batch:
    """One mail: what is told to whom."""

    id: str
    submitter: str
    kind: str
    reason: str | None
    attempts: int
    made_at: int


class Outbox:
    """The database. Each method is one transaction."""

    def __init__(self, path: Path) -> None:
        """Open it, making it where there is none."""
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        self._connection.executescript(SCHEMA)
        path.chmod(0o600)

    def close(self) -> None:
        """Let it go."""
        self._connection.close()

    def _run(self, sql: str, *values: object) -> list[sqlite3.Row]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            raise DiskFault("the outbox could not be written") from error

    def place(self) -> int | None:
        """The number of the last custody entry that was looked at; None before the first time."""
        found = self.fact("place")
        return None if found is None else int(found)

    def fact(self, name: str) -> str | None:
        """A single value."""
        row = next(iter(self._run("select value from facts where name = ?", name)), None)
        return None if row is None else str(row["value"])

    def set_fact(self, name: str, value: str) -> None:
        """Keep a single value."""
        self._run("insert or replace into facts values (?, ?)", name, value)

    def take(self, through: int, added: Iterable[Due], pointless: Iterable[str], at: datetime) -> None:
        """Write down what the entries up to `through` give to tell, and that they were looked at: both or none."""
        with self._connection:
            self._run("begin immediate")
            for due in added:
                self._run(
                    "insert or ignore into mails (submitter, kind, about, reason, due, made_at)"
                    " values (?, ?, ?, ?, ?, ?)",
                    due.submitter, due.kind, due.about, due.reason, _seconds(due.at), _seconds(at),
                )  # fmt: skip
            for about in pointless:
                self._run("delete from mails where about = ? and state = 'waiting'", about)
            self.set_fact("place", str(through))

    def gather(self, at: datetime, pause_s: int) -> None:
        """Make mails of what is due; the next of a kind to one submitter not before `pause_s` after the last."""
        now = _seconds(at)
        with self._connection:
            self._run("begin immediate")
            groups = self._run(
                "select submitter, kind, reason from mails as m where state = 'waiting' and due <= ? and not exists"
                " (select 1 from mails as s where s.submitter = m.submitter and s.kind = m.kind and s.state = 'sent'"
                " and s.ended_at > ?) group by submitter, kind, reason",
                now, now - pause_s,
            )  # fmt: skip
            for group in groups:
                self._run(
                    "update mails set state = 'sending', batch = ? where state = 'waiting' and due <= ?"
                    " and submitter = ? and kind = ? and reason is ?",
                    secrets.token_hex(16), now, group["submitter"], group["kind"], group["reason"],
                )  # fmt: skip

    def to_send(self, at: datetime, most: int) -> list[Batch]:
        """The mails to send now, oldest first; those of a killed run are among them."""
        rows = self._run(
            "select batch, submitter, kind, reason, max(attempts) as attempts, min(made_at) as made_at,"
            " min(id) as first from mails where state = 'sending' and next_at <= ?"
            " group by batch order by first limit ?",
            _seconds(at), most,
        )  # fmt: skip
        return [
            Batch(row["batch"], row["submitter"], row["kind"], row["reason"], row["attempts"], row["made_at"])
            for row in rows
        ]

    def end(self, batch: Batch, state: str, at: datetime) -> None:
        """A mail is `sent`, or `failed` for good, or `dropped` because nobody wants it any more."""
        self._run("update mails set state = ?, ended_at = ? where batch = ?", state, _seconds(at), batch.id)

    def later(self, batch: Batch, at: datetime) -> None:
        """It did not go; it is tried again after a pause, for five days."""
        if _seconds(at) - batch.made_at > GIVE_UP.total_seconds():
            self.end(batch, "failed", at)
            return
        pause = PAUSES[min(batch.attempts, len(PAUSES) - 1)]
        self._run(
            "update mails set attempts = attempts + 1, next_at = ? where batch = ?", _seconds(at) + pause, batch.id
        )

    def forget(self, at: datetime) -> None:
        """Remove what ended long ago."""
        self._run("delete from mails where ended_at < ?", _seconds(at - KEPT))

    def counts(self, at: datetime) -> dict[str, Any]:
        """How many things to tell are in which state by now, and what is wrong; what is due later does not wait yet."""
        rows = self._run("select state, count(*) as n from mails where due <= ? group by state", _seconds(at))
        found = {row["state"]: row["n"] for row in rows}
        waiting = found.get("waiting", 0) + found.get("sending", 0)
        return {"waiting": waiting, "failed": found.get("failed", 0), "trouble": self.fact("trouble") or None}


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
