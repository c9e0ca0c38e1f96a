"""`gateway upgrade`: a backup, then the database brought to the form that this program works on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from swaddle.gateway import revisions, schema
from swaddle.gateway.backup import make_backup
from swaddle.gateway.lock import Lock
from swaddle.gateway.migrate import migrate
from swaddle.home import Kind, open_home


def upgrade(home_path: Path, *, with_backup: bool = True) -> dict[str, Any]:
    """Bring a gateway's database to this program's form, whole or not at all; running it again is fine.

    Args:
        home_path: the gateway's home; nothing may run on it.
        with_backup: make one first; off only where the registry has named no backup key yet.

    Returns:
        `before` and `after` (numbers of the form), `backup` (its file) or null.

    Raises:
        AlreadyRunning: the gateway runs.
        SchemaNewer: the database is of a newer version.
        NoBackupKey: there is no key to seal the backup to; nothing was changed.
        DiskFault: the disk said no; the database is as it was.
    """
    home = open_home(home_path, Kind.GATEWAY)
    with Lock(home.path):
        connection = schema.open_any(home.path / "transfers.db")
        try:
            found = revisions.revision_of(connection)
            if found == revisions.PRESENT:
                return {"before": found, "after": found, "backup": None}
            if found not in (None, *revisions.REVISIONS):
                raise revisions.SchemaNewer(present=revisions.PRESENT)
            made = make_backup(home.path) if with_backup and found is not None else None
            before, after = migrate(connection)
        finally:
            connection.close()
    return {"before": before, "after": after, "backup": None if made is None else made["backup"]}
