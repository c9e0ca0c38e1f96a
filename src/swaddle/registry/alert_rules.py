"""Whose care cannot wait: newborns without a screen on day 7, and critical results without a follow-up. SQL alone.

    births of the last weeks + the laboratories' records -> judged: missed | screened | not judged, and why
                                                         -> critical: results whose follow-up is late

The day of birth is day 0. Day 7 is judged when it has begun and the laboratories of that hospital have sent what they
received until then: *their data reach that day*. A laboratory is a submitter of newborn screens; those of a hospital
are the ones that hold a screen of its births, and all of them where none does. The slowest of them counts, as far as it
sent anything of the last weeks. A date that lies after its own arrival reaches no further than the arrival.

A baby is judged by a key that can lead to its screen: the screening card, or the health card with the birth date, as
trusted as cards.py trusts them, and of a kind that the laboratories' records bear. Who cannot be judged is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb

from swaddle.intake.cards import CHILD_CARD, child_bearers, health_key, mother_bearers, screening_key, spoilt_sql
from swaddle.intake.engine import literal
from swaddle.registry.held import Held

DAY = 7
WINDOW = timedelta(days=60)  # a birth whose day 7 is longer ago is told of in reports and raises no alert
# Cause -> days from the report of a result to its follow-up. Our own, unverified: a clinician has to confirm them.
URGENT, POSITIVE, MISSED = "urgent", "positive", "missed"
FOLLOW_UP_DAYS = {URGENT: 2, POSITIVE: 14}

SCREENED, NOT_DUE = "screened", "not due"
# Why a live birth was not judged, in the order in which it is asked.
DIED, NO_DATE, NO_KEY, NO_LAB, BEFORE = (
    "died",
    "birth date not known",
    "no usable key",
    "no laboratory sends data",
    "laboratory data end before day 7",
)
NOT_JUDGED = (DIED, NO_DATE, NO_KEY, NO_LAB, BEFORE)
_ID = "submitter, form, local_record_id"
_NO_BIRTHS = (
    "select null::varchar as submitter, null::varchar as form, null::varchar as local_record_id,"
    " null::varchar as child_subject, null::date as event, null::varchar as card_key,"
    f" null::varchar as {CHILD_CARD}_key, false as has_died where false"
)
# What else tells of a child's death: slot, by which subject it is the child's, fields.
_DEATHS = (
    ("newborn", "child_subject", ("newborn_death_dt", "newborn_disposition")),
    ("nicu", "child_subject", ("nicu_disposition",)),
    ("person", "person_subject", ("person_death_date",)),
)
_TABLES = ("alert_births", "alert_screens", "alert_spoilt", "alert_found", "alert_reach", "alert_judged")


def judge(connection: duckdb.DuckDBPyConnection, held: Held, today: date) -> None:
    """Make alert_judged(submitter, form, local_record_id, event, child_subject, fate) of the live births of `held`.

    Args:
        connection: of the store.
        held: the records of the weeks that are looked at.
        today: in UTC.
    """
    births = held.relation("birth")
    if births is not None and "outcome" not in held.columns("birth"):
        births = None
    for name, sql in (
        ("births", _NO_BIRTHS if births is None else _births(held, births)),
        ("screens", _screens(held)),
        ("spoilt", _spoilt(held, births)),
    ):
        connection.execute(f"create or replace temp table alert_{name} as {sql}")
    for way in ("card", CHILD_CARD):
        connection.execute(
            f"update alert_births set {way}_key = null where {way}_key in"
            f" (select key from alert_spoilt where way = {literal(way)})"
        )
    connection.execute(
        f"create or replace temp table alert_found as {' union '.join(_found())}",
    )
    connection.execute(
        "create or replace temp table alert_reach as with labs as"
        " (select submitter as lab, max(got) as reach from alert_screens group by all),"
        " own as (select distinct submitter, lab from alert_found),"
        " unknown as (select distinct submitter from alert_births anti join own using (submitter)),"
        " of_each as (from own union all select unknown.submitter, labs.lab from unknown cross join labs)"
        " select submitter, min(reach) as reach from of_each join labs using (lab) group by all"
    )
    day = f"DATE '{today.isoformat()}'"
    connection.execute(
        f"create or replace temp table alert_judged as select {_ID}, event, child_subject, case"
        f" when ({_ID}) in (select ({_ID}) from alert_found) then '{SCREENED}' when has_died then '{DIED}'"
        f" when event is null then '{NO_DATE}' when event + {DAY} > {day} then '{NOT_DUE}'"
        " when not ((card_key is not null and exists (from alert_screens s where s.card_key is not null))"
        f" or ({CHILD_CARD}_key is not null and exists (from alert_screens s where s.{CHILD_CARD}_key is not null)))"
        f" then case when exists (from alert_screens) then '{NO_KEY}' when card_key is null and {CHILD_CARD}_key is"
        f" null then '{NO_KEY}' else '{NO_LAB}' end"
        f" when reach is null then '{NO_LAB}' when reach < event + {DAY} then '{BEFORE}' else '{MISSED}' end as fate"
        " from alert_births left join alert_reach using (submitter)"
    )


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what judge made."""
    for table in _TABLES:
        connection.execute(f"drop table if exists {table}")


def critical(today: date) -> str:
    """SQL after judge: the births with a critical result whose follow-up is late: id, cause, event."""
    day = f"DATE '{today.isoformat()}'"
    limit = f"case cause when '{URGENT}' then {FOLLOW_UP_DAYS[URGENT]} else {FOLLOW_UP_DAYS[POSITIVE]} end"
    return (
        f"select distinct b.submitter, b.form, b.local_record_id, s.cause, b.event from ({_open_results()}) s"
        " join alert_found f on (f.lab, f.screen) = (s.submitter, s.local_record_id)"
        " join alert_births b on (b.submitter, b.form, b.local_record_id) = (f.submitter, f.form, f.local_record_id)"
        f" where not b.has_died and s.told + ({limit}) <= {day} and s.reach >= s.told + ({limit})"
    )


