"""The rows that a community's demand keeps out of all that is told of others: units.py makes them no peers."""

from __future__ import annotations

import json

import duckdb

from swaddle.registry.community import IN_FORCE, Demand

APART = "clinical.set_apart"  # rows that are told of to their own submitter alone
IDENTITY = "mother_indigenous_identity"


def set_apart(connection: duckdb.DuckDBPyConnection, load_id: int | None = None) -> None:
    """Set the rows of the demands in force apart: all anew, or those of one load in the transaction that stores it.

    By what stands in the row itself: the mother's postal code, and what she said there that she is.
    """
    if load_id is None:
        connection.execute(f"delete from {APART}")
    states = ", ".join(f"'{each.value}'" for each in IN_FORCE)
    demands = connection.execute(f"select body from clinical.communities where state in ({states})").fetchall()
    if not demands:
        return
    there = {column[0] for column in connection.execute("select * from clinical.stored_rows limit 0").description or ()}
    said = f"list_contains($identities::varchar[], kept.{IDENTITY})" if IDENTITY in there else "false"
    lives = (
        "len(list_filter($postal::varchar[], lambda prefix:"
        " starts_with(replace(upper(person.postal_code), ' ', ''), prefix))) > 0"
    )
    for (body,) in demands:
        each = Demand.from_json(json.loads(body))
        connection.execute(
            f"insert into {APART} select distinct kept.load_id, kept.line, $community from clinical.stored_rows kept"
            " left join identifiers.persons person on person.load_id = kept.load_id and person.line = kept.line"
            f" and person.role = 'mother' where (coalesce({said}, false) or coalesce({lives}, false))"
            " and ($load is null or kept.load_id = $load)"
            + ("" if IDENTITY in there else " and len($identities::varchar[]) >= 0"),
            {"community": each.id, "identities": list(each.identities), "postal": list(each.postal), "load": load_id},
        )
