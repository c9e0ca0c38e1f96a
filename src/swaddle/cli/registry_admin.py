"""`swaddle registry revoke | quota | gateway-setting | contact | rotate-keys`: administration, from inside only."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from swaddle.cli.registry_options import do, home_option, json_option, passphrase_option, registry_at, tell
from swaddle.errors import UsageFault

if TYPE_CHECKING:
    from swaddle.envelope.signature import SigningKey

UNITS = {"": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
STATEMENT_KEY_LIFE = timedelta(days=365)
CLOCK_SLACK = timedelta(minutes=5)


class Size(click.ParamType[int]):
    """A number of bytes: `500000`, `200 GiB`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The bytes that a text says."""
        match = re.fullmatch(r"(\d{1,15}) ?(|[KMGT]iB)", str(value), re.IGNORECASE)
        if match is None:
            self.fail("a size is a number, or a number and KiB, MiB, GiB or TiB", param, ctx)
        return int(match[1]) * UNITS[match[2].upper()]


@click.command()
@home_option
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@passphrase_option
@json_option
def revoke(home_path: Path | None, name: str, yes: bool, passphrase_fd: int | None, as_json: bool) -> None:
    """Let a submitter in no more, at the gateway within 5 seconds. What it sent before stays until it is read."""
    if not yes and sys.stdin.isatty():
        click.confirm("Its keys are never taken again; to let it in later is a new invitation. Revoke?", abort=True)
    tell(
        do(home_path, passphrase_fd, "revoke", name=name),
        as_json,
        lambda r: f"{r['name']} is revoked; the gateway has cut what was under way.",
    )


@click.command()
@home_option
@click.argument("name")
@click.option("--bytes", "bytes_", type=Size(), help="What its living transfers may announce together: `200 GiB`.")
@click.option("--transfers", type=click.IntRange(0, 1_000_000), help="How many it may have waiting.")
@click.option("--rate", type=click.IntRange(0, 1_000_000), help="How many it may announce in any hour.")
@click.option("--reset", is_flag=True, help="As for everybody again.")
@passphrase_option
@json_option
def quota(
    home_path: Path | None,
    name: str,
    bytes_: int | None,
    transfers: int | None,
    rate: int | None,
    reset: bool,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """What one submitter may have on the gateway; without options, show it."""
    if reset and (bytes_, transfers, rate) != (None, None, None):
        raise UsageFault("--reset stands alone")
    limits = {"bytes": bytes_, "transfers": transfers, "transfers_per_hour": rate}
    tell(do(home_path, passphrase_fd, "quota", name=name, reset=reset, **limits), as_json, quota_words)


def quota_words(result: Mapping[str, Any]) -> str:
    """The limits of a submitter in one line."""

    def limit(name: str, words: str) -> str:
        value = result[name]
        return f"{words} as for everybody" if value is None else f"{value:,} {words}"

    rate = result["transfers_per_hour"]
    hourly = "no limit per hour" if rate is None else f"{rate:,} an hour"
    return f"{result['name']}: {limit('bytes', 'bytes')}, {limit('transfers', 'transfers waiting')}, {hourly}"


@click.command(name="gateway-setting")
@home_option
@click.argument("name", required=False)
@click.argument("value", required=False, type=click.IntRange(0))
@click.option("--default", "take_back", is_flag=True, help="What the gateway's own settings say again.")
@passphrase_option
@json_option
def gateway_setting(
    home_path: Path | None,
    name: str | None,
    value: int | None,
    take_back: bool,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Change one of the gateway's settings from inside (docs/settings-gateway.md); without a name, list the changed."""
    if name is not None and (value is None) != take_back:
        raise UsageFault("give a value, or --default, and not both")
    tell(
        do(home_path, passphrase_fd, "gateway-setting", name=name, value=value),
        as_json,
        lambda r: "\n".join(f"{key} = {kept}" for key, kept in r["changed_settings"].items()) or "nothing is changed",
    )


