"""`tally`: how many persons a campaign over many organisations reached, from the lists that were published. Pure.

Every rule here errs towards fewer, so that the total is an "at least": an organisation under two names is one, a number
told again is counted once, a number restated replaces the one before, of a range the low end counts, and what a client
lost at its vendor is inside the vendor's number. A person hit at two organisations is counted at both, because lists
name no persons.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from swaddle.incident.tally_figures import ABOUT, AT_LEAST, EXACT, RANGE, UNSAID
from swaddle.incident.tally_match import organisations
from swaddle.incident.tally_read import VERIS, Disclosure, Read

APART_DAYS = 180  # two disclosures of one organisation further apart than this are two breaches
COUNTED, REPLACED, REPEATED, SILENT, PART, INSIDE = (
    "counted", "replaced by a later number", "the same number again", "no number", "counted, one state's part",
    "inside the vendor's number",
)  # fmt: skip


@dataclass
class Breach:
    """What one organisation lost at one time, as every row about it says.

    Attributes:
        owner: the organisation's number.
        rows: their numbers, in the order in which they were told.
        clients: breaches whose rows say that they happened here.
    """

    owner: int
    rows: list[int] = field(default_factory=list)
    clients: list[Breach] = field(default_factory=list)
    inside: Breach | None = None


@dataclass(frozen=True)
class Number:
    """What stands of all that was said of a breach."""

    low: int | None
    high: int | None
    how: str


def tally(read: Read, *, apart_days: int = APART_DAYS) -> dict[str, Any]:
    """The object of `tally --json`.

    Args:
        read: the rows of every list, and what could not be read.
        apart_days: disclosures of one organisation further apart than this are two breaches.
    """
    rows = read.rows
    vendors = sorted({row.vendor for row in rows if row.vendor})
    numbered = organisations([*((row.names, row.state) for row in rows), *(((name,), "") for name in vendors)])
    owners = numbered[: len(rows)]
    vendor_of = dict(zip(vendors, numbered[len(rows) :], strict=True))
    as_of = _as_of(rows)
    breaches = _breaches(rows, owners, as_of, timedelta(days=apart_days))
    _put_inside(rows, breaches, vendor_of, timedelta(days=apart_days))
    every = [breach for own in breaches.values() for breach in own]
    uses = {number: use for breach in every for number, use in _uses(rows, breach).items()}
    ranked = _ranked(rows, breaches, uses)
    kinds = Counter(_kind(rows, own) for own in breaches.values())
    return {
        "organisations": len(breaches),
        "individuals_at_least": sum(row["individuals"] or 0 for row in ranked),
        "gave_number": kinds[EXACT],
        "gave_range": sum(kinds[kind] for kind in (RANGE, AT_LEAST, ABOUT)),
        "not_disclosed": kinds[UNSAID],
        "breaches": len(every),
        "growth": _growth(rows, breaches, as_of),
        "by_sector": _by_sector(ranked),
        "lists": [{"file": name, "rows": sum(row.file == name for row in rows)} for name in read.files],
        "rows_read": len(rows) + len(read.refused),
        "rows_by_use": dict(Counter(uses[number] for number in sorted(uses))),
        "refused": read.refused,
        "unreadable": read.unreadable,
        "rows": ranked,
    }


def _as_of(rows: Sequence[Disclosure]) -> dict[str, date | None]:
    """The last day that each list knows of: two snapshots of one portal are put in order by it."""
    last: dict[str, date | None] = {}
    for row in rows:
        before = last.get(row.file)
        last[row.file] = row.day if before is None else max(before, row.day or before)
    return last


def _breaches(
    rows: Sequence[Disclosure], owners: Sequence[int], as_of: Mapping[str, date | None], apart: timedelta
) -> dict[int, list[Breach]]:
    by_owner: defaultdict[int, list[int]] = defaultdict(list)
    for number, owner in enumerate(owners):
        by_owner[owner].append(number)
    found: dict[int, list[Breach]] = {}
    for owner, numbers in by_owner.items():
        own: list[Breach] = []
        for number in sorted(numbers, key=lambda each: (*_order(rows[each], as_of), each)):
            home = next((each for each in own if _one_breach(rows, each, rows[number], apart)), None)
            if home is None:
                own.append(home := Breach(owner))
            home.rows.append(number)
        found[owner] = own
    return found


def _order(row: Disclosure, as_of: Mapping[str, date | None]) -> tuple[date, date]:
    told = (as_of[row.file] if row.updated else row.day) or date.min
    return told, row.day or date.min


def _one_breach(rows: Sequence[Disclosure], breach: Breach, row: Disclosure, apart: timedelta) -> bool:
    """Whether a row is about a breach that other rows are about."""
    others = [rows[number] for number in breach.rows]
    if row.case and any(other.case == row.case and _one_numbering(other, row) for other in others):
        return True
    for other in others:
        if other.case and row.case and _one_numbering(other, row):
            return False  # these are two
        if other.updated and row.updated:  # a portal keeps a breach's day, and never says it twice but by mistake
            if other.day != row.day or (other.file == row.file and other.figure != row.figure):
                return False
        elif other.day and row.day and abs(other.day - row.day) > apart:
            return False
    return True


def _one_numbering(one: Disclosure, other: Disclosure) -> bool:
    """Whether the numbers that two rows give their breaches can be compared."""
    return one.file == other.file or (one.case.startswith(VERIS) and other.case.startswith(VERIS))


def _put_inside(
    rows: Sequence[Disclosure], breaches: Mapping[int, list[Breach]], vendor_of: Mapping[str, int], apart: timedelta
) -> None:
    """Clients' breaches go under their vendor's, where the vendor told of it too."""
    for own in breaches.values():
        for breach in own:
            named = {vendor_of[rows[number].vendor] for number in breach.rows if rows[number].vendor}
            hosts = [host for vendor in sorted(named) for host in breaches.get(vendor, ()) if vendor != breach.owner]
            near = [(gap, at) for at, host in enumerate(hosts) if (gap := _gap(rows, breach, host)) <= apart]
            if not near:
                continue
            host = hosts[min(near)[1]]
            above: Breach | None = host
            while above is not None and above is not breach:
                above = above.inside
            if above is None:  # no ring: who is inside another cannot hold it
                breach.inside = host
                host.clients.append(breach)


def _gap(rows: Sequence[Disclosure], one: Breach, other: Breach) -> timedelta:
    days, others = _days(rows, one), _days(rows, other)
    return min((abs(a - b) for a in days for b in others), default=timedelta(0))


def _days(rows: Sequence[Disclosure], breach: Breach) -> list[date]:
    return [day for number in breach.rows if (day := rows[number].day)]


def number_of(rows: Iterable[Disclosure]) -> Number:
    """What stands of rows about one breach, in the order in which they were told.

    The last number of the whole replaces those before; silence replaces nothing. Parts of single states add up, and
    stand where they come to more, or where nobody told the whole.
    """
    whole: Number | None = None
    parts: dict[str, int] = {}
    for row in rows:
        if row.figure.low is None:
            continue
        if row.part:
            parts[row.file] = row.figure.low
        else:
            whole = Number(row.figure.low, row.figure.high, row.figure.kind)
    if parts and (whole is None or sum(parts.values()) > (whole.low or 0)):
        return Number(sum(parts.values()), None, AT_LEAST)
    return whole or Number(None, None, UNSAID)


def _with_clients(rows: Sequence[Disclosure], breach: Breach, known: Mapping[int, date] | None, until: date) -> Number:
    """A breach's number together with its clients'; `known` leaves out what was told after `until`."""
    own = number_of(rows[n] for n in breach.rows if known is None or known.get(n, date.max) <= until)
    inner = [_with_clients(rows, client, known, until) for client in breach.clients]
    if not any(each.low is not None for each in inner):
        return own
    together = sum(each.low or 0 for each in inner)
    if own.low is not None and own.low >= together:
        return own
    return Number(together, None, "sum of clients")


def _uses(rows: Sequence[Disclosure], breach: Breach) -> dict[int, str]:
    """What became of each row of a breach."""
    found: dict[int, str] = {}
    standing: int | None = None
    for number in breach.rows:
        row = rows[number]
        if row.figure.low is None:
            found[number] = SILENT
        elif row.part:
            found[number] = PART
        elif standing is not None and rows[standing].figure == row.figure:
            found[number] = REPEATED
        else:
            if standing is not None:
                for earlier, use in found.items():
                    if use in {COUNTED, REPEATED} and not rows[earlier].part:
                        found[earlier] = REPLACED
            standing = number
            found[number] = COUNTED
    if breach.inside is not None:
        found = {number: INSIDE if use in {COUNTED, PART} else use for number, use in found.items()}
    return found


def _ranked(
    rows: Sequence[Disclosure], breaches: Mapping[int, list[Breach]], uses: Mapping[int, str]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for own in breaches.values():
        if not (outside := [breach for breach in own if breach.inside is None]):
            continue
        numbers = [_with_clients(rows, breach, None, date.max) for breach in outside]
        told = [number for number in numbers if number.low is not None]
        days = [day for breach in outside for day in _days(rows, breach)]
        ends = [number.high for number in told]
        found.append(
            {
                "organisation": spelling(rows[number] for breach in own for number in breach.rows),
                "individuals": sum(number.low or 0 for number in told) if told else None,
                "individuals_at_most": sum(end or 0 for end in ends) if told and None not in ends else None,
                "how": _how(told, len(outside)),
                "breaches": len(outside),
                "date": min(days).isoformat() if days else None,
                "sector": next((rows[n].sector for b in own for n in b.rows if rows[n].sector), ""),
                "rows": sum(len(_all_rows(breach)) for breach in outside),
                "restated": sum(uses[n] == REPLACED for breach in outside for n in breach.rows),
                "clients": _clients(rows, outside, uses),
                "sources": [_source(rows, number, uses) for breach in outside for number in breach.rows],
            }
        )
    found.sort(key=lambda row: (-(row["individuals"] if row["individuals"] is not None else -1), row["organisation"]))
    return [{"rank": at if row["individuals"] is not None else None, **row} for at, row in enumerate(found, 1)]


def _clients(rows: Sequence[Disclosure], hosts: Iterable[Breach], uses: Mapping[int, str]) -> list[dict[str, Any]]:
    found = []
    for host in hosts:
        for client in host.clients:
            found.append(
                {
                    "organisation": spelling(rows[number] for number in client.rows),
                    "individuals": number_of(rows[number] for number in client.rows).low,
                    "sources": [_source(rows, number, uses) for number in client.rows],
                }
            )
            found += _clients(rows, [client], uses)
    return found


def _how(told: Sequence[Number], breaches: int) -> str:
    if not told:
        return UNSAID
    kinds = {number.how for number in told}
    kind = kinds.pop() if len(kinds) == 1 else AT_LEAST
    return f"{kind}, sum of {breaches} breaches" if breaches > 1 else kind


def _source(rows: Sequence[Disclosure], number: int, uses: Mapping[int, str]) -> dict[str, Any]:
    row = rows[number]
    day = row.day.isoformat() if row.day else None
    return {"file": row.file, "row": row.row, "name": row.names[0], "stated": row.stated, "date": day,
            "use": uses[number]}  # fmt: skip


def spelling(rows: Iterable[Disclosure]) -> str:
    """The name under which an organisation is shown: the one that most rows give, the first of those."""
    counted = Counter(row.names[0] for row in rows)
    return max(counted, key=lambda name: counted[name])


def _kind(rows: Sequence[Disclosure], own: Sequence[Breach]) -> str:
    numbers = [number_of(rows[number] for number in breach.rows) for breach in own]
    told = {number.how for number in numbers if number.low is not None}
    return EXACT if told == {EXACT} else AT_LEAST if told else UNSAID


def _growth(
    rows: Sequence[Disclosure], breaches: Mapping[int, list[Breach]], as_of: Mapping[str, date | None]
) -> list[dict[str, Any]]:
    """Persons and organisations known by the end of each month, from the days that the rows give."""
    known = _known(rows, breaches, as_of)
    persons: Counter[date] = Counter()
    first: Counter[date] = Counter()
    for own in breaches.values():
        dated = [known[number] for breach in own for number in breach.rows if number in known]
        if dated:
            first[_month(min(dated))] += 1
        for breach in (each for each in own if each.inside is None):
            before = 0
            for month in sorted({_month(known[number]) for number in _all_rows(breach) if number in known}):
                now = _with_clients(rows, breach, known, _last_day(month)).low or 0
                persons[month] += now - before
                before = now
    growth, people, reached = [], 0, 0
    for month in sorted({*persons, *first}):
        people, reached = people + persons[month], reached + first[month]
        growth.append({"month": month.isoformat()[:7], "individuals": people, "organisations": reached})
    return growth


def _known(
    rows: Sequence[Disclosure], breaches: Mapping[int, list[Breach]], as_of: Mapping[str, date | None]
) -> dict[int, date]:
    """When each row became known: a number that a portal put over an older one, by the day of its snapshot."""
    known: dict[int, date] = {}
    for own in breaches.values():
        for breach in own:
            for at, number in enumerate(breach.rows):
                row = rows[number]
                if day := as_of[row.file] if row.updated and at else row.day:
                    known[number] = day
    return known


def _all_rows(breach: Breach) -> list[int]:
    return [*breach.rows, *(number for client in breach.clients for number in _all_rows(client))]


def _month(day: date) -> date:
    return day.replace(day=1)


def _last_day(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def _by_sector(ranked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    counted: Counter[str] = Counter()
    persons: Counter[str] = Counter()
    for row in ranked:
        sector = row["sector"] or "not said"
        counted[sector] += 1 + len(row["clients"])
        persons[sector] += row["individuals"] or 0
    return [
        {"sector": sector, "organisations": counted[sector], "individuals": persons[sector]}
        for sector in sorted(counted, key=lambda each: (-persons[each], each))
    ]
