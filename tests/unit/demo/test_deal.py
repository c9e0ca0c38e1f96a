import duckdb
import pytest

from swaddle.demo import deal
from swaddle.demo.cohort import SITES


@pytest.fixture
def folders(tmp_path):
    made = [tmp_path / site.folder for site in SITES]
    for folder in made:
        folder.mkdir()
    return made


@pytest.fixture
def data(tmp_path):
    """Small files with the marks of the real ones."""
    folder = tmp_path / "data"
    (folder / "nchs_births2006").mkdir(parents=True)
    (folder / "nchs_nat2021").mkdir()
    duckdb.sql(
        "SELECT (i % 12 + 1)::INTEGER AS DOB_MM, 99 AS ESTGEST, 'Vaginal' AS DMETH_REC, '1 Single' AS DPLURAL,"
        " i::BIGINT AS DBWT, NULL::BIGINT AS APGAR5 FROM range(3000) t(i)"
    ).write_parquet(str(folder / "nchs_births2006" / "a.parquet"))
    lines = [
        ",DOB_YY,DOB_MM,MAGER,COMBGEST,ME_ROUT,PRECARE ",
        *(f'{i},2021,02,030,{i},1,"a ""b"""' for i in range(400)),
    ]
    (folder / "nchs_nat2021" / "b.csv").write_text("\r\n".join(lines) + "\r\n")
    (folder / "nchs_nat2021" / "Column_Info.csv").write_text("Position,Length\n1,2\n")
    return folder


def test_files_are_known_by_their_columns_and_what_is_missing_is_said(data):
    found = deal.find(data)
    assert [source.kind for source, _ in found] == ["nchs-births-2006", "nchs-natality-2021"]
    assert deal.missing(found) == ["nchs-natality-2014"]


def test_every_row_goes_to_one_place_and_parquet_keeps_its_values_and_types(data, folders):
    source, path = deal.find(data)[0]
    dealt = deal.deal(source, path, folders, seed=1)
    assert sum(share.rows for share in dealt) == 3_000
    rows = [row for share in dealt for row in duckdb.read_parquet(str(share.path)).fetchall()]
    assert sorted(rows) == sorted(duckdb.read_parquet(str(path)).fetchall())
    assert duckdb.read_parquet(str(dealt[0].path)).types == duckdb.read_parquet(str(path)).types
    assert all(deal.place_of(1, row[4]) == 0 for row in duckdb.read_parquet(str(dealt[0].path)).fetchall())


def test_csv_keeps_its_bytes(data, folders):
    source, path = deal.find(data)[1]
    dealt = deal.deal(source, path, folders, seed=1)
    head, *lines = path.read_bytes().splitlines(keepends=True)
    shares = [share.path.read_bytes().splitlines(keepends=True) for share in dealt]
    assert all(share[0] == head for share in shares)
    assert sorted(line for share in shares for line in share[1:]) == sorted(lines)


def test_the_same_seed_deals_alike_and_shares_follow_the_places(data, folders):
    source, path = deal.find(data)[0]
    first = [share.rows for share in deal.deal(source, path, folders, seed=1)]
    assert first == [share.rows for share in deal.deal(source, path, folders, seed=1)]
    assert first != [share.rows for share in deal.deal(source, path, folders, seed=2)]
    place = SITES[0].share / sum(site.share for site in SITES)
    assert first[0] == pytest.approx(place * sum(first), rel=0.1)


def test_rows_are_rendered_as_text(data, folders, tmp_path):
    source, path = deal.find(data)[0]
    dealt = deal.deal(source, path, folders, seed=1)
    rows = list(deal.rows_of(deal.as_text(dealt[0].path, tmp_path)))
    assert len(rows) == dealt[0].rows
    assert b",99,Vaginal,1 Single," in rows[0]
    source, path = deal.find(data)[1]
    assert deal.as_text(path, tmp_path) == path
    assert next(deal.rows_of(path)) == b'0,2021,02,030,0,1,"a ""b"""'
