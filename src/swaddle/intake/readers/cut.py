"""The form of a fixed-width file: records, their lengths, their cells. Every record is a row, broken, or blank.

Pure but for the bytes it is given. The rules:

- A record ends in LF, CR LF or CR; a file may also have no line ends at all: then every record has the layout's length.
- All records have one length, that of most of them: one that is longer or shorter gained or lost a sign somewhere, and
  every field behind it may have moved: it is broken.
- Only where blanks were taken off the ends of records (no record of such a file ends in a blank) may one end early.
  What is missing is blank. One that ends within a number, or has something beyond the layout's length, is broken.
- Where most records go on beyond the layout's length, a later edition goes on there: that is said, not read.
- Where all records end before the last columns, the file does not have those columns.
- Positions count bytes. In UTF-8 a letter may be several: the one count that gives the usual length is taken, and where
  neither does, nobody can say where the columns stand: the record is broken.
- Bytes that are not of the file's encoding, control characters and tabs (which move what follows) break the record.

Rows go on in the form of readers/scan.py. The number in front is the record's: the first is 1, blank ones count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter

from swaddle.intake.faults import HeaderFault, Unreadable
from swaddle.intake.positions import Positions
from swaddle.intake.readers.scan import Broken, Counts
from swaddle.intake.sheet import CELL, RAW_SHOWN

SURVEY_BYTES = 4 * 1024 * 1024
_CONTROLS = bytes({*range(10), 11, 12, *range(14, 32)})
_ODD = bytes({*range(10), *range(11, 32)})
_IDLE = b" \r\n\x1a"  # old programs write 1A at the end of a file


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What the start of a file shows of its records.

    Attributes:
        end: the line end without a CR before an LF; nothing where records follow each other at once.
        usual: the length of most of its records, in bytes.
        trimmed: no record ends in a blank: something took the blanks off.
        positions: the columns that records of this length have.
    """

    end: bytes
    usual: int
    trimmed: bool
    positions: Positions


def survey(head: bytes, size_bytes: int, positions: Positions) -> Shape:
    """The shape of a file of `size_bytes` (idle_end taken off) that starts with `head`, some SURVEY_BYTES of it.

    Raises:
        HeaderFault: its records are too short for every column of the layout.
        Unreadable: it has no line ends, and its size says that something is lost or added.
    """
    length = positions.length
    end = next((each for each in (b"\n", b"\r") if each in head), b"")
    if not end and size_bytes >= 2 * length:
        if size_bytes % length:
            raise Unreadable(f"it has no line ends, and its size is no multiple of the record's length ({length})")
        return Shape(end=b"", usual=length, trimmed=False, positions=positions)
    lines = [each.removesuffix(b"\r") for each in head.split(end or b"\n")]
    if len(lines) > 1 and len(head) < size_bytes:
        lines.pop()  # it goes on
    lines = [each for each in lines if each.strip(_IDLE)]
    sizes = Counter(map(len, lines)).most_common()
    usual = max((size for size, count in sizes if count == sizes[0][1]), default=0)
    trimmed = not any(each.endswith(b" ") for each in lines)
    if not trimmed and usual < positions.needed:
        positions = positions.within(usual)
    if not positions.names or usual <= min(before for before, _ in positions.places):
        raise HeaderFault(f"its records have {usual} characters, too few for any column of the layout")
    return Shape(end=end or b"\n", usual=usual, trimmed=trimmed, positions=positions)


def idle_end(tail: bytes) -> int:
    """Bytes at the end of a file that mean nothing: its last line end, an old program's end-of-file sign."""
    return len(tail) - len(tail.rstrip(_IDLE[1:]))


