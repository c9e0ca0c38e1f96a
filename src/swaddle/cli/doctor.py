"""`swaddle doctor`: what is wrong with this home, and what to do about it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swaddle.home import Kind, kind_of, locate

if TYPE_CHECKING:
    from swaddle.checkup import Finding

SIGNS = {"good": "ok  ", "look": "LOOK", "mend": "MEND"}


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="The home to look at, of whatever kind.")
@click.option("--strict", is_flag=True, help="What is worth a look counts like what must be mended.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(home: Path | None, strict: bool, as_json: bool) -> None:
    """Look at a home: permissions, clock, disk, keys' lives, database, door, journal, freezes, mail. Changes nothing.

    Exit status 0 when nothing must be mended, 3 when something must.
    """
    from swaddle.checkup import report

    path = locate(home)
    kind = kind_of(path)
    findings = examine(path, kind)
    told = report(path, kind.value, findings, datetime.now(UTC))
    if as_json:
        click.echo(json.dumps(told))
    else:
        for finding in findings:
            click.echo(f"{SIGNS[finding.state]}  {finding.check}: {finding.what}")
            if finding.fix:
                click.echo(f"        why: {finding.why}\n        fix: {finding.fix}")
    if told["mend"] or (strict and told["look"]):
        sys.exit(3)


def examine(path: Path, kind: Kind) -> list[Finding]:
    """What is found in a home of that kind."""
    if kind is Kind.GATEWAY:
        from swaddle.gateway.doctor import examine as look_at_gateway

        return look_at_gateway(path)
    if kind is Kind.REGISTRY:
        from swaddle.registry.doctor import examine as look_at_registry

        return look_at_registry(path)
    if kind is Kind.DOOR:
        from swaddle.gateway.sftp_doctor import examine as look_at_door

        return look_at_door(path)
    from swaddle.submitter.doctor import examine as look_at_submitter

    return look_at_submitter(path)
