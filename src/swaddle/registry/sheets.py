"""Taking one opened file in, sheet by sheet: most files are one sheet; a workbook or a file of messages may be several.

Several sheets are loads of their own, in the order in which their records can look one another up; one that cannot be
taken does not sink the others. A kill goes on behind the last sheet that was committed.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

from swaddle.errors import FileFault, UsageFault
from swaddle.intake import shelf
from swaddle.intake.lookups import Beside
from swaddle.intake.mapping import Mapping
from swaddle.intake.merged import name_of
from swaddle.intake.read import in_order, layout_of, read_sheets
from swaddle.intake.sheet import Sheet
from swaddle.registry import loads, merging
from swaddle.registry.inside import Registry
from swaddle.registry.submission import Load
from swaddle.registry.taking import OneFile, nothing_stored, take_sheet


@dataclass(frozen=True)
class Taken:
    """What became of a file: its load, its layout's name where it has one, and whether nothing of it was stored."""

    load: Load
    kind: str | None
    refused: bool


def take_file(inside: Registry, descriptor: int, digest: str, one: OneFile, at: datetime) -> Taken:
    """Read, check, link and store what lies opened in `descriptor`.

    Raises:
        FileFault, UsageFault: it cannot be read as a data set at all; nothing is stored.
        DiskFault: there is no room; nothing of the sheet counts.
    """
    known = shelf.known(inside.home / shelf.FOLDER)
    kind = one.kind if one.kind in known else None
    sheets = read_sheets(descriptor, os.fstat(descriptor).st_size, kind=kind, mapping=None, known=known)
    try:
        if len(sheets) == 1:
            layout = layout_of(sheets[0], kind=kind, mapping=None, known=known)
            with closing(inside.store.cursor()) as tables:
                beside = Beside(more_follow=False)
                load, checked = take_sheet(inside, tables, sheets[0], layout, digest, one, at, beside)
            return Taken(load, checked.kind, checked.refused)
        laid = in_order(inside.store.dictionary, sheets, kind=kind, mapping=None, known=known)
        beside = Beside()
        with closing(inside.store.cursor()) as tables:
            for number, (sheet, its_layout) in enumerate(laid, start=1):
                own = replace(one, sheet=number, name=_name(one, sheet, number))
                if loads.load_of(inside.store.connection, own.transfer, own.member, own.sheet) is None:
                    take_one_of_several(inside, tables, sheet, its_layout, digest, own, at, beside)
    finally:
        for each in sheets:
            each.close()
    return sum_up(inside, one, at)


def take_one_of_several(
    inside: Registry,
    tables: duckdb.DuckDBPyConnection,
    sheet: Sheet,
    layout: Mapping | FileFault,
    digest: str,
    own: OneFile,
    at: datetime,
    beside: Beside,
) -> None:
    """One sheet of several: stored, or refused on its own with its reason."""
    try:
        if isinstance(layout, FileFault):
            raise layout
        take_sheet(inside, tables, sheet, layout, digest, own, at, beside)
    except (FileFault, UsageFault) as reason:
        nothing_stored(inside, own, "refused", reason, at, rows_read=sheet.read)


def sum_up(inside: Registry, one: OneFile, at: datetime) -> Taken:
    """The row of a file of several sheets, or of a pack of files: its report is made of theirs."""
    is_pack = one.member == 0 and loads.load_of(inside.store.connection, one.transfer, 1) is not None
    of_which = (
        "member > 0 and sheet = 0 order by member" if is_pack else "member = $member and sheet > 0 order by sheet"
    )
    whole = merging.Merged(one.transfer, "file" if is_pack else "sheet")
    with closing(inside.store.cursor()) as tables:
        tables.execute(
            "select outcome, kind, rows_read, rows_stored, rows_rejected, rows_duplicate, warnings, not_carried,"
            " report, rejected from clinical.loads join identifiers.reports using (load_id)"
            f" where loads.transfer = $transfer and {of_which}",
            {"transfer": one.transfer} | ({} if is_pack else {"member": one.member}),
        )
        while rows := tables.fetchmany(100):
            for row in rows:
                whole.add(merging.MemberResult(*row))
    submission = whole.submission(one, inside.store.dictionary.version, at)
    with closing(inside.store.cursor()) as tables:
        load = loads.store_pack(inside.store, tables, submission)
    return Taken(load, submission.kind, submission.outcome != "stored")


def _name(one: OneFile, sheet: Sheet, number: int) -> str:
    """What a sheet is called in the report: by what it holds, and its number."""
    own = name_of(sheet, number)
    return own if one.name is None else f"{one.name}, {own}"
