"""The gateway's two databases: every table and column there is (decision 0011 gives the reason for each).

`transfers.db` is emptied as transfers end; `usage.db` holds rounded counts per week. Neither has a column for a name, a
file name or anything of a person, and nothing in them opens a transfer or stands for somebody: lease tokens and lookups
are kept as SHA-256 only.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from swaddle.gateway import revisions

TRANSFERS = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS submitters (
    id TEXT PRIMARY KEY, signing_key TEXT NOT NULL, fingerprint TEXT NOT NULL UNIQUE, key_id TEXT NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS enrolments (
    lookup_sha256 TEXT PRIMARY KEY, state TEXT NOT NULL, forget_at INTEGER NOT NULL, keys TEXT, hmac TEXT,
    posted_sha256 TEXT, statement TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS transfers (
    id TEXT PRIMARY KEY, reference_sha256 TEXT NOT NULL, sender TEXT NOT NULL, reader TEXT NOT NULL,
    state TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, forget_at INTEGER NOT NULL,
    recipient TEXT, body_bytes INTEGER, part_bytes INTEGER,
    manifest TEXT, manifest_sha256 TEXT, header BLOB, description BLOB, finish_sha256 TEXT, held TEXT,
    lease_sha256 TEXT, leased_at INTEGER, leased_until INTEGER, leases INTEGER NOT NULL DEFAULT 0,
    lease_open INTEGER NOT NULL DEFAULT 0, served_bytes INTEGER NOT NULL DEFAULT 0,
    outcome TEXT, receipt TEXT, acknowledgement_sha256 TEXT, came_bytes INTEGER NOT NULL DEFAULT 0,
    door TEXT, UNIQUE (sender, reference_sha256)
) STRICT;
CREATE INDEX IF NOT EXISTS transfers_by_sender ON transfers (sender, created);
CREATE INDEX IF NOT EXISTS transfers_by_reader ON transfers (reader, state);
CREATE TABLE IF NOT EXISTS parts (
    transfer TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL, PRIMARY KEY (transfer, number)
) STRICT;
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, transfer TEXT NOT NULL, number INTEGER NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
    came INTEGER NOT NULL, boot TEXT NOT NULL, state TEXT NOT NULL, UNIQUE (transfer, number)
) STRICT;
CREATE TABLE IF NOT EXISTS freezes (
    id TEXT PRIMARY KEY, reader TEXT, cause TEXT NOT NULL, since INTEGER NOT NULL, transfer TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS quotas (
    submitter TEXT PRIMARY KEY, bytes INTEGER, transfers INTEGER, transfers_per_hour INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS door_keys (
    fingerprint TEXT PRIMARY KEY, submitter TEXT NOT NULL, ssh_key TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS changed_settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS earlier_intakes (
    key_id TEXT PRIMARY KEY, seal_until INTEGER NOT NULL, destroy_by INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS journal (sequence INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY, expires INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS tallies (what TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT;
"""

# What is asked at each request is found here, however many tombstones lie about (decision 0085). An index over a part
# of the table is used where a query says that part in the same words: rows.py and sweep.py do; a test makes sure.
INDICES = """
CREATE INDEX IF NOT EXISTS transfers_waiting ON transfers (reader, created, id) WHERE state IN ('held', 'leased');
CREATE INDEX IF NOT EXISTS transfers_alive ON transfers (sender, body_bytes)
    WHERE state IN ('announced', 'receiving', 'held', 'leased');
CREATE INDEX IF NOT EXISTS transfers_due ON transfers (expires)
    WHERE state IN ('announced', 'receiving', 'held', 'leased');
CREATE INDEX IF NOT EXISTS transfers_coming ON transfers (body_bytes, came_bytes)
    WHERE state IN ('announced', 'receiving');
CREATE INDEX IF NOT EXISTS transfers_leased ON transfers (leased_until) WHERE state = 'leased';
CREATE INDEX IF NOT EXISTS transfers_open ON transfers (reader) WHERE lease_open = 1;
CREATE INDEX IF NOT EXISTS transfers_ended ON transfers (state) WHERE state IN ('acknowledged', 'refused', 'expired');
CREATE INDEX IF NOT EXISTS transfers_past ON transfers (forget_at) WHERE state = 'destroyed';
CREATE INDEX IF NOT EXISTS nonces_past ON nonces (expires);
CREATE INDEX IF NOT EXISTS enrolments_past ON enrolments (forget_at);
CREATE INDEX IF NOT EXISTS submitters_by_sealing_key ON submitters (key_id);
CREATE INDEX IF NOT EXISTS submitters_revoked ON submitters (revoked) WHERE revoked > 0;
"""

