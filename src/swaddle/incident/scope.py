"""The steps of an incident, on a registry that is asked for its custody entries and for who is in which transfer.

Nothing here opens a store: the one owner of the registry's files answers (`Inside.do`), whether it runs elsewhere or is
this very process. The answers are counts; no person leaves the registry here.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from swaddle.custody.copies import Copy, copies
from swaddle.custody.entry import Entry
from swaddle.custody.show import NothingKnown, story
from swaddle.errors import NotThere
from swaddle.incident.exposure import GATEWAY, Presence, Window, exposed
from swaddle.incident.facts import FACTS, Fact
from swaddle.incident.life import Event, State, after, state_after
from swaddle.incident.places import STORE, at_risk, not_arrived, present_at, which_of


class NoSuchIncident(NotThere):
    """No incident has this number."""

    code = "SWD-INCIDENT-03"
    what = "there is no such incident"
    why = "custody has no entry that opens it"
    fix = "`swaddle incident open` begins one and prints its number"


class Inside(Protocol):
    """The registry, asked by the name of an operation; answers are JSON values."""

    def do(self, operation: str, **values: Any) -> Any:
        """Do one operation."""
        ...


@dataclass(frozen=True)
class Category:
    """How many persons of one category, and when."""

    category: str
    persons: int
    first: str | None
    last: str | None


class Asked:
    """Who is in which transfer, asked of the registry; one question for each set of transfers."""

    def __init__(self, inside: Inside, known: AbstractSet[str]) -> None:
        """Know whom to ask, and about which transfers there is an answer."""
        self._inside = inside
        self._known = known
        self._answers: dict[frozenset[str], Mapping[str, Any]] = {}

    def transfers_known(self) -> AbstractSet[str]:
        """Transfers whose data subjects are written down."""
        return self._known

    def persons_in(self, transfers: Collection[str]) -> Sequence[Category]:
        """Distinct persons by category."""
        return [
            Category(row["category"], row["persons"], row["first"], row["last"])
            for row in self._about(transfers)["by_category"]
        ]

    def distinct_persons(self, transfers: Collection[str]) -> int:
        """Distinct persons."""
        return int(self._about(transfers)["persons"])

    def persons_by_submitter(self, transfers: Collection[str]) -> Sequence[tuple[str, int]]:
        """Distinct persons by submitter."""
        return [(row["submitter"], row["persons"]) for row in self._about(transfers)["by_submitter"]]

    def let_go(self, transfers: Collection[str]) -> int:
        """Persons who were in them and whose records were let go of since: at most so many, and nobody knows who."""
        return int(self._about(transfers)["let_go"])

    def _about(self, transfers: Collection[str]) -> Mapping[str, Any]:
        wanted = frozenset(transfers)
        if wanted not in self._answers:
            self._answers[wanted] = self._inside.do("subject-counts", transfers=sorted(wanted))
        return self._answers[wanted]


def open_incident(
    inside: Inside, first: str, last: str, place: str = GATEWAY, which: str | None = None
) -> dict[str, Any]:
    """Begin an incident: a breach of `place` at some time from `first` to `last`, the last second included.

    Raises:
        WindowBackwards: the window ends before it begins.
        MomentUnclear: a time is not of the form 2026-11-22T09:24:37Z.
        PlaceUnclear: an unknown place, or not said which one.
    """
    Window.of_seconds(first, last)
    if place != GATEWAY or which is not None:
        which = _which(inside, place, which)
    incident = secrets.token_hex(16)
    state = after(None, Event.OPENED)
    inside.do(
        "custody-append",
        event="incident-opened",
        subject=incident,
        detail={"from": first, "to": last, "place": place} | ({"which": which} if which else {}),
    )
    return {"incident": incident, "state": state.value, "window": [first, last], "place": place, "which": which}


def _which(inside: Inside, place: str, which: str | None) -> str | None:
    entries = [Entry(**entry) for entry in inside.do("custody-entries")]
    submitters = {each["name"]: each["id"] for each in inside.do("submitters")["submitters"]}
    return which_of(place, which, copies(entries, datetime.now(UTC)), submitters)


def scope(inside: Inside, incident: str) -> dict[str, Any]:
    """Whom an incident could be about: the object of `incident scope --json`. Writes that it was asked into custody.

    The gateway's journal is taken over first; `gateway_reached` says whether that went well. If not, what came there
    since the last time is not in the answer.

    Raises:
        NoSuchIncident: nobody opened it; NotClear: several begin so.
        NotNow: it is closed.
    """
    began = time.monotonic()
    gateway = inside.do("drain-journal")
    written = inside.do("custody-entries")
    state, opened = found(written, incident)
    after(state, Event.SCOPED)
    incident, first, last = opened["subject"], opened["detail"]["from"], opened["detail"]["to"]
    entries = [Entry(**entry) for entry in written]
    facts = {each["id"]: each for each in inside.do("transfer-facts")}
    known = frozenset(inside.do("subject-transfers"))
    asked, window = Asked(inside, known), Window.of_seconds(first, last)
    earlier = [each for each in incidents(written) if each["subject"] != incident]
    is_elsewhere = any(each["detail"].get("place", GATEWAY) != GATEWAY for each in (opened, *earlier))
    every = copies(entries, window.end) if is_elsewhere else ()  # nobody else asks for the copies
    present = [with_facts(copy, facts) for copy in there(opened["detail"], entries, every, earlier)]
    result = exposed(present, window, asked)
    upper = [copy for copy in present if copy.touches(window)]
    about = {copy.about for copy in upper} & known
    result["let_go"] = asked.let_go(about)
    details = inside.do("subject-details", transfers=sorted(about))
    result |= {
        "incident": incident,
        "window": [first, last],
        "place": opened["detail"]["place"],
        "which": opened["detail"].get("which"),
        "gateway_reached": gateway["reached"],
        # Of what nobody opened it is not known what it carried: then everything that a submission can hold.
        "data_elements": inside.do("data-elements") if result["unknown"]["transfers"] else details["data_elements"],
        "by_residence": details["by_residence"],
        "counted_apart": details["counted_apart"],
        "ask": not_arrived(upper, known),
        "overlaps": overlaps(inside, about, known, earlier, entries, every),
    }
    inside.do(
        "custody-append",
        event="incident-scoped",
        subject=incident,
        detail={
            "transfers": result["transfers"]["upper"],
            "persons": result["persons"]["upper"],
            "unknown": result["unknown"]["transfers"],
        },
    )
    return result | {"seconds": round(time.monotonic() - began, 3)}


def there(
    detail: Mapping[str, Any],
    entries: Sequence[Entry],
    every: Sequence[Copy],
    earlier: Sequence[Mapping[str, Any]],
) -> tuple[Presence, ...]:
    """What lay at an incident's place; what is sealed to a key that another incident was near is at risk."""
    inside_windows = [
        Window.of_seconds(each["detail"]["from"], each["detail"]["to"])
        for each in earlier
        if each["detail"].get("place") == STORE
    ]
    return at_risk(present_at(detail["place"], detail.get("which"), entries, every), every, inside_windows)


