"""Which form the transfers database has, and whether this program fits it. Looks only; `upgrade` changes.

The number stands where alembic keeps it. A database without the table is of the time before there were numbers.
"""

from __future__ import annotations

import sqlite3

from swaddle.errors import SettingsFault

REVISIONS = ("0001", "0002")  # oldest first; each has a module in `migrations`
PRESENT = REVISIONS[-1]
STAMP = f"""
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO alembic_version VALUES ('{PRESENT}');
"""


class SchemaOlder(SettingsFault):
    """The database was made by an older version."""

    code = "SWD-GATE-10"
    what = "this gateway's database is of an older version"
    why = "its form is {found}, this program works on {present}"
    fix = "stop the gateway and run `swaddle gateway upgrade`; it makes a backup first"


class SchemaNewer(SettingsFault):
    """The database was made by a newer version."""

    code = "SWD-GATE-11"
    what = "this gateway's database is of a newer version"
    why = "its form is not known to this program, which works on {present}"
    fix = "install the version that last ran here; an older program never opens a newer database"


def revision_of(connection: sqlite3.Connection) -> str | None:
    """The number of a database's form; None for an empty one."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" in tables:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return "" if row is None else str(row[0])
    return REVISIONS[0] if "facts" in tables else None


def must_fit(found: str) -> None:
    """Refuse to work on a database of another form.

    Raises:
        SchemaOlder, SchemaNewer: it is.
    """
    if found == PRESENT:
        return
    if found in REVISIONS:
        raise SchemaOlder(found=found, present=PRESENT)
    raise SchemaNewer(present=PRESENT)
