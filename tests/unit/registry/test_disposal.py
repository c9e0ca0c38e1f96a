"""Letting go: what is due goes from everywhere in the store, with proof; what is held or not vouched for stays."""

from datetime import UTC, datetime

import pytest
from quiet_registry import RIVER, QuietRegistry, birth, births, make_home, schedule

from swaddle.registry.retention import ScheduleUnusable, parse

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


def adopt(registry, **years):
    """A schedule by the word of the first person."""
    text = schedule(**years)
    said = {"act": "adopt-schedule", "sha256": parse(text).digest}
    word = registry.word(next(iter(registry.keys)), said) if registry.keys else None
    return registry.do("retention-adopt", text=text, word=word)


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


def test_without_an_adopted_schedule_nothing_goes(registry):
    registry.take(births(birth(1, OLD)))
    with pytest.raises(ScheduleUnusable):
        registry.do("dispose")
    assert registry.do("dispose-nightly") is None
    assert registry.do("dispose-preview")["counts"] == {}
    would = registry.do("retention-preview")
    assert (would["counts"]["birth_child"], "birth_child" in would["unverified"]) == (1, True)
    assert of_number(registry, 1) == 1


def test_a_figure_that_nobody_vouches_for_destroys_nothing(registry):
    registry.take(births(birth(1, OLD)))
    registry.do("retention-adopt", text=schedule().replace('"verified"', '"unverified"'))
    assert registry.do("dispose")["id"] is None
    assert of_number(registry, 1) == 1


def test_a_mother_whose_time_is_over_stays_with_her_child_whose_time_is_not(registry):
    registry.take(births(birth(1, "2010-05-03")))
    registry.do("retention-adopt", text=schedule(labour_birth_mother=10, birth_child=28))
    assert registry.do("dispose")["id"] is None


def test_every_version_of_a_record_goes_with_it_and_none_before(registry):
    registry.take(births(birth(1, OLD, birth_weight_g=3000)), sent_at=datetime(2026, 1, 1, tzinfo=UTC))
    registry.take(births(birth(1, "2019-01-01", birth_weight_g=3005)), sent_at=datetime(2026, 2, 1, tzinfo=UTC))
    registry.do("retention-adopt", text=schedule())
    assert registry.do("dispose")["id"] is None  # its latest version says 2019
    registry.take(births(birth(1, "2019-01-01", birth_weight_g=3010)), sent_at=datetime(2026, 3, 1, tzinfo=UTC))
    registry.do("retention-adopt", text=schedule(labour_birth_mother=1, birth_child=1))
    done = registry.do("dispose")
    assert (done["counts"]["numbers"], done["counts"]["rows"]) == (1, 3)
    assert registry.count("clinical.superseded") == registry.count("clinical.births") == 0


def test_a_void_goes_when_the_record_would_have(registry):
    registry.take(births(birth(1, OLD), birth(2, YOUNG)), sent_at=datetime(2026, 1, 1, tzinfo=UTC))
    both = births(birth(1, OLD, action="void"), birth(2, YOUNG, action="void"))
    registry.take(both, sent_at=datetime(2026, 2, 1, tzinfo=UTC))
    registry.do("retention-adopt", text=schedule())
    assert registry.do("dispose")["counts"]["rows"] == 2
    assert (of_number(registry, 1), of_number(registry, 2)) == (0, 2)


def test_the_record_of_a_shared_delivery_goes_with_the_last_twin(registry):
    twins = [birth(n, OLD, birth_order=n, n_fetuses=2, delivery_local_id="D", mother_local_id="M") for n in (1, 2)]
    transfer = registry.take(births(*twins))
    assert registry.count("clinical.deliveries") == 1
    (second,) = registry.ask("select child_subject from clinical.stored_rows where local_record_id = '2'")[0]
    registry.person("Ada")
    hold(registry, "Ada", persons=[second])
    adopt(registry)
    done = registry.do("dispose")
    assert (done["counts"]["numbers"], done["held"]["numbers"]) == (1, 1)
    assert registry.count("clinical.deliveries") == 1
    assert registry.ask("select local_record_id, n_fetuses from births") == [("2", 2)]
    assert registry.count("identifiers.reports", f"transfer = '{transfer}'") == 1  # a report may show whom is held


def hold(registry, person, **scope):
    """A hold by one person; with nothing else, of everything."""
    told = registry.do("hold-scope", submitter_name=scope.pop("submitter", None), **scope)
    made = {"hold": "0" * 31 + str(registry.count("clinical.holds")), "kind": "court", "reason": "file 12 of 2026",
            "review": "2027-06-01", "scope": told}  # fmt: skip
    return registry.do("hold-propose", hold=made, word=registry.word(person, {"act": "propose", **made}))


@pytest.mark.parametrize(
    ("scope", "stays"),
    [
        ({}, {"1", "2"}),
        ({"submitter": "North"}, {"1"}),
        ({"record_type": "birth_child"}, {"1", "2"}),
        ({"record_type": "nicu_stay"}, set()),
        ({"first": "1991-01-01"}, {"2"}),
        ({"last": "1990-05-01"}, {"1"}),  # of the event only the month is asked: what may be meant is held
        ({"submitter": "River", "last": "1990-12-31"}, set()),
        ({"transfer": "first"}, {"1"}),
        ({"persons": "second"}, {"2"}),
    ],
)
def test_a_hold_keeps_what_its_scope_covers(registry, scope, stays):
    first = registry.take(births(birth(1, OLD)))
    registry.take(births(birth(2, "1992-02-03")), submitter=RIVER)
    if "transfer" in scope:
        scope = {"transfer": first}
    if "persons" in scope:
        scope = {"persons": [registry.ask("select mother_subject from clinical.stored_rows where line = 2"
                                          " and submitter = ?", [RIVER])[0][0]]}  # fmt: skip
    registry.person("Ada")
    hold(registry, "Ada", **scope)
    adopt(registry)
    done = registry.do("dispose")
    assert done["held"]["numbers"] == len(stays)
    assert {number for (number,) in registry.ask("select local_record_id from births")} == stays
