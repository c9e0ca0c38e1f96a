"""What counts, as queries over the store: the rows that stand today (or stood at a load), and births for indicators.

Nothing in the store is overwritten: a replaced record stays, a void is a row. So "as it was then" is the same query up
to a load. `current` is for storing and looking up; what leaves the registry is read through `shown` or `births`, which
leave out whoever asked to be left out of that purpose (consent.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from swaddle.intake.engine import identifier, literal
from swaddle.registry import consent
from swaddle.registry.consent import Directive, Purpose
from swaddle.registry.lifecycle import FATES, Fate, Step
from swaddle.registry.records import BIRTH, DELIVERY, MISSING, TABLES, Placement

STORED_STEPS = ", ".join(literal(step.value) for step, fate in FATES.items() if fate is Fate.STORED)
RECORD_STEPS = ", ".join(literal(step.value) for step in (Step.NEW, Step.REPLACED, Step.REVIVED))
BIRTH_COLUMNS = (
    *("load_id", "line", "submitter", "transfer", "source", "mother_subject", "child_subject"),
    *("event_year", "event_month"),
)
BIRTH_FORM, DELIVERY_FORM = "birth", "delivery"
ABOUT = ("mother_subject", "child_subject", "person_subject")
# Columns of `births` that say what a birth may be counted for; one that may be for neither is not in it.
FOR_PURPOSE = {Purpose.QUALITY: "for_quality", Purpose.PEERS: "for_peers"}


def current(until: int | None = None, forms: tuple[str, ...] = ()) -> str:
    """SQL of the rows whose records count: the latest version of each number, voided ones left out.

    Args:
        until: as it was when this load was the last; None for now.
        forms: only rows of these forms; () for all.
    """
    limits = [f"step in ({RECORD_STEPS})"]
    limits += [f"load_id <= {until:d}"] if until is not None else []
    limits += [f"form in ({', '.join(map(literal, forms))})"] if forms else []
    over = "" if until is None else f" where by_load <= {until:d}"
    return (
        f"(from clinical.stored_rows anti join (from clinical.superseded{over}) using (load_id, line)"
        f" where {' and '.join(limits)})"
    )


def shown(purpose: Purpose, until: int | None = None, forms: tuple[str, ...] = ()) -> str:
    """SQL of the rows that count and may serve a purpose: `current`, without those whose persons asked otherwise."""
    rows = current(until, forms)
    if all(consent.PERMITS[purpose, each] for each in Directive):
        return rows
    out = f"select subject from {consent.in_force()} where not {consent.permits_sql(purpose, 'directive')}"
    asked = " or ".join(f"coalesce({name} in (from refusing), false)" for name in ABOUT)
    return f"(with refusing as materialized ({out}) from {rows} where not ({asked}))"


def births(placement: Placement, until: int | None = None) -> str:
    """SQL of the births that count, as the indicators read them; what their layout does not carry is missing as NC.

    What a birth's row leaves open of the delivery is taken from the delivery that the same submitter sent on its own,
    by its number. Columns `for_quality` and `for_peers` say what the birth may be counted for, by what its mother and
    the child asked; a birth that may be counted for neither is left out.
    """
    columns = [f"kept.{name}" for name in BIRTH_COLUMNS]
    for alias, names in (
        ("kept", placement.header),
        ("born", placement.types[BIRTH]),
        ("kept", placement.plain["mother"]),
        ("kept", placement.plain["child"]),
    ):
        columns += with_reasons(alias, names)
    columns += _delivery_columns(placement)
    allowed = {
        column: f"({' and '.join(consent.permits_sql(purpose, f'{who}.directive') for who in ('hers', 'its'))})"
        for purpose, column in FOR_PURPOSE.items()
    }
    columns += [f"{test} as {column}" for column, test in allowed.items()]
    return (
        f"with asked as materialized {consent.in_force()}, apart as ({_sent_apart(placement, until)})"
        f" select {', '.join(columns)} from {current(until, (BIRTH_FORM,))} kept"
        f" join clinical.{TABLES[BIRTH]} born on born.load_id = kept.load_id and born.line = kept.line"
        " join clinical.loads load on load.load_id = kept.load_id"
        f" left join clinical.{TABLES[DELIVERY]} delivery"
        " on delivery.load_id = kept.load_id and delivery.line = kept.delivery_line"
        " left join apart on apart.submitter = kept.submitter and apart.delivery = kept.delivery"
        " left join asked hers on hers.subject = kept.mother_subject"
        " left join asked its on its.subject = kept.child_subject"
        f" where {' or '.join(allowed.values())}"
    )


def left_out(purpose: Purpose, forms: tuple[str, ...] = (BIRTH_FORM,)) -> str:
    """SQL of a submitter's rows that count and may not serve a purpose, counted; `$submitter` is bound."""
    mine = "where submitter = $submitter"
    return (
        f"select (select count(*) from {current(forms=forms)} {mine})"
        f" - (select count(*) from {shown(purpose, forms=forms)} {mine})"
    )


def with_reasons(alias: str, names: tuple[str, ...]) -> list[str]:
    """Value columns, each with its missing reason behind it: NC where the load's layout does not carry the field."""
    columns = []
    for name, missing in _pairs(names):
        is_absent = f"list_contains(load.not_carried, {literal(name)})"
        columns.append(f"{alias}.{identifier(name)}")
        columns.append(f"case when {is_absent} then 'NC' else {alias}.{missing} end as {missing}")
    return columns


def _pairs(names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each value column and its missing reason, which stands behind it."""
    return ((name, identifier(name + MISSING)) for name in names[::2])


def _delivery_columns(placement: Placement) -> list[str]:
    """The delivery's fields: the row's own value first (twins may differ), else that of the delivery sent apart."""
    columns = []
    for name, missing in _pairs(placement.types[DELIVERY]):
        value, reason = f"delivery.{identifier(name)}", f"delivery.{missing}"
        is_absent = f"list_contains(load.not_carried, {literal(name)})"
        columns.append(f"coalesce({value}, apart.{identifier(name)}) as {identifier(name)}")
        columns.append(
            f"case when {value} is not null or apart.{identifier(name)} is not null then null"
            f" when {is_absent} then coalesce(apart.{missing}, 'NC') else {reason} end as {missing}"
        )
    return columns


def _sent_apart(placement: Placement, until: int | None) -> str:
    """SQL of the deliveries that came as records of their own: one for each submitter and delivery, the latest."""
    columns = ["kept.submitter", "kept.delivery", *with_reasons("told", placement.types[DELIVERY])]
    return (
        f"select {', '.join(columns)} from {current(until, (DELIVERY_FORM,))} kept"
        f" join clinical.{TABLES[DELIVERY]} told on told.load_id = kept.load_id and told.line = kept.delivery_line"
        " join clinical.loads load on load.load_id = kept.load_id where kept.delivery is not null"
        " qualify row_number() over (partition by kept.submitter, kept.delivery"
        " order by kept.load_id desc, kept.line desc) = 1"
    )
