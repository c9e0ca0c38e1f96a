"""Storing one submission: three files, one load. identifiers, then subjects, then clinical with the row that commits.

Until that row in clinical.loads is there, nothing of the load counts, and the next start removes what lies about; once
it is there, everything of the load counts. The acknowledgement comes after. (DuckDB has no transaction over two files.)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from swaddle.intake.engine import identifier
from swaddle.registry.store import Store, bare

# Same submitter, same local record number, same content: the row is known already and is not stored again.
FRESH = """
create or replace temp table load_rows as
with latest as (
    select born.local_record_id, born.content
    from clinical.births born join clinical.loads using (load_id)
    where born.submitter = $submitter
    qualify row_number() over (partition by born.local_record_id order by born.load_id desc) = 1
)
select checked.line, checked.content, coalesce(latest.content = checked.content, false) as known
from ({hashed}) checked left join latest using (local_record_id)
"""
DELIVERIES = """
create or replace temp table load_deliveries as
select line, delivery, min(line) over (partition by delivery, {content}) as first_line
from checked_rows where line in (select line from load_rows where not known)
"""


@dataclass(frozen=True)
class Load:
    """What a load did: rows_read = stored + rejected + duplicates."""

    load_id: int
    read: int
    stored: int
    rejected: int
    duplicates: int


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What is stored about a submission besides its rows."""

    transfer: str
    submitter: str
    outcome: str
    kind: str | None
    dictionary_version: str
    at: datetime
    rows_read: int
    rows_rejected: int
    warnings: int
    carried: tuple[str, ...]
    report: dict[str, Any]
    rejected_csv: bytes


def store(store: Store, connection: duckdb.DuckDBPyConnection, submission: Submission) -> Load:
    """Store the rows that intake left in `connection`, a cursor of the store (tables checked_rows and row_subjects).

    A transfer that was stored before (a kill after the commit, before the acknowledgement) is not stored again.

    Raises:
        OurBug: read is not stored + rejected + duplicates.
    """
    before = load_of(connection, submission.transfer)
    if before is not None:
        return before
    store.remove_strays()
    load_id = next_load_id(connection)
    has_rows = submission.outcome == "stored"
    if has_rows:
        prepare(connection, store, submission)
    stored = _count(connection, "select count(*) from load_rows where not known") if has_rows else 0
    rejected = submission.rows_rejected if has_rows else submission.rows_read
    load = Load(load_id, submission.rows_read, stored, rejected, submission.rows_read - stored - rejected)
    write_identifiers(connection, store, submission, load, has_rows)
    write_subjects(connection, submission, load)
    write_clinical(connection, store, submission, load, has_rows)
    return load


def load_of(connection: duckdb.DuckDBPyConnection, transfer: str) -> Load | None:
    """The load of a transfer, if it was committed."""
    row = connection.execute(
        "select load_id, rows_read, rows_stored, rows_rejected, rows_duplicate from clinical.loads where transfer = ?",
        [transfer],
    ).fetchone()
    return None if row is None else Load(*row)


def next_load_id(connection: duckdb.DuckDBPyConnection) -> int:
    """One more than the last committed load."""
    return _count(connection, "select coalesce(max(load_id), 0) + 1 from clinical.loads")


def prepare(connection: duckdb.DuckDBPyConnection, store: Store, submission: Submission) -> None:
    """Sort the accepted rows into fresh ones and ones that are known; find the rows that tell of each delivery."""
    carried = [*submission.carried, *(f"{name}_missing" for name in submission.carried)]
    content = _digest(carried)
    hashed = (
        f"select line, local_record_id, {content} as content from checked_rows"
        " where verdict = 'accepted' and not duplicate"
    )
    connection.execute(FRESH.format(hashed=hashed), {"submitter": submission.submitter})
    connection.execute(DELIVERIES.format(content=_digest(list(store.placement.deliveries))))


