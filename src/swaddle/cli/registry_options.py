"""What every command of `swaddle registry` has: its home, its passphrase, its JSON; and how the registry is asked."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from swaddle import home

if TYPE_CHECKING:
    from swaddle.registry.owner import Inside

home_option = click.option(
    "--home", "home_path", type=click.Path(path_type=Path), help="The registry's folder; else $SWADDLE_HOME."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
passphrase_option = click.option(
    "--passphrase-fd", type=int, help="Read the passphrase from this open file descriptor."
)


def passphrase_from(descriptor: int | None) -> Callable[[Mapping[str, Any]], bytes]:
    """How the passphrase is come by, once the settings are known (docs/keys.md)."""

    def get(values: Mapping[str, Any]) -> bytes:
        from swaddle.envelope.unlock import passphrase

        return passphrase(values, fd=descriptor, environment=os.environ, terminal=sys.stdin.isatty())

    return get


def registry_at(home_path: Path | None, descriptor: int | None) -> AbstractContextManager[Inside]:
    """The registry, to be asked: here if nobody owns its store, else through its owner."""
    from swaddle.registry.operations import inside_of

    return inside_of(home.locate(home_path), passphrase_from(descriptor))


def do(home_path: Path | None, descriptor: int | None, operation: str, **values: Any) -> Any:
    """Do one operation on the registry."""
    with registry_at(home_path, descriptor) as inside:
        return inside.do(operation, **values)


def tell(value: Mapping[str, Any], as_json: bool, words: Callable[[Mapping[str, Any]], str]) -> None:
    """Print a result: as one JSON object, or in words."""
    click.echo(json.dumps(value, indent=2) if as_json else words(value))
