"""`swaddle registry backup | restore | verify-backup | upgrade`.

`restore` and `verify-backup` open what is sealed to the backup pair: they run by hand, where the offline half is.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from swaddle import durable, home
from swaddle.cli.registry_options import do, home_option, json_option, passphrase_from, passphrase_option, tell
from swaddle.errors import UsageFault

if TYPE_CHECKING:
    from swaddle.envelope.keys import SealingPair

FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
KEY = click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The private half of the backup pair, `backup.json`.",
)
KEY_PASSPHRASE = click.option("--passphrase-fd", type=int, help="Read the key's passphrase from this file descriptor.")
EXPIRED = click.option("--expired", is_flag=True, help="Take it although its time is over: there is no newer one.")
OUT = click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Where to put it; else `backups` in the home."
)


@click.command()
@home_option
@OUT
@passphrase_option
@json_option
def backup(home_path: Path | None, out: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """Seal the whole registry to its backup pair, also while it runs. Intake keys are not in it."""
    result = do(home_path, passphrase_fd, "backup", out=None if out is None else str(out.resolve()))
    tell(result, as_json, backup_words)
    if not as_json:
        click.echo("copy it off this machine; nothing on this machine opens it", err=True)


def backup_words(result: Mapping[str, Any]) -> str:
    """A backup in a few lines."""
    lines = [
        f"backup:  {result['backup']}",
        f"sha256:  {result['sha256']}",
        f"expires: {result['expires']}",
        f"{result['files']:,} files, {result['bytes']:,} bytes, custody up to entry {result['entries']:,}",
    ]
    if result["not_taken"]:
        lines.append(
            f"{result['not_taken']:,} files of this home are not in it: links, or names that no archive carries"
        )
    return "\n".join(lines)


@click.command(name="verify-backup")
@FILE
@KEY
@KEY_PASSPHRASE
@EXPIRED
@click.option(
    "--scratch",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with room for the three files, which are put there encrypted and removed again.",
)
@json_option
def verify_backup(
    file: Path, key_file: Path, passphrase_fd: int | None, expired: bool, scratch: Path | None, as_json: bool
) -> None:
    """Look at all of a backup with the offline key: every byte, the custody chain, each table's number of rows."""
    from swaddle.envelope.backup_file import read_head
    from swaddle.registry.backup_reading import verify

    found = read_head(file)
    pair, _ = opened_pair(key_file, passphrase_fd)
    result = verify(found, pair, datetime.now(UTC), expired=expired, scratch=scratch)
    tell(result, as_json, lambda told: f"{words(told)}\nit is whole: every byte, the custody chain, every table's rows")


@click.command()
@home_option
@FILE
@KEY
@KEY_PASSPHRASE
@EXPIRED
@click.option("--root", help="The fingerprint that the registry's root must have, from your records.")
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Lock the restored keys by the passphrase in this file, and name it in the settings.",
)
@click.option(
    "--new-passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The same by a passphrase that is made now. Without either, the key's own passphrase locks them.",
)
@json_option
def restore(
    home_path: Path | None,
    file: Path,
    key_file: Path,
    passphrase_fd: int | None,
    expired: bool,
    root: str | None,
    passphrase_file: Path | None,
    new_passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Make the registry's home from a backup, on an empty machine. Its first look at the gateway does the rest."""
    from swaddle.envelope.backup_file import read_head
    from swaddle.envelope.unlock import passphrase
    from swaddle.registry.restore import restore as make

    if passphrase_file and new_passphrase_file:
        raise UsageFault("--passphrase-file and --new-passphrase-file exclude each other")
    found = read_head(file)
    pair, secret = opened_pair(key_file, passphrase_fd)
    named = passphrase_file or new_passphrase_file
    if new_passphrase_file is not None and not new_passphrase_file.exists():
        durable.write_file(new_passphrase_file, secrets.token_urlsafe(20).encode() + b"\n")
    if named is not None:
        stated = {"passphrase_file": str(named.resolve())}
        secret = passphrase(stated, fd=None, environment={}, terminal=False)
    result = make(
        home.locate(home_path), found, pair, secret, datetime.now(UTC),
        passphrase_file=None if named is None else str(named.resolve()), root=root, expired=expired,
    )  # fmt: skip
    tell(result, as_json, words)
    if not as_json:
        click.echo(
            "compare the root with your records. Then run `swaddle registry pull`: it takes a new pull key, so that\n"
            "the lost machine is out, and asks submitters for what came after the backup (docs/guide-administrator.md)",
            err=True,
        )


@click.command()
@home_option
@OUT
@click.option("--without-backup", is_flag=True, help="Where there is no backup pair yet.")
@passphrase_option
@json_option
def upgrade(
    home_path: Path | None, out: Path | None, without_backup: bool, passphrase_fd: int | None, as_json: bool
) -> None:
    """Bring the home of a stopped registry to the form that this version works on; a backup is made first."""
    from swaddle.registry.upgrade import upgrade as bring_up

    result = bring_up(
        home.locate(home_path), passphrase_from(passphrase_fd),
        with_backup=not without_backup, out=None if out is None else str(out.resolve()),
    )  # fmt: skip
    tell(result, as_json, upgrade_words)


def upgrade_words(result: Mapping[str, Any]) -> str:
    """What an upgrade did."""
    if result["before"] == result["after"]:
        return f"nothing to do: its form is {result['after']}"
    return f"form {result['before']} is form {result['after']} now\nbackup: {result['backup'] or 'none'}"


def opened_pair(key_file: Path, passphrase_fd: int | None) -> tuple[SealingPair, bytes]:
    """The backup pair, and the passphrase that opened it."""
    from swaddle.envelope.keys import SealingPair
    from swaddle.envelope.unlock import passphrase

    terminal = sys.stdin is not None and sys.stdin.isatty()
    secret = passphrase({}, fd=passphrase_fd, environment=os.environ, terminal=terminal)
    return SealingPair.from_file(key_file.read_bytes(), secret), secret


def words(told: Mapping[str, Any]) -> str:
    """A backup or a restored registry in a few lines."""
    names = (("registry", "registry"), ("root", "root"), ("made", "made"), ("sha256", "sha256"), ("form", "form"))
    lines = [f"{word}: {told[name]}" for word, name in names]
    lines.append(f"{told['files']:,} files, {told['rows']:,} rows, {told['transfers']:,} transfers")
    lines.append(f"{told['submitters']:,} submitters, custody up to entry {told['entries']:,}")
    return "\n".join(lines)


COMMANDS = (backup, restore, verify_backup, upgrade)
