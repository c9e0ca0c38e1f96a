r"""A file of HL7 v2 messages: where each begins and ends, and in what encoding its text is.

Takes what senders really write: segments ended by CR, LF or CR LF, also mixed; blank lines; a byte order mark, also in
the middle; MLLP frames (0x0b … 0x1c CR); batches (FHS, BHS, BTS, FTS) with their counts; two messages on one line;
lines before the first message. Memory: one message (LIMIT_MESSAGE_BYTES) and one piece of the file.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from swaddle.intake.faults import Unreadable
from swaddle.intake.readers.hl7 import BadMessage, delimiters_of

LIMIT_MESSAGE_BYTES = 16 * 1024 * 1024
BOM = b"\xef\xbb\xbf"
_START, _END = b"\x0b", b"\x1c"  # MLLP
_TRAILERS = (b"BTS", b"FTS")
_BATCH = (b"FHS", b"BHS", *_TRAILERS)
_START_KEPT_BYTES = 4096  # of a message that is too long
_HEADER = re.compile(rb"(?:MSH|FHS|BHS)[^\w\s\x00-\x1f\x7f-\xff]")
_SEGMENT = re.compile(rb"[A-Z][A-Z0-9]{2}\|")
_MIDDLE = re.compile(rb"(?<=[^\n])[\x0b\xef\xbb\xbf \t]*(?=MSH\|\^~\\&)")
_LOOKS = re.compile(rb"(?:MSH|FHS|BHS)[^\w\s\x00-\x1f\x7f-\xff]|(?:PID|EVN|PV1|ORC|OBR|OBX|NK1)\|")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]")
# HL7 table 0211 and what senders write for it -> Python's name. ISO 8859-1 is read as Windows-1252, its superset: those
# who declare the one write the other.
_ENCODINGS = {
    "": "utf-8",
    "ASCII": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UNICODE UTF-16": "utf-8",  # turned into it before messages are looked for
    "8859/1": "windows-1252",
    "8859/2": "iso-8859-2",
    "8859/3": "iso-8859-3",
    "8859/4": "iso-8859-4",
    "8859/5": "iso-8859-5",
    "8859/6": "iso-8859-6",
    "8859/7": "iso-8859-7",
    "8859/8": "iso-8859-8",
    "8859/9": "iso-8859-9",
    "8859/15": "iso-8859-15",
    "ISO-8859-1": "windows-1252",
    "ISO_8859-1": "windows-1252",
    "WINDOWS-1252": "windows-1252",
    "CP1252": "windows-1252",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
}
for _name in _ENCODINGS.values():
    codecs.lookup(_name)  # now: the reading process can load nothing later


@dataclass(frozen=True, slots=True)
class RawMessage:
    """The bytes of one message, its segments ended by LF; `check` says why it is none, if it is none."""

    data: bytes
    check: str = ""


@dataclass
class Framing:
    """What stood around the messages."""

    messages: int = 0
    outside: int = 0  # lines before the first message or between batches that are neither blank nor segments
    on_one_line: int = 0
    batches: int = 0
    wrong_counts: list[tuple[int, int]] = field(default_factory=list)  # (said by BTS or FTS, found)
    encodings: Counter[str] = field(default_factory=Counter)  # what MSH-18 says, where the text is something else


def looks_like_hl7(head: bytes) -> bool:
    """Whether a file begins like HL7 v2 messages, a batch of them, or a message that has lost its header."""
    return _LOOKS.match(head.removeprefix(BOM).lstrip(b" \t\r\n" + _START).removeprefix(BOM)) is not None


class _State(Enum):
    """Where a line stands; `check` of what ends there."""

    OUTSIDE = "outside"
    MESSAGE = ""
    ORPHAN = "M1"  # segments that belong to no message
    TOO_LONG = "M5"


def text_of(pieces: Iterable[bytes], wide: str) -> Iterator[bytes]:
    """The pieces of a file in a wide encoding (UTF-16), as UTF-8.

    Raises:
        Unreadable: it does not go on in that encoding.
    """
    decoder = codecs.getincrementaldecoder(wide)()
    try:
        for piece in pieces:
            yield decoder.decode(piece).encode()
        decoder.decode(b"", final=True)
    except UnicodeError:
        raise Unreadable(f"it begins as {wide.upper()} and does not go on so") from None


def messages_of(pieces: Iterable[bytes], framing: Framing) -> Iterator[RawMessage]:
    """The messages of a file, in order; `framing` is filled in on the way."""
    held = _Held(framing)
    for line in _lines(pieces, framing):
        name = line[:3]
        header = _HEADER.match(line) is not None
        if name == b"MSH" and header:
            yield from held.end()
            held.begin(line)
        elif name in _BATCH and (header or (name in _TRAILERS and not line[3:4].isalnum())):
            yield from held.end()
            held.batch(name, line)
        else:
            held.go_on(line)
    yield from held.end()


@dataclass
class _Held:
    """The lines of the message that is being read, and how many came since the batch and the file began."""

    framing: Framing
    state: _State = _State.OUTSIDE
    lines: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    in_batch: int = 0
    in_file: int = 0

    def begin(self, line: bytes) -> None:
        self.state = _State.MESSAGE
        self.in_batch += 1
        self._keep(line)

    def go_on(self, line: bytes) -> None:
        if self.state is _State.OUTSIDE:
            if not _SEGMENT.match(line) and line[:3] != b"MSH":
                self.framing.outside += 1
                return
            self.state = _State.ORPHAN
        self._keep(line)

    def _keep(self, line: bytes) -> None:
        if self.size_bytes + len(line) > LIMIT_MESSAGE_BYTES:
            self.state = _State.TOO_LONG
            self.lines = [b"\n".join([*self.lines, line])[:_START_KEPT_BYTES]]
        if self.state is not _State.TOO_LONG:
            self.lines.append(line)
            self.size_bytes += len(line) + 1

    def end(self) -> Iterator[RawMessage]:
        if self.state is not _State.OUTSIDE:
            self.framing.messages += 1
            yield RawMessage(b"\n".join(self.lines), self.state.value)
        self.state, self.lines, self.size_bytes = _State.OUTSIDE, [], 0

    def batch(self, name: bytes, line: bytes) -> None:
        if name == b"BHS":
            self.in_batch, self.in_file, self.framing.batches = 0, self.in_file + 1, self.framing.batches + 1
        elif name == b"BTS":
            _compare(line, self.in_batch, self.framing)
        elif name == b"FTS":
            _compare(line, self.in_file, self.framing)


def _compare(line: bytes, found: int, framing: Framing) -> None:
    said = line[4:].split(line[3:4], 1)[0].strip() if len(line) > 4 else b""
    if said.isdigit() and len(said) < 10 and int(said) != found:
        framing.wrong_counts.append((int(said), found))


def _lines(pieces: Iterable[bytes], framing: Framing) -> Iterator[bytes]:
    """Lines that are not blank, whatever ends them; one that never ends is cut at LIMIT_MESSAGE_BYTES."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        keep = b""
        if data.endswith(b"\r"):  # may be half of CR LF
            data, keep = data[:-1], b"\r"
        lines = _plain(data).split(b"\n")
        rest = lines.pop() + keep
        if len(rest) > LIMIT_MESSAGE_BYTES:
            lines.append(rest)
            rest = b""
        yield from _clean(lines, framing)
    yield from _clean(_plain(rest).split(b"\n"), framing)


