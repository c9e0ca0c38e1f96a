"""What the registry holds, for looking up: the records that count today, slot by slot, as intake/lookups.py asks.

Relations are SQL and nothing is read until a rule asks. Only records of the store's committed loads are in them; the
records that the file at hand replaces are left out by the caller's choice of submitter and number.
"""

from __future__ import annotations

import hmac
from datetime import date

import duckdb

from swaddle.dictionary.model import PERSONS
from swaddle.intake import cast
from swaddle.intake.cards import SCREENING, screening_key
from swaddle.intake.engine import identifier, literal
from swaddle.registry.records import TABLES
from swaddle.registry.store import Store
from swaddle.registry.store_tables import bare, names_of
from swaddle.registry.views import current

SUBJECT_DIGITS = 32


class Held:
    """The store beside one submission; `submitter` is whose local numbers are hashed."""

    def __init__(
        self, store: Store, connection: duckdb.DuckDBPyConnection, submitter: str, since: date | None = None
    ) -> None:
        """Know the store; nothing is read. `since`: only records of events from that month on."""
        self._store = store
        self._since = since
        self._key = hmac.digest(store.subject_key, f"swaddle subject submitter:{submitter}".encode(), "sha256").hex()
        self._slots: dict[str, tuple[str, frozenset[str]] | None] = {}
        self._connection = connection

    def relation(self, slot: str) -> str | None:
        """SQL of the records of a slot that count; None where the store has none of them."""
        found = self._slot(slot)
        return None if found is None else found[0]

    def columns(self, slot: str) -> frozenset[str]:
        """The columns of that relation; none where there is none."""
        found = self._slot(slot)
        return frozenset() if found is None else found[1]

    def subject(self, what: str, number: str) -> str:
        """SQL of the keyed hash under which link.py keeps a `person` or a `delivery` of this submitter."""
        part = "chr(31)"
        return f"sha256({literal(self._key)} || {part} || {literal(what)} || {part} || {number})[:{SUBJECT_DIGITS}]"

    def _slot(self, slot: str) -> tuple[str, frozenset[str]] | None:
        if slot not in self._slots:
            self._slots[slot] = self._make(slot)
        return self._slots[slot]

    def _make(self, slot: str) -> tuple[str, frozenset[str]] | None:
        fields = [each for each in self._store.dictionary.wide_fields() if each.slot == slot]
        if not fields:
            return None
        record_type = fields[0].record_type
        table = TABLES.get(record_type)
        filled = "clinical.stored_rows" if table is None else f"clinical.{table}"
        if self._connection.execute(f"select 1 from {filled} limit 1").fetchone() is None:
            return None
        columns = {
            "submitter": "kept.submitter", "form": "kept.form", "local_record_id": "kept.local_record_id",
            "delivery": "kept.delivery", "load_id": "kept.load_id", "delivery_line": "kept.delivery_line",
            "mother_subject": "kept.mother_subject", "child_subject": "kept.child_subject",
            "person_subject": "kept.person_subject",
            "delivery_local_id": "kept.delivery_local_id", "event_date": "told.event_date",
            "event_first": cast.event_first("told.event_date"),
        }  # fmt: skip
        columns["event_last"] = cast.event_last("told.event_date", columns["event_first"])
        there = {name: self._names(name) for name in ("identifiers.persons", "identifiers.records", filled)}
        for each in fields:
            for name in (each.name, f"{each.name}_missing"):
                if each.field.sensitivity != "D":
                    of = ("kept" if table is None else "record") if name in there[filled] else None
                    columns |= {name: f"{of}.{identifier(name)}"} if of else {}
                elif slot in PERSONS and bare(name, f"{slot}_") in there["identifiers.persons"]:
                    columns[name] = f"person.{identifier(bare(name, f'{slot}_'))}"
                elif slot not in PERSONS and name in there["identifiers.records"]:
                    columns[name] = f"told.{identifier(name)}"
        cards = [columns[name] for name in SCREENING if name in columns]
        columns["card_key"] = screening_key(f"coalesce({', '.join([*cards, 'null'])})::varchar")
        sql = f"select {', '.join(f'{source} as {identifier(name)}' for name, source in columns.items())}"
        sql += f" from {self._rows()} kept join identifiers.records told using (load_id, line)"
        if table is not None:
            sql += f" join clinical.{table} record using (load_id, line)"
        else:
            sql += " join identifiers.persons person on (person.load_id, person.line, person.role)"
            sql += f" = (kept.load_id, kept.line, {literal(slot)})"
        return f"({sql})", frozenset(columns)

    def _rows(self) -> str:
        if self._since is None:
            return current()
        first = self._since.year * 12 + self._since.month
        return f"(from {current()} where event_year * 12 + coalesce(event_month, 12) >= {first})"

    def _names(self, table: str) -> set[str]:
        return names_of(self._connection, table)
