"""What the gateway tells its registry about itself: counts and freezes, nothing of a transfer."""

from __future__ import annotations

from swaddle.canonical import format_instant
from swaddle.gateway import door_sending, journal, restored, rows
from swaddle.gateway.freeze import Cause
from swaddle.gateway.index import Index, moment
from swaddle.wire.messages import FreezeView, GatewayStatus


def count(index: Index, free_bytes: int) -> GatewayStatus:
    """Counts for `GET /v1/status` and `gateway status`."""
    tallies = {row["what"]: int(row["number"]) for row in index.rows("SELECT what, number FROM tallies")}
    stored_bytes = tallies.pop("part bytes", 0)
    return GatewayStatus(
        server_time=format_instant(index.now()),
        transfers={state: number for state, number in sorted(tallies.items()) if number},
        submitters=_number(index, "SELECT count(*) FROM submitters WHERE revoked = 0"),
        pending_enrolments=_number(index, "SELECT count(*) FROM enrolments WHERE state = 'waiting'"),
        freezes=tuple(
            FreezeView(
                id=row["id"], reader=row["reader"], cause=row["cause"],
                since=format_instant(moment(row["since"])), transfer=row["transfer"],
            )
            for row in index.rows("SELECT * FROM freezes ORDER BY since, id")
        ),
        body_bytes=stored_bytes,
        free_bytes=free_bytes,
        allowance=int(index.fact("allowance") or 1),
        last_instruction=int(index.fact("last_instruction") or 0),
        journal_entries=journal.length(index),
        changed_settings={
            row["name"]: row["value"] for row in index.rows("SELECT name, value FROM changed_settings ORDER BY name")
        },
        restored=index.fact(restored.WAITS),
        door=door_sending.told(index),
    )  # fmt: skip


def freeze_if_broken(index: Index, after: int | None = None) -> bool:
    """Follow the journal's chain; all reading freezes when it does not hold. True when it holds.

    Args:
        index: the rows.
        after: the page that is about to be given out: what follows this number; the whole journal where it is None.
    """
    try:
        if after is None:
            journal.check(index)
        else:
            journal.check_page(index, after)
    except journal.JournalBroken:
        rows.begin_freeze(index, Cause.CHAIN, None, None)
        return False
    return True


def _number(index: Index, sql: str) -> int:
    row = index.row(sql)
    return 0 if row is None else int(row[0])
