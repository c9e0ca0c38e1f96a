"""Records of other types that a row's keys lead to: which keys, in which order, and the SQL that finds them. Pure.

Until linkage is built, records meet by keys alone. A slot is reached by the ways below, the first that leads anywhere:

    child        the child's local number
    card         the number of the newborn screening card
    child_card   the child's health card, with an equal birth date
    delivery     the local number of the delivery
    mother       the mother's local number, within a span of days: she may have other pregnancies
    mother_card  her health card, with an equal birth date, within the same span

Where the number of a delivery leads to several births (twins) nothing is chosen: the record is not found. Local numbers
are a submitter's own, so they lead to that submitter's records alone; cards lead across submitters, as far as they can
be trusted (cards.py).

found_<slot> has a row for each row of the sheet that has a key for it, whether anything was found or not: what cannot
be tried is never taken for "no record".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Protocol

from swaddle.dictionary.model import PERSONS, Dictionary
from swaddle.intake import cast
from swaddle.intake.cards import CHILD_CARD, MOTHER_CARD, SCREENING, keys_of, same_time, unspoilt
from swaddle.intake.engine import literal
from swaddle.intake.tables import NOT_VOID

CHILD, CARD, DELIVERY, MOTHER = "child", "card", "delivery", "mother"
# Slot -> ways to it, the surest first.
WAYS: Map[str, tuple[str, ...]] = {
    "mother": (MOTHER, DELIVERY, CHILD, CHILD_CARD),
    "child": (CHILD, CHILD_CARD),
    "cycle": (MOTHER, MOTHER_CARD),
    "antenatal": (DELIVERY, MOTHER, MOTHER_CARD),
    "prenatal": (DELIVERY, MOTHER, MOTHER_CARD),
    "delivery": (DELIVERY, CHILD, MOTHER, CHILD_CARD, MOTHER_CARD),
    "birth": (CHILD, CARD, CHILD_CARD, DELIVERY),
    "postpartum": (DELIVERY, MOTHER, MOTHER_CARD),
    "newborn": (CHILD, CHILD_CARD, DELIVERY),
    "nicu": (CHILD, CHILD_CARD),
    "screen": (CHILD, CARD, CHILD_CARD),
}
# Days before and after the row's own event within which a record of the same mother is of the same pregnancy.
SPANS: Map[str, tuple[int, int]] = {
    "cycle": (400, 0),
    "antenatal": (310, 14),
    "prenatal": (310, 0),
    "delivery": (60, 60),
    "postpartum": (60, 60),
}
ONE_OF_A_DELIVERY = frozenset({"birth", "newborn"})  # of which a delivery may have several
_HERS = frozenset({MOTHER, MOTHER_CARD})
_ACROSS = frozenset({CARD, CHILD_CARD, MOTHER_CARD})
_ID = ("submitter", "form", "local_record_id")  # by these a record of the store is the same in two relations
# Way -> the local number that it goes by.
NUMBERS: Map[str, str] = {MOTHER: "mother_local_id", CHILD: "child_local_id", DELIVERY: "delivery_local_id"}
_FILE, _STORE = "file", "registry"


class Held(Protocol):
    """What the registry holds, for looking up; `check` has none."""

    def relation(self, slot: str) -> str | None:
        """SQL of a relation of the records of a slot that count today, or None where there are none.

        Its columns: submitter, form, local_record_id, load_id, delivery_line, mother_subject, child_subject, delivery
        (as intake/link.py makes them), delivery_local_id, event_date, event_first, event_last, and the slot's wide
        fields as far as they are stored.
        """
        ...

    def columns(self, slot: str) -> frozenset[str]:
        """The columns of that relation."""
        ...

    def subject(self, what: str, number: str) -> str:
        """SQL of the keyed hash of a local number: of a `person` or a `delivery`."""
        ...


@dataclass(kw_only=True)
class Beside:
    """What stands beside a sheet when it is checked.

    Attributes:
        slots: slots of which earlier sheets of the same file hold records, in tables known_<slot>.
        held: what the registry holds; None on a submitter's machine.
        submitter: whose records may be looked up.
        more_follow: later sheets of the same file may look records of this one up: they are kept.
    """

    slots: set[str] = field(default_factory=set)
    held: Held | None = None
    submitter: str = ""
    more_follow: bool = True

    def has(self, slot: str) -> bool:
        """Whether anything can be looked up of that slot."""
        return slot in self.slots or (self.held is not None and self.held.relation(slot) is not None)


def asking_sql(carried: Collection[str], held: Held | None) -> str:
    """The rows of a sheet with their keys, for those that have any: as written, and as the store has them."""
    keys = {way: number for way, number in NUMBERS.items() if number in carried}
    columns = ["line", "event_first"]
    columns += [f"{keys[way]} AS {way}_key" if way in keys else f"NULL::VARCHAR AS {way}_key" for way in NUMBERS]
    columns += [f"{sql} AS {name}" for name, sql in keys_of(carried).items()]
    if held is not None:
        for way, number in NUMBERS.items():
            what = "delivery" if way == DELIVERY else "person"
            hashed = f"CASE WHEN {number} IS NOT NULL THEN {held.subject(what, number)} END"
            columns.append(f"{hashed if way in keys else 'NULL::VARCHAR'} AS {way}_hash")
    told = [*keys.values(), *(name for name in (*SCREENING, "child_hcn", "mother_hcn") if name in carried)]
    there = " OR ".join(f"{name} IS NOT NULL" for name in told) or "false"
    spared = f" AND {NOT_VOID}" if "action" in carried else ""
    return f"SELECT {', '.join(columns)} FROM checked_base WHERE ({there}){spared}"


def trusted_sql() -> str:
    """The rows of asking, without the cards that may lead nowhere (table spoilt_cards)."""
    child, card = unspoilt(CHILD_CARD, f"{CHILD_CARD}_key"), unspoilt(CARD, "card_key")
    return f"SELECT * REPLACE ({child} AS {CHILD_CARD}_key, {card} AS card_key) FROM asking"


def known_columns(dictionary: Dictionary, slot: str) -> dict[str, str]:
    """The columns of known_<slot> and their types."""
    keys = ("mother_key", "child_key", "delivery_key", "card_key", f"{CHILD_CARD}_key", f"{MOTHER_CARD}_key")
    columns = dict.fromkeys(("local_record_id", *keys), "VARCHAR")
    columns |= {"line": "BIGINT", "event_first": "DATE", "child_born": "DATE", "is_birth": "BOOLEAN"}
    for each in dictionary.wide_fields():
        if each.slot == slot:
            columns[each.name] = cast.TYPES[each.field.type]
            columns[f"{each.name}_missing"] = "VARCHAR"
    return columns


def keep_sql(dictionary: Dictionary, slot: str, carried: Collection[str], *, is_birth: bool) -> tuple[str, str]:
    """Two statements: make known_<slot> where it is not there, and add this sheet's accepted records to it."""
    columns = known_columns(dictionary, slot)
    made = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    told = ["line", "event_first", f"{str(is_birth).lower()} AS is_birth"]
    told += ["local_record_id"] if "local_record_id" in carried else []
    told += [f"{number} AS {way}_key" for way, number in NUMBERS.items() if number in carried]
    told += [f"{sql} AS {name}" for name, sql in keys_of(carried).items()]
    mine = [name for name in columns if name in carried and name not in {"line", "event_first", "local_record_id"}]
    told += [column for name in mine for column in (name, f"{name}_missing")]
    any_of = ", ".join(f"{name}::VARCHAR" for name in mine) or "local_record_id"
    return (
        f"CREATE TEMP TABLE IF NOT EXISTS known_{slot} ({made})",
        (
            f"INSERT INTO known_{slot} BY NAME SELECT {', '.join(told)} FROM checked_rows_unlinked "
            f"WHERE verdict = 'accepted' AND NOT duplicate AND {NOT_VOID} AND coalesce({any_of}) IS NOT NULL"
        ),
    )


