"""`swaddle registry alarms | backup-keys | release-freeze`: what an administrator does by hand."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from swaddle.cli.registry_options import do, home_option, json_option, passphrase_option, tell


@click.command(name="backup-keys")
@home_option
@click.option("--new", is_flag=True, help="Make another pair; older backups open with the older private half only.")
@passphrase_option
@json_option
def backup_keys(home_path: Path | None, new: bool, passphrase_fd: int | None, as_json: bool) -> None:
    """Make the backup pair, where there is none, and tell the gateway what to seal its backups to."""
    tell(do(home_path, passphrase_fd, "backup-keys", new=new), as_json, backup_keys_words)


def backup_keys_words(result: Mapping[str, Any]) -> str:
    """The pair in two lines."""
    lines = [f"Backups of the gateway are sealed to {result['key_id'][:8]}."]
    if result["private"]:
        lines.append(f"Move {result['private']} offline now, beside the root key: a backup is restored with it.")
    return "\n".join(lines)


@click.command(name="release-freeze")
@home_option
@click.argument("freeze", required=False)
@click.option("--unlisted", is_flag=True, help="Take a restored gateway although custody does not list its backup.")
@passphrase_option
@json_option
def release_freeze(
    home_path: Path | None, freeze: str | None, unlisted: bool, passphrase_fd: int | None, as_json: bool
) -> None:
    """Let reading on the gateway go on. Look at the cause first; a restored gateway's lost transfers are named."""
    result = do(home_path, passphrase_fd, "release-freeze", freeze=freeze, unlisted=unlisted)
    tell(result, as_json, release_words)


def release_words(result: Mapping[str, Any]) -> str:
    """What was released, and what is to be asked for."""
    lines = [f"Released: {result['released']} ({result['cause']})."]
    lines += [f"  lost: {each['id'][:8]} of {each['name']}, held since {each['held_at']}" for each in result["lost"]]
    if result["lost"]:
        lines.append("What `send` sent comes again by itself; ask for what came by the door.")
    lines += [f"  not known to the restored gateway: {name}; invite it again" for name in result["enrol_again"]]
    return "\n".join(lines)


@click.command()
@home_option
@click.option(
    "--answer", metavar="ID", help="End the alarms about this id (or its beginning): you have looked into it."
)
@passphrase_option
@json_option
def alarms(home_path: Path | None, answer: str | None, passphrase_fd: int | None, as_json: bool) -> None:
    """The alarms that stand. Exit 8 while there is one, so that a monitor can ask."""
    result = do(home_path, passphrase_fd, "alarms", answer=answer)
    tell(result, as_json, lambda r: "\n".join(r["text"]) or "No alarm stands.")
    if result["alarms"]:
        sys.exit(8)
