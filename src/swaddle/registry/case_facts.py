"""The facts of an incident in the encrypted store, every version of each; custody has a commitment to each of them."""

from __future__ import annotations

from typing import Any

from swaddle.registry.inside import Registry

TABLE = "clinical.incident_facts"
EVENT = "incident-noted"


def keep(inside: Registry, incident: str, fact: dict[str, str], salt: str, commitment: str) -> dict[str, Any]:
    """Keep a fact beside those said before, and write its commitment into custody; a kill between leaves it unvouched.

    Args:
        inside: the registry.
        incident: its whole number.
        fact: `name`, `value`, `source`, `at`, checked by the room that asks.
        salt: hex, of the commitment.
        commitment: hex.
    """
    at = inside.now()
    inside.store.connection.execute(
        f"insert into {TABLE} select ?, ?, ?, ?, ?, ?, ?, ?, count(*) + 1 from {TABLE}",
        [incident, fact["name"], fact["value"], fact["source"], fact["at"], at.replace(tzinfo=None), salt, commitment],
    )
    entry = inside.ledger.append(EVENT, incident, {"commitment": commitment}, at)
    return {"incident": incident, **fact, "commitment": commitment, "entry": entry.sequence}


def listed(inside: Registry, incident: str) -> list[dict[str, Any]]:
    """Every fact said about an incident, in order; `entry` is that of its commitment, None where custody has none."""
    vouched = {
        entry.detail["commitment"]: entry.sequence for entry in inside.ledger.entries(incident) if entry.event == EVENT
    }
    rows = inside.store.connection.execute(
        f"select name, value, source, known_at, salt, commitment from {TABLE} where incident = ? order by number",
        [incident],
    ).fetchall()
    names = ("name", "value", "source", "at", "salt", "commitment")
    return [dict(zip(names, row, strict=True)) | {"entry": vouched.get(row[-1])} for row in rows]
