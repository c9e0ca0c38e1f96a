"""Places in an HL7 v2 message, as a mapping file names them, and the values that stand there. Pure.

    PID-5.1                  field 5, component 1 (the first subcomponent); the first repetition that has a value
    PID-3[5=MR,PI].1         the repetition whose component 5 is MR or PI;  [5!=SS] one whose component 5 is not SS
    NK1[3=MTH,MOTHER]-2.1    the segment with one of these words in field 3, in any component and any capitals
    OBX[3=8339-4]-5 in g     an observation by its code; the number in the unit named, whatever OBX-6 says
    PID-7 as date            of a date and time, the date; ?ASKU where the day is not known
    OBX[3=67704-7]-5*        every value there, apart by semicolons
    PID-5.2 + PID-5.3        both, a blank between
    PID-6.1 | NK1-2.1        the first that has a value

Dates and times come as 2024-02-21T01:52 (as precise as they are written; an offset is dropped: the time is local),
coded values by their LOINC answer where there is one, else by their code, else by their words in small letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from swaddle.intake.readers.hl7 import Message, Segment, part, repetitions

SEVERAL = ";"
DEAD = frozenset(["D", "W", "X", "N"])  # OBX-11: deleted, wrong patient, cannot be obtained, not asked: no value
# Fields that hold a date or a time, whatever the version (HL7 v2.9 chapters 2 to 7).
_MOMENTS = frozenset(
    (name, number)
    for name, numbers in {
        "MSH": (7,),
        "EVN": (2, 6),
        "PID": (7, 29, 33),
        "NK1": (16,),
        "PV1": (44, 45),
        "ORC": (9, 15),
        "OBR": (6, 7, 8, 14, 22),
        "OBX": (14, 19),
        "SPM": (17, 18),
        "DG1": (5,),
        "PR1": (5,),
    }.items()
    for number in numbers
)
_MOMENT = re.compile(
    r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:[0-9]{2}(?:[.][0-9]{1,6})?)?)?)?)?)?"
    r"(?:[+-][0-9]{4})?"
)
_ANSWER = re.compile(r"LA[0-9]{1,6}-[0-9]")
_CODED = frozenset(["CE", "CWE", "CNE", "CF", "IS", "ID", "CX"])
_STEP = re.compile(
    r"(?P<segment>[A-Z][A-Z0-9]{2})(?:\[(?P<test>[0-9]{1,2})=(?P<words>[^\]]+)\])?"
    r"-(?P<field>[0-9]{1,2})(?:\[(?P<component>[0-9]{1,2})(?P<sign>!?=)(?P<codes>[^\]]*)\])?"
    r"(?:\.(?P<part>[0-9]{1,2})(?:\.(?P<sub>[0-9]{1,2}))?)?(?P<all>\*)?(?: in (?P<unit>[a-z]+)| as (?P<day>date))?"
)
_WEEKS_AND_DAYS = re.compile(r"weeks?\s*(?:\+|&|and|\\T\\)\s*days?", re.IGNORECASE)  # of a question whose answer is 384
DAYLESS = "?ASKU"
_NO_DAY = re.compile(r"[0-9]{4}(?:-[0-9]{2})?")
_NUMBER = re.compile(r"([+-]?[0-9]{1,12}(?:[.][0-9]{1,12})?)\s*([A-Za-z]*)")
_WEEKS_DAYS = re.compile(
    r"([0-9]{1,2})\s*(?:w|wk|wks|weeks?)?\s*(?:[+,&]|and)?\s*([0-6])\s*(?:d|days?|/7)?", re.IGNORECASE
)
# What senders write -> (measure, how many of the smallest)
_UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(["g", "gm", "gr", "gram", "grams", "gms"], ("mass", 1.0)),
    **dict.fromkeys(["kg", "kilogram", "kilograms"], ("mass", 1000.0)),
    **dict.fromkeys(["lb", "lbs", "[lb_av]", "pound", "pounds"], ("mass", 453.59237)),
    **dict.fromkeys(["oz", "[oz_av]", "ounce", "ounces"], ("mass", 28.349523125)),
    **dict.fromkeys(["h", "hr", "hrs", "hour", "hours"], ("time", 1.0)),
    **dict.fromkeys(["min", "mins", "minute", "minutes"], ("time", 1 / 60)),
    **dict.fromkeys(["d", "day", "days"], ("time", 24.0)),
    **dict.fromkeys(["wk", "wks", "w", "week", "weeks"], ("time", 168.0)),
    **dict.fromkeys(["cm", "centimeter", "centimetre"], ("length", 1.0)),
    **dict.fromkeys(["mm"], ("length", 0.1)),
    **dict.fromkeys(["in", "[in_i]", "inch", "inches"], ("length", 2.54)),
}
UNIT_NAMES = frozenset(["g", "kg", "h", "d", "wk", "cm"])


class BadPath(ValueError):
    """A place in a mapping that is not in this language."""


@dataclass(frozen=True, slots=True)
class Step:
    """One place."""

    segment: str
    test_field: int
    words: frozenset[str]
    field: int
    component: int
    codes: frozenset[str]
    wanted: bool
    part: int
    sub: int
    several: bool
    unit: str
    day: bool  # of a moment, the day alone


@dataclass(frozen=True, slots=True)
class Path:
    """Alternatives, each of steps that are joined."""

    alternatives: tuple[tuple[Step, ...], ...]

    def segments(self) -> frozenset[str]:
        """The segments that it reads."""
        return frozenset(step.segment for each in self.alternatives for step in each)

    def words(self) -> Path:
        """The same places, but the words beside a code."""
        return Path(tuple(tuple(replace(step, part=step.part or 2) for step in each) for each in self.alternatives))

    def observations(self) -> frozenset[str]:
        """The codes of the observations that it reads, in capitals."""
        steps = (step for each in self.alternatives for step in each)
        return frozenset(
            word for step in steps if step.segment == "OBX" and step.test_field == 3 for word in step.words
        )


@cache
def compile_path(text: str) -> Path:
    """The place that a mapping names.

    Raises:
        BadPath: it is in another form.
    """
    return Path(tuple(tuple(_step(each) for each in one.split(" + ")) for one in text.split(" | ")))


def _step(text: str) -> Step:
    found = _STEP.fullmatch(text.strip())
    if found is None or (found["unit"] and found["unit"] not in UNIT_NAMES):
        raise BadPath(text[:60])
    words = frozenset(each.strip().upper() for each in (found["words"] or "").split(","))
    codes = frozenset(each.strip().upper() for each in (found["codes"] or "").split(","))
    return Step(
        segment=found["segment"],
        test_field=int(found["test"] or 0),
        words=words,
        field=int(found["field"]),
        component=int(found["component"] or 0),
        codes=codes,
        wanted=found["sign"] != "!=",
        part=int(found["part"] or 0),
        sub=int(found["sub"] or 1),
        several=found["all"] is not None,
        unit=found["unit"] or "",
        day=found["day"] is not None,
    )


def value_at(path: Path, message: Message) -> str:
    """What stands there; "" where nothing does."""
    for alternative in path.alternatives:
        found = " ".join(filter(None, (_at(step, message) for step in alternative)))
        if found:
            return found
    return ""


def _at(step: Step, message: Message) -> str:
    values: dict[str, None] = {}
    meant = message.with_word(step.segment, step.test_field, step.words) if step.test_field else None
    for segment in message.named(step.segment) if meant is None else meant:
        for value in _values(segment, step, message):
            if not step.several:
                return value
            values[value] = None
    return SEVERAL.join(each.replace(SEVERAL, ",") for each in values)


def _values(segment: Segment, step: Step, message: Message) -> list[str]:
    marks = message.delimiters
    if segment.name == "OBX" and step.field == 5 and message.text(segment, 11).upper() in DEAD:
        return []
    found: list[str] = []
    for repetition in repetitions(segment, step.field, marks):
        if step.component and (part(repetition, marks, step.component).upper() in step.codes) is not step.wanted:
            continue
        if step.unit:
            value = _measured(repetition, segment, step.unit, message)
        elif step.part:
            value = part(repetition, marks, step.part, step.sub)
        else:
            value = coded(repetition, segment, step.field, message)
        if (step.segment, step.field) in _MOMENTS and step.part < 2:
            value = moment(value)
        if step.day:
            value = value.split("T")[0]
            value = DAYLESS if _NO_DAY.fullmatch(value) else value
        if value:
            found.append(value)
    return found


def coded(repetition: str, segment: Segment, field: int, message: Message) -> str:
    """A whole field's value: the first component, or of a coded observation its LOINC answer, code or words."""
    marks = message.delimiters
    first = part(repetition, marks)
    if segment.name != "OBX" or field != 5:
        return first
    kind = message.text(segment, 2).upper()
    if kind in {"DT", "TS", "DTM", "TM"}:
        return moment(first)
    for place in (1, 4):
        if _ANSWER.fullmatch(part(repetition, marks, place)):
            return part(repetition, marks, place)
    if kind == "SN":  # comparator ^ number ^ separator ^ number
        return "".join(part(repetition, marks, place) for place in (1, 2, 3, 4))
    if kind not in _CODED and first:
        return first
    return (first or part(repetition, marks, 2) or part(repetition, marks, 4) or part(repetition, marks, 5)).strip()


