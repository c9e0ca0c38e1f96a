"""`swaddle custody`: what happened to a transfer, a copy, a key, an incident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from swaddle.cli.registry_options import do, home_option, json_option, passphrase_option, tell

group = click.Group("custody", help="The record of every copy.")


@group.command()
@home_option
@click.argument("subject", metavar="TRANSFER")
@passphrase_option
@json_option
def show(home_path: Path | None, subject: str, passphrase_fd: int | None, as_json: bool) -> None:
    """Every custody entry about a transfer (or a key, a submitter, an incident), oldest first."""
    from swaddle.custody.show import story

    tell(story(do(home_path, passphrase_fd, "custody-entries"), subject), as_json, lambda r: entry_lines(r["entries"]))


@group.command()
@home_option
@click.argument("transfer", required=False)
@click.option("--submitter", help="Only what something of this submitter's transfers is in.")
@click.option("--holder", help="Only what it holds: gateway, registry, submitter, or one submitter's name.")
@click.option("--category", help="Only what is about persons of this category, such as 'gave birth'.")
@click.option("--all", "with_ended", is_flag=True, help="Those that are destroyed too, with the proof of their end.")
@passphrase_option
@json_option
def where(
    home_path: Path | None,
    transfer: str | None,
    submitter: str | None,
    holder: str | None,
    category: str | None,
    with_ended: bool,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Where every copy is, who holds it, until when, and the entries that prove it; what is overdue comes first."""
    from swaddle.cli.registry_options import registry_at

    with registry_at(home_path, passphrase_fd) as inside:
        gateway = inside.do("drain-journal")
        result = inside.do("custody-where", transfer=transfer, submitter=submitter, holder=holder, category=category)
    tell(
        result | {"gateway_reached": gateway["reached"]},
        as_json,
        lambda found: where_words(found, with_ended=with_ended or transfer is not None),
    )


@group.command()
@home_option
@click.option("--head", metavar="SHA256", help="A head that was printed before: it has to be found again.")
@json_option
def verify(home_path: Path | None, head: str | None, as_json: bool) -> None:
    """Follow the whole ledger, entry by entry, and print its head and the root of its tree. Needs no key.

    A ledger that was cut at its end looks whole by itself. Keep the head somewhere else and give it with --head the
    next time; the `previous` of the entry in a receipt is such a head too.
    """
    from dataclasses import asdict

    from swaddle.custody.audit import audit
    from swaddle.custody.ledger import FILE_NAME
    from swaddle.home import Kind, locate, open_home

    home = locate(home_path)
    open_home(home, Kind.REGISTRY)
    tell(asdict(audit(home / FILE_NAME, head)), as_json, audit_lines)


def audit_lines(found: Mapping[str, Any]) -> str:
    """What a ledger came to, in lines."""
    lines = [
        f"{found['entries']:,} entries hold, the last of {found['last_at'] or '-'}",
        f"  head  {found['head']}",
        f"  root  {found['root']}",
    ]
    if found["torn_bytes"]:
        lines.append(f"  {found['torn_bytes']:,} bytes at its end are no entry: a write that was cut off")
    return "\n".join(lines)


THERE = ("there", "overdue")


def where_words(found: Mapping[str, Any], *, with_ended: bool) -> str:
    """The copies as a table, place by place; the finding first."""
    counts = found["counts"]
    there = counts["there"] + counts["overdue"]
    ended = counts["ended"] + counts["key destroyed"]
    lines = [] if found["gateway_reached"] else ["The gateway was not reached: what came there lately is not here."]
    if counts["overdue"]:
        lines.append(f"{counts['overdue']:,} OVERDUE: their end is past, and no entry says that they are gone.")
    lines.append(
        f"{found['at']}: {there:,} copies exist, {ended:,} are ended with proof,"
        f" {counts['lost']:,} were lost with a disk."
    )
    shown = [copy for copy in found["copies"] if with_ended or copy["standing"] in THERE]
    for holder, place in dict.fromkeys((copy["holder"], copy["place"]) for copy in shown):
        lines += ["", f"{holder if holder in {'gateway', 'registry'} else holder[:8]}: {place}"]
        own = [copy for copy in shown if (copy["holder"], copy["place"]) == (holder, place)]
        lines += [
            _copy_line(copy) for copy in sorted(own, key=lambda copy: (copy["standing"] != "overdue", copy["since"]))
        ]
    if not with_ended and ended:
        lines += ["", "`--all` lists those that ended too."]
    return "\n".join(lines)


def _copy_line(copy: Mapping[str, Any]) -> str:
    """One copy: what, whose, since, until, how it stands, and its proof."""
    end = copy["ended"] or copy["until"] or "no end set"
    standing = f"OVERDUE {copy['overdue_days']} days" if copy["standing"] == "overdue" else copy["standing"]
    whose = copy["name"] or ""
    key = f"key {copy['key'][:8]}" if copy["key"] else ""
    proof = "entries " + ", ".join(f"{number:,}" for number in copy["entries"])
    return (
        f"  {copy['of'][:8]}  {copy['what']:<23} {whose:<22.22} {copy['since']}  {end:<20}  {standing:<16}"
        f" {key:<12} {proof}"
    ).rstrip()


def entry_lines(entries: Sequence[Mapping[str, Any]]) -> str:
    """One line an entry: when, what, its values."""
    return "\n".join(
        f"{entry['at']}  {entry['event']:<22} " + " ".join(f"{name}={value}" for name, value in entry["detail"].items())
        for entry in entries
    )
