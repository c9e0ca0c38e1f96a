"""Fixed-width files: surveyed, cut record by record, handed over as one sheet. Memory: a batch of records.

What a record is and what breaks one stands in readers/cut.py; where its columns are, in intake/positions.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from swaddle.errors import OurBug
from swaddle.intake import opened
from swaddle.intake.faults import EmptyFile, LayoutUnknown, Unreadable
from swaddle.intake.mapping import Mapping
from swaddle.intake.marks import BOM
from swaddle.intake.positions import Positions
from swaddle.intake.readers.betrayed import recognise_records
from swaddle.intake.readers.cut import SURVEY_BYTES, Cutter, Shape, idle_end, survey
from swaddle.intake.readers.how import How
from swaddle.intake.readers.scan import BLOCK_LINES, lines_of
from swaddle.intake.sheet import Sheet, SheetWriter
from swaddle.intake.tables import Finding
from swaddle.intake.written import FIXED, only

_TAIL_BYTES = 64
_NAMES_SHOWN = 100  # columns that nobody reads; a layout may have hundreds, and the mapping lists them all
_GLANCE_BYTES = 512 * 1024  # enough for the records that recognition looks at


def read(source_fd: int, size_bytes: int, how: How) -> list[Sheet]:
    """The sheet of a file of the layout that was named, or of one that its records betray.

    Only columns that the mapping reads are cut; the names of the others are a finding.

    Raises:
        LayoutUnknown: none of the fixed-width layouts fits, or two do equally well.
        FileFault: as `read_fixed`.
    """
    mapping = how.mapping or recognised(source_fd, size_bytes, how)
    if mapping is None or mapping.writing.positions is None:
        raise LayoutUnknown("its records are of no known fixed-width layout")
    used = mapping.columns()
    return read_fixed(
        source_fd,
        size_bytes,
        only(mapping.writing, used),
        mapping.encoding,
        layout=mapping.name,
        unread=_unread(mapping),
        limit_bytes=how.limits.sheet_bytes,
    )


def recognised(source_fd: int, size_bytes: int, how: How) -> Mapping | None:
    """The fixed-width layout whose records these are, if any known one.

    Raises:
        LayoutUnknown: two fit equally well.
    """
    start, end = _bounds(source_fd, size_bytes)
    head = opened.read_piece(source_fd, min(_GLANCE_BYTES, end - start), start)
    fixed = {each.name: each for each in how.mappings if each.format == FIXED}
    name = recognise_records(head, end - start, {key: (each.writing, each.encoding) for key, each in fixed.items()})
    return fixed[name] if name is not None else None


def _unread(mapping: Mapping) -> tuple[str, ...]:
    used = {each.strip().casefold() for each in mapping.columns()}
    return tuple(each for each in mapping.writing.columns if each.strip().casefold() not in used)


def read_fixed(
    source_fd: int,
    size_bytes: int,
    positions: Positions,
    encoding: str,
    *,
    layout: str = "",
    unread: Sequence[str] = (),
    limit_bytes: int | None = None,
) -> list[Sheet]:
    """The records of a fixed-width file as one sheet; `line` is the record's number.

    Args:
        source_fd: open for reading; its position does not matter.
        size_bytes: how much of it is the file.
        positions: where the columns stand.
        encoding: the file's.
        layout: the mapping's name.
        unread: columns of the layout that are not among the positions.
        limit_bytes: the most that its rows may take in memory; None leaves it at the sheet's own.

    Raises:
        EmptyFile: not one record.
        HeaderFault: its records are too short for any column.
        Unreadable: it became shorter, or has no line ends and a wrong size.
        TooLarge: its rows are more than the limit.
    """
    start, end = _bounds(source_fd, size_bytes)
    head = opened.read_piece(source_fd, min(SURVEY_BYTES, end - start), start)
    if not head.strip():
        raise EmptyFile("nothing but blanks")
    shape = survey(head, end - start, positions)
    cutter = Cutter(shape, encoding)
    limit = opened.MEMORY_FILE_LIMIT_BYTES if limit_bytes is None else limit_bytes
    names = shape.positions.names
    with SheetWriter("", names, layout=layout, where="record", format=FIXED, limit_bytes=limit) as writer:
        for records in _records(source_fd, start, end, shape):
            rows = cutter.counts.rows
            text = cutter.feed(records)
            writer.add_scanned(text, cutter.counts.rows - rows)
            for each in cutter.broken:
                writer.broken(each.line, each.why, each.raw)
            cutter.broken.clear()
        writer.findings += findings_of(cutter, unread)
        counts = cutter.counts
        sheet = writer.close()
    if (sheet.rows, sheet.broken) != (counts.rows, counts.broken) or not counts.add_up(0):
        sheet.close()
        raise OurBug("a fixed-width file was read and its counts do not add up")
    return [sheet]


def findings_of(cutter: Cutter, unread: Sequence[str]) -> list[Finding]:
    """What is to be said about the file as a whole."""
    found = []
    first = cutter.shape.positions.length + 1
    beyond = [f"characters {first} to {first + cutter.beyond - 1} of every record"] if cutter.beyond else []
    if names := [*beyond, *unread]:
        shown = names[:_NAMES_SHOWN]
        more = [f"and {len(names) - len(shown)} more"] if len(names) > len(shown) else []
        found.append(Finding("H3", facts={"names": ", ".join([*shown, *more])}))
    if cutter.counts.blank:
        found.append(Finding("H4", count=cutter.counts.blank))
    if cutter.early:
        found.append(Finding("H20", count=cutter.early))
    return found


def _bounds(source_fd: int, size_bytes: int) -> tuple[int, int]:
    """Where the records begin and end: after a byte order mark, before idle bytes at the end."""
    start = len(BOM) if opened.read_piece(source_fd, len(BOM), 0) == BOM else 0
    tail_bytes = min(_TAIL_BYTES, size_bytes - start)
    return start, size_bytes - idle_end(opened.read_piece(source_fd, tail_bytes, size_bytes - tail_bytes))


def _records(source_fd: int, start: int, end: int, shape: Shape) -> Iterator[list[bytes]]:
    """Whole records without their ends, some thousands at a time."""
    seen = 0

    def pieces() -> Iterator[bytes]:
        nonlocal seen
        for piece in opened.chunks(source_fd, end):
            seen += len(piece)
            yield piece[start:] if seen == len(piece) else piece

    lined = (records for records, _ in lines_of(pieces(), shape.end)) if shape.end else None
    for records in lined or _unended(pieces(), shape.usual):
        for at in range(0, len(records), BLOCK_LINES):
            yield records[at : at + BLOCK_LINES]
    if seen != end:
        raise Unreadable("it became shorter while it was read")


def _unended(pieces: Iterator[bytes], length: int) -> Iterator[list[bytes]]:
    """Records that follow each other without line ends."""
    rest = b""
    for piece in pieces:
        held = rest + piece
        whole = len(held) - len(held) % length
        yield [held[at : at + length] for at in range(0, whole, length)]
        rest = held[whole:]
    yield [rest] if rest else []
