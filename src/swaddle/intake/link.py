"""Who each row is about, and which rows are one delivery: by the numbers in the file, nothing else.

A data subject's id is a keyed hash, so that the list of subjects names nobody without the key. The same person of one
submitter has the same id in every file. Rejected rows have subjects too: they were in the transfer.

- A person with a local number: that number.
- A mother without one: the mother of another row of the same delivery, else the delivery's number, else the record's.
- A child without one: the record's number.
- A record without a number, or one of two that claim the same number: the file and the line.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

import duckdb

from swaddle.intake.hits import counts
from swaddle.intake.tables import CHILD, GAVE_BIRTH

SUBJECT_DIGITS = 32
_PART = "chr(31)"  # a control character: no number in a file can hold it


@dataclass(frozen=True)
class Links:
    """How many of each were found, rejected rows included."""

    rows: int
    mothers: int
    children: int
    deliveries: int


def link(connection: duckdb.DuckDBPyConnection, *, submitter: str, file_digest: str, subject_key: bytes) -> Links:
    """Add mother_subject, child_subject and delivery to checked_rows, and make row_subjects (intake/tables.py).

    Args:
        connection: in which `validate` ran.
        submitter: whose numbers these are.
        file_digest: of the file, for rows that have no number.
        subject_key: the registry's secret, 32 bytes.
    """
    submitter_key = _subkey(subject_key, f"submitter:{submitter}")
    file_key = _subkey(subject_key, f"file:{submitter}:{file_digest}")
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE row_links AS
        WITH mothers AS (
            SELECT delivery_local_id, max(mother_local_id) AS mother FROM checked_rows_unlinked
            WHERE delivery_local_id IS NOT NULL AND mother_local_id IS NOT NULL GROUP BY ALL
        ), numbered AS (
            -- Her own number first: where rows of one delivery name two mothers, both women were in the file.
            SELECT line, child_local_id, delivery_local_id, coalesce(mother_local_id, mother) AS mother_local_id,
                CASE WHEN local_record_id IS NULL OR line IN (SELECT line FROM checked_file_hits WHERE id = 'D1')
                    THEN $file || {_PART} || line
                    ELSE $submitter || {_PART} || 'record' || {_PART} || local_record_id END AS record
            FROM checked_rows_unlinked LEFT JOIN mothers USING (delivery_local_id)
        ), hashed AS (SELECT *, sha256(record) AS hash FROM numbered)
        SELECT line,
            CASE WHEN mother_local_id IS NOT NULL THEN {_hash("person", "mother_local_id")}
                WHEN delivery_local_id IS NOT NULL THEN {_hash("mother of", "delivery_local_id")}
                ELSE hash[:{SUBJECT_DIGITS}] END AS mother_subject,
            CASE WHEN child_local_id IS NOT NULL THEN {_hash("person", "child_local_id")}
                ELSE hash[{SUBJECT_DIGITS + 1}:] END AS child_subject,
            CASE WHEN delivery_local_id IS NOT NULL THEN {_hash("delivery", "delivery_local_id")}
                ELSE reverse(hash[:{SUBJECT_DIGITS}]) END AS delivery
        FROM hashed
        """,
        {"submitter": submitter_key, "file": file_key},
    )
    _add_to_rows(connection)
    return _count(connection)


def _count(connection: duckdb.DuckDBPyConnection) -> Links:
    """Distinct mothers, children and deliveries; where no row has a number, each row is its own without counting."""
    rows, numbered, repeated = counts(
        connection,
        "SELECT count(*), count(coalesce(mother_local_id, child_local_id, delivery_local_id)), "
        "(SELECT count(*) FROM checked_duplicates) FROM checked_rows_unlinked",
    )
    if not numbered and not repeated:
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


def _add_to_rows(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW checked_rows AS SELECT u.*, mother_subject, child_subject, delivery "
        "FROM checked_rows_unlinked u JOIN row_links USING (line)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW row_subjects AS "
        f"SELECT line, mother_subject AS subject, '{GAVE_BIRTH}' AS category, event_first, event_last "
        "FROM row_links JOIN checked_base USING (line) UNION ALL "
        f"SELECT line, child_subject, '{CHILD}', event_first, event_last "
        "FROM row_links JOIN checked_base USING (line)"
    )
