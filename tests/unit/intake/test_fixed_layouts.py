"""The built-in fixed-width layouts: records made by position are the births that they say."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from swaddle.intake.mapping import load_builtin

BIRTH = {
    "IDOB_YR": "2024", "BSTATE": "MA", "FILENO": "048858", "TB": "0930", "ISEX": "F", "IDOB_MO": "11", "IDOB_DY": "02",
    "BPLACE": "1", "FNPI": "1234567890", "MDOB_YR": "1994", "MDOB_MO": "03", "MDOB_DY": "01", "ATTEND": "3", "TRAN": "N",
    "DOFP_MO": "04", "DOFP_DY": "10", "DOFP_YR": "2024", "NPREV": "11", "HFT": "5", "HIN": "00", "PWGT": "140",
    "DWGT": "170", "PLBL": "01", "PLBD": "00", "POPO": "01", "CIGPN": "05", "CIGFN": "00", "CIGSN": "00", "CIGLN": "00",
    "DLMP_YR": "2024", "DLMP_MO": "01", "DLMP_DY": "28", "PDIAB": "N", "GDIAB": "Y", "PHYPE": "N", "GHYPE": "N",
    "EHYPE": "N", "PPB": "N", "INFT": "Y", "INFT_ART": "Y", "INFT_DRG": "N", "PCES": "Y", "NPCES": "01", "GON": "N",
    "SYPH": "Y", "CHAM": "Y", "HEPB": "N", "HEPC": "N", "ECVS": "N", "ECVF": "N", "INDL": "N", "AUGL": "N", "STER": "N",
    "ANTB": "N", "CHOR": "N", "ESAN": "Y", "PRES": "1", "ROUT": "4", "TLAB": "N", "MTR": "N", "PLAC": "N", "RUT": "N",
    "UHYS": "N", "AINT": "N", "BWG": "3450", "OWGEST": "39", "APGAR5": "09", "APGAR10": "88", "PLUR": "01", "AVEN1": "N",
    "AVEN6": "N", "NICU": "N", "SURF": "N", "ANTI": "N", "SEIZ": "N", "ANEN": "N", "MNSB": "N", "CCHD": "N", "CDH": "N",
    "OMPH": "N", "GAST": "N", "LIMB": "N", "CL": "Y", "CP": "N", "DOWT": "P", "CDIT": "N", "HYPO": "N", "ITRAN": "N",
    "ILIV": "Y", "BFED": "Y", "MAGER": "30", "KIDFNAME": "ZOÉ", "KIDLNAME": "OKAFOR", "MOMFNAME": "ADA",
    "MOMLNAME": "OKAFOR", "ZIPCODE": "02115", "STATEC": "MA", "COUNTRYC": "US", "MOM_MED_REC_NUM": "M1",
    "INF_MED_REC_NUM": "C1",
}  # fmt: skip
FETAL = {
    "FDOD_YR": "2024", "DSTATE": "MA", "FILENO": "000017", "TD": "9999", "FSEX": "U", "FDOD_MO": "10", "FDOD_DY": "05",
    "DPLACE": "1", "ATTEND": "1", "PRES": "2", "ROUT": "1", "TLAB": "X", "FWG": "0900", "OWGEST": "27", "ETIME": "A",
    "PLUR": "02", "SORD": "02", "MATCH": "000123", "MAGER": "28", "PLBL": "00", "PLBD": "00", "PCES": "N",
}  # fmt: skip


def record(layout: str, **values: str) -> str:
    """A record of a built-in layout with these columns; the others are blank."""
    positions = load_builtin()[layout].writing.positions
    letters = [" "] * positions.length
    for name, (start, end) in zip(positions.names, positions.places, strict=True):
        if name in values:
            letters[start:end] = values[name].ljust(end - start)
    return "".join(letters)


def rejected_by(result: Any) -> list[tuple[int, str, str]]:
    return result.connection.execute(
        "SELECT line, rule, field FROM checked_findings WHERE severity = 'error' ORDER BY ALL"
    ).fetchall()


def only_row(result: Any, *fields: str) -> dict[str, Any]:
    columns = ", ".join(f"coalesce(CAST({each} AS VARCHAR), {each}_missing)" for each in fields)
    (row,) = result.connection.execute(f"SELECT {columns} FROM checked_rows").fetchall()
    return dict(zip(fields, row, strict=True))


def test_a_birth_of_the_exchange_is_recognised_and_read(taken):
    result = taken(record("ije-natality", **BIRTH).encode())
    assert result.checked.kind == "ije-natality"
    assert rejected_by(result) == []
    wanted = {
        "local_record_id": "2024-MA-048858", "event_date": "2024-11-02T09:30", "action": "new",
        "delivery_local_id": "2024-MA-048858", "mother_birth_date": "1994-03-01", "child_given_names": "ZOÉ",
        "birth_weight_g": "3450", "ga_weeks": "39", "apgar10": "NA", "gravida": "3", "para": "1", "previous_cs": "1",
        "onset_labour": "no_labour_cs", "cs_category": "no_labour", "perineum": "NA", "anomaly": "cleft_lip",
        "anomaly_suspected": "down", "antenatal_height_cm": "152.4", "antenatal_diabetes": "gestational",
        "antenatal_infections": "syphilis;chlamydia", "antenatal_conception": "assisted",
        "antenatal_first_visit_date": "2024-04-10", "newborn_feeding": "breast_any", "mother_province": "other",
        "mother_country": "US", "attendant": "midwife",
    }  # fmt: skip
    assert only_row(result, *wanted) == wanted


def test_a_void_takes_the_record_back(taken):
    result = taken(record("ije-natality", **{**BIRTH, "VOID": "1"}).encode())
    assert only_row(result, "action", "local_record_id") == {"action": "void", "local_record_id": "2024-MA-048858"}


def test_unknown_parts_of_a_date_make_it_less_precise_and_nothing_else(taken):
    for changed, expected in (
        ({"TB": "9999"}, "2024-11-02"),
        ({"TB": "9999", "IDOB_DY": "99"}, "2024-11"),
        ({"IDOB_DY": "99", "IDOB_MO": "99"}, "2024"),
    ):
        result = taken(record("ije-natality", **{**BIRTH, **changed}).encode(), kind="ije-natality")
        assert only_row(result, "event_date") == {"event_date": expected}


def test_twins_of_one_delivery_share_it(taken):
    twins = [
        {**BIRTH, "FILENO": n, "PLUR": "02", "SORD": order, "MATCH": "000123"}
        for n, order in (("1", "01"), ("2", "02"))
    ]
    result = taken("\r\n".join(record("ije-natality", **each) for each in twins).encode())
    assert result.rows("delivery_local_id, birth_order, n_fetuses") == [
        ("2024-MA-M000123", 1, 2),
        ("2024-MA-M000123", 2, 2),
    ]


def test_a_fetal_death_is_a_stillbirth_with_a_number_of_its_own(taken):
    result = taken(record("ije-fetal-death", **FETAL).encode())
    assert result.checked.kind == "ije-fetal-death"
    assert rejected_by(result) == []
    wanted = {
        "local_record_id": "2024-MA-F000017", "event_date": "2024-10-05", "outcome": "stillbirth_intrapartum",
        "child_sex": "ASKU", "birth_weight_g": "900", "delivery_local_id": "2024-MA-M000123", "presentation": "breech",
        "onset_labour": "NI", "trial_of_labour": "NA", "para": "0", "previous_cs": "0",
    }  # fmt: skip
    assert only_row(result, *wanted) == wanted


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_births_and_deaths_are_told_apart_whatever_the_line_ends(taken, end):
    births = end.join(record("ije-natality", **{**BIRTH, "FILENO": f"{n:06d}", "KIDFNAME": "ZOE"}) for n in range(3))
    deaths = end.join(record("ije-fetal-death", **{**FETAL, "FILENO": f"{n:06d}"}) for n in range(3))
    assert taken(births.encode()).checked.kind == "ije-natality"
    assert taken(deaths.encode()).checked.kind == "ije-fetal-death"


def test_a_record_that_lost_a_sign_is_rejected_and_never_read_askew(taken):
    whole = [record("ije-natality", **{**BIRTH, "FILENO": f"{n:06d}", "KIDFNAME": "ZOE"}) for n in range(9)]
    lost = record("ije-natality", **{**BIRTH, "KIDFNAME": "ZOE"})
    result = taken("\n".join([*whole, lost[:700] + lost[701:]]).encode())
    assert (result.checked.accepted, result.checked.rejected) == (9, 1)
    assert rejected_by(result) == [(10, "B21", "")]


@pytest.mark.real_data
def test_the_public_file_by_positions_gives_what_it_gives_with_a_header(taken, real_data):
    path = real_data / "nchs_nat2021" / "nat2021us_sample_1000.csv"
    if not path.is_file():
        pytest.skip("the public births of 2021 are not there")
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    named = {name.casefold(): name for name in load_builtin()["nchs-natality-2014-fixed"].writing.columns}
    data = "\r\n".join(
        record(
            "nchs-natality-2014-fixed",
            **{named[name.strip().casefold()]: cell for name, cell in zip(header, row, strict=True) if name.strip()},
        )
        for row in rows
    )
    fixed, table = taken(data.encode()), taken(path.read_bytes())
    assert fixed.checked.kind == "nchs-natality-2014-fixed"
    assert fixed.checked.rows_read == 1000
    fields = sorted(set(load_builtin()["nchs-natality-2021"].fields) - {"local_record_id"})
    columns = ", ".join([*fields, *(f"{each}_missing" for each in fields), "verdict"])
    assert fixed.rows(columns) == table.rows(columns)


def test_an_edit_flag_of_one_answers_the_warning_of_its_value():
    layout = load_builtin()["ije-natality"]
    flags = layout.fields["verified_fields"].columns()
    assert {"BW_BYPASS", "OWGEST_BYPASS", "PLUR_BYPASS"} <= flags
    assert flags <= set(layout.writing.columns)
