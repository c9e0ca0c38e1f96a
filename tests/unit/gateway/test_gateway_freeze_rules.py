"""Each invariant as a pure rule: what freezes, and the honest case right beside it that does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaddle.gateway.access import Kind, Parties, Who, is_intruding
from swaddle.gateway.freeze import MOST_LEASES, MOST_TIMES_SERVED, Cause, on_late_read, on_lease, on_read

REGISTRY, NORTH = Who(Kind.REGISTRY, "r" * 32), Who(Kind.SUBMITTER, "n" * 32)
SUBMISSION, REPORT = Parties(sender=NORTH.id, reader=REGISTRY.id), Parties(sender=REGISTRY.id, reader=NORTH.id)


class TestAllowance:
    @pytest.mark.parametrize("allowance", [1, 2, 3, 10])
    def test_object_n_is_leased_and_object_n_plus_one_is_not(self, allowance):
        asked = [on_lease(leases_before=0, open_elsewhere=n, allowance=allowance) for n in range(allowance + 1)]
        assert asked == [None] * allowance + [Cause.ALLOWANCE]

    @given(elsewhere=st.integers(0, 50), allowance=st.integers(1, 50), leases=st.integers(0, MOST_LEASES - 1))
    def test_it_is_broken_exactly_when_one_more_is_too_many(self, elsewhere, allowance, leases):
        cause = on_lease(leases_before=leases, open_elsewhere=elsewhere, allowance=allowance)
        assert (cause is Cause.ALLOWANCE) == (elsewhere >= allowance)


class TestLeases:
    def test_the_fourth_lease_on_a_transfer_is_given_and_the_fifth_is_not(self):
        asked = [on_lease(leases_before=n, open_elsewhere=0, allowance=1) for n in range(6)]
        assert asked == [None] * 4 + [Cause.LEASES] * 2


class TestBytes:
    def test_four_times_the_length_and_not_a_byte_more(self):
        assert on_read(served_bytes=3000, asked_bytes=1000, body_bytes=1000) is None
        assert on_read(served_bytes=3001, asked_bytes=1000, body_bytes=1000) is Cause.BYTES

    @given(body=st.integers(1, 2**40), reads=st.integers(0, 8))
    def test_whole_reads_are_free_up_to_the_fourth(self, body, reads):
        cause = on_read(served_bytes=reads * body, asked_bytes=body, body_bytes=body)
        assert (cause is Cause.BYTES) == (reads >= MOST_TIMES_SERVED)


class TestAfterAcknowledgement:
    def test_only_who_had_the_lease_can_break_it(self):
        assert on_late_read(acknowledged=True, lease_was_good=True) is Cause.AFTER_ACKNOWLEDGEMENT
        assert on_late_read(acknowledged=True, lease_was_good=False) is None

    def test_what_expired_under_its_reader_freezes_nothing(self):
        assert on_late_read(acknowledged=False, lease_was_good=True) is None


class TestStranger:
    def test_the_one_reader_is_none_and_everybody_else_is(self):
        assert not is_intruding(REGISTRY, SUBMISSION)
        assert not is_intruding(NORTH, REPORT)
        assert is_intruding(NORTH, SUBMISSION)  # its own, which it may send but not read
        assert is_intruding(REGISTRY, REPORT)
        assert is_intruding(Who(Kind.SUBMITTER, "o" * 32), REPORT)

    def test_an_id_that_is_none_is_nobodys(self):
        assert not is_intruding(NORTH, None)
