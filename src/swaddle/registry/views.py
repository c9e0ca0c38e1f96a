"""What counts, as queries over the store: the rows that stand today (or stood at a load), and births for indicators.

Nothing in the store is overwritten: a replaced record stays, a void is a row. So "as it was then" is the same query up
to a load.
"""

from __future__ import annotations

from swaddle.intake.engine import identifier, literal
from swaddle.registry.lifecycle import FATES, Fate, Step
from swaddle.registry.records import BIRTH, DELIVERY, MISSING, TABLES, Placement

STORED_STEPS = ", ".join(literal(step.value) for step, fate in FATES.items() if fate is Fate.STORED)
RECORD_STEPS = ", ".join(literal(step.value) for step in (Step.NEW, Step.REPLACED, Step.REVIVED))
BIRTH_COLUMNS = (
    *("load_id", "line", "submitter", "transfer", "source", "mother_subject", "child_subject"),
    *("event_year", "event_month"),
)
BIRTH_FORM = "birth"


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


def births(placement: Placement, until: int | None = None) -> str:
    """SQL of the births that count, as the indicators read them; what their layout does not carry is missing as NC."""
    columns = [f"kept.{name}" for name in BIRTH_COLUMNS]
    for alias, names in (
        ("kept", placement.header),
        ("born", placement.types[BIRTH]),
        ("kept", placement.plain["mother"]),
        ("kept", placement.plain["child"]),
        ("delivery", placement.types[DELIVERY]),
    ):
        columns += with_reasons(alias, names)
    return (
        f"select {', '.join(columns)} from {current(until, (BIRTH_FORM,))} kept"
        f" join clinical.{TABLES[BIRTH]} born on born.load_id = kept.load_id and born.line = kept.line"
        " join clinical.loads load on load.load_id = kept.load_id"
        f" left join clinical.{TABLES[DELIVERY]} delivery"
        " on delivery.load_id = kept.load_id and delivery.line = kept.delivery_line"
    )


def with_reasons(alias: str, names: tuple[str, ...]) -> list[str]:
    """Value columns, each with its missing reason behind it: NC where the load's layout does not carry the field."""
    columns = []
    for name in names[::2]:  # each value column is followed by its missing reason
        missing = identifier(name + MISSING)
        is_absent = f"list_contains(load.not_carried, {literal(name)})"
        columns.append(f"{alias}.{identifier(name)}")
        columns.append(f"case when {is_absent} then 'NC' else {alias}.{missing} end as {missing}")
    return columns
