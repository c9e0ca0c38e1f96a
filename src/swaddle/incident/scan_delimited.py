"""Text in lines: tables of any delimiter, records of fixed width, or plain text; lines of any length.

The rows themselves are told apart by intake/readers/scan.py, so that an open quotation mark swallows none of them.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from swaddle.incident.scan_fixed import fixed
from swaddle.incident.scan_header import TOP_ROWS, header_of
from swaddle.incident.scan_source import MEBIBYTE, Rows, Source, Table
from swaddle.incident.scan_text import plain_text
from swaddle.intake import opened
from swaddle.intake.marks import BOM, wide_encoding
from swaddle.intake.readers.scan import Scanner, lines_of
from swaddle.intake.sheet import CELL, LIMIT_COLUMNS

_DELIMITERS = ",;\t|^~:\x01\x02"
_SAMPLE_PLACES = 8
_SAMPLE_BYTES = 64 * 1024
_LOOKED_AT = 200  # lines
_SEPARATOR = re.compile(rb"sep=(.)\r?$", re.IGNORECASE)
_UNDER_CONTROL = bytes.maketrans(b"\x01\x02", b"\t\t")


def text_tables(source: Source) -> Iterator[Table]:
    """The one table that a text is."""
    wide = wide_encoding(source.head)
    if wide:
        source = _narrowed(source, wide)
    end = b"\r" if b"\n" not in source.head and b"\r" in source.head else b"\n"
    encoding = encoding_of(source.head)
    lines = _first_lines(source.head, end, whole=source.whole())
    delimiter = delimiter_of([each.decode(encoding, "replace") for each in lines])
    if delimiter and lines:
        yield _delimited(source, lines, delimiter, end, encoding)
        return
    table = fixed(source, lines, end, encoding)
    if table is None and len(lines) > 1 and _is_list(lines, encoding):
        table = _delimited(source, lines, ",", end, encoding)
    yield table or plain_text(source, encoding)


def encoding_of(head: bytes) -> str:
    """UTF-8 where it is that, else Latin-1, which reads everything."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def delimiter_of(lines: Sequence[str]) -> str:
    """What parts the cells: what stands equally often in most lines; "" where nothing does."""
    best, best_score = "", 0.0
    filled = [each for each in lines if each.strip()][:_LOOKED_AT]
    if not filled:
        return ""
    for delimiter in _DELIMITERS:
        if not any(delimiter in each for each in filled):
            continue
        counts = Counter(_cells(each, delimiter) for each in filled)
        width, times = max(counts.items(), key=lambda each: (each[1] * (each[0] > 1), each[0]))
        share = times / len(filled)
        if width < 2 or share < 0.6 or (delimiter in ":~^" and (share < 0.95 or len(filled) < 3 or width < 3)):
            continue
        score = share * min(width, 30) ** 0.5
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _cells(line: str, delimiter: str) -> int:
    if '"' not in line:
        return line.count(delimiter) + 1
    try:
        return len(next(csv.reader([line], delimiter=delimiter)))
    except (csv.Error, StopIteration):
        return 1


def _parted(line: str, delimiter: str) -> list[str]:
    """One line's cells; a value that goes on over several lines is cut here, which matters for nothing but a look."""
    try:
        return next(csv.reader([line.replace("\0", " ")], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


def _is_list(lines: Sequence[bytes], encoding: str) -> bool:
    """A table of one column: short lines, no sentences."""
    texts = [each.decode(encoding, "replace").strip() for each in lines[:_LOOKED_AT]]
    return all(len(each) <= 80 and each.count(" ") <= 4 for each in texts)


def _first_lines(head: bytes, end: bytes, *, whole: bool) -> list[bytes]:
    lines = head.removeprefix(BOM).split(end)
    if not whole and len(lines) > 1:
        lines.pop()
    return [each.removesuffix(b"\r") for each in lines if each.strip()][: 2 * _LOOKED_AT]


def _delimited(source: Source, lines: list[bytes], delimiter: str, end: bytes, encoding: str) -> Table:
    if separator := _SEPARATOR.match(lines[0]):
        delimiter = separator[1].decode("latin-1")
    control = delimiter in "\x01\x02"
    if control:
        lines, delimiter = [each.translate(_UNDER_CONTROL) for each in lines], "\t"
    top = [_parted(each.decode(encoding, "replace"), delimiter) for each in lines]
    widths = Counter(map(len, top))
    width = max(widths, key=lambda each: (widths[each], each)) if widths else 1
    lead = 1 if separator else 0
    above = [[*each[:width]] if len(each) > width else each for each in top[lead : lead + 2 * TOP_ROWS + 200]]
    skip, names = header_of([each for each in above if len(each) <= width])
    names = (*names, *[""] * (width - len(names)))[:width]
    skip = min(skip + lead, len(lines))
    spoilt = [0]

    def rows() -> Iterator[Rows]:
        scanner = Scanner(delimiter, encoding, min(width, LIMIT_COLUMNS), first_line=1)
        left = 0 if source.begin else skip
        for block, last in lines_of(_lines_in(source, end, control=control), end):
            taken = block
            while left and taken:
                left -= bool(taken[0].removeprefix(BOM).strip())
                taken = taken[1:]
            for at in range(0, len(taken), 4096) if taken else (0,):
                text = scanner.feed(taken[at : at + 4096], last=last and at + 4096 >= len(taken))
                spoilt[0] += len(scanner.broken)
                scanner.broken.clear()
                if text:
                    yield [row.split(CELL) for row in text[:-1].split("\n")]

    samples = _samples(source, delimiter, end, encoding, width) if not control else []
    if source.is_part:  # every part must know the columns by the same rows
        samples = [["", *row] for row in top[skip:] if len(row) == width] + samples
    return Table("csv", names, rows(), spoilt, samples, apart=source.is_part)


def _lines_in(source: Source, end: bytes, *, control: bool) -> Iterator[bytes]:
    first = True
    for piece in source.part_of_lines(end):
        data = piece.removeprefix(BOM) if first else piece
        first = False
        yield data.translate(_UNDER_CONTROL) if control else data


def _samples(source: Source, delimiter: str, end: bytes, encoding: str, width: int) -> list[Sequence[str]]:
    """Rows from places all over a file that can be read anywhere."""
    if source.fd is None or source.size_bytes is None or source.size_bytes < 4 * MEBIBYTE:
        return []
    found: list[Sequence[str]] = []
    for place in range(1, _SAMPLE_PLACES + 1):
        at = source.size_bytes * place // (_SAMPLE_PLACES + 1)
        lines = opened.read_piece(source.fd, _SAMPLE_BYTES, at).split(end)[1:-1][:50]
        texts = (each.decode(encoding, "replace") for each in lines)
        try:
            found += [["", *row] for row in csv.reader(texts, delimiter=delimiter) if len(row) == width]
        except csv.Error:
            continue
    return found


def _narrowed(source: Source, wide: str) -> Source:
    """The same text in UTF-8."""
    decoder = codecs.getincrementaldecoder(wide)("replace")

    def pieces() -> Iterator[bytes]:
        for piece in source.all():
            yield decoder.decode(piece).encode()

    stream = pieces()
    head = next(stream, b"")
    return Source(stream, head, len(head) if source.whole() else None)
