"""The layers of the one SELECT that checks a row (plan.py says what they are). Pure: text in, text out.

Names of columns between the layers: `<field>__cell`, `<field>__reason`, `<field>__told`, `<field>__text` (what is left
to be read as a value), `<field>__read` (what the engine reads in it), and at last `<field>` and `<field>_missing`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from itertools import groupby

from swaddle.dictionary.model import WideField
from swaddle.intake import cast
from swaddle.intake.mapping import Source

BITS_A_MASK = 60
_NO_BIT = "0::UBIGINT"
STAGED = "staged_raw"
_VERSION = "hcn_version"
_NO_REASON = f"CAST(NULL AS {cast.MISSING_TYPE})"
_WORD = re.compile(r"[a-z_][a-z_0-9]*")
_YEARS = "CAST(date_sub('year', mother_birth_date, event_first) AS BIGINT)"
_DAY_OF_YEAR = "(month({0}) * 32 + day({0}))"
# The same by year, month and day, at a tenth of the cost; the last days of a month are the engine's matter.
_AGE = (
    "CASE WHEN mother_birth_date <= event_first AND day(mother_birth_date) <= 28 "
    "THEN year(event_first) - year(mother_birth_date) - CASE WHEN "
    f"{_DAY_OF_YEAR.format('event_first')} < {_DAY_OF_YEAR.format('mother_birth_date')} THEN 1 ELSE 0 END "
    f"ELSE {_YEARS} END"
)
# Only a whole date of birth of the child gives an age; a wild date of birth of the mother is the rules' matter.
_DERIVED = {
    "mother_age_years": f"CASE WHEN length(event_date) >= 10 AND ({_AGE}) BETWEEN 0 AND 99 THEN {_AGE} END",
    "child_birth_date": "CASE WHEN length(event_date) >= 10 THEN event_first END",
}
# Followed only in forms that have this field: the event of a birth is the child's birth, that of a stay is not.
_ONLY_BESIDE = {"child_birth_date": "outcome", "postpartum_los_days": "admit_dt"}


def derived(each: WideField) -> str:
    """The expression that stands in for a field without a value; "" where there is none."""
    return each.field.derived or _DERIVED.get(each.name, "")


def derivable(wide: Map[str, WideField], sources: Map[str, Source]) -> set[str]:
    """Fields that follow from what the layout carries, where no value of their own is given."""
    follow = {
        each.name
        for each in wide.values()
        if each.field.name == _VERSION and each.name.removesuffix("_version") in sources
    }
    for each in wide.values():
        if _ONLY_BESIDE.get(each.name, each.name) not in wide:
            continue
        needed = set(_WORD.findall(_bare(derived(each)))) & set(wide) - {each.name}
        if needed and needed <= set(sources) and "event_date" in sources:
            follow.add(each.name)
    return follow


def _bare(expression: str) -> str:
    return re.sub(r"'[^']*'", "", expression)


def select(
    cells: Map[str, str],
    sources: Map[str, Source],
    *,
    carried: Sequence[WideField],
    absent: Sequence[WideField],
    follow: AbstractSet[str],
    where_told: AbstractSet[str],
    raw: Map[str, str],
    conditions: Sequence[tuple[str, str]],
    submitted_on: date,
    historical: bool,
) -> str:
    """The SELECT over staged_raw.

    Args:
        cells: field to the SQL of its cell.
        sources: field to where the mapping takes it from.
        carried: fields that the layout holds or that follow from others.
        absent: fields that it does not hold but that a rule looks at.
        follow: fields that can be worked out where they are not given (`derivable`).
        where_told: slots for which `<slot>__is_told` says whether a row tells anything of them.
        raw: conditions over the raw row, by the names that they have in `conditions`: of columns that are no fields.
        conditions: for each bit, over the dated layer: a cheap condition without which it is not set ("" for none),
            and when it is set.
        submitted_on: the day of the check.
        historical: births of long ago are expected.
    """
    direct = [each for each in carried if each.name in sources]
    follows = {each.name for each in carried} - set(sources)
    passed = ["line", *raw]
    cell_layer = ["line", *(f"{cells[each.name]} AS {each.name}__cell" for each in direct)]
    cell_layer += [f"{condition} AS {name}" for name, condition in raw.items()]
    told_layer, text_layer, read_layer = list(passed), list(passed), ["*"]
    for each in direct:
        name, source = each.name, sources[each.name]
        told_layer.append(f"{cast.missing(each.field, source, f'{name}__cell')} AS {name}__reason")
        told_layer.append(f"{cast.decoded(source, f'{name}__cell')} AS {name}__told")
        text_layer.append(f"{name}__reason")
        text_layer.append(f"CASE WHEN {name}__reason IS NULL THEN {name}__told END AS {name}__text")
        if read := cast.lenient(each.field, source, f"{name}__text"):
            read_layer.append(f"{read} AS {name}__read")
    typed_layer = [*passed, *_typed(direct, follows, sources)]
    for slot in sorted(where_told):
        texts = [f"{each.name}__text" for each in direct if each.slot == slot]
        typed_layer.append(f"coalesce({', '.join([*texts, 'NULL'])}) IS NOT NULL AS {slot}__is_told")
    for each in absent:
        typed_layer.append(f"CAST(NULL AS {cast.TYPES[each.field.type]}) AS {each.name}")
        typed_layer.append(f"CAST('NC' AS {cast.MISSING_TYPE}) AS {each.name}_missing")
    first_layer = ["*", f"{cast.event_first('event_date')} AS event_first"]
    dated_layer = [
        _with_derived(carried, sources, follow),
        f"{cast.event_last('event_date', 'event_first')} AS event_last",
        f"DATE '{submitted_on.isoformat()}' AS submitted_on",
        f"{'true' if historical else 'false'} AS historical",
    ]
    judged_layer = ["line", "event_first", "event_last"]
    for each in carried:
        judged_layer += [each.name, f"{each.name}_missing"]
    judged_layer += _masks(conditions)
    sql = STAGED
    for layer in (cell_layer, told_layer, text_layer, read_layer, typed_layer, first_layer, dated_layer, judged_layer):
        sql = f"(SELECT {', '.join(layer)} FROM {sql})"
    return sql[1:-1]


def _typed(direct: Sequence[WideField], follows: set[str], sources: Map[str, Source]) -> list[str]:
    layer = []
    for each in direct:
        text = f"{each.name}__text"
        card = each.name.removesuffix("_version")
        if each.field.name == _VERSION and card in sources:
            value = cast.hcn_version(text, f"{card}__text")
        else:
            source = sources[each.name]
            read = f"{each.name}__read" if cast.lenient(each.field, source, text) else ""
            value = cast.typed(each.field, source, text, read)
        layer += [text, f"{value} AS {each.name}"]
        reason = f"{each.name}__reason"  # most rows have none, and a cast costs as much for them
        told = f"CASE WHEN {reason} IS NOT NULL THEN CAST({reason} AS {cast.MISSING_TYPE}) END"
        layer.append(f"{told} AS {each.name}_missing")
    for name in sorted(name for name in follows if name.endswith(_VERSION)):
        card = name.removesuffix("_version")
        layer.append(f"{cast.hcn_version('NULL', f'{card}__text')} AS {name}")
        layer.append(f"{_NO_REASON} AS {name}_missing")
    return layer


def _with_derived(carried: Sequence[WideField], given: Map[str, Source], follow: AbstractSet[str]) -> str:
    """All columns so far, with what follows from others worked out where it is not given."""
    added, replaced = "", []
    for each in carried:
        expression = derived(each)
        if not expression or each.name not in follow:
            continue
        if each.name in given:
            value = f"CASE WHEN {each.name}__text IS NULL THEN ({expression}) ELSE {each.name} END"
            replaced.append(f"{value} AS {each.name}")
        else:
            added += f", ({expression}) AS {each.name}, {_NO_REASON} AS {each.name}_missing"
    return ("*" if not replaced else f"* REPLACE ({', '.join(replaced)})") + added


def _masks(conditions: Sequence[tuple[str, str]]) -> list[str]:
    """The masks; conditions that share a cheap one are only worked out for the rows that meet that."""
    masks = []
    for start in range(0, len(conditions), BITS_A_MASK):
        terms = []
        numbered = enumerate(conditions[start : start + BITS_A_MASK])
        for where, together in groupby(numbered, key=lambda each: each[1][0]):
            bits = " | ".join(
                f"(CASE WHEN {fires} THEN {1 << n}::UBIGINT ELSE {_NO_BIT} END)" for n, (_, fires) in together
            )
            terms.append(f"(CASE WHEN {where} THEN {bits} ELSE {_NO_BIT} END)" if where else bits)
        masks.append(f"({' | '.join(terms)}) AS mask{start // BITS_A_MASK}")
    return masks
