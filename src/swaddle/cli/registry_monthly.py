"""`swaddle registry monthly`: the report of a month, sealed and sent, or written into a folder to be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from swaddle.cli.registry_options import do, home_option, json_option, passphrase_option, tell


@click.command()
@home_option
@click.option("--month", help="A month that has ended: 2026-10. The last one where it is not given.")
@click.option("--submitter", help="One submitter, by name or id. All active ones where it is not given.")
@click.option("--preview", type=click.Path(path_type=Path), help="Write into this folder; send nothing.")
@passphrase_option
@json_option
def monthly(
    home_path: Path | None,
    month: str | None,
    submitter: str | None,
    preview: Path | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Send each submitter the report of a month: its indicators beside its peers, its own cases behind each.

    Given again, it sends what late data changed, marked as revised, and nothing where nothing changed.
    """
    folder = None if preview is None else str(preview.resolve())
    result = do(home_path, passphrase_fd, "month-report", month=month, submitter=submitter, preview=folder)
    tell(result, as_json, month_words)


def month_words(result: Mapping[str, Any]) -> str:
    """Who got a report, in lines."""
    if not result["reports"]:
        return f"Reports of {result['month']}: nobody to tell."
    lines = [f"Reports of {result['month']}, data {result['snapshot'][:12]}:"]
    return "\n".join(lines + [f"  {each['name']}: {each['outcome']}" for each in result["reports"]])
