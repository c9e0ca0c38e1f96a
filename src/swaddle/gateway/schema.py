"""The gateway's two databases: every table and column there is (decision 0011 gives the reason for each).

`transfers.db` is emptied as transfers end; `usage.db` holds rounded counts per week. Neither has a column for a name, a
file name or anything of a person, and nothing in them opens a transfer or stands for somebody: lease tokens and lookups
are kept as SHA-256 only.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

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
    outcome TEXT, receipt TEXT, acknowledgement_sha256 TEXT,
    UNIQUE (sender, reference_sha256)
) STRICT;
CREATE INDEX IF NOT EXISTS transfers_by_reader ON transfers (reader, state);
CREATE TABLE IF NOT EXISTS parts (
    transfer TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL, PRIMARY KEY (transfer, number)
) STRICT;
CREATE TABLE IF NOT EXISTS freezes (
    id TEXT PRIMARY KEY, reader TEXT, cause TEXT NOT NULL, since INTEGER NOT NULL, transfer TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS journal (sequence INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY, expires INTEGER NOT NULL) STRICT;
"""

USAGE = (
    "CREATE TABLE IF NOT EXISTS usage (week TEXT, what TEXT, count INTEGER NOT NULL, PRIMARY KEY (week, what)) STRICT;"
)


def open_transfers(path: Path) -> sqlite3.Connection:
    """The transfers database, for the one process that writes it."""
    connection = _open(path)
    connection.executescript(TRANSFERS)
    return connection


def open_usage(path: Path) -> sqlite3.Connection:
    """The usage database; it may lose its last second in a power cut."""
    connection = _open(path)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(USAGE)
    return connection


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
