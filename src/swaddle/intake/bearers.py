"""Who bears the cards that a sheet asks for: in the sheet, in earlier sheets of the file, in the registry's store.

Makes two tables beside asking (lookups.py): spoilt_cards(way, key), which asking then lacks, and card_holders(way, key,
submitter, form, local_record_id, child_born), the store's records that the others lead to.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from swaddle.intake.cards import (
    CHILD_CARD,
    MOTHER_CARD,
    child_bearers,
    health_key,
    keys_of,
    mother_bearers,
    spoilt_sql,
)
from swaddle.intake.engine import literal
from swaddle.intake.hits import counts
from swaddle.intake.lookups import CARD, Beside, Held, trusted_sql
from swaddle.intake.tables import NOT_VOID

BIRTH = "birth"
_TABLES = ("spoilt_cards", "card_holders")


def trust_cards(connection: duckdb.DuckDBPyConnection, carried: set[str], held: set[str], beside: Beside) -> None:
    """Take from asking the cards that may lead nowhere, and find the store's records of the others.

    Args:
        connection: with asking and checked_base.
        carried: the sheet's fields.
        held: the slots that its layout holds.
        beside: the earlier sheets and the store.
    """
    asked = f"{CHILD_CARD}_key", f"{MOTHER_CARD}_key", "card_key"
    child, mother, card = counts(connection, f"SELECT {', '.join(f'count({each})' for each in asked)} FROM asking")
    is_birth = BIRTH in held
    children = list(_children(carried, beside, is_birth=is_birth)) if child else []
    births = list(_births(carried, beside, is_birth=is_birth)) if card else []
    mothers = list(_mothers(carried, beside)) if child else []
    connection.execute(f"CREATE OR REPLACE TEMP TABLE spoilt_cards AS {spoilt_sql(children, births, mothers)}")
    if child or card:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE asking AS {trusted_sql()}")
    holders = list(_holders(beside.held)) if beside.held is not None and child + mother + card else []
    nobody = "SELECT '' AS way, '' AS key, '' AS submitter, '' AS form, '' AS local_record_id, NULL::DATE AS child_born"
    holders = holders or [f"{nobody} WHERE false"]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE card_holders AS {' UNION ALL BY NAME '.join(holders)}")


def forget_cards(connection: duckdb.DuckDBPyConnection) -> None:
    """Let the two tables go."""
    for table in _TABLES:
        connection.execute(f"DROP TABLE {table}")


def _children(carried: set[str], beside: Beside, *, is_birth: bool) -> Iterator[str]:
    """Everybody who bears the health card of a child of the sheet."""
    yield _of_sheet(carried, f"{CHILD_CARD}_key", beside, is_birth=is_birth)
    if "child" in beside.slots:
        columns = child_bearers(
            {"child_sex"},
            key=f"{CHILD_CARD}_key",
            submitter=literal(beside.submitter),
            is_birth="is_birth",
            number="child_key",
        )
        yield f"SELECT {columns} FROM known_child"
    relation = beside.held.relation("child") if beside.held is not None else None
    if beside.held is not None and relation is not None:
        there = beside.held.columns("child")
        columns = child_bearers(
            there,
            key=health_key("child", there),
            submitter="submitter",
            is_birth=f"form = '{BIRTH}'",
            number="child_local_id" if "child_local_id" in there else "NULL::VARCHAR",
        )
        yield (
            f"SELECT {columns} FROM {relation} WHERE {health_key('child', there)} IN "
            f"(SELECT {CHILD_CARD}_key FROM asking) AND {_not_replaced(carried, beside, is_birth=is_birth)}"
        )


def _births(carried: set[str], beside: Beside, *, is_birth: bool) -> Iterator[str]:
    """Every birth that bears a screening card of the sheet; of screens, those of the sheet itself."""
    yield _of_sheet(carried, "card_key", beside, is_birth=is_birth)
    mine = literal(beside.submitter)
    if BIRTH in beside.slots:
        columns = child_bearers(set(), key="card_key", submitter=mine, is_birth="true", number="NULL::VARCHAR")
        yield f"SELECT {columns} FROM known_birth"
    relation = beside.held.relation(BIRTH) if beside.held is not None else None
    if beside.held is not None and relation is not None and "card_key" in beside.held.columns(BIRTH):
        columns = child_bearers(set(), key="card_key", submitter="submitter", is_birth="true", number="NULL::VARCHAR")
        yield (
            f"SELECT {columns} FROM {relation} WHERE card_key IN (SELECT card_key FROM asking) "
            f"AND {_not_replaced(carried, beside, is_birth=is_birth)}"
        )


def _mothers(carried: set[str], beside: Beside) -> Iterator[str]:
    """Everybody who is a mother and has a card, or is a person who is no child."""
    if told := mother_bearers("mother", carried):
        yield f"SELECT {told} FROM checked_base"
    if "mother" in beside.slots and (told := mother_bearers("mother", known_of("mother"))):
        yield f"SELECT {told} FROM known_mother"
    for slot, limit in (("mother", "true"), ("person", "coalesce(person_role <> 'child', false)")):
        relation = beside.held.relation(slot) if beside.held is not None else None
        if beside.held is None or relation is None:
            continue
        there = beside.held.columns(slot)
        if (told := mother_bearers(slot, there)) and (slot == "mother" or "person_role" in there):
            yield f"SELECT {told} FROM {relation} WHERE {limit}"


def _holders(held: Held) -> Iterator[str]:
    """The records of the store that a card of asking leads to."""
    same = "submitter, form, local_record_id"
    for way, slot in ((CHILD_CARD, "child"), (MOTHER_CARD, "mother")):
        relation = held.relation(slot)
        if relation is not None:
            key = health_key(slot, held.columns(slot))
            yield (
                f"SELECT '{way}' AS way, key, {same}, NULL::DATE AS child_born FROM (SELECT *, {key} AS key "
                f"FROM {relation}) WHERE key IN (SELECT {way}_key FROM asking)"
            )
    children = held.relation("child")
    told = children is not None and "child_birth_date" in held.columns("child")
    for slot in (BIRTH, "screen"):
        relation = held.relation(slot)
        if relation is None or "card_key" not in held.columns(slot):
            continue
        bearing = f"SELECT {same}, card_key AS key FROM {relation} WHERE card_key IN (SELECT card_key FROM asking)"
        if told:
            born = f"(SELECT {same}, child_birth_date AS child_born FROM {children})"
            yield f"SELECT '{CARD}' AS way, b.*, child_born FROM ({bearing}) b LEFT JOIN {born} USING ({same})"
        else:
            yield f"SELECT '{CARD}' AS way, *, NULL::DATE AS child_born FROM ({bearing})"


def _of_sheet(carried: set[str], key: str, beside: Beside, *, is_birth: bool) -> str:
    columns = child_bearers(
        carried,
        key=keys_of(carried)[key],
        submitter=literal(beside.submitter),
        is_birth=str(is_birth).lower(),
        number="child_local_id" if "child_local_id" in carried else "NULL::VARCHAR",
    )
    spared = NOT_VOID if "action" in carried else "true"
    return f"SELECT {columns} FROM checked_base WHERE {spared}"


def _not_replaced(carried: set[str], beside: Beside, *, is_birth: bool) -> str:
    """SQL: a record of the store that the sheet does not replace; a record never meets its own earlier version."""
    if "local_record_id" not in carried:
        return "true"
    return (
        f"NOT (submitter = {literal(beside.submitter)} AND (form = '{BIRTH}') = {str(is_birth).lower()} "
        "AND local_record_id IN (SELECT local_record_id FROM checked_base WHERE local_record_id IS NOT NULL))"
    )


def known_of(slot: str) -> frozenset[str]:
    """The columns of a person that known_<slot> has for cards."""
    return frozenset(f"{slot}_{name}" for name in ("hcn", "hcn_authority", "birth_date"))
