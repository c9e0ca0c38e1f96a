"""The database as the first gateways made it, before revisions were numbered. Frozen: never changed again."""

from __future__ import annotations

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE submitters (
    id TEXT PRIMARY KEY, signing_key TEXT NOT NULL, fingerprint TEXT NOT NULL UNIQUE, key_id TEXT NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE enrolments (
    lookup_sha256 TEXT PRIMARY KEY, state TEXT NOT NULL, forget_at INTEGER NOT NULL, keys TEXT, hmac TEXT,
    posted_sha256 TEXT, statement TEXT
) STRICT;
CREATE TABLE transfers (
    id TEXT PRIMARY KEY, reference_sha256 TEXT NOT NULL, sender TEXT NOT NULL, reader TEXT NOT NULL,
    state TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, forget_at INTEGER NOT NULL,
    recipient TEXT, body_bytes INTEGER, part_bytes INTEGER,
    manifest TEXT, manifest_sha256 TEXT, header BLOB, description BLOB, finish_sha256 TEXT, held TEXT,
    lease_sha256 TEXT, leased_at INTEGER, leased_until INTEGER, leases INTEGER NOT NULL DEFAULT 0,
    lease_open INTEGER NOT NULL DEFAULT 0, served_bytes INTEGER NOT NULL DEFAULT 0,
    outcome TEXT, receipt TEXT, acknowledgement_sha256 TEXT,
    UNIQUE (sender, reference_sha256)
) STRICT;
CREATE INDEX transfers_by_reader ON transfers (reader, state);
CREATE TABLE parts (
    transfer TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL, PRIMARY KEY (transfer, number)
) STRICT;
CREATE TABLE freezes (
    id TEXT PRIMARY KEY, reader TEXT, cause TEXT NOT NULL, since INTEGER NOT NULL, transfer TEXT
) STRICT;
CREATE TABLE journal (sequence INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT;
CREATE TABLE nonces (nonce TEXT PRIMARY KEY, expires INTEGER NOT NULL) STRICT;
"""


def upgrade() -> None:
    """Make it in an empty database."""
    from alembic import op  # noqa: PLC0415 - only while `gateway upgrade` or `gateway restore` runs

    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
