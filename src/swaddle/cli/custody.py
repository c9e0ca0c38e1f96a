"""`swaddle custody`: what happened to a transfer, a copy, a key, an incident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from swaddle.cli.registry_options import do, home_option, json_option, passphrase_option, tell

group = click.Group("custody", help="The record of every copy.")


@group.command()
@home_option
@click.argument("subject", metavar="TRANSFER")
@passphrase_option
@json_option
def show(home_path: Path | None, subject: str, passphrase_fd: int | None, as_json: bool) -> None:
    """Every custody entry about a transfer (or a key, a submitter, an incident), oldest first."""
    from swaddle.custody.show import story

    tell(story(do(home_path, passphrase_fd, "custody-entries"), subject), as_json, lambda r: entry_lines(r["entries"]))


def entry_lines(entries: Sequence[Mapping[str, Any]]) -> str:
    """One line an entry: when, what, its values."""
    return "\n".join(
        f"{entry['at']}  {entry['event']:<22} " + " ".join(f"{name}={value}" for name, value in entry["detail"].items())
        for entry in entries
    )
