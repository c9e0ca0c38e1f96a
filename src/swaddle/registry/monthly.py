"""The report of a month: counted over a submitter's own records, beside its peers, kept, sealed and sent once.

Its id is made of submitter and month, and of what it says: the same figures are the same report, other figures of the
same month are a revised one. What was issued stays; what could not be sent goes when the command is given again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from swaddle import durable
from swaddle.canonical import canonical, format_instant
from swaddle.errors import UsageFault
from swaddle.feedback.bundle import unpack
from swaddle.feedback.deliver import clear
from swaddle.feedback.monthly import Count, Figure, Month, Printed, bundle
from swaddle.feedback.pdf import printed
from swaddle.feedback.trend import Sent
from swaddle.indicators.beside_peers import MOST_MONTHS, comparisons
from swaddle.indicators.fields import UNITS
from swaddle.indicators.gathering import OF, gather
from swaddle.indicators.judging import judged
from swaddle.indicators.model import Definition
from swaddle.indicators.shelf import FOLDER, shelf
from swaddle.indicators.tally import tally
from swaddle.indicators.waits import Wait, waits
from swaddle.registry import alerts, giving, issued, levels, told, units
from swaddle.registry.inside import Registry
from swaddle.registry.state import Submitter

_ROWS = "month_rows"
_PLACE = "(12 * event_year + event_month - 1)"
_MONTH = re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])")
_SENT = "month-report"  # the fact, with the report's id, that holds the transfer it went as
_HALF = 16  # hex digits of the id that name submitter and month; the others name what is said


class NoSuchMonth(UsageFault):
    """A month that is not one, or has not ended."""

    code = "SWD-REG-98"
    what = "there is no report of that month"
    why = "a month is written 2026-10, and has a report when it has ended"
    fix = "give a month that has ended"


class NobodyToTell(UsageFault):
    """A submitter that is not active here."""

    code = "SWD-REG-99"
    what = "no active submitter has that name or id"
    fix = "see `swaddle registry submitters`"


def report(
    inside: Registry, *, month: str | None = None, submitter: str | None = None, preview: str | None = None
) -> dict[str, Any]:
    """Make the month's reports and send them; or write them into a folder, and send and remember nothing.

    Args:
        inside: the registry.
        month: 2026-10; the last that ended where it is not given.
        submitter: name or id of one; all active ones where it is not given.
        preview: a folder that gets a folder for each submitter, named by its id.

    Raises:
        NoSuchMonth, NobodyToTell: nothing was made.
    """
    place = _place(inside, month)
    chosen = _chosen(inside, submitter, to_send=preview is None)
    found = list(made(inside, place, chosen, None if preview is None else Path(preview)))
    return {
        "month": named(place),
        "snapshot": found[0][0] if found else None,
        "reports": [each for _, each in found],
    }


def made(
    inside: Registry,
    place: int,
    chosen: Sequence[Submitter],
    preview: Path | None = None,
    begin: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Make the reports of a month one after another, each sent when it comes out here; may be left off in between.

    Args:
        inside: the registry.
        place: the month, as months since year 0.
        chosen: for whom.
        preview: a folder to write into; then nothing is sent or remembered.
        begin: is told each submitter's id before its report is begun.

    Yields:
        The id of the data's state, and `submitter`, `name`, `id`, `outcome`.
    """
    with closing(inside.store.cursor()) as tables:
        for name in units.RELATIONS:
            tables.execute(
                f"create or replace temp view {name} as select * from"
                f" ({units.relation(name, inside.store.placement)})"
                # What nobody is compared by is not read: thirteen years of it cost most of the time.
                f" where {_PLACE} between {place - MOST_MONTHS + 1} and {place}"
            )
        definitions = shelf(inside.home / FOLDER).definitions
        state = _state(tables, definitions)
        unscreened = _not_judged(inside, place)
        for one in chosen:
            begin(one.id)
            counted = _counted(inside, tables, definitions, one, place, state, unscreened.get(one.id, {}))
            if not any(each.month.denominator or each.month.unknown for each in counted.figures):
                yield state, {"submitter": one.id, "name": one.name, "id": None, "outcome": "no records"}
                continue
            outcome = _write(inside, counted, one, preview) if preview else _send(inside, counted, one)
            yield state, {"submitter": one.id, "name": one.name, "id": counted.report, "outcome": outcome}


def place_of(month: str) -> int:
    """A month written 2026-10, as months since year 0.

    Raises:
        NoSuchMonth: it is not written so.
    """
    if not _MONTH.fullmatch(month):
        raise NoSuchMonth
    year, _, part = month.partition("-")
    return 12 * int(year) + int(part) - 1


