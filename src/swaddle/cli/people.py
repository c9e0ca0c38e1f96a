"""`swaddle people`: who signs by name for the organisation whose home this is."""

from __future__ import annotations

import json
from pathlib import Path

import click

from swaddle.home import locate

HOME = click.option("--home", type=click.Path(path_type=Path), help="A registry's or a submitter's folder.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")

group = click.Group("people", help="Who signs by name: a name, a role and an OpenSSH key each.")


@group.command()
@click.argument("name")
@click.argument("key", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--role", required=True, help="What they are: data manager, privacy officer.")
@HOME
@JSON
def add(name: str, key: Path, role: str, home: Path | None, as_json: bool) -> None:
    """Add NAME with the public KEY file (ssh-ed25519); the private half stays with the person."""
    from swaddle.envelope import people
    from swaddle.wire.client import utc_now

    person = people.add(_home(home), name, role, key.read_text("utf-8", "replace"), utc_now())
    _show((person,), as_json)


@group.command(name="list")
@HOME
@JSON
def list_people(home: Path | None, as_json: bool) -> None:
    """Who there is."""
    from swaddle.envelope import people

    _show(people.known(_home(home)), as_json)


@group.command()
@click.argument("name")
@HOME
@JSON
def remove(name: str, home: Path | None, as_json: bool) -> None:
    """Remove NAME: their key signs nothing more from here; what it signed stays."""
    from swaddle.envelope import people

    _show((people.remove(_home(home), name),), as_json)


def _home(home: Path | None) -> Path:
    from swaddle.home import kind_of

    path = locate(home)
    kind_of(path)
    return path


def _show(found: tuple[object, ...], as_json: bool) -> None:
    from swaddle.envelope import people

    value = people.to_json(found)  # type: ignore[arg-type]
    lines = [f"{each['name']} ({each['role']})  {each['fingerprint']}" for each in value["people"]]
    click.echo(json.dumps(value, indent=2) if as_json else "\n".join(lines) or "Nobody yet.")
