"""Where the rows of a table begin, and its columns' names: headers, merged ones, titles above, none. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from swaddle.incident import columns_values as form
from swaddle.incident.columns_heard import heard
from swaddle.incident.columns_values import profile

TOP_ROWS = 20
_DATA = (form.DATE, form.EMAIL, form.PHONE, form.NUMBER, form.DECIMAL, form.CARD, form.SSN, form.ADDRESS)


def header_of(rows: Sequence[Sequence[str]]) -> tuple[int, tuple[str, ...]]:
    """How many of the first rows are no data, and the column names; empty texts where there is no header.

    Args:
        rows: the first rows of a table, some of them perhaps titles of fewer cells.
    """
    if not rows:
        return 0, ()
    width = max(map(len, rows))
    for place, row in enumerate(rows[:TOP_ROWS]):
        filled = [each for each in row if each.strip()]
        if len(row) < width - 1 or len(filled) < max(1, width // 2):
            continue
        if not _is_header(row, rows[place + 1 :]):
            break
        names = tuple(each.strip() for each in _padded(row, width))
        above = rows[place - 1] if place else ()
        below = rows[place + 1] if place + 1 < len(rows) else ()
        if _names_more(below) and len(set(filled)) < len(filled) + _blank(row):
            return place + 2, _merged(_padded(row, width), _padded(below, width))
        if above and len([each for each in above if each.strip()]) > 1 and _is_group(above):
            return place + 1, _merged(_padded(above, width), _padded(row, width))
        return place + 1, names
    return _titles(rows, width), ("",) * width


def _titles(rows: Sequence[Sequence[str]], width: int) -> int:
    """Rows above the data that have fewer cells than it: a title, an empty line."""
    count = 0
    for row in rows[:TOP_ROWS]:
        if len([each for each in row if each.strip()]) >= max(1, width // 2):
            break
        count += 1
    return count if count < len(rows) else 0


def _is_header(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether cells are names: words that headers have, or at least none of the forms that data below them has."""
    filled = [each.strip() for each in row if each.strip()]
    seen = profile(filled)
    if any(seen.share(each) for each in (form.DATE, form.EMAIL, form.PHONE, form.CARD, form.SSN)):
        return False
    if seen.share(form.NUMBER) + seen.share(form.DECIMAL) > 0.2 or max(map(len, filled)) > 200:
        return False
    known = sum(heard(each).known for each in filled)
    if known >= max(1, 0.3 * len(filled)):
        return True
    if len(set(filled)) < len(filled):
        return False
    return _differs(row, below)


def _differs(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether columns whose data is numbers or dates have a word on top."""
    columns = [[each[place] for each in below[:200] if place < len(each)] for place in range(len(row))]
    data = [max((profile(each).share(one) for one in _DATA), default=0.0) for each in columns]
    typed = [place for place, share in enumerate(data) if share > 0.8 and any(each.strip() for each in columns[place])]
    if typed:
        return all(row[place].strip() and not row[place].strip()[0].isdigit() for place in typed)
    texts = [place for place, each in enumerate(columns) if any(each)]
    repeated = any(row[place] in columns[place] for place in texts)
    return not repeated and profile([*row]).known_names < 0.15 and all(each.isidentifier() for each in row if each)


def _is_group(row: Sequence[str]) -> bool:
    """Titles over several columns: `Mother,,,Infant,,`."""
    filled = [each.strip() for each in row if each.strip()]
    return len(filled) < len(row) and any(heard(each).whose or heard(each).known for each in filled)


def _names_more(row: Sequence[str]) -> bool:
    filled = [each.strip() for each in row if each.strip()]
    if not filled or sum(heard(each).known for each in filled) < 0.5 * len(filled):
        return False
    return profile(filled).known_names < 0.5


def _blank(row: Sequence[str]) -> int:
    return sum(not each.strip() for each in row)


def _merged(above: Sequence[str], below: Sequence[str]) -> tuple[str, ...]:
    """Names of two rows, the upper one going on over the blanks to its right."""
    names, held = [], ""
    for one, other in zip(above, below, strict=True):
        held = one.strip() or held
        names.append(f"{held} {other.strip()}".strip() if other.strip() != held else held)
    return tuple(names)


def _padded(row: Sequence[str], width: int) -> list[str]:
    return [*row, *[""] * (width - len(row))]
