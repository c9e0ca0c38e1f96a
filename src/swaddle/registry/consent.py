"""What a person has asked about the use of their data, and which outputs may still tell of them.

PERMITS is the whole of it: a purpose and a directive, in or out. `shown` in views.py and the view `births` ask it, and
every output of the registry reads persons through one of them (tests/architecture/test_consent_outputs.py). The table
is the registry's own reading of the three directives; its privacy officer has to confirm it.

What somebody asked is kept apart from the record that said it: a record that is replaced by one that is silent, or that
is taken back, takes no wish back. The latest word of a person at one submitter counts, by when it was said and not by
when it came. Of what several submitters were told, the strictest counts: most exports write `none` on everybody, so one
hospital's `none` takes back nothing that was asked at another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum

import duckdb

from swaddle.intake.engine import identifier, literal
from swaddle.registry.lifecycle import Step
from swaddle.registry.records import ROLES

FIELD = "consent_directive"
FIELDS = tuple(f"{role}_{FIELD}" for role in ROLES)


class Purpose(Enum):
    """What an output is for."""

    FEEDBACK = "feedback to the submitter that sent the record"
    QUALITY = "quality indicators of the submitter that sent the record"
    PEERS = "comparison with other submitters"
    PERIOD = "counts of a period: received, expected, signed off"
    RESEARCH = "research"
    CARE_ALERT = "an alert for the care of this person"
    BREACH_NOTICE = "notice of a breach to this person"


class Directive(Enum):
    """What a person can ask: the dictionary's codes of consent_directive, the mildest first."""

    NONE = "none"
    OPT_OUT_RESEARCH = "opt_out_research"
    RESTRICTED_USE = "restricted_use"


_FOR_CARE_AND_DUTY = frozenset({Purpose.FEEDBACK, Purpose.PERIOD, Purpose.CARE_ALERT, Purpose.BREACH_NOTICE})

# (purpose, directive) -> in or out. Who asked for nothing is in everything.
PERMITS: Mapping[tuple[Purpose, Directive], bool] = {
    **{(purpose, Directive.NONE): True for purpose in Purpose},
    **{(purpose, Directive.OPT_OUT_RESEARCH): purpose is not Purpose.RESEARCH for purpose in Purpose},
    # Restricted to care and the registry's own duties: no rate is made of them, their own hospital's neither.
    **{(purpose, Directive.RESTRICTED_USE): purpose in _FOR_CARE_AND_DUTY for purpose in Purpose},
}

TABLE = "clinical.directives"
COLUMNS = "load_id BIGINT, line BIGINT, subject VARCHAR, directive VARCHAR, said_at TIMESTAMP"

_SPOKEN = ", ".join(literal(step.value) for step in (Step.NEW, Step.REPLACED, Step.REVIVED, Step.LATE))
# A record that came late tells of the past like another; one that is unchanged says nothing new.
KEEP = f"""
insert into {TABLE} by name
select $load as load_id, line, {{subject}} as subject, {{field}} as directive,
    least(lives.version_instant, lives.sent_at, $at::timestamp) as said_at
from checked_rows join load_lives lives using (line)
where lives.step in ({_SPOKEN}) and lives.sent = 'record' and {{field}} is not null and {{subject}} is not null
"""
CATCH_UP = f"""
insert into {TABLE} by name
select load_id, line, {{subject}} as subject, {{field}} as directive,
    least(rows.version_instant, rows.sent_at, loads.loaded_at) as said_at
from clinical.stored_rows rows join clinical.loads using (load_id)
where {{field}} is not null and {{subject}} is not null
"""


def may(purpose: Purpose, directives: Iterable[str | None]) -> bool:
    """Whether a record about persons who asked this may serve the purpose: each of them has to let it.

    A code that this program does not know is read as the strictest: an operator's own dictionary may have one.
    """
    return all(PERMITS[purpose, _directive(each)] for each in directives if each is not None)


def _directive(code: str) -> Directive:
    try:
        return Directive(code)
    except ValueError:
        return Directive.RESTRICTED_USE


def permits_sql(purpose: Purpose, directive: str) -> str:
    """`may` of one directive as SQL: true where it is NULL."""
    if all(PERMITS[purpose, each] for each in Directive):
        return "true"
    known = [each.value for each in Directive if PERMITS[purpose, each]]
    return f"({directive} is null or {directive} in ({', '.join(map(literal, known))}))"


def _strictness(directive: str) -> str:
    order = " ".join(f"when {literal(each.value)} then {place}" for place, each in enumerate(Directive))
    return f"case {directive} {order} else {len(Directive)} end"


# A health card leads from one submitter's person to another's: it passed its check and the birth dates are equal. One
# figure repeated is no card. Only where somebody asked for something are cards looked at.
_ALIKE = """
    select other.subject as about, asked.subject as subject
    from identifiers.persons asked join identifiers.persons other using (hcn, birth_date)
    where asked.subject in (select subject from said) and other.subject <> asked.subject
        and asked.hcn is not null and length(replace(asked.hcn, asked.hcn[1], '')) > 0
        and (asked.load_id, asked.line) in (from standing) and (other.load_id, other.line) in (from standing)
        and (asked.load_id, asked.line) not in (from doubted) and (other.load_id, other.line) not in (from doubted)
"""
_STANDING = "select load_id, line from clinical.stored_rows anti join clinical.superseded using (load_id, line)"


def in_force() -> str:
    """SQL of (subject, directive): what each person who said anything asked for.

    A subject is a person at one submitter: their last word there, of two words of one moment the stricter; then the
    strictest of all subjects that are this person. What was asked after a snapshot holds for it too.
    """
    return (
        f"(with said as (select subject, directive, said_at from {TABLE}"
        "  where load_id in (select load_id from clinical.loads)),"
        f" standing as ({_STANDING}),"
        " doubted as (select load_id, line from clinical.warnings where rule = 'X2'),"
        f" near as (select distinct subject as about, subject from said union {_ALIKE}),"
        f" last as (select subject, arg_max(directive, (said_at, {_strictness('directive')})) as directive"
        "  from said group by subject)"
        f" select about as subject, arg_max(directive, {_strictness('directive')}) as directive"
        " from near join last using (subject) group by about)"
    )


def keep(connection: duckdb.DuckDBPyConnection, load_id: int, carried: Iterable[str], at: datetime) -> None:
    """Keep what the persons of a file asked for; in the transaction that commits its load.

    Args:
        connection: a cursor of the store after lives.live.
        load_id: of the file.
        carried: wide fields that the layout holds.
        at: now; nothing was said after it, whatever a file's version claims.
    """
    for name in FIELDS:
        if name in set(carried):
            sql = KEEP.format(subject=name.replace(FIELD, "subject"), field=identifier(name))
            connection.execute(sql, {"load": load_id, "at": at.astimezone(UTC).replace(tzinfo=None)})


def catch_up(connection: duckdb.DuckDBPyConnection) -> None:
    """A store from before directives were kept apart: what its rows say is written down."""
    if connection.execute(f"select 1 from {TABLE} limit 1").fetchone() is not None:
        return
    there = {column[0] for column in connection.execute("select * from clinical.stored_rows limit 0").description or ()}
    for name in FIELDS:
        if name in there:
            connection.execute(CATCH_UP.format(subject=name.replace(FIELD, "subject"), field=identifier(name)))
