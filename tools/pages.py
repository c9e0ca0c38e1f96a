"""Write the generated parts of docs/: errors, commands and custody events; the pages of dictionary and indicators.

A generated part stands between two comments, `<!-- NAME: generated -->` and `<!-- NAME: end -->`; what is around it is
written by hand. `make pages` writes, tests/docs compares.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

import swaddle
from swaddle.errors import SwaddleError

ROOT = Path(__file__).parents[1]


def modules() -> Iterator[str]:
    """Every module of Swaddle by name."""
    for found in pkgutil.walk_packages(swaddle.__path__, "swaddle."):
        if not found.name.endswith("__main__"):
            yield found.name


def error_classes() -> list[type[SwaddleError]]:
    """Every error with a code of its own, by code."""
    for name in modules():
        importlib.import_module(name)

    def below(kind: type[SwaddleError]) -> Iterator[type[SwaddleError]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    own = {kind for kind in below(SwaddleError) if "code" in vars(kind) and kind.__module__.startswith("swaddle.")}
    return sorted(own, key=lambda kind: (kind.code, kind.__qualname__))


def cell(text: str) -> str:
    """Text as a cell of a Markdown table: facts that are filled in stand in braces, as code."""
    text = text.replace("|", "\\|").replace("<", "&lt;")
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"\{(\w+)[^}]*\}", r"*\1*", part).replace("*reason*", "*the reason*")
        for part in parts
    )


def errors() -> str:
    """The table of errors."""
    lines = ["| code | exit | what | why | fix |", "|---|---|---|---|---|"]
    lines += [
        f"| `{kind.code}` | {default_status(kind)} | {cell(kind.what)} | {cell(kind.why)} | {cell(kind.fix)} |"
        for kind in error_classes()
    ]
    return "\n".join(lines)


def default_status(kind: type[SwaddleError]) -> str:
    """The exit status of a class; an error that carries another's has no status of its own."""
    return str(kind.exit_status) if isinstance(kind.exit_status, int) else "its own"


def commands() -> str:
    """Every command with its usage, its words and its options."""
    return "\n\n".join(describe(name, command) for name, command in leaves())


def leaves() -> list[tuple[str, click.Command]]:
    """Every command that does something, with its whole name."""
    main = importlib.import_module("swaddle.cli.main")
    found: list[tuple[str, click.Command]] = []
    for name, (module, attribute, _) in main.COMMANDS.items():
        found += _beneath(f"swaddle {name}", getattr(importlib.import_module(module), attribute))
    return found


def _beneath(name: str, command: click.Command) -> list[tuple[str, click.Command]]:
    """The command itself, or those of its group, however deep."""
    if not isinstance(command, click.Group):
        return [(name, command)]
    shown = [(child, each) for child, each in command.commands.items() if not each.hidden]
    return [leaf for child, each in shown for leaf in _beneath(f"{name} {child}", each)]


def describe(name: str, command: click.Command) -> str:
    """One command as Markdown."""
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    help_text = re.sub(r"\s*\n\s*", " ", (command.help or "").split("\f")[0].strip())
    lines = [f"### `{name}`", "", f"    {usage}", "", help_text]
    records = [
        record
        for parameter in command.params
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context))
    ]
    if records:
        lines += ["", "| option | |", "|---|---|", *[f"| `{option}` | {cell(text)} |" for option, text in records]]
    return "\n".join(lines)


def custody() -> str:
    """The table of custody events."""
    table = importlib.import_module("swaddle.custody.entry").EVENTS
    lines = ["| event | subject | what happened |", "|---|---|---|"]
    lines += [f"| `{name}` | {kind.subject} | {cell(kind.text)} |" for name, kind in table.items()]
    return "\n".join(lines)


def rules() -> str:
    """The table of rules."""
    dictionary = importlib.import_module("swaddle.dictionary.load").load()
    return str(importlib.import_module("swaddle.dictionary.coverage").table(dictionary))


def indicators() -> str:
    """The table of indicators."""
    shipped = importlib.import_module("swaddle.indicators.definitions").shipped()
    return str(importlib.import_module("swaddle.indicators.publish").table(shipped))


PAGES: dict[str, tuple[str, Callable[[], str]]] = {
    # name in the comments: (page, what makes it)
    "errors": ("docs/errors.md", errors),
    "commands": ("docs/commands.md", commands),
    "custody": ("docs/custody.md", custody),
    "rules": ("docs/guide-rules.md", rules),
    "indicators": ("docs/indicators.md", indicators),
}


def generated(name: str) -> tuple[Path, str, str]:
    """(page, its text as it is, its text as it should be)."""
    page, make = PAGES[name]
    path = ROOT / page
    text = path.read_text("utf-8")
    begin, end = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    if not rest or end not in rest:
        raise SystemExit(f"{page} lacks the comments {begin.strip()} and {end}")
    return path, text, f"{before}{begin}{make()}\n{end}{after}"


def openapi() -> tuple[Path, str]:
    """The description of the gateway's HTTP: (page, its text)."""
    described = importlib.import_module("swaddle.wire.openapi").describe()
    return ROOT / "docs" / "openapi.json", json.dumps(described, indent=1, sort_keys=True) + "\n"


def dictionary() -> dict[Path, str]:
    """The pages that are written whole from the data dictionary: page to its text."""
    written = importlib.import_module("swaddle.dictionary.documents").documents()
    return {ROOT / "docs" / name: text for name, text in written.items()}


def indicator_pages() -> dict[Path, str]:
    """The pages that are written whole from the indicators, and their charts: path to its text."""
    shipped = importlib.import_module("swaddle.indicators.definitions").shipped()
    publish = importlib.import_module("swaddle.indicators.publish")
    folder = ROOT / "docs" / "indicators"
    pages = {folder / f"{item.id}.md": publish.page(item) for item in shipped}
    charts = {folder / "charts" / name: text for item in shipped for name, text in publish.charts(item).items()}
    return pages | charts


def main() -> None:
    """Write what has changed."""
    for page, text in (openapi(), *dictionary().items(), *indicator_pages().items()):
        page.parent.mkdir(exist_ok=True)
        if not page.exists() or page.read_text("utf-8") != text:
            page.write_text(text, "utf-8")
            print(f"{page.relative_to(ROOT)}: written anew", file=sys.stderr)
    for name in PAGES:
        path, is_now, should_be = generated(name)
        if is_now != should_be:
            path.write_text(should_be, "utf-8")
            print(f"{path.relative_to(ROOT)}: written anew", file=sys.stderr)


if __name__ == "__main__":
    main()
