"""What each submitter was told of the others, kept so that the next report can be laid beside it.

Counts that were released and nothing else: they hold no more than the reports that were sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from swaddle.indicators.cells import Policy
from swaddle.indicators.remembered import Table, from_json
from swaddle.indicators.results import IndicatorResult
from swaddle.registry.inside import Registry
from swaddle.registry.settings import Settings

MOST_KEPT = 200  # tables of one indicator that one reader was told; four a week for a year
EVERYBODY = "everybody"  # the reader of what is told of all together; no submitter's id
SCHEMA = """
create table if not exists told (
    number integer primary key, reader text not null, indicator text not null, body text not null) strict;
create index if not exists told_by_reader on told (reader, indicator);
"""


def policy_of(settings: Settings) -> Policy:
    """What this registry hides of others."""
    return Policy(
        threshold=settings.report_threshold,
        zeros="hide" if settings.report_zeros == "hide" else "show",
        rounding=settings.report_rounding,
        withheld=frozenset(name.strip() for name in settings.report_withheld.split(",") if name.strip()),
    )


def earlier(inside: Registry, reader: str) -> dict[str, list[Table]]:
    """What this submitter was told before, by indicator, oldest first."""
    inside.state.prepare(SCHEMA)
    found: dict[str, list[Table]] = {}
    for indicator, body in inside.state.run(
        "select indicator, body from told where reader = ? order by number", (reader,)
    ).fetchall():
        found.setdefault(indicator, []).append(from_json(json.loads(body)))
    return found


def among_peers(reader: str) -> str:
    """The name under which it is kept what a submitter was told of its peers, beside what it was told of all others."""
    return f"{reader} peers"


def remember(inside: Registry, reader: str, results: Iterable[IndicatorResult]) -> None:
    """Keep what these results tell of others."""
    tables = {item.id: item.told for item in results if item.told is not None and item.row("others") is not None}
    remember_tables(inside, reader, tables)


def remember_tables(inside: Registry, reader: str, tables: Mapping[str, Table]) -> None:
    """Keep the tables that tell something, by indicator, where they are not what was told last."""
    inside.state.prepare(SCHEMA)
    for indicator, table in tables.items():
        if table.total.suppressed:
            continue
        body = json.dumps(table.to_json(), sort_keys=True)
        last = inside.state.run(
            "select body from told where reader = ? and indicator = ? order by number desc limit 1", (reader, indicator)
        ).fetchone()
        if last is None or last[0] != body:
            inside.state.run("insert into told (reader, indicator, body) values (?, ?, ?)", (reader, indicator, body))
        inside.state.run(
            "delete from told where reader = ? and indicator = ? and number not in"
            " (select number from told where reader = ? and indicator = ? order by number desc limit ?)",
            (reader, indicator, reader, indicator, MOST_KEPT),
        )
