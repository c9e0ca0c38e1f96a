"""The rejected rows as a CSV file that a spreadsheet can open without danger and that reads back as it was."""

from __future__ import annotations

import csv
import io
import re
from typing import BinaryIO

import duckdb

ADDED = ("line", "field", "value", "rule", "reason", "fix")
_ROWS_A_TIME = 2000
_SIGNS = frozenset("'=+-@\t\r")
_DANGEROUS = re.compile(r"'*[=+\-@\t\r]")


def guard(cell: str) -> str:
    """`cell` with an apostrophe before what a spreadsheet would run as a formula.

    Reading takes exactly one such apostrophe off again (readers/scan.py), so a corrected file can be sent as it is. A
    cell that already begins with apostrophes and one of those signs gets one more, so that the way back is unambiguous.
    """
    return "'" + cell if _DANGEROUS.match(cell) else cell


def write_rejected_csv(connection: duckdb.DuckDBPyConnection, out: BinaryIO) -> int:
    """Write the rejected rows after `validate`: the file's own columns, then line, field, value, rule, reason, fix.

    One line a row; where several errors reject it, they stand side by side, apart by ` | `. Of a line that is no row
    only its text is left, in `value`.

    Args:
        connection: in which `validate` ran.
        out: takes UTF-8 CSV with CR LF.

    Returns:
        The number of rows written.
    """
    columns = [name for (name,) in connection.execute("SELECT name FROM checked_columns ORDER BY place").fetchall()]
    told_of = {
        (rule, field): (reason, fix)
        for rule, field, reason, fix in connection.execute(
            "SELECT rule, field, reason, fix FROM checked_fixes"
        ).fetchall()
    }
    cells = "".join(f", r.c{n}" for n in range(len(columns)))
    connection.execute(
        "WITH wrong AS (SELECT line, list([rule, field, coalesce(value, '')] ORDER BY rule, field) AS told "
        "FROM checked_findings WHERE severity = 'error' GROUP BY line) "
        f"SELECT line, told{cells} FROM checked_marks JOIN wrong USING (line) LEFT JOIN staged_raw r USING (line) "
        "WHERE rejected ORDER BY line"
    )
    taken = {name.strip().casefold() for name in columns}
    added = [f"swaddle_{name}" if name in taken else name for name in ADDED]
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([guard(each) for each in (*columns, *added)])
    written = 0
    while rows := connection.fetchmany(_ROWS_A_TIME):
        for line, told, *row in rows:
            rules, fields, values = ([each[place] for each in told] for place in range(3))
            words = [told_of.get((rule, field), ("", "")) for rule, field in zip(rules, fields, strict=True)]
            reasons, fixes = (dict.fromkeys(each[place] for each in words) for place in range(2))
            said = [str(line), *(" | ".join(each) for each in (fields, values, rules, reasons, fixes))]
            # Few cells begin so that they could be dangerous: only those are looked at closely.
            writer.writerow([guard(each) if each and each[0] in _SIGNS else each for each in (*row, *said)])
            written += 1
    text.flush()
    text.detach()
    return written
