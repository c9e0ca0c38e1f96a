"""What the registry knows of its dealings with the outside: submitters, invitations, transfers, the journal's place.

One SQLite file, one writer (the owner of the store). Nothing about a data subject lies here; that is in the three
encrypted files of store.py. Each method is one transaction, so a kill leaves a step done or not done.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from swaddle.durable import DiskFault
from swaddle.envelope.signature import PublicSigningKey, Signed
from swaddle.registry.parties import Submitter, Transfer, dump, load, ssh_fingerprint
from swaddle.registry.parties import submitter as submitter_of

__all__ = ["State", "Submitter", "Transfer", "ssh_fingerprint"]

SCHEMA = """
create table if not exists facts (name text primary key, value text not null) strict;
create table if not exists submitters (
    id text primary key, name text not null unique, state text not null,
    signing_key text, sealing text, enrolment text, words text, invited_at text not null, active_at text,
    sites text not null default '[]', contact text, language text not null default 'en',
    ssh_keys text not null default '[]', ssh_keys_told text not null default '[]') strict;
create table if not exists revoked_keys (
    fingerprint text primary key, submitter text not null, entry integer not null) strict;
create table if not exists invitations (
    lookup_sha256 text primary key, submitter text not null, proof_key blob not null, expires text not null) strict;
create table if not exists transfers (
    id text primary key, submitter text not null, step text not null, token text not null, held_at text,
    outcome text, reason text, kind text, stated_subjects integer, load_id integer, receipt text,
    attempts integer not null default 0, feedback text, door text, content text) strict;
create index if not exists transfers_begun on transfers (step) where step <> 'acknowledged';
create index if not exists transfers_unanswered on transfers (submitter)
    where step = 'acknowledged' and feedback is null and outcome <> 'expired' and submitter <> '';
