"""Exposure by presence: half-open edges, two bounds, the unknown counted apart, nothing from what was read."""

from datetime import timedelta
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swaddle.canonical import format_instant, parse_instant
from swaddle.custody.entry import next_entry
from swaddle.incident.exposure import Presence, Window, WindowBackwards, exposed, presences

NOON = parse_instant("2026-11-22T12:00:00Z")
HOSPITAL, CLINIC = "a" * 32, "b" * 32


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def text(seconds):
    return format_instant(at(seconds))


def transfer(n):
    return f"{n:032x}"


class Category(NamedTuple):
    category: str
    persons: int
    first: str
    last: str


class Known:
    """The registry's word on who is in which transfer, out of a dictionary of sets."""

    def __init__(self, people, submitters=None):
        self.people = people
        self.submitters = submitters or {}

    def transfers_known(self):
        return set(self.people)

    def everybody(self, transfers):
        return set().union(*(self.people[t] for t in transfers)) if transfers else set()

    def distinct_persons(self, transfers):
        return len(self.everybody(transfers))

    def persons_in(self, transfers):
        persons = self.distinct_persons(transfers)
        return [Category("newborn or child", persons, "2024-01-02", "2024-11-30")] if persons else []

    def persons_by_submitter(self, transfers):
        return [
            (submitter, self.distinct_persons({t for t in transfers if self.submitters.get(t) == submitter}))
            for submitter in sorted({self.submitters[t] for t in transfers if t in self.submitters})
        ]


def ledger(*events):
    entries, last = [], None
    for seconds, event, subject, detail in events:
        last = next_entry(last, at=at(seconds), event=event, subject=subject, detail=detail)
        entries.append(last)
    return entries


def window(first, last):
    return Window.of_seconds(text(first), text(last))


HELD = ledger(
    (5, "transfer-held", transfer(1), {"submitter": HOSPITAL}),
    (7, "transfer-leased", transfer(1), {}),
    (9, "copy-destroyed", transfer(1), {"place": "gateway"}),
)


@pytest.mark.parametrize(
    ("first", "last", "upper", "lower"),
    [
        (0, 4, 0, 0),  # ends the second before it came
        (0, 5, 1, 0),  # ends in the second in which it came
        (5, 5, 1, 1),  # one look in its first second
        (5, 9, 1, 1),  # exactly its time there
        (6, 8, 1, 1),
        (9, 9, 1, 1),  # one look in the second in which it went: it may have been there
        (9, 20, 1, 0),
        (10, 20, 0, 0),  # begins the second after it went
        (4, 9, 1, 0),
        (5, 10, 1, 0),
        (0, 20, 1, 0),
    ],
)
def test_edges_of_the_window(first, last, upper, lower):
    found = exposed(presences(HELD), window(first, last), Known({transfer(1): {"p", "q"}}))
    assert found["transfers"] == {"upper": upper, "lower": lower}
    assert found["persons"] == {"upper": 2 * upper, "lower": 2 * lower}


def test_half_open_intervals_touch_only_when_they_share_a_moment():
    copy = Presence(transfer(1), transfer(1), None, "gateway", at(5), at(9), "sealed", None)
    assert not copy.touches(Window(at(0), at(5)))
    assert copy.touches(Window(at(0), at(6)))
    assert copy.touches(Window(at(8), at(9)))
    assert not copy.touches(Window(at(9), at(10)))
    assert copy.spans(Window(at(5), at(9)))
    assert not copy.spans(Window(at(5), at(10)))


def test_what_was_never_destroyed_is_still_there():
    entries = ledger((5, "transfer-held", transfer(1), {}))
    assert presences(entries)[0].until is None
    assert exposed(presences(entries), window(10**6, 10**6), Known({}))["transfers"] == {"upper": 1, "lower": 1}


def test_a_read_that_is_in_no_log_changes_nothing():
    unread = [entry for entry in HELD if entry.event != "transfer-leased"]
    known = Known({transfer(1): {"p"}})
    assert exposed(presences(HELD), window(0, 20), known) == exposed(presences(unread), window(0, 20), known)


def test_parts_that_arrive_are_present_before_the_transfer_is_whole():
    entries = ledger((2, "transfer-receiving", transfer(1), {}), *[(5, "transfer-held", transfer(1), {})])
    assert presences(entries)[0].since == at(2)


def test_a_copy_elsewhere_is_not_on_the_gateway():
    entries = ledger(
        (5, "transfer-held", transfer(1), {}),
        (6, "copy-destroyed", transfer(1), {"place": "registry"}),
    )
    assert presences(entries)[0].until is None
    assert [copy.until for copy in presences(entries, "registry")] == [at(7)]


