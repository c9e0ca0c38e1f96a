"""Letting go: what is due goes from everywhere in the store, with proof; what is held or not vouched for stays."""

import json
from datetime import UTC, datetime

import pytest

from quiet_registry import NORTH, RIVER, QuietRegistry, birth, births, make_home, schedule
from swaddle.registry import disposal, letting_go
from swaddle.registry.proof import NoSuchDisposal, ProofBroken
from swaddle.registry.retention import ScheduleUnusable
from swaddle.registry.store_tables import FIXED

OLD, YOUNG = "1990-05-03", "2020-05-03"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "home"
    make_home(path)
    return path


@pytest.fixture
def registry(tmp_path, template):
    opened = QuietRegistry(tmp_path / "registry", template)
    yield opened
    opened.close()


def of_number(registry, number):
    return registry.count("clinical.stored_rows", f"local_record_id = '{number}'")


def test_what_is_due_goes_and_the_rest_stays(registry):
    registry.take(births(birth(1, OLD), birth(2, YOUNG), birth(3, OLD)))
    registry.do("retention-adopt", text=schedule())
    looked = registry.do("dispose-preview")
    assert of_number(registry, 1) == 1
    done = registry.do("dispose")
    assert done["counts"] == looked["counts"]
    assert done["counts"]["birth_child"] == 2
    assert registry.ask("select local_record_id from births") == [("2",)]
    for table in ("identifiers.persons", "identifiers.records", "clinical.births", "clinical.deliveries"):
        assert registry.count(table, "line in (2, 4)") == 0, table
        assert registry.count(table) > 0
    assert registry.do("dispose")["id"] is None


def test_a_file_of_disposed_records_leaves_no_person_and_no_report(registry):
    transfer = registry.take(births(birth(1, OLD), birth(2, OLD)))
    registry.do("retention-adopt", text=schedule())
    registry.do("dispose")
    for table in ("identifiers.persons", "identifiers.records", "identifiers.reports", "subjects.presence"):
        assert registry.count(table) == 0, table
    assert registry.inside.store.verdict(transfer)["stored"] == 2  # how many they were is still known
