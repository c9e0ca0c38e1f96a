"""Who each row is about, and which rows are one delivery: by the numbers in the file, nothing else.

A data subject's id is a keyed hash, so that the list of subjects names nobody without the key. The same person of one
submitter has the same id in every file. Rejected rows have subjects too: they were in the transfer.

- A person with a local number: that number.
- A mother without one: the mother of another row of the same delivery, else the delivery's number, else the record's.
- A child without one: the record's number.
- A person on their own (form person): their number, else the record's.
- The mother of a child's later record (stay, screen, care after birth), where it tells nothing of her: nobody.
- A record without a number, or one of two that claim the same number: the file and the line.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

import duckdb

from swaddle.intake.engine import literal
from swaddle.intake.hits import counts
from swaddle.intake.tables import CHILD, FERTILITY, GAVE_BIRTH, PREGNANCY

SUBJECT_DIGITS = 32
BIRTH, PERSON = "birth", "person"
# What the mother is in a row of a form; in the others she gave birth.
_CATEGORIES = {"antenatal": PREGNANCY, "prenatal_screen": PREGNANCY, "fertility_cycle": FERTILITY}
_DELIVERIES = frozenset({BIRTH, "delivery", "postpartum_mother"})  # forms of which each row is about a delivery
_WITHOUT_HER = frozenset({"postpartum_child", "nicu_stay", "newborn_screen"})  # forms whose rows may leave her out
# Fields by which a row tells that there is somebody; each of them identifies, alone or with others.
_TELLING = (
    *("local_id", "hcn", "family_name", "given_names", "former_family_name", "birth_date"),
    *("address_line", "city", "postal_code", "phone"),
)
_PART = "chr(31)"  # a control character: no number in a file can hold it


@dataclass(frozen=True)
class Links:
    """How many of each were found, rejected rows included."""

    rows: int
    mothers: int
    children: int
    deliveries: int


def link(
    connection: duckdb.DuckDBPyConnection, *, submitter: str, file_digest: str, subject_key: bytes, form: str = BIRTH
) -> Links:
    """Add subjects and delivery to checked_rows, and make row_subjects (intake/tables.py).

    Args:
        connection: in which `validate` ran.
        submitter: whose numbers these are.
        file_digest: of the file, for rows that have no number.
        subject_key: the registry's secret, 32 bytes.
        form: of the rows.
    """
    submitter_key = _subkey(subject_key, f"submitter:{submitter}")
    file_key = _subkey(subject_key, f"file:{submitter}:{file_digest}")
    there = {
        column[0] for column in connection.execute("SELECT * FROM checked_rows_unlinked LIMIT 0").description or ()
    }
    numbers = ("mother_local_id", "child_local_id", "person_local_id", "delivery_local_id")
    told = ", ".join(
        name if name in there else f"NULL::VARCHAR AS {name}" for name in ("line", "local_record_id", *numbers)
    )
    is_mother = _is_told("mother", there, always=form not in _WITHOUT_HER)
    is_child = _is_told("child", there, always=True)
    # The record numbers of births came first, and keep the ids that they gave.
    kind = "'record'" if form == BIRTH else f"{literal(f'record of {form}')}"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE row_links AS
        WITH told AS (SELECT {told}, {is_mother} AS has_mother, {is_child} AS has_child FROM checked_rows_unlinked),
        mothers AS (
            SELECT delivery_local_id, max(mother_local_id) AS mother FROM told
            WHERE delivery_local_id IS NOT NULL AND mother_local_id IS NOT NULL GROUP BY ALL
        ), numbered AS (
            -- Her own number first: where rows of one delivery name two mothers, both women were in the file.
            SELECT line, child_local_id, person_local_id, delivery_local_id, has_mother, has_child,
                coalesce(mother_local_id, mother) AS mother_local_id,
                CASE WHEN local_record_id IS NULL OR line IN (SELECT line FROM checked_file_hits WHERE id = 'D1')
                    THEN $file || {_PART} || line
                    ELSE $submitter || {_PART} || {kind} || {_PART} || local_record_id END AS record
            FROM told LEFT JOIN mothers USING (delivery_local_id)
        ), hashed AS (SELECT *, sha256(record) AS hash FROM numbered)
        SELECT line,
            CASE WHEN mother_local_id IS NOT NULL THEN {_hash("person", "mother_local_id")}
                WHEN NOT has_mother THEN NULL
                WHEN delivery_local_id IS NOT NULL THEN {_hash("mother of", "delivery_local_id")}
                ELSE hash[:{SUBJECT_DIGITS}] END AS mother_subject,
            CASE WHEN child_local_id IS NOT NULL THEN {_hash("person", "child_local_id")}
                WHEN NOT has_child THEN NULL ELSE hash[{SUBJECT_DIGITS + 1}:] END AS child_subject,
            {_person(form)} AS person_subject,
            CASE WHEN delivery_local_id IS NOT NULL THEN {_hash("delivery", "delivery_local_id")}
                {"ELSE reverse(hash[:32])" if form in _DELIVERIES else ""} END AS delivery
        FROM hashed
        """,
        {"submitter": submitter_key, "file": file_key},
    )
    _add_to_rows(connection, form, there)
    return _count(connection, there)


