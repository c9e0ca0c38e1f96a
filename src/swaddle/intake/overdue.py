"""Rules that wait: what must have come some days after an event and has not. The registry asks them every night.

`after_days = 30` with `nicu_count` says that 30 days after a birth whose child went to intensive care, a stay must be
there. Only records are asked whose keys could lead to one: a delivery or a child with a number of its own; for a
screen, whose laboratory is most often another submitter, the card that the birth names or the child's health card, or a
submitter that sends screens itself. The others are counted as not evaluated, never read as "no record". What any key
leads to ends the wait, at whatever submitter: to ask too little is better than to ask for what is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import duckdb

from swaddle.dictionary.lint import COUNT
from swaddle.dictionary.model import Dictionary, Rule
from swaddle.intake.cards import CHILD_CARD, SPAN_OF_CARD, health_key
from swaddle.intake.lookups import CARD, CHILD, DELIVERY, WAYS, Held

OF_A_CHILD = frozenset({"birth", "newborn", "nicu", "screen"})  # slots whose records name their child
# A record of the store: by these it is the same in two relations.
_ID = "submitter, form, local_record_id"


@dataclass(frozen=True)
class Overdue:
    """A record for which another one did not come in time; the submitter is told by its own number."""

    rule: Rule
    submitter: str
    local_record_id: str
    event_first: date


@dataclass(frozen=True)
class Question:
    """A rule that waits, as SQL over the store.

    Attributes:
        rule: the rule.
        own: the record's own fields that it reads, as far as the store has them.
        broken: the records that break it: submitter, form, local_record_id, event_first and `own`.
        not_tried: the number of records that are old enough and have no key to look by.
    """

    rule: Rule
    own: tuple[str, ...]
    broken: str
    not_tried: str


def overdue(
    connection: duckdb.DuckDBPyConnection, dictionary: Dictionary, held: Held, today: date
) -> Iterator[Overdue]:
    """Every record that breaks a rule which waits, of every submitter, rule by rule."""
    for each in questions(dictionary, held, today):
        sql = f"SELECT submitter, local_record_id, event_first FROM ({each.broken}) ORDER BY ALL"
        for submitter, number, first in connection.execute(sql).fetchall():
            yield Overdue(each.rule, submitter, number, first)


def questions(dictionary: Dictionary, held: Held, today: date) -> Iterator[Question]:
    """The rules that wait and can be asked of what the store holds."""
    for rule in dictionary.rules:
        if rule.after_days is not None and (question := _question(rule, held, today)) is not None:
            yield question


def _question(rule: Rule, held: Held, today: date) -> Question | None:
    relation, there = held.relation(rule.on), held.columns(rule.on)
    slots = [name.removesuffix(COUNT) for name in rule.named if name.endswith(COUNT)]
    own = tuple(name for name in rule.named if not name.endswith(COUNT))
    ways = {slot: _ways(rule.on, slot) for slot in slots}
    if relation is None or not set(own) <= there or not all(ways.values()):
        return None
    known = " AND ".join(f"r.{name} IS NOT NULL" for name in rule.fields if name in own) or "true"
    old = f"r.event_last < DATE '{today.isoformat()}' - {int(rule.after_days or 0)} AND {known}"
    asked = (
        f"SELECT r.*, {_cards(held, ways)} AS cards, {_children(held, ways)} AS children FROM {relation} r WHERE {old}"
    )
    keyed = " AND ".join(_has_key(slot, ways[slot], held) for slot in slots) or "true"
    counted = [f"coalesce({slot}_found.number, 0) AS {slot}{COUNT}" for slot in slots]
    joins = [f"LEFT JOIN ({_found(slot, ways[slot], held)}) {slot}_found USING ({_ID})" for slot in slots]
    columns = [*_ID.split(", "), "event_first", *own]
    return Question(
        rule=rule,
        own=own,
        broken=(
            f"WITH asked AS (SELECT r.* FROM ({asked}) r WHERE {keyed}) SELECT {', '.join(columns)} FROM "
            f"(SELECT r.*, {', '.join(counted) or '0 AS nothing'} FROM asked r {' '.join(joins)}) "
            f"WHERE NOT ({rule.holds})"
        ),
        not_tried=f"SELECT count(*) FROM ({asked}) r WHERE NOT ({keyed})",
    )


def _ways(on: str, slot: str) -> tuple[str, ...]:
    """By what a record of `on` leads to those of `slot`: the child and its card where both have one, else the delivery.

    What is told of a child is counted by the child alone: a delivery may have several.
    """
    there = WAYS.get(slot, ())
    if CHILD in there and on in OF_A_CHILD:
        return tuple(way for way in (CHILD, CARD, CHILD_CARD) if way in there)
    return (DELIVERY,) if DELIVERY in there else ()


def _cards(held: Held, ways: dict[str, tuple[str, ...]]) -> str:
    """SQL of the screening cards that the births of the record's child name; NULL where none does."""
    births = held.relation("birth")
    if births is None or not any(CARD in each for each in ways.values()):
        return "NULL::VARCHAR[]"
    return (
        f"(SELECT list(b.card_key) FROM {births} b WHERE b.submitter = r.submitter "
        "AND b.child_subject = r.child_subject AND b.card_key IS NOT NULL)"
    )