def still_open() -> str:
    """SQL after judge: every birth with a critical result that has no follow-up, late or not: id, cause."""
    return (
        f"select f.submitter, f.form, f.local_record_id, s.cause from ({_open_results()}) s"
        " join alert_found f on (f.lab, f.screen) = (s.submitter, s.local_record_id)"
    )


def _open_results() -> str:
    return (
        "select s.*, max(s.got) over (partition by s.submitter) as reach from alert_screens s"
        " qualify cause is not null and not is_followed"
        " and (card_key is null or card_key not in (select initial_key from alert_screens"
        " where initial_key is not null))"
    )


def _births(held: Held, births: str) -> str:
    there, children = held.columns("birth"), held.relation("child")
    died = ["coalesce(not b.infant_living, false)"] if "infant_living" in there else []
    died += ["b.neonatal_death_dt is not null"] if "neonatal_death_dt" in there else []
    key, join, event = "null::varchar", "", "b.event_last"
    if children is not None:
        own = held.columns("child")
        kept = ["child_birth_date"] if "child_birth_date" in own else []
        kept.append(f"{health_key('child', own)} as key")
        child = f"select {', '.join([_ID, *kept])} from {children}"
        join = f" left join ({child}) c using ({_ID})"
        key = "c.key"
        event = "coalesce(try_cast(c.child_birth_date as date), b.event_last)" if "child_birth_date" in own else event
    for slot, subject, names in _DEATHS:
        relation, fields = held.relation(slot), [name for name in names if name in held.columns(slot)]
        if relation is not None and fields:
            dead = " or ".join(
                f"{name} = 'death'" if "disposition" in name else f"{name} is not null" for name in fields
            )
            died.append(
                f"coalesce((b.submitter, b.child_subject) in (select (submitter, {subject}) from {relation}"
                f" where {subject} is not null and ({dead})), false)"
            )
    return (
        f"select b.submitter, b.form, b.local_record_id, b.child_subject, {event} as event, b.card_key,"
        f" {key} as {CHILD_CARD}_key, {' or '.join(died) or 'false'} as has_died"
        f" from {births} b{join} where b.outcome = 'live'"
    )


def _screens(held: Held) -> str:
    screens, there = held.relation("screen"), held.columns("screen")
    if screens is None:
        return (
            "select null::varchar as submitter, null::varchar as local_record_id, null::varchar as child_subject,"
            f" null::varchar as card_key, null::varchar as initial_key, null::varchar as {CHILD_CARD}_key,"
            " null::date as got, null::date as told, null::varchar as cause, false as is_followed where false"
        )

    def of(name: str, kind: str = "varchar") -> str:
        return f"s.{name}" if name in there else f"null::{kind}"

    children, own = held.relation("child"), held.columns("child")
    join, key = "", "null::varchar"
    if children is not None:
        join = f" left join (select {_ID}, {health_key('child', own)} as key from {children}) c using ({_ID})"
        key = "c.key"
    taken = f"coalesce({of('screen_received_dt', 'timestamp')}, {of('screen_collection_dt', 'timestamp')})::date"
    told = f"coalesce({of('screen_reported_dt', 'timestamp')}::date, {taken})"
    positive = (
        f"coalesce({of('screen_overall')} = 'out_of_range', false)"
        f" or coalesce(contains({of('screen_condition_result')}, 'out_of_range'), false)"
    )
    return (
        f"select s.submitter, s.local_record_id, s.child_subject, s.card_key,"
        f" {screening_key(of('screen_initial_card_id') + '::varchar')} as initial_key, {key} as {CHILD_CARD}_key,"
        f" least({taken}, loads.loaded_at::date) as got, {told} as told,"
        f" case when {of('screen_overall')} = 'urgent' then '{URGENT}' when {positive} then '{POSITIVE}' end as cause,"
        f" coalesce({of('screen_diagnostic_outcome')} <> 'lost', false) as is_followed"
        f" from {screens} s join (select load_id, loaded_at from clinical.loads) loads using (load_id){join}"
    )


def _spoilt(held: Held, births: str | None) -> str:
    children, mothers = [], []
    relation, there = held.relation("child"), held.columns("child")
    if relation is not None:
        number = "child_local_id" if "child_local_id" in there else "null::varchar"
        told = child_bearers(
            there, key=health_key("child", there), submitter="submitter", is_birth="form = 'birth'", number=number
        )
        children.append(f"select {told} from {relation}")
    mother = held.relation("mother")
    if mother is not None and (told := mother_bearers("mother", held.columns("mother"))):
        mothers.append(f"select {told} from {mother}")
    own = child_bearers(set(), key="card_key", submitter="submitter", is_birth="true", number="null::varchar")
    return spoilt_sql(children, [f"select {own} from {births}"] if births else [], mothers)


def _found() -> Iterator[str]:
    columns = "b.submitter, b.form, b.local_record_id, s.submitter as lab, s.local_record_id as screen"
    for on in (
        "b.card_key = s.card_key",
        "b.card_key = s.initial_key",
        f"b.{CHILD_CARD}_key = s.{CHILD_CARD}_key",
        "b.submitter = s.submitter and b.child_subject = s.child_subject",
    ):
        yield f"select {columns} from alert_births b join alert_screens s on {on}"
