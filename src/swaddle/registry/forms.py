"""The form of a registry's home: one number, written in its small database; every change of meaning adds one.

    1    homes from before the number; nothing says it
    2    the same, with the number: columns and tables of every earlier version brought to today's

A table or a column that only comes in addition gets no number: it is made when the registry is opened. What a number
stands for is done by `registry upgrade` alone, behind a backup. A program refuses a home of another number.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from swaddle.canonical import format_instant
from swaddle.errors import SettingsFault
from swaddle.registry.backup_contents import STATE
from swaddle.registry.state import State

FIRST, PRESENT = 1, 2
SCHEMA = "create table if not exists migrations (number integer primary key, done_at text not null) strict;"


class FormNewer(SettingsFault):
    """The home was made or upgraded by a newer version."""

    code = "SWD-FORM-01"
    what = "this registry's home is of a newer form than this version knows"
    why = "its form is {found}, this version works on {present}; nothing was changed"
    fix = "install the version that made it, or restore a backup from before its upgrade into another home"


class FormOlder(SettingsFault):
    """The home is of an older version."""

    code = "SWD-FORM-02"
    what = "this registry's home is of an older form"
    why = "its form is {found}, this version works on {present}"
    fix = "stop `swaddle registry run`, then run `swaddle registry upgrade`; it makes a backup first"


def form_of(home: Path) -> int | None:
    """The number of a home; None where there is no registry in it yet, which is then of the present form.

    Raises:
        SettingsFault: the small database cannot be read.
    """
    path = home / STATE
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
            return number_in(connection)
    except sqlite3.Error as error:
        raise SettingsFault("the registry's small database cannot be read") from error


def number_in(connection: sqlite3.Connection) -> int | None:
    """The number that a small database says; None where no gateway was claimed yet."""
    tables = {row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")}
    if "migrations" in tables:
        row = connection.execute("select max(number) from migrations").fetchone()
        if row[0] is not None:
            return int(row[0])
    if "facts" not in tables:
        return None
    is_claimed = connection.execute("select 1 from facts where name = 'journal_key'").fetchone()
    return FIRST if is_claimed else None


def check(home: Path) -> None:
    """Refuse a home that this version does not work on.

    Raises:
        FormNewer, FormOlder: it is of another form; nothing was changed.
    """
    found = form_of(home)
    if found is not None and found > PRESENT:
        raise FormNewer(found=found, present=PRESENT)
    if found is not None and found < PRESENT:
        raise FormOlder(found=found, present=PRESENT)


def stamp(state: State, at: datetime, number: int = PRESENT) -> None:
    """Say that a home is of this form, in one transaction; again is fine.

    Raises:
        DiskFault: the disk said no; the form is as it was.
    """
    state.prepare(SCHEMA)
    state.run("insert or ignore into migrations values (?, ?)", (number, format_instant(at)))