def write_identifiers(
    connection: duckdb.DuckDBPyConnection, store: Store, submission: Submission, load: Load, has_rows: bool
) -> None:
    """Who the rows are about, and the report with the rejected rows as they came."""
    with _Transaction(connection):
        if has_rows:
            for role, columns in (("mother", store.placement.mother), ("child", store.placement.child)):
                names = [identifier(bare(name, f"{role}_")) for name in columns]
                _insert_wide(
                    connection, "identifiers.persons", ["load_id", "line", "role", "subject", *names],
                    [str(load.load_id), "line", f"'{role}'", f"{role}_subject", *map(identifier, columns)],
                )  # fmt: skip
            names = [identifier(name) for name in store.placement.records]
            _insert_wide(
                connection, "identifiers.records", ["load_id", "line", *names], [str(load.load_id), "line", *names]
            )
        connection.execute(
            "insert into identifiers.reports values (?, ?, ?, ?)",
            [load.load_id, submission.transfer, json.dumps(submission.report), submission.rejected_csv],
        )


def write_subjects(connection: duckdb.DuckDBPyConnection, submission: Submission, load: Load) -> None:
    """Every person that the transfer told of, in rejected rows too: they were in it."""
    if submission.rows_read == 0:
        return  # nothing could be read, so nothing was linked
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
    """Deliveries, births, and in the same transaction the row that makes all three files' rows count."""
    with _Transaction(connection):
        deliveries = 0
        if has_rows:
            names = [identifier(name) for name in store.placement.deliveries]
            _insert_wide(
                connection, "clinical.deliveries", ["load_id", "line", "delivery", *names],
                [str(load.load_id), "line", "delivery", *names],
                "line in (select line from load_deliveries where line = first_line)",
            )  # fmt: skip
            births = [identifier(name) for name in store.placement.births]
            fixed = ["load_id", "line", "submitter", "transfer", "source", "delivery", "delivery_line",
                     "mother_subject", "child_subject", "content", "event_year"]  # fmt: skip
            connection.execute(
                f"insert into clinical.births ({', '.join([*fixed, *births])})"
                f" select $load, checked.line, $submitter, $transfer, $source, checked.delivery, told.first_line,"
                " mother_subject, child_subject, fresh.content, year(event_first),"
                f" {', '.join(f'checked.{name}' for name in births)}"
                " from checked_rows checked join load_rows fresh using (line) join load_deliveries told using (line)"
                " where not fresh.known",
                {"load": load.load_id, "submitter": submission.submitter, "transfer": submission.transfer,
                 "source": submission.kind},
            )  # fmt: skip
            deliveries = _count(connection, "select count(distinct delivery) from load_deliveries")
        connection.execute(
            "insert into clinical.loads values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [load.load_id, submission.transfer, submission.submitter, submission.outcome, submission.kind,
             submission.dictionary_version, submission.at.astimezone(UTC).replace(tzinfo=None), load.read, load.stored,
             load.rejected, load.duplicates, submission.warnings, deliveries],
        )  # fmt: skip


class _Transaction:
    """One transaction on one of the files: whole or not at all."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("begin")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._connection.execute("commit" if kind is None else "rollback")


def _insert_wide(
    connection: duckdb.DuckDBPyConnection, table: str, columns: list[str], values: list[str], where: str = ""
) -> None:
    """Insert columns of the fresh rows; all names come from the dictionary."""
    wanted = where or "line in (select line from load_rows where not known)"
    connection.execute(
        f"insert into {table} ({', '.join(columns)}) select {', '.join(values)} from checked_rows where {wanted}"
    )


def _digest(columns: list[str]) -> str:
    """SQL: one digest over columns; a missing value is told apart from an empty one."""
    parts = ", ".join(f"coalesce({identifier(name)}::varchar, chr(1))" for name in columns)
    return f"md5(concat_ws(chr(31), {parts or 'chr(1)'}))"


def _count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return int(row[0])
