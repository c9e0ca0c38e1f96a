"""`incident scan`, MB/s for each kind of file and the most memory that any of its processes had: a table.

    python bench/scan.py [--mebibytes 24] [--kinds csv,zip,hl7,fhir,parquet,excel]

Made-up births: 18 columns, a mother and a child in each row (HL7 and FHIR: one person in each message). Nobody is in a
file twice but by chance. Each kind is scanned alone, from the start, with nothing remembered.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import multiprocessing
import random
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests" / "support")]

_COLUMNS = (
    "record_id,site,mother_first_name,mother_last_name,mother_dob,mother_hcn,address,postal_code,phone,baby_name,"
    "baby_dob,sex,birth_weight_g,gest_weeks,apgar5,delivery_date,delivery_type,icd10"
)
HEADER = _COLUMNS.split(",")
ONE = """
import json, resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
from swaddle.incident.scan import scan
began = time.monotonic()
found = scan(Path(sys.argv[1]), Path(sys.argv[2]), datetime.now(UTC))
took = time.monotonic() - began
usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(json.dumps({"seconds": took, "cpu": sum(each.ru_utime + each.ru_stime for each in usage),
                  "peak": max(each.ru_maxrss for each in usage) // 1024, "persons": found["persons"],
                  "records": found["records"], "unreadable": found["unreadable"]}))
"""


def card(source: random.Random) -> str:
    digits = [source.randint(1, 9), *(source.randint(0, 9) for _ in range(8))]
    total = sum(
        (each * 2 - 9 if each > 4 else each * 2) if place % 2 == 0 else each for place, each in enumerate(digits)
    )
    return "".join(map(str, digits)) + str(-total % 10)


def births(source: random.Random) -> Iterator[list[str]]:
    from swaddle.incident.columns_names import FAMILY, GIVEN

    given, family = sorted(GIVEN), sorted(FAMILY)
    number = 0
    while True:
        number += 1
        born = f"{source.randint(2010, 2023)}-{source.randint(1, 12):02}-{source.randint(1, 28):02}"
        mother = f"{source.randint(1970, 2003)}-{source.randint(1, 12):02}-{source.randint(1, 28):02}"
        yield [
            str(number), f"H{source.randint(1, 90)}", source.choice(given).title(), source.choice(family).title(),
            mother, card(source), f"{source.randint(1, 999)} Main Street",
            f"K{source.randint(0, 9)}A {source.randint(0, 9)}B2",
            f"613-555-{source.randint(0, 9999):04}", f"{source.choice(given).title()} {source.choice(family).title()}",
            born, source.choice("MF"), str(source.randint(2000, 4500)), str(source.randint(34, 42)),
            str(source.randint(5, 10)), born, source.choice(["vaginal", "c-section"]), "O80.0",
        ]  # fmt: skip


def write(kind: str, path: Path, size: int) -> None:
    source = random.Random(20260)
    if kind in {"csv", "zip"}:
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            for row in births(source):
                writer.writerow(row)
                if file.tell() > size:
                    break
        if kind == "zip":
            held = path.read_bytes()
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("births.csv", held)
    elif kind in {"hl7", "fhir"}:
        with path.open("w", newline="") as file:
            for row in births(source):
                file.write(hl7(row) if kind == "hl7" else fhir(row))
                if file.tell() > size:
                    break
    else:
        tables(kind, path, size)


def hl7(row: list[str]) -> str:
    born = row[10].replace("-", "")
    return (
        f"MSH|^~\\&|LAB|{row[1]}|REG|X|{born}0800||ORU^R01|{row[0]}|P|2.5.1\r"
        f"PID|1||{row[0]}^^^{row[1]}^MR||{row[3]}^{row[2]}||{born}|{row[11]}|||{row[6]}^^Ottawa^ON^{row[7]}||{row[8]}\r"
        f"OBR|1|||54089-8^Newborn screening panel^LN|||{born}0800\rOBX|1|NM|29575-8^TSH^LN||4.2|mIU/L|||N\r"
    )


def fhir(row: list[str]) -> str:
    return json.dumps(
        {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:jhn:on", "type": {"coding": [{"code": "JHN"}]}, "value": row[5]}],
            "name": [{"family": row[3], "given": [row[2]]}],
            "birthDate": row[4],
            "address": [{"line": [row[6]], "postalCode": row[7]}],
            "telecom": [{"system": "phone", "value": row[8]}],
        }
    ) + "\n"  # fmt: skip


def tables(kind: str, path: Path, size: int) -> None:
    rows = []
    held = io.StringIO()
    writer = csv.writer(held)
    for row in births(random.Random(20260)):
        rows.append(row)
        writer.writerow(row)
        if held.tell() > size * (2 if kind == "parquet" else 1):
            break
    if kind == "parquet":
        import pyarrow as pa
        import pyarrow.parquet

        columns = {name: [row[place] for row in rows] for place, name in enumerate(HEADER)}
        pa.parquet.write_table(pa.table(columns), path)
    else:
        from workbook import workbook

        path.write_bytes(workbook([HEADER, *rows[: size // 400]]))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mebibytes", type=int, default=24)
    arguments.add_argument("--kinds", default="csv,zip,hl7,fhir,parquet")
    asked = arguments.parse_args()
    print("| kind | MB on disk | records | persons | seconds | MB/s | of processor time | most memory, MiB |")
    print("|---|-:|-:|-:|-:|-:|-:|-:|")
    with tempfile.TemporaryDirectory() as folder:
        for kind in asked.kinds.split(","):
            path = Path(folder) / f"births.{kind}"
            made = multiprocessing.Process(target=write, args=(kind, path, asked.mebibytes * 1024 * 1024))
            made.start()  # apart: what this process once held would count as the scan's
            made.join()
            size = path.stat().st_size / 1e6
            command = [sys.executable, "-c", ONE, path, Path(folder) / "state"]
            out = subprocess.run(
                command, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True
            )
            found = json.loads(out.stdout)
            if found["unreadable"]:
                raise SystemExit(f"{kind}: {found['unreadable']}")
            print(
                f"| {kind} | {size:.1f} | {found['records']:,} | {found['persons']:,} | {found['seconds']:.1f} "
                f"| {size / found['seconds']:.1f} | {size / found['cpu']:.1f} | {found['peak']} |",
                flush=True,
            )
            path.unlink()


if __name__ == "__main__":
    main()
