"""From an opened file to tables of text: what it is, which layout, every row with its line.

The file's own bytes are parsed in a process apart (intake/wall), which hands over sheets; intake/staging.py loads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Map

import duckdb

from swaddle.dictionary.model import RECORD_TYPES, Dictionary
from swaddle.errors import FileFault
from swaddle.intake import opened
from swaddle.intake.faults import HeaderFault, LayoutUnknown
from swaddle.intake.mapping import UNKNOWN, Mapping, by_kind, load_builtin, recognise
from swaddle.intake.marks import HEAD_BYTES
from swaddle.intake.merged import place_of
from swaddle.intake.readers.how import How
from swaddle.intake.sheet import Sheet
from swaddle.intake.sniff import FHIR, NDJSON, names_a_resource, sniff
from swaddle.intake.staging import looks_like_a_row, stage
from swaddle.intake.tables import Staged
from swaddle.intake.wall.apart import read_apart

Laid = tuple[Sheet, Mapping | FileFault]  # a sheet with its layout, or why it has none


def read(
    source_fd: int,
    size_bytes: int,
    *,
    kind: str | None,
    mapping: Mapping | None,
    known: Map[str, Mapping] | None = None,
    file_digest: str,
    connection: duckdb.DuckDBPyConnection,
) -> Staged:
    """Read a file of one sheet into staged_raw and staged_broken (intake/tables.py).

    Args:
        source_fd: open for reading; its position is neither used nor moved.
        size_bytes: how much of it is the file.
        kind: a known layout's name; None, or "unknown" from a sender who cannot tell, recognises it by the columns.
        mapping: a mapping of one's own, whatever is known.
        known: the layouts by name (intake/shelf.py); None is the built-in ones.
        file_digest: SHA-256 of the file, hex; stands in for record numbers where a layout has none.
        connection: from `engine.connect`.

    Raises:
        FileFault: the file as a whole cannot be taken; what, why and fix are in it. KindUnknown is one of them.
    """
    sheets = read_sheets(source_fd, size_bytes, kind=kind, mapping=mapping, known=known)
    try:
        layout = layout_of(sheets[0], kind=kind, mapping=mapping, known=known)
        return stage(sheets[0], layout, file_digest=file_digest, connection=connection)
    finally:
        for each in sheets:
            each.close()


def read_sheets(
    source_fd: int,
    size_bytes: int,
    *,
    kind: str | None,
    mapping: Mapping | None,
    known: Map[str, Mapping] | None = None,
) -> list[Sheet]:
    """The sheets of a file, one for each form that it holds; whoever takes them closes them.

    Raises:
        FileFault: as `read`.
    """
    among = load_builtin() if known is None else known
    named = _named(kind, mapping, among)
    what = sniff(opened.read_piece(source_fd, min(HEAD_BYTES, size_bytes), 0), size_bytes)
    if what == NDJSON and names_a_resource(opened.chunks(source_fd, size_bytes)):
        what = FHIR
    layouts = tuple(among.values()) if named is None else (named,)
    return read_apart(source_fd, size_bytes, How(kind=what, mappings=layouts, named=named is not None))


def layout_of(
    sheet: Sheet, *, kind: str | None, mapping: Mapping | None, known: Map[str, Mapping] | None = None
) -> Mapping:
    """The layout of a sheet: the one that was named, that its reader knew it by, or that its columns belong to.

    Raises:
        LayoutUnknown: none fits.
        HeaderFault: its first line is data, not names.
    """
    among = load_builtin() if known is None else known
    named = _named(kind, mapping, among)
    if named is not None:
        return named
    if sheet.layout:
        return by_kind(sheet.layout, among)
    try:
        return recognise(sheet.columns, among.values())
    except LayoutUnknown:
        if looks_like_a_row(sheet.columns):
            raise HeaderFault("it looks like data, not like names") from None
        raise


def in_order(
    dictionary: Dictionary,
    sheets: Iterable[Sheet],
    *,
    kind: str | None,
    mapping: Mapping | None,
    known: Map[str, Mapping] | None = None,
) -> list[Laid]:
    """Each sheet with its layout, or why it has none; those first whose records others look up."""

    def laid(sheet: Sheet) -> Laid:
        try:
            return sheet, layout_of(sheet, kind=kind, mapping=mapping, known=known)
        except FileFault as fault:
            return sheet, fault

    def place(of: Laid) -> int:
        return len(RECORD_TYPES) if isinstance(of[1], FileFault) else place_of(dictionary, of[1].form)

    return sorted(map(laid, sheets), key=place)


def _named(kind: str | None, mapping: Mapping | None, among: Map[str, Mapping]) -> Mapping | None:
    if mapping is None and kind not in {None, UNKNOWN}:
        return by_kind(str(kind), among)
    return mapping
