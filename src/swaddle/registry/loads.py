"""Storing one submission: three files, one load. identifiers, then subjects, then clinical with the row that commits.

Until that row in clinical.loads is there, nothing of the load counts, and the next start removes what lies about; once
it is there, everything of the load counts. The acknowledgement comes after. (DuckDB has no transaction over two files.)
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC

import duckdb

from swaddle.durable import DiskFault
from swaddle.intake.engine import identifier
from swaddle.registry import answered, consent
from swaddle.registry.lives import digest
from swaddle.registry.records import DELIVERY, TABLES
from swaddle.registry.rows import LINKS, insert, supersede, tells, write_records, write_rows
from swaddle.registry.setting_apart import set_apart
from swaddle.registry.store import Store
from swaddle.registry.store_tables import bare, names_of
from swaddle.registry.submission import Load, Submission, carried_of
from swaddle.registry.views import RECORD_STEPS, STORED_STEPS

# The rows to be stored with what this layout carries: read once from the check's view, written from many times. A
# version that says nothing new is kept as a row without a record, so that an older one is known to be older.
WIDE = f"""
create or replace temp table load_rows as
select lives.line, lives.step, lives.seq, lives.content, lives.version_number, lives.version_instant, lives.sent_at,
    lives.step in ({STORED_STEPS}) as is_stored, lives.step in ({RECORD_STEPS}) as has_record,
    {{linked}}, event_first, year(event_first) as event_year,
    case when length(event_date) >= 7 then month(event_first) end as event_month, {{columns}}
from checked_rows join load_lives lives using (line)
where lives.step in ({STORED_STEPS}) or (lives.step in ('unchanged', 'voided before') and lives.age = 'newer'
    and (lives.version_number is not null or lives.version_instant is not null))
"""
# Rows of one delivery that tell the same of it share one row of deliveries; twins may differ (X23) and then have two.
TOLD = """
create or replace temp table load_told as
select line, min(line) over (partition by delivery, {content}) as first_line
from load_rows where has_record
    and delivery in (select delivery from load_rows where has_record group by delivery having count(*) > 1)
