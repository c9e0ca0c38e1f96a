"""`swaddle registry community`: whose births are told of to their own hospital alone, and which two persons say so."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from swaddle.cli.registry_options import do, home_option, json_option, passphrase_option, registry_at, tell
from swaddle.cli.registry_person import key_options, sign_for

group = click.Group("community", help="What a community asks of all that is told of others; two persons keep it.")


@group.command()
@home_option
@click.argument("name")
@click.option("--postal", multiple=True, help="The beginning of a postal code, K0A or P0T 2; several are fine.")
@click.option("--identity", multiple=True, help="A code of the dictionary's indigenous_identity; several are fine.")
@key_options(required=True)
@passphrase_option
@json_option
def ask(
    home_path: Path | None,
    name: str,
    postal: tuple[str, ...],
    identity: tuple[str, ...],
    key: Path,
    key_passphrase_fd: int | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Take the demand of the community NAME as its first person; it holds at once.

    Births of mothers who live under one of these postal codes, or who said one of these identities, are then in no
    figure about others: no peer group, no funnel, no total. Their own hospital sees them as before. A second person
    signs with `community confirm`.
    """
    from swaddle.registry.community import Demand

    given = {"community": secrets.token_hex(16), "name": name, "postal": list(postal), "identities": list(identity)}
    demand = Demand.from_json(given).to_json()
    with registry_at(home_path, passphrase_fd) as inside:
        word = sign_for(home_path, key, key_passphrase_fd, {"act": "ask", **demand})
        tell(inside.do("community-ask", demand=demand, word=word), as_json, words)


def _step(name: str, help_: str) -> None:
    @group.command(name=name, help=help_)
    @home_option
    @click.argument("demand")
    @key_options(required=True)
    @passphrase_option
    @json_option
    def command(
        home_path: Path | None,
        demand: str,
        key: Path,
        key_passphrase_fd: int | None,
        passphrase_fd: int | None,
        as_json: bool,
    ) -> None:
        with registry_at(home_path, passphrase_fd) as inside:
            known = inside.do("community-show", demand=demand)
            act = "confirm-end" if name == "end" and known["state"] == "ending" else name
            word = sign_for(home_path, key, key_passphrase_fd, {"act": act, **known["to_sign"]})
            tell(inside.do("community-step", demand=known["community"], act=act, word=word), as_json, words)


_step("confirm", "Confirm DEMAND as its second person, or say that it goes on where somebody asked for its end.")
_step("end", "End DEMAND: the first person asks for it, a second one does the same, then its births count again.")


@group.command(name="list")
@home_option
@click.option("--ended", is_flag=True, help="Those that were ended too.")
@passphrase_option
@json_option
def list_(home_path: Path | None, ended: bool, passphrase_fd: int | None, as_json: bool) -> None:
    """Every demand in force, who signed it, and how many rows it keeps out."""
    result = do(home_path, passphrase_fd, "communities", ended=ended)
    tell(result, as_json, lambda r: "\n".join(map(words, r["communities"])) or "No community has asked for anything.")


def words(one: Mapping[str, Any]) -> str:
    """A demand in lines."""
    whom = [f"postal codes {', '.join(one['postal'])}"] if one["postal"] else []
    whom += [f"identities {', '.join(one['identities'])}"] if one["identities"] else []
    lines = [
        f"{one['community'][:8]}  {one['state']}: {one['name']}",
        f"  {'; '.join(whom)}; {one['rows']:,} rows kept out",
    ]
    lines += [f"  {each['act']}: {each['person']} ({each['role']}), {each['at']}" for each in one["words"]]
    if one["state"] == "asked":
        lines.append("  It holds already; a second person confirms it.")
    return "\n".join(lines)
