"""`swaddle registry`: for those who run the inside."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from swaddle import durable, home
from swaddle.cli import (
    registry_admin,
    registry_alerts,
    registry_backup,
    registry_community,
    registry_door,
    registry_hold,
    registry_letting_go,
    registry_mapping,
    registry_monthly,
    registry_night,
    registry_operations,
    registry_periods,
)
from swaddle.cli.registry_options import (
    do,
    home_option,
    json_option,
    passphrase_from,
    passphrase_option,
    registry_at,
    tell,
)
from swaddle.errors import UsageFault

group = click.Group("registry", help="The inside: pulls, checks, stores, gives back.")


@group.command()
@home_option
@click.option("--gateway", required=True, help="Where the gateway answers, https://…")
@click.option("--claim", "claim_path", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--passphrase-file", type=click.Path(path_type=Path, dir_okay=False), help="A file that holds it.")
@click.option(
    "--new-passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Make a passphrase and write it to this file, which only you can read.",
)
@passphrase_option
@json_option
def init(
    home_path: Path | None,
    gateway: str,
    claim_path: Path,
    passphrase_file: Path | None,
    new_passphrase_file: Path | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Make a registry and claim its gateway. Running it again goes on where it stopped."""
    from swaddle.registry.beginning import begin

    if passphrase_file and new_passphrase_file:
        raise UsageFault("--passphrase-file and --new-passphrase-file exclude each other")
    if new_passphrase_file is not None and not new_passphrase_file.exists():
        durable.write_file(new_passphrase_file, secrets.token_urlsafe(20).encode() + b"\n")
    named = passphrase_file or new_passphrase_file
    result = begin(
        home.locate(home_path),
        gateway_url=gateway,
        claim_file=claim_path.read_bytes(),
        passphrase_file=str(named.resolve()) if named else "",
        passphrase=passphrase_from(passphrase_fd),
    )
    tell(
        result,
        as_json,
        lambda r: (
            f"Registry {r['registry'][:8]} has claimed the gateway.\n"
            f"Root key {r['root']}\n"
            f"Submitters seal to intake key {r['intake_key'][:8]} until {r['seal_until']}.\n"
            "Move keys/root.key and keys/backup.json offline now (docs/keys.md);"
            " `swaddle registry invite NAME` comes next."
        ),
    )


