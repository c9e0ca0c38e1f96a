"""`swaddle registry alerts`: what was told because care cannot wait, and whether anybody opened it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from swaddle.cli.registry_options import do, home_option, json_option, passphrase_option, tell

CAUSES = {
    "missed": "no newborn screen on day 7",
    "urgent": "urgent result without a follow-up",
    "positive": "positive result without a follow-up",
}


@click.command()
@home_option
@passphrase_option
@json_option
def alerts(home_path: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """Alerts about the care of newborns: to whom, how many babies, sent, opened. No record is named here.

    `registry run` and `registry pull` look by themselves whenever data came or a day began.
    """
    tell(do(home_path, passphrase_fd, "alerts"), as_json, words)


def words(result: Mapping[str, Any]) -> str:
    """Alerts in lines, the newest first."""
    lines = []
    for each in result["alerts"]:
        lines.append(f"{each['id'][:8]}  {each['name']}: {each['babies']:,}, {CAUSES[each['cause']]}")
        lines.append(f"  found {_time(each['found_at'])}, {_state(each)}")
    return "\n".join(lines) or "No alert was raised."


def _state(each: Mapping[str, Any]) -> str:
    if each["opened_at"]:
        return f"opened {_time(each['opened_at'])}"
    if not each["open"]:
        return "over: the record came, or the birth is no longer one to ask about"
    told = ", over 24 hours: telephone them" if each["told_at"] else ""
    return ("sent, not opened yet" if each["sent_at"] else "not sent yet: they have no key, or the line is down") + told


def _time(instant: str) -> str:
    return instant[:16].replace("T", " ")
