"""Whom an incident is about, at the size of the story's own registry, and compared with brute force.

    python bench/exposure.py                        1.4 million mothers, 1.9 million children, 60,000 transfers
    python bench/exposure.py --mothers 25000000 --submitters 1000 --no-brute-force      60 million persons

The rows are generated, not encrypted; the code that counts is the registry's and the incident's own. Brute force is a
plain Python set over every row.
"""

from __future__ import annotations

import argparse
import resource
import time
from datetime import date, timedelta
from typing import Any

import duckdb

from swaddle.canonical import format_instant, parse_instant
from swaddle.incident.scope import open_incident, scope
from swaddle.registry import subjects

BEGAN = date(2010, 1, 1)
DAYS = 4_898  # to 31 May 2023
CHILDREN_OF_MOTHERS = 1.9 / 1.4


def generated(mothers: int, transfers: int, submitters: int) -> duckdb.DuckDBPyConnection:
    """The store's tables about who is in which transfer; one birth in ten is told twice."""
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as clinical")
    connection.execute("attach ':memory:' as subjects")
    connection.execute("attach ':memory:' as identifiers")
    children = round(mothers * CHILDREN_OF_MOTHERS)
    connection.execute(
        f"create table clinical.loads as select i as load_id, printf('%032x', i) as transfer, 'stored' as outcome,"
        f" printf('%032x', i % {submitters} + 1000000000) as submitter, 0 as member, 0 as sheet"
        f" from range({transfers}) t(i)"
    )
    connection.execute("create table clinical.thinned (transfer varchar, persons bigint, disposal varchar)")
    told = f"select i, (i * {transfers} // {children}) % {transfers} as load_id from range({children}) t(i)"
    again = f"select i, (i * {transfers} // {children} + 1) % {transfers} as load_id from range(0, {children}, 10) t(i)"
    connection.execute(
        "create table subjects.presence as"
        f" with births as ({told} union all {again}),"
        f" dated as (select *, date '{BEGAN}' + cast(i * {DAYS} // {children} as integer) as day from births)"
        " select load_id, printf('%032x', load_id) as transfer,"
        f" printf('%032x', load_id % {submitters} + 1000000000) as submitter, unnest(["
        f" {{'s': printf('m%x', i % {mothers}), 'c': 'gave birth'}},"
        " {'s': printf('c%x', i), 'c': 'newborn or child'}],"
        " recursive := true), day as first_date, day as last_date from dated"
    )
    connection.execute("alter table subjects.presence rename s to subject")
    connection.execute("alter table subjects.presence rename c to category")
    connection.execute(
        "create table identifiers.persons as select load_id, 1::bigint as line, subject,"
        " 'K' || (hash(subject) % 10)::varchar || 'A0B1' as postal_code"
        " from subjects.presence where category = 'gave birth'"
    )
    return connection


