"""The tables of the three encrypted files: their columns, and how a store of an earlier version gets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb

from swaddle.dictionary.model import Dictionary
from swaddle.intake.cast import MISSING_TYPE
from swaddle.intake.engine import identifier
from swaddle.intake.tables import CHILD
from swaddle.registry import consent
from swaddle.registry.lifecycle import Step
from swaddle.registry.records import BIRTH, DELIVERY, MISSING, ROLES, TABLES, Placement

SQL_TYPES = {"int": "BIGINT", "decimal": "DOUBLE", "date": "DATE", "datetime": "TIMESTAMP", "yesno": "BOOLEAN"}
_RECORD = "load_id BIGINT, line BIGINT"

# What does not come from the dictionary. A column that is added here is added to every store when it is opened.
FIXED: Mapping[str, str] = {
    "identifiers.persons": f"{_RECORD}, role VARCHAR, subject VARCHAR",
    "identifiers.records": _RECORD,
    "identifiers.reports": "load_id BIGINT, transfer VARCHAR, report VARCHAR, rejected BLOB",
    "identifiers.issued": "transfer VARCHAR, submitter VARCHAR, issued_at TIMESTAMP, sha256 VARCHAR, bundle BLOB",
    "subjects.presence": "load_id BIGINT, transfer VARCHAR, submitter VARCHAR, subject VARCHAR,"
    " category VARCHAR, first_date DATE, last_date DATE",
    "clinical.stored_rows": f"{_RECORD}, seq BIGINT, step VARCHAR, submitter VARCHAR, transfer VARCHAR,"
    " source VARCHAR, form VARCHAR, version_number BIGINT, version_instant TIMESTAMP, sent_at TIMESTAMP,"
    " content UUID, delivery VARCHAR, delivery_line BIGINT, mother_subject VARCHAR, child_subject VARCHAR,"
    " person_subject VARCHAR, event_year BIGINT, event_month BIGINT",
    "clinical.superseded": f"{_RECORD}, by_load BIGINT",
    "clinical.snapshots": "id VARCHAR, period VARCHAR, act VARCHAR, made_at TIMESTAMP, until_load BIGINT, body VARCHAR",
    "clinical.warnings": f"{_RECORD}, rule VARCHAR, field VARCHAR, asked VARCHAR",
    consent.TABLE: consent.COLUMNS,
    "clinical.answers": "submitter VARCHAR, form VARCHAR, local_record_id VARCHAR, rule VARCHAR, field VARCHAR,"
    " asked VARCHAR, transfer VARCHAR, answered_at TIMESTAMP",
    # Letting go: holds with what was signed about them, and disposals with the proof of what they removed.
    "clinical.holds": "id VARCHAR, state VARCHAR, body VARCHAR, review DATE, made_at TIMESTAMP",
    "clinical.hold_words": "hold VARCHAR, act VARCHAR, sha256 VARCHAR, word VARCHAR, said_at TIMESTAMP",
    # Communities' demands with what was signed about them, and the rows that they keep from what is told of others.
    "clinical.communities": "id VARCHAR, state VARCHAR, body VARCHAR, made_at TIMESTAMP",
    "clinical.community_words": "community VARCHAR, act VARCHAR, sha256 VARCHAR, word VARCHAR, said_at TIMESTAMP",
    "clinical.set_apart": f"{_RECORD}, community VARCHAR",
    "clinical.disposals": "id VARCHAR, state VARCHAR, begun_at TIMESTAMP, ended_at TIMESTAMP, schedule VARCHAR,"
    " schedule_version VARCHAR, salt BLOB, commitment VARCHAR, counts VARCHAR",
    "clinical.disposed": "disposal VARCHAR, leaf VARCHAR",
    "clinical.thinned": "transfer VARCHAR, persons BIGINT, disposal VARCHAR",
    "clinical.disposing": "disposal VARCHAR, what VARCHAR, load_id BIGINT, line BIGINT, subject VARCHAR",
    "clinical.waiting": "notice VARCHAR, line BIGINT, submitter VARCHAR, form VARCHAR, local_record_id VARCHAR,"
    " rule VARCHAR, field VARCHAR, asked VARCHAR, event DATE, found_at TIMESTAMP, ended_at TIMESTAMP, ended_by VARCHAR",
    "clinical.alerts": "alert VARCHAR, submitter VARCHAR, form VARCHAR, local_record_id VARCHAR, cause VARCHAR,"
    " event DATE, found_at TIMESTAMP, ended_at TIMESTAMP, ended_by VARCHAR",
    "clinical.incident_facts": "incident VARCHAR, name VARCHAR, value VARCHAR, source VARCHAR, known_at VARCHAR,"
    " said_at TIMESTAMP, salt VARCHAR, commitment VARCHAR, number BIGINT",
    "clinical.reviews": f"{_RECORD}, rule VARCHAR, field VARCHAR, asked VARCHAR",
    "clinical.decisions": "submitter VARCHAR, form VARCHAR, local_record_id VARCHAR, rule VARCHAR, field VARCHAR,"
    " asked VARCHAR, word VARCHAR, decided_at TIMESTAMP, signed VARCHAR",
    **{f"clinical.{table}": _RECORD for table in TABLES.values()},
    "clinical.loads": "load_id BIGINT primary key, transfer VARCHAR, submitter VARCHAR, outcome VARCHAR,"
    " kind VARCHAR, dictionary_version VARCHAR, loaded_at TIMESTAMP, rows_read BIGINT, rows_stored BIGINT,"
    " rows_rejected BIGINT, rows_duplicate BIGINT, warnings BIGINT, deliveries BIGINT, not_carried VARCHAR[],"
    " member BIGINT default 0, sheet BIGINT default 0, form VARCHAR default 'birth',"
    " unique (transfer, member, sheet)",
}
# Tables whose rows count only when the row in loads is there; clinical's are written with it, in one transaction.
AWAITING_LOADS = ("identifiers.persons", "identifiers.records", "identifiers.reports", "subjects.presence")


def wide_tables(dictionary: Dictionary, placement: Placement) -> dict[str, dict[str, str]]:
    """Table name to its wide columns and their types."""
    wide = dictionary.wide()

    def typed(columns: Iterable[str]) -> dict[str, str]:
        return {
            name: MISSING_TYPE
            if name.endswith(MISSING) and name not in wide
            else SQL_TYPES.get(wide[name].field.type, "VARCHAR")
            for name in columns
        }

    return {
        "identifiers.persons": {
            bare(name, f"{role}_"): kind for role in ROLES for name, kind in typed(placement.persons[role]).items()
        },
        "identifiers.records": typed(placement.records),
        "clinical.stored_rows": typed(placement.rows),
        **{f"clinical.{table}": typed(placement.types[name]) for name, table in TABLES.items()},
    }


def bare(name: str, prefix: str) -> str:
    """A person's field without its slot's prefix."""
    return name.removeprefix(prefix)


def make_tables(connection: duckdb.DuckDBPyConnection, dictionary: Dictionary, placement: Placement) -> None:
    """Make what is not there, bring what an earlier version made to today's form, add what a newer dictionary has."""
    wide = wide_tables(dictionary, placement)
    for table, text in FIXED.items():
        fields = "".join(f", {identifier(name)} {kind}" for name, kind in wide.get(table, {}).items())
        connection.execute(f"create table if not exists {table} ({text}{fields})")
    if "sheet" not in names_of(connection, "clinical.loads"):
        _widen_loads(connection)
    for table, wanted in wide.items():
        for name in wanted.keys() - names_of(connection, table):
            connection.execute(f"alter table {table} add column {identifier(name)} {wanted[name]}")
    if "submitter" in names_of(connection, "clinical.births"):
        _part_rows_from_births(connection, placement)


