"""`swaddle answer` and `swaddle signoff`: what a submitter tells the registry besides data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swaddle.cli import submitter_words as words
from swaddle.cli.submitter import HOME, JSON, PASSPHRASE
from swaddle.home import locate

if TYPE_CHECKING:
    from swaddle.submitter.account import Sent


@click.command()
@click.argument("transfer")
@click.argument("finding")
@click.argument("word", type=click.Choice(["verified"]))
@click.option("--wait", is_flag=True, help="Wait for the registry's receipt.")
@click.option("--timeout", default=900.0, show_default=True, help="Seconds that --wait waits at most.")
@HOME
@PASSPHRASE
@JSON
def answer(
    transfer: str,
    finding: str,
    word: str,
    wait: bool,
    timeout: float,
    home: Path | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Answer a warning once: the value was looked at and is right. It is not asked again for that value.

    FINDING is a rule of the report on TRANSFER: X12 for all of it, X12@17 for line 17, F5:birth_weight_g for a field.
    """
    from swaddle.submitter.party import open_party
    from swaddle.submitter.saying import answer as say_answer

    party = open_party(locate(home), passphrase_fd=passphrase_fd)
    sent = say_answer(party, transfer, finding, word, wait_s=timeout if wait else 0)
    _tell(sent, as_json, f"{finding} of {transfer[:8]} answered: {word}.")


@click.command()
@click.argument("period")
@click.option(
    "--key", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Your private key file."
)
@click.option("--key-passphrase-fd", type=int, help="Read that key's passphrase from this open file descriptor.")
@click.option("--wait", is_flag=True, help="Wait for the registry's receipt.")
@click.option("--timeout", default=900.0, show_default=True, help="Seconds that --wait waits at most.")
@HOME
@PASSPHRASE
@JSON
def signoff(
    period: str,
    key: Path,
    key_passphrase_fd: int | None,
    wait: bool,
    timeout: float,
    home: Path | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Sign PERIOD (2026, 2026-Q3, 2026-10) off: what was sent for it is right and whole as far as you know.

    You are the person of this home (`swaddle people add`) whose private key file, ssh-ed25519, is given.
    """
    import os

    from swaddle.envelope.signature import SigningKey
    from swaddle.submitter.party import open_party
    from swaddle.submitter.saying import sign_off

    secret = None
    if key_passphrase_fd is not None:
        with os.fdopen(key_passphrase_fd, "rb") as stream:
            secret = stream.read(4096).rstrip(b"\r\n")
    person = SigningKey.load(key.read_bytes(), secret)
    party = open_party(locate(home), passphrase_fd=passphrase_fd)
    sent = sign_off(party, period, person, wait_s=timeout if wait else 0)
    _tell(sent, as_json, f"{period} signed off with key {person.public.fingerprint}.")


def _tell(sent: Sent, as_json: bool, said: str) -> None:
    if as_json:
        click.echo(json.dumps(words.sent_json([sent], 0.0), indent=2))
    else:
        click.echo(f"{said} What you said is {sent.state}; its report tells what came of it.")
    if sent.trouble is not None:
        click.echo(sent.trouble.text(), err=True)