def _children(held: Held, ways: dict[str, tuple[str, ...]]) -> str:
    """SQL of the same child at other submitters, by a health card that can be trusted; NULL where there is none."""
    children, there = held.relation("child"), held.columns("child")
    if children is None or not any(CHILD_CARD in each for each in ways.values()):
        return "NULL::STRUCT(submitter VARCHAR, child_subject VARCHAR)[]"
    key = health_key("child", there)
    keyed = f"(SELECT submitter, child_subject, {key} AS key FROM {children})"
    return (
        f"(SELECT list({{'submitter': c.submitter, 'child_subject': c.child_subject}}) FROM {keyed} own "
        f"JOIN {keyed} c USING (key) WHERE own.submitter = r.submitter AND own.child_subject = r.child_subject "
        "AND c.submitter <> own.submitter)"
    )


def _has_key(slot: str, ways: tuple[str, ...], held: Held) -> str:
    """Whether the record bears a number that could lead to one of the slot."""
    if DELIVERY in ways:
        return "r.delivery_local_id IS NOT NULL"
    children = held.relation("child")
    numbered = "false"
    if children is not None:
        numbered = (
            "(r.submitter, r.child_subject) IN "
            f"(SELECT (submitter, child_subject) FROM {children} WHERE child_local_id IS NOT NULL)"
        )
    if CARD not in ways:
        return numbered
    other = held.relation(slot)
    sends = f"r.submitter IN (SELECT submitter FROM {other})" if other is not None else "false"
    return f"(r.cards IS NOT NULL OR r.children IS NOT NULL OR ({numbered} AND {sends}))"


def _found(slot: str, ways: tuple[str, ...], held: Held) -> str:
    """SQL of the records that are there, counted for each one asked."""
    other = held.relation(slot)
    if other is None:
        return f"SELECT {_ID}, 0 AS number FROM asked WHERE false"
    record = "delivery" if slot == "delivery" else "local_record_id"
    reached = []
    for way in ways:
        asked, on = {
            DELIVERY: ("asked", "k.submitter = r.submitter AND k.delivery = r.delivery"),
            CHILD: ("asked", "k.submitter = r.submitter AND k.child_subject = r.child_subject"),
            CARD: (
                "(SELECT *, unnest(cards) AS card FROM asked)",
                f"k.card_key = r.card AND abs(k.event_first - r.event_first) <= {SPAN_OF_CARD}",
            ),
            CHILD_CARD: (
                "(SELECT *, unnest(children) AS child FROM asked)",
                "k.submitter = r.child.submitter AND k.child_subject = r.child.child_subject",
            ),
        }[way]
        reached.append(
            f"SELECT r.submitter, r.form, r.local_record_id, k.submitter || chr(31) || k.{record} AS id "
            f"FROM {asked} r JOIN {other} k ON {on}"
        )
    return f"SELECT {_ID}, count(DISTINCT id) AS number FROM ({' UNION ALL '.join(reached)}) GROUP BY ALL"