# Counts are kept as rows change, in the same transaction, so that telling them reads a handful of rows.
TALLIES = """
CREATE TRIGGER IF NOT EXISTS transfers_in AFTER INSERT ON transfers BEGIN
    INSERT INTO tallies VALUES (new.state, 1) ON CONFLICT (what) DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER IF NOT EXISTS transfers_on AFTER UPDATE OF state ON transfers WHEN old.state <> new.state BEGIN
    UPDATE tallies SET number = number - 1 WHERE what = old.state;
    INSERT INTO tallies VALUES (new.state, 1) ON CONFLICT (what) DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER IF NOT EXISTS transfers_out AFTER DELETE ON transfers BEGIN
    UPDATE tallies SET number = number - 1 WHERE what = old.state;
END;
CREATE TRIGGER IF NOT EXISTS parts_in AFTER INSERT ON parts BEGIN
    INSERT INTO tallies VALUES ('part bytes', new.bytes) ON CONFLICT (what) DO UPDATE SET number = number + new.bytes;
    UPDATE transfers SET came_bytes = came_bytes + new.bytes WHERE id = new.transfer;
END;
CREATE TRIGGER IF NOT EXISTS parts_out AFTER DELETE ON parts BEGIN
    UPDATE tallies SET number = number - old.bytes WHERE what = 'part bytes';
    UPDATE transfers SET came_bytes = came_bytes - old.bytes WHERE id = old.transfer;
END;
"""
COUNT_ANEW = """
BEGIN IMMEDIATE;
DELETE FROM tallies;
INSERT INTO tallies SELECT state, count(*) FROM transfers GROUP BY state;
INSERT INTO tallies SELECT 'part bytes', coalesce(sum(bytes), 0) FROM parts;
COMMIT;
"""

USAGE = (
    "CREATE TABLE IF NOT EXISTS usage (week TEXT, what TEXT, count INTEGER NOT NULL, PRIMARY KEY (week, what)) STRICT;"
)


def open_transfers(path: Path) -> sqlite3.Connection:
    """The transfers database, for the one process that writes it; made where there is none.

    Raises:
        SchemaOlder, SchemaNewer: it is not of this program's form; nothing is changed.
    """
    connection = _open(path)
    try:
        found = revisions.revision_of(connection)
        if found is None:
            connection.executescript(f"BEGIN EXCLUSIVE;{TRANSFERS}{INDICES}{TALLIES}{revisions.STAMP}COMMIT;")
        else:
            revisions.must_fit(found)
    except BaseException:
        connection.close()
        raise
    connection.execute("PRAGMA recursive_triggers = ON")  # a part that replaces another is counted as both
    connection.executescript(COUNT_ANEW)
    return connection


def open_usage(path: Path) -> sqlite3.Connection:
    """The usage database; it may lose its last second in a power cut."""
    connection = _open(path)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(USAGE)
    return connection


def open_any(path: Path) -> sqlite3.Connection:
    """A transfers database of whatever form, or an empty one: for backups, their return, and `upgrade`."""
    return _open(path)


def open_to_look(path: Path) -> sqlite3.Connection:
    """A database that another process writes, for looking only."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    connection.row_factory = sqlite3.Row
    return connection


def _open(path: Path) -> sqlite3.Connection:
    """Write-ahead log, synced at each commit; what is deleted is overwritten; no extension can be loaded."""
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None, timeout=5, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection
