"""The life of a transfer: one table, and the spec's diagram is made from it. Access and freezes are pure too."""

import pytest

from swaddle.gateway import access, freeze
from swaddle.gateway.access import Kind, Parties, Who
from swaddle.gateway.freeze import Cause
from swaddle.gateway.refusal import Refusal
from swaddle.gateway.transfer import ENDED, FINAL, READABLE, SENDING, TRANSITIONS, Event, NotNow, State, after, diagram

SENDER, READER, OTHER = "a" * 32, "b" * 32, "c" * 32
PARTIES = Parties(SENDER, READER)


def submitter(identity):
    return Who(Kind.SUBMITTER, identity)


class TestTable:
    def test_the_specs_diagram_is_this_table(self, root):
        text = (root / "docs" / "spec" / "transfer.md").read_text("utf-8")
        block = text.split("<!-- states: generated -->")[1].split("<!-- states: end -->")[0]
        assert block.strip() == f"```mermaid\n{diagram()}\n```"

    def test_every_state_is_reached_and_every_life_ends(self):
        reached = {State.ANNOUNCED}
        for _ in State:
            reached |= {new for (old, _), new in TRANSITIONS.items() if old in reached}
        assert reached == set(State)
        ending = {FINAL}
        for _ in State:
            ending |= {old for (old, _), new in TRANSITIONS.items() if new in ending}
        assert ending == set(State)

    def test_nothing_leads_out_of_the_end(self):
        assert [old for old, _ in TRANSITIONS if old is FINAL] == []

    def test_what_has_ended_is_never_read_or_sent_again(self):
        assert not ENDED & (READABLE | SENDING)
        assert [new for (old, _), new in TRANSITIONS.items() if old in ENDED and new is not FINAL] == []

    def test_every_event_is_used(self):
        assert {event for _, event in TRANSITIONS} == set(Event)

    def test_what_is_not_in_the_table_says_the_state(self):
        with pytest.raises(NotNow) as caught:
            after(State.HELD, Event.PART)
        assert caught.value.state is State.HELD


class TestAccess:
    def test_the_sender_sends(self):
        assert access.must_send(submitter(SENDER), PARTIES) is PARTIES

    @pytest.mark.parametrize("state", list(State))
    def test_a_stranger_sees_nothing_whatever_the_state(self, state):
        for check in (access.must_see, access.must_read):
            assert refused(check, submitter(OTHER), PARTIES, state) == refused(check, submitter(OTHER), None, state)

    @pytest.mark.parametrize("state", sorted(SENDING, key=lambda state: state.value))
    def test_the_reader_sees_nothing_before_it_is_held(self, state):
        assert refused(access.must_see, submitter(READER), PARTIES, state) == "not-found"
        assert refused(access.must_read, submitter(READER), PARTIES, state) == "not-found"

    @pytest.mark.parametrize("state", sorted(set(State) - SENDING, key=lambda state: state.value))
    def test_then_both_sides_see_and_only_the_reader_reads(self, state):
        access.must_see(submitter(SENDER), PARTIES, state)
        access.must_see(submitter(READER), PARTIES, state)
        access.must_read(submitter(READER), PARTIES, state)
        assert refused(access.must_read, submitter(SENDER), PARTIES, state) == "not-found"
        assert refused(access.must_send, submitter(READER), PARTIES) == "not-found"

    def test_only_the_pull_key_is_the_registry(self):
        access.must_be_registry(Who(Kind.REGISTRY, READER))
        assert refused(access.must_be_registry, submitter(READER)) == "not-found"

    def test_intruding_needs_a_transfer_that_is_there(self):
        assert access.is_intruding(submitter(OTHER), PARTIES)
        assert access.is_intruding(submitter(SENDER), PARTIES)
        assert not access.is_intruding(submitter(READER), PARTIES)
        assert not access.is_intruding(submitter(OTHER), None)


def refused(check, *args):
    with pytest.raises(Refusal) as caught:
        check(*args)
    return caught.value.name


class TestFreeze:
    @pytest.mark.parametrize(
        ("before", "elsewhere", "allowance", "cause"),
        [
            (0, 0, 1, None),
            (3, 0, 1, None),
            (4, 0, 1, Cause.LEASES),
            (0, 1, 1, Cause.ALLOWANCE),
            (0, 3, 4, None),
            (0, 4, 4, Cause.ALLOWANCE),
        ],
    )
    def test_a_lease(self, before, elsewhere, allowance, cause):
        assert freeze.on_lease(leases_before=before, open_elsewhere=elsewhere, allowance=allowance) is cause

    @pytest.mark.parametrize(("served", "cause"), [(0, None), (300, None), (301, Cause.BYTES)])
    def test_bytes(self, served, cause):
        assert freeze.on_read(served_bytes=served, asked_bytes=100, body_bytes=100) is cause

    def test_a_late_read_freezes_only_with_the_lease_that_was_good(self):
        assert freeze.on_late_read(acknowledged=True, lease_was_good=True) is Cause.AFTER_ACKNOWLEDGEMENT
        assert freeze.on_late_read(acknowledged=True, lease_was_good=False) is None
        assert freeze.on_late_read(acknowledged=False, lease_was_good=True) is None
