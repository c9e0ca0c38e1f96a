"""The retention schedule in force: adopted by a person's word, kept with it, and no other.

The shipped schedule is a proposal that nobody has adopted; so is a file that lies about. What was adopted is kept in
the small database, text and word, so that no edit of a file changes what is destroyed tonight.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from swaddle.canonical import format_instant
from swaddle.registry import holding, letting_go, retention
from swaddle.registry.inside import Registry
from swaddle.registry.retention import Schedule, ScheduleUnusable
from swaddle.registry.signed_by import word_if_people

ADOPTED = "retention_schedule"


def shipped() -> str:
    """The text of the proposal that comes with the program."""
    return (resources.files("swaddle.registry") / "retention_default.toml").read_text("utf-8")


def adopt(inside: Registry, text: str, word: Any = None) -> dict[str, Any]:
    """Follow this schedule from now on.

    Args:
        inside: the registry.
        text: its TOML.
        word: a person's signature over {"act": "adopt-schedule", "sha256": …}; needed once the registry has people.

    Raises:
        ScheduleUnusable, SignatureNeeded: the one in force stays.
    """
    wanted = retention.parse(text)
    said = word_if_people(inside, word, {"act": "adopt-schedule", "sha256": wanted.digest})
    kept = {"text": text, "at": format_instant(inside.now()), "word": None if said is None else said.signed.to_json()}
    detail = {} if said is None else {"key": said.person.public.fingerprint, "word_sha256": said.sha256}
    inside.ledger.append("retention-adopted", wanted.digest, detail, inside.now())
    inside.state.set_fact(ADOPTED, json.dumps(kept))
    return show(inside)


def schedule(inside: Registry) -> Schedule | None:
    """The schedule in force; None where none was adopted."""
    kept = inside.state.fact(ADOPTED)
    return None if kept is None else retention.parse(json.loads(kept)["text"])


def needed(inside: Registry) -> Schedule:
    """The schedule in force.

    Raises:
        ScheduleUnusable: none was adopted.
    """
    found = schedule(inside)
    if found is None:
        raise ScheduleUnusable("none was adopted: nothing is destroyed by a schedule that nobody stands behind")
    return found


def show(inside: Registry) -> dict[str, Any]:
    """The schedule in force, or the proposal where none is; with its text."""
    kept = inside.state.fact(ADOPTED)
    told: dict[str, Any] = {"text": shipped()} if kept is None else json.loads(kept)
    word = told.get("word")
    person = None if word is None else json.loads(word["message"])["person"]["name"]
    return {
        "adopted": kept is not None,
        "adopted_at": told.get("at"),
        "adopted_by": person,
        **retention.told(retention.parse(told["text"])),
        "text": told["text"],
    }


def preview(inside: Registry, text: str | None = None) -> dict[str, Any]:
    """What a schedule would let go of today if it were in force and each of its figures vouched for.

    Args:
        inside: the registry.
        text: its TOML; else the one in force, else the proposal.

    Raises:
        ScheduleUnusable: it is none.
    """
    wanted = retention.parse(text if text is not None else show(inside)["text"])
    as_if = retention.as_if_vouched(wanted)
    found = letting_go.plan(inside.store.connection, as_if, holding.scopes(inside), inside.now().date())
    return {
        "version": wanted.version,
        "sha256": wanted.digest,
        "counts": found.counts(),
        "held": {"numbers": found.held, "reports": found.held_reports},
        "unverified": [name for name, keep in wanted.keeps.items() if not keep.is_verified],
    }
