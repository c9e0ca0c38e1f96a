"""Rules over several rows through a window, asked of a sheet's rows together with those that the registry holds.

Which of the registry's rows: those of the same submitter that share the sheet's delivery or mother, but for those that
the sheet replaces. What a birth's row told of its delivery stands beside it (X23). A finding that the sheet's rows make
alone was made before, with scope file; these have scope registry.
"""

from __future__ import annotations

from datetime import date

import duckdb

from swaddle.dictionary.model import Rule
from swaddle.intake.engine import literal
from swaddle.intake.hits import counts
from swaddle.intake.lookups import DELIVERY, Beside, Held
from swaddle.intake.plan import Plan
from swaddle.intake.tables import NOT_VOID

_DELIVERY, _MOTHER, _NUMBER = "delivery_local_id", "mother_local_id", "local_record_id"


def make_later_hits(
    connection: duckdb.DuckDBPyConnection, plan: Plan, beside: Beside, *, submitted_on: date, historical: bool
) -> dict[str, int]:
    """Add to checked_file_hits what breaks a windowed rule only beside the store; rule id to rows it was asked of."""
    asked = dict.fromkeys((rule.id for rule in plan.later), 0)
    if beside.held is None:
        return asked
    constants = f"DATE '{submitted_on.isoformat()}' AS submitted_on, {'true' if historical else 'false'} AS historical"
    # A row that takes a record back breaks no rule, and takes the record that it names out of all of them.
    spared = f" WHERE {NOT_VOID}" if any(each.name == "action" for each in plan.carried) else ""
    for rule in (*plan.file_rules, *plan.later):
        relation = beside.held.relation(rule.on)
        if relation is None and rule in plan.file_rules:
            continue  # the sheet alone was asked before
        known = " AND ".join(f"{name} IS NOT NULL" for name in rule.fields) or "true"
        rows = _rows(rule, beside, beside.held, relation, spared)
        if rows is None:
            continue
        connection.execute(
            f"INSERT INTO checked_file_hits SELECT line, {literal(rule.id)}, {literal(rule.shows)}, 'registry' "
            f"FROM (SELECT line, ({rule.holds}) AS holds FROM (SELECT *, {constants} FROM ({rows})) WHERE {known} "
            f"WINDOW {rule.window}) WHERE NOT holds AND line IS NOT NULL AND line NOT IN "
            f"(SELECT line FROM checked_file_hits WHERE id = {literal(rule.id)} AND field = {literal(rule.shows)})"
        )
        if rule in plan.later:
            evaluated = counts(connection, f"SELECT count_if({known}) FROM checked_base")[0]
            asked[rule.id] = max(asked[rule.id], evaluated)
    return asked


def _rows(rule: Rule, beside: Beside, held: Held, relation: str | None, spared: str) -> str | None:
    """The sheet's rows and the store's beside them; None where the store does not hold what the rule reads."""
    names = sorted({*rule.named, _NUMBER})
    hers = f"CASE WHEN {_MOTHER} IS NOT NULL THEN {held.subject('person', _MOTHER)} END"
    mine = [f"{hers} AS {_MOTHER}" if name == _MOTHER else name for name in names]
    sheet = f"SELECT line, event_first, event_last, {', '.join(mine)} FROM checked_base{spared}"
    if relation is None:
        return sheet
    theirs = ["mother_subject AS mother_local_id" if name == _MOTHER else name for name in names]
    stored = _stored(held, rule.on, relation, {"mother_subject" if name == _MOTHER else name for name in names})
    if stored is None:
        return None
    if _DELIVERY in rule.named and _MOTHER not in rule.named:
        near = f"{_DELIVERY} IN (SELECT {_DELIVERY} FROM checked_base)"
    elif _MOTHER in rule.named:
        near = f"mother_subject IN (SELECT {hers} FROM checked_base)"
    else:
        return None
    return (
        f"{sheet} UNION ALL BY NAME SELECT NULL::BIGINT AS line, event_first, event_last, {', '.join(theirs)} "
        f"FROM {stored} WHERE submitter = {literal(beside.submitter)} AND {near} "
        f"AND {_NUMBER} NOT IN (SELECT {_NUMBER} FROM checked_base WHERE {_NUMBER} IS NOT NULL)"
    )


def _stored(held: Held, slot: str, relation: str, names: set[str]) -> str | None:
    """The store's records of a slot with these columns, the delivery's from its own; None if it has not."""
    lacking = names - held.columns(slot)
    if not lacking:
        return relation
    deliveries = held.relation(DELIVERY)
    if deliveries is None or not lacking <= held.columns(DELIVERY):
        return None
    told = ", ".join(sorted(lacking))
    key = "load_id, delivery_line"  # rows of one delivery that tell the same share its record
    return f"({relation} LEFT JOIN (SELECT {key}, {told} FROM {deliveries}) USING ({key}))"
