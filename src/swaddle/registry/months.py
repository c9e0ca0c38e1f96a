"""The reports of a month that `registry run` makes by itself: once the month is old enough, and anew for late data.

    a new day with new data, or a month come of age -> whom to look at -> slices -> sealed and sent

The last month's report goes to everyone on day `report_month_day` of the next: until then its data are still coming.
What late data change in the months that were told before is told as a revised one, at most once a day. A look makes
reports for some seconds and lets pulls and commands have their turn; what is left goes on with at the next look, also
after a restart.
"""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from swaddle.canonical import format_instant
from swaddle.errors import NetworkFault, SettingsFault, SwaddleError
from swaddle.registry import monthly
from swaddle.registry.inside import Registry
from swaddle.registry.state import Submitter

SCHEMA = """
create table if not exists months_waiting (
    month text not null, submitter text not null, since text not null, primary key (month, submitter)) strict;
"""
SEEN = "months"  # the fact that holds the day of the last plan, and what it saw
WATCHED = 3  # months that late data can revise: the last that ended and those before it
SLICE_S = 20.0  # of making reports in one look; counting comes on top


def plan(inside: Registry) -> int:
    """Note whose reports are to be looked at, where a day with something new has begun; how many wait."""
    inside.state.prepare(SCHEMA)
    now = inside.now()
    day = inside.settings.report_month_day
    if day == 0:
        inside.state.run("delete from months_waiting")
        return 0
    newest, today = _newest(inside), now.date()
    last = due(today, day)
    seen = (inside.state.fact(SEEN) or "").split(" ")
    state = [str(newest), monthly.named(last)]
    if seen[1:] != state and seen[0] != today.isoformat() and newest:
        for submitter in inside.state.submitters():
            for place in range(last - WATCHED + 1, last + 1):
                if place == last or monthly.was_told(inside, submitter.id, place):
                    inside.state.run(
                        "insert into months_waiting values (?, ?, ?) on conflict do nothing",
                        (monthly.named(place), submitter.id, format_instant(now)),
                    )
        inside.state.set_fact(SEEN, " ".join([today.isoformat(), *state]))
    row = inside.state.run("select count(*) from months_waiting").fetchone()
    return int(row[0])


def step(inside: Registry) -> dict[str, Any]:
    """Make some of the reports that wait, of the oldest month.

    One that meets a fault of ours waits for the next plan: it must not stand in the others' way.

    Returns:
        `month`, `reports` as in `month-report`, `left` that wait still, `fault` the name of a fault of ours or None.

    Raises:
        NetworkFault, SettingsFault: the gateway was not reached or the disk said no.
    """
    month, chosen = _next(inside)
    told: list[dict[str, Any]] = []
    if month is None:
        return {"month": None, "reports": told, "left": 0, "fault": None}
    doing: list[str] = []
    end, fault = time.monotonic() + SLICE_S, None
    try:
        for _, made in monthly.made(inside, monthly.place_of(month), chosen, begin=doing.append):
            told.append(made)
            _over(inside, month, made["submitter"])
            if time.monotonic() > end:
                break
    except (NetworkFault, SettingsFault):
        raise  # the gateway or the disk: what is left goes at the next look
    except Exception as error:  # noqa: BLE001  its text may hold a value
        fault = error.code if isinstance(error, SwaddleError) else type(error).__name__
        for each in doing[-1:] or [one.id for one in chosen]:  # before the first one is begun, it is everybody's
            _over(inside, month, each)
    row = inside.state.run("select count(*) from months_waiting").fetchone()
    return {"month": month, "reports": told, "left": int(row[0]), "fault": fault}


def due(today: date, day: int) -> int:
    """The place (months since year 0) of the last month whose report is due: day `day` of the next has begun."""
    return 12 * today.year + today.month - (2 if today.day >= day else 3)


def _next(inside: Registry) -> tuple[str | None, list[Submitter]]:
    """The oldest month that waits, and who waits for it; who cannot be told any more waits no longer."""
    inside.state.prepare(SCHEMA)
    rows = inside.state.run(
        "select month, submitter from months_waiting where month = (select min(month) from months_waiting) order by 2"
    ).fetchall()
    chosen = []
    for month, each in rows:
        known = inside.state.submitter(each)
        if known is not None and known.state == "active" and known.sealing is not None:
            chosen.append(known)
        else:
            _over(inside, month, each)
    return (rows[0][0] if chosen else None), chosen


def _over(inside: Registry, month: str, submitter: str) -> None:
    inside.state.run("delete from months_waiting where month = ? and submitter = ?", (month, submitter))


def _newest(inside: Registry) -> int:
    row = inside.store.connection.execute("select coalesce(max(load_id), 0) from clinical.loads").fetchone()
    return int(row[0]) if row else 0
