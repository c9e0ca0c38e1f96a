"""Who is in which transfer, counted from the subjects file: what exposure is computed from.

A data subject has one id for a submitter and local person number, so a person in two transfers is one person. Rows of
loads that were never committed do not count.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import duckdb

COUNTED = "subjects.presence join clinical.loads using (load_id) where presence.transfer in (select unnest($transfers))"


def counts(connection: duckdb.DuckDBPyConnection, transfers: Collection[str]) -> dict[str, Any]:
    """Distinct persons in these transfers: in all, by category with first and last date, by submitter.

    `let_go` is how many persons were in them and are not listed any more (disposal.py), one in two transfers twice.
    A person can be in two categories (a child of 1990 who gives birth in 2026), so categories do not add up to `all`.
    """
    bound = {"transfers": list(transfers)}
    by_category = connection.execute(
        "select category, count(distinct subject), min(first_date), max(last_date)"
        f" from {COUNTED} group by category order by category",
        bound,
    ).fetchall()
    by_submitter = connection.execute(
        f"select presence.submitter, count(distinct subject) from {COUNTED} group by 1 order by 1", bound
    ).fetchall()
    row = connection.execute(f"select count(distinct subject) from {COUNTED}", bound).fetchone()
    gone = connection.execute(
        "select coalesce(sum(persons), 0) from clinical.thinned where transfer in (select unnest($transfers))", bound
    ).fetchone()
    assert row is not None
    assert gone is not None
    return {
        "persons": int(row[0]),
        "let_go": int(gone[0]),
        "by_category": [
            {
                "category": category,
                "persons": int(persons),
                "first": None if first is None else first.isoformat(),
                "last": None if last is None else last.isoformat(),
            }
            for category, persons, first, last in by_category
        ],
        "by_submitter": [{"submitter": submitter, "persons": int(persons)} for submitter, persons in by_submitter],
    }


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
        " from identifiers.persons join clinical.loads using (load_id)"
        " where loads.transfer in (select unnest($transfers))),"
        f" known as (select distinct subject from {COUNTED}),"
        " placed as (select subject, upper(left(replace(arg_max(code, load_id), ' ', ''), 3)) as area from told"
        " where code is not null group by subject)"
        " select area, count(*) from known left join placed using (subject) group by area order by area nulls last",
        {"transfers": list(transfers)},
    ).fetchall()
    return [{"area": area or None, "persons": int(persons)} for area, persons in rows]


def in_both(connection: duckdb.DuckDBPyConnection, transfers: Collection[str], others: Collection[str]) -> int:
    """Distinct persons who are in the first transfers and in the others."""
    row = connection.execute(
        f"select count(*) from (select distinct subject from {COUNTED} intersect select distinct subject from"
        f" {COUNTED.replace('$transfers', '$others')})",
        {"transfers": list(transfers), "others": list(others)},
    ).fetchone()
    assert row is not None
    return int(row[0])


def not_joined(connection: duckdb.DuckDBPyConnection, transfers: Collection[str]) -> int:
    """Submitters whose persons are counted apart: somebody known to two of them is two here. 0 where there is one."""
    row = connection.execute(
        f"select count(distinct presence.submitter) from {COUNTED}", {"transfers": list(transfers)}
    ).fetchone()
    assert row is not None
    return int(row[0]) if int(row[0]) > 1 else 0


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
