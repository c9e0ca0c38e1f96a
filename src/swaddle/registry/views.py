"""What counts, as queries over the store: the rows that stand today, or stood at a load.

Nothing in the store is overwritten: a replaced record stays, a void is a row. So "as it was then" is the same query up
to a load. `current` is for storing and looking up; what leaves the registry is read through `shown` or the
relations of units.py, which leave out whoever asked to be left out of that purpose (consent.py).
"""

from __future__ import annotations

from swaddle.intake.engine import literal
from swaddle.registry import consent
from swaddle.registry.consent import Directive, Purpose
from swaddle.registry.lifecycle import FATES, Fate, Step

STORED_STEPS = ", ".join(literal(step.value) for step, fate in FATES.items() if fate is Fate.STORED)
RECORD_STEPS = ", ".join(literal(step.value) for step in (Step.NEW, Step.REPLACED, Step.REVIVED))
BIRTH_FORM = "birth"
ABOUT = ("mother_subject", "child_subject", "person_subject")


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


def left_out(purpose: Purpose, forms: tuple[str, ...] = (BIRTH_FORM,)) -> str:
    """SQL of a submitter's rows that count and may not serve a purpose, counted; `$submitter` is bound."""
    mine = "where submitter = $submitter"
    return (
        f"select (select count(*) from {current(forms=forms)} {mine})"
        f" - (select count(*) from {shown(purpose, forms=forms)} {mine})"
    )
