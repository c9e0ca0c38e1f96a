"""`check` says here what the registry says there; what is counted here is what is found there."""

import io
import json
from datetime import date
from importlib.util import find_spec

import pytest

from submitter_world import rows
from swaddle.demo import layout
from swaddle.demo.cohort import SITES, births
from swaddle.errors import FileFault
from swaddle.submitter import counting
from swaddle.submitter.check import check
from swaddle.submitter.prepare import look_at
from swaddle.submitter.send import send
from swaddle.wire.client import utc_now


@pytest.fixture
def births_file(tmp_path):
    path = tmp_path / "births.csv"
    made = [layout.row(each) for each in births(SITES[0], 60, seed=8, last_day=date(2026, 10, 31))]
    for row in made[:3]:
        row["birth_weight_g"] = "99"
    path.write_bytes(b"\n".join(layout.lines(made)) + b"\n")
    return path


def test_the_report_counts_every_row_and_shows_where_the_faults_are(births_file):
    rejected = io.BytesIO()
    report, is_refused = check(look_at(births_file), "births", utc_now(), rejected)
    counts = report["rows"]
    assert counts["read"] == counts["stored"] + counts["rejected"] + counts["duplicates"]
    assert counts["rejected"] == 3
    assert not is_refused
    assert rejected.getvalue().count(b"\n") == 4
    assert json.loads(json.dumps(report)) == report


def test_a_send_tells_the_registry_alone_how_many_rows_and_people(registry, party, births_file, monkeypatch):
    monkeypatch.setattr(counting, "find_spec", find_spec)
    (sent,) = send(party, [births_file])
    assert births_file.read_bytes() == registry.take()[sent.transfer]
    told = registry.description
    read = births_file.read_bytes().count(b"\n") - 1
    assert (told.kind, told.row_count, told.dictionary_version) == ("births", read, "1")
    assert read < told.subject_count <= 2 * read


def test_what_cannot_be_read_as_data_is_sent_uncounted_for_the_registry_to_judge(
    registry, party, tmp_path, monkeypatch
):
    monkeypatch.setattr(counting, "find_spec", find_spec)
    picture = tmp_path / "births.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(FileFault):
        check(look_at(picture), None, utc_now())
    (sent,) = send(party, [picture], "births")
    assert sent.transfer in registry.take()
    assert (registry.description.kind, registry.description.row_count) == ("births", None)


def test_columns_of_no_known_layout_are_a_fault_of_the_file(tmp_path):
    path = tmp_path / "births.csv"
    path.write_bytes(rows(5))
    with pytest.raises(FileFault):
        check(look_at(path), None, utc_now())


def test_neither_a_large_file_nor_one_without_rows_is_counted_but_a_slip_in_the_kind_is_said(tmp_path, monkeypatch):
    from swaddle.intake.faults import KindUnknown
    from swaddle.submitter.prepare import Counts

    monkeypatch.setattr(counting, "find_spec", lambda _: True)
    monkeypatch.setattr("swaddle.submitter.check.count", lambda *_: pytest.fail("it was counted"))
    picture, large = tmp_path / "scan.png", tmp_path / "births.csv"
    picture.write_bytes(b"\x89PNG" + bytes(100))
    with large.open("wb") as out:
        out.write(b"record,born\n")
        out.truncate(counting.COUNTED_BYTES + 1)
    for file in (picture, large):
        assert counting.count(look_at(file), None, None) == Counts("unknown")
        assert counting.count(look_at(file), "births", None) == Counts("births")
        with pytest.raises(KindUnknown):
            counting.count(look_at(file), "brths", None)
