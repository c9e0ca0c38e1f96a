"""What is asked of a whole file can be answered; what takes a record back is asked nothing."""

import pytest

from swaddle.registry import answered
from swaddle.wire.spoken import finding

US, OTHERS = "a" * 32, "b" * 32
WIDE = "local_record_id,event_date,outcome,birth_weight_g,mother_local_id,delivery_local_id,birth_order,action\n"


def births(*weights, day="2026-10-01"):
    lines = ["local_record_id,event_date,outcome,birth_weight_g"]
    lines += [f"{n},{day},live,{weight}" for n, weight in enumerate(weights)]
    return "\n".join(lines) + "\n"


def answer(shelf, about, text, days, submitter=US):
    return answered.take(shelf.store, submitter, "f" * 32, [finding(about.transfer, text)], days(3))


class TestToldOnce:
    LIGHT = tuple(range(300, 310))  # all of them unusual: told once

    def test_is_answered_for_the_whole_file_and_silent_in_the_next(self, shelf, days):
        first = shelf.take(births(*self.LIGHT), sent_at=days(1))
        assert (first.found["F5"]["scope"], first.found["F5"]["count"]) == ("file", 10)
        assert answer(shelf, first, "F5:birth_weight_g", days).silenced == 1
        after = shelf.take(births(*self.LIGHT[::-1]), sent_at=days(2))
        assert "F5" not in after.found
        assert after.report["checked"]["answered_before"] == 10

    def test_says_nothing_for_the_rows_of_a_file_in_which_they_are_few(self, shelf, days):
        first = shelf.take(births(*self.LIGHT), sent_at=days(1))
        answer(shelf, first, "F5", days)
        after = shelf.take(births(300, 301, *[3000 + n for n in range(10)]), sent_at=days(2))
        assert (after.found["F5"]["scope"], after.found["F5"]["count"]) == ("row", 2)

    def test_is_answered_by_nobody_else(self, shelf, days):
        first = shelf.take(births(*self.LIGHT), sent_at=days(1))
        assert answer(shelf, first, "F5", days, submitter=OTHERS).unmet == 1
        assert "F5" in shelf.take(births(*self.LIGHT), submitter=OTHERS, sent_at=days(2)).found

    def test_counts_as_one_question_however_often_it_is_answered(self, shelf, days):
        first = shelf.take(births(*self.LIGHT), sent_at=days(1))
        answer(shelf, first, "F5", days)
        assert answer(shelf, first, "F5", days) == answered.Answered(before=1)


def test_more_rows_than_are_shown_as_examples_are_answered_row_by_row(shelf, days):
    """Seven of twenty: five are examples, and seven are asked."""
    first = shelf.take(births(*range(300, 307), *[3000] * 13), sent_at=days(1))
    assert answer(shelf, first, "F5", days).silenced == 7
    assert "F5" not in shelf.take(births(*range(300, 307), *[3001] * 13), sent_at=days(2)).found


class TestAVoid:
    def row(self, number, order, action="new"):
        return f"{number},2026-10-01,live,3000,M1,D1,{order},{action}\n"

    def test_is_not_rejected_for_the_mistake_that_it_takes_back(self, shelf, days):
        shelf.take(WIDE + self.row(1, 1), sent_at=days(1))
        twice = shelf.take(WIDE + self.row(2, 2), sent_at=days(2))
        assert twice.rows[1] == 1
        void = shelf.take(WIDE + self.row(2, 1, "void"), sent_at=days(3))
        assert (void.rows, set(void.found)) == ((1, 1, 0, 0), {"NC"})

    def test_makes_room_for_the_right_record_in_the_same_file(self, shelf, days):
        shelf.take(WIDE + self.row(1, 1), sent_at=days(1))
        right = shelf.take(WIDE + self.row(1, 1, "void") + self.row(3, 1), sent_at=days(2))
        assert (right.rows, right.found.keys() & {"X21"}) == ((2, 2, 0, 0), set())

    def test_of_a_record_of_long_ago_is_not_told_that_it_is_late(self, shelf, days):
        shelf.take(births(3000, day="2019-10-01"), sent_at=days(1))
        text = (
            births(3000, day="2019-10-01")
            .replace("birth_weight_g", "birth_weight_g,action")
            .replace("3000", "3000,void")
        )
        void = shelf.take(text, sent_at=days(2))
        assert void.rows == (1, 1, 0, 0)
        assert {each for each in void.found if void.found[each]["severity"] == "warning"} == set()


@pytest.mark.parametrize(
    ("stated", "found"), [("1", 0), ("v1", 0), (" 1 ", 0), ("", 0), ("ASKU", 0), ("2", 1), ("drop table", 1)]
)
def test_another_version_of_the_dictionary_is_said_and_can_be_answered(shelf, days, stated, found):
    rows = "".join(f"{n},2026-10-01,live,3000,1\n" for n in range(9))
    text = (
        f"local_record_id,event_date,outcome,birth_weight_g,dictionary_version\n{rows}9,2026-10-01,live,3000,{stated}\n"
    )
    taken = shelf.take(text, sent_at=days(1))
    assert taken.rows == (10, 10, 0, 0)
    assert ("H5" in taken.found) == bool(found)
    if found:
        assert taken.found["H5"]["examples"][0]["value"] == stated
        assert answer(shelf, taken, "H5", days).silenced == 1
