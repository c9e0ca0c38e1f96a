"""`swaddle registry retention | dispose | disposal`: how long records are kept, and letting them go with proof."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from swaddle.cli.registry_options import do, home_option, json_option, passphrase_option, tell
from swaddle.cli.registry_person import key_options, sign_for
from swaddle.errors import UsageFault

LARGEST_LIST_BYTES = 1_048_576
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)

retention = click.Group("retention", help="How long each kind of record is kept: a schedule that somebody adopts.")
disposal = click.Group("disposal", help="What was let go of, and the proof of it.")


@retention.command()
@home_option
@click.option("--toml", is_flag=True, help="The schedule as a file: a beginning for your own.")
@passphrase_option
@json_option
def show(home_path: Path | None, toml: bool, passphrase_fd: int | None, as_json: bool) -> None:
    """The schedule in force; where none was adopted, the proposal that comes with the program."""
    result = do(home_path, passphrase_fd, "retention-show")
    if toml:
        click.echo(result["text"], nl=False)
    else:
        tell(result, as_json, schedule_words)


@retention.command()
@home_option
@click.argument("file", type=_FILE, required=False)
@passphrase_option
@json_option
def preview(home_path: Path | None, file: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """What FILE (else the schedule in force, else the proposal) would let go of today. Nothing is changed."""
    text = None if file is None else file.read_text("utf-8", "replace")
    tell(do(home_path, passphrase_fd, "retention-preview", text=text), as_json, preview_words)


@retention.command()
@home_option
@click.argument("file", type=_FILE)
@key_options(required=False)
@passphrase_option
@json_option
def adopt(
    home_path: Path | None,
    file: Path,
    key: Path | None,
    key_passphrase_fd: int | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Follow the schedule in FILE from now on. Once the registry has people, one of them signs it with --key."""
    from swaddle.registry import retention as rules

    text = file.read_text("utf-8", "replace")
    said = {"act": "adopt-schedule", "sha256": rules.parse(text).digest}
    word = sign_for(home_path, key, key_passphrase_fd, said)
    tell(do(home_path, passphrase_fd, "retention-adopt", text=text, word=word), as_json, schedule_words)


@click.command()
@home_option
@click.option("--preview", "only_look", is_flag=True, help="Say what would go and what a hold keeps; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask; without a terminal it must be given.")
@passphrase_option
@json_option
def dispose(home_path: Path | None, only_look: bool, yes: bool, passphrase_fd: int | None, as_json: bool) -> None:
    """Let go of what is due by the adopted schedule and not held. There is no way back.

    `registry run` does this once a day by itself.
    """
    if only_look:
        return tell(do(home_path, passphrase_fd, "dispose-preview"), as_json, disposed_words)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageFault("this removes records for good: say --yes, or --preview to look")
        looked = do(home_path, passphrase_fd, "dispose-preview")
        click.echo(disposed_words(looked), err=True)
        click.confirm("Remove these for good?", abort=True, err=True)
    return tell(do(home_path, passphrase_fd, "dispose"), as_json, disposed_words)