def incidents(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The entries that opened the incidents that there are, the last of each."""
    return list({entry["subject"]: entry for entry in entries if entry["event"] == "incident-opened"}.values())


def overlaps(
    inside: Inside,
    about: Collection[str],
    known: AbstractSet[str],
    earlier: Sequence[Mapping[str, Any]],
    entries: Sequence[Entry],
    every: Sequence[Copy],
) -> list[dict[str, Any]]:
    """The other incidents that persons of this one are in too, and how many: no two first letters to anybody."""
    rows = []
    for each in earlier:
        window = Window.of_seconds(each["detail"]["from"], each["detail"]["to"])
        others = {copy.about for copy in there(each["detail"], entries, every, ()) if copy.touches(window)} & known
        both = inside.do("subject-overlap", transfers=sorted(about), others=sorted(others)) if about and others else 0
        if both:
            rows.append({"incident": each["subject"], "persons": both})
    return rows


def note(inside: Inside, incident: str, fact: Fact) -> dict[str, Any]:
    """Write a fact down: into the encrypted store, with a commitment in custody. The one said last counts.

    Raises:
        NoSuchIncident: nobody opened it; NotNow: it is closed.
    """
    state, opened = found(inside.do("custody-entries"), incident)
    after(state, Event.NOTED)
    salt, whole = secrets.token_hex(16), str(opened["subject"])
    told = {"name": fact.name, "value": fact.value, "source": fact.source, "at": fact.at}
    kept: dict[str, Any] = inside.do(
        "incident-note", incident=whole, fact=told, salt=salt, commitment=fact.commitment(whole, salt)
    )
    return kept


def facts(inside: Inside, incident: str) -> dict[str, Any]:
    """What is written about an incident: the last word on each name, and which names nobody has said anything about."""
    _, opened = found(inside.do("custody-entries"), incident)
    whole = str(opened["subject"])
    said = inside.do("incident-facts", incident=whole)
    for each in said:
        proved = Fact(each["name"], each["value"], each["source"], each["at"]).commitment(whole, each["salt"])
        each["vouched"] = each["entry"] is not None and proved == each["commitment"]
    last = {each["name"]: each for each in said}
    return {"incident": whole, "facts": last, "said": said, "unknown": [name for name in FACTS if name not in last]}


def step(inside: Inside, incident: str, event: Event) -> dict[str, Any]:
    """Say that an incident is contained, or closed.

    Raises:
        NoSuchIncident: nobody opened it; NotNow: it is not in a state that allows it.
    """
    state, opened = found(inside.do("custody-entries"), incident)
    state = after(state, event)
    inside.do("custody-append", event=f"incident-{event.value}", subject=opened["subject"], detail={})
    return {"incident": opened["subject"], "state": state.value}


def found(entries: Sequence[Mapping[str, Any]], incident: str) -> tuple[State, Mapping[str, Any]]:
    """The state of an incident, named by its number or the beginning of it, and the entry that opened it last.

    Raises:
        NoSuchIncident: nobody opened it.
        NotClear: several begin so.
    """
    try:
        own = story([entry for entry in entries if entry["event"].startswith("incident-")], incident)["entries"]
    except NothingKnown as error:
        raise NoSuchIncident from error
    state = state_after(entry["event"] for entry in own)
    assert state is not None
    return state, [entry for entry in own if entry["event"] == "incident-opened"][-1]


def with_facts(copy: Presence, facts: Mapping[str, Mapping[str, Any]]) -> Presence:
    """A presence with what the registry knows of the transfer where custody is silent."""
    known = facts.get(copy.about)
    if known is None:
        return copy
    return replace(
        copy,
        submitter=known["submitter"] or copy.submitter,
        stated_count=copy.stated_count if known["stated_subjects"] is None else known["stated_subjects"],
    )