@click.command()
@home_option
@click.argument("name")
@click.argument("address", required=False)
@click.option("--language", type=click.Choice(["en", "fr"]), help="Of the mail.")
@click.option("--remove", is_flag=True, help="Send no more mail.")
@passphrase_option
@json_option
def contact(
    home_path: Path | None,
    name: str,
    address: str | None,
    language: str | None,
    remove: bool,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Where content-free mail for a submitter goes; without an address, show it."""
    result = do(home_path, passphrase_fd, "contact", name=name, address=address, language=language, remove=remove)
    tell(result, as_json, lambda r: f"{r['name']}: {r['contact'] or 'no mail'} ({r['language']})")


@click.command()
@home_option
@click.argument("name")
@click.argument("level", required=False)
@click.option("--remove", is_flag=True, help="Nobody said which.")
@passphrase_option
@json_option
def level(
    home_path: Path | None, name: str, level: str | None, remove: bool, passphrase_fd: int | None, as_json: bool
) -> None:
    """The level of care of a submitter, as 1, 2b or 3: it is compared with its like. Without a level, show it."""
    if remove and level is not None:
        raise UsageFault("--remove stands alone")
    result = do(home_path, passphrase_fd, "level", name=name, level=level, remove=remove)
    tell(result, as_json, lambda r: f"{r['name']}: level {r['level'] or 'not known'}")


@click.command(name="rotate-keys")
@home_option
@click.option("--pull", "which", flag_value="pull", help="The pull key: when its thief must be shut out, else yearly.")
@click.option("--statement", "which", flag_value="statement", help="The statement key; needs the root key.")
@click.option(
    "--root-key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The root key's file, for --statement; it stays where it is.",
)
@passphrase_option
@json_option
def rotate_keys(
    home_path: Path | None, which: str | None, root_key: Path | None, passphrase_fd: int | None, as_json: bool
) -> None:
    """Make the next intake key now; with --pull or --statement, that key. Intake and pull keys also change by time."""
    if (which == "statement") != (root_key is not None):
        raise UsageFault("--statement and --root-key belong together: the root signs the next statement key")
    with registry_at(home_path, passphrase_fd) as inside:
        if root_key is None:
            tell(inside.do("rotate-keys", which=which or "intake"), as_json, rotated_words)
            return
        asked = inside.do("next-statement-key")
        certificate = certify(root_key, home_path, passphrase_fd, asked)
        tell(inside.do("take-certificate", certificate=certificate), as_json, rotated_words)


def certify(
    root_key: Path, home_path: Path | None, passphrase_fd: int | None, asked: Mapping[str, str]
) -> dict[str, str]:
    """The root's word for the next statement key. The root key is opened in this process and nowhere else."""
    from swaddle.envelope.public import make_certificate
    from swaddle.envelope.signature import PublicSigningKey

    root = open_root(root_key, home_path, passphrase_fd)
    if root.public.line != asked["root"]:
        raise UsageFault("this is not the root key of this registry")
    now = datetime.now(UTC).replace(microsecond=0)
    key = PublicSigningKey.from_line(asked["statement_key"])
    return make_certificate(root, key, now - CLOCK_SLACK, now + STATEMENT_KEY_LIFE).to_json()


def open_root(path: Path, home_path: Path | None, passphrase_fd: int | None) -> SigningKey:
    """The root key, by the same passphrase as the home's, else by one that is asked for."""
    from swaddle import home
    from swaddle.cli.registry_options import passphrase_from
    from swaddle.envelope.refusals import PassphraseWrong
    from swaddle.envelope.signature import SigningKey

    data = path.read_bytes()
    values = home.open_home(home.locate(home_path), home.Kind.REGISTRY).settings()
    try:
        return SigningKey.load(data, passphrase_from(passphrase_fd)(values))
    except PassphraseWrong:
        if not sys.stdin.isatty():
            raise
        return SigningKey.load(data, click.prompt("Passphrase of the root key", hide_input=True).encode())


def rotated_words(result: Mapping[str, Any]) -> str:
    """What changed, in one line."""
    if "intake_key" in result:
        return (
            f"Senders are told to seal to intake key {result['intake_key'][:8]} until {result['seal_until']};"
            " what they began under the one before goes on."
        )
    if "pull_key" in result:
        return f"The registry's requests are signed by {result['pull_key']} from now on; the key before it is no key."
    return f"Statement key {result['statement_key']} until {result['until']}; make a backup of the gateway now."


COMMANDS = (revoke, quota, gateway_setting, contact, level, rotate_keys)
