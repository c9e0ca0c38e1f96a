"""The tables that reading, checking and linking leave in the connection, and the values that go with them.

All are temporary tables or views of the connection that was passed in: they vanish with it, they stand beside whatever
else is attached, and another cursor of the same database does not see them.

After `read.read`:

    staged_raw(line BIGINT, c0 … cN VARCHAR)
        the rows with as many cells as the header; `line` is the physical line of a CSV file on which the row starts
        (the header is line 1), the row number from 1 in Parquet; a blank cell is NULL; c0 … cN are in the file's
        order (`Staged.columns` holds their names)
    staged_broken(line BIGINT, why VARCHAR, raw VARCHAR)
        lines that are no row: `why` is the id of a check (B1 …), `raw` the start of the line

After `validate.validate`:

    checked_rows                                          one row for each row of the file, broken ones too
        line BIGINT
        verdict VARCHAR            'accepted' or 'rejected'
        duplicate BOOLEAN          an accepted row whose very content stands in the file above: keep the first
        event_first, event_last DATE   first and last day that event_date can mean; NULL where it cannot be read
        <field>                    every wide field of the dictionary, typed: BIGINT for int, DOUBLE for decimal, DATE
                                   for date, TIMESTAMP for datetime, BOOLEAN for yesno, VARCHAR for the rest (codes
                                   are the dictionary's, several joined by ';'; event_date is canonical: '2024-11')
        <field>_missing VARCHAR    why there is no value: NI, ASKU, NA, MSK, NC; NULL where there is a value, where an
                                   optional field was left blank, and on a broken line
    checked_findings(line BIGINT, rule VARCHAR, severity VARCHAR, field VARCHAR, value VARCHAR)
        one row for each finding about a row; those that fire on over half of the rows and are no errors are not listed
        row by row (see `Checked.findings`)

After `link.link`, checked_rows has also:

        mother_subject, child_subject VARCHAR   32 hex digits; the same person has the same in every file of a submitter
        delivery VARCHAR                        32 hex digits; rows of one delivery share it and the mother
    row_subjects(line BIGINT, subject VARCHAR, category VARCHAR, event_first DATE, event_last DATE)
        two rows for each row of the file, rejected ones too; category is one of CATEGORIES
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from swaddle.intake.mapping import Mapping

VALUE_SHOWN = 200  # characters of a value in a finding

ACCEPTED = "accepted"
REJECTED = "rejected"
GAVE_BIRTH = "gave birth"
CHILD = "newborn or child"
PREGNANCY = "pregnancy care"
FERTILITY = "fertility treatment"
CATEGORIES = (GAVE_BIRTH, PREGNANCY, FERTILITY, CHILD)  # as what somebody is in a transfer
NOT_VOID = (
    "(action IS DISTINCT FROM 'void')"  # SQL; a row that takes a record back is asked for no more than its number
)
REFUSED_OVER = 0.20  # share of rows with an error above which the whole file is refused (a wrong mapping, most likely)


@dataclass(frozen=True)
class Finding:
    """One finding about the file as a whole."""

    rule: str
    count: int = 1
    facts: Map[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Staged:
    """What was read: tables staged_raw and staged_broken are in the connection."""

    mapping: Mapping
    rows_read: int
    columns: tuple[str, ...]
    structural: tuple[Finding, ...]
    file_digest: str
    format: str
    encoding: str = "utf-8"
    where: str = "line"


@dataclass(frozen=True)
class Example:
    """One place where a finding occurs."""

    line: int
    field: str
    value: str | None


@dataclass(frozen=True, kw_only=True)
class FindingSummary:
    """One kind of finding, with how often and where; `scope` 'file' where it is told once for the whole file."""

    rule: str
    scope: str
    severity: str
    count: int
    field: str
    text: str
    fix: str
    examples: tuple[Example, ...]
    text_fr: str = ""
    fix_fr: str = ""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the check found: tables checked_rows and checked_findings are in the connection.

    Attributes:
        rows_read: rows of the file; always accepted + rejected.
        duplicates: accepted rows whose very content stands in the file above.
        refused: over 20 % of the rows have an error; nothing of the file should be stored.
        findings: errors first, then warnings, each by how often.
        not_carried: wide fields that this file's layout does not hold.
        not_evaluated: rule id to rows on which it could not be asked.
        records: record type to number of records in the accepted rows.
        kind, title: the layout's name and title.
        form: what a row tells of.
        slots: slots of the form that the layout holds: the others make no records.
        where: what a line is called: line, row, record, message, entry.
        registry_only: ids of checks that only the registry can make (site, what is stored already).
        keys_derived: the layout has no record number of its own; (file digest, row) stands in for it.
    """

    rows_read: int
    accepted: int
    rejected: int
    duplicates: int
    refused: bool
    findings: tuple[FindingSummary, ...]
    not_carried: tuple[str, ...]
    not_evaluated: Map[str, int]
    records: Map[str, int]
    kind: str
    title: str
    dictionary_version: str
    keys_derived: bool
    columns: tuple[str, ...]
    registry_only: tuple[str, ...]
    form: str = "birth"
    slots: tuple[str, ...] = ()
    where: str = "line"
