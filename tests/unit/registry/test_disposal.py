"""Letting go: what is due goes from everywhere in the store, with proof; what is held or not vouched for stays."""

import json
from datetime import UTC, datetime

import pytest
from quiet_registry import NORTH, RIVER, QuietRegistry, birth, births, make_home, schedule

from swaddle.registry import disposal, letting_go
from swaddle.registry.proof import NoSuchDisposal, ProofBroken
from swaddle.registry.retention import RECORDS, ScheduleUnusable, parse
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_figure_that_nobody_vouches_for_destroys_nothing(registry):
    registry.take(births(birth(1, OLD)))
    registry.do("retention-adopt", text=schedule().replace('"verified"', '"unverified"'))
    assert registry.do("dispose")["id"] is None
    assert of_number(registry, 1) == 1


@pytest.mark.slow
def test_a_mother_whose_time_is_over_stays_with_her_child_whose_time_is_not(registry):
    registry.take(births(birth(1, "2010-05-03")))
    registry.do("retention-adopt", text=schedule(labour_birth_mother=10, birth_child=28))
    assert registry.do("dispose")["id"] is None


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_hold_keeps_what_its_scope_covers_and_only_that(registry):
    first = registry.take(births(birth(1, OLD)))
    registry.take(births(birth(2, "1992-02-03")), submitter=RIVER)
    ((mother,),) = registry.ask("select mother_subject from clinical.stored_rows where submitter = ?", [RIVER])
    registry.person("Ada")
    adopt(registry)
    for scope, kept in (
        ({"submitter": "North"}, 1),
        ({"record_type": "birth_child"}, 2),
        ({"record_type": "nicu_stay"}, 0),
        ({"first": "1991-01-01"}, 1),
        ({"last": "1990-05-01"}, 1),  # of an event the month is asked alone: what may be meant is held
        ({"submitter": "River", "last": "1990-12-31"}, 0),
        ({"transfer": first}, 1),
        ({"persons": [mother]}, 1),
        ({}, 2),
    ):
        made = hold(registry, "Ada", **scope)
        looked = registry.do("dispose-preview")
        assert (looked["held"]["numbers"], looked["counts"].get("numbers", 0)) == (kept, 2 - kept), scope
        registry.ask("update clinical.holds set state = 'released' where id = ?", [made["hold"]])
    made = hold(registry, "Ada", submitter="North")
    assert registry.do("dispose")["counts"]["numbers"] == 1
    assert registry.ask("select submitter from births") == [(NORTH,)]
    registry.ask("update clinical.holds set state = 'released' where id = ?", [made["hold"]])
    assert registry.do("dispose")["counts"]["numbers"] == 1


def test_the_proof_holds_is_found_by_number_and_tells_nobody_else_anything(registry):
    registry.take(births(birth(1, OLD), birth(2, YOUNG)))
    registry.do("retention-adopt", text=schedule())
    made = registry.do("dispose")
    (entry,) = [each for each in registry.inside.ledger.entries() if each.event == "data-disposed"]
    assert entry.detail["commitment"] == made["commitment"]
    assert (entry.detail["birth_child"], entry.detail["numbers"]) == (1, 1)
    assert entry.detail["schedule_sha256"] == made["schedule"]["sha256"]
    assert registry.do("disposal-verify", disposal=made["id"][:8]) == {
        "id": made["id"], "commitment": made["commitment"], "listed": 2, "came_again": 0,
    }  # fmt: skip
    found = registry.do("disposal-find", submitter_name="North", form="birth", numbers=["2", "1", "3"])
    assert [(each["place"], each["disposal"]) for each in found["found"]] == [(2, made["id"])]
    assert registry.do("disposal-find", submitter_name="River", form="birth", numbers=["1"])["found"] == []
    with pytest.raises(NoSuchDisposal):
        registry.do("disposal-verify", disposal="ffffff")
    leaf = registry.ask("select leaf from clinical.disposed limit 1")[0][0]
    registry.ask("update clinical.disposed set leaf = ? where leaf = ?", ["0" * 64, leaf])
    with pytest.raises(ProofBroken):
        registry.do("disposal-verify", disposal=made["id"])


@pytest.mark.slow
def test_a_store_that_still_has_a_record_of_the_list_is_found_out(registry):
    registry.take(births(birth(1, OLD)))
    registry.do("retention-adopt", text=schedule())
    registry.at = registry.at.replace(day=23)
    made = registry.do("dispose")
    # As a backup from before the disposal would bring it back, beside the list.
    registry.ask("insert into clinical.stored_rows (load_id, line, submitter, form, local_record_id)"
                 " select load_id, 2, submitter, form, '1' from clinical.loads")  # fmt: skip
    with pytest.raises(ProofBroken):
        registry.do("disposal-verify", disposal=made["id"])