@disposal.command(name="list")
@home_option
@passphrase_option
@json_option
def list_disposals(home_path: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """Every disposal, the latest first."""
    tell(do(home_path, passphrase_fd, "disposals"), as_json, list_words)


@disposal.command()
@home_option
@click.argument("disposal_id", metavar="ID")
@passphrase_option
@json_option
def verify(home_path: Path | None, disposal_id: str, passphrase_fd: int | None, as_json: bool) -> None:
    """Check the proof of a disposal against custody, and the store against the proof. Exit 8 where it does not hold."""
    result = do(home_path, passphrase_fd, "disposal-verify", disposal=disposal_id)
    tell(
        result,
        as_json,
        lambda r: (
            f"Disposal {r['id'][:8]} holds: {r['listed']:,} in its list, none of them in the store"
            + (f"; {r['came_again']:,} rows came again since, which the schedule keeps." if r["came_again"] else ".")
        ),
    )


@disposal.command()
@home_option
@click.option("--submitter", required=True, help="Whose record numbers they are, by its name.")
@click.option("--form", default="birth", show_default=True, help="What a row of the file was.")
@passphrase_option
@json_option
def find(home_path: Path | None, submitter: str, form: str, passphrase_fd: int | None, as_json: bool) -> None:
    """Which record numbers were let go of: read one a line from standard input, never from the command line."""
    numbers = sys.stdin.read(LARGEST_LIST_BYTES).split("\n")
    wanted = [line.strip() for line in numbers if line.strip()]
    result = do(home_path, passphrase_fd, "disposal-find", submitter_name=submitter, form=form, numbers=wanted)
    tell(result, as_json, found_words)


def state_words(told: Mapping[str, Any]) -> list[str]:
    """Retention and holds in `registry status`, where there is something to say."""
    lines, last = [], told["last_disposal"]
    if last is not None and last["state"] != "done":
        lines.append(f"Disposal {last['id'][:8]} was interrupted; it is gone on with at the next look.")
    if told["holds"]:
        late = f", {told['holds_overdue']} of them to be looked at again" if told["holds_overdue"] else ""
        lines.append(f"On hold: {told['holds']} in force{late} (`swaddle registry hold list`)")
    return lines


def schedule_words(result: Mapping[str, Any]) -> str:
    """A schedule, a line a kind."""
    if result["adopted"]:
        by = f" by {result['adopted_by']}" if result["adopted_by"] else ""
        lines = [f"In force since {result['adopted_at']}{by}: {result['title']} (version {result['version']})"]
    else:
        lines = [
            "No schedule was adopted: everything is kept. This is the proposal that comes with the program:",
            f"{result['title']} (version {result['version']})",
        ]
    for each in result["keep"]:
        time = "always" if each["years"] is None else f"{each['years']} years after {each['after']}"
        mark = "" if each["standing"] == "verified" else "  UNVERIFIED: not acted upon"
        lines.append(f"  {each['name']:<20} {time}{mark}")
        lines.append(f"      {each['source']}")
    if result["not_named"]:
        lines.append(f"Not named, so kept: {', '.join(result['not_named'])}")
    return "\n".join(lines)


def preview_words(result: Mapping[str, Any]) -> str:
    """What a schedule would do."""
    lines = [f"Schedule {result['version']}, if it were in force today:", *counts_words(result, "would go")]
    if result["unverified"]:
        lines.append(f"Nobody vouches for these figures yet, so nothing is done by them: {_names(result)}")
    return "\n".join(lines)


def _names(result: Mapping[str, Any]) -> str:
    return ", ".join(result["unverified"])


def counts_words(result: Mapping[str, Any], verb: str) -> list[str]:
    """What goes, and what a hold keeps."""
    lines = [f"  {name:<20} {number:>10,}" for name, number in result["counts"].items()]
    held = result["held"]
    lines = [*([f"{verb}:"] if lines else []), *(lines or ["Nothing is due."])]
    if held["numbers"] or held["reports"]:
        lines.append(f"Held back: {held['numbers']:,} records and {held['reports']:,} reports are due and on hold.")
    return lines


def disposed_words(result: Mapping[str, Any]) -> str:
    """What a disposal did or would do."""
    if result["schedule"] is None:
        return "No schedule was adopted (`swaddle registry retention adopt FILE`): everything is kept."
    lines = counts_words(result, "Gone" if result["id"] else "Due")
    if result["id"]:
        lines += [f"Disposal {result['id']}", f"Commitment {result['commitment']}, in custody."]
    return "\n".join(lines)


def list_words(result: Mapping[str, Any]) -> str:
    """A line a disposal."""
    lines = [
        f"{each['id'][:8]}  {each['ended_at'] or each['state']}  {each['counts'].get('numbers', 0):,} records"
        f"  schedule {each['schedule_version']}{'' if each['has_proof'] else '  (its proof has gone)'}"
        for each in result["disposals"]
    ]
    return "\n".join(lines) or "Nothing was let go of yet."


def found_words(result: Mapping[str, Any]) -> str:
    """Places in the list that was given, never the numbers."""
    lines = [f"number {each['place']} of the list: disposal {each['disposal'][:8]}, {each['at']}"
             for each in result["found"]]  # fmt: skip
    return "\n".join([*lines, f"{len(result['found'])} found; {result['asked']} asked for."])