def _plain(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(_END, b"\n")


def _clean(lines: list[bytes], framing: Framing) -> Iterator[bytes]:
    for line in lines:
        if not line.strip():
            continue
        whole = line.lstrip(b" \t" + _START + BOM)
        if not (_SEGMENT.match(whole) or _HEADER.match(whole)):
            whole = line.removeprefix(_START)
        if whole.count(b"MSH|^~\\&") > (1 if whole.startswith(b"MSH|^~\\&") else 0):
            apart = _MIDDLE.sub(b"\n", whole).split(b"\n")
            framing.on_one_line += len(apart) - 1
            yield from apart
        elif whole.strip():
            yield whole


def decode(raw: bytes, framing: Framing, fallback: str = "utf-8") -> str:
    """The text of a message, by its MSH-18.

    Where that is not what the bytes are, but they are UTF-8 all the same, they are read so and counted.

    Raises:
        BadMessage: M6, the bytes are in no encoding that it names; M7, control characters.
    """
    text = raw.decode("ascii") if raw.isascii() else _decode(raw, framing, fallback)
    if _CONTROLS.search(text):
        raise BadMessage("M7")
    return text


def _decode(raw: bytes, framing: Framing, fallback: str) -> str:
    said = _charset(raw)
    encoding = _ENCODINGS.get(said, "") if said else fallback
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text and encoding in {"utf-8", "windows-1252", "iso-8859-15", ""}:
        if encoding != "utf-8":
            framing.encodings[said] += 1
        return text
    try:
        return raw.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        raise BadMessage("M6") from None


def _charset(raw: bytes) -> str:
    """What MSH-18 says (its first repetition), in capitals; "" where it says nothing."""
    first = raw.split(b"\n", 1)[0].decode("latin-1")
    delimiters, _ = delimiters_of(first)
    fields = first.split(delimiters.field)
    written = fields[17] if len(fields) > 17 else ""
    if delimiters.repetition:
        written = written.split(delimiters.repetition)[0]
    return written.strip().upper()