def found_sql(slot: str, fields: Sequence[str], beside: Beside, types: Map[str, str]) -> str:
    """The SELECT of found_<slot>.

    Its columns: line, number (of records that the best ways lead to), origin ('file' or 'registry'), is_found, and of
    the one that was found these fields (of these SQL types) with their missing reasons.
    """
    values = {f"{name}{end}": kind for name in fields for end, kind in (("", types[name]), ("_missing", "VARCHAR"))}
    tried = " OR ".join(f"a.{way}_key IS NOT NULL" for way in WAYS[slot])
    parts = _candidates(slot, values, beside)
    if not parts:
        nothing = ["line", "0 AS number", f"'{_FILE}' AS origin", "false AS is_found"]
        nothing += [_nothing(name, kind) for name, kind in values.items()]
        return f"SELECT {', '.join(nothing)} FROM asking a WHERE {tried}"
    record = "coalesce(delivery_key, id)" if slot == "delivery" else "id"
    sure = f"way_name <> '{DELIVERY}' OR same = 1" if slot in ONE_OF_A_DELIVERY else "true"
    shown = "".join(f", one.{name}" for name in values)
    return (
        f"WITH candidates AS ({' UNION ALL BY NAME '.join(parts)}), "
        f"counted AS (SELECT line, count(DISTINCT {record}) AS number FROM candidates GROUP BY line), "
        "told AS (SELECT line, origin, way, count(DISTINCT id) AS same FROM candidates GROUP BY ALL), "
        "one AS (SELECT c.*, same FROM candidates c JOIN told USING (line, origin, way) "
        "QUALIFY row_number() OVER (PARTITION BY line ORDER BY origin, way, event DESC, id DESC) = 1) "
        f"SELECT a.line, coalesce(number, 0) AS number, coalesce(origin, '{_FILE}') AS origin, "
        f"coalesce({sure}, false) AND one.line IS NOT NULL AS is_found{shown} "
        f"FROM asking a LEFT JOIN counted USING (line) LEFT JOIN one USING (line) WHERE {tried}"
    )


