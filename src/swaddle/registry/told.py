"""What each submitter was told of the others, kept so that the next report can be laid beside it.

Counts that were released and nothing else: they hold no more than the reports that were sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from swaddle.indicators.remembered import Table, from_json
from swaddle.indicators.results import IndicatorResult
from swaddle.registry.inside import Registry

MOST_KEPT = 200  # tables of one indicator that one reader was told; four a week for a year
SCHEMA = """
create table if not exists told (
    number integer primary key, reader text not null, indicator text not null, body text not null) strict;
create index if not exists told_by_reader on told (reader, indicator);
"""


def earlier(inside: Registry, reader: str) -> dict[str, list[Table]]:
    """What this submitter was told before, by indicator, oldest first."""
    inside.state.prepare(SCHEMA)
    found: dict[str, list[Table]] = {}
    for indicator, body in inside.state.run(
        "select indicator, body from told where reader = ? order by number", (reader,)
    ).fetchall():
        found.setdefault(indicator, []).append(from_json(json.loads(body)))
    return found


def remember(inside: Registry, reader: str, results: Iterable[IndicatorResult]) -> None:
    """Keep what these results tell of others, where it is not what was told last."""
    inside.state.prepare(SCHEMA)
    for item in results:
        if item.told is None or item.told.total.suppressed or item.row("others") is None:
            continue
        body = json.dumps(item.told.to_json(), sort_keys=True)
        last = inside.state.run(
            "select body from told where reader = ? and indicator = ? order by number desc limit 1", (reader, item.id)
        ).fetchone()
        if last is None or last[0] != body:
            inside.state.run("insert into told (reader, indicator, body) values (?, ?, ?)", (reader, item.id, body))
        inside.state.run(
            "delete from told where reader = ? and indicator = ? and number not in"
            " (select number from told where reader = ? and indicator = ? order by number desc limit ?)",
            (reader, item.id, reader, item.id, MOST_KEPT),
        )
