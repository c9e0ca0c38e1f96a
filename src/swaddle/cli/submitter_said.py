"""`swaddle answer`: what a submitter tells the registry besides data."""

from __future__ import annotations

import json
from pathlib import Path

import click

from swaddle.cli import submitter_words as words
from swaddle.cli.submitter import HOME, JSON, PASSPHRASE
from swaddle.home import locate


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
    if as_json:
        click.echo(json.dumps(words.sent_json([sent], 0.0), indent=2))
    else:
        click.echo(f"{finding} of {transfer[:8]} answered: {word}. The answer is {sent.state}.")
    if sent.trouble is not None:
        click.echo(sent.trouble.text(), err=True)