def moment(text: str) -> str:
    """An HL7 date or time in the form of ISO 8601, as precise as it is written; anything else as it is."""
    found = _MOMENT.fullmatch(text.replace(" ", ""))
    if found is None:
        return text
    year, month, day, hour, minute = found.groups()
    said = "-".join(filter(None, (year, month, day)))
    return f"{said}T{hour}:{minute or '00'}" if hour else said


def _measured(repetition: str, segment: Segment, unit: str, message: Message) -> str:
    """A number in `unit`; anything that is none, or whose unit measures something else, as it is written."""
    marks = message.delimiters
    written = part(repetition, marks)
    if segment.name == "OBX" and message.text(segment, 2).upper() == "SN":
        written = part(repetition, marks, 2) or written
    found = _NUMBER.fullmatch(written)
    if found is None:
        both = _WEEKS_DAYS.fullmatch(written) if unit == "wk" and len(written) < 40 else None
        return both[1] if both else written
    if unit == "wk" and re.fullmatch("[2-4][0-9][0-6]", written) and _WEEKS_AND_DAYS.search(segment.field(3)):
        return written[:2]
    named = found[2] or message.text(segment, 6) or part(repetition, marks, 2) or unit
    measure, each = _UNITS.get(named.lower(), ("", 0.0))
    wanted, one = _UNITS[unit]
    if measure != wanted:
        return f"{found[1]} {named}"
    return _plain(float(found[1]) * each / one, unit)


def _plain(number: float, unit: str) -> str:
    """Whole grams and completed weeks; else three places at most."""
    if unit in {"g", "wk"}:
        return str(int(number + (0.5 if unit == "g" else 1e-9)))
    return f"{number:.3f}".rstrip("0").rstrip(".")
