"""What is due in the store on a day, and what of it is held: the rules of retention.py and holds.py, asked of all rows.

After `plan`, the connection has these temporary tables, and nothing in the store has changed:

    go_types     load_id, line, type         the record types of every stored row of a number that is due
    go_numbers   submitter, form, number, due, held, has_types
    go_rows      load_id, line               the rows of the numbers that may go
    go_reports   transfer                    reports, rejected rows and issued reports that may go
    go_presence  load_id, subject            who was in which transfer: those that no row is left of
    go_others    what, id                    snapshots and proofs whose time is over
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date

import duckdb

from swaddle.intake.engine import literal
from swaddle.registry.holds import Scope, covers_sql
from swaddle.registry.records import DELIVERY, PERSON, TABLES
from swaddle.registry.retention import PRESENCE, PROOFS, RECORDS, REPORTS, SNAPSHOTS, Schedule, due_sql, holding_due_sql
from swaddle.registry.rows import OWN_TYPES
from swaddle.registry.store_tables import FIXED

# Every stored row with the days that its event's date can mean, and who it is about.
ROWS = """
(select kept.load_id, kept.line, kept.submitter, kept.transfer, kept.form, kept.delivery_line,
    coalesce(kept.local_record_id, kept.load_id || ':' || kept.line) as number,
    make_date(event_year, coalesce(event_month, 1), 1) as event_first,
    last_day(make_date(event_year, coalesce(event_month, 12), 1)) as event_last,
    load.loaded_at::date as received,
    list_filter([mother_subject, child_subject, person_subject], lambda each: each is not null) as persons
 from clinical.stored_rows kept join clinical.loads load using (load_id))