@dataclass
class Cutter:
    """Takes whole records without their ends, gives rows in the database's form.

    Attributes:
        shape: of the file.
        encoding: the file's.
        early: records that end early where that may be.
        beyond: characters after the layout's length that most records have and nobody reads.
    """

    shape: Shape
    encoding: str
    counts: Counts = field(default_factory=Counts)
    broken: list[Broken] = field(default_factory=list)
    early: int = 0
    beyond: int = 0

    def __post_init__(self) -> None:
        places = self.shape.positions.places
        slices = [slice(*each) for each in places]
        self._pick = itemgetter(*slices)
        self._single = len(slices) == 1
        self._blank = CELL * (len(slices) - 1)
        self._needed = self.shape.positions.needed
        self._length = self.shape.positions.length
        self._least = self._needed if self.shape.trimmed else self.shape.usual
        self._most = self._length if self.shape.trimmed else self.shape.usual
        self._bytes_are_letters = self.encoding != "utf-8"

    def feed(self, records: list[bytes]) -> str:
        """Rows out of further whole records."""
        if not records:
            return ""
        quick = self._quick(records)
        return "".join(self._careful(records)) if quick is None else quick

    def _quick(self, records: list[bytes]) -> str | None:
        """All records at once where none needs care: clean text, none short, none with something beyond its end."""
        data = b"\n".join(records)
        if b"\r" in data:
            data = (data + b"\n").replace(b"\r\n", b"\n")[:-1]
            records = data.split(b"\n")
        if len(data.translate(None, _ODD)) != len(data) or not (self._bytes_are_letters or data.isascii()):
            return None
        if len(min(records, key=len)) < self._least or len(max(records, key=len)) > min(self._most, self._length):
            return None
        try:
            text = data.decode(self.encoding)
        except UnicodeDecodeError:
            return None
        rows = [CELL.join(map(str.strip, cells)) for cells in map(self._cells, text.split("\n"))]
        if self._blank in rows:
            return None
        start = self.counts.lines + 1
        self.counts.lines += len(rows)
        self.counts.rows += len(rows)
        return "".join(map("%d\x1f%s\n".__mod__, zip(range(start, start + len(rows)), rows, strict=True)))

    def _cells(self, text: str) -> tuple[str, ...]:
        return (self._pick(text),) if self._single else self._pick(text)

    def _careful(self, records: list[bytes]) -> Iterator[str]:
        for each in records:
            record = each.removesuffix(b"\r")
            self.counts.lines += 1
            if not record.strip(_IDLE):
                self.counts.blank += 1
                continue
            row, why = self._row(record)
            if why:
                self.counts.broken += 1
                self.broken.append(Broken(self.counts.lines, why, row[:RAW_SHOWN]))
            elif row == self._blank:
                self.counts.blank += 1
            else:
                self.counts.rows += 1
                yield f"{self.counts.lines}{CELL}{row}\n"

    def _row(self, record: bytes) -> tuple[str, str]:
        """The row and nothing, or the record's text and the check that it breaks."""
        try:
            text = record.decode(self.encoding)
        except UnicodeDecodeError:
            return record.decode(self.encoding, "replace"), "B2"
        if len(record.translate(None, _CONTROLS)) != len(record) or b"\r" in record:
            return text, "B3"
        cells, surplus, size, why = self._cut(record, text)
        why = why or self._length_wrong(text, surplus, size)
        return (text, why) if why else (CELL.join(map(str.strip, cells)), "")

    def _cut(self, record: bytes, text: str) -> tuple[tuple[str, ...], str, int, str]:
        """The cells, what stands beyond the layout, the record's length as it is counted, and what is wrong."""
        if len(text) == len(record) or len(text) == self.shape.usual:
            return self._cells(text), text[self._length :], len(text), ""
        if len(record) != self.shape.usual:
            return (), "", 0, "B22"
        try:
            cells = tuple(record[start:end].decode() for start, end in self.shape.positions.places)
            return cells, record[self._length :].decode(), len(record), ""
        except UnicodeDecodeError:
            return (), "", 0, "B22"

    def _length_wrong(self, text: str, surplus: str, size: int) -> str:
        """The check that the record's length breaks, if any."""
        if size != self.shape.usual and not self.shape.trimmed:
            return "B20" if size > self.shape.usual else "B21"
        if surplus.strip():
            self.beyond = max(self.beyond, size - self._length if size == self.shape.usual else 0)
            return "" if size == self.shape.usual else "B20"
        if size >= self._needed or not self.shape.trimmed:
            return ""
        last = next((text[start:size] for start, end in self.shape.positions.places if start < size < end), "")
        if text.endswith(" ") or last.strip().isdecimal():
            return "B21"
        self.early += 1
        return ""
