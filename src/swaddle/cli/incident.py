"""`swaddle incident`: a breach, from its first hour."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from swaddle.cli.incident_filings import filings
from swaddle.cli.incident_scan import scan
from swaddle.cli.registry_options import home_option, json_option, passphrase_option, registry_at, tell

group = click.Group("incident", help="A breach: open it, say whom it is about, fill the forms; scan a folder.")
group.add_command(scan)
group.add_command(filings)


@group.command("open")
@home_option
@click.option("--from", "first", required=True, help="Earliest possible moment, 2026-11-22T09:24:37Z.")
@click.option("--to", "last", required=True, help="Latest possible moment; its whole second belongs to the window.")
@click.option(
    "--place", default="gateway", show_default=True, help="gateway, door, store, backup, release, laptop, other."
)
@click.option("--which", help="The backup's or report's id; for laptop and other, the submitter whose it was.")
@passphrase_option
@json_option
def open_(
    home_path: Path | None,
    first: str,
    last: str,
    place: str,
    which: str | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Begin an incident: somebody may have read what lay at a place between two moments."""
    from swaddle.incident.scope import open_incident

    with registry_at(home_path, passphrase_fd) as inside:
        result = open_incident(inside, first, last, place, which)
    tell(
        result,
        as_json,
        lambda r: (
            f"Incident {r['incident']} is open.\n`swaddle incident scope {r['incident'][:8]}` says whom it is about."
        ),
    )


@group.command()
@home_option
@click.argument("incident")
@passphrase_option
@json_option
def scope(home_path: Path | None, incident: str, passphrase_fd: int | None, as_json: bool) -> None:
    """Whom an incident could be about: by what was there, never by what a log says was read."""
    from swaddle.incident.scope import scope as whole_scope

    with registry_at(home_path, passphrase_fd) as inside:
        result = whole_scope(inside, incident)
    tell(result, as_json, scope_words)


@group.command()
@home_option
@click.argument("incident")
@click.argument("name")
@click.argument("value")
@click.option("--source", required=True, help="Who says so, or where it is written.")
@click.option("--at", "day", required=True, help="Since when it is known: 2026-11-22, or 2026-11-22T09:24:37Z.")
@passphrase_option
@json_option
def fact(
    home_path: Path | None,
    incident: str,
    name: str,
    value: str,
    source: str,
    day: str,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Write down what is known, such as `cause` or `ransom_demand`; VALUE may be `unknown`. The last word counts."""
    from swaddle.incident.facts import fact_of
    from swaddle.incident.scope import note

    wanted = fact_of(name, value, source, day)
    with registry_at(home_path, passphrase_fd) as inside:
        result = note(inside, incident, wanted)
    tell(result, as_json, lambda r: f"Written down: {r['name']} (custody entry {r['entry']:,}).")


@group.command()
@home_option
@click.argument("incident")
@passphrase_option
@json_option
def facts(home_path: Path | None, incident: str, passphrase_fd: int | None, as_json: bool) -> None:
    """What is written down about an incident, by whom, and what nobody has said yet."""
    from swaddle.incident.scope import facts as all_facts

    with registry_at(home_path, passphrase_fd) as inside:
        result = all_facts(inside, incident)
    tell(result, as_json, facts_words)


def facts_words(found: Mapping[str, Any]) -> str:
    """The facts, one a line; what custody does not vouch for is marked."""
    lines = [
        f"{each['name']}: {each['value']}  ({each['source']}, {each['at']})"
        + ("" if each["vouched"] else "  NOT AS IT WAS WRITTEN DOWN: custody has no such commitment")
        for each in found["facts"].values()
    ]
    return "\n".join([*lines, f"unknown: {', '.join(found['unknown'])}"])


@group.command()
@home_option
@click.argument("incident")
@passphrase_option
@json_option
def contain(home_path: Path | None, incident: str, passphrase_fd: int | None, as_json: bool) -> None:
    """Say that the breach is contained."""
    from swaddle.incident.life import Event
    from swaddle.incident.scope import step

    with registry_at(home_path, passphrase_fd) as inside:
        result = step(inside, incident, Event.CONTAINED)
    tell(result, as_json, lambda r: f"Incident {r['incident'][:8]} is {r['state']}.")


@group.command()
@home_option
@click.argument("incident")
@passphrase_option
@json_option
def close(home_path: Path | None, incident: str, passphrase_fd: int | None, as_json: bool) -> None:
    """Close an incident that is contained; what is learnt later opens a new one."""
    from swaddle.incident.life import Event
    from swaddle.incident.scope import step

    with registry_at(home_path, passphrase_fd) as inside:
        result = step(inside, incident, Event.CLOSED)
    tell(result, as_json, lambda r: f"Incident {r['incident'][:8]} is {r['state']}.")


def scope_words(found: Mapping[str, Any]) -> str:
    """The scope as a privacy officer reads it."""
    transfers, persons, unknown = found["transfers"], found["persons"], found["unknown"]
    lines = [] if found["gateway_reached"] else ["The gateway was not reached: what came there lately is not counted."]
    lines += [
        f"Incident {found['incident'][:8]}: {found['window'][0]} to {found['window'][1]}",
        f"  transfers there at any moment  {transfers['upper']:>9,}   during the whole time  {transfers['lower']:>9,}",
        f"  persons they are about         {persons['upper']:>9,}                          {persons['lower']:>9,}",
    ]
    if found["let_go"]:
        lines.append(f"  let go of since, so nobody knows who they are: at most {found['let_go']:,} persons more")
    if unknown["transfers"]:
        stated = "no count stated" if unknown["stated_count"] is None else f"{unknown['stated_count']:,} stated"
        lines.append(f"  never opened, so nobody knows about whom: {unknown['transfers']:,} transfers ({stated})")
    lines += [
        f"  {row['category']:<30} {row['persons']:>9,}   {row['first'] or '?'} to {row['last'] or '?'}"
        for row in found["by_category"]
    ]
    named = [(f"submitter {(row['submitter'] or 'not known')[:8]}", row) for row in found["by_submitter"]]
    named += [(f"protection: {row['class']}", row) for row in found["protection"]]
    lines += [f"  {name:<30} {row['persons']:>9,}   in {row['transfers']:,} transfers" for name, row in named]
    lines += [f"  lives in {row['area'] or '(not known)':<21} {row['persons']:>9,}" for row in found["by_residence"]]
    if found["counted_apart"]:
        lines.append(
            f"  at most: persons of {found['counted_apart']:,} submitters are counted apart; who is known to two is two"
        )
    lines += [
        f"  also in incident {row['incident'][:8]:<13} {row['persons']:>9,}   persons" for row in found["overlaps"]
    ]
    lines += [
        f"  ask submitter {(row['submitter'] or 'not known')[:8]:<16} about {len(row['transfers']):,} transfers"
        for row in found["ask"]
    ]
    return "\n".join(lines)
