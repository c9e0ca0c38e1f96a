"""How long each kind of record is kept, and what is due to go: a schedule, a day, and nothing else. Pure.

A schedule is a small TOML file: for each record type (and for what is kept beside records) so many years after an
event, after a child's birth, or after it was received, with where the figure comes from. `unverified` figures are shown
and never acted upon: nothing is destroyed on a number that nobody vouches for. What the schedule does not name is kept.

A record is a number: every version of it that a submitter sent, whatever came of them, goes at once, when the latest
time of all that they hold is over. `due_sql` writes `due` as SQL; a test holds both to each other.
"""

from __future__ import annotations

import calendar
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from swaddle.canonical import digest_hex
from swaddle.errors import UsageFault
from swaddle.intake.engine import literal
from swaddle.registry.records import PERSON, TABLES

RECORDS = (PERSON, *TABLES)
# What is kept beside records; each is counted from the day on which it was received or made.
REPORTS, PRESENCE, SNAPSHOTS, PROOFS = "quality_report", "presence", "snapshot", "proof_of_disposal"
HOLDINGS = (REPORTS, PRESENCE, SNAPSHOTS, PROOFS)
EVENT, BIRTH, RECEIVED = "event", "birth", "received"
ROUNDINGS = ("day", "month", "year")
MOST_YEARS = 200
# Forms whose event comes before the birth of the child that they are about: a pregnancy's length is added.
BEFORE_BIRTH = ("fertility_cycle", "antenatal", "prenatal_screen")
SCHEDULE_BYTES = 65_536


class ScheduleUnusable(UsageFault):
    """A retention schedule that cannot be followed."""

    code = "SWD-REG-80"
    what = "this retention schedule cannot be used"
    fix = "`swaddle registry retention show --toml` prints a whole one; docs/guide-keeping.md says what each line means"


