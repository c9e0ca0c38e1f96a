"""`check` and the registry say the same of every real file, and what the store holds of it adds up.

A file has a submitter of its own, so that nothing is in the registry that it could be compared with; what only the
registry can say (scope registry: cards of other submitters, a void of nothing) is left out of the comparison.

Of the files of hundreds of thousands of rows every tenth row is taken, from all over the file, and of the hundreds of
small ones that are alike every second to fourth (every one with SWADDLE_EVERY_FILE=1). Every row of every file is read
by the table of docs/intake.md, and half a million go through the whole registry in the demo.
"""

from __future__ import annotations

import csv
import io
import os
import secrets
import shutil
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from pyarrow import parquet

from swaddle.errors import FileFault
from swaddle.intake import shelf as layouts
from swaddle.registry.lifecycle import FATES, Fate
from swaddle.registry.sheets import take_file
from swaddle.registry.taking import OneFile
from swaddle.submitter.check import check
from swaddle.submitter.prepare import look_at

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[3]
SUPPORTED = (  # small ones first: what is taken in later is looked at beside all that is there
    ("bfdr_fixtures", "ije/*.ije", None),
    ("bfdr_fixtures", "json/*.json", None),
    ("hl7_newborn_screening", "**/*.hl7", None),
    ("hl7_newborn_screening", "**/*.fhir", None),
    ("hl7_v2_samples", "**/*.hl7", None),
    ("nasty", "**/*", None),
    ("nchs_nat2021", "nat*.csv", None),
    ("bq_natality_babyweight", "*.csv", "natality-headerless"),
    ("nchs_births2006", "*.parquet", None),
    ("nchs_natality2014", "*.parquet", None),
    ("sinasc_sc_anomalia", "*.parquet", "sinasc-sc"),
)
ONE_OF = {"hl7_newborn_screening": 2, "hl7_v2_samples": 3, "nasty": 4}
FEW = (
    ("nchs_nat2021", "nat2021us_sample_1000.csv", None),
    ("bfdr_fixtures", "json/BirthRecordVoidMessage.json", None),
    ("bfdr_fixtures", "ije/BasicBirthRecord.ije", None),
    ("hl7_newborn_screening", "NewSTEPs/*.hl7", None),
)
FEWER = 20  # files that are few are all taken
SAMPLED_FROM = 300_000  # rows
TOLD = ("rule", "scope", "severity", "count", "field", "text", "fix", "examples")

pytestmark = pytest.mark.real_data


def files(folder, sources):
    chosen = []
    for name, pattern, kind in sources:
        there = sorted(folder.joinpath(name).glob(pattern))
        sent = [path for path in there if path.is_file() and path.stat().st_size]  # an empty one is no file to send
        every = 1 if os.environ.get("SWADDLE_EVERY_FILE") or len(sent) < FEWER else ONE_OF.get(name, 1)
        chosen += [(path, kind) for path in sent[::every]]
    return chosen


def handy(path, folder):
    """The file, or every tenth row of one that is very long, in the same columns and types."""
    if path.suffix != ".parquet" or parquet.ParquetFile(path).metadata.num_rows < SAMPLED_FROM:
        return path
    whole = parquet.read_table(path)
    parquet.write_table(whole.take(list(range(0, whole.num_rows, 10))), folder / path.name)
    return folder / path.name


def told(report):
    """Findings of row and file scope, letter by letter."""
    found = [{name: each[name] for name in TOLD} for each in report["findings"] if each["scope"] != "registry"]
    return sorted(found, key=lambda each: (each["rule"], each["field"], each["count"], str(each["examples"])))


def of_the_registry(report):
    return [each for each in report["findings"] if each["scope"] == "registry"]


def take(shelf, path, kind):
    """(load, report) of a file, or the reason why it is none."""
    transfer = secrets.token_hex(16)
    one = OneFile(transfer=transfer, submitter=secrets.token_hex(16), kind=kind)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        digest = sha256(path.read_bytes()).hexdigest()
        return take_file(shelf.inside, descriptor, digest, one, AT).load, shelf.report(transfer)
    finally:
        os.close(descriptor)


def reconciled(shelf, load, report):
    """What the three files hold of a load (of its sheets, where it has several) is what its row says."""
    sheets = shelf.ask(
        "select load_id, rows_stored from clinical.loads where outcome = 'stored' and load_id <= ? and transfer ="
        " (select transfer from clinical.loads where load_id = ?)"
        " and (sheet > 0 or (select count(*) from clinical.loads l where l.transfer = loads.transfer) = 1)",
        [load.load_id] * 2,
    )
    stored = [step.value for step, fate in FATES.items() if fate is Fate.STORED]
    for load_id, rows in sheets:
        (held,) = shelf.ask(
            "select count(*) filter (step in (select unnest(?))), count(distinct line), count(*)"
            " from clinical.stored_rows where load_id = ?",
            [stored, load_id],
        )
        assert held[0] == rows
        assert held[1] == held[2]
        for table in ("clinical.births", "identifiers.records"):
            ((count, lines),) = shelf.ask(
                f"select count(*), count(distinct line) from {table} where load_id = {load_id}"
            )
            assert count == lines <= rows
    assert load.read == load.stored + load.rejected + load.duplicates
    assert sum(rows for _, rows in sheets) == load.stored
    ((rejected,),) = shelf.ask("select rejected from identifiers.reports where load_id = ?", [load.load_id])
    if load.rejected and rejected and not report["refused"] and "files" not in report:
        table = list(csv.reader(io.StringIO(bytes(rejected).decode("utf-8"), newline="")))
        place = table[0].index("line") if "line" in table[0] else table[0].index("swaddle_line")
        assert len({row[place] for row in table[1:]}) == load.rejected


def agree(shelf, folder, sources):
    compared = 0
    for found, kind in files(folder, sources):
        path = handy(found, shelf.folder)
        try:
            here, refused = check(look_at(path), kind, AT, own=shelf.folder / layouts.FOLDER)
        except FileFault as fault:
            with pytest.raises(type(fault)):
                take(shelf, path, kind)
            continue
        load, kept = take(shelf, path, kind)
        there = kept["checked"]
        only_there = of_the_registry(there)
        assert told(there) == told(here), path.name
        errors = sum(each["count"] for each in only_there if each["severity"] == "error")
        if not errors:
            assert there["refused"] == refused, path.name
            assert {name: there["rows"][name] for name in here["rows"]} == here["rows"], path.name
            assert there["records"] == here["records"], path.name
        assert (load.read, load.rejected + load.duplicates + load.stored) == (here["rows"]["read"],) * 2
        reconciled(shelf, load, there)
        compared += 1
    return compared


def test_a_few_files_are_told_alike_and_add_up(shelf, real_data):
    assert agree(shelf, real_data, FEW) >= len(FEW)


@pytest.mark.slow
@pytest.mark.first
def test_every_real_file_is_told_alike_and_adds_up(shelf, real_data):
    shutil.copytree(ROOT / "docs" / "mappings", shelf.folder / layouts.FOLDER)
    assert agree(shelf, real_data, SUPPORTED) > 80