def test_an_end_without_a_beginning_counts_from_the_first_word():
    entries = ledger((3, "transfer-announced", transfer(1), {}), (9, "copy-destroyed", transfer(1), {}))
    assert (presences(entries)[0].since, presences(entries)[0].until) == (at(3), at(10))


def test_a_gateway_that_sets_its_clock_back_cannot_make_a_copy_gone_before_the_registry_read_it():
    entries = ledger(
        (5, "transfer-held", transfer(1), {"place": "gateway"}),
        (30, "transfer-pulled", transfer(1), {"place": "registry"}),
        (6, "copy-destroyed", transfer(1), {"place": "gateway"}),
    )
    assert presences(entries)[0].until == at(31)


def test_who_is_in_a_transfer_that_nobody_opened_is_not_known_but_its_stated_count_is():
    entries = ledger(
        (1, "transfer-held", transfer(1), {"submitter": HOSPITAL}),
        (1, "transfer-held", transfer(2), {"submitter": HOSPITAL}),
        (2, "submission-unreadable", transfer(2), {"subject_count": 40}),
        (3, "transfer-held", transfer(3), {"submitter": CLINIC}),
    )
    found = exposed(presences(entries), window(0, 9), Known({transfer(1): {"p"}}, {transfer(1): HOSPITAL}))
    assert found["unknown"] == {"transfers": 2, "stated_count": 40}
    assert found["persons"]["upper"] == 1
    assert found["by_submitter"] == [
        {"submitter": HOSPITAL, "transfers": 2, "persons": 1},
        {"submitter": CLINIC, "transfers": 1, "persons": 0},
    ]


def test_no_stated_count_is_not_a_count_of_zero():
    entries = ledger((1, "transfer-held", transfer(1), {}))
    assert exposed(presences(entries), window(0, 9), Known({}))["unknown"] == {"transfers": 1, "stated_count": None}


def test_a_report_on_the_gateway_is_about_the_persons_of_the_transfer_it_answers():
    entries = ledger(
        (1, "transfer-held", transfer(1), {"submitter": HOSPITAL}),
        (2, "copy-destroyed", transfer(1), {}),
        (9, "feedback-sent", transfer(2), {"submitter": HOSPITAL, "answers": transfer(1)}),
    )
    found = exposed(presences(entries), window(5, 20), Known({transfer(1): {"p", "q"}}, {transfer(1): HOSPITAL}))
    assert found["transfers"]["upper"] == 1
    assert found["persons"]["upper"] == 2
    assert found["unknown"]["transfers"] == 0


def test_persons_in_two_transfers_are_counted_once():
    entries = ledger(
        (1, "transfer-held", transfer(1), {"submitter": HOSPITAL}),
        (1, "transfer-held", transfer(2), {"submitter": CLINIC, "protection": "door"}),
    )
    people = Known({transfer(1): {"p", "q"}, transfer(2): {"q"}}, {transfer(1): HOSPITAL, transfer(2): CLINIC})
    found = exposed(presences(entries), window(0, 9), people)
    assert found["persons"]["upper"] == 2
    assert [row["persons"] for row in found["by_submitter"]] == [2, 1]
    assert found["protection"] == [
        {"class": "door", "transfers": 1, "persons": 1},
        {"class": "sealed", "transfers": 1, "persons": 2},
    ]
    assert found["by_category"] == [
        {"category": "newborn or child", "persons": 2, "first": "2024-01-02", "last": "2024-11-30"}
    ]


def test_an_empty_gateway_exposes_nobody():
    found = exposed((), window(0, 9), Known({transfer(1): {"p"}}))
    assert found["transfers"] == {"upper": 0, "lower": 0}
    assert found["persons"] == {"upper": 0, "lower": 0}
    assert found["by_category"] == found["by_submitter"] == found["protection"] == []


def test_a_window_that_ends_before_it_begins_is_refused():
    with pytest.raises(WindowBackwards):
        window(5, 4)
    assert window(5, 5).end - window(5, 5).start == timedelta(seconds=1)


@example([(5, 0)], 3, 5)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12), st.integers(0, 30), st.integers(0, 9))
def test_the_bounds_are_what_a_look_at_each_second_would_have_seen(stays, first, length):
    copies, people = [], {}
    for n, (since, stay) in enumerate(stays):
        copies.append(Presence(transfer(n), transfer(n), None, "gateway", at(since), at(since + stay), "sealed", None))
        people[transfer(n)] = {n}
    looks = [
        {copy.transfer for copy in copies if copy.since <= at(second) < copy.until}
        for second in range(first, first + length + 1)
    ]
    found = exposed(copies, window(first, first + length), Known(people))
    assert found["transfers"]["upper"] == found["persons"]["upper"] == len(set().union(*looks))
    assert found["transfers"]["lower"] == found["persons"]["lower"] == len(set.intersection(*looks))