"""
BIRTHS = (
    "(select load_id, line, max(try_cast(birth_date as date)) as birth_last from identifiers.persons"
    " where role = 'child' group by all)"
)


DIRECTIVES = "clinical.directives"
# What disposal treats in a way of its own, or keeps: counts, what nobody is in, what is about disposal itself. Every
# other table of the store goes by the row or by the number that it is about; a table of another form is a red test.
OF_THEIR_OWN = frozenset({
    "identifiers.persons", "identifiers.records", "identifiers.reports", "identifiers.issued", "subjects.presence",
    f"clinical.{TABLES[DELIVERY]}", "clinical.stored_rows", DIRECTIVES, "clinical.loads", "clinical.snapshots",
    "clinical.holds", "clinical.hold_words", "clinical.disposals", "clinical.disposed", "clinical.disposing",
    "clinical.thinned", "clinical.incident_facts", "clinical.communities", "clinical.community_words",
})  # fmt: skip


def columns_of(table: str) -> set[str]:
    """The columns of a table that do not come from the dictionary."""
    return {part.split()[0] for part in FIXED[table].split(",")}


def by_row() -> tuple[str, ...]:
    """Tables whose rows are about one stored row: they go with it."""
    return tuple(each for each in FIXED if each not in OF_THEIR_OWN and {"load_id", "line"} <= columns_of(each))


def by_number() -> tuple[str, ...]:
    """Tables whose rows are about a record number: they go with the record."""
    wanted = {"submitter", "form", "local_record_id"}
    others = (each for each in FIXED if each not in OF_THEIR_OWN and each not in by_row())
    return tuple(each for each in others if wanted <= columns_of(each))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What may go on a day.

    Attributes:
        numbers: records, each with all that was ever sent under its number.
        rows: stored rows, every version.
        records: record type to its records in those rows.
        reports: transfers whose kept reports and rejected rows go.
        presence: persons in transfers.
        snapshots, proofs: those whose time is over.
        held: records that are due and stay because of a hold.
        held_reports: transfers whose reports are due and stay because of a hold.
    """

    numbers: int = 0
    rows: int = 0
    records: dict[str, int] = field(default_factory=dict)
    reports: int = 0
    presence: int = 0
    snapshots: int = 0
    proofs: int = 0
    held: int = 0
    held_reports: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing goes."""
        return not (self.numbers or self.reports or self.presence or self.snapshots or self.proofs)

    def counts(self) -> dict[str, int]:
        """The numbers of what goes, by name: record types by theirs."""
        others = {"rows": self.rows, REPORTS: self.reports, PRESENCE: self.presence, SNAPSHOTS: self.snapshots}
        told = {"numbers": self.numbers, **self.records, **others, PROOFS: self.proofs}
        return {name: number for name, number in told.items() if number}


def plan(
    connection: duckdb.DuckDBPyConnection,
    schedule: Schedule,
    scopes: Sequence[Scope],
    today: date,
    unanswered: Collection[str] = (),
) -> Plan:
    """Find what may go `today`.

    Args:
        connection: of the store.
        schedule: what is acted on.
        scopes: of the holds in force.
        today: in UTC.
        unanswered: transfers whose submitter has no report yet; theirs are kept until they have.
    """
    held = covers_sql(scopes)
    _numbers(connection, schedule, held, today, unanswered)
    connection.execute(
        f"create or replace temp table go_rows as select load_id, line from {ROWS} rows"
        " join go_numbers using (submitter, form, number) where not held"
    )
    held_reports = _reports(connection, schedule, scopes, today, unanswered)
    _presence(connection, schedule, scopes, today)
    _others(connection, schedule, today, is_held=bool(scopes))
    records = dict(
        connection.execute(
            "select type, count(*) from go_types semi join go_rows using (load_id, line) where is_record group by type"
        ).fetchall()
    )
    of = _count(connection, "select what, count(*) from go_others group by what")
    return Plan(
        numbers=_one(connection, "select count(*) from go_numbers where not held"),
        held=_one(connection, "select count(*) from go_numbers where held"),
        rows=_one(connection, "select count(*) from go_rows"),
        records={name: int(records[name]) for name in RECORDS if name in records},
        reports=_one(connection, "select count(*) from go_reports"),
        presence=_one(connection, "select count(*) from go_presence"),
        snapshots=of.get(SNAPSHOTS, 0),
        proofs=of.get(PROOFS, 0),
        held_reports=held_reports,
    )


def own_types(form: str) -> tuple[str, ...]:
    """The record types that every row of a form is."""
    return (PERSON,) if form == PERSON else OWN_TYPES.get(form, ())


def _numbers(
    connection: duckdb.DuckDBPyConnection, schedule: Schedule, held: str, today: date, unanswered: Collection[str]
) -> None:
    """go_types and go_numbers: first what is due by its types, then what of that is held."""
    forms = [form for (form,) in connection.execute("select distinct form from clinical.stored_rows").fetchall()]
    own = ", ".join(f"({literal(form)}, {literal(name)})" for form in forms for name in own_types(form))
    told = [f"select load_id, line, {literal(name)} as type, true as is_record from clinical.{table}"
            for name, table in TABLES.items()]  # fmt: skip
    if own:
        told.append(
            f"select load_id, line, type, type = '{PERSON}' and step <> 'voided' from clinical.stored_rows"
            f" join (values {own}) own (form, type) using (form)"
        )
    connection.execute(
        "create or replace temp table go_all_types as select load_id, line, type, bool_or(is_record) as is_record"
        f" from ({' union all '.join(told)}) group by all"
    )
    connection.execute(
        "create or replace temp table go_due as"
        f" with typed as (select load_id, line, {due_sql(schedule)} as due"
        f" from go_all_types join {ROWS} rows using (load_id, line) left join {BIRTHS} born using (load_id, line))"
        " select load_id, line, case when bool_or(due is null) then null else max(due) end as due"
        " from typed group by load_id, line"
    )
    # A row of no type that the dictionary knows has no time, and its number stays.
    connection.execute(
        "create or replace temp table go_numbers as select submitter, form, number, max(due) as due, false as held"
        f" from {ROWS} rows left join go_due using (load_id, line) group by all"
        " having not bool_or(due is null) and max(due) <= $today"
        " and not bool_or(transfer in (select unnest($unanswered::varchar[])))",
        {"today": today, "unanswered": list(unanswered)},
    )
    connection.execute(
        "create or replace temp table go_types as select types.* from go_all_types types"
        f" semi join (select load_id, line from {ROWS} rows semi join go_numbers using (submitter, form, number))"
        " using (load_id, line)"
    )
    connection.execute("drop table go_all_types")
    connection.execute("drop table go_due")
    connection.execute(
        f"update go_numbers set held = true where (submitter, form, number) in (select (submitter, form, number)"
        f" from (select rows.*, types from {ROWS} rows join"
        " (select load_id, line, list(type) as types from go_types group by all) using (load_id, line))"
        f" where {held})"
    )


def _reports(
    connection: duckdb.DuckDBPyConnection,
    schedule: Schedule,
    scopes: Sequence[Scope],
    today: date,
    unanswered: Collection[str],
) -> int:
    """go_reports: of transfers whose time is over, or of which a record goes, for a report may show it."""
    over = f"coalesce(max({holding_due_sql(schedule, REPORTS, 'loaded_at')}) <= $today, false)"
    connection.execute(
        "create or replace temp table go_reports as select transfer from clinical.loads"
        " where transfer in (select transfer from identifiers.reports union select transfer from identifiers.issued)"
        f" group by transfer having ({over} or bool_or(load_id in (select load_id from go_rows)))"
        " and transfer not in (select unnest($unanswered::varchar[]))",
        {"today": today, "unanswered": list(unanswered)},
    )
    # Notices of what did not come, and alerts, are issued like reports, and are about no transfer.
    connection.execute(
        "insert into go_reports select transfer from identifiers.issued"
        " where transfer not in (select transfer from clinical.loads)"
        f" and (coalesce({holding_due_sql(schedule, REPORTS, 'issued_at')} <= $today, false) or transfer in"
        " (select notice from (select notice, submitter, form, local_record_id from clinical.waiting union all"
        " select alert, submitter, form, local_record_id from clinical.alerts) told"
        " semi join (from go_numbers where not held) gone"
        " on (told.submitter, told.form, told.local_record_id) = (gone.submitter, gone.form, gone.number)))",
        {"today": today},
    )
    if not scopes:
        return 0
    persons = sorted({person for scope in scopes for person in scope.persons})
    everybody = f"[{', '.join(map(literal, persons))}]::varchar[]"
    types = _types_of_load()
    held = covers_sql(scopes)
    connection.execute(
        "create or replace temp table go_held as"
        # By the rows that are stored,
        f" select distinct transfer from (select rows.*, {types} as types from {ROWS} rows) where {held} union"
        # by who was in it, in rejected rows too,
        f" select distinct transfer from (select transfer, submitter, first_date as event_first,"
        f" last_date as event_last, [subject] as persons, {types} as types from subjects.presence"
        f" join (select load_id, form from clinical.loads) using (load_id)) where {held} union"
        # and where nobody knows who that was, by anything that might be.
        f" select transfer from (select transfer, submitter, null::date as event_first, null::date as event_last,"
        f" {everybody} as persons, {_list(RECORDS)} as types"
        " from (select transfer, submitter from clinical.loads"
        " union select transfer, submitter from identifiers.issued)"
        f" where transfer not in (select transfer from subjects.presence)) where {held}"
    )
    number = _one(connection, "select count(*) from go_reports semi join go_held using (transfer)")
    connection.execute("delete from go_reports where transfer in (select transfer from go_held)")
    connection.execute("drop table go_held")
    return number


def _presence(connection: duckdb.DuckDBPyConnection, schedule: Schedule, scopes: Sequence[Scope], today: date) -> None:
    """go_presence: persons of whom a load has no row left, once their rows go or the time of the list is over."""
    over = f"coalesce({holding_due_sql(schedule, PRESENCE, 'loaded_at')} <= $today, false)"
    about = "unnest([mother_subject, child_subject, person_subject]) as subject"
    connection.execute(
        "create or replace temp table go_presence as select load_id, subject from"
        " (select presence.load_id, presence.transfer, presence.submitter, subject, first_date as event_first,"
        f" last_date as event_last, [subject] as persons, {_types_of_load()} as types, loaded_at"
        " from subjects.presence join (select load_id, form, loaded_at from clinical.loads) using (load_id)) told"
        f" where ({over} or (load_id, subject) in (select (load_id, subject) from (select load_id, {about}"
        " from clinical.stored_rows semi join go_rows using (load_id, line))))"
        f" and (load_id, subject) not in (select (load_id, subject) from (select load_id, {about}"
        " from clinical.stored_rows anti join go_rows using (load_id, line)) where subject is not null)"
        f" group by load_id, subject having not bool_or({covers_sql(scopes)})",
        {"today": today},
    )


def _others(connection: duckdb.DuckDBPyConnection, schedule: Schedule, today: date, *, is_held: bool) -> None:
    """go_others; any hold stops these: a snapshot's counts and a proof tell nothing of whom they are about."""
    connection.execute("create or replace temp table go_others (what varchar, id varchar)")
    for what, sql in (
        (SNAPSHOTS, "select $what, id from clinical.snapshots where {made}"),
        (PROOFS, "select $what, id from clinical.disposals where state = 'done' and salt is not null and {made}"),
    ):
        keep, unit = schedule.acted_on(what), schedule.round_up
        if keep is None or is_held:
            continue
        moment = "made_at" if what == SNAPSHOTS else "ended_at"
        made = f"(date_trunc('{unit}', {moment}::date + to_years({keep.years})) + interval 1 {unit})::date <= $today"
        connection.execute(f"insert into go_others {sql.format(made=made)}", {"what": what, "today": today})


def _types_of_load() -> str:
    """SQL: the record types that rows of `form` are; of a form that is not known, all."""
    cases = " ".join(f"when {literal(form)} then {_list(own_types(form))}" for form in (*OWN_TYPES, PERSON))
    return f"case form {cases} else {_list(RECORDS)} end"


def _list(names: Sequence[str]) -> str:
    return f"[{', '.join(map(literal, names))}]"


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def _count(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, int]:
    return {str(name): int(number) for name, number in connection.execute(sql).fetchall()}
