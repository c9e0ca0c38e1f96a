"""`swaddle gateway backup | restore | verify-backup | upgrade`.

The private half of the backup pair is opened here and nowhere in `swaddle.gateway` (decision 0080): these commands run
by hand, `restore` and `verify-backup` where the offline half is, and end.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from swaddle.home import locate

if TYPE_CHECKING:
    from swaddle.envelope.backup import Backup

HOME = click.option("--home", type=click.Path(path_type=Path), help="The gateway's folder.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
KEY = click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The private half of the backup pair, `backup.json`.",
)
PASSPHRASE = click.option("--passphrase-fd", type=int, help="Read its passphrase from this open file descriptor.")


@click.command()
@HOME
@JSON
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Where to put it; else `backups` in the home."
)
def backup(home: Path | None, out: Path | None, as_json: bool) -> None:
    """Seal settings, enrolments and the gateway's own keys to the registry's backup pair; also while it runs."""
    from swaddle.gateway.backup import make_backup

    made = make_backup(locate(home), out)
    if as_json:
        click.echo(json.dumps(made))
        return
    click.echo(f"backup:  {made['backup']}\nsha256:  {made['sha256']}\nexpires: {made['expires']}")
    click.echo("copy it off this machine; nothing on this machine opens it", err=True)


@click.command()
@HOME
@JSON
@FILE
@KEY
@PASSPHRASE
def restore(home: Path | None, file: Path, key_file: Path, passphrase_fd: int | None, as_json: bool) -> None:
    """Make a gateway's home from a backup. It starts frozen, until `swaddle registry release-freeze`."""
    from swaddle.gateway.restore import restore as make

    found, opened = open_file(file, key_file, passphrase_fd)
    told = make(locate(home), found, opened)
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo("\n".join(words(told)))
    click.echo(
        "no transfer is in it, and it starts frozen. Compare the backup's sha256 with `swaddle custody show` at the\n"
        "registry, start it, then run `swaddle registry release-freeze` there: it names what was lost",
        err=True,
    )


@click.command(name="verify-backup")
@JSON
@FILE
@KEY
@PASSPHRASE
def verify_backup(file: Path, key_file: Path, passphrase_fd: int | None, as_json: bool) -> None:
    """Really restore a backup into a folder that is removed again, and open the gateway there."""
    from swaddle.gateway.restore import verify

    found, opened = open_file(file, key_file, passphrase_fd)
    told = verify(found, opened)
    click.echo(json.dumps(told) if as_json else "\n".join([*words(told), "it was restored, opened and removed again"]))


@click.command()
@HOME
@JSON
@click.option("--without-backup", is_flag=True, help="Where the registry has named no backup key yet.")
def upgrade(home: Path | None, without_backup: bool, as_json: bool) -> None:
    """Bring the database of a stopped gateway to the form that this version works on; a backup is made first."""
    from swaddle.gateway.upgrade import upgrade as bring_up

    done = bring_up(locate(home), with_backup=not without_backup)
    if as_json:
        click.echo(json.dumps(done))
    elif done["before"] == done["after"]:
        click.echo(f"nothing to do: its form is {done['after']}")
    else:
        click.echo(f"form {done['before']} is form {done['after']} now\nbackup: {done['backup'] or 'none'}")


def open_file(file: Path, key_file: Path, passphrase_fd: int | None) -> tuple[Backup, bytes]:
    """A backup and what is sealed in it.

    Raises:
        BackupUnreadable, BackupExpired, BackupOfAnotherKey: of swaddle.envelope; passphrase errors too.
    """
    from swaddle.envelope.backup import LIMIT_BYTES, BackupUnreadable, read_backup
    from swaddle.envelope.backup_opening import open_backup
    from swaddle.envelope.keys import SealingPair
    from swaddle.envelope.unlock import passphrase

    if file.stat().st_size > LIMIT_BYTES:
        raise BackupUnreadable("it is longer than any backup")
    found = read_backup(file.read_bytes())
    terminal = sys.stdin is not None and sys.stdin.isatty()
    secret = passphrase({}, fd=passphrase_fd, environment=os.environ, terminal=terminal)
    pair = SealingPair.from_file(key_file.read_bytes(), secret)
    return found, open_backup(found, pair, datetime.now(UTC))


def words(told: dict[str, Any]) -> list[str]:
    """A restored gateway in a few lines."""
    names = (
        ("url", "url"),
        ("pin", "pin"),
        ("made", "made"),
        ("sha256", "backup_sha256"),
        ("signed by", "journal_key"),
    )
    return [*(f"{word}: {told[name]}" for word, name in names), f"submitters: {told['submitters']}"]