@group.command()
@home_option
@click.argument("name")
@click.option(
    "--site", "sites", multiple=True, help="A site id that its files may name; several are fine, none is any."
)
@click.option("--door", "by_door", is_flag=True, help="Let it in at the SFTP door by --ssh-key, without an invitation.")
@click.option("--ssh-key", "ssh_keys", multiple=True, help="For --door: a .pub file or its line; several are fine.")
@click.option("--mail", help="Where content-free mail for it goes.")
@click.option("--language", type=click.Choice(["en", "fr"]), help="Of the mail.")
@passphrase_option
@json_option
def invite(
    home_path: Path | None,
    name: str,
    sites: tuple[str, ...],
    by_door: bool,
    ssh_keys: tuple[str, ...],
    mail: str | None,
    language: str | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Make an invitation for a submitter: one line, one use, 72 hours. Hand it over by a way you trust."""
    if by_door != bool(ssh_keys):
        raise UsageFault("--door and --ssh-key belong together: the key is who comes in by the door")
    written = {} if mail is None else {"address": mail, "language": language}
    if mail is not None:
        from swaddle.registry.mail_texts import check_address

        check_address(mail)  # before anything is done
    if by_door:
        keys = [Path(key).read_text() if Path(key).is_file() else key for key in ssh_keys]
        result = do(home_path, passphrase_fd, "invite-by-door", name=name, ssh_keys=keys, sites=list(sites))
        if written:
            do(home_path, passphrase_fd, "contact", name=name, **written)
        tell(result, as_json, lambda r: registry_door.door_words(r["door"]))
        return
    with registry_at(home_path, passphrase_fd) as inside:
        result = inside.do("invite", name=name, sites=list(sites))
        if written:
            inside.do("contact", name=name, **written)
    tell(result, as_json, lambda r: str(r["invitation"]))


@group.command()
@home_option
@click.option("--once", is_flag=True, help="One look at the gateway (the only way without `run`; may be left out).")
@passphrase_option
@json_option
def pull(home_path: Path | None, once: bool, passphrase_fd: int | None, as_json: bool) -> None:  # noqa: ARG001
    """Let waiting submitters in, take in what the gateway holds, send the reports."""
    result = do(home_path, passphrase_fd, "pull")
    tell(result, as_json, pulled_words)
    if result["alarms"]:
        click.echo(f"ALARM: {', '.join(result['alarms'])}; see `swaddle registry alarms`.", err=True)
        sys.exit(8)
    if result["failed"]:
        sys.exit(7)


def pulled_words(result: Mapping[str, Any]) -> str:
    """What a pull did, line by line."""
    lines = [f"{e['name']} is {e['state']}; six words: {e['words'] or '-'}" for e in result["enrolled"]]
    for taken in result["transfers"]:
        rows = taken["rows"]
        counts = (
            f"{rows['read']:,} read = {rows['stored']:,} stored + {rows['rejected']:,} rejected"
            f" + {rows['duplicates']:,} duplicates"
            if rows
            else str(taken["why"])
        )
        lines.append(f"{taken['id'][:8]}  {taken['name']}  {taken['outcome']}: {counts}")
    lines.append(
        f"{result['pulled']} pulled, {result['acknowledged']} acknowledged, {result['reports_sent']} reports sent."
    )
    return "\n".join(lines)


@group.command()
@home_option
@passphrase_option
def run(home_path: Path | None, passphrase_fd: int | None) -> None:
    """Own the store, pull every few seconds, answer the other commands. Ends on SIGTERM."""
    from swaddle.registry.run import run_forever

    run_forever(home.locate(home_path), passphrase_from(passphrase_fd), lambda line: click.echo(line, err=True))


@group.command()
@home_option
@passphrase_option
@json_option
def status(home_path: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """Submitters, transfers, keys and what the gateway says."""
    tell(do(home_path, passphrase_fd, "status"), as_json, status_words)


def status_words(result: Mapping[str, Any]) -> str:
    """The registry's state in a few lines."""
    gateway = result["gateway"]
    intake = result["intake"]
    lines = [
        f"Registry {result['registry'][:8]}, "
        + (
            "no intake key yet" if intake is None else f"intake key {intake['key_id'][:8]} until {intake['seal_until']}"
        ),
        *[f"ALARM: {each['cause']}, raised at {each['raised_at']}" for each in result["alarms"]],
        f"Gateway: {gateway['why']}" if "why" in gateway else f"Gateway holds {gateway['body_bytes']:,} bytes",
        *mail_words(result["mail"]),
        *registry_letting_go.state_words(result["letting_go"]),
        f"Stored: {result['stored']['rows']:,} rows, {result['stored']['subjects']:,} data subjects",
    ]
    lines += restored_words(result)
    if result["door_shown_now"] is not None:
        lines.append("WARNING: the SFTP door shows another key than the trusted one (`swaddle registry door`)")
    lines += [f"  {submitter_words(each)}" for each in result["submitters"]]
    for transfer in result["transfers"][-20:]:
        rows = transfer["verdict"]
        counts = [] if rows is None else [f"{rows[name]:,} {name}" for name in ("stored", "rejected", "duplicates")]
        lines.append(f"  {transfer['id'][:8]}  {transfer['state']}  {', '.join(counts)}".rstrip())
    return "\n".join(lines)


def submitter_words(submitter: Mapping[str, Any]) -> str:
    """A submitter's name, its state, how it comes in, its level of care where that is known."""
    level = "" if submitter["level"] is None else f", level {submitter['level']}"
    return f"{submitter['name']}: {submitter['state']}{' (SFTP door)' * submitter['by_door']}{level}"


def restored_words(result: Mapping[str, Any]) -> list[str]:
    """From which backup this registry came back, and what was lost with its intake keys; nothing where it never was."""
    restored = result["restored"]
    if restored is None:
        return []
    lines = [f"Restored at {restored['at']} from the backup of {restored['made']}; what came between is asked for"]
    return lines + [f"  sealed to a lost intake key: {t['id'][:8]} of {t['name']}" for t in result["lost_with_keys"]]


def mail_words(told: Mapping[str, Any]) -> list[str]:
    """Mail in a line, where it is on and there is something to say."""
    if not told["on"] or not (told["waiting"] or told["failed"] or told["trouble"]):
        return []
    trouble = f"; the mail server is in trouble ({told['trouble']})" if told["trouble"] else ""
    return [f"Mail: {told['waiting']} waiting, {told['failed']} failed{trouble}"]


@group.command()
@home_option
@passphrase_option
@json_option
def submitters(home_path: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """Who may send: name, state, six words to compare by phone."""
    tell(
        do(home_path, passphrase_fd, "submitters"),
        as_json,
        lambda r: "\n".join(f"{s['name']}: {s['state']}  {s['words'] or ''}" for s in r["submitters"]),
    )


for extra in registry_door.COMMANDS:
    group.add_command(extra)
for command in (
    registry_operations.alarms,
    registry_operations.backup_keys,
    registry_operations.release_freeze,
    registry_mapping.group,
    registry_alerts.alerts,
    registry_night.night,
    registry_night.group,
    registry_periods.group,
    registry_periods.expected,
    registry_periods.report,
    registry_monthly.monthly,
    registry_letting_go.retention,
    registry_letting_go.dispose,
    registry_letting_go.disposal,
    registry_community.group,
    registry_hold.group,
    *registry_admin.COMMANDS,
    *registry_backup.COMMANDS,
):
    group.add_command(command)