"""


def store(store: Store, connection: duckdb.DuckDBPyConnection, submission: Submission) -> Load:
    """Store the rows that intake left in `connection`, a cursor of the store (tables checked_rows and row_subjects).

    A transfer that was stored before (a kill after the commit, before the acknowledgement) is not stored again.

    Raises:
        DiskFault: the disk is full or broken; nothing of the load counts, and the next start removes what lies about.
    """
    before = load_of(connection, submission.transfer, submission.member, submission.sheet)
    if before is not None:
        return before
    if submission.member <= 1 and submission.sheet <= 1:
        store.remove_strays()
    load_id = next_load_id(connection)
    try:
        return write(store, connection, submission, load_id)
    except duckdb.IOException as error:
        raise DiskFault("the store could not be written") from error


def store_pack(store: Store, connection: duckdb.DuckDBPyConnection, submission: Submission) -> Load:
    """Store what several files or sheets came to as a whole, once each is stored as a load of its own.

    Raises:
        DiskFault: the disk is full or broken; it is done again.
    """
    store.remove_strays()
    read, stored, rejected = submission.rows_read, submission.rows_stored, submission.rows_rejected
    load = Load(next_load_id(connection), read, stored, rejected, read - stored - rejected)
    try:
        write_identifiers(connection, store, submission, load, has_rows=False)
        write_clinical(connection, store, submission, load, has_rows=False)
    except duckdb.IOException as error:
        raise DiskFault("the store could not be written") from error
    return load


def write(store: Store, connection: duckdb.DuckDBPyConnection, submission: Submission, load_id: int) -> Load:
    """The three files in their order; what is not committed by the last does not count."""
    has_rows = submission.outcome == "stored"
    if has_rows:
        prepare(connection, store, submission)
    stored = _count(connection, "select count(*) from load_rows where is_stored") if has_rows else 0
    rejected = submission.rows_rejected if has_rows else submission.rows_read
    load = Load(load_id, submission.rows_read, stored, rejected, submission.rows_read - stored - rejected)
    write_identifiers(connection, store, submission, load, has_rows)
    write_subjects(connection, submission, load)
    write_clinical(connection, store, submission, load, has_rows)
    return load


def load_of(connection: duckdb.DuckDBPyConnection, transfer: str, member: int = 0, sheet: int = 0) -> Load | None:
    """The load of a transfer, or of one file of it, or of one sheet of that, if it was committed."""
    row = connection.execute(
        "select load_id, rows_read, rows_stored, rows_rejected, rows_duplicate from clinical.loads"
        " where transfer = ? and member = ? and sheet = ?",
        [transfer, member, sheet],
    ).fetchone()
    return None if row is None else Load(*row)


def next_load_id(connection: duckdb.DuckDBPyConnection) -> int:
    """One more than the last committed load."""
    return _count(connection, "select coalesce(max(load_id), 0) + 1 from clinical.loads")


def prepare(connection: duckdb.DuckDBPyConnection, store: Store, submission: Submission) -> None:
    """Gather the rows to be stored, after lives.live; find which row tells of each delivery."""
    carried = carried_of(submission, store.placement.all())
    columns = ", ".join(f"checked_rows.{identifier(name)}" for name in carried)
    there = names_of(connection, "checked_rows")
    linked = ", ".join(name if name in there else f"null::varchar as {name}" for name in LINKS)
    connection.execute(WIDE.format(linked=linked, columns=columns))
    told = [name for name in submission.carried if name in store.placement.types[DELIVERY]]
    connection.execute(TOLD.format(content=digest(told)))


def write_identifiers(
    connection: duckdb.DuckDBPyConnection, store: Store, submission: Submission, load: Load, has_rows: bool
) -> None:
    """Who the rows are about, where the layout says it, and the report with the rejected rows as they came."""
    with _Transaction(connection):
        for role, placed in store.placement.persons.items():
            columns = carried_of(submission, placed)
            if has_rows and columns:
                insert(
                    connection, "identifiers.persons",
                    {"load_id": str(load.load_id), "line": "line", "role": f"'{role}'", "subject": f"{role}_subject"}
                    | {bare(name, f"{role}_"): identifier(name) for name in columns},
                    # Whom nothing is told of has no subject, and the reasons why it is not are nobody.
                    f"where {tells(columns)} and {role}_subject is not null",
                )  # fmt: skip
        columns = carried_of(submission, store.placement.records)
        if has_rows and columns:
            insert(
                connection, "identifiers.records",
                {"load_id": str(load.load_id), "line": "line"} | {name: identifier(name) for name in columns},
            )  # fmt: skip
        connection.execute(
            "insert into identifiers.reports values (?, ?, ?, ?)",
            [load.load_id, submission.transfer, json.dumps(submission.report), submission.rejected_csv],
        )


def write_subjects(connection: duckdb.DuckDBPyConnection, submission: Submission, load: Load) -> None:
    """Every person that the transfer told of, in rejected rows too: they were in it."""
    if not submission.is_linked:
        return  # it could not be read as what it is: who is in it stays unknown
    with _Transaction(connection):
        connection.execute(
            "insert into subjects.presence"
            " select $load, $transfer, $submitter, subject, category, min(event_first), max(event_last)"
            " from row_subjects group by subject, category",
            {"load": load.load_id, "transfer": submission.transfer, "submitter": submission.submitter},
        )


def write_clinical(
    connection: duckdb.DuckDBPyConnection, store: Store, submission: Submission, load: Load, has_rows: bool
) -> None:
    """The rows, their records by type, and in the same transaction the row that makes all three files' rows count."""
    with _Transaction(connection):
        deliveries = 0
        if has_rows:
            supersede(connection, submission, load)
            write_rows(connection, store, submission, load)
            for record_type in TABLES:
                write_records(connection, store, submission, load, record_type)
            answered.keep(connection, load.load_id)
            consent.keep(connection, load.load_id, submission.carried, submission.at)
            set_apart(connection, load.load_id)
            deliveries = _count(connection, "select count(distinct delivery) from load_rows where has_record")
        connection.execute(
            "insert into clinical.loads values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [load.load_id, submission.transfer, submission.submitter, submission.outcome, submission.kind,
             submission.dictionary_version, submission.at.astimezone(UTC).replace(tzinfo=None), load.read, load.stored,
             load.rejected, load.duplicates, submission.warnings, deliveries, list(submission.not_carried),
             submission.member, submission.sheet, submission.form],
        )  # fmt: skip


class _Transaction:
    """One transaction on one of the files: whole or not at all."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("begin")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._connection.execute("commit")
        else:
            with suppress(duckdb.Error):  # a failed write has ended it already
                self._connection.execute("rollback")


def _count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return int(row[0])
