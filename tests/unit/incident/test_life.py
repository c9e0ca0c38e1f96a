"""An incident's life is one table."""

import itertools

import pytest

from swaddle.custody.entry import EVENTS
from swaddle.incident.life import TRANSITIONS, Event, NotNow, State, after, state_after


def test_an_incident_is_opened_scoped_contained_scoped_again_and_closed():
    names = ["incident-opened", "incident-scoped", "incident-contained", "incident-scoped", "incident-closed"]
    assert state_after(names) is State.CLOSED
    assert state_after([*names, "incident-opened"]) is State.OPEN


def test_an_incident_that_nobody_opened_has_no_state():
    assert state_after([]) is None


@pytest.mark.parametrize(
    ("state", "event"), [step for step in itertools.product([None, *State], Event) if step not in TRANSITIONS]
)
def test_what_the_table_does_not_have_is_refused(state, event):
    with pytest.raises(NotNow):
        after(state, event)


def test_every_event_is_a_custody_event():
    assert {f"incident-{event.value}" for event in Event} <= set(EVENTS)


def test_every_state_is_reached():
    assert set(TRANSITIONS.values()) == set(State)
