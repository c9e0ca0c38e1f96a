"""Records of fixed width: of a layout that is known, or with columns guessed from where the characters change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from swaddle.incident.scan_source import Rows, Source, Table
from swaddle.intake.mapping import load_builtin
from swaddle.intake.marks import BOM
from swaddle.intake.readers.betrayed import recognise_records
from swaddle.intake.readers.scan import LIMIT_LINE_BYTES, lines_of
from swaddle.intake.written import FIXED

_DATE = re.compile(r"[12][0-9]{3}[-/.][01][0-9][-/.][0-3][0-9]")
_LEAST_LENGTH = 20
_LEAST_LINES = 3


def fixed(source: Source, lines: Sequence[bytes], end: bytes, encoding: str) -> Table | None:
    """The table of a fixed-width file; None where its lines are of all lengths.

    Args:
        source: the file.
        lines: the first ones.
        end: of its lines.
        encoding: of its text.
    """
    known = _known(source)
    if known is not None:
        names, places = known
        return Table("fixed", names, _cut(source, end, encoding, places))
    lengths = [len(each) for each in lines]
    if len(lines) < _LEAST_LINES or max(lengths) < _LEAST_LENGTH:
        return None
    usual = max(set(lengths), key=lengths.count)
    if lengths.count(usual) < 0.9 * len(lengths) or usual > LIMIT_LINE_BYTES:
        return None
    places = guessed([each.decode(encoding, "replace") for each in lines if len(each) == usual])
    if len(places) < 2:
        return None
    return Table("fixed", ("",) * len(places), _cut(source, end, encoding, places))


def _known(source: Source) -> tuple[tuple[str, ...], list[tuple[int, int]]] | None:
    """The columns of a layout of the built-in mappings that the records betray."""
    layouts = {name: each for name, each in load_builtin().items() if each.format == FIXED}
    try:
        name = recognise_records(
            source.head[: 512 * 1024],
            source.size_bytes or len(source.head) * 2,
            {key: (each.writing, each.encoding) for key, each in layouts.items()},
        )
    except Exception:  # noqa: BLE001  two layouts fit, or the bytes fit none: the columns are guessed instead
        return None
    positions = layouts[name].writing.positions if name is not None else None
    return (positions.names, list(positions.places)) if positions is not None else None


def guessed(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Where columns begin and end: where all lines are blank, and where digits and letters change in all of them."""
    width = min(map(len, lines))
    kinds = []
    for place in range(width):
        signs = {each[place] for each in lines}
        blank = sum(each[place] == " " for each in lines) / len(lines)
        digits = all(each.isdigit() or each in " -/." for each in signs)
        kinds.append(("blank" if blank == 1 else "digits" if digits else "letters", blank))
    places, start = [], 0
    for place in range(1, width + 1):
        before, now = kinds[place - 1], kinds[place] if place < width else ("end", 0.0)
        # A column of text is filled from its left: far fewer blanks than right before it means that one begins.
        begins = now[0] != before[0] or (now[0] == "letters" and before[1] - now[1] > 0.25)
        if begins:
            if before[0] != "blank":
                places += _date_apart(lines, start, place)
            start = place
    return places


def _date_apart(lines: Sequence[str], start: int, stop: int) -> list[tuple[int, int]]:
    """A column of digits that begins with a date, `1988-04-031000000008`, is two."""
    after = start + 10
    if after < stop and all(_DATE.match(each, start) for each in lines):
        return [(start, after), (after, stop)]
    return [(start, stop)]


def _cut(source: Source, end: bytes, encoding: str, places: Sequence[tuple[int, int]]) -> Iterator[Rows]:
    slices = [slice(*each) for each in places]
    for lines, _ in lines_of(source.part_of_lines(end), end):
        rows: Rows = []
        for line in lines:
            text = line.removeprefix(BOM).decode(encoding, "replace")
            if text.strip():
                rows.append(["", *(text[each].strip() for each in slices)])
        if rows:
            yield rows
