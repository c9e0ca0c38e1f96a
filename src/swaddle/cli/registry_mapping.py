"""`swaddle registry mapping add | list | remove`: layouts of the registry's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from swaddle import home
from swaddle.cli.registry_options import do, home_option, json_option, passphrase_option, tell

group = click.Group("mapping", help="Layouts of your own: mapping files beside the built-in ones.")


@group.command()
@home_option
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@passphrase_option
@json_option
def add(home_path: Path | None, file: Path, passphrase_fd: int | None, as_json: bool) -> None:
    """Read files by this mapping file from now on. One of the same name is replaced."""
    from swaddle.intake.shelf import FOLDER, dictionaries, settled

    among = dictionaries(home.locate(home_path) / FOLDER)
    result = do(home_path, passphrase_fd, "mapping-add", text=settled(file, among))
    tell(result, as_json, added_words)


def added_words(result: Mapping[str, Any]) -> str:
    """What stands on the shelf now."""
    verb = "replaced" if result["replaced"] else "added"
    return f"{verb} {result['name']}: {result['title']} ({result['row']}, {result['fields']} fields)"


@group.command(name="list")
@home_option
@passphrase_option
@json_option
def list_(home_path: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """Every layout that is known, the built-in ones too."""
    tell(do(home_path, passphrase_fd, "mapping-list"), as_json, list_words)


def list_words(result: Mapping[str, Any]) -> str:
    """One line a layout; your own are marked."""
    lines = [
        f"{'*' if each['own'] else ' '} {each['name']:<28} {each['row']:<18} {each['format']:<8} {each['title']}"
        for each in result["layouts"]
    ]
    lines += [f"! {name}: its file is no mapping any more; add it again or remove it" for name in result["unusable"]]
    return "\n".join(lines)


@group.command()
@home_option
@click.argument("name")
@passphrase_option
@json_option
def remove(home_path: Path | None, name: str, passphrase_fd: int | None, as_json: bool) -> None:
    """Forget a mapping of your own. What was stored by it stays."""
    tell(do(home_path, passphrase_fd, "mapping-remove", name=name), as_json, lambda r: f"removed {r['removed']}")
