r"""The form of one HL7 v2 message: delimiters, segments, fields, repetitions, components, escapes. Pure.

Text in, values out. The message says in its first segment how it is parted (MSH-1 and MSH-2); nothing is taken from the
standard's tables of what a segment may hold, so any version (2.1 to 2.9) and any local segment (Z…) is read alike.

- A segment is a name of three characters and its fields. `segment.fields[n]` is field n as HL7 counts: PID-5 is
  `fields[5]`; in MSH the separator itself is MSH-1.
- Nothing is unescaped until a value is asked for: an escaped delimiter (`\S\`) never parts anything.
- `""` (two quotation marks) is HL7's way to say that there is no value; it reads as no value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

HEADERS = frozenset(["MSH", "FHS", "BHS"])
LIMIT_SEGMENTS = 100_000  # in one message; a screening panel has some hundreds
NULL = '""'
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_UNFIT = re.compile(r"[\w\s\x00-\x1f\x7f-\uffff]", re.ASCII)
# A segment that begins inside another because a line end was lost: its name and what only such a segment goes on with.
_LOST_END = re.compile(
    r"(?<=[^\n])(?=(?:ORC\|(?:NW|RE|SC|CA|OK|XO|RP)\||OBR\|[0-9]{0,3}\||OBX\|[0-9]{0,3}\|[A-Z]{2,3}\||"
    r"PID\|[0-9]?\||NK1\|[0-9]{0,2}\||PV1\|[0-9]?\||SPM\|[0-9]{0,2}\||NTE\|[0-9]{0,3}\|))"
)


class BadMessage(ValueError):
    """A message that cannot be read; `check` is the id of the check that says why."""

    def __init__(self, check: str) -> None:
        """Keep the check's id."""
        super().__init__(check)
        self.check = check


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The characters that part a message; an empty one is not used in it."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = "#"


