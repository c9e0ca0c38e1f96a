"""Changing the form of a transfers database: alembic, in one transaction. Never loaded by a running gateway.

SQLite changes tables inside a transaction like rows, so a database is of the old form or of the new one, whenever the
power goes: nothing has to be put back.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from swaddle.durable import DiskFault
from swaddle.gateway import migrations
from swaddle.gateway.revisions import PRESENT, REVISIONS, SchemaNewer, revision_of


def migrate(connection: sqlite3.Connection, to: str = PRESENT) -> tuple[str | None, str]:
    """Bring a database, which may be empty, to the form `to`; the form before and after.

    Raises:
        SchemaNewer: its form is not known here.
        DiskFault: the disk said no; it is as it was.
    """
    before = revision_of(connection)
    if before is not None and before not in REVISIONS:
        raise SchemaNewer(present=PRESENT)
    if before is not None and REVISIONS.index(before) >= REVISIONS.index(to):
        return before, before
    _run(connection, before, to)
    return before, to


def _run(connection: sqlite3.Connection, before: str | None, to: str) -> None:
    """Every step from `before` to `to`, and the new number, in one transaction."""
    from alembic.operations import Operations  # noqa: PLC0415 - the gateway itself must not load it
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415
    from sqlalchemy.pool import StaticPool  # noqa: PLC0415

    folder = str(Path(str(migrations.__file__)).parent)
    scripts = ScriptDirectory(folder, version_locations=[folder])

    def steps(revision: Any, _: MigrationContext) -> Any:
        return scripts._upgrade_revs(to, revision)  # noqa: SLF001 - what alembic's own `upgrade` calls

    engine = create_engine(
        "sqlite://", creator=lambda: connection, poolclass=StaticPool, isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
    )  # fmt: skip
    try:
        # Inside a transaction of SQLAlchemy's, alembic begins and commits none of its own.
        with engine.begin() as opened:
            opened.exec_driver_sql("BEGIN EXCLUSIVE")
            context = MigrationContext.configure(opened, opts={"fn": steps, "script": scripts})
            if before == REVISIONS[0] and not context.get_current_heads():
                context.stamp(scripts, REVISIONS[0])
            with Operations.context(context):
                context.run_migrations()
    except OperationalError as error:
        raise DiskFault("the database could not be written; it is as it was") from error
