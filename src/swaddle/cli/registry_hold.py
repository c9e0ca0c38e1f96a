"""`swaddle registry hold`: what must not be let go of now, why, and which two persons say so."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click

from swaddle.cli.registry_options import do, home_option, json_option, passphrase_option, registry_at, tell
from swaddle.cli.registry_person import key_options, sign_for
from swaddle.errors import UsageFault

group = click.Group("hold", help="Holds stop disposal; two persons make one, and two release it.")
_KINDS = click.Choice(["incident", "court", "access"])


@group.command()
@home_option
@click.option("--kind", required=True, type=_KINDS, help="An incident, a court or an authority, an access request.")
@click.option("--reason", required=True, help="In words; kept encrypted. Name a file or a case, no person.")
@click.option("--review", required=True, metavar="DATE", help="When it must be looked at again, 2027-06-01.")
@click.option("--everything", is_flag=True, help="All that the registry has.")
@click.option("--submitter", help="What this organisation sent, by its name.")
@click.option("--type", "record_type", help="Records that hold this record type.")
@click.option("--from", "first", metavar="DATE", help="Events on this day or later.")
@click.option("--to", "last", metavar="DATE", help="Events on this day or earlier.")
@click.option("--transfer", help="What came in this transfer, every version of it.")
@click.option("--person", "persons", multiple=True, help="A person's registry id (`hold person`); several are fine.")
@key_options(required=True)
@passphrase_option
@json_option
def add(
    home_path: Path | None,
    kind: str,
    reason: str,
    review: str,
    everything: bool,
    submitter: str | None,
    record_type: str | None,
    first: str | None,
    last: str | None,
    transfer: str | None,
    persons: tuple[str, ...],
    key: Path,
    key_passphrase_fd: int | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Make a hold as its first person. It stops disposal at once; a second person signs with `hold confirm`.

    What is given together must all be met: --submitter with --from holds that submitter's from that day on.
    """
    limits: dict[str, Any] = {
        "record_type": record_type,
        "first": _day(first),
        "last": _day(last),
        "transfer": transfer,
    }
    limits |= {"persons": list(persons)} if persons else {}
    is_limited = submitter is not None or any(limits.values())
    if everything == is_limited:
        raise UsageFault("say what is held: --everything, or at least one limit")
    with registry_at(home_path, passphrase_fd) as inside:
        scope = inside.do("hold-scope", submitter_name=submitter, **limits)
        hold = {"hold": secrets.token_hex(16), "kind": kind, "reason": reason, "review": _day(review), "scope": scope}
        word = sign_for(home_path, key, key_passphrase_fd, {"act": "propose", **hold})
        tell(inside.do("hold-propose", hold=hold, word=word), as_json, hold_words)


def _step(name: str, words: str) -> None:
    @group.command(name=name, help=words)
    @home_option
    @click.argument("hold")
    @key_options(required=True)
    @passphrase_option
    @json_option
    def command(
        home_path: Path | None,
        hold: str,
        key: Path,
        key_passphrase_fd: int | None,
        passphrase_fd: int | None,
        as_json: bool,
    ) -> None:
        with registry_at(home_path, passphrase_fd) as inside:
            known = inside.do("hold-show", hold=hold)
            act = "confirm-release" if name == "release" and known["state"] == "releasing" else name
            word = sign_for(home_path, key, key_passphrase_fd, {"act": act, **known["to_sign"]})
            tell(inside.do("hold-step", hold=known["hold"], act=act, word=word), as_json, hold_words)


_step("confirm", "Confirm HOLD as its second person: another name and another key than the first.")
_step("release", "Release HOLD: the first person asks for it, a second one does the same, then it ends.")


@group.command()
@home_option
@click.argument("hold")
@click.option("--until", required=True, metavar="DATE", help="When it must be looked at again.")
@key_options(required=True)
@passphrase_option
@json_option
def review(
    home_path: Path | None,
    hold: str,
    until: str,
    key: Path,
    key_passphrase_fd: int | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Say that HOLD was looked at and goes on, and when it is looked at again. Ends a release that was asked for."""
    with registry_at(home_path, passphrase_fd) as inside:
        known = inside.do("hold-show", hold=hold)
        said = {"act": "review", **known["to_sign"], "review": _day(until)}
        word = sign_for(home_path, key, key_passphrase_fd, said)
        result = inside.do("hold-step", hold=known["hold"], act="review", word=word, until=_day(until))
        tell(result, as_json, hold_words)


@group.command(name="list")
@home_option
@click.option("--all", "ended", is_flag=True, help="Those that were released too.")
@passphrase_option
@json_option
def list_holds(home_path: Path | None, ended: bool, passphrase_fd: int | None, as_json: bool) -> None:
    """The holds in force, those whose review is due first."""
    result = do(home_path, passphrase_fd, "holds", ended=ended)
    tell(result, as_json, lambda r: "\n".join(map(hold_words, r["holds"])) or "Nothing is on hold.")


@group.command()
@home_option
@click.option("--submitter", required=True, help="Whose number it is, by its name.")
@passphrase_option
@json_option
def person(home_path: Path | None, submitter: str, passphrase_fd: int | None, as_json: bool) -> None:
    """A person's registry id: read their local number at SUBMITTER from standard input, never the command line."""
    number = sys.stdin.readline(1000).strip()
    if not number:
        raise UsageFault("give the person's local number on standard input, one line")
    result = do(home_path, passphrase_fd, "hold-person", submitter_name=submitter, number=number)
    tell(result, as_json, lambda r: f"{r['person']}  {r['rows']:,} rows in the registry are about them")


def hold_words(hold: Mapping[str, Any]) -> str:
    """A hold in lines."""
    late = "  REVIEW OVERDUE" if hold["overdue"] else ""
    lines = [
        f"{hold['hold'][:8]}  {hold['kind']}, {hold['state']}: {scope_words(hold)}",
        f"    {hold['reason']}",
        f"    review {hold['review']}{late}",
        *[f"    {each['act']}: {each['person']} ({each['role']}), {each['at']}" for each in hold["words"]],
    ]
    if hold["state"] == "proposed":
        lines.append("    holds already; a second person has to confirm it")
    if hold["state"] == "releasing":
        lines.append("    still holds; a second person has to release it")
    return "\n".join(lines)


def scope_words(hold: Mapping[str, Any]) -> str:
    """What is held."""
    scope = hold["scope"]
    told = [f"what {hold['submitter_name'] or 'a submitter'} sent"] * (scope["submitter"] is not None)
    told += [f"records with {scope['record_type']}"] * (scope["record_type"] is not None)
    told += [f"events from {scope['first']}"] * (scope["first"] is not None)
    told += [f"events to {scope['last']}"] * (scope["last"] is not None)
    told += [f"transfer {(scope['transfer'] or '')[:8]}"] * (scope["transfer"] is not None)
    told += [f"{len(scope['persons'])} persons"] * bool(scope["persons"])
    return ", ".join(told) or "everything"


def _day(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageFault("a date is written 2026-11-22") from None
