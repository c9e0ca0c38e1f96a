"""A new layout by a mapping file alone: the guide is typed as it stands; the examples beside it read their files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from submitter_world import GatewayProcess
from swaddle.intake.mapping import load_file
from whole_world import PASSPHRASE, make_world

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guide-mapping.md").read_text("utf-8")
EXAMPLES = sorted((ROOT / "docs" / "mappings").glob("*.toml"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


def check(file: Path, mapping: Path, *more: str) -> tuple[int, dict]:
    done = subprocess.run(
        [sys.executable, "-m", "swaddle", "check", str(file), "--mapping", str(mapping), "--json", *more],
        env={**os.environ, "SWADDLE_HOME": str(file.parent / "nobody")},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 7}, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_the_guides_file_and_mapping_give_what_the_guide_says(tmp_path):
    rows = next(each for each in blocks("") if each.startswith("KEY;"))
    file, mapping = tmp_path / "births.csv", tmp_path / "county.toml"
    file.write_text(rows)
    mapping.write_text(blocks("toml")[0])
    status, report = check(file, mapping, "--explain")
    assert status == 0
    assert report["kind"] == "county-births"
    assert report["rows"] == {"read": 2, "stored": 2, "rejected": 0, "duplicates": 0}
    made = {(each["field"], one["cell"]): one["became"] for each in report["mapping"]["fields"] for one in each["made"]}
    assert made["birth_weight_g", "7.5"] == "3402"
    assert made["birth_weight_g", "99.9"] == "ASKU"
    assert made["child_sex", "girl"] == "F"


def test_a_file_without_a_header_is_read_from_its_first_line(tmp_path):
    mapping, file = tmp_path / "scale.toml", tmp_path / "scale.csv"
    mapping.write_text(next(each for each in blocks("toml") if "columns = [" in each))
    file.write_text("1,2024-11-02,3400\n2,2024-11-03,2900\n")
    _, report = check(file, mapping)
    assert report["rows"]["stored"] == 2
    file.write_text("number,day,grams\n1,2024-11-02,3400\n")
    assert check(file, mapping)[1]["rows"]["read"] == 1


def test_rejected_fixed_width_rows_go_in_again_as_csv(tmp_path):
    mapping, file, rejected = tmp_path / "old.toml", tmp_path / "old.txt", tmp_path / "rejected.csv"
    mapping.write_text(next(each for each in blocks("toml") if 'format = "fixed"' in each))
    good = [f"202411{number:06d}       3400".ljust(40) for number in range(1, 12)]
    file.write_bytes("\r\n".join([*good, "202411000099       34x0".ljust(40)]).encode())
    status, report = check(file, mapping, "--rejected", str(rejected))
    assert (status, report["rows"]["rejected"], report["rows"]["stored"]) == (7, 1, 11)
    (finding,) = [each for each in report["findings"] if each["severity"] == "error"]
    assert finding["examples"][0] == {"line": 12, "field": "birth_weight_g", "value": "34x0"}
    rejected.write_text(rejected.read_text().replace("34x0", "3490"))
    assert check(rejected, mapping)[1]["rows"]["stored"] == 1


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_mapping(path):
    assert load_file(path).name == path.stem


def test_brazils_certificate_is_read_by_its_mapping_alone(tmp_path):
    head = (
        "CODESTAB;CODMUNNASC;LOCNASC;IDADEMAE;GRAVIDEZ;PARTO;DTNASC;HORANASC;SEXO;APGAR1;APGAR5;PESO;IDANOMAL;CODANOMAL;"
        "QTDGESTANT;QTDPARTNOR;QTDPARTCES;SEMAGESTAC;CONSPRENAT;MESPRENAT;TPAPRESENT;STTRABPART;STCESPARTO;TPNASCASSI"
    )
    rows = [
        "2436477;420910;1;27;1;2;02112023;0830;2;09;10;3250;1;Q699Q540;1;0;1;39;09;02;1;2;1;1",
        "2436477;420910;1;31;1;1;3112023;;1;08;09;2980;2;;0;0;0;40;11;01;1;1;3;2",
    ]
    file = tmp_path / "DNSC2023.csv"
    file.write_bytes("\n".join([head, *rows]).encode("iso-8859-1"))
    _, report = check(file, ROOT / "docs" / "mappings" / "sinasc.toml", "--explain")
    assert report["rows"]["stored"] == 2
    made = {each["field"]: {one["became"] for one in each["made"]} for each in report["mapping"]["fields"]}
    assert made["event_date"] == {"2023-11-02T08:30", "2023-11-03"}
    assert made["onset_labour"] == {"no_labour_cs", "induced"}
    assert made["anomaly"] == {"hypospadias", "none"}


@pytest.mark.real_data
def test_a_teaching_extract_without_a_header_loses_no_row(real_data, tmp_path):
    folder = real_data / "bq_natality_babyweight"
    if not folder.is_dir():
        pytest.skip("the headerless extract is not there")
    _, report = check(folder / "eval.csv", ROOT / "docs" / "mappings" / "natality-headerless.toml")
    assert report["rows"]["read"] == 3315
    assert report["rows"]["stored"] + report["rows"]["rejected"] == 3315
    assert report["rows"]["stored"] > 3250


def swaddle(*words: str, home: Path, **extra: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "swaddle", *words],
        env={**os.environ, "SWADDLE_HOME": str(home), **extra},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 7}, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_a_layout_added_by_its_file_alone_is_sent_and_stored(tmp_path):
    gateway = GatewayProcess(tmp_path / "gateway")
    try:
        world = make_world(tmp_path, gateway)
        world.enrol("County")
        file, mapping, secret = tmp_path / "births.csv", tmp_path / "county.toml", tmp_path / "registry.passphrase"
        file.write_text(next(each for each in blocks("") if each.startswith("KEY;")))
        mapping.write_text(blocks("toml")[0])
        secret.write_bytes(PASSPHRASE)
        secret.chmod(0o600)
        with secret.open() as stream:
            added = subprocess.run(
                [sys.executable, "-m", "swaddle", "registry", "mapping", "add", str(mapping), "--home",
                 str(world.registry), "--passphrase-fd", str(stream.fileno())],
                pass_fds=(stream.fileno(),), capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
        assert "added county-births" in added.stdout, added.stderr
        sent = json.loads(
            swaddle("send", str(file), "--mapping", str(mapping), "--json", home=world.submitters["County"])
        )
        assert sent["transfers"][0]["state"] == "held"
        (taken,) = world.ask("pull")["transfers"]
        assert taken["id"] == sent["transfers"][0]["id"]
        inside = world.inside()
        try:
            weights = inside.store.connection.execute("select birth_weight_g from births order by 1").fetchall()
        finally:
            inside.close()
        assert weights == [(3402,), (None,)]
        again = swaddle("check", str(file), "--as", "county-births", "--json", home=world.submitters["County"])
        assert json.loads(again)["kind"] == "county-births"  # the submitter's home has kept it
    finally:
        gateway.stop()
