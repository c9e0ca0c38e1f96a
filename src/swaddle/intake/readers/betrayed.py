"""Which fixed-width layout a file is of: it names no columns, so its records must betray it. Pure."""

from __future__ import annotations

from collections.abc import Mapping as Map
from typing import TypeVar

from swaddle.errors import FileFault
from swaddle.intake.faults import LayoutUnknown
from swaddle.intake.positions import Positions
from swaddle.intake.readers.cut import Cutter, Shape, survey
from swaddle.intake.sheet import CELL
from swaddle.intake.written import DIGITS, DIGITS_OR_BLANK, Writing, only

LOOKED_AT = 50  # records that recognition looks at
ENOUGH = 0.9  # of them that must be right: a slip in one does not make the file another
_SURPLUS = 100  # characters beyond a layout's length that a file of this layout may have

_Key = TypeVar("_Key")


def recognise_records(head: bytes, size_bytes: int, candidates: Map[_Key, tuple[Writing, str]]) -> _Key | None:
    """Which fixed-width layout the file that begins with `head` is of; None if it is of none.

    A layout fits where its records have the layout's length, or less in a file whose blanks were taken off, and the
    first LOOKED_AT of them, nearly all, hold in each column of `known_by` what they must. Of several that fit, the one
    with the most that is not blank there.

    Args:
        head: the start of the file.
        size_bytes: the file's size.
        candidates: the writing and the encoding of each layout.

    Raises:
        LayoutUnknown: two fit equally well.
    """
    fitting: dict[_Key, int] = {}
    for key, (writing, encoding) in candidates.items():
        if writing.positions is not None and writing.known_by:
            score = _score(head, size_bytes, writing, encoding)
            if score:
                fitting[key] = score
    best = sorted(fitting, key=lambda key: -fitting[key])
    if len(best) > 1 and fitting[best[0]] == fitting[best[1]]:
        raise LayoutUnknown("two layouts fit its records equally well")
    return best[0] if best else None


def _score(head: bytes, size_bytes: int, writing: Writing, encoding: str) -> int:
    """Columns of `known_by` that hold something in the records that are right; 0 where too few are."""
    positions = only(writing, writing.known_by)
    try:
        shape = survey(head, size_bytes, positions)
    except FileFault:
        return 0
    if shape.positions != positions or not _length_fits(shape, writing.positions or positions):
        return 0
    cutter = Cutter(shape, encoding)
    if shape.end:
        records = head.split(shape.end, LOOKED_AT)[:LOOKED_AT]
        records = records[:-1] if len(records) > 1 and len(head) < size_bytes else records
    else:
        records = [head[at : at + shape.usual] for at in range(0, shape.usual * LOOKED_AT, shape.usual)]
    rows = [line.split(CELL)[1:] for line in cutter.feed([each for each in records if each]).splitlines()]
    wanted = [writing.known_by[name] for name in positions.names]
    right = [row for row in rows if all(map(_holds, row, wanted))]
    if len(right) < ENOUGH * (len(rows) + len(cutter.broken)) or cutter.beyond:
        return 0  # what goes on beyond the length is another layout, or a later edition that must be named
    return sum(any(row[place] for row in right) for place in range(len(wanted)))


def _length_fits(shape: Shape, positions: Positions) -> bool:
    if shape.trimmed:
        return shape.usual <= positions.length
    return positions.needed <= shape.usual <= positions.length + _SURPLUS


def _holds(cell: str, wanted: tuple[str, ...]) -> bool:
    if wanted in {(DIGITS,), (DIGITS_OR_BLANK,)}:
        return cell.isdecimal() or (not cell and wanted == (DIGITS_OR_BLANK,))
    return cell in wanted
