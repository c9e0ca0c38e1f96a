"""SQL that turns a cell's text into a field's typed value, or into nothing where it is none. Pure.

Strict where DuckDB is lenient: `1.5` is no whole number (it would round), `1e3` and `0x10` are no numbers,
`2024-01-05x` is no date, 31 February is none either.
"""

from __future__ import annotations

from collections.abc import Iterable

from swaddle.dictionary.model import MISSING_REASONS, Field
from swaddle.intake.engine import literal
from swaddle.intake.mapping import UNITS, Source

TYPES = {
    "text": "VARCHAR",
    "name": "VARCHAR",
    "id": "VARCHAR",
    "hcn": "VARCHAR",
    "postal": "VARCHAR",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "event": "VARCHAR",
    "int": "BIGINT",
    "decimal": "DOUBLE",
    "code": "VARCHAR",
    "codes": "VARCHAR",
    "pairs": "VARCHAR",
    "yesno": "BOOLEAN",
}
# How a type is written, for the findings' words.
FORMS = {
    "date": "a date written YYYY-MM-DD that exists",
    "datetime": "a date (YYYY-MM-DD) or a date and time (YYYY-MM-DDThh:mm) that exists",
    "event": "a date written YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm that exists",
    "int": "a whole number",
    "decimal": "a number (with a point, not a comma)",
    "yesno": "yes or no (Y, N)",
    "pairs": "written code=value, several apart by semicolons",
}
REASONS = [each for each in MISSING_REASONS if each != "NC"]
YES = ("y", "yes", "true", "t", "1")
NO = ("n", "no", "false", "f", "0")
_READ_AS = {"date": "date", "event": "date", "datetime": "datetime"}
MISSING_TYPE = "ENUM('NI', 'ASKU', 'NA', 'MSK', 'NC')"
_YEARS = "BETWEEN DATE '1850-01-01' AND DATE '2149-12-31'"
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = "[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
_OFFSET = "([+-][0-9]{2}:?[0-9]{2})?"  # of the place's clock from UTC: the clock as it was read there is what counts
_MIDNIGHT = "( 00:00:00)?"  # a date column of Parquet may be a timestamp


def raw(source: Source, column_sql: str) -> str:
    """The cell; blanks around it were taken off when it was staged, and it is NULL where that left nothing."""
    return literal(source.constant) if source.constant is not None else column_sql


def missing(field: Field, source: Source, raw_sql: str) -> str:
    """The missing reason that the cell states, or NULL."""
    if source.constant is not None:
        return _written_reason(field, raw_sql, "")
    told: list[str] = []
    if codes := [each for each in source.codes if each]:
        told.append(f"WHEN {_any(raw_sql, codes)} THEN NULL")
    if "" in source.missing:
        told.append(f"WHEN {raw_sql} IS NULL THEN {literal(source.missing[''])}")
    by_reason: dict[str, list[str]] = {}
    for written, reason in source.missing.items():
        if written:
            by_reason.setdefault(reason, []).append(written)
    told.extend(f"WHEN {_any(raw_sql, each)} THEN {literal(reason)}" for reason, each in by_reason.items())
    return _written_reason(field, raw_sql, " ".join(told))


def _written_reason(field: Field, raw_sql: str, told: str) -> str:
    """Reasons that any file may write in place of a value: in names with a question mark, for Na and Ni are names."""
    plain = "" if field.type == "name" else f"WHEN {_any(raw_sql, REASONS)} THEN {raw_sql} "
    if field.type == "yesno":
        plain += f"WHEN {_any(f'lower({raw_sql})', ['u', 'unknown'])} THEN 'ASKU' "
    marked = f"WHEN {_any(raw_sql, [f'?{each}' for each in REASONS])} THEN {raw_sql}[2:]"
    return f"CASE {told} {plain}{marked} END"


def decoded(source: Source, raw_sql: str) -> str:
    """The cell with the mapping's codes in place of the file's."""
    if not source.codes:
        return raw_sql
    told = " ".join(f"WHEN {literal(theirs)} THEN {literal(ours)}" for theirs, ours in source.codes.items())
    return f"CASE {raw_sql} {told} ELSE {raw_sql} END"


