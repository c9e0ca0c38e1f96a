"""What an HL7 v2 message is to the registry: whose, of what kind, new or a correction or taken back. Pure.

The tables of this file are the standard's: message types (chapter 2, table 0076), order control (0119), result status
(0123), observation status (0085), admission type (0007), and LOINC's newborn-screening panels.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from enum import StrEnum

from swaddle.intake.readers.hl7 import LIMIT_SEGMENTS, BadMessage, Message, Segment, repetitions
from swaddle.intake.readers.hl7_paths import coded, moment


class Kind(StrEnum):
    """What a message is read as."""

    PERSON = "person"
    ORDER = "order"
    RESULT = "result"


def _listed(codes: str) -> frozenset[str]:
    return frozenset(codes.split())


# MSH-9.1 -> what it is read as; any other type is counted and left.
KINDS = {"ADT": Kind.PERSON, "ORM": Kind.ORDER, "OML": Kind.ORDER, "ORU": Kind.RESULT}
MERGES = frozenset(["A18", "A24", "A30", "A34", "A35", "A36", "A37", "A39", "A40", "A41", "A42", "A43", "A44", "A45"])
MERGES |= {"A46", "A47", "A48", "A49", "A50", "A51"}  # numbers merged, linked or changed
DELETES = frozenset(["A29"])  # delete person information
UPDATES = frozenset(["A08", "A31"])
# Panels that are ordered or reported for a newborn's blood spot.
PANELS = _listed(
    """
    54089-8 57128-1 57717-1 57794-0 54090-6 54078-1 57086-1 57087-9 54081-5 62333-0 54079-9 53261-4 85267-3 92005-8
    57084-6 57085-3 58092-8 62300-9 63414-7 79563-3
    """
)
# Observations that are made of nothing but a newborn's blood spot or its card.
CARD = _listed(
    """
    57723-9 57711-4 57718-9 57721-3 57716-3 57713-0 57722-1 57714-8 58229-6 67704-7 57130-7 57131-5 57719-7 57720-5
    57724-7 57129-9 62317-3 73806-2
    """
)
_WORDS = re.compile(
    r"new\s?born.{0,30}screen|\bnb\s?screen|neonatal.{0,20}screen|newborn.{0,20}metabolic|metabolic.{0,12}screen",
    re.IGNORECASE,
)
_LOINC = re.compile(r"[0-9]{1,6}-[0-9]")
_WARDS = frozenset(["OB", "OBS", "OBG", "MAT", "LD", "L&D"])  # PV1-10; the table (0069) is the sender's own
_CANCEL = frozenset(["CA", "OC", "CR", "DC", "OD"])
_CHANGE = frozenset(["RP", "RU", "RO", "XO", "XR", "XX"])


def patients(message: Message) -> list[Message]:
    """The message once for each patient in it: what stands above the first PID belongs to all.

    Raises:
        BadMessage: M5, more than any message has.
    """
    places = [place for place, each in enumerate(message.segments) if each.name == "PID"]
    if len(places) < 2:
        return [message]
    above = message.segments[: places[0]]
    if len(above) * len(places) > LIMIT_SEGMENTS:
        raise BadMessage("M5")
    ends = [*places[1:], len(message.segments)]
    return [_of(message, (*above, *message.segments[a:b])) for a, b in zip(places, ends, strict=True)]


def _of(message: Message, segments: tuple[Segment, ...]) -> Message:
    by_name: dict[str, list[Segment]] = {}
    for each in segments:
        by_name.setdefault(each.name, []).append(each)
    return replace(message, segments=segments, by_name=by_name, kept={})


def type_of(message: Message) -> tuple[str, str]:
    """Message code and trigger event, in capitals; "" where the message does not say."""
    code = message.header(9).upper()
    trigger = message.header(9, 2).upper()
    if not trigger and code == "ADT" and message.named("EVN"):
        trigger = message.text(message.named("EVN")[0], 1).upper()
    return code, trigger


def code_of(segment: Segment, field: int, message: Message) -> str:
    """The code of an observation or a service: LOINC's where there is one, else the sender's, else the words."""
    key = segment.name, segment.place, field
    if key not in message.kept:
        message.kept[key] = _code_of(segment, field, message)
    return str(message.kept[key])


def _code_of(segment: Segment, field: int, message: Message) -> str:
    for place in (1, 4):
        code = message.text(segment, field, place)
        if _LOINC.fullmatch(code):
            return code
    return message.text(segment, field, 1) or message.text(segment, field, 4) or message.text(segment, field, 2)


def answer_of(segment: Segment, message: Message) -> str:
    """What an observation says: its LOINC answer, else its code, else its words; "" where it says nothing."""
    said = (coded(each, segment, 5, message) for each in repetitions(segment, 5, message.delimiters))
    return next(filter(None, said), "")


def is_screening(message: Message) -> bool:
    """Whether it is about a newborn's blood spot: by a panel's code or words, or by an observation of the card."""
    for each in message.named("OBR"):
        if code_of(each, 4, message) in PANELS or _WORDS.search(each.field(4)[:400]):
            return True
    return any(code_of(each, 3, message) in CARD for each in message.named("OBX"))


def action_of(message: Message, kind: Kind) -> str:
    """`new`, `replace` (a correction, a change) or `void` (cancelled, deleted, of the wrong patient)."""
    if kind is Kind.PERSON:
        trigger = type_of(message)[1]
        return "void" if trigger in DELETES else "replace" if trigger in UPDATES else "new"
    controls = {message.text(each, 1).upper() for each in message.named("ORC")} - {""}
    if controls and controls <= _CANCEL:
        return "void"
    status = {message.text(each, 25).upper() for each in message.named("OBR")} - {""}
    observed = {message.text(each, 11).upper() for each in message.named("OBX")} - {""}
    if status == {"X"} or (kind is Kind.RESULT and observed and observed <= {"D", "W"}):
        return "void"
    return "replace" if "C" in status or "C" in observed or controls & _CHANGE else "new"


def role_of(message: Message) -> str:
    """`child` or `birthing_parent` where the message tells; "" where it does not."""
    visit = message.named("PV1")
    admission = message.text(visit[0], 4).upper() if visit else ""
    if admission in {"N", "L"}:
        return "child" if admission == "N" else "birthing_parent"
    days = _age_days(message)
    if days is not None and 0 <= days <= 366:
        return "child"
    codes = {message.text(each, 3).upper() for each in message.named("DG1")}
    obstetric = any(re.match(r"O[0-9]|Z3[3-79]", each) for each in codes)
    if visit:
        obstetric = (
            obstetric or message.text(visit[0], 2).upper() == "B" or message.text(visit[0], 10).upper() in _WARDS
        )
    if obstetric:
        return "birthing_parent" if days is None or days > 9 * 366 else ""
    return ""


def mother_number(message: Message) -> str:
    """The mother's number (PID-21); "" where there is none, or a name stands in its place."""
    person = message.named("PID")
    number = message.text(person[0], 21) if person else ""
    return number if any(each.isdigit() for each in number) else ""


def _age_days(message: Message) -> int | None:
    """From the date of birth to the event, where both are told to the day."""
    person, event = message.named("PID"), message.named("EVN")
    born = _day(message.text(person[0], 7)) if person else None
    seen = _day(message.text(event[0], 6)) or _day(message.text(event[0], 2)) if event else None
    seen = seen or _day(message.header(7))
    return (seen - born).days if born and seen else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(moment(text)[:10])
    except ValueError:
        return None
