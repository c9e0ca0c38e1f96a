"""docs/nasty-files.md: what becomes of hostile and odd files under every reader (`python tools/nasty.py DATA`)."""

import os
import sys
from collections import Counter
from pathlib import Path

from swaddle.errors import FileFault
from swaddle.intake.mapping import load_builtin, parse
from swaddle.intake.marks import HEAD_BYTES
from swaddle.intake.readers.how import How
from swaddle.intake.readers.kinds import READERS, reader_of
from swaddle.intake.sheet import Sheet
from swaddle.intake.sniff import sniff
from swaddle.intake.wall.prescan import look_through

PAGE = Path(__file__).resolve().parent.parent / "docs" / "nasty-files.md"
KINDS = {".csv", ".tsv", ".txt", ".xls", ".xlsx", ".zip", ".gz", ".ods", ".bin", ".json", ".jsonl", ".ndjson"}
LIMIT_BYTES = 2_000_000
ANYTHING = parse(
    """
name = "anything"
dictionary = "1"
not_carried = ["mother_local_id", "mother_family_name", "mother_birth_date", "delivery_local_id", "admit_dt",
  "delivery_place", "para", "previous_cs", "n_fetuses", "onset_labour", "presentation", "birth_type", "site_id",
  "birth_order", "child_sex", "birth_weight_g", "ga_weeks"]
[fields.local_record_id]
derived = "row_key()"
[fields.event_date]
constant = "2024"
[fields.outcome]
constant = "live"
"""
)
HEAD = """# Hostile and odd files under every reader

Written by `python tools/nasty.py DATA`; a test compares it. Other people's collections of files that break parsers
(`nasty` of the real data) are given to *every* reader, whatever they are: each is read whole, with every row accounted
for, or refused with one clear fault (docs/errors.md). In the first line each goes to the reader that its first bytes
name, as in daily work. CSV and Excel are read under a mapping that takes any columns.

| reader | files | read | rows | broken rows | refused | why |
|-|-:|-:|-:|-:|-:|-|
"""


def files(folder: Path) -> list[Path]:
    """The files of the collections, those of the size that a test has time for."""
    found = sorted(each for each in folder.rglob("*") if each.is_file() and each.suffix in KINDS)
    return [each for each in found if each.stat().st_size <= LIMIT_BYTES]


def read_by(kind: str, descriptor: int, size_bytes: int) -> list[Sheet]:
    """The sheets of a file under a reader; "" is the one that its first bytes name."""
    kind = kind or sniff(os.pread(descriptor, HEAD_BYTES, 0), size_bytes)
    if kind in {"csv", "excel"}:
        return reader_of(kind)(descriptor, size_bytes, How(kind=kind, mappings=(ANYTHING,), named=True))
    return reader_of(kind)(descriptor, size_bytes, How(kind=kind, mappings=tuple(load_builtin().values())))


def row(kind: str, paths: list[Path]) -> str:
    """One line of the table."""
    taken = rows = broken = 0
    refused = Counter[str]()
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            sheets = read_by(kind, descriptor, path.stat().st_size)
        except FileFault as fault:
            refused[fault.code] += 1
            continue
        finally:
            os.close(descriptor)
        taken += 1
        for sheet in sheets:
            look_through(sheet)
            rows, broken = rows + sheet.rows, broken + sheet.broken
            sheet.close()
    why = ", ".join(f"`{code}` {count}" for code, count in sorted(refused.items()))
    name = kind or "*by its first bytes*"
    return f"| {name} | {len(paths)} | {taken} | {rows:,} | {broken:,} | {sum(refused.values())} | {why} |"


def page(folder: Path) -> str:
    """The page's text."""
    paths = files(folder)
    return HEAD + "\n".join(row(kind, paths) for kind in ("", *READERS)) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1]) / "nasty"), "utf-8")
