"""What came with the SFTP door, quotas, resumable uploads and a million transfers. Frozen once released."""

from __future__ import annotations

revision = "0002"
down_revision = "0001"

COLUMNS = """
ALTER TABLE transfers ADD COLUMN came_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE transfers ADD COLUMN door TEXT;
"""

TABLES = """
CREATE TABLE uploads (
    id TEXT PRIMARY KEY, transfer TEXT NOT NULL, number INTEGER NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
    came INTEGER NOT NULL, boot TEXT NOT NULL, state TEXT NOT NULL, UNIQUE (transfer, number)
) STRICT;
CREATE TABLE quotas (
    submitter TEXT PRIMARY KEY, bytes INTEGER, transfers INTEGER, transfers_per_hour INTEGER
) STRICT;
CREATE TABLE door_keys (
    fingerprint TEXT PRIMARY KEY, submitter TEXT NOT NULL, ssh_key TEXT NOT NULL
) STRICT;
CREATE TABLE changed_settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE earlier_intakes (
    key_id TEXT PRIMARY KEY, seal_until INTEGER NOT NULL, destroy_by INTEGER NOT NULL
) STRICT;
CREATE TABLE tallies (what TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT;
"""

INDICES = """
CREATE INDEX transfers_by_sender ON transfers (sender, created);
CREATE INDEX transfers_waiting ON transfers (reader, created, id) WHERE state IN ('held', 'leased');
CREATE INDEX transfers_alive ON transfers (sender, body_bytes)
    WHERE state IN ('announced', 'receiving', 'held', 'leased');
CREATE INDEX transfers_due ON transfers (expires)
    WHERE state IN ('announced', 'receiving', 'held', 'leased');
CREATE INDEX transfers_coming ON transfers (body_bytes, came_bytes)
    WHERE state IN ('announced', 'receiving');
CREATE INDEX transfers_leased ON transfers (leased_until) WHERE state = 'leased';
CREATE INDEX transfers_open ON transfers (reader) WHERE lease_open = 1;
CREATE INDEX transfers_ended ON transfers (state) WHERE state IN ('acknowledged', 'refused', 'expired');
CREATE INDEX transfers_past ON transfers (forget_at) WHERE state = 'destroyed';
CREATE INDEX nonces_past ON nonces (expires);
CREATE INDEX enrolments_past ON enrolments (forget_at);
CREATE INDEX submitters_by_sealing_key ON submitters (key_id);
CREATE INDEX submitters_revoked ON submitters (revoked) WHERE revoked > 0;
"""

ROWS = """
UPDATE transfers SET came_bytes = (SELECT coalesce(sum(bytes), 0) FROM parts WHERE parts.transfer = transfers.id);
"""

TRIGGERS = (
    """
CREATE TRIGGER transfers_in AFTER INSERT ON transfers BEGIN
    INSERT INTO tallies VALUES (new.state, 1) ON CONFLICT (what) DO UPDATE SET number = number + 1;
END
    """,
    """
CREATE TRIGGER transfers_on AFTER UPDATE OF state ON transfers WHEN old.state <> new.state BEGIN
    UPDATE tallies SET number = number - 1 WHERE what = old.state;
    INSERT INTO tallies VALUES (new.state, 1) ON CONFLICT (what) DO UPDATE SET number = number + 1;
END
    """,
    """
CREATE TRIGGER transfers_out AFTER DELETE ON transfers BEGIN
    UPDATE tallies SET number = number - 1 WHERE what = old.state;
END
    """,
    """
CREATE TRIGGER parts_in AFTER INSERT ON parts BEGIN
    INSERT INTO tallies VALUES ('part bytes', new.bytes) ON CONFLICT (what) DO UPDATE SET number = number + new.bytes;
    UPDATE transfers SET came_bytes = came_bytes + new.bytes WHERE id = new.transfer;
END
    """,
    """
CREATE TRIGGER parts_out AFTER DELETE ON parts BEGIN
    UPDATE tallies SET number = number - old.bytes WHERE what = 'part bytes';
    UPDATE transfers SET came_bytes = came_bytes - old.bytes WHERE id = old.transfer;
END
    """,
)


def upgrade() -> None:
    """Bring a database of the first gateways up; its rows stay as they are."""
    from alembic import op  # noqa: PLC0415 - only while `gateway upgrade` or `gateway restore` runs

    for statement in (*f"{COLUMNS}{TABLES}{INDICES}{ROWS}".split(";"), *TRIGGERS):
        if statement.strip():
            op.execute(statement)