def named(place: int) -> str:
    """A month as it is written: 2026-10."""
    return f"{place // 12:04d}-{place % 12 + 1:02d}"


def was_told(inside: Registry, submitter: str, place: int, *, but: str = "") -> bool:
    """Whether a report of this month went to this submitter, another one than `but`."""
    first = _first(submitter, place)
    row = inside.state.run(
        "select 1 from facts where substr(name, 1, ?) = ? and name <> ? limit 1",
        (len(_SENT) + 1 + _HALF, f"{_SENT} {first}", f"{_SENT} {but}"),
    ).fetchone()
    return row is not None


def is_sent(inside: Registry, report: str) -> bool:
    """Whether the gateway holds a month's report, or held it."""
    return inside.state.fact(f"{_SENT} {report}") is not None


def _place(inside: Registry, month: str | None) -> int:
    now = inside.now()
    last = 12 * now.year + now.month - 2  # the month before this one
    if month is None:
        return last
    place = place_of(month)
    if place > last:
        raise NoSuchMonth
    return place


def _chosen(inside: Registry, name: str | None, *, to_send: bool) -> list[Submitter]:
    """Who gets one; a submitter that came in by the SFTP door alone has no key to seal to, but can be looked at."""
    named = None if name is None else inside.state.submitter_named(name) or inside.state.submitter(name)
    asked = inside.state.submitters() if name is None else [named] if named is not None else []
    chosen = [one for one in asked if one.state == "active" and (one.sealing is not None or not to_send)]
    if name is not None and not chosen:
        raise NobodyToTell
    return chosen


def _state(tables: duckdb.DuckDBPyConnection, definitions: Sequence[Definition]) -> str:
    """Count all submitters, for the peers; an id of these counts: the same data counted again have the same."""
    tally(tables, definitions)
    rows = tables.execute(
        "select indicator, submitter, year, month, coalesce(grouped, ''), sum(counts)::bigint, sum(placed)::bigint,"
        " sum(unknown)::bigint from indicator_counts group by all order by all"
    ).fetchall()
    return sha256(canonical([list(row) for row in rows])).hexdigest()[:32]


