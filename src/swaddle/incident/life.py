"""The life of an incident: one table, no input or output. Its states are read off custody entries.

An incident is opened, scoped as often as needed, contained, closed; what was learnt later opens it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from swaddle.errors import UsageFault


class NotNow(UsageFault):
    """The incident is not in a state that allows this."""

    code = "SWD-INCIDENT-01"
    what = "this incident is {state}: it cannot be {event} now"
    why = "an incident is opened, scoped, contained and closed, in this order"
    fix = "`swaddle custody show INCIDENT` lists what has been done"


class State(Enum):
    """How far the handling is."""

    OPEN = "open"
    CONTAINED = "contained"
    CLOSED = "closed"


class Event(Enum):
    """What is done to an incident; the value is the end of the custody event's name."""

    OPENED = "opened"
    SCOPED = "scoped"
    NOTED = "noted"
    CONTAINED = "contained"
    CLOSED = "closed"


TRANSITIONS: dict[tuple[State | None, Event], State] = {
    (None, Event.OPENED): State.OPEN,
    (State.OPEN, Event.SCOPED): State.OPEN,
    (State.OPEN, Event.NOTED): State.OPEN,
    (State.OPEN, Event.CONTAINED): State.CONTAINED,
    (State.CONTAINED, Event.SCOPED): State.CONTAINED,
    (State.CONTAINED, Event.NOTED): State.CONTAINED,
    (State.CONTAINED, Event.CLOSED): State.CLOSED,
    (State.CLOSED, Event.OPENED): State.OPEN,
}


def after(state: State | None, event: Event) -> State:
    """The state that `event` leads to; None is the state before an incident is opened.

    Raises:
        NotNow: the table has no such step.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise NotNow(state=state.value if state else "not open", event=event.value) from None


def state_after(custody_events: Iterable[str]) -> State | None:
    """The state that an incident's custody entries have led to; None where there is none.

    Raises:
        NotNow: the entries are not a life of an incident.
    """
    state: State | None = None
    for name in custody_events:
        state = after(state, Event(name.removeprefix("incident-")))
    return state
