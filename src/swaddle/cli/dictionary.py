"""`swaddle dictionary`: what a file may hold, and what changed between two versions of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from swaddle.cli import registry_options
from swaddle.errors import UsageFault

if TYPE_CHECKING:
    from swaddle.dictionary.model import Dictionary
    from swaddle.dictionary.words import Language

group = click.Group("dictionary", help="What a file may hold: fields, codes, rules; and what changed.")
home_option = click.option(
    "--home",
    "home_path",
    type=click.Path(path_type=Path),
    help="The folder of a party, whose own versions lie in it under dictionaries/; else $SWADDLE_HOME.",
)
version_option = click.option("--version", default="1", show_default=True, help="Of the dictionary.")
language_option = click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True)


class NoSuchThing(UsageFault):
    """The dictionary has nothing of that name."""

    code = "SWD-DICT-03"
    what = "the data dictionary has nothing of this name"
    why = "it is no field, form, record type, check or rule of this version"
    fix = "`swaddle dictionary show` lists forms and record types; fields have their wide name, such as nicu_admit_dt"


@group.command()
@click.argument("name", required=False)
@version_option
@language_option
@click.option("--page", "document", flag_value="page", help="The whole data dictionary as a Markdown page.")
@click.option("--guide", "document", flag_value="guide", help="The whole submission guide as a Markdown page.")
@home_option
def show(name: str | None, version: str, language: Language, document: str | None, home_path: Path | None) -> None:
    """What the dictionary says of a field, form, record type, check or rule; without a name, what there is."""
    from swaddle.dictionary import show as shown
    from swaddle.dictionary.guide import guide
    from swaddle.dictionary.publish import page

    dictionary = _of(version, home_path)
    if document is not None:
        text = guide(dictionary, language) if document == "guide" else page(version, language, dictionary)
        click.echo(text, nl=False)
        return
    told = shown.overview(dictionary, language) if name is None else shown.one(dictionary, name, language)
    if told is None:
        raise NoSuchThing
    click.echo(told)


@group.command()
@home_option
def versions(home_path: Path | None) -> None:
    """The versions that there are: those that Swaddle comes with, and one's own."""
    from swaddle.dictionary import versions as there

    for each in there.known(_folder(home_path)):
        click.echo(f"{each}  {'shipped' if each in there.shipped() else 'your own'}")


@group.command()
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@click.option("--words", is_flag=True, help="Also where only words changed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@home_option
def diff(one: str, other: str, words: bool, as_json: bool, home_path: Path | None) -> None:
    """What changed from version A to version B; either may be the folder of a version. Nothing printed: nothing."""
    import dataclasses

    from swaddle.dictionary.compare import compare

    changes = [each for each in compare(_of(one, home_path), _of(other, home_path)) if words or not each.only_words]
    if as_json:
        click.echo(json.dumps({"changes": [dataclasses.asdict(each) for each in changes]}, indent=2))
        return
    for each in changes:
        click.echo(str(each))


@group.command()
@click.option(
    "--as",
    "kind",
    type=click.Choice(["frictionless", "json", "csv"]),
    default="frictionless",
    show_default=True,
    help="A Frictionless Data Package (Table Schema v2), everything as JSON, or a line a field as CSV.",
)
@version_option
@home_option
def export(kind: str, version: str, home_path: Path | None) -> None:
    """The dictionary for other tools, on standard output."""
    from swaddle.dictionary.export import FORMATS

    click.echo(FORMATS[kind](_of(version, home_path)), nl=False)


@group.command()
@click.argument("path", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@version_option
@home_option
def lint(path: Path | None, version: str, home_path: Path | None) -> None:
    """What is wrong with a version, or with the folder PATH of one: all of it, one line each. Exit 1 if anything is."""
    from swaddle.dictionary.completeness import gaps
    from swaddle.dictionary.load import load_folder

    dictionary = load_folder(_number(path), path) if path is not None else _of(version, home_path)
    told = list(gaps(dictionary))
    for each in told:
        click.echo(each)
    if told:
        sys.exit(1)


@group.command()
@click.argument("version")
@click.option("--days", type=click.IntRange(1, 3660), default=31, show_default=True, help="Of data, up to now.")
@registry_options.home_option
@registry_options.passphrase_option
@registry_options.json_option
def preview(version: str, days: int, home_path: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """At the registry: what VERSION would say of the last month's data, beside what today's version says."""
    told = registry_options.do(home_path, passphrase_fd, "dictionary-preview", version=version, days=days)
    registry_options.tell(told, as_json, preview_words)


def preview_words(told: Mapping[str, Any]) -> str:
    """A preview in words: what changes first."""
    now, then = told["beside"], told["version"]
    lines = [f"{told['rows']:,} rows that were stored in the last {told['days']} days, by version {now} and by {then}"]
    lines += [
        f"  {told['rejected']:,} would be rejected by version {then} ({told['rejected_today']:,} by version {now})"
    ]
    lines += [f"  over the limit, nothing would be stored: {name}" for name in told["refused"]]
    lines += [f"  no form of version {then}: {name}" for name in told["forms_lost"]]
    for each in told["findings"]:
        place = f" {each['field']}" if each["field"] else ""
        counts = f"{each['count_today']:,} -> {each['count']:,}"
        lines.append(f"  {each['severity']} {each['rule']}{place}: {counts}  {each['text']}")
    if not told["findings"]:
        lines.append("  no finding comes or goes")
    return "\n".join(lines)


def _of(version: str, home_path: Path | None) -> Dictionary:
    """A version by its number, or by its folder."""
    from swaddle.dictionary.load import load_folder
    from swaddle.dictionary.versions import of

    if not version.isalnum() and Path(version).is_dir():
        return load_folder(_number(Path(version)), Path(version))
    return of(version, _folder(home_path))


def _number(folder: Path) -> str:
    """The version that a folder is named after: 2 for v2; 0 where it is named otherwise."""
    name = folder.resolve().name.removeprefix("v")
    return name if name.isascii() and name.isdigit() else "0"


def _folder(home_path: Path | None) -> Path | None:
    """Where one's own versions lie, if there is a home."""
    from swaddle import home
    from swaddle.dictionary.versions import FOLDER

    located = home.locate(home_path)
    return located / FOLDER if (located / FOLDER).is_dir() else None
