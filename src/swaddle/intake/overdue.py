"""Rules that wait: what must have come some days after an event and has not. The registry asks them every night.

`after_days = 30` with `nicu_count` says that 30 days after a birth whose child went to intensive care, a stay must be
there. Only records are asked whose keys could lead to one: a child or a delivery with a number of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import duckdb

from swaddle.dictionary.lint import COUNT
from swaddle.dictionary.model import Dictionary, Rule
from swaddle.intake.lookups import CHILD, DELIVERY, WAYS, Held


@dataclass(frozen=True)
class Overdue:
    """A record for which another one did not come in time; the submitter is told by its own number."""

    rule: Rule
    submitter: str
    local_record_id: str
    event_first: date


def overdue(
    connection: duckdb.DuckDBPyConnection, dictionary: Dictionary, held: Held, today: date
) -> Iterator[Overdue]:
    """Every record that breaks a rule which waits, of every submitter, rule by rule."""
    for rule in dictionary.rules:
        if rule.after_days is None:
            continue
        sql = _broken(rule, held, today)
        if sql is None:
            continue
        for submitter, number, first in connection.execute(sql).fetchall():
            yield Overdue(rule, submitter, number, first)


def _broken(rule: Rule, held: Held, today: date) -> str | None:
    """SQL of the records that break the rule: submitter, number, first day of the event."""
    relation, there = held.relation(rule.on), held.columns(rule.on)
    slots = [name.removesuffix(COUNT) for name in rule.named if name.endswith(COUNT)]
    own = [name for name in rule.named if not name.endswith(COUNT)]
    if relation is None or not set(own) <= there or any(_way(rule.on, slot) is None for slot in slots):
        return None
    counted, keyed = [], []
    for slot in slots:
        way = _way(rule.on, slot)
        column = "delivery" if way == DELIVERY else "child_subject"
        record = "delivery" if slot == "delivery" else "local_record_id"
        other = held.relation(slot)
        found = f"SELECT count(DISTINCT k.{record}) FROM {other} k" if other else "SELECT 0"
        same = f" WHERE k.submitter = r.submitter AND k.{column} = r.{column}" if other else ""
        counted.append(f"({found}{same}) AS {slot}{COUNT}")
        keyed.append(_has_key(way, held))
    known = " AND ".join(f"{name} IS NOT NULL" for name in rule.fields if name in own) or "true"
    return (
        f"SELECT submitter, local_record_id, event_first FROM (SELECT r.*, {', '.join(counted) or '0'} "
        f"FROM {relation} r WHERE event_last < DATE '{today.isoformat()}' - {int(rule.after_days or 0)} "
        f"AND {known} AND {' AND '.join(keyed) or 'true'}) WHERE NOT ({rule.holds}) ORDER BY ALL"
    )


def _way(on: str, slot: str) -> str | None:
    """By what a record of `on` leads to those of `slot`: the child where both have one, else the delivery."""
    for way in (CHILD, DELIVERY):
        if way in WAYS.get(slot, ()) and (way == DELIVERY or on in {"birth", "newborn", "nicu", "screen"}):
            return way
    return None


def _has_key(way: str | None, held: Held) -> str:
    """Whether the record bears the number that the way goes by."""
    if way == DELIVERY:
        return "r.delivery_local_id IS NOT NULL"
    children = held.relation("child")
    if children is None:
        return "false"
    return f"r.child_subject IN (SELECT child_subject FROM {children} WHERE child_local_id IS NOT NULL)"
