"""`swaddle incident filings`: what authorities ask, filled as far as it is known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from swaddle.cli.registry_options import home_option, json_option, passphrase_option, registry_at, tell


@click.command()
@home_option
@click.argument("incident")
@click.option("--form", "forms", multiple=True, help="ontario, hipaa, gdpr, quebec or veris; all of them without it.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="A folder for the pages, in English and French, and the JSON."
)
@passphrase_option
@json_option
def filings(
    home_path: Path | None,
    incident: str,
    forms: tuple[str, ...],
    out: Path | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Fill the forms of authorities from the scope and the facts; what nobody knows is marked. Nothing is sent."""
    from swaddle.incident.filed import filings as fill

    with registry_at(home_path, passphrase_fd) as inside:
        result = fill(inside, incident, forms, datetime.now(UTC), None if out is None else out.resolve())
    tell(result, as_json, words)


def words(result: Mapping[str, Any]) -> str:
    """The forms in lines: how much is known, and every clock."""
    lines = [f"Incident {result['incident'][:8]}. Drafts for people to check, sign and send; nothing was sent."]
    for each in result["filings"]:
        answered = sum(bool(field["known"]) for field in each["fields"])
        lines.append(f"{each['form']}: {each['to']}; {answered} of {len(each['fields'])} questions have an answer")
        for clock in each["clocks"]:
            due = "" if clock["due"] is None else f", due {clock['due']}"
            state = (
                f"  done {clock['done']}"
                if clock["done"]
                else "  PAST ITS END"
                if clock["whom"] in each["over"]
                else ""
            )
            lines.append(f"  {clock['whom']}: {clock['words']}{due}{state}")
        if each["missing"]:
            lines.append(f"  not known yet: {', '.join(each['missing'])}")
    if result["veris"] is not None:
        lines.append("veris: VERIS 1.4.1, with --json or --out")
    if result["files"]:
        lines.append(f"{len(result['files'])} files written")
    return "\n".join(lines)
