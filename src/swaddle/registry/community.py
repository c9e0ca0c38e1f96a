"""What a community asks of all that is told of others: its births are not in it. Pure.

A demand names births by where the mother lives (the beginning of a postal code) or by what she said she is. It holds
from its first signature and until two persons have ended it: a figure that went out cannot be called back. Each
hospital still sees its own births in full.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from swaddle.errors import UsageFault

LONGEST_NAME = 120
MOST_PREFIXES = 1_000
_ID = re.compile(r"[0-9a-f]{32}")
_PREFIX = re.compile(r"[0-9A-Z]{2,7}")
_IDENTITY = re.compile(r"[a-z][a-z_]{0,39}")


class DemandUnusable(UsageFault):
    """A demand that names nobody, or cannot be understood."""

    code = "SWD-COMMUNITY-01"
    what = "this demand of a community cannot be kept"
    fix = "give a name, and postal codes (their beginnings) or identities as the dictionary writes them"


class DemandNotNow(UsageFault):
    """A demand that is where it is cannot take this step."""

    code = "SWD-COMMUNITY-02"
    what = "this cannot be done with the demand now"
    fix = "`swaddle registry community list` shows where each is, and who has signed"


class DemandState(Enum):
    """Where a demand is."""

    ASKED = "asked"
    STANDING = "standing"
    ENDING = "ending"
    ENDED = "ended"


class DemandAct(Enum):
    """What a person signs about it."""

    ASK = "ask"
    CONFIRM = "confirm"
    END = "end"
    CONFIRM_END = "confirm-end"


TRANSITIONS: Mapping[tuple[DemandState, DemandAct], DemandState] = {
    (DemandState.ASKED, DemandAct.CONFIRM): DemandState.STANDING,
    (DemandState.ASKED, DemandAct.END): DemandState.ENDING,
    (DemandState.STANDING, DemandAct.END): DemandState.ENDING,
    (DemandState.ENDING, DemandAct.CONFIRM): DemandState.STANDING,  # somebody wants it to go on
    (DemandState.ENDING, DemandAct.CONFIRM_END): DemandState.ENDED,
}
IN_FORCE = (DemandState.ASKED, DemandState.STANDING, DemandState.ENDING)
# Acts that need another person than the one who signed the act before them.
SECOND_OF = {DemandAct.CONFIRM: DemandAct.ASK, DemandAct.CONFIRM_END: DemandAct.END}
EVENTS: Mapping[DemandAct, str] = {
    DemandAct.ASK: "community-asked",
    DemandAct.CONFIRM: "community-confirmed",
    DemandAct.END: "community-end-asked",
    DemandAct.CONFIRM_END: "community-ended",
}


@dataclass(frozen=True, kw_only=True)
class Demand:
    """One community's demand: an id, its name as it wishes to be called, and whose births it means.

    Attributes:
        postal: beginnings of postal codes, capitals and digits without a space.
        identities: codes of the dictionary's `indigenous_identity`.
    """

    id: str
    name: str
    postal: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is signed and kept."""
        return {
            "community": self.id,
            "name": self.name,
            "postal": list(self.postal),
            "identities": list(self.identities),
        }

    @classmethod
    def from_json(cls, told: Any) -> Demand:
        """Back again.

        Raises:
            DemandUnusable: it is not exactly of that form, or names nobody.
        """
        if not isinstance(told, dict) or set(told) != {"community", "name", "postal", "identities"}:
            raise DemandUnusable("it is of another form")
        name = str(told["name"]).strip()
        postal = tuple(sorted({str(each).replace(" ", "").upper() for each in told["postal"]}))
        identities = tuple(sorted({str(each) for each in told["identities"]}))
        if _ID.fullmatch(str(told["community"])) is None or not 0 < len(name) <= LONGEST_NAME:
            raise DemandUnusable(f"it has no id, or no name of at most {LONGEST_NAME} characters")
        if not postal and not identities:
            raise DemandUnusable("it names nobody")
        if len(postal) > MOST_PREFIXES or not all(map(_PREFIX.fullmatch, postal)):
            raise DemandUnusable("a postal code is two to seven letters and digits, at most a thousand of them")
        if not all(map(_IDENTITY.fullmatch, identities)):
            raise DemandUnusable("an identity is a code of the dictionary's")
        return cls(id=str(told["community"]), name=name, postal=postal, identities=identities)


def after(state: DemandState, act: DemandAct) -> DemandState:
    """The state that an act leads to.

    Raises:
        DemandNotNow: the table has no such step.
    """
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise DemandNotNow(f"it is {state.value}, and cannot be: {act.value}") from None