"""
LATER_INDICES = """
create index if not exists transfers_content on transfers (submitter, content) where content is not null;
"""

# Columns that came after a table was first made somewhere: added where they are not there yet.
LATER_COLUMNS = {
    "submitters": {
        "contact": "text",
        "language": "text not null default 'en'",
        "ssh_keys": "text not null default '[]'",
        "ssh_keys_told": "text not null default '[]'",
    },
    "transfers": {"door": "text", "content": "text"},
}


class State:
    """The registry's small database. Not for two processes at once."""

    def __init__(self, path: Path) -> None:
        """Open it, making it where there is none."""
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        self._connection.executescript(SCHEMA)
        for table, further in LATER_COLUMNS.items():  # every name in these two statements is of LATER_COLUMNS
            # nosemgrep: sql-is-written-never-built
            there = {row[1] for row in self._connection.execute(f"pragma table_info({table})")}
            for name in further.keys() - there:
                # nosemgrep: sql-is-written-never-built
                self._connection.execute(f"alter table {table} add column {name} {further[name]}")
        self._connection.executescript(LATER_INDICES)
        path.chmod(0o600)
        self._prepared: set[str] = set()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _run(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        """One statement; a disk that is full or broken is said as such.

        Raises:
            DiskFault: the disk said no; the transaction did not happen.
        """
        try:
            return self._connection.execute(sql, values)
        except sqlite3.OperationalError as error:
            raise DiskFault("the registry's small database could not be written") from error

    def prepare(self, schema: str) -> None:
        """Make a further room's tables where they are not there; `schema` is that module's own text."""
        if schema not in self._prepared:
            self._connection.executescript(schema)
            self._prepared.add(schema)

    def run(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        """One statement of a further room's own; each is a transaction.

        Raises:
            DiskFault: the disk said no; the transaction did not happen.
        """
        return self._run(sql, values)

    # Facts: single values such as the last journal entry drained.

    def fact(self, name: str) -> str | None:
        """A single value, or nothing."""
        row = self._run("select value from facts where name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_fact(self, name: str, value: str) -> None:
        """Keep a single value."""
        self._run("insert or replace into facts values (?, ?)", (name, value))

    def set_facts(self, **values: str) -> None:
        """Keep several single values in one transaction."""
        with self._connection:
            self._run("begin immediate")
            self._connection.executemany("insert or replace into facts values (?, ?)", list(values.items()))

    def next_instruction(self) -> int:
        """The next sequence number of an instruction; never given twice, even after a kill."""
        number = int(self.fact("instruction") or 0) + 1
        self.set_fact("instruction", str(number))
        return number

    # Submitters.

    def add_submitter(
        self,
        submitter: str,
        name: str,
        lookup_sha256: str,
        proof_key: bytes,
        invited_at: str,
        expires: str,
        sites: Sequence[str] = (),
    ) -> None:
        """Keep an invited submitter and what its invitation will prove; an older open invitation of it is dropped."""
        with self._connection:
            self._run("begin immediate")
            self._run(
                "insert into submitters (id, name, state, invited_at, sites) values (?, ?, 'invited', ?, ?)"
                " on conflict (id) do update set invited_at = excluded.invited_at,"
                # One that comes in by the door already stays as it is until it has keys of its own.
                " state = iif(ssh_keys <> '[]' and state = 'active', 'active', 'invited'),"
                " sites = iif(ssh_keys <> '[]' and excluded.sites = '[]', sites, excluded.sites)",
                (submitter, name, invited_at, json.dumps(list(sites))),
            )
            self._run("delete from invitations where submitter = ?", (submitter,))
            self._run("insert into invitations values (?, ?, ?, ?)", (lookup_sha256, submitter, proof_key, expires))

    def invitation(self, lookup_sha256: str) -> tuple[str, bytes, str] | None:
        """(submitter, proof key, expires) of an open invitation."""
        row: tuple[str, bytes, str] | None = self._run(
            "select submitter, proof_key, expires from invitations where lookup_sha256 = ?", (lookup_sha256,)
        ).fetchone()
        return row

    def activate(
        self, submitter: str, signing_key: PublicSigningKey, sealing: str, enrolment: Signed, words: str, at: str
    ) -> None:
        """The submitter's keys are accepted; the invitation stays until the gateway has taken the instruction."""
        self._run(
            "update submitters set state = 'active', signing_key = ?, sealing = ?, enrolment = ?, words = ?,"
            " active_at = ? where id = ?",
            (signing_key.line, sealing, dump(enrolment), words, at, submitter),
        )

    def is_active(self, submitter: str, signing_key: PublicSigningKey) -> bool:
        """Whether it is enrolled already with this key."""
        known = self.submitter(submitter)
        return known is not None and known.state == "active" and known.signing_key == signing_key

    def spend(self, lookup_sha256: str) -> None:
        """The invitation is used up, for good or ill."""
        self._run("delete from invitations where lookup_sha256 = ?", (lookup_sha256,))

    def set_contact(self, submitter: str, address: str | None, language: str) -> None:
        """Where content-free mail goes, and in which language (registry.mail checks both); None: nowhere."""
        self._run("update submitters set contact = ?, language = ? where id = ?", (address, language, submitter))

    def revoke(self, submitter: str, fingerprint: str | None, entry: int) -> None:
        """From custody entry number `entry` on its keys are no keys; state `revoking` until the gateway was told."""
        with self._connection:
            self._run("begin immediate")
            self._run("update submitters set state = 'revoking' where id = ?", (submitter,))
            self._run("delete from invitations where submitter = ?", (submitter,))
            if fingerprint is not None:
                self._run("insert or ignore into revoked_keys values (?, ?, ?)", (fingerprint, submitter, entry))
            known = self.submitter(submitter)
            for ssh_key in () if known is None else known.ssh_keys:
                values = (ssh_fingerprint(ssh_key), submitter, entry)
                self._run("insert or replace into revoked_keys values (?, ?, ?)", values)
            self._run("update submitters set ssh_keys = '[]', ssh_keys_told = '[]' where id = ?", (submitter,))

    def revoked(self, submitter: str) -> None:
        """The gateway has been told."""
        self._run("update submitters set state = 'revoked' where id = ? and state = 'revoking'", (submitter,))

    def revoked_by(self, fingerprint: str, submitter: str | None = None) -> int | None:
        """The number of the custody entry that revoked a signing key, or an SSH key of `submitter`, if it was."""
        row = self._run(
            "select entry from revoked_keys where fingerprint = ? and submitter = coalesce(?, submitter)",
            (fingerprint, submitter),
        ).fetchone()
        return None if row is None else int(row[0])

    def let_in_by_door(self, rows: Iterable[Submitter], entry: int) -> None:
        """Keep submitters with the SSH keys, sites and addresses that they now have: all of them or none.

        A key that one no longer has is good for what the gateway held of it before custody entry number `entry`.
        """
        with self._connection:
            self._run("begin immediate")
            for row in rows:
                known = self.submitter(row.id)
                for gone in set(known.ssh_keys if known else ()) - set(row.ssh_keys):
                    values: tuple[object, ...] = (ssh_fingerprint(gone), row.id, entry)
                    self._run("insert or replace into revoked_keys values (?, ?, ?)", values)
                self._run(
                    "insert into submitters (id, name, state, invited_at, active_at, sites, contact, language,"
                    " ssh_keys) values (?, ?, 'active', ?, ?, ?, ?, ?, ?)"
                    " on conflict (id) do update set state = 'active',"
                    " sites = excluded.sites, contact = excluded.contact, language = excluded.language,"
                    " ssh_keys = excluded.ssh_keys, active_at = coalesce(active_at, excluded.active_at)",
                    (row.id, row.name, row.invited_at, row.active_at, json.dumps(list(row.sites)), row.contact,
                     row.language, json.dumps(list(row.ssh_keys))),
                )  # fmt: skip

    def told_of_door(self, submitter: str, ssh_keys: Sequence[str]) -> None:
        """The gateway was told these SSH keys of a submitter."""
        self._run("update submitters set ssh_keys_told = ? where id = ?", (json.dumps(list(ssh_keys)), submitter))

    def forget_told_of_door(self) -> None:
        """The gateway came back from a backup: it is told again."""
        self._run("update submitters set ssh_keys_told = '[\"\"]' where ssh_keys <> '[]'")

    def submitters(self) -> list[Submitter]:
        """All of them, by name."""
        return self._submitters("order by name")

    def submitter(self, submitter: str) -> Submitter | None:
        """One by id."""
        return next(iter(self._submitters("where id = ?", submitter)), None)

    def submitter_named(self, name: str) -> Submitter | None:
        """One by name."""
        return next(iter(self._submitters("where name = ?", name)), None)

    def _submitters(self, where: str, *values: str) -> list[Submitter]:
        rows = self._run(
            "select id, name, state, signing_key, sealing, words, invited_at, active_at, sites,"
            f" contact, language, ssh_keys, ssh_keys_told from submitters {where}",
            values,
        )
        return [submitter_of(row) for row in rows]

    # Transfers.

    def begin(self, transfer: str, token: str) -> Transfer:
        """Write the lease token down before the lease is asked for; a transfer that is known keeps its token."""
        self._run(
            "insert or ignore into transfers (id, submitter, step, token) values (?, '', 'leasing', ?)",
            (transfer, token),
        )
        known = self.transfer(transfer)
        assert known is not None
        return known

    def update(self, transfer: str, **values: str | int | None) -> None:
        """Set columns of a transfer; the names are this module's own callers', never from outside."""
        columns = ", ".join(f"{name} = ?" for name in values)
        self._run(f"update transfers set {columns} where id = ?", (*values.values(), transfer))

    def transfer(self, transfer: str) -> Transfer | None:
        """One by id."""
        return next(iter(self._transfers("where id = ?", (transfer,))), None)

    def transfers(self) -> list[Transfer]:
        """All of them, in the order they were met: many, after years."""
        return list(self._transfers("order by rowid", ()))

    def latest_transfers(self, number: int) -> list[Transfer]:
        """The last so many, in the order they were met."""
        return list(self._transfers("order by rowid desc limit ?", (number,)))[::-1]

    def begun(self) -> list[Transfer]:
        """Those that are not acknowledged yet, in the order they were met."""
        # The planner would else walk through all of them, to have them in their order.
        return list(self._transfers("indexed by transfers_begun where step <> 'acknowledged' order by rowid", ()))

    def unanswered(self) -> list[Transfer]:
        """Those that are taken in, or were found unreadable, and whose submitter has no report yet, in order."""
        where = (
            "step = 'acknowledged' and feedback is null and outcome <> 'expired' and submitter <> ''"
            # What came by the door of one that has no sealing pair yet waits, however much of it there is.
            " and submitter in (select id from submitters where state = 'active' and sealing is not null)"
        )
        return list(self._transfers(f"indexed by transfers_unanswered where {where} order by rowid", ()))

    def is_ended(self, transfer: str) -> bool:
        """Whether this transfer was acknowledged: its id is never taken again."""
        known = self.transfer(transfer)
        return known is not None and known.step == "acknowledged"

    def unreadable_for(self, reason: str) -> list[Transfer]:
        """Those that could not be opened for this reason (an error's code), in the order they were met."""
        return list(self._transfers("where outcome = 'unreadable' and reason = ? order by rowid", (reason,)))

    def stored_with(self, submitter: str, content: str, besides: str) -> str | None:
        """The first transfer of a submitter that was stored with this very content."""
        row = self._run(
            "select id from transfers where submitter = ? and content = ? and outcome = 'stored' and id <> ?"
            " order by rowid limit 1",
            (submitter, content, besides),
        ).fetchone()
        return None if row is None else str(row[0])

    def _transfers(self, where: str, values: tuple[str | int, ...]) -> Iterable[Transfer]:
        rows = self._run(
            "select id, submitter, step, token, held_at, outcome, reason, kind, stated_subjects, load_id, receipt,"
            f" attempts, feedback, door, content from transfers {where}",
            values,
        )
        for row in rows:
            yield Transfer(*(*row[:10], load(row[10]), *row[11:]))
