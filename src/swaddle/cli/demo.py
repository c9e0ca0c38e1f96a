"""`swaddle demo`: the whole story on one machine, and what it proves."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

_LOG_COLUMNS = 120


@click.command()
@click.option(
    "--births", default=8_000, show_default=True, type=click.IntRange(40, 5_000_000), help="How many made-up births."
)
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Real files, dealt to made-up sites."
)
@click.option("--home", "folder", type=click.Path(path_type=Path), help="Where the parties get their homes.")
@click.option("--keep", is_flag=True, help="Leave the homes, the files and the raids' copies there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(births: int, data: Path | None, folder: Path | None, keep: bool, as_json: bool) -> None:
    """Seal, send, raid, store, give back, scope: the whole story on one machine, each step by the real commands."""
    from rich.console import Console

    from swaddle.demo.screen import Screen
    from swaddle.demo.story import FolderInUse, Story, Wishes

    for number in (signal.SIGTERM, signal.SIGHUP):
        # So that the gateway is stopped and the homes are removed then, too.
        signal.signal(number, lambda *_: sys.exit(130))
    place = Path(tempfile.mkdtemp(prefix="swaddle-demo-")) if folder is None else folder.absolute()
    if place.exists() and any(place.iterdir()):
        raise FolderInUse
    console = Console(stderr=as_json, highlight=False)
    if not console.is_terminal:
        console.width = _LOG_COLUMNS
    screen = Screen(console)
    outcome = None
    try:
        outcome = Story(Wishes(place, births=births, data=data), screen).tell(datetime.now(UTC).date())
        screen.end(outcome)
    finally:
        screen.stop()
        if not keep:
            # The reports are what a person wants to read afterwards; the rest is homes, keys and copies of memory.
            _remove(place, spare="" if outcome is None else "reports")
    if as_json:
        click.echo(json.dumps(outcome.to_json(), indent=2))
    sys.exit(0 if outcome.all_hold else 1)


def _remove(place: Path, spare: str) -> None:
    for path in place.iterdir():
        if path.name == spare:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    if not any(place.iterdir()):
        place.rmdir()
