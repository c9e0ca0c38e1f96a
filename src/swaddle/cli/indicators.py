"""`swaddle indicators`: what is counted, whether one's own definitions are right, and what the registry counts now."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from swaddle.cli import registry_options

if TYPE_CHECKING:
    from swaddle.indicators.model import Language
    from swaddle.indicators.shelf import Shelf

group = click.Group("indicators", help="Indicators: what there is, what one says, what is wrong with one's own.")
home_option = click.option(
    "--home",
    "home_path",
    type=click.Path(path_type=Path),
    help="The folder of a registry, whose own definitions lie in it under indicators/; else $SWADDLE_HOME.",
)
language_option = click.option("--lang", "language", type=click.Choice(["en", "fr"]), default="en", show_default=True)


@group.command(name="list")
@click.option("--strata", "show_strata", is_flag=True, help="The ways to split an indicator, instead.")
@language_option
@home_option
def list_(show_strata: bool, language: Language, home_path: Path | None) -> None:
    """Every indicator with its title, those that Swaddle comes with and one's own; which files are left out."""
    from swaddle.indicators.definitions import strata

    if show_strata:
        for each in strata().values():
            click.echo(f"{each.id:16} {each.title if language == 'en' else each.title_fr}")
        return
    there = _shelf(home_path)
    for item in there.definitions:
        click.echo(f"{item.id:24} {item.within(language).title}{'' if item.shipped else '  (your own)'}")
    for left in there.left_out:
        click.echo(f"left out: {left.file}: {left.reason}", err=True)


@group.command()
@click.argument("name")
@home_option
def show(name: str, home_path: Path | None) -> None:
    """One indicator as its readers see it: words in both languages, expressions, worked example."""
    from swaddle.indicators.publish import page

    click.echo(page(_shelf(home_path).of(name)), nl=False)


@group.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@home_option
def lint(file: Path | None, home_path: Path | None) -> None:
    """What is wrong with one's own definitions, or with FILE: all of it, one line each. Exit 1 if anything is."""
    from swaddle.indicators.model import BadDefinition
    from swaddle.indicators.reading import LIMIT_BYTES
    from swaddle.indicators.shelf import checked

    faults = [f"{left.file}: {left.reason}" for left in _shelf(home_path).left_out] if file is None else []
    if file is not None:
        with file.open("rb") as source:
            text = source.read(LIMIT_BYTES + 1).decode("utf-8", errors="replace")
        try:
            checked(file.stem, text)
        except BadDefinition as error:
            faults = [f"{file.stem}: {error.facts['reason']}"]
    for each in faults:
        click.echo(each)
    if faults:
        sys.exit(1)


@group.command()
@click.argument("names", nargs=-1)
@click.option("--submitter", help="Of this one, by name or id, in full; else of all together, small numbers hidden.")
@click.option("--by", help="Split by this (`list --strata`).")
@click.option("--period", help="A year, quarter or month: 2026, 2026-Q3, 2026-10.")
@language_option
@registry_options.home_option
@registry_options.passphrase_option
@registry_options.json_option
def run(
    names: tuple[str, ...],
    submitter: str | None,
    by: str | None,
    period: str | None,
    language: Language,
    home_path: Path | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """At the registry: count NAMES, or every indicator, over what is stored now."""
    told = registry_options.do(
        home_path,
        passphrase_fd,
        "indicators-run",
        indicators=list(names),
        submitter=submitter,
        by=by,
        period=period,
        language=language,
    )
    registry_options.tell(told, as_json, run_words)


def run_words(told: Mapping[str, Any]) -> str:
    """A count in words: one line an indicator, its parts beneath."""
    lines = [f"counted {told['as_of']}, dictionary {told['dictionary']}, up to load {told['until_load']}"]
    lines += [f"left out: {each['file']}: {each['reason']}" for each in told["left_out"]]
    for each in told["indicators"]:
        lines.append(f"{each['id']:24} {_line(each, each['per'])}  {each['title']}")
        lines += [f"    {part['id']:20} {_line(part, each['per'])}  {part['label']}" for part in each["parts"]]
        lines += [
            f"    {check['verdict']}: {check['text']} ({check['provenance']})"
            for check in each.get("checks", ())
            if check["verdict"] == "look"
        ]
    return "\n".join(lines)


def _line(figures: Mapping[str, Any], per: int) -> str:
    if figures["suppressed"]:
        return "hidden: a small number"
    if figures["rate"] is None:
        return "nobody to count" if not figures["unknown"] else f"{figures['unknown']:,} unknown"
    sign = "%" if per == 100 else "‰"
    unknown = f", {figures['unknown']:,} unknown" if figures["unknown"] else ""
    return f"{figures['rate']:.1f}{sign} ({figures['numerator']:,} of {figures['denominator']:,}{unknown})"


def _shelf(home_path: Path | None) -> Shelf:
    """What there is, with one's own if there is a home."""
    from swaddle import home
    from swaddle.indicators.shelf import FOLDER, shelf

    return shelf(home.locate(home_path) / FOLDER)
