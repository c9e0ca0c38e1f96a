"""Other people's collections of hostile and odd files: our errors or a full count, never anything else."""

import importlib.util
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from swaddle.dictionary.load import load
from swaddle.errors import FileFault, SwaddleError
from swaddle.intake import engine
from swaddle.intake.mapping import load_builtin, parse
from swaddle.intake.read import read
from swaddle.intake.readers.how import How
from swaddle.intake.readers.kinds import READERS, reader_of
from swaddle.intake.validate import validate
from swaddle.intake.wall.prescan import look_through

NASTY = Path(os.environ.get("SWADDLE_REAL_DATA", Path(__file__).parents[4] / "shared" / "data")) / "nasty"
KINDS = {".csv", ".tsv", ".txt", ".xls", ".xlsx", ".zip", ".gz", ".ods", ".bin", ".json", ".jsonl", ".ndjson"}
NOT_CARRIED = [
    *("mother_local_id", "mother_family_name", "mother_birth_date", "delivery_local_id", "admit_dt", "delivery_place"),
    *("para", "previous_cs", "n_fetuses", "onset_labour", "presentation", "birth_type", "site_id", "birth_order"),
    *("child_sex", "birth_weight_g", "ga_weeks"),
]
ANYTHING = parse(
    f"""
name = "anything"
dictionary = "1"
not_carried = {NOT_CARRIED}
[fields.local_record_id]
derived = "row_key()"
[fields.event_date]
constant = "2024"
[fields.outcome]
constant = "live"
"""
)
HOWS = {"csv": How(kind="csv", mappings=(ANYTHING,), named=True)}

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not NASTY.is_dir(), reason="the hostile files are not there (SWADDLE_REAL_DATA)"),
]


def files():
    return (
        sorted(each for each in NASTY.rglob("*") if each.is_file() and each.suffix in KINDS) if NASTY.is_dir() else []
    )


def read_by(kind, path, how):
    """Rows and broken rows of a file under one reader; None where it is refused. Anything but our refusal is a failure."""
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            sheets = reader_of(kind)(file.fileno(), size, how)
        except FileFault:
            return None
    counts = []
    for each in sheets:
        look_through(each)  # the form, the number of rows, the number of cells
        counts.append((each.rows, each.broken))
        each.close()
    assert counts
    return sum(rows for rows, _ in counts), sum(broken for _, broken in counts)


@pytest.mark.parametrize("kind", READERS)
def test_every_nasty_file_under_every_reader_is_read_whole_or_refused(kind):
    read, refused = 0, 0
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
    for each in files():
        if each.stat().st_size > 2_000_000:
            continue
        how = HOWS.get(kind, How(kind=kind, mappings=tuple(load_builtin().values())))
        outcome = read_by(kind, each, how)
        read, refused = read + (outcome is not None), refused + (outcome is None)
    assert read + refused > 200
    assert refused > 0
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 4


def test_nasty_files_through_the_wall_are_what_they_are_without_it():
    taken_whole, refused = 0, 0
    connection = engine.connect(memory_bytes=1024**3)
    for each in files()[::17]:
        size = each.stat().st_size
        if size > 2_000_000:
            continue
        with each.open("rb") as file:
            try:
                staged = read(
                    file.fileno(), size, kind=None, mapping=ANYTHING, file_digest="0" * 64, connection=connection
                )
            except SwaddleError as error:
                assert error.exit_status == 6, each  # noqa: PT017
                refused += 1
                continue
        kept = connection.execute(
            "SELECT (SELECT count(*) FROM staged_raw) + (SELECT count(*) FROM staged_broken)"
        ).fetchone()
        assert kept == (staged.rows_read,), each
        taken_whole += 1
        if taken_whole % 5 == 0:
            at = datetime(2024, 11, 22, tzinfo=UTC)
            checked = validate(staged, load(), connection, submitter="x", sites=None, at=at)
            assert checked.accepted + checked.rejected == staged.rows_read, each
    assert taken_whole > 5
    assert refused > 2


def test_the_table_in_the_documentation_is_what_happens():
    root = Path(__file__).parents[3]
    spec = importlib.util.spec_from_file_location("nasty", root / "tools" / "nasty.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert (root / "docs" / "nasty-files.md").read_text("utf-8") == tool.page(NASTY), "run `python tools/nasty.py DATA`"


def test_csv_spectrum_reads_as_its_authors_say(taken):
    import json

    for each in sorted((NASTY / "csv_spectrum" / "csvs").glob("*.csv")):
        told = json.loads((NASTY / "csv_spectrum" / "json" / f"{each.stem}.json").read_text("utf-8"))
        result = taken(each.read_bytes(), mapping=ANYTHING, check=False)
        names = [name.strip() for name in result.staged.columns]
        cells = ", ".join(f"coalesce(c{n}, '')" for n in range(len(names)))
        rows = result.connection.execute(f"SELECT {cells} FROM staged_raw ORDER BY line").fetchall()
        expected = [{name: value.replace("\r\n", "\n") for name, value in row.items()} for row in told]
        assert [dict(zip(names, row, strict=True)) for row in rows] == expected, each.name
