"""Who is in which transfer, counted from the subjects file: what exposure is computed from.

A data subject has one id for a submitter and local person number, so a person in two transfers is one person. Rows of
loads that were never committed do not count.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import duckdb

ASKED = "(select load_id from clinical.loads where transfer in (select unnest($transfers))) asked"
COUNTED = f"subjects.presence semi join {ASKED} using (load_id)"


def counts(connection: duckdb.DuckDBPyConnection, transfers: Collection[str]) -> dict[str, Any]:
    """Distinct persons in these transfers: in all, by category with first and last date, by submitter.

    `let_go` is how many persons were in them and are not listed any more (disposal.py), one in two transfers twice.
    A person can be in two categories (a child of 1990 who gives birth in 2026), so categories do not add up to `all`.
    Everybody is looked at once: a row a person, with a bit for each category and the first and last submitter.
    """
    bound = {"transfers": list(transfers)}
    dates = connection.execute(
        f"select category, min(first_date), max(last_date) from {COUNTED} group by category order by category", bound
    ).fetchall()
    names = {"names": [category for category, _, _ in dates]}
    connection.execute(
        "create or replace temp table incident_persons as select subject,"
        " bit_or(1::bigint << list_position($names, category)) as categories,"
        f" min(submitter) as one, max(submitter) as other from {COUNTED} group by subject",
        bound | names,
    )
    try:
        persons = _one(connection, "select count(*) from incident_persons")
        by_category = [
            _one(connection, "select count(*) from incident_persons where categories & (1::bigint << ?) <> 0", [place])
            for place in range(1, len(dates) + 1)
        ]
        by_submitter = dict(
            connection.execute("select one, count(*) from incident_persons where one = other group by one").fetchall()
        )
        shared = connection.execute(  # persons whom several submitters told of count for each
            f"select submitter, count(distinct subject) from {COUNTED} semi join"
            " (select subject from incident_persons where one <> other) using (subject) group by submitter",
            bound,
        ).fetchall()
    finally:
        connection.execute("drop table incident_persons")
    for submitter, number in shared:
        by_submitter[submitter] = by_submitter.get(submitter, 0) + number
    gone = _one(
        connection,
        "select coalesce(sum(persons), 0) from clinical.thinned where transfer in (select unnest($transfers))",
        bound,
    )
    return {
        "persons": persons,
        "let_go": gone,
        "by_category": [
            {
                "category": category,
                "persons": number,
                "first": None if first is None else first.isoformat(),
                "last": None if last is None else last.isoformat(),
            }
            for (category, first, last), number in zip(dates, by_category, strict=True)
        ],
        "by_submitter": [
            {"submitter": submitter, "persons": number} for submitter, number in sorted(by_submitter.items())
        ],
    }


def _one(connection: duckdb.DuckDBPyConnection, sql: str, values: Any = None) -> int:
    """The one number that a query gives."""
    row = connection.execute(sql, values or []).fetchone()
    assert row is not None
    return int(row[0])


def transfers(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Transfers that were opened, so that whoever is in them is written down."""
    rows = connection.execute(
        "select transfer from clinical.loads where outcome <> 'unreadable' and member = 0 and sheet = 0 order by 1"
    ).fetchall()
    return [transfer for (transfer,) in rows]


def residence(connection: duckdb.DuckDBPyConnection, transfers: Collection[str]) -> list[dict[str, Any]]:
    """Distinct persons by the first three characters of the postal code that was told last; None where none was.

    A person without one of its own has that of the row it came in: a newborn lives where its mother does. Small cells
    stay as they are: this is for the registry's own officer, and never leaves as it is.
    """
    rows = connection.execute(
        "with told as (select subject, load_id,"
        " coalesce(postal_code, max(postal_code) over (partition by load_id, line)) as code"
        f" from identifiers.persons semi join {ASKED} using (load_id)),"
        f" known as (select distinct subject from {COUNTED}),"
        " placed as (select subject, upper(left(replace(arg_max(code, load_id), ' ', ''), 3)) as area from told"
        " where code is not null group by subject)"
        " select area, count(*) from known left join placed using (subject) group by area order by area nulls last",
        {"transfers": list(transfers)},
    ).fetchall()
    return [{"area": area or None, "persons": int(persons)} for area, persons in rows]


def in_both(connection: duckdb.DuckDBPyConnection, transfers: Collection[str], others: Collection[str]) -> int:
    """Distinct persons who are in the first transfers and in the others."""
    return _one(
        connection,
        f"select count(*) from (select distinct subject from {COUNTED} intersect select distinct subject from"
        f" {COUNTED.replace('$transfers', '$others')})",
        {"transfers": list(transfers), "others": list(others)},
    )


def not_joined(connection: duckdb.DuckDBPyConnection, transfers: Collection[str]) -> int:
    """Submitters whose persons are counted apart: somebody known to two of them is two here. 0 where there is one."""
    number = _one(connection, f"select count(distinct submitter) from {COUNTED}", {"transfers": list(transfers)})
    return number if number > 1 else 0


def transfers_about(connection: duckdb.DuckDBPyConnection, category: str) -> list[str]:
    """Transfers in which somebody of this category is (`gave birth`, `newborn or child` and so on)."""
    rows = connection.execute(
        "select distinct transfer from subjects.presence join clinical.loads using (load_id, transfer)"
        " where category = ? order by 1",
        [category],
    ).fetchall()
    return [transfer for (transfer,) in rows]


def categories(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The categories that somebody is in."""
    rows = connection.execute("select distinct category from subjects.presence order by 1").fetchall()
    return [category for (category,) in rows]