def lenient(field: Field, source: Source | None, text: str) -> str:
    """What the engine reads in `text` where that is as long as it should be, for `typed` to hold against it.

    "" where `typed` does not need it. A layer of its own (layers.py), because it stands more than once in `typed` and
    the engine would work it out as often.
    """
    if field.type == "int" and _factor(field, source) is None:
        return f"TRY_CAST({text} AS BIGINT)"
    length = {"date": 10, "event": 10, "datetime": 16}.get(field.type)
    if length is None or (source and source.format):
        return ""
    return f"CASE WHEN strlen({text}) = {length} THEN TRY_CAST({text} AS {TYPES[_READ_AS[field.type]]}) END"


def typed(field: Field, source: Source | None, text: str, read: str = "") -> str:
    """The typed value of `text` (an SQL name), or NULL where it is none of the type; `read` names its `lenient`."""
    form = source.format if source else ""
    factor = _factor(field, source)
    read = read or lenient(field, source, text)
    if field.type in {"text", "name", "id"}:
        return text
    if field.type == "code":
        return _code(field, text)
    if field.type == "codes":
        one = "|".join(field.values)
        plain = f"lower(translate(replace({text}, ' ', ''), '|', ';'))"
        return (
            f"CASE WHEN {_any(text, field.values)} THEN {text} "
            f"WHEN regexp_full_match({plain}, '({one})(;({one}))*') THEN {plain} END"
        )
    if field.type == "pairs":
        one = f"[^=;]+=({'|'.join(field.values) or '[^;]+'})"
        return f"CASE WHEN regexp_full_match({text}, {literal(f'{one}(;{one})*')}) THEN {text} END"
    if field.type in {"int", "decimal"}:
        return _number(field, text, factor, read)
    if field.type in {"date", "datetime", "event"}:
        return _date(field, text, form, read)
    if field.type == "hcn":
        bare = f"upper(regexp_replace({text}, '[ -]', '', 'g'))"
        return f"CASE WHEN regexp_full_match({bare}, '[0-9]{{10}}[A-Z]{{1,2}}') THEN {bare}[:10] ELSE {bare} END"
    if field.type == "postal":
        bare = f"upper(replace({text}, ' ', ''))"
        written = f"length({text}) = 7 AND {text}[4] = ' ' AND upper({text}) = {text}"
        parted = f"{bare}[:3] || ' ' || {bare}[4:]"
        return f"CASE WHEN {written} THEN {text} WHEN length({bare}) = 6 THEN {parted} ELSE upper({text}) END"
    yes, no = (_any(f"lower({text})", each) for each in (YES, NO))
    return f"CASE WHEN {yes} THEN true WHEN {no} THEN false END"


def hcn_version(text: str, card_text: str) -> str:
    """The version letters: those given, else those that follow the health card number."""
    bare = f"upper(regexp_replace({card_text}, '[ -]', '', 'g'))"
    return f"coalesce({text}, nullif(regexp_extract({bare}, '^[0-9]{{10}}([A-Z]{{1,2}})$', 1), ''))"


def event_first(event: str) -> str:
    """The first day that a canonical event date can mean."""
    day = (
        f"CASE length({event}) WHEN 4 THEN {event} || '-01-01' WHEN 7 THEN {event} || '-01' ELSE left({event}, 10) END"
    )
    whole = f"TRY_CAST({event} AS DATE)"  # most are, and taking the first ten signs costs more than reading them
    return f"CASE WHEN strlen({event}) = 10 THEN {whole} ELSE TRY_CAST({day} AS DATE) END"


def event_last(event: str, first: str) -> str:
    """The last day that a canonical event date can mean, from the first."""
    year_end = f"make_date(year({first}), 12, 31)"
    return f"CASE length({event}) WHEN 4 THEN {year_end} WHEN 7 THEN last_day({first}) ELSE {first} END"


def number_of(text: str) -> str:
    """A plain number, or NULL."""
    return f"CASE WHEN regexp_full_match({text}, '[+-]?[0-9]{{1,15}}([.][0-9]*)?') THEN TRY_CAST({text} AS DOUBLE) END"


def _any(text: str, values: Iterable[str]) -> str:
    """Whether it is one of these; OR instead of IN, of which the engine would make a join."""
    return "(" + " OR ".join(f"{text} = {literal(each)}" for each in values) + ")"