def _person(form: str) -> str:
    """The subject of a row that is about one person."""
    if form != PERSON:
        return "NULL::VARCHAR"
    return (
        f"CASE WHEN person_local_id IS NOT NULL THEN {_hash('person', 'person_local_id')} "
        f"ELSE hash[:{SUBJECT_DIGITS}] END"
    )


def _is_told(role: str, there: set[str], *, always: bool) -> str:
    """Whether a row is about somebody in that role: it names them by anything."""
    if f"{role}_local_id" not in there:
        return "false"
    names = [f"CAST({role}_{name} AS VARCHAR)" for name in _TELLING if f"{role}_{name}" in there]
    return "true" if always else f"coalesce({', '.join(names)}) IS NOT NULL"


def _count(connection: duckdb.DuckDBPyConnection, there: set[str]) -> Links:
    """Distinct mothers, children and deliveries; where no row has a number, each row is its own without counting."""
    names = ("mother_local_id", "child_local_id", "delivery_local_id")
    numbers = [name for name in names if name in there]
    rows, numbered, repeated = counts(
        connection,
        f"SELECT count(*), count(coalesce({', '.join([*numbers, 'NULL'])})), "
        "(SELECT count(*) FROM checked_duplicates) FROM checked_rows_unlinked",
    )
    if not numbered and not repeated and len(numbers) == len(names):
        return Links(rows, rows, rows, rows)
    return Links(
        *counts(
            connection,
            "SELECT count(*), count(DISTINCT mother_subject), count(DISTINCT child_subject), count(DISTINCT delivery) "
            "FROM row_links",
        )
    )


def _hash(what: str, number: str) -> str:
    return f"sha256($submitter || {_PART} || '{what}' || {_PART} || {number})[:{SUBJECT_DIGITS}]"


def _subkey(subject_key: bytes, purpose: str) -> str:
    return hmac.digest(subject_key, b"swaddle subject " + purpose.encode(), "sha256").hex()


def _add_to_rows(connection: duckdb.DuckDBPyConnection, form: str, there: set[str]) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW checked_rows AS "
        "SELECT u.*, mother_subject, child_subject, person_subject, delivery "
        "FROM checked_rows_unlinked u JOIN row_links USING (line)"
    )
    role = "person_role" if "person_role" in there else "NULL"
    parts = [("mother_subject", literal(_CATEGORIES.get(form, GAVE_BIRTH))), ("child_subject", literal(CHILD))]
    if form == PERSON:
        parts = [("person_subject", f"CASE WHEN {role} = 'child' THEN {literal(CHILD)} ELSE {literal(PREGNANCY)} END")]
    each = [
        f"SELECT line, {subject} AS subject, {category} AS category, event_first, event_last "
        f"FROM row_links JOIN checked_base USING (line) WHERE {subject} IS NOT NULL"
        for subject, category in parts
    ]
    connection.execute(f"CREATE OR REPLACE TEMP VIEW row_subjects AS {' UNION ALL '.join(each)}")