def test_an_old_file_sent_again_brings_nothing_back_and_a_record_that_is_kept_comes_in(registry):
    old = births(birth(1, OLD), *[birth(n, YOUNG) for n in range(2, 12)])
    registry.take(old)
    registry.do("retention-adopt", text=schedule())
    made = registry.do("dispose")
    again = registry.take(old)
    assert (registry.load.read, registry.load.stored, registry.load.rejected) == (11, 0, 1)
    assert of_number(registry, 1) == 0
    kept = registry.ask("select report, rejected from identifiers.reports where transfer = ?", [again])[0]
    report = json.loads(kept[0])
    (found,) = [each for each in report["checked"]["findings"] if each["rule"] == "L4"]
    assert (found["count"], found["examples"][0]["line"], found["examples"][0]["value"]) == (1, 2, None)
    assert b"NEEDLE1," not in bytes(kept[1])
    assert "NEEDLE1" not in kept[0]
    # The same number with a date that the schedule keeps is another record, and is taken.
    registry.take(births(birth(1, YOUNG), birth(12, YOUNG)))
    assert registry.load.stored == 2
    assert registry.do("disposal-verify", disposal=made["id"])["came_again"] == 1


@pytest.mark.slow
def test_what_would_be_let_go_of_is_refused_on_the_same_day_and_not_before(registry):
    registry.take(births(birth("old", "2000-05-03")))
    for years in ({"labour_birth_mother": 20, "birth_child": 26}, {"labour_birth_mother": 26, "birth_child": 20}):
        registry.do("retention-adopt", text=schedule(**years))
        met = []
        for month, day in ((5, 2), (5, 3), (5, 4), (5, 31), (6, 1), (6, 2)):
            registry.at = registry.at.replace(month=month, day=day)
            due = registry.do("dispose-preview")["counts"].get("numbers", 0)
            registry.take(births(birth(f"{month}-{day}-{len(years)}", "2000-05-03")))
            met.append((due > 0, registry.load.rejected == 1))
        assert all(is_due == is_refused for is_due, is_refused in met), met
        assert {is_due for is_due, _ in met} == {True, False}


@pytest.mark.slow
def test_a_file_of_nothing_but_old_records_is_refused_and_kept_nowhere(registry):
    registry.do("retention-adopt", text=schedule())
    transfer = registry.take(births(*[birth(n, OLD) for n in range(1, 6)]))
    assert (registry.load.stored, registry.load.rejected) == (0, 5)
    report, rejected = registry.ask("select report, rejected from identifiers.reports where transfer = ?", [transfer])[
        0
    ]
    assert "NEEDLE" not in report
    assert b"NEEDLE" not in bytes(rejected or b"")


@pytest.mark.slow
def test_what_a_hold_covers_is_taken_however_old(registry):
    registry.person("Ada")
    hold(registry, "Ada", submitter="North")
    adopt(registry)
    registry.take(births(birth(1, OLD)))
    assert registry.load.stored == 1
    registry.take(births(birth(1, OLD)), submitter=RIVER)
    assert registry.load.stored == 0


@pytest.mark.slow
def test_reports_go_after_their_own_time_and_with_the_first_record_that_they_may_show(registry):
    registry.take(births(birth(1, YOUNG)))
    registry.do("retention-adopt", text=schedule(quality_report=2))
    assert registry.do("dispose")["id"] is None
    registry.at = registry.at.replace(year=2028, month=11, day=23)
    assert registry.do("dispose")["counts"] == {"quality_report": 1}
    assert registry.count("identifiers.reports") == 0
    assert of_number(registry, 1) == 1


@pytest.mark.slow
def test_who_was_in_a_transfer_goes_with_the_row_and_for_rejected_rows_after_its_own_time(registry):
    rows = [birth(n, YOUNG) for n in range(1, 12)]
    rows[0]["birth_weight_g"] = 99999  # rejected: nobody's record, and yet they were in the transfer
    registry.take(births(*rows))
    before = registry.count("subjects.presence")
    registry.do("retention-adopt", text=schedule(presence=1))
    registry.at = registry.at.replace(year=2028)
    assert registry.do("dispose")["counts"] == {"presence": 2}
    assert registry.count("subjects.presence") == before - 2


@pytest.mark.slow
def test_a_transfer_that_was_not_answered_yet_is_kept_until_it_was(registry):
    transfer = registry.take(births(birth(1, OLD)))
    registry.inside.state.update(transfer, feedback=None)
    registry.inside.state.run("update submitters set sealing = '{}' where id = ?", (NORTH,))
    registry.do("retention-adopt", text=schedule())
    assert registry.do("dispose")["id"] is None
    # One that nobody can be answered about (no keys any more) is not kept for ever.
    registry.inside.state.run("update submitters set sealing = null where id = ?", (NORTH,))
    made = registry.do("dispose")
    assert made["counts"]["numbers"] == 1
    assert registry.inside.state.transfer(transfer).feedback == made["id"]


