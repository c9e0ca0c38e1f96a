"""The filings of one incident: scope and facts asked of the registry, each form filled, pages and VERIS beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from swaddle import durable
from swaddle.canonical import format_instant
from swaddle.dictionary.words import LANGUAGES, Language
from swaddle.feedback.page import fill
from swaddle.incident.case import Case, case_of
from swaddle.incident.filings import FORMS, Filing, NoSuchForm, filing, to_json
from swaddle.incident.scope import Inside, facts, scope
from swaddle.incident.veris import veris

VERIS = "veris"


def filings(
    inside: Inside, incident: str, forms: Sequence[str], at: datetime, folder: Path | None = None
) -> dict[str, Any]:
    """Fill the forms of an incident as far as it is known.

    Args:
        inside: the registry.
        incident: its number, or the beginning of it.
        forms: of filings.FORMS and `veris`; none for all.
        at: now.
        folder: gets FORM.html, FORM-fr.html and FORM.json of each, and veris.json; None writes nothing.

    Returns:
        `incident`, `made`, `filings` (filings.to_json of each, with `over`: clocks past their end), `veris`, `files`.

    Raises:
        NoSuchForm: one of them is not ours; nothing was scoped.
        NoSuchIncident, NotNow: as scope.scope.
    """
    wanted = tuple(forms) or (*FORMS, VERIS)
    if any(name not in (*FORMS, VERIS) for name in wanted):
        raise NoSuchForm
    case = known(inside, incident)
    filled = {name: filing(name, case, "en") for name in wanted if name in FORMS}
    told: dict[str, Any] = {
        "incident": case.incident,
        "made": format_instant(at),
        "filings": [
            {**to_json(each), "over": [clock.whom for clock in each.clocks if clock.is_over(at)]}
            for each in filled.values()
        ],
        "veris": veris(case) if VERIS in wanted else None,
        "files": [],
    }
    if folder is not None:
        told["files"] = _write(told, case, folder, at)
    return told


def known(inside: Inside, incident: str) -> Case:
    """What is known: the scope as it is now, and the facts that custody vouches for."""
    scoped = scope(inside, incident)
    written = facts(inside, scoped["incident"])["facts"]
    return case_of({name: each for name, each in written.items() if each["vouched"]}, scoped)


def page(filled: Filing, language: Language, at: datetime) -> str:
    """A form as one page: no script, nothing fetched."""
    return fill("filing.html", language, filing=filled, at=at)


def _write(told: dict[str, Any], case: Case, folder: Path, at: datetime) -> list[str]:
    durable.make_folder(folder)
    files: dict[str, bytes] = {}
    for each in told["filings"]:
        name = each["form"]  # one of FORMS
        for language in LANGUAGES:
            tail = "" if language == "en" else f"-{language}"
            files[f"{name}{tail}.html"] = page(filing(name, case, language), language, at).encode()
        files[f"{name}.json"] = _json(each)
    if told["veris"] is not None:
        files[f"{VERIS}.json"] = _json(told["veris"])
    for name, data in files.items():
        durable.write_file(folder / name, data)
    return sorted(files)


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"
