"""Holds: what must not be disposed of now, why, and whose word that is. Pure.

A hold covers what its scope says. It stops disposal from its first signature on and until two persons have released it:
destroying cannot be undone, waiting can. It never ends by itself; a review date that has passed is shown, no more.
Nothing of this reaches the gateway: there everything expires, held or not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from swaddle.errors import UsageFault
from swaddle.intake.engine import literal
from swaddle.registry.retention import RECORDS

KINDS = ("incident", "court", "access")
LONGEST_REASON = 500
MOST_PERSONS = 100
_ID = re.compile(r"[0-9a-f]{32}")


class HoldUnusable(UsageFault):
    """A hold that cannot be understood."""

    code = "SWD-REG-82"
    what = "this hold cannot be made"
    fix = "give a kind, a reason, a review date in the future and a scope; see `swaddle registry hold add --help`"


class HoldNotNow(UsageFault):
    """A hold that is where it is cannot take this step."""

    code = "SWD-REG-83"
    what = "this cannot be done with the hold now"
    fix = "`swaddle registry hold list` shows where each hold is, and who has signed"


class HoldState(Enum):
    """Where a hold is."""

    PROPOSED = "proposed"
    STANDING = "standing"
    RELEASING = "releasing"
    RELEASED = "released"


class HoldAct(Enum):
    """What a person signs about it."""

    PROPOSE = "propose"
    CONFIRM = "confirm"
    REVIEW = "review"
    RELEASE = "release"
    CONFIRM_RELEASE = "confirm-release"


# A hold that only one person has signed holds already; it takes two to let go, and two different ones each time.
TRANSITIONS: Mapping[tuple[HoldState, HoldAct], HoldState] = {
    (HoldState.PROPOSED, HoldAct.CONFIRM): HoldState.STANDING,
    (HoldState.PROPOSED, HoldAct.REVIEW): HoldState.PROPOSED,
    (HoldState.PROPOSED, HoldAct.RELEASE): HoldState.RELEASING,
    (HoldState.STANDING, HoldAct.REVIEW): HoldState.STANDING,
    (HoldState.STANDING, HoldAct.RELEASE): HoldState.RELEASING,
    (HoldState.RELEASING, HoldAct.REVIEW): HoldState.STANDING,  # somebody wants it to go on
    (HoldState.RELEASING, HoldAct.CONFIRM_RELEASE): HoldState.RELEASED,
}
IN_FORCE = (HoldState.PROPOSED, HoldState.STANDING, HoldState.RELEASING)
# Acts that need another person than the one who signed the act before them.
SECOND_OF = {HoldAct.CONFIRM: HoldAct.PROPOSE, HoldAct.CONFIRM_RELEASE: HoldAct.RELEASE}


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a hold covers: what meets all that is given. `everything` where nothing is.

    Attributes:
        submitter: an organisation's id.
        record_type: one of the dictionary's.
        first, last: of the dates of events, both included.
        transfer: an id; every version of each record that it brought or changed.
        persons: registry ids of data subjects (`swaddle registry hold person`).
    """

    submitter: str | None = None
    record_type: str | None = None
    first: date | None = None
    last: date | None = None
    transfer: str | None = None
    persons: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether it has no limit."""
        return self == Scope()

    def to_json(self) -> dict[str, Any]:
        """As it is signed and kept."""
        return {
            "submitter": self.submitter,
            "record_type": self.record_type,
            "first": None if self.first is None else self.first.isoformat(),
            "last": None if self.last is None else self.last.isoformat(),
            "transfer": self.transfer,
            "persons": list(self.persons),
        }

    @classmethod
    def from_json(cls, told: Any) -> Scope:
        """Back again.

        Raises:
            HoldUnusable: it is not exactly of that form.
        """
        if not isinstance(told, dict) or set(told) != set(Scope().to_json()):
            raise HoldUnusable("its scope is of another form")
        persons = told["persons"]
        for name, value in (("submitter", told["submitter"]), ("transfer", told["transfer"])):
            if value is not None and not (isinstance(value, str) and _ID.fullmatch(value)):
                raise HoldUnusable(f"the {name} in its scope is no id")
        if not isinstance(persons, list) or len(persons) > MOST_PERSONS:
            raise HoldUnusable(f"it names at most {MOST_PERSONS} persons")
        if not all(isinstance(each, str) and _ID.fullmatch(each) for each in persons):
            raise HoldUnusable("a person in its scope is no registry id of 32 digits")
        if told["record_type"] is not None and told["record_type"] not in RECORDS:
            raise HoldUnusable(f"record types are {', '.join(RECORDS)}")
        first, last = _day(told["first"]), _day(told["last"])
        if first is not None and last is not None and last < first:
            raise HoldUnusable("its period ends before it begins")
        return cls(
            submitter=told["submitter"], record_type=told["record_type"], first=first, last=last,
            transfer=told["transfer"], persons=tuple(sorted(set(persons))),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A hold as its two persons sign it."""

    id: str
    kind: str
    reason: str
    review: date
    scope: Scope

    def to_json(self) -> dict[str, Any]:
        """As it is signed and kept."""
        return {
            "hold": self.id,
            "kind": self.kind,
            "reason": self.reason,
            "review": self.review.isoformat(),
            "scope": self.scope.to_json(),
        }

    @classmethod
    def from_json(cls, told: Any) -> Hold:
        """Back again.

        Raises:
            HoldUnusable: it is not exactly of that form.
        """
        if not isinstance(told, dict) or set(told) != {"hold", "kind", "reason", "review", "scope"}:
            raise HoldUnusable("it is of another form")
        if not isinstance(told["hold"], str) or not _ID.fullmatch(told["hold"]):
            raise HoldUnusable("it has no id")
        if told["kind"] not in KINDS:
            raise HoldUnusable(f"its kind is one of {', '.join(KINDS)}")
        reason = told["reason"]
        if not isinstance(reason, str) or not reason.strip() or len(reason) > LONGEST_REASON:
            raise HoldUnusable(f"its reason is text of at most {LONGEST_REASON} characters")
        review = _day(told["review"])
        if review is None:
            raise HoldUnusable("it has no review date")
        return cls(
            id=told["hold"], kind=told["kind"], reason=reason, review=review, scope=Scope.from_json(told["scope"])
        )


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a scope is compared with: one stored row.

    Attributes:
        types: the record types that it holds.
        event_first, event_last: the days that its event's date can mean; None where it has none.
        persons: the data subjects that it is about.
    """

    submitter: str
    transfer: str
    types: frozenset[str]
    event_first: date | None
    event_last: date | None
    persons: frozenset[str]


def after(state: HoldState, act: HoldAct) -> HoldState:
    """The state that `act` leads to.

    Raises:
        HoldNotNow: the table has no such step; nothing changes.
    """
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise HoldNotNow(f"it is {state.value}, and takes no {act.value}") from None


def covers(scope: Scope, row: Held) -> bool:
    """Whether a scope covers a row. A date that is not known lies in every period: what may be meant is held."""
    return (
        scope.submitter in (None, row.submitter)
        and scope.transfer in (None, row.transfer)
        and (scope.record_type is None or scope.record_type in row.types)
        and (scope.first is None or row.event_last is None or row.event_last >= scope.first)
        and (scope.last is None or row.event_first is None or row.event_first <= scope.last)
        and (not scope.persons or not row.persons.isdisjoint(scope.persons))
    )


def covers_sql(scopes: Sequence[Scope]) -> str:
    """`covers` by any of these, as SQL over submitter, transfer, types, event_first, event_last and persons (lists)."""
    return f"({' or '.join(_covers_sql(each) for each in scopes)})" if scopes else "false"


def _covers_sql(scope: Scope) -> str:
    limits = ["true"]
    for name, value in (("submitter", scope.submitter), ("transfer", scope.transfer)):
        limits += [] if value is None else [f"{name} = {literal(value)}"]
    if scope.record_type is not None:
        limits.append(f"list_contains(types, {literal(scope.record_type)})")
    if scope.first is not None:
        limits.append(f"coalesce(event_last >= date '{scope.first.isoformat()}', true)")
    if scope.last is not None:
        limits.append(f"coalesce(event_first <= date '{scope.last.isoformat()}', true)")
    if scope.persons:
        limits.append(f"list_has_any(persons, [{', '.join(map(literal, scope.persons))}])")
    return f"({' and '.join(limits)})"


def is_overdue(review: date, today: date) -> bool:
    """Whether a hold should have been looked at again."""
    return review < today


def _day(text: object) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise HoldUnusable("a date in it is not of the form 2026-11-22") from None
