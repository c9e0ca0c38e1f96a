"""Which columns are identifiers: made-up tables labelled by hand, the real folders, and the rules one by one."""

import os
import tomllib

import pytest

from swaddle.incident.columns import classify
from swaddle.incident.columns_dates import DAY_FIRST, day_of, order_of
from swaddle.incident.columns_heard import heard
from swaddle.incident.columns_words import IDENTIFIERS
from swaddle.incident.scan_file import Looking

REAL = {  # file -> columns that tell by themselves who somebody is, from 1; labelled by hand
    "febrl/dataset1.csv": {1, 2, 3, 4, 5, 6, 8, 10, 11},
    "febrl/dataset2.csv": {1, 2, 3, 4, 5, 6, 8, 10, 11},
    "febrl/dataset3.csv": {1, 2, 3, 4, 5, 6, 8, 10, 11},
    "splink/fake_1000.csv": {1, 2, 3, 4, 6},
    "bq_natality_babyweight/eval.csv": set(),
    "hhs_ocr/tokern_2019-12_breach_report.csv": set(),
    "hhs_ocr/kietngwork_2009-2016_breach_report.csv": set(),
    "nchs_nat2021/nat2021us_sample_1000.csv": set(),
    "nchs_nat2021/Column_Info.csv": set(),
    "vcdb/viznu_vcdb.csv": set(),
    "ije_layout/Forms_Mapping.csv": set(),
}


def looked(path):
    looking = Looking(b"k" * 32, b"s" * 16, 738_000, lambda _: None)
    fd = os.open(path, os.O_RDONLY)
    try:
        looking.look(fd, os.fstat(fd).st_size)
    finally:
        os.close(fd)
    return looking


def measured(files):
    right = wrong = missed = 0
    for path, wanted in files.items():
        found = {each.place for table in looked(path).tables for each in table.columns if each.element in IDENTIFIERS}
        right, wrong, missed = right + len(found & wanted), wrong + len(found - wanted), missed + len(wanted - found)
    return right / (right + missed), right / (right + wrong)


def test_identifiers_of_labelled_tables_are_found(root):
    folder = root / "tests" / "vectors" / "scan_columns"
    labels = tomllib.loads((folder / "labels.toml").read_text("utf-8"))
    assert len(labels) >= 30
    recall, precision = measured({folder / f"{name}.csv": set(places) for name, places in labels.items()})
    assert recall >= 0.97
    assert precision >= 0.95


@pytest.mark.slow
def test_identifiers_of_real_files_are_found(real_data):
    recall, precision = measured({real_data / name: places for name, places in REAL.items()})
    assert recall >= 0.97
    assert precision >= 0.95


@pytest.mark.parametrize(
    ("header", "element", "whose"),
    [
        ("PERSONBIRTHDATEBABY", "birth date", "child"),
        ("momfname", "given name", "mother"),
        ("Date de naissance de la mère", "birth date", "mother"),
        ("NOMEMAE", "full name", "mother"),
        ("code_postal", "postal code", ""),
        ("healthCardNumber", "health card", ""),
        ("sampleDate", "date of care or event", ""),
        ("drug_name", "risk factor", ""),
        ("passage", "", ""),
    ],
)
def test_a_header_is_heard(header, element, whose):
    said = heard(header)
    assert (said.element, said.whose) == (element, whose)


def test_values_veto_a_header():
    names, flags = ["email", "phone"], ["Y", "N"] * 10
    assert [each.element for each in classify(names, [flags, flags])] == ["", ""]


def test_a_name_that_is_no_known_word_is_not_shown():
    (column,) = classify(["Zebedee Quux"], [["a@example.org"] * 5])
    assert (column.element, column.name) == ("e-mail", "")


@pytest.mark.parametrize(
    "text",
    ["2021-03-04", "20210304", "2021/3/4", "04-Mar-2021", "4 mars 2021", "March 4, 2021", "2021-03-04T10:11:12Z"],
)
def test_six_styles_of_a_date_are_one_day(text):
    assert day_of(text) == day_of("2021-03-04")


def test_the_column_says_whether_the_day_comes_first():
    assert order_of(["04/03/2021", "25/03/2021"]) == DAY_FIRST
    assert day_of("04/03/2021", DAY_FIRST) == day_of("2021-03-04")
    assert day_of("04.03.21", DAY_FIRST) == day_of("2021-03-04")
    assert day_of("31/02/2021", DAY_FIRST) is None