@pytest.mark.slow
def test_the_proof_has_its_own_time_and_custody_keeps_the_rest(registry):
    registry.take(births(birth(1, OLD), birth(2, YOUNG)))
    registry.do("retention-adopt", text=schedule(birth_child=28, labour_birth_mother=10, proof_of_disposal=5))
    first = registry.do("dispose")
    registry.at = registry.at.replace(year=2032)
    second = registry.do("dispose")
    assert second["counts"] == {"proof_of_disposal": 1}
    assert registry.count("clinical.disposed", f"disposal = '{first['id']}'") == 0
    with pytest.raises(NoSuchDisposal):
        registry.do("disposal-verify", disposal=first["id"])
    assert registry.events().count("data-disposed") == 2


def test_every_table_of_the_store_says_how_it_goes(registry):
    registry.take(births(birth(1, OLD)))
    unknown = set(FIXED) - letting_go.OF_THEIR_OWN - {*letting_go.by_row(), *letting_go.by_number()}
    assert unknown == set(), "say in letting_go.py how rows of these tables are let go of"
    assert set(FIXED) >= letting_go.OF_THEIR_OWN


def test_the_states_of_a_disposal_are_one_table():
    ends = {disposal.DisposalState.DONE, disposal.DisposalState.DROPPED}
    assert {state for state, _ in disposal.TRANSITIONS} == set(disposal.DisposalState) - ends
    # Only what has removed nothing can be dropped.
    drops = [state for state, step in disposal.TRANSITIONS if step is disposal.DisposalStep.DROP]
    assert drops == [disposal.DisposalState.BEGUN]


@pytest.mark.slow
def test_the_night_looks_once_a_day(registry):
    registry.take(births(birth(1, OLD)))
    registry.do("retention-adopt", text=schedule())
    assert registry.do("dispose-nightly")["counts"]["numbers"] == 1
    assert registry.do("dispose-nightly") is None
    registry.at = registry.at.replace(day=23)
    assert registry.do("dispose-nightly")["id"] is None


@pytest.mark.slow
def test_whatever_a_table_keeps_about_a_record_goes_with_it_and_nothing_of_another(registry):
    registry.take(births(birth(1, OLD), birth(2, YOUNG)))
    keyed = "submitter, form, local_record_id"
    for table in letting_go.by_row():
        registry.ask(f"insert into {table} (load_id, line) select load_id, line from clinical.stored_rows")
    for table in letting_go.by_number():
        registry.ask(f"insert into {table} ({keyed}) select {keyed} from clinical.stored_rows")
    registry.ask(
        f"insert into {letting_go.DIRECTIVES} (load_id, line, subject, directive)"
        " select load_id, line, mother_subject, 'opt_out_research' from clinical.stored_rows"
    )
    registry.ask("update clinical.waiting set notice = repeat(local_record_id, 32)")
    registry.ask("update clinical.alerts set alert = repeat(local_record_id || 'a', 16)")
    for number in ("1", "2", "1a", "2a"):  # what was issued about it, which is no report on a transfer
        values = [number * (32 // len(number)), NORTH, registry.at, "", b""]
        registry.ask("insert into identifiers.issued values (?, ?, ?, ?, ?)", values)
    registry.do("retention-adopt", text=schedule(**dict.fromkeys(RECORDS, 28)))
    registry.do("dispose")
    for table in letting_go.by_row():
        assert (registry.count(table, "line = 2"), registry.count(table, "line = 3") > 0) == (0, True), table
    for table in letting_go.by_number():
        assert registry.ask(f"select distinct local_record_id from {table}") == [("2",)], table
    assert registry.ask(f"select line from {letting_go.DIRECTIVES}") == [(3,)]
    assert registry.ask("select transfer from identifiers.issued order by 1") == [("2" * 32,), ("2a" * 16,)]


@pytest.mark.slow
def test_an_incident_is_told_of_how_many_nobody_knows_any_more(registry):
    transfer = registry.take(births(birth(1, OLD), birth(2, YOUNG)))
    before = registry.do("subject-counts", transfers=[transfer])
    registry.do("retention-adopt", text=schedule())
    registry.do("dispose")
    after = registry.do("subject-counts", transfers=[transfer])
    assert (before["persons"], before["let_go"]) == (4, 0)
    assert (after["persons"], after["let_go"]) == (2, 2)
    assert registry.do("subject-counts", transfers=["0" * 32])["let_go"] == 0
