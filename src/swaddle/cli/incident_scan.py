"""`swaddle incident scan`: what lies in a folder, and whom it is about."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from swaddle import home
from swaddle.cli.progress import progress
from swaddle.cli.registry_options import json_option, tell

_UNREADABLE_SHOWN = 20


@click.command("scan")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--inventory", is_flag=True, help="List the files: persons, what is in them, age, owner; oldest first.")
@click.option("--state", "state_folder", type=click.Path(path_type=Path), help="Where a stopped scan is remembered.")
@click.option("--strict", is_flag=True, help="End with status 7 where something could not be read.")
@json_option
def scan(path: Path, inventory: bool, state_folder: Path | None, strict: bool, as_json: bool) -> None:
    """Whom a folder is about: any files, no registry needed. Says kinds and counts, never a person's value."""
    from swaddle.incident.scan import scan as whole_scan

    with progress() as show:
        result = whole_scan(path, state_folder or usual_state(path), datetime.now(UTC), show)
    tell(result, as_json, lambda found: scan_words(found, inventory=inventory))
    if strict and result["unreadable"]:
        sys.exit(7)


def usual_state(path: Path) -> Path:
    """Where the state of a scan of this path is kept: beside this user's other data, under no name that tells."""
    if os.name == "nt":
        base = home.locate(None, {"LOCALAPPDATA": os.environ.get("LOCALAPPDATA", str(Path.home()))}).parent
    else:
        base = Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local" / "state"))
    return base / "swaddle-scans" / hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:24]


def scan_words(found: Mapping[str, Any], *, inventory: bool) -> str:
    """A scan as a privacy officer reads it."""
    lines = [
        (
            f"{found['files']:,} files, {found['bytes'] / 1e6:,.1f} MB, {found['records']:,} records, "
            f"{found['seconds']:.1f} s"
        ),
        (
            f"persons: at most {found['persons']:,}; "
            f"known by a number, or by name and birth date: {found['persons_known']:,}"
        ),
    ]
    lines += [
        f"  {row['category']:<22} {row['persons']:>10,}   {row['first'] or '?'} to {row['last'] or '?'}"
        for row in found["by_category"]
    ]
    if found["records_about_nobody_known"]:
        lines.append(
            f"  records about persons whom nothing in the record names: {found['records_about_nobody_known']:,}"
        )
    if found["rows_not_told_apart"]:
        lines.append(f"  rows that could not be told apart, in files that were read: {found['rows_not_told_apart']:,}")
    lines.append("kinds of data, * tells by itself who somebody is")
    lines += [
        f"  {'*' if row['identifies'] else ' '} {row['element']:<28} in {row['files']:,} files"
        for row in found["data_elements"]
    ]
    lines.append("by the age of the files")
    lines += [
        f"  {row['age']:<20} {row['files']:>8,} files {row['records']:>12,} records {row['persons']:>10,} persons"
        for row in found["by_age"]
    ]
    if inventory:
        lines += inventory_words(found["inventory"])
    if found["unreadable"]:
        lines.append(f"not read: {len(found['unreadable']):,}")
        lines += [f"  {row['file']}: {row['why']}" for row in found["unreadable"][:_UNREADABLE_SHOWN]]
        if len(found["unreadable"]) > _UNREADABLE_SHOWN:
            lines.append("  … all of them with --json")
    return "\n".join(lines)


def inventory_words(rows: list[dict[str, Any]]) -> list[str]:
    """The files in which persons are, oldest first."""
    lines = ["files about persons, oldest first: whatever is not needed here any more may go"]
    for row in rows:
        if not row["columns"]:
            continue
        elements = sorted({each["element"] for each in row["columns"] if each["identifies"]})
        lines.append(f"  {row['changed'][:10]}  {row['owner']:<12} {row['persons']:>9,} persons  {row['file']}")
        lines.append(f"              {', '.join(elements) or 'nothing that names somebody'}")
    return lines
