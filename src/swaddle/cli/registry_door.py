"""`swaddle registry import-submitters | door | trust-door`: partners whose job can only do SFTP."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from swaddle.cli.registry_options import do, home_option, json_option, passphrase_option, tell
from swaddle.errors import FileFault


class ListWrong(FileFault):
    """Rows of a list of partners cannot be used."""

    code = "SWD-REG-74"
    what = "nothing of this list was imported"
    why = "{number} of its rows cannot be used"
    fix = "mend the rows named above and run the same command again"


@click.command(name="import-submitters")
@home_option
@click.argument("list_path", metavar="CSV", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@passphrase_option
@json_option
def import_submitters(
    home_path: Path | None, list_path: Path, dry_run: bool, passphrase_fd: int | None, as_json: bool
) -> None:
    """Let the partners of an old SFTP server in at the door: columns name, ssh_keys, sites, mail, language."""
    try:
        text = list_path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ListWrong("it is not UTF-8", fix="save it as UTF-8 (in a spreadsheet: CSV UTF-8)") from None
    result = do(home_path, passphrase_fd, "import-submitters", text=text, dry_run=dry_run)
    tell(result, as_json, imported_words)
    if result["wrong"]:
        raise ListWrong(number=len({each["line"] for each in result["wrong"]}))


def imported_words(result: Mapping[str, Any]) -> str:
    """What became of a list, row by row; then what partners and firewalls must know."""
    if result["wrong"]:
        return "\n".join(f"line {w['line']}: {w['why']}\n  fix: {w['fix']}" for w in result["wrong"])
    lines = [f"line {row['line']}: {row['name']}: {row['change']}" for row in result["rows"]]
    counts = {kind: sum(row["change"] == kind for row in result["rows"]) for kind in ("new", "changed", "unchanged")}
    summary = ", ".join(f"{number} {kind}" for kind, number in counts.items())
    if not result["imported"]:
        return "\n".join([*lines, f"{summary}. This was a dry run: nothing was done."])
    if not result["told"]:
        lines.append("The gateway was not reached: it is told at the next look (`registry pull`, or `registry run`).")
    return "\n".join([*lines, f"{summary}.", "", door_words(result["door"])])


@click.command()
@home_option
@passphrase_option
@json_option
def door(home_path: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """The SFTP door: its known_hosts line, hosts and ports for firewalls, who comes in by it, whose key is trusted."""
    tell(do(home_path, passphrase_fd, "door"), as_json, door_words)


@click.command(name="trust-door")
@home_option
@click.option("--key", "fingerprint", help="SHA256:… of the door's key or SSH host key, as `sftp run` prints it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@passphrase_option
@json_option
def trust_door(
    home_path: Path | None, fingerprint: str | None, yes: bool, passphrase_fd: int | None, as_json: bool
) -> None:
    """Take the keys that the SFTP door shows now in place of those before. Compare them with the door's own first."""
    if fingerprint is None and not yes and sys.stdin.isatty():
        click.confirm("Whoever has this key can send files in the name of every partner by SFTP. Trust it?", abort=True)
    tell(do(home_path, passphrase_fd, "trust-door", fingerprint=fingerprint), as_json, door_words)


def door_words(result: Mapping[str, Any]) -> str:
    """Everything that partners and firewalls must know, in words."""
    lines = ["The SFTP door is second grade: a file is in the gateway's memory in the clear while it arrives.", ""]
    lines += ["Hosts and ports, for firewalls (nothing else is needed; nothing opens a connection inwards):"]
    rows = [("from", "to host", "port", "protocol", "for")]
    rows += [(row["from"], row["host"], str(row["port"]), row["protocol"], row["why"]) for row in result["hosts"]]
    widths = [max(len(row[place]) for row in rows) for place in range(5)]
    lines += ["  " + "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    if result["known_hosts"] is None:
        lines += [
            "",
            "No door has been at the gateway yet, so its host key is not known: run `registry door` again later.",
        ]
    else:
        lines += ["", "Each partner's new line for known_hosts:", f"  {result['known_hosts']}"]
    if result["shown_now"] is not None:
        shown = result["shown_now"]["door_key"]
        lines += ["", f"WARNING: the door now shows another key ({shown}) than the trusted one ({result['door_key']}):"]
        lines += ["  its files are refused. If you changed it, `swaddle registry trust-door`."]
    partners = result["partners"]
    if partners:
        lines += ["", "Partners that come in by the door:"]
    for each in partners:
        notes = [] if each["is_told"] else ["the gateway is told at the next look"]
        notes += [] if each["has_sealing_pair"] else ["no sealing pair: plain status only, its reports wait here"]
        lines.append(f"  {each['name']}: {len(each['ssh_keys'])} SSH key(s){'; ' if notes else ''}{'; '.join(notes)}")
    return "\n".join([*lines, "", MOVING])


MOVING = """Moving in, old and new side by side:
  A partner changes the host (and port) and the known_hosts line in its job, nothing else: the user name and the
  folders that it writes to may stay, for its key alone says who it is. Partners can move one by one; until a partner
  has, the old server keeps running for it. A file sent to both is stored once: the second says which it repeats.
  Each looks into answers/ after sending: `stored`, `refused`, `unreadable`, `received` or `expired` by transfer.
  What still lies on the old server is the exposure that you inherit: `swaddle incident scan PATH --inventory`, once
  this version has it, tells what it is; destroy there what has been taken in.
  `swaddle registry invite NAME` gives a partner a sealing pair of its own; the reports that waited then go out."""

COMMANDS = (import_submitters, door, trust_door)