USUAL = Delimiters()


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; `place` counts segments of this name in the message from 1."""

    name: str
    fields: tuple[str, ...]
    place: int = 1

    def field(self, number: int) -> str:
        """Field `number` as it is written, all repetitions; "" where it is not there."""
        return self.fields[number] if number < len(self.fields) else ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, parted into segments.

    Attributes:
        delimiters: what parts it.
        segments: in their order; the first is MSH.
        joined: lines that were no segment and were taken as the rest of the line above.
        split: segments that had lost the line end before them.
        assumed: MSH-2 is empty; the usual characters were taken.
        by_name: the segments by their name.
        kept: what was worked out of it once and is asked for often; whoever keeps something names it.
    """

    delimiters: Delimiters
    segments: tuple[Segment, ...]
    joined: int = 0
    split: int = 0
    assumed: bool = False
    by_name: dict[str, list[Segment]] = field(default_factory=dict, compare=False)
    kept: dict[Any, Any] = field(default_factory=dict, compare=False)

    def named(self, name: str) -> list[Segment]:
        """The segments of that name, in order."""
        return self.by_name.get(name, [])

    def with_word(self, name: str, number: int, words: frozenset[str]) -> list[Segment]:
        """The segments of that name that have one of the words (in capitals) in field `number`, in any component."""
        index = self.kept.get((name, number))
        if index is None:
            index = self.kept[name, number] = {}
            for segment in self.named(name):
                for each in _words(segment, number, self.delimiters):
                    index.setdefault(each, {})[segment.place] = segment
        found: dict[int, Segment] = {}
        for word in words:
            found.update(index.get(word, {}))
        return [found[place] for place in sorted(found)]

    def text(self, segment: Segment, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """A value of the first repetition that has one, unescaped; "" where there is none."""
        if segment.name in HEADERS and number <= 2:
            return segment.field(number)
        written = segment.field(number)
        if not written:
            return ""
        if self.delimiters.repetition not in written:
            return part(written, self.delimiters, component, subcomponent)
        for repetition in repetitions(segment, number, self.delimiters):
            value = part(repetition, self.delimiters, component, subcomponent)
            if value:
                return value
        return ""

    def header(self, number: int, component: int = 1) -> str:
        """A value of MSH."""
        return self.text(self.segments[0], number, component)


def _words(segment: Segment, number: int, delimiters: Delimiters) -> set[str]:
    """The components of a field, as they are written, in capitals."""
    written = repetitions(segment, number, delimiters)
    parts = [each.split(delimiters.component) if delimiters.component else [each] for each in written]
    return {each.strip().upper() for one in parts for each in one}


def delimiters_of(header: str) -> tuple[Delimiters, bool]:
    """What a header segment (MSH, FHS, BHS) says, and whether the usual characters had to be taken.

    Raises:
        BadMessage: M1, it says nothing that can be used.
    """
    separator = header[3:4]
    if not separator or _UNFIT.match(separator):
        raise BadMessage("M1")
    named = header[4:].split(separator, 1)[0]
    if not named:
        if separator in "^~\\&" or len(header.rstrip(separator)) <= 4:
            raise BadMessage("M1")
        return Delimiters(field=separator), True
    characters = [*named, "", "", "", "", ""][:5]
    used = [each for each in (separator, *characters) if each]
    if len(named) > 5 or len(set(used)) != len(used) or any(_UNFIT.match(each) for each in used):
        raise BadMessage("M1")
    return Delimiters(separator, *characters), False


def parse(text: str) -> Message:
    r"""The message that `text` holds; its segments end in "\n" (readers turn other line ends into it).

    Raises:
        BadMessage: M1 no usable header; M5 more segments than any message has.
    """
    if not text.startswith("MSH"):
        raise BadMessage("M1")
    first = text.split("\n", 1)[0]
    delimiters, assumed = delimiters_of(first)
    split = 0
    if delimiters.field == "|":
        text, split = _LOST_END.subn("\n", text)
    if text.count("\n") > LIMIT_SEGMENTS:
        raise BadMessage("M5")
    lines, joined = _lines(text, delimiters.field)
    segments: list[Segment] = []
    by_name: dict[str, list[Segment]] = {}
    for line in lines:
        name = line[:3]
        fields = line.split(delimiters.field)
        if name in HEADERS:
            fields.insert(1, delimiters.field)
        same = by_name.setdefault(name, [])
        segment = Segment(name, tuple(fields), len(same) + 1)
        same.append(segment)
        segments.append(segment)
    return Message(delimiters, tuple(segments), joined, split, assumed, by_name)


def _lines(text: str, separator: str) -> tuple[list[str], int]:
    """One line a segment; a line that begins none goes on with the one above (a value with a line end in it)."""
    lines: list[list[str]] = []
    joined = 0
    for line in text.split("\n"):
        if not line.strip():
            continue
        start = line.lstrip(" \t")
        if _NAME.match(start) and start[3:4] in {separator, ""}:
            lines.append([start])
        else:
            lines[-1].append(line.strip())
            joined += 1
    return [" ".join(each) for each in lines], joined


def repetitions(segment: Segment, number: int, delimiters: Delimiters) -> list[str]:
    """The repetitions of a field as they are written; none where the field is empty or `""`."""
    written = segment.field(number)
    if not written or written == NULL:
        return []
    if delimiters.repetition and delimiters.repetition in written:
        return [each for each in written.split(delimiters.repetition) if each and each != NULL]
    return [written]


def part(repetition: str, delimiters: Delimiters, component: int = 1, subcomponent: int = 1) -> str:
    """One component's subcomponent, unescaped and without blanks around it; "" where there is none.

    Args:
        repetition: as written.
        delimiters: the message's.
        component: from 1.
        subcomponent: from 1; 0 for all of the component, its subcomponents apart by blanks.
    """
    parts = repetition.split(delimiters.component, component) if delimiters.component else [repetition]
    if component > len(parts) or not parts[component - 1]:
        return ""
    found = parts[component - 1]
    if delimiters.subcomponent and delimiters.subcomponent in found:
        subs = found.split(delimiters.subcomponent)
        if subcomponent == 0:
            return " ".join(filter(None, (unescape(each, delimiters).strip() for each in subs)))
        found = subs[subcomponent - 1] if subcomponent <= len(subs) else ""
    elif subcomponent > 1:
        return ""
    return "" if found == NULL else unescape(found, delimiters).strip()


def unescape(text: str, delimiters: Delimiters = USUAL, encoding: str = "utf-8") -> str:
    r"""`text` with its escape sequences replaced; one that means nothing stays as it is written.

    `\F\ \S\ \T\ \R\ \E\ \P\` are the delimiters, `\X0D0A\` bytes, `\.br\` and the like a line end, `\H\ \N\` (bold on
    and off) nothing.
    """
    mark = delimiters.escape
    if not mark or mark not in text:
        return text
    return _escape(mark).sub(lambda found: _meaning(found, delimiters, encoding), text)


@cache
def _escape(mark: str) -> re.Pattern[str]:
    one = re.escape(mark)
    formatting = r"\.(?:br|sp|fi|nf|in|ti|sk|ce)[+-]?[0-9]{0,3}"
    return re.compile(f"{one}([FSTREPHN]|{formatting}|X(?:[0-9A-Fa-f]{{2}}){{1,200}}){one}")


def _meaning(found: re.Match[str], delimiters: Delimiters, encoding: str) -> str:
    code = found[1]
    plain = {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        "P": delimiters.truncation,
        "H": "",
        "N": "",
    }
    if code in plain:
        return plain[code]
    if code.startswith("."):
        return "\n"
    try:
        return bytes.fromhex(code[1:]).decode(encoding)
    except UnicodeDecodeError:
        return found[0]