def _code(field: Field, text: str) -> str:
    """Capitals do not matter."""
    keys = list(field.values)
    for same in (str.lower, str.upper):
        if all(key == same(key) for key in keys):
            told = " ".join(f"WHEN {literal(key)} THEN {literal(key)}" for key in keys)
            return f"CASE WHEN {_any(text, keys)} THEN {text} ELSE CASE {same.__name__}({text}) {told} END END"
    told = " ".join(f"WHEN {literal(key.lower())} THEN {literal(key)}" for key in keys)
    return f"CASE lower({text}) {told} END"


def _factor(field: Field, source: Source | None) -> float | None:
    """By what a number of the file is multiplied, where it is in another unit."""
    return UNITS.get((source.unit, field.unit)) if source and source.unit else None


def _number(field: Field, text: str, factor: float | None, read: str) -> str:
    if factor is not None:
        turn = "floor" if field.unit == "weeks" else "round"
        scaled = f"({number_of(text)} * {factor!r})"
        return f"CAST({turn}({scaled}) AS BIGINT)" if field.type == "int" else scaled
    if field.type == "decimal":
        return number_of(text)
    # A number that is written back as it was needs no regular expression, which costs ten times as much.
    return (
        f"CASE WHEN strlen({text}) < 16 AND CAST({read} AS VARCHAR) = {text} THEN {read} "
        f"WHEN regexp_full_match({text}, '[+-]?[0-9]{{1,15}}([.]0*)?') THEN {read} END"
    )


def _date(field: Field, text: str, form: str, read: str) -> str:
    if form:
        moment = f"try_strptime({text}, {literal(form)})"
        sane = f"CAST({moment} AS DATE) {_YEARS}"
        shown = "%Y-%m-%dT%H:%M" if "%H" in form else "%Y-%m-%d"
        value = {
            "date": f"CAST({moment} AS DATE)",
            "datetime": moment,
            "event": f"strftime({moment}, '{shown}')",
        }[field.type]
        return f"CASE WHEN {sane} THEN {value} END"
    day = f"TRY_CAST(left({text}, 10) AS DATE)"
    # What the engine reads and writes back as it was leaves it nothing to be lenient about, and needs no regular
    # expression, which costs ten times as much.
    same = f"{read} {_YEARS} AND CAST({read} AS VARCHAR) = {text}"
    if field.type == "date":
        odd = f"regexp_full_match({text}, '{_DATE}{_MIDNIGHT}') AND {day} {_YEARS}"
        return f"CASE WHEN {same} THEN {read} WHEN {odd} THEN {day} END"
    clock = f"regexp_replace(replace({text}, 'T', ' '), '(:[0-9]{{2}}([.][0-9]+)?)[+-][0-9]{{2}}:?[0-9]{{2}}$', '\\1')"
    moment = f"TRY_CAST({clock} AS TIMESTAMP)"
    if field.type == "datetime":
        written = " ".join(
            f"WHEN {read} BETWEEN TIMESTAMP '1850-01-02' AND TIMESTAMP '2149-12-31' "
            f"AND strftime({read}, '%Y-%m-%d{between}%H:%M') = {text} THEN {read}"
            for between in "T "
        )
        odd = f"regexp_full_match({text}, '{_DATE}({_TIME}{_OFFSET})?')"
        return f"CASE {written} WHEN {odd} AND {day} {_YEARS} THEN {moment} END"
    return (
        f"CASE WHEN {same} THEN {text} "
        f"WHEN regexp_full_match({text}, '(18[5-9]|19[0-9]|20[0-9]|21[0-4])[0-9]') THEN {text} "
        f"WHEN regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}') AND TRY_CAST({text} || '-01' AS DATE) {_YEARS} "
        f"THEN {text} "
        f"WHEN regexp_full_match({text}, '{_DATE}{_MIDNIGHT}') AND {day} {_YEARS} THEN left({text}, 10) "
        f"WHEN regexp_full_match({text}, '{_DATE}{_TIME}{_OFFSET}') AND {day} {_YEARS} AND {moment} IS NOT NULL "
        f"THEN replace(left({text}, 16), ' ', 'T') END"
    )
