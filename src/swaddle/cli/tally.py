"""`swaddle tally`: how many persons a campaign reached, from lists of breaches as they were published."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from swaddle.cli.registry_options import json_option, tell

_SHOWN = 20
_UNREADABLE_SHOWN = 20


@click.command("tally")
@click.argument("lists", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--column", "columns", multiple=True, help="KIND=HEADER, where a list calls a column by another name.")
@click.option("--apart", "apart_days", type=click.IntRange(0, 3660), default=180, show_default=True,
              help="Days after which a disclosure of the same organisation is another breach.")  # fmt: skip
@click.option("--html", "page", type=click.Path(path_type=Path), help="Write the tally as one page to this file.")
@click.option("--strict", is_flag=True, help="End with status 7 where something could not be read.")
@json_option
def command(
    lists: tuple[Path, ...], columns: tuple[str, ...], apart_days: int, page: Path | None, strict: bool, as_json: bool
) -> None:
    """Add up one campaign over many organisations from published lists: CSV, VERIS JSON, or folders of them."""
    from swaddle.incident.tally import tally
    from swaddle.incident.tally_read import columns_said, read_lists

    result = tally(read_lists(lists, columns_said(columns)), apart_days=apart_days)
    if page is not None:
        from swaddle.incident.tally_page import page_of

        page.write_text(page_of(result), encoding="utf-8")
    tell(result, as_json, tally_words)
    if strict and (result["unreadable"] or result["refused"]):
        raise click.exceptions.Exit(7)


def tally_words(found: Mapping[str, Any]) -> str:
    """A tally as a journalist reads it."""
    lines = [
        f"{found['individuals_at_least']:,} persons at least, at {found['organisations']:,} organisations",
        (
            f"  {found['gave_number']:,} gave a number, {found['gave_range']:,} a range or a lower end, "
            f"{found['not_disclosed']:,} did not disclose"
        ),
        f"  from {found['rows_read']:,} rows in {len(found['lists']):,} lists; a person hit at two is counted at both",
    ]
    for row in found["rows"][:_SHOWN]:
        if row["rank"] is None:
            break
        inside = f", {len(row['clients'])} clients inside" if row["clients"] else ""
        lines.append(
            f"{row['rank']:>5} {row['individuals']:>13,}  {printable(row['organisation'])}  "
            f"({row['how']}{inside}; {len(row['sources'])} rows)"
        )
    if len(found["rows"]) > _SHOWN:
        lines.append(f"      … {len(found['rows']) - _SHOWN:,} others with --json or --html FILE")
    if found["refused"]:
        lines.append(f"rows left out: {len(found['refused']):,}")
        lines += [f"  {printable(row['file'])}, row {row['row']}: {row['why']}" for row in found["refused"][:10]]
    lines += [f"not read: {printable(row['file'])}: {row['why']}" for row in found["unreadable"][:_UNREADABLE_SHOWN]]
    return "\n".join(lines)


def printable(text: str) -> str:
    """Text of a list as a terminal may show it: nothing that moves, colours or turns what stands beside it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:100]
