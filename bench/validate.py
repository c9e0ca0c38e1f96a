"""Checking rows, CSV to findings: beside pandera and Frictionless.

    python bench/validate.py [--rows 1900000] [--slice 20000] [--rounds 3] [--out FILE]

The file is made up here from a fixed seed: births in the plain layout, 30 columns, some values in a hundred wrong in
ways that rules find. Ours reads it (in the reading process), types it, and asks every field check and every rule that
the layout can answer, 48 rules and more. pandera is given a pandas frame (read as text by pandas' C reader, which is
timed with it) and the same field checks and row rules written by hand as vectorised checks, with `lazy=True`.
Frictionless is given a schema with the same constraints and the same rules as row constraints; it goes row by row, so
it has a slice of the file and its rows a second are what is compared. All three must find the same number of rows for
every rule that they share; the bench stops where they do not.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from born import COLUMNS, make_births
from peers_validate import frictionless_counts, pandera_counts, shared
from rounds import Target, Way, interleave, table

from swaddle.dictionary.load import load
from swaddle.intake.engine import connect
from swaddle.intake.read import read
from swaddle.intake.validate import validate

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ours(path: Path) -> Counter[str]:
    """The findings, rule to rows."""
    descriptor = os.open(path, os.O_RDONLY)
    connection = connect()
    try:
        staged = read(
            descriptor,
            path.stat().st_size,
            kind="births",
            mapping=None,
            file_digest="0" * 64,
            connection=connection,
        )
        checked = validate(staged, load(), connection, submitter=None, sites=None, at=AT)
    finally:
        connection.close()
        os.close(descriptor)
    found: Counter[str] = Counter()
    for each in checked.findings:
        found[f"{each.rule} {each.field}".strip()] += each.count
    return found


def same(mine: Counter[str], theirs: Counter[str], who: str) -> None:
    """Stop where a peer finds another number of rows for something that both look for."""
    told = shared(mine)
    for what, count in sorted(theirs.items()):
        if told[what] != count:
            sys.exit(f"{who} finds {count} rows for {what}, ours {told[what]}: they do not do the same work")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_900_000)
    parser.add_argument("--slice", type=int, default=20_000, help="rows for Frictionless")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        run(Path(scratch), options)


def run(scratch: Path, options: argparse.Namespace) -> None:
    whole, part = scratch / "births.csv", scratch / "part.csv"
    make_births(whole, options.rows)
    with whole.open("rb") as source, part.open("wb") as target:
        for _, line in zip(range(options.slice + 1), source, strict=False):
            target.write(line)
    kept: dict[str, Counter[str]] = {}

    def keep(name: str, found: Counter[str]) -> None:
        kept[name] = found

    ways = [
        Way("swaddle", lambda: keep("swaddle", ours(whole))),
        Way("pandera", lambda: keep("pandera", pandera_counts(whole, AT))),
        Way("frictionless, slice", lambda: keep("frictionless", frictionless_counts(part, AT))),
        Way("swaddle, slice", lambda: keep("swaddle, slice", ours(part))),
    ]
    interleave(ways, options.rounds)
    same(kept["swaddle"], kept["pandera"], "pandera")
    same(kept["swaddle, slice"], kept["frictionless"], "Frictionless")
    counted = {who: len(kept[who]) for who in ("pandera", "frictionless")}
    print(f"{len(COLUMNS)} columns; kinds of findings compared: {counted}; ours finds {len(kept['swaddle'])}")
    # Frictionless' rounds as if it went on over the whole file at the pace of its slice.
    ways[2].seconds[:] = [each * options.rows / options.slice for each in ways[2].seconds]
    ways[2].name = "frictionless (scaled from its slice)"
    targets = [Target("pandera", 3, 5), Target(ways[2].name, 10)]
    table("check rows, CSV to findings", ways[:3], options.rows, "rows", targets, options.out)


if __name__ == "__main__":
    main()