def names_of(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    """The columns that a table has."""
    described = connection.execute(f"select * from {table} limit 0").description or []
    return {column[0] for column in described}


def _widen_loads(connection: duckdb.DuckDBPyConnection) -> None:
    """A store from before packs or sheets: DuckDB changes no constraint, so the table is made anew."""
    for sql in (
        "begin",
        f"create table clinical.loads_anew ({FIXED['clinical.loads']})",
        "insert into clinical.loads_anew by name from clinical.loads",
        "drop table clinical.loads",
        "alter table clinical.loads_anew rename to loads",
        "commit",
    ):
        connection.execute(sql)


def _part_rows_from_births(connection: duckdb.DuckDBPyConnection, placement: Placement) -> None:
    """A store from before there were other records than births: what is the row's own goes to stored_rows."""
    births, deliveries = (names_of(connection, f"clinical.{TABLES[name]}") for name in (BIRTH, DELIVERY))
    taken = [f"born.{identifier(name)}" for name in placement.rows if name in births]
    taken += [f"delivery.{identifier(name)}" for name in placement.rows if name in deliveries - births]
    fixed = (
        *("load_id", "line", "submitter", "transfer", "source", "content", "delivery", "delivery_line"),
        *("mother_subject", "child_subject", "event_year"),
    )
    date = "person.event_date" if "event_date" in names_of(connection, "identifiers.records") else "null::varchar"
    own_births = {*FIXED[f"clinical.{TABLES[BIRTH]}"].replace(",", "").split(), *placement.types[BIRTH]}
    own_deliveries = {*FIXED[f"clinical.{TABLES[DELIVERY]}"].replace(",", "").split(), *placement.types[DELIVERY]}
    connection.execute("begin")
    connection.execute(
        "insert into clinical.stored_rows by name select "
        + ", ".join([*(f"born.{name}" for name in fixed), *taken])
        + f", 0 as seq, '{Step.NEW.value}' as step, 'birth' as form, loads.loaded_at as sent_at,"
        f" try_cast({date}[6:7] as bigint) as event_month"
        " from clinical.births born join clinical.loads using (load_id)"
        " left join clinical.deliveries delivery"
        " on delivery.load_id = born.load_id and delivery.line = born.delivery_line"
        " left join identifiers.records person on person.load_id = born.load_id and person.line = born.line"
    )
    for table, kept, there in (("births", own_births, births), ("deliveries", own_deliveries, deliveries)):
        columns = ", ".join(identifier(name) for name in sorted(there & kept))
        connection.execute(f"create table clinical.{table}_anew as select {columns} from clinical.{table}")
        connection.execute(f"drop table clinical.{table}")
        connection.execute(f"alter table clinical.{table}_anew rename to {table}")
    connection.execute(
        "insert into clinical.superseded select load_id, line, by_load from (select load_id, line, lead(load_id) over"
        " (partition by submitter, local_record_id order by load_id) as by_load from clinical.stored_rows)"
        " where by_load is not null"
    )
    connection.execute("commit")


def rename_categories(connection: duckdb.DuckDBPyConnection) -> None:
    """A category that bore another name in an earlier version."""
    connection.execute("update subjects.presence set category = ? where category = 'newborn'", [CHILD])
