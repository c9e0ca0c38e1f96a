"""Dates as people and programs write them, brought to one form. Pure.

2021-03-04, 2021/03/04, 20210304, 04/03/2021 and 03/04/21, 04.03.2021, 04-Mar-2021, 4 mars 2021, Mar 4, 2021, each also
with a time behind it. Whether 04/03 is April or March shows only in the other dates of the column: `order_of` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

DAY_FIRST, MONTH_FIRST = "day first", "month first"
EARLIEST_YEAR, LATEST_YEAR = 1890, 2100
_CENTURY_TURNS = 30  # 29 is 2029, 30 is 1930
_TIME = (
    r"(?:[T ,]+[0-9]{1,2}[:h][0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp][Mm])?(?: ?Z| ?[+-][0-9]{2}:?[0-9]{2})?)?"
)
_ISO = re.compile(rf"([0-9]{{4}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){_TIME}")
_PARTS = re.compile(rf"([0-9]{{1,2}})([-/. ])([0-9]{{1,2}})\2([0-9]{{4}}|[0-9]{{2}}){_TIME}")
_PLAIN = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T?[0-9]{4}(?:[0-9]{2}(?:\.[0-9]+)?)?(?:[+-][0-9]{4})?)?")
_PLAIN_LAST = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{4})")
_DAY_WORD = re.compile(
    rf"(?:[^\W\d_]{{3,9}}[.,]? )?([0-9]{{1,2}})(?:st|nd|rd|th|er)?[-/. ]?([^\W\d_]{{3,10}})"
    rf"\.?[-/., ]{{0,2}}([0-9]{{4}}|[0-9]{{2}}){_TIME}"
)
_WORD_DAY = re.compile(rf"([^\W\d_]{{3,10}})\.? ?([0-9]{{1,2}})(?:st|nd|rd|th)?,? ([0-9]{{4}}){_TIME}")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan janv january janvier ene enero janeiro", "feb fev fevr february fevrier febrero",
            "mar mars march marzo marco", "apr avr april avril abr abril", "may mai mayo maio",
            "jun juin june junio junho",
            "jul juil july juillet julio julho", "aug aou aout august ago agosto",
            "sep sept september septembre set setembro",
            "oct october octobre octubre out outubro", "nov november novembre noviembre novembro",
            "dec december decembre dic diciembre dez dezembro",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_PLAIN_LETTERS = str.maketrans("éèêëûüùàâäôöîïç", "eeeeuuuaaaooiic")


def day_of(text: str, order: str = MONTH_FIRST) -> int | None:
    """The day that `text` is, as Python's ordinal; None where it is no date.

    Args:
        text: without blanks around it.
        order: how 04/03/2021 is read.
    """
    parts = _parts(text, order)
    if parts is None:
        return None
    year, month, day = parts
    try:
        return date(year, month, day).toordinal() if EARLIEST_YEAR <= year <= LATEST_YEAR else None
    except ValueError:
        return None


def order_of(texts: Iterable[str]) -> str:
    """Which of day and month comes first in a column; month first where nothing tells."""
    first_over = second_over = 0
    for text in texts:
        found = _PARTS.fullmatch(text)
        if found:
            first_over += int(found[1]) > 12
            second_over += int(found[3]) > 12
        elif (last := _PLAIN_LAST.fullmatch(text)) and day_of(text) is None:
            first_over += int(last[1]) > 12
    return DAY_FIRST if first_over > second_over else MONTH_FIRST


def month_of(word: str) -> int | None:
    """The month's number by its name or the start of it, in English, French, Spanish or Portuguese."""
    return _MONTHS.get(word.casefold().translate(_PLAIN_LETTERS))


def _parts(text: str, order: str) -> tuple[int, int, int] | None:
    """Year, month, day."""
    if len(text) > 40:
        return None
    if found := _ISO.fullmatch(text):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _PARTS.fullmatch(text):
        one, other = int(found[1]), int(found[3])
        swap = (order == DAY_FIRST and other <= 12) or one > 12
        return _year(found[4]), *((other, one) if swap else (one, other))
    if found := _PLAIN.fullmatch(text):
        year, month, day = int(found[1]), int(found[2]), int(found[3])
        if EARLIEST_YEAR <= year <= LATEST_YEAR and 1 <= month <= 12 and 1 <= day <= 31:
            return year, month, day
    if found := _PLAIN_LAST.fullmatch(text):
        one, other = int(found[1]), int(found[2])
        swap = (order == DAY_FIRST and other <= 12) or one > 12
        return int(found[3]), *((other, one) if swap else (one, other))
    return _with_word(text)


def _with_word(text: str) -> tuple[int, int, int] | None:
    if (found := _DAY_WORD.fullmatch(text)) and (month := month_of(found[2])):
        return _year(found[3]), month, int(found[1])
    if (found := _WORD_DAY.fullmatch(text)) and (month := month_of(found[1])):
        return int(found[3]), month, int(found[2])
    return None


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (2000 if year < _CENTURY_TURNS else 1900)
