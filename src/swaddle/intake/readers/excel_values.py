"""What a cell of an Excel workbook says, as the text that a CSV file would hold. Pure.

A date is a number with a format (ECMA-376, 18.8.30 and 18.17.4): days since the end of 1899, or since 1904 in old files
of the Macintosh. It becomes 2024-11-02, 2024-11-02 14:30 or 14:30, whatever the format shows. Numbers come out as
short as they can be; text stays text, so a date that was typed as text is as it was typed.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

DATE, TIME, MOMENT = "date", "time", "moment"
_BUILTIN: dict[int, str] = {
    **dict.fromkeys((14, 15, 16, 17, *range(27, 32), 36, *range(50, 59)), DATE),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 34, 35, 45, 46, 47), TIME),
    22: MOMENT,
}
_NO_LETTERS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
_ZEROS = re.compile("0{2,20}")  # how identifiers are kept at their length
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_LAST_DAY = 2_958_465.99999  # 9999-12-31
_SECONDS = 86_400
ERRORS = frozenset({"#N/A", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#GETTING_DATA"})


class NoDate(ValueError):
    """A number that is formatted as a date and is none."""


def kind_of_format(number: int, code: str | None) -> str:
    """DATE, TIME or MOMENT where a cell of this format shows one; zeros where it fills up to so many; else nothing."""
    if code is None:
        return _BUILTIN.get(number, "")
    if _ZEROS.fullmatch(code):
        return code
    letters = _NO_LETTERS.sub("", code.split(";")[0]).casefold()
    if "general" in letters:
        return ""
    day = "d" in letters or "y" in letters
    hour = "h" in letters or "s" in letters
    if day:
        return MOMENT if hour else DATE
    if hour:
        return TIME
    return DATE if "m" in letters else ""


def number_text(written: str, zeros: str = "") -> str:
    """A number as a person writes it: 3400, 0.1, not 3400.0 or 0.10000000000000001; 00042 where its format is 00000.

    Raises:
        ValueError: it is no number.
    """
    if _PLAIN_NUMBER.fullmatch(written):
        return written.zfill(len(zeros)) if written[0] != "-" else written
    value = float(written)
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124  only NaN is not itself
        raise ValueError
    value = float(f"{value:.15g}")  # what Excel itself keeps and shows; the rest is noise of its arithmetic
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def date_text(written: str, kind: str, *, since_1904: bool) -> str:
    """A number of days as a date, a time or both.

    Raises:
        NoDate: before the first day that Excel counts, or after the last.
        ValueError: it is no number.
    """
    days = float(written)
    if not 0 <= days <= _LAST_DAY:
        raise NoDate
    whole = int(days)
    seconds = round((days - whole) * _SECONDS)
    if whole == 0 and kind == TIME and not since_1904:
        return _clock(datetime(2000, 1, 1) + timedelta(seconds=seconds))  # noqa: DTZ001  only its time is shown
    if since_1904:
        first = datetime(1904, 1, 1)  # noqa: DTZ001  a workbook knows no time zone
    elif whole < 60:  # Excel counts a 29 February 1900 that never was
        first = datetime(1899, 12, 31)  # noqa: DTZ001
    else:
        first = datetime(1899, 12, 30)  # noqa: DTZ001
    try:
        moment = first + timedelta(days=whole, seconds=seconds)
    except OverflowError:
        raise NoDate from None
    if kind == TIME and whole == 0:
        return _clock(moment)
    day = moment.strftime("%Y-%m-%d").rjust(10, "0")
    return day if seconds == 0 and kind == DATE else f"{day} {_clock(moment)}"


def _clock(moment: datetime) -> str:
    return moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
