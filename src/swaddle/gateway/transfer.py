"""The life of a transfer on the gateway: one table, no input or output.

The diagram of docs/spec/transfer.md section 6 is generated from TRANSITIONS; nothing else in the gateway asks which
state comes next.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where a transfer is in its life."""

    ANNOUNCED = "announced"
    RECEIVING = "receiving"
    HELD = "held"
    LEASED = "leased"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    EXPIRED = "expired"
    DESTROYED = "destroyed"


class Event(Enum):
    """What can happen to it."""

    PART = "part"
    FINISH = "finish"
    REFUSE = "refuse"
    LEASE = "lease"
    LEASE_END = "lease end"
    ACKNOWLEDGE = "acknowledge"
    EXPIRE = "expire"
    DESTROY = "destroy"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.ANNOUNCED, Event.PART): State.RECEIVING,
    (State.RECEIVING, Event.PART): State.RECEIVING,
    (State.ANNOUNCED, Event.FINISH): State.HELD,  # a body of no bytes has no part
    (State.RECEIVING, Event.FINISH): State.HELD,
    (State.ANNOUNCED, Event.REFUSE): State.REFUSED,
    (State.RECEIVING, Event.REFUSE): State.REFUSED,
    (State.HELD, Event.LEASE): State.LEASED,
    (State.LEASED, Event.LEASE_END): State.HELD,
    (State.LEASED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.HELD, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,  # the lease lapsed while the reader worked on what it had
    **{(state, Event.EXPIRE): State.EXPIRED for state in (State.ANNOUNCED, State.RECEIVING, State.HELD, State.LEASED)},
    **{(state, Event.DESTROY): State.DESTROYED for state in (State.ACKNOWLEDGED, State.REFUSED, State.EXPIRED)},
}

FINAL = State.DESTROYED
READABLE = frozenset({State.HELD, State.LEASED})
SENDING = frozenset({State.ANNOUNCED, State.RECEIVING})
ENDED = frozenset({State.ACKNOWLEDGED, State.REFUSED, State.EXPIRED, State.DESTROYED})


class NotNow(Exception):
    """The table has no such step; whoever asked is refused and nothing changes."""

    def __init__(self, state: State, event: Event) -> None:
        """Keep the state, which its owner may be told."""
        super().__init__(f"a transfer that is {state.value} cannot take '{event.value}'")
        self.state = state


def after(state: State, event: Event) -> State:
    """The state that `event` leads to.

    Raises:
        NotNow: the table has no such step.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise NotNow(state, event) from None


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> announced"]
    lines += [f"    {old.value} --> {new.value}: {event.value}" for (old, event), new in TRANSITIONS.items()]
    lines.append(f"    {FINAL.value} --> [*]")
    return "\n".join(lines)
