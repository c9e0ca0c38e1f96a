"""What a thief would be glad of: strings out of everything that was sent, and every party's secrets.

Names, health card numbers and local ids are looked for as they stand in the files; birth dates with what stands before
them (a date alone is in any log); each row as a line of text. Of a Parquet file, where a row is no run of bytes, each
row is looked for as the line of text that it would be once read, and the file itself by 48 bytes out of every 4 KiB.
Secrets are looked for as bytes, in hex and in base64.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from enum import IntEnum
from pathlib import Path

from swaddle.demo import layout
from swaddle.demo.search import LEAST_BYTES

WINDOW_STEP_BYTES = 4_096
WINDOW_BYTES = 48
_LEAST_KINDS = 16  # of byte values in a window; fewer is padding that any file has


class Category(IntEnum):
    """What a needle is, for counting."""

    NAME = 0
    CARD = 1
    LOCAL_ID = 2
    BIRTH_DATE = 3
    ROW = 4
    PIECE = 5
    KEY = 6
    TOKEN = 7
    MARKER = 8
    CONTROL = 9


PERSONAL = (Category.NAME, Category.CARD, Category.LOCAL_ID, Category.BIRTH_DATE)
SENT = (*PERSONAL, Category.ROW, Category.PIECE)
SECRET = (Category.KEY, Category.TOKEN)


def of_births(header: list[bytes], lines: Iterable[bytes]) -> Iterator[tuple[bytes, Category]]:
    """The needles in lines of the plain births layout (no field of the made-up files needs quotes).

    Raises:
        ValueError: the header lacks one of the columns above.
    """
    at = {name.decode(): place for place, name in enumerate(header)}
    names = [(_place(at, first), _place(at, last)) for first, last in layout.NAMES]
    numbers = [(_place(at, column), Category.CARD) for column in layout.CARDS]
    numbers += [(_place(at, column), Category.LOCAL_ID) for column in layout.LOCAL_IDS]
    dates = [_place(at, column) for column in layout.BIRTH_DATES]
    for line in lines:
        yield line, Category.ROW
        fields = line.split(b",")
        if len(fields) == len(header):  # a torn row is looked for as the line it is
            yield from ((_long_enough(fields, *place), Category.NAME) for place in names if fields[place[0]])
            yield from ((fields[place], kind) for place, kind in numbers if len(fields[place]) >= LEAST_BYTES)
            yield from ((_dated(fields, place), Category.BIRTH_DATE) for place in dates if fields[place])


def of_rows(lines: Iterable[bytes]) -> Iterator[tuple[bytes, Category]]:
    """Rows as lines of text; lines too short to be looked for are passed over."""
    return ((line, Category.ROW) for line in lines if len(line) >= LEAST_BYTES)


def of_file(path: Path) -> Iterator[tuple[bytes, Category]]:
    """48 bytes out of each 4 KiB of a file, where they are not padding."""
    data = path.read_bytes()
    for start in range(0, len(data), WINDOW_STEP_BYTES):
        for place in range(start, min(start + WINDOW_STEP_BYTES, len(data)) - WINDOW_BYTES, WINDOW_BYTES):
            piece = data[place : place + WINDOW_BYTES]
            if len(set(piece)) >= _LEAST_KINDS and len(set(piece[:LEAST_BYTES])) > LEAST_BYTES // 2:
                yield piece, Category.PIECE
                break


def of_secret(secret: bytes, category: Category) -> Iterator[tuple[bytes, Category]]:
    """A secret as bytes, in hex, and in base64 at each of the three places it can stand in."""
    yield secret, category
    yield secret.hex().encode(), category
    yield secret.hex().upper().encode(), category
    for lead in range(3):
        # Characters that also hold bits of what stands before or behind are left out.
        text = base64.b64encode(b"\0" * lead + secret)
        whole = text[-(-lead * 8 // 6) : (lead + len(secret)) * 8 // 6]
        yield whole, category
        if (url := whole.translate(bytes.maketrans(b"+/", b"-_"))) != whole:
            yield url, category


def _place(at: dict[str, int], column: str) -> int:
    if column not in at:
        raise ValueError(f"the layout has no column {column}")
    return at[column]


def _dated(fields: list[bytes], place: int) -> bytes:
    """The date at `place` with what stands before it."""
    before = place - 1
    while before > 0 and not fields[before]:
        before -= 1
    return _long_enough(fields, before, place)


def _long_enough(fields: list[bytes], first: int, last: int) -> bytes:
    """The fields from `first` to `last` as they stand in the line, with more behind them where that is too short."""
    text = b",".join(fields[first : last + 1])
    while len(text) < LEAST_BYTES and last + 1 < len(fields):
        last += 1
        text = b",".join(fields[first : last + 1])
    return text