@dataclass(frozen=True, kw_only=True)
class Keep:
    """How long one kind is kept.

    Attributes:
        name: a record type, or one of HOLDINGS.
        years: full years; None for as long as the registry exists.
        after: what they are counted from: EVENT, BIRTH (of the child that the record is about) or RECEIVED.
        source: where the figure comes from, in words.
        is_verified: whether somebody vouches for it. What is not is never acted upon.
    """

    name: str
    years: int | None
    after: str
    source: str
    is_verified: bool


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A retention schedule.

    Attributes:
        version: its author's own mark.
        title: a line.
        round_up: to the first day of the next `day`, `month` or `year`; a day's disposals would tell birthdays.
        keeps: by name.
        digest: SHA-256 of the file's bytes.
    """

    version: str
    title: str
    round_up: str
    keeps: Mapping[str, Keep]
    digest: str

    def acted_on(self, name: str) -> Keep | None:
        """The figure for a kind, where it is one that may be acted upon."""
        keep = self.keeps.get(name)
        return keep if keep is not None and keep.is_verified and keep.years is not None else None


def parse(text: str) -> Schedule:
    """The schedule that a TOML text says.

    Raises:
        ScheduleUnusable: it is none, or names what there is not, or a figure without its source.
    """
    if len(text.encode()) > SCHEDULE_BYTES:
        raise ScheduleUnusable("it is longer than any schedule")
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScheduleUnusable("it is not TOML") from error
    if set(told) != {"version", "title", "round_up", "keep"} or not isinstance(told["keep"], dict):
        raise ScheduleUnusable("it needs version, title, round_up and [keep.NAME] tables, and nothing else")
    for name in ("version", "title"):
        if not isinstance(told[name], str) or not 1 <= len(told[name]) <= 200 or not told[name].isprintable():
            raise ScheduleUnusable(f"{name} is a line of text in quotes")
    if told["round_up"] not in ROUNDINGS:
        raise ScheduleUnusable(f"round_up is one of {', '.join(ROUNDINGS)}")
    return Schedule(
        version=told["version"],
        title=told["title"],
        round_up=told["round_up"],
        keeps={name: _keep(name, each) for name, each in told["keep"].items()},
        digest=digest_hex(text.encode()),
    )


def _keep(name: str, told: Any) -> Keep:
    if name not in (*RECORDS, *HOLDINGS):
        raise ScheduleUnusable(f"there are keep tables for {', '.join((*RECORDS, *HOLDINGS))} alone")
    if not isinstance(told, dict) or set(told) != {"years", "after", "source", "standing"}:
        raise ScheduleUnusable(f"keep.{name} needs years, after, source and standing, and nothing else")
    years, after, source, standing = told["years"], told["after"], told["source"], told["standing"]
    if years != "always" and (type(years) is not int or not 0 <= years <= MOST_YEARS):
        raise ScheduleUnusable(f'keep.{name}: years is a whole number up to {MOST_YEARS}, or "always"')
    if after not in ((EVENT, BIRTH, RECEIVED) if name in RECORDS else (RECEIVED,)):
        raise ScheduleUnusable(f"keep.{name}: after is event, birth or received for records, received for the rest")
    if not isinstance(source, str) or not source.strip() or len(source) > 1000:
        raise ScheduleUnusable(f"keep.{name}: source says where the figure comes from")
    if standing not in ("verified", "unverified"):
        raise ScheduleUnusable(f"keep.{name}: standing is verified or unverified")
    return Keep(
        name=name, years=None if years == "always" else years, after=after, source=source.strip(),
        is_verified=standing == "verified",
    )  # fmt: skip


def as_if_vouched(schedule: Schedule) -> Schedule:
    """The schedule with every figure taken for verified: for looking at what it would do, never for doing it."""
    return replace(schedule, keeps={name: replace(keep, is_verified=True) for name, keep in schedule.keeps.items()})


@dataclass(frozen=True, kw_only=True)
class Times:
    """What the times of a row are counted from.

    Attributes:
        form: what a row of its file is.
        event_last: the last day that its event's date can mean; None where it has none.
        birth_last: the same of the child's birth, where it is known.
        received: the day on which the registry stored it.
    """

    form: str
    event_last: date | None
    birth_last: date | None
    received: date


def due(schedule: Schedule, types: Iterable[str], times: Times) -> date | None:
    """The first day on which a row of these record types may go; None for never.

    The latest of its types decides: a row that holds a mother's delivery and a child's birth stays for the child.
    """
    days = [_due_of(schedule, name, times) for name in types]
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None


def _due_of(schedule: Schedule, name: str, times: Times) -> date | None:
    keep = schedule.acted_on(name)
    if keep is None or keep.years is None:
        return None
    start = times.event_last or times.received
    if keep.after == RECEIVED:
        start = times.received
    elif keep.after == BIRTH and times.birth_last is not None:
        start = times.birth_last
    elif keep.after == BIRTH and times.form in BEFORE_BIRTH:
        start = later(start, 1)
    return rounded_up(later(start, keep.years), schedule.round_up)


def holding_due(schedule: Schedule, name: str, received: date) -> date | None:
    """The first day on which something kept beside records may go; None for never."""
    keep = schedule.acted_on(name)
    return None if keep is None or keep.years is None else rounded_up(later(received, keep.years), schedule.round_up)


def later(day: date, years: int) -> date:
    """So many years later; 29 February becomes the 28th where there is none."""
    year = min(day.year + years, date.max.year - 1)
    return date(year, day.month, min(day.day, calendar.monthrange(year, day.month)[1]))


def rounded_up(day: date, to: str) -> date:
    """The first day behind the day, month or year in which `day` lies: what ends in it may go from then on."""
    if to == "day":
        return day + timedelta(days=1)
    if to == "month":
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return date(day.year + 1, 1, 1)


def due_sql(schedule: Schedule) -> str:
    """`due` of one record type as SQL over type, form, event_last, birth_last and received: a date, null for never."""
    event = "coalesce(event_last, received)"
    before = ", ".join(map(literal, BEFORE_BIRTH))
    birth = (
        f"coalesce(birth_last, case when form in ({before}) then ({event} + interval 1 year)::date else {event} end)"
    )
    starts = {EVENT: event, BIRTH: birth, RECEIVED: "received"}
    cases = [
        f"when {literal(name)} then " + _rounded_sql(f"({starts[keep.after]} + to_years({keep.years}))", schedule)
        for name in RECORDS
        if (keep := schedule.acted_on(name)) is not None
    ]
    return f"case type {' '.join(cases)} end" if cases else "null::date"


def holding_due_sql(schedule: Schedule, name: str, moment: str) -> str:
    """`holding_due` as SQL; `moment` is SQL of when it was received or made."""
    keep = schedule.acted_on(name)
    return "null::date" if keep is None else _rounded_sql(f"({moment}::date + to_years({keep.years}))", schedule)


def _rounded_sql(day: str, schedule: Schedule) -> str:
    return f"(date_trunc('{schedule.round_up}', {day}) + interval 1 {schedule.round_up})::date"


def told(schedule: Schedule) -> dict[str, Any]:
    """The schedule as `registry retention show --json` prints it."""
    return {
        "version": schedule.version,
        "title": schedule.title,
        "round_up": schedule.round_up,
        "sha256": schedule.digest,
        "keep": [
            {
                "name": each.name, "years": each.years, "after": each.after, "source": each.source,
                "standing": "verified" if each.is_verified else "unverified",
                "acted_on": schedule.acted_on(each.name) is not None,
            }
            for each in schedule.keeps.values()
        ],
        "not_named": [name for name in (*RECORDS, *HOLDINGS) if name not in schedule.keeps],
    }  # fmt: skip