class Inside:
    """The registry as an incident asks it, over generated tables and generated custody."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, transfers: int, submitters: int) -> None:
        """Custody of each transfer: six entries on the day it came; it stayed on the server, as in the story."""
        self._connection = connection
        self.entries: list[dict[str, Any]] = []
        start = parse_instant("2010-01-01T00:00:00Z")
        self._submitters = [f"{i % submitters + 1_000_000_000:032x}" for i in range(transfers)]
        for i in range(transfers):
            at = start + timedelta(seconds=i * DAYS * 86_400 // transfers)
            sides = {"sender": self._submitters[i], "submitter": self._submitters[i], "recipient": "c" * 32}
            for event, detail in (
                ("transfer-announced", {**sides, "expires": format_instant(at + timedelta(days=3))}),
                ("transfer-receiving", {"place": "gateway"}),
                ("transfer-held", {**sides, "place": "gateway"}),
                ("transfer-leased", {"place": "gateway"}),
                ("transfer-pulled", {"place": "registry"}),
                ("submission-stored", {"submitter": self._submitters[i]}),
            ):
                self.note(event, f"{i:032x}", detail, format_instant(at))

    def note(self, event: str, subject: str, detail: dict[str, Any], at: str) -> None:
        """One entry."""
        self.entries.append({
            "sequence": len(self.entries) + 1, "at": at, "event": event, "subject": subject, "detail": detail,
            "previous": "0" * 64,
        })  # fmt: skip

    def do(self, operation: str, **values: Any) -> Any:
        """As registry/operations.py does it."""
        if operation == "custody-append":
            return self.note(values["event"], values["subject"], values["detail"], "2023-06-01T00:00:00Z")
        return getattr(self, f"_{operation.replace('-', '_')}")(**values)

    def _drain_journal(self) -> dict[str, Any]:
        return {"reached": True}

    def _custody_entries(self) -> list[dict[str, Any]]:
        return list(self.entries)

    def _transfer_facts(self) -> list[dict[str, Any]]:
        return [
            {"id": f"{i:032x}", "submitter": submitter, "outcome": "stored", "stated_subjects": None}
            for i, submitter in enumerate(self._submitters)
        ]

    def _subject_transfers(self) -> list[str]:
        return subjects.transfers(self._connection)

    def _subject_counts(self, transfers: list[str]) -> dict[str, Any]:
        return subjects.counts(self._connection, transfers)

    def _subject_details(self, transfers: list[str]) -> dict[str, Any]:
        return {
            "by_residence": subjects.residence(self._connection, transfers),
            "data_elements": [],
            "counted_apart": subjects.not_joined(self._connection, transfers),
        }

    def _subject_overlap(self, transfers: list[str], others: list[str]) -> int:
        return subjects.in_both(self._connection, transfers, others)


def brute_force(
    connection: duckdb.DuckDBPyConnection, transfers: set[str]
) -> tuple[int, dict[str, tuple[int, Any, Any]]]:
    """Distinct persons, and by category with first and last date: row by row."""
    everybody: set[str] = set()
    by_category: dict[str, tuple[set[str], list[Any]]] = {}
    rows = connection.execute("select transfer, subject, category, first_date from subjects.presence")
    while page := rows.fetchmany(100_000):
        for transfer, subject, category, day in page:
            if transfer in transfers:
                everybody.add(subject)
                own, days = by_category.setdefault(category, (set(), [day, day]))
                own.add(subject)
                days[0], days[1] = min(days[0], day), max(days[1], day)
    return len(everybody), {name: (len(own), *days) for name, (own, days) in by_category.items()}


def main() -> None:
    """Print one row."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mothers", type=int, default=1_400_000)
    arguments.add_argument("--transfers", type=int, default=60_000)
    arguments.add_argument("--submitters", type=int, default=150)
    arguments.add_argument("--to", default="2023-05-31T00:00:00Z", help="Last moment of the window.")
    arguments.add_argument("--no-brute-force", action="store_true")
    told = arguments.parse_args()
    connection = generated(told.mothers, told.transfers, told.submitters)
    inside = Inside(connection, told.transfers, told.submitters)
    incident = open_incident(inside, "2010-01-01T00:00:00Z", told.to)["incident"]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    found = scope(inside, incident)
    seconds = time.monotonic() - began
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"transfers {found['transfers']['upper']:,}  persons {found['persons']['upper']:,}")
    for row in found["by_category"]:
        print(f"  {row['category']:<20} {row['persons']:>11,}  {row['first']} to {row['last']}")
    print(f"scope {seconds:.2f} s; memory at its most {most / 1024:,.0f} MB ({before / 1024:,.0f} MB before)")
    if told.no_brute_force:
        return
    began = time.monotonic()
    known = {f"{i:032x}" for i in range(told.transfers)}
    touched = {each["subject"] for each in inside.entries if each["at"] <= told.to and each["subject"] in known}
    persons, by_category = brute_force(connection, touched)
    theirs = {row["category"]: (row["persons"], row["first"], row["last"]) for row in found["by_category"]}
    ours = {name: (count, str(first), str(last)) for name, (count, first, last) in by_category.items()}
    if (persons, ours) != (found["persons"]["upper"], theirs):
        raise SystemExit("NOT equal to brute force")
    print(f"equal to brute force, which took {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