def _not_judged(inside: Registry, place: int) -> dict[str, dict[str, int]]:
    """Newborns of the month of whom no alert can say whether their screen is missing."""
    first = date(place // 12, place % 12 + 1, 1)
    last = date((place + 1) // 12, (place + 1) % 12 + 1, 1) - timedelta(days=1)
    return alerts.not_judged(inside.store, inside.now(), first, last)


def _counted(
    inside: Registry,
    tables: duckdb.DuckDBPyConnection,
    definitions: Sequence[Definition],
    one: Submitter,
    place: int,
    state: str,
    not_judged: Mapping[str, int],
) -> Month:
    times: list[Wait] = []
    figures = tuple(_figures(tables, definitions, one.id, place, times))
    at, reader = format_instant(inside.now()), told.among_peers(one.id)
    answered = [each.definition.id for each in figures if not each.lacking and each.month.denominator]
    compared = comparisons(
        tables,
        one.id,
        answered,
        at=at,
        policy=told.policy_of(inside.settings),
        earlier=told.earlier(inside, reader),
        levels=levels.of_all(inside),
    )
    says = [[each.definition.id, *_plain(each.month), *each.cases] for each in figures]
    first = _first(one.id, place)
    identity = first + sha256(canonical(says)).hexdigest()[:_HALF]
    return Month(
        report=identity,
        name=one.name,
        month=named(place),
        at=at,
        dictionary=inside.store.dictionary.version,
        snapshot=state,
        revised=was_told(inside, one.id, place, but=identity),
        figures=figures,
        comparisons=compared,
        not_judged=not_judged,
        sent=_sent(inside, one.id, place),
        waits=tuple(times),
    )


def _sent(inside: Registry, submitter: str, place: int) -> tuple[Sent, ...]:
    """Rows that came in the month and in the eleven before it, and how many had an error."""
    rows = inside.store.connection.execute(
        "select date_trunc('month', loaded_at), sum(rows_read)::bigint, sum(rows_rejected)::bigint from clinical.loads"
        " where submitter = $submitter and member = 0 and sheet = 0 and rows_read > 0"
        " and 12 * year(loaded_at) + month(loaded_at) - 1 between $first and $last group by 1 order by 1",
        {"submitter": submitter, "first": place - 11, "last": place},
    ).fetchall()
    return tuple(
        Sent(at=datetime(month.year, month.month, 1, tzinfo=UTC), read=read, rejected=rejected)
        for month, read, rejected in rows
    )


def _figures(
    tables: duckdb.DuckDBPyConnection,
    definitions: Sequence[Definition],
    submitter: str,
    place: int,
    times: list[Wait],
) -> Iterator[Figure]:
    """Own counts of the month and of the twelve before it, with the records of the month that count.

    What the same rows tell of waits goes to `times`: they are read once.
    """
    in_order = sorted(definitions, key=lambda item: UNITS[item.counts_of].relation)
    for _, items in groupby(in_order, key=lambda item: UNITS[item.counts_of].relation):
        together = list(items)
        several = len({item.counts_of for item in together}) > 1
        gather(
            tables,
            _ROWS,
            together,
            extra=f"{_PLACE} as place, own_number",
            where=f"submitter = $submitter and {_PLACE} between {place - 12} and {place}",
            values={"submitter": submitter},
        )
        times += waits(tables, _ROWS, place)
        for item in together:
            only = f" where {OF}{item.counts_of}" if several else ""
            rows = tables.execute(
                f"select place = {place}, grouped, inside, event, own_number"
                f" from ({judged(item, f'(from {_ROWS}{only})')})"
            ).fetchall()
            yield _figure(item, rows)
        tables.execute(f"drop table if exists {_ROWS}")


def _figure(item: Definition, rows: Sequence[tuple[Any, ...]]) -> Figure:
    totals = {True: [0, 0, 0], False: [0, 0, 0]}
    parts: dict[str, list[int]] = {name: [0, 0, 0] for name in (*(band.id for band in item.bands), *item.groups)}
    cases = []
    for now, group, inside, event, record in rows:
        placed = bool(inside) and event is not None
        seen = [int(placed and bool(event)), int(placed), int(not placed)]
        totals[now] = [had + more for had, more in zip(totals[now], seen, strict=True)]
        if now and group in parts:
            parts[group] = [had + more for had, more in zip(parts[group], seen, strict=True)]
        if now and seen[0] and record is not None:
            cases.append(str(record))
    if item.bands:  # a band shares the indicator's denominator
        parts = {name: [cell[0], totals[True][1], totals[True][2]] for name, cell in parts.items()}
    month = Count(numerator=totals[True][0], denominator=totals[True][1], unknown=totals[True][2])
    return Figure(
        definition=item,
        month=month,
        before=Count(numerator=totals[False][0], denominator=totals[False][1], unknown=totals[False][2]),
        parts={
            name: Count(numerator=cell[0], denominator=cell[1], unknown=cell[2])
            for name, cell in parts.items()
            if cell[1] or cell[2]
        },
        cases=tuple(sorted(cases)),
        lacking=not month.denominator,
    )


def _plain(cell: Count) -> tuple[int, int, int]:
    return cell.numerator, cell.denominator, cell.unknown


def _first(submitter: str, place: int) -> str:
    return sha256(canonical(["month", submitter, named(place)])).hexdigest()[:_HALF]


def _send(inside: Registry, counted: Month, one: Submitter) -> str:
    """Keep it, then send it; one that the gateway had already is not sent again."""
    known = issued.of(inside.store, counted.report) is not None
    if known and is_sent(inside, counted.report):
        return "unchanged"
    if not known:
        # Remembered first: a kill between the two counts as told what was not, and never the other way round.
        tables = {name: each.told for name, each in counted.comparisons.items()}
        told.remember_tables(inside, told.among_peers(one.id), tables)
        issued.keep(inside.store, counted.report, one.id, bundle(counted, _printed(inside)), inside.now())
    for other in inside.outbox.glob(f"{counted.report[:_HALF]}*"):
        if other.name != counted.report:
            clear(other)  # sealed by a run that was killed, and told by this one: it never goes out
    feedback = giving.send_report(inside, counted.report, one)
    inside.state.set_fact(f"{_SENT} {counted.report}", feedback)
    clear(inside.outbox / counted.report)
    return "revised" if counted.revised else "sent"


def _printed(inside: Registry) -> Printed | None:
    return printed if inside.settings.report_pdf == "yes" else None


def _write(inside: Registry, counted: Month, one: Submitter, folder: Path) -> str:
    there = folder / one.id  # an id of ours: hex digits
    durable.make_folder(folder)
    durable.make_folder(there)
    for name, data in unpack(bundle(counted, _printed(inside))).items():
        durable.write_file(there / name, data)
    return "written"
