"""Other people's collections of hostile and odd files: our errors or a full count, never anything else."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from swaddle.dictionary.load import load
from swaddle.errors import SwaddleError
from swaddle.intake import engine
from swaddle.intake.mapping import parse
from swaddle.intake.read import read
from swaddle.intake.validate import validate

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

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not NASTY.is_dir(), reason="the hostile files are not there (SWADDLE_REAL_DATA)"),
]


def files():
    return (
        sorted(each for each in NASTY.rglob("*") if each.is_file() and each.suffix in KINDS) if NASTY.is_dir() else []
    )


def test_every_nasty_file_is_read_whole_or_refused_by_one_of_our_errors():
    connection = engine.connect(memory_bytes=1024**3)
    taken_whole, refused = 0, 0
    for each in files():
        size = each.stat().st_size
        if size > 2_000_000:
            continue
        for mapping in (None, ANYTHING):
            with each.open("rb") as file:
                try:
                    staged = read(
                        file.fileno(), size, kind=None, mapping=mapping, file_digest="0" * 64, connection=connection
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
            if taken_whole % 25 == 0:
                at = datetime(2024, 11, 22, tzinfo=UTC)
                checked = validate(staged, load(), connection, submitter="x", sites=None, at=at)
                assert checked.accepted + checked.rejected == staged.rows_read, each
    assert taken_whole > 100
    assert refused > 100


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
