"""A scan counts persons once, whatever files they are in, and says what was in each file."""

import io
import json
import os
import zipfile
from datetime import UTC, datetime

import pytest

from swaddle.incident import scan as scanning
from swaddle.incident.scan import scan
from workbook import workbook

NOW = datetime(2026, 11, 1, tzinfo=UTC)
GIVEN = ("Isolde", "Mateus", "Harriet", "Femi", "Signe", "Anouk", "Rajiv", "Bronwyn", "Emeka", "Solène")
FAMILY = ("Underhill", "Vasquez", "Lachance", "Adebayo", "Holmgren", "Quigley")
HEADER = (
    "mother_first_name",
    "mother_last_name",
    "mother_dob",
    "mother_hcn",
    "baby_dob",
    "birth_weight",
    "delivery_date",
)


def card(number):
    digits = f"{100_000_000 + number * 7919}"
    doubled = [sum(map(int, str(int(each) * 2))) if place % 2 == 0 else int(each) for place, each in enumerate(digits)]
    return digits + str(-sum(doubled) % 10)


def mother(number):
    return GIVEN[number % 10], FAMILY[number % 6], f"19{70 + number % 30}-0{number % 9 + 1}-1{number % 7}", card(number)


def births(numbers):
    return [(*mother(each), "2021-06-05", "3200", "2021-06-05") for each in numbers]


def as_csv(rows, delimiter=","):
    return "\n".join(delimiter.join(each) for each in rows) + "\n"


def scanned(tmp_path, files):
    for name, data in files.items():
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return scan(tmp_path / "files", tmp_path / "state", NOW)


def category(found, name):
    return next((each["persons"] for each in found["by_category"] if each["category"] == name), 0)


def test_one_person_in_every_kind_of_file_is_one_person(tmp_path):
    given, family, born, number = mother(3)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in/births.csv", as_csv([HEADER, *births([3])]))
    patient = {"resourceType": "Patient", "name": [{"family": family, "given": [given]}], "birthDate": born}
    found = scanned(
        tmp_path,
        {
            "a.csv": as_csv([HEADER, *births([3])]),
            "b.tsv": as_csv([("health card", "name"), (number, f"{family.upper()}, {given}")], "\t"),
            "c.xlsx": workbook([["First name", "Surname", "Date of birth"], [given, family, born]]),
            "d.hl7": f"MSH|^~\\&|A|B|C|D|2021||ADT^A01|1|P|2.5\rPID|1||||{family}^{given}||{born.replace('-', '')}\r",
            "e.ndjson": json.dumps(patient) + "\n" + json.dumps({"resourceType": "Basic"}) + "\n",
            "f.zip": packed.getvalue(),
            "g.json": json.dumps([{"first_name": given, "last_name": family, "dob": born}]),
            "h.txt": f"Please call about card {number[:4]} {number[4:7]} {number[7:]}.",
        },
    )
    assert found["unreadable"] == []
    assert found["persons_known"] == 1
    assert {kind for each in found["inventory"] for kind in each["kinds"]} == {
        "csv", "excel", "hl7", "fhir", "json", "text",
    }  # fmt: skip


def test_mothers_and_children_are_counted_apart_with_their_dates(tmp_path):
    found = scanned(
        tmp_path, {"a.csv": as_csv([HEADER, *births(range(40))]), "b.csv": as_csv([HEADER, *births(range(30, 60))])}
    )
    assert category(found, "gave birth") == 60
    row = next(each for each in found["by_category"] if each["category"] == "gave birth")
    assert (row["first"], row["last"]) == ("2021-06-05", "2021-06-05")
    assert found["records"] == 70
    assert {each["persons"] for each in found["inventory"]} == {40, 30}


def test_a_long_file_read_in_parts_says_the_same(tmp_path, monkeypatch):
    files = {"a.csv": as_csv([HEADER, *births(range(900))])}
    whole = scanned(tmp_path, files)
    monkeypatch.setattr(scanning, "PART_BYTES", 9000)
    parted = scanned(tmp_path, {})
    for each in (whole, parted):
        each.pop("seconds")
    assert parted == whole
    assert whole["records"] == category(whole, "gave birth") == 900


def test_rows_that_name_nobody_are_said_and_counted_as_nobody(tmp_path):
    rows = [("birth_weight", "gest_weeks", "apgar5"), *(("3200", "39", "9"),) * 25]
    found = scanned(tmp_path, {"statistics.csv": as_csv(rows)})
    assert (found["persons"], found["records_about_nobody_known"]) == (0, 25)


def test_the_inventory_begins_with_the_oldest(tmp_path):
    for name in ("new.csv", "old.csv"):
        scanned(tmp_path, {name: as_csv([HEADER, *births([1])])})
    os.utime(tmp_path / "files" / "old.csv", (1_300_000_000, 1_300_000_000))
    found = scanned(tmp_path, {})
    assert [each["file"] for each in found["inventory"]] == ["old.csv", "new.csv"]
    assert found["by_age"][0] == {"age": "over 7 years", "files": 1, "records": 1, "persons": 1}


@pytest.mark.parametrize(
    "text",
    [
        "Births 2021 at our site\n\n" + as_csv([HEADER, *births(range(12))]),
        "Mother,,,,Infant,,\nFirst name,Last name,DOB,HCN,DOB,Weight,Delivery date\n" + as_csv(births(range(12))),
        as_csv(births(range(12)), ";"),
        as_csv([HEADER, *births(range(12))], "^"),
        "\ufeff" + as_csv([HEADER, *births(range(12))]).replace("\n", "\r\n"),
    ],
    ids=["title above", "merged header", "no header", "odd delimiter", "byte order mark"],
)
def test_a_table_is_read_whatever_stands_above_it(tmp_path, text):
    found = scanned(tmp_path, {"a.csv": text})
    assert found["records"] == 12
    assert found["persons_known"] >= 12
    elements = {each["element"] for each in found["data_elements"]}
    assert {"health card", "birth date"} <= elements


def test_records_of_fixed_width_are_read_without_a_layout(tmp_path):
    lines = [f"{each[0]:<12}{each[1]:<14}{each[2]}{each[3]}  A1" for each in map(mother, range(40))]
    found = scanned(tmp_path, {"a.txt": "\n".join(lines) + "\n"})
    assert found["inventory"][0]["kinds"] == ["fixed"]
    assert found["records"] == 40
    assert {"health card", "birth date"} <= {each["element"] for each in found["data_elements"]}


@pytest.mark.slow
def test_real_folders_are_read(tmp_path, real_data):
    found = scan(real_data / "hl7_newborn_screening", tmp_path / "state", NOW)
    assert [each["why"] for each in found["unreadable"]] == ["it is empty"]
    assert category(found, "newborn or child") > 10
    linked = scan(real_data / "febrl", tmp_path / "state", NOW)
    assert 6_500 <= linked["persons_known"] <= 7_200, "6,500 persons, some spelt so that nobody can know"