def _nothing(name: str, kind: str) -> str:
    """Nothing, of the type that it would have: rules reckon with it."""
    return f"CAST(NULL AS {kind}) AS {name}"


def _candidates(slot: str, values: Map[str, str], beside: Beside) -> list[str]:
    """One SELECT for each way and origin: the rows of the sheet with the records that it leads to."""
    ways = list(enumerate(WAYS[slot]))
    parts = []
    if slot in beside.slots:
        parts += [_by_way(slot, way, place, values, f"known_{slot}", None, beside.submitter) for place, way in ways]
    relation = beside.held.relation(slot) if beside.held is not None else None
    if beside.held is not None and relation is not None:
        there = beside.held.columns(slot)
        parts += [
            _by_way(slot, way, place, values, relation, there, beside.submitter)
            for place, way in ways
            if way != CARD or "card_key" in there
        ]
    return parts


def _by_way(
    slot: str,
    way: str,
    place: int,
    values: Map[str, str],
    relation: str,
    there: frozenset[str] | None = None,
    submitter: str = "",
) -> str:
    """The candidates that one way leads to; `there` are the columns of a relation of the store."""
    store = there is not None
    conditions = [_same(way, store=store)]
    joined = f"asking a JOIN {relation} k"
    if store and way in _ACROSS:
        # card_holders: the records of the store whose child or mother bears a card that is asked for (joining.py).
        joined = f"asking a JOIN card_holders h ON h.way = '{way}' AND h.key = a.{way}_key JOIN {relation} k"
        conditions = [f"k.{name} = h.{name}" for name in _ID]
    elif store:
        conditions.append(f"k.submitter = {literal(submitter)}")
    if way == CARD:
        conditions.append(same_time(event_first="k.event_first", child_born=f"{'h' if store else 'k'}.child_born"))
    if way in _HERS and slot in SPANS:
        before, after = SPANS[slot]
        conditions.append(f"k.event_first BETWEEN a.event_first - {before} AND a.event_first + {after}")
        if not store:  # every record of the store has a delivery, one of its own where none was named
            conditions.append("coalesce(a.delivery_key = k.delivery_key, true)")
    told = [
        f"k.{name}::VARCHAR" for name in values if not name.endswith("_missing") and (there is None or name in there)
    ]
    if slot in PERSONS and told:  # who says nothing of what is asked stands in nobody's way
        conditions.append(f"coalesce({', '.join(told)}) IS NOT NULL")
    columns = [
        "a.line",
        f"'{_STORE if store else _FILE}' AS origin",
        f"{place} AS way",
        f"'{way}' AS way_name",
        f"{'k.submitter' if store else literal(submitter)} || chr(31) || k.local_record_id AS id",
        f"{'k.delivery' if store else 'k.delivery_key'} AS delivery_key",
        "k.event_first AS event",
        *(f"k.{name}" if there is None or name in there else _nothing(name, kind) for name, kind in values.items()),
    ]
    return f"SELECT {', '.join(columns)} FROM {joined} ON {' AND '.join(conditions)}"


def _same(way: str, *, store: bool) -> str:
    if not store or way in _ACROSS:
        return f"a.{way}_key = k.{way}_key"
    column = {MOTHER: "mother_subject", CHILD: "child_subject", DELIVERY: "delivery"}[way]
    return f"a.{way}_hash = k.{column}"
