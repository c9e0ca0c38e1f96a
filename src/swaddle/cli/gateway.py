"""`swaddle gateway`: for whoever runs the machine that faces the internet."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import click

from swaddle.cli import gateway_backup
from swaddle.home import locate

HOME = click.option("--home", type=click.Path(path_type=Path), help="The gateway's folder.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")


@click.group()
def group() -> None:
    """The machine that faces the internet: holds sealed transfers, can open none."""


@group.command()
@HOME
@JSON
@click.option("--url", required=True, help="What others call it by: https://host:port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=int, help="The port to listen on; else the URL's, else 8443. 0 finds a free one and keeps it."
)
def init(home: Path | None, url: str, host: str, port: int | None, as_json: bool) -> None:
    """Make a gateway's home and the claim file for its registry."""
    from swaddle.gateway import initialise, settings
    from swaddle.home import Kind, open_home

    claim = initialise.initialise(locate(home), url, host, port_of(url) if port is None else port)
    stated = settings.load(open_home(claim.parent, Kind.GATEWAY))
    pin = initialise.pin_of((claim.parent / initialise.CERTIFICATE).read_bytes())
    if as_json:
        click.echo(json.dumps({"home": str(claim.parent), "claim": str(claim), "url": stated.url, "pin": pin}))
        return
    click.echo(f"url:   {stated.url}\npin:   {pin}\nclaim: {claim}")
    click.echo(
        "carry the claim file to the registry (`swaddle registry init --gateway URL --claim FILE`), within 72 hours;\n"
        "whoever has it first owns this gateway",
        err=True,
    )


def port_of(url: str) -> int:
    """The port that a URL names, else 8443: what is told to others is what is listened on."""
    try:
        return urlsplit(url).port or 8443
    except ValueError:
        return 8443  # not a URL: `initialise` says so


@group.command()
@HOME
def run(home: Path | None) -> None:
    """Serve until told to stop (SIGTERM or Ctrl-C)."""
    from swaddle.gateway import run as running

    running.run(locate(home))


@group.command()
@HOME
@JSON
def status(home: Path | None, as_json: bool) -> None:
    """Counts, freezes and free space; also while it runs."""
    from swaddle.gateway import run as running

    counted = running.status(locate(home))
    if as_json:
        click.echo(json.dumps(counted))
        return
    click.echo(f"url:        {counted['url']}\npin:        {counted['pin']}")
    click.echo(f"claimed:    {'yes' if counted['claimed'] else 'no'}")
    click.echo(f"submitters: {counted['submitters']} ({counted['pending_enrolments']} waiting)")
    states = ", ".join(f"{number} {state}" for state, number in sorted(counted["transfers"].items()))
    click.echo(f"transfers:  {states or 'none'}")
    click.echo(f"bytes:      {counted['body_bytes']:,} held, {counted['free_bytes']:,} free")
    for name, value in counted["changed_settings"].items():
        click.echo(f"changed:    {name} = {value} (by the registry; it wins over settings.toml)")
    for freeze in counted["freezes"]:
        click.echo(f"FROZEN:     {freeze['id']} since {freeze['since']} ({freeze['cause']})")


for command in (gateway_backup.backup, gateway_backup.restore, gateway_backup.verify_backup, gateway_backup.upgrade):
    group.add_command(command)
