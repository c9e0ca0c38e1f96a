"""A person of the registry signs here, with their own key file: nothing of it goes further than this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from swaddle import home

Command = TypeVar("Command", bound=Callable[..., Any])


def key_options(*, required: bool) -> Callable[[Command], Command]:
    """`--key` and `--key-passphrase-fd`."""

    def add(command: Command) -> Command:
        words = "The private key file of a person of the registry (`swaddle people`)."
        path = click.Path(path_type=Path, exists=True, dir_okay=False)
        also = click.option("--key-passphrase-fd", type=int, help="Read that key's passphrase from this descriptor.")
        return click.option("--key", required=required, type=path, help=words)(also(command))

    return add


def sign_for(
    home_path: Path | None, key: Path | None, passphrase_fd: int | None, said: Mapping[str, Any]
) -> dict[str, str] | None:
    """What the person whose key this is says, signed; nothing where no key was given.

    Raises:
        NoSuchPerson: the key is nobody's of this registry.
    """
    if key is None:
        return None
    from swaddle.canonical import format_instant
    from swaddle.envelope import people
    from swaddle.envelope.signature import SigningKey

    secret = None
    if passphrase_fd is not None:
        with os.fdopen(passphrase_fd, "rb") as stream:
            secret = stream.read(4096).rstrip(b"\r\n")
    signer = SigningKey.load(key.read_bytes(), secret)
    person = people.of_key(home.locate(home_path), signer)
    return people.sign_as(person, signer, {**said, "at": format_instant(datetime.now(UTC))}).to_json()
