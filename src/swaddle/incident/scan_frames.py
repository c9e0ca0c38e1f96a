"""What goes between the scan and its reading processes, and the form of a person's key. Pure.

A question: one JSON object. Then frames: a sign, the number of a file, a bucket, a length, that many bytes. A reading
process may have been taken over by what it reads: every frame is judged by its form; all it can do is
lie in counts.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import msgspec

from swaddle.errors import OurBug
from swaddle.incident.columns_persons import NAMED, Known
from swaddle.incident.scan_file import TableSaid, Trouble

BUCKETS = 256
HEADER = struct.Struct("<cIBI")
PERSONS, NAMES, PROGRESS, DONE = b"P", b"N", b"T", b"D"
PERSON = struct.Struct("<8sBBiiI")  # key, kind, category, first, last day, file
NAMED_PERSON = struct.Struct("<8s8sBiiI")  # key of the name, of the number or zeros, category, first, last day, file
LIMIT_FRAME_BYTES = 8 * 1024 * 1024
SIZES = {PERSONS: PERSON.size, NAMES: NAMED_PERSON.size}


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a question: its descriptor, size, number, what stands for its folder, its day."""

    fd: int
    size_bytes: int
    number: int
    scope: str
    today: int
    begin: int = 0
    stop: int | None = None


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reading process is asked."""

    secret: str
    files: tuple[Asked, ...]
    engine: bool


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reading process says of one file."""

    tables: tuple[TableSaid, ...] = ()
    troubles: tuple[Trouble, ...] = ()


class Unfit(OurBug):
    """A reading process sent what no sound one sends."""

    code = "SWD-SCAN-01"
    what = "a reading process of the scan answered in a form that does not exist"
    why = "a file that it read may have taken it over"
    fix = "look at the file that is named as unreadable on a machine that is worth nothing"


def frames_of(found: Mapping[Known, tuple[int, int]], number: int) -> list[bytes]:
    """Persons as frames, one for each bucket."""
    persons: list[list[bytes]] = [[] for _ in range(BUCKETS)]
    names: list[list[bytes]] = [[] for _ in range(BUCKETS)]
    for (strong, other, category, kind), (first, last) in found.items():
        if kind == NAMED:
            names[other[0]].append(NAMED_PERSON.pack(other, b"", category, first, last, number))
            continue
        if strong and other:
            names[other[0]].append(NAMED_PERSON.pack(other, strong, category, first, last, number))
        key = strong or other
        persons[key[0]].append(PERSON.pack(key, kind, category, first, last, number))
    parted = ((PERSONS, persons), (NAMES, names))
    return [
        frame(sign, number, bucket, b"".join(rows)) for sign, all_ in parted for bucket, rows in enumerate(all_) if rows
    ]


def frame(sign: bytes, number: int, bucket: int, payload: bytes) -> bytes:
    """One frame."""
    return HEADER.pack(sign, number, bucket, len(payload)) + payload


def said_of(payload: bytes) -> Said:
    """What was said of a file.

    Raises:
        Unfit: it is in no such form.
    """
    try:
        return msgspec.json.decode(payload, type=Said)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unfit from None


def checked(sign: bytes, size: int) -> None:
    """That a frame is of a known kind and size.

    Raises:
        Unfit: it is not.
    """
    if sign not in {PERSONS, NAMES, PROGRESS, DONE} or size > LIMIT_FRAME_BYTES or size % SIZES.get(sign, 1):
        raise Unfit
