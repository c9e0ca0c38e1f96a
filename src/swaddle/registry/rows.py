"""Writing a submission's rows to the clinical file: what came of each row, its records by type, what they come over.

Everything here runs in the transaction that commits the load (loads.py), over the table load_rows.
"""

from __future__ import annotations

import duckdb

from swaddle.intake.engine import identifier
from swaddle.registry.records import BIRTH, DELIVERY, TABLES
from swaddle.registry.store import Store
from swaddle.registry.submission import Load, Submission, carried_of
from swaddle.registry.views import BIRTH_FORM, current

# Who a row is about; a form has those that link gives it.
LINKS = ("delivery", "mother_subject", "child_subject", "person_subject")
# The record types that every row of a form is, whatever it leaves blank; a form of one type bears its name.
OWN_TYPES = {BIRTH_FORM: (DELIVERY, BIRTH), "delivery": (DELIVERY,)} | {name: (name,) for name in TABLES}


def supersede(connection: duckdb.DuckDBPyConnection, submission: Submission, load: Load) -> None:
    """Rows that no longer count: what stood under the numbers of this load, and all but the last of it in a file."""
    connection.execute(
        f"insert into clinical.superseded select load_id, line, $load from {current()}"
        " where submitter = $submitter and form = $form"
        " and local_record_id in (select local_record_id from load_rows where is_stored)",
        {"load": load.load_id, "submitter": submission.submitter, "form": submission.form},
    )
    connection.execute(
        "insert into clinical.superseded select $load, line, $load from (select line, has_record,"
        " row_number() over (partition by local_record_id order by seq desc) as place from load_rows where is_stored)"
        " where has_record and place > 1",
        {"load": load.load_id},
    )


def write_rows(connection: duckdb.DuckDBPyConnection, store: Store, submission: Submission, load: Load) -> None:
    """What became of each row, its number and version, and who it is about; a void keeps its number and no more."""
    columns = carried_of(submission, store.placement.rows)
    same = (
        *("line", "seq", "step", "content", *LINKS, "version_number", "version_instant", "sent_at"),
        *("event_year", "event_month"),
    )
    insert(
        connection, "clinical.stored_rows",
        {"load_id": str(load.load_id), "submitter": "$submitter", "transfer": "$transfer", "source": "$source",
         "form": "$form", "delivery_line": "coalesce(first_line, line)"}
        | {name: name for name in same} | {name: identifier(name) for name in columns},
        "left join load_told using (line) where true",
        {"submitter": submission.submitter, "transfer": submission.transfer, "source": submission.kind,
         "form": submission.form},
        of_all=True,
    )  # fmt: skip


def write_records(
    connection: duckdb.DuckDBPyConnection, store: Store, submission: Submission, load: Load, record_type: str
) -> None:
    """The records of one type: of the type that a row is always, of the others where the row tells anything of them."""
    columns = carried_of(submission, store.placement.types[record_type])
    is_own = record_type in OWN_TYPES.get(submission.form, ())
    if not columns and not is_own:
        return
    where = "where true" if is_own else f"where {tells(columns)}"
    if record_type == DELIVERY:
        where += " and line not in (select line from load_told where line <> first_line)"
    insert(
        connection, f"clinical.{TABLES[record_type]}",
        {"load_id": str(load.load_id), "line": "line"} | {name: identifier(name) for name in columns},
        where,
    )  # fmt: skip


def tells(columns: list[str]) -> str:
    """SQL: whether a row tells anything in these columns."""
    return f"coalesce({', '.join(f'{identifier(name)}::varchar' for name in columns)}) is not null"


def insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: dict[str, str],
    rest: str = "where true",
    values: dict[str, object] | None = None,
    *,
    of_all: bool = False,
) -> None:
    """Insert columns (name to SQL) of the rows that have a record, or of all; names come from the dictionary."""
    names = ", ".join(map(identifier, columns))
    rest += "" if of_all else " and has_record"
    connection.execute(
        f"insert into {table} ({names}) select {', '.join(columns.values())} from load_rows {rest}", values or {}
    )
