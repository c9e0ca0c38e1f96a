"""Every indicator of one submitter beside its peers and over its own months, from the counts that `tally` left.

Reads the temporary table of tally.py and the relation `births`, which says how large each submitter is. What comes out
is a comparison, whose figures about others were released.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from swaddle.indicators.cells import DEFAULT, Cell, Policy
from swaddle.indicators.comparison import Comparison, compare_with_peers
from swaddle.indicators.control_chart import Month
from swaddle.indicators.peers import PeerGroup, Unit, group_of, groups
from swaddle.indicators.remembered import Table
from swaddle.indicators.tally import TABLE

WINDOW_MONTHS = 12
MOST_MONTHS = 36
_MONTH = "(12 * {0}year + {0}month - 1)"


def comparisons(
    connection: duckdb.DuckDBPyConnection,
    submitter: str,
    indicators: Sequence[str],
    *,
    at: str,
    policy: Policy = DEFAULT,
    earlier: Mapping[str, Sequence[Table]] | None = None,
    levels: Mapping[str, str] | None = None,
) -> dict[str, Comparison]:
    """Each indicator's comparison; one of which the submitter has no month is left out.

    Args:
        connection: has the counts of `tally` over these indicators, and the relation `births`.
        submitter: whose page this is.
        indicators: their ids.
        at: the moment of counting.
        policy: what is hidden of the peers.
        earlier: what this submitter was told of its peers before, by indicator.
        levels: submitter to its level of care, where that is known.
    """
    found = {}
    peers: dict[int, PeerGroup | None] = {}  # by last month: most indicators end in the same one
    for indicator in indicators:
        months = _own_months(connection, submitter, indicator)
        if not months:
            continue
        last = max(months)
        if last not in peers:
            peers[last] = peers_of(connection, submitter, last, levels or {})
        group = peers[last]
        counts = _counts(connection, indicator, last, group.members if group else frozenset({submitter}))
        found[indicator] = compare_with_peers(
            submitter,
            counts,
            [_month(place, months.get(place)) for place in range(max(min(months), last - MOST_MONTHS + 1), last + 1)],
            at=at,
            period=f"{WINDOW_MONTHS} months to {last // 12:04d}-{last % 12 + 1:02d}",
            policy=policy,
            earlier=(earlier or {}).get(indicator, ()),
        )
    return found


def peers_of(
    connection: duckdb.DuckDBPyConnection, submitter: str, last: int, levels: Mapping[str, str]
) -> PeerGroup | None:
    """The peer group by level of care, then by births of the year before; of the window itself where none has one.

    Those of whom nobody said the level are a level of their own.
    """
    rows = connection.execute(
        "SELECT submitter, count(*) FILTER (place <= $before), count(*) FILTER (place > $before) FROM"
        f" (SELECT submitter, {_MONTH.format('event_')} AS place FROM births)"
        " WHERE place BETWEEN $first AND $last GROUP BY submitter",
        {"first": last - 2 * WINDOW_MONTHS + 1, "before": last - WINDOW_MONTHS, "last": last},
    ).fetchall()
    for of_window in (1, 2):
        made = groups(
            Unit(name=str(row[0]), level=levels.get(str(row[0]), ""), births=int(row[of_window]))
            for row in rows
            if row[of_window]
        )
        if (group := group_of(submitter, made)) is not None:
            return group
    return None


def _own_months(connection: duckdb.DuckDBPyConnection, submitter: str, indicator: str) -> dict[int, Cell]:
    rows = connection.execute(
        f"SELECT {_MONTH.format('')} AS place, sum(counts)::BIGINT, sum(counts + placed)::BIGINT FROM {TABLE}"
        " WHERE indicator = $indicator AND submitter = $submitter AND year IS NOT NULL AND month IS NOT NULL"
        " GROUP BY place",
        {"indicator": indicator, "submitter": submitter},
    ).fetchall()
    return {place: Cell(numerator=counted, denominator=births) for place, counted, births in rows}


def _counts(
    connection: duckdb.DuckDBPyConnection, indicator: str, last: int, members: frozenset[str]
) -> dict[str, Cell]:
    rows = connection.execute(
        f"SELECT submitter, sum(counts)::BIGINT, sum(counts + placed)::BIGINT FROM {TABLE}"
        f" WHERE indicator = $indicator AND {_MONTH.format('')} BETWEEN $first AND $last"
        " AND list_contains($members, submitter) GROUP BY submitter",
        {"indicator": indicator, "first": last - WINDOW_MONTHS + 1, "last": last, "members": sorted(members)},
    ).fetchall()
    return {str(name): Cell(numerator=counted, denominator=births) for name, counted, births in rows}


def _month(place: int, cell: Cell | None) -> Month:
    when = f"{place // 12:04d}-{place % 12 + 1:02d}"
    return Month(when=when, numerator=cell.numerator if cell else 0, denominator=cell.denominator if cell else 0)
