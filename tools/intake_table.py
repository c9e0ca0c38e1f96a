"""Write the table of docs/intake.md: every real file of a supported kind, its rows, and what becomes of each.

Reads the folder of real files ($SWADDLE_REAL_DATA); tests/docs compares. Files are read as `swaddle check` reads them.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from swaddle.dictionary.load import load
from swaddle.errors import SwaddleError
from swaddle.intake import engine
from swaddle.intake.mapping import Mapping, load_file
from swaddle.intake.read import layout_of, read_sheets
from swaddle.intake.staging import stage
from swaddle.intake.validate import report_json, validate

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "intake.md"
BEGIN, END = "<!-- files: generated -->", "<!-- files: end -->"
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
MAPPINGS = ROOT / "docs" / "mappings"
REASONS_SHOWN = 4

# Folder and pattern -> the mapping file that it needs, or none where it is recognised.
SOURCES: tuple[tuple[str, str, str], ...] = (
    ("nchs_births2006", "*.parquet", ""),
    ("nchs_natality2014", "*.parquet", ""),
    ("nchs_nat2021", "nat*.csv", ""),
    ("sinasc_sc_anomalia", "*.parquet", "sinasc-sc"),
    ("bq_natality_babyweight", "*.csv", "natality-headerless"),
    ("bfdr_fixtures", "ije/*.ije", ""),
    ("bfdr_fixtures", "json/*.json", ""),
    ("hl7_newborn_screening", "**/*.hl7", ""),
    ("hl7_newborn_screening", "**/*.fhir", ""),
    ("hl7_v2_samples", "**/*.hl7", ""),
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """What became of one sheet of a file; `rows` are read = stored + rejected + duplicates."""

    file: str
    layout: str
    read: int = 0
    stored: int = 0
    rejected: int = 0
    duplicates: int = 0
    why: str = ""
    rules: tuple[str, ...] = ()


def lines(folder: Path, only: str = "") -> Iterator[Line]:
    """A line for every sheet of every file of SOURCES, in order; `only` of those whose folder's name begins so."""
    for source, pattern, mapping_name in SOURCES:
        if not source.startswith(only):
            continue
        mapping = load_file(MAPPINGS / f"{mapping_name}.toml") if mapping_name else None
        for path in sorted((folder / source).glob(pattern)):
            yield from of_file(path, str(path.relative_to(folder)), mapping)


def of_file(path: Path, name: str, mapping: Mapping | None) -> Iterator[Line]:
    """The lines of one file; one that is refused as a whole has one, with the reason."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        digest = sha256(path.read_bytes()).hexdigest()
        sheets = read_sheets(descriptor, path.stat().st_size, kind=None, mapping=mapping)
        try:
            with closing(engine.connect()) as tables:
                for sheet in sheets:
                    layout = layout_of(sheet, kind=None, mapping=mapping)
                    staged = stage(sheet, layout, file_digest=digest, connection=tables)
                    checked = validate(staged, load(), tables, submitter=None, sites=None, at=AT)
                    yield _line(name, report_json(checked, None))
        finally:
            for sheet in sheets:
                sheet.close()
    except SwaddleError as fault:
        yield Line(file=name, layout="", why=f"{fault.code}: {fault.lines()[1]}")
    finally:
        os.close(descriptor)


def _line(name: str, report: dict) -> Line:
    told = Counter[str]()
    for each in report["findings"]:
        if each["severity"] == "error":
            told[f"{each['rule']} {each['field']}".strip()] += each["count"]
    shown = [f"{rule} ({count:,})" for rule, count in told.most_common(REASONS_SHOWN)]
    more = [f"{len(told) - REASONS_SHOWN} more"] if len(told) > REASONS_SHOWN else []
    whole = report["refused"] and report["rows"]["read"] > 1
    refused = ["refused as a whole: over a fifth has errors"] if whole else []
    rules = tuple({each["rule"] for each in report["findings"] if each["severity"] == "error"})
    why = "; ".join([*refused, *shown, *more])
    return Line(file=name, layout=report["kind"], **report["rows"], why=why, rules=rules)


def table(of: list[Line]) -> str:
    """The table in Markdown, and its sums."""
    told = ["| file | layout | rows | stored | rejected | repeated | why |", "|-|-|-:|-:|-:|-:|-|"]
    for each in of:
        counts = [each.read, each.stored, each.rejected, each.duplicates]
        cells = [f"`{each.file}`", each.layout or "-", *(f"{count:,}" for count in counts), _cell(each.why)]
        told.append(f"| {' | '.join(cells)} |")
    sums = [sum(getattr(each, name) for each in of) for name in ("read", "stored", "rejected", "duplicates")]
    files = len({each.file for each in of})
    told.append(f"| **{files} files** | | {' | '.join(f'**{count:,}**' for count in sums)} | |")
    return "\n".join(told)


def reasons(of: list[Line]) -> str:
    """What the rules in the last column say."""
    dictionary = load()
    words = {rule.id: rule.text for rule in dictionary.rules}
    facts = {"{title}": "The field", " ({range})": "", "{form}": "of its type"}
    for check in dictionary.checks.values():
        words[check.id] = check.text
        for fact, plain in facts.items():
            words[check.id] = words[check.id].replace(fact, plain)
    ids = sorted({rule for each in of for rule in each.rules})
    return "\n".join(["| rule | what it says |", "|-|-|", *(f"| {each} | {_cell(words[each])} |" for each in ids)])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def written(folder: Path) -> str:
    """The whole page with a fresh table."""
    page = PAGE.read_text("utf-8")
    before, rest = page.split(BEGIN)
    found = list(lines(folder))
    return f"{before}{BEGIN}\n\n{table(found)}\n\n{reasons(found)}\n\n{END}{rest.split(END)[1]}"


def main() -> None:
    """Write docs/intake.md anew; with the start of a folder's name, only show its files."""
    folder = Path(os.environ.get("SWADDLE_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        sys.exit("no real files here: set SWADDLE_REAL_DATA to their folder")
    if len(sys.argv) > 1:  # a look at some of them: nothing is written
        print(table(list(lines(folder, sys.argv[1]))))
    else:
        PAGE.write_text(written(folder), "utf-8")


if __name__ == "__main__":
    main()
