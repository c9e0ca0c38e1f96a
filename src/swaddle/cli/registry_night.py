"""`swaddle registry night | review`: what did not come, and what somebody has to look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from swaddle import home
from swaddle.cli.registry_options import do, home_option, json_option, passphrase_option, tell

group = click.Group("review", help="Findings that somebody in the registry looks at: list, decide, decided.")


@click.command()
@home_option
@passphrase_option
@json_option
def night(home_path: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """Ask the rules that wait (a stay or a screen that never came) now; `registry run` does it once a day.

    What is found for the first time goes to its submitter with the next `registry pull`, sealed, like a report.
    """
    tell(do(home_path, passphrase_fd, "night"), as_json, night_words)


def night_words(result: Mapping[str, Any]) -> str:
    """A night in lines."""
    found = ", ".join(f"{number:,} by {rule}" for rule, number in result["found"].items()) or "nothing new"
    lines = [f"{result['day']}: {found}; {result['ended']:,} came meanwhile, {result['standing']:,} wait now."]
    lines += [f"  notice {each['id'][:8]} to {each['name']}" for each in result["notices"]]
    lines += [
        f"  {rule} not asked of {number:,} records: no number leads to the other record"
        for rule, number in result["not_tried"].items()
    ]
    return "\n".join(lines)


@group.command(name="list")
@home_option
@passphrase_option
@json_option
def list_findings(home_path: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """What waits to be reviewed, the oldest first."""
    tell(do(home_path, passphrase_fd, "review-queue"), as_json, queue_words)


def queue_words(result: Mapping[str, Any]) -> str:
    """The queue in lines."""
    lines = [f"{result['waiting']:,} to review." if result["waiting"] else "Nothing waits to be reviewed."]
    for each in result["findings"]:
        record = f"{each['form'].replace('_', ' ')} {each['record']}" if each["record"] else "the whole file"
        lines.append(f"{each['id']}  {each['rule']}  {each['name']}: {record}, since {each['since'][:10]}")
        lines.append(f"  {each['text']}")
        lines.append(f"  {each['fix']}")
    return "\n".join(lines)


@group.command()
@home_option
@click.argument("finding")
@click.argument("word", type=click.Choice(["right", "wrong"]))
@click.option(
    "--key", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Your private key file."
)
@click.option("--key-passphrase-fd", type=int, help="Read that key's passphrase from this open file descriptor.")
@passphrase_option
@json_option
def decide(
    home_path: Path | None,
    finding: str,
    word: str,
    key: Path,
    key_passphrase_fd: int | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Decide about a FINDING of the queue: the data are right as they are, or wrong and to be mended.

    You are the person of this registry (`swaddle people add`) whose private key file, ssh-ed25519, is given. Right: it
    is silent from now on for that value. Wrong: it leaves the queue, and its submitter goes on being told.
    """
    import os
    from datetime import UTC, datetime

    from swaddle.canonical import format_instant
    from swaddle.envelope import people
    from swaddle.envelope.signature import SigningKey

    secret = None
    if key_passphrase_fd is not None:
        with os.fdopen(key_passphrase_fd, "rb") as stream:
            secret = stream.read(4096).rstrip(b"\r\n")
    own = SigningKey.load(key.read_bytes(), secret)
    person = people.of_key(home.locate(home_path), own)
    said = {"finding": finding, "word": word, "at": format_instant(datetime.now(UTC))}
    signed = people.sign_as(person, own, said).to_json()
    result = do(home_path, passphrase_fd, "review-decide", finding=finding, word=word, signed=signed)
    tell(result, as_json, lambda r: f"{r['id']}: {r['word']}, decided by {r['person']} ({r['role']}).")


@group.command()
@home_option
@passphrase_option
@json_option
def decided(home_path: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """What was decided, the latest first, and by whom."""
    tell(do(home_path, passphrase_fd, "review-decided"), as_json, decided_words)


def decided_words(result: Mapping[str, Any]) -> str:
    """Decisions in lines."""
    lines = [
        f"{each['at'][:10]}  {each['rule']}  {each['name']}: {each['form'].replace('_', ' ')} {each['record']}:"
        f" {each['word']}, by {each['person']}"
        for each in result["decisions"]
    ]
    return "\n".join(lines) or "Nothing was decided yet."
