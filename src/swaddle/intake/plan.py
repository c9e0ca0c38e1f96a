"""The SQL of one check, written from the dictionary and the mapping. Pure: text in, text out.

One SELECT over staged_raw goes through four layers, each a projection over the one before:

    cell    the text of each field's cell, blanks taken off
    told    the missing reason that it states, else the text in the dictionary's codes
    typed   the typed value; a field that the layout does not carry is a NULL here
    judged  one bit for each thing that is wrong, packed into integers (mask0, mask1, …)

so that a row is read once, whatever the number of checks. Names in the SQL come from the dictionary; whatever comes from
a mapping or a file is a literal or a column number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from swaddle.dictionary.model import Dictionary, Rule, Severity, WideField
from swaddle.intake import cast
from swaddle.intake.engine import literal
from swaddle.intake.expression import compile_expression
from swaddle.intake.mapping import Mapping, Source, folded

BITS_A_MASK = 60
AGE = "mother_age_years"


@dataclass(frozen=True, kw_only=True)
class Bit:
    """One thing that can be wrong with a row: a check of one field, or a rule over the row."""

    id: str
    severity: Severity
    field: str
    fires: str
    rule: Rule | None = None
    registry: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What validate.py runs.

    Attributes:
        select: makes the rows of checked_base: line, values, reasons, event_first, event_last, masks.
        bits: what each bit of the masks means; bit n is bit n % 60 of mask n // 60.
        carried: wide fields that the layout holds, in the dictionary's order; the others are not carried.
        cells: wide field to the SQL of its cell over staged_raw, for showing what the file says.
        off: row and file rules that the layout cannot answer at all.
    """

    select: str
    bits: tuple[Bit, ...]
    carried: tuple[WideField, ...]
    not_carried: tuple[WideField, ...]
    cells: dict[str, str]
    row_rules: tuple[Rule, ...]
    file_rules: tuple[Rule, ...]
    off: tuple[Rule, ...]

    @property
    def masks(self) -> int:
        """How many masks a row has."""
        return -(-len(self.bits) // BITS_A_MASK)

    def test(self, positions: Iterable[int]) -> str:
        """SQL over checked_base: whether any of these bits is set."""
        wanted: dict[int, int] = {}
        for position in positions:
            mask, bit = divmod(position, BITS_A_MASK)
            wanted[mask] = wanted.get(mask, 0) | 1 << bit
        parts = [f"(mask{mask} & {value}::UBIGINT) <> 0" for mask, value in wanted.items()]
        return "(" + " OR ".join(parts) + ")" if parts else "false"


def build(
    mapping: Mapping,
    columns: tuple[str, ...],
    dictionary: Dictionary,
    *,
    file_digest: str,
    submitter: str,
    sites: set[str] | None,
    submitted_on: date,
    historical: bool,
) -> Plan:
    """The plan for one file.

    Raises:
        MappingFault: an expression of the mapping is not in its language.
    """
    places = {folded(name): f"c{n}" for n, name in enumerate(columns)}
    wide = dictionary.wide()
    sources = {
        name: source
        for name, source in mapping.fields.items()
        if all(folded(column) in places for column in source.columns())
    }
    row_key = f"{literal(file_digest[:16] + '-')} || line"

    def cell(source: Source) -> str:
        if source.derived is not None:
            inner = compile_expression(
                source.derived, lambda name: cast.raw(Source(), places[folded(name)]), row_key=row_key
            )
            return f"nullif(trim(CAST({inner} AS VARCHAR)), '')"
        return cast.raw(source, places[folded(source.column)] if source.column is not None else "")

    cells = {name: cell(source) for name, source in sources.items()}
    extra = _derivable(wide, sources)
    carried = tuple(each for each in wide.values() if each.name in sources or each.name in extra)
    absent = tuple(each for each in wide.values() if each not in carried)
    absent_names = {each.name for each in absent}
    off = tuple(rule for rule in dictionary.rules if _is_off(rule, absent_names))
    on = [rule for rule in dictionary.rules if rule not in off]
    row_rules = tuple(rule for rule in on if rule.scope == "row")
    bits = [bit for each in carried if each.name in sources for bit in _field_bits(each, dictionary)]
    bits += [_rule_bit(rule) for rule in row_rules]
    bits += _header_bits(dictionary, places, submitter=submitter, sites=sites if "site_id" in sources else None)
    return Plan(
        select=_select(
            cells, sources, carried, absent, row_rules, bits, submitted_on=submitted_on, historical=historical
        ),
        bits=tuple(bits),
        carried=carried,
        not_carried=absent,
        cells=cells,
        row_rules=row_rules,
        file_rules=tuple(rule for rule in on if rule.scope == "file"),
        off=off,
    )


def _derivable(wide: dict[str, WideField], sources: dict[str, Source]) -> set[str]:
    """Fields that follow from others although the layout has no column for them."""
    follow = {
        each.name
        for each in wide.values()
        if each.field.name == "hcn_version" and each.name.removesuffix("_version") in sources
    }
    if "mother_birth_date" in sources and "event_date" in sources:
        follow.add(AGE)
    return follow - set(sources)


def _is_off(rule: Rule, absent: set[str]) -> bool:
    return bool(set(rule.fields) & absent) or (bool(rule.reads) and set(rule.reads) <= absent)


def _field_bits(each: WideField, dictionary: Dictionary) -> list[Bit]:
    """What can be wrong with one field; its conditions are over the typed layer (value, `_missing`, `__text`)."""
    name, about = each.name, each.field
    text, value, reason = f"{name}__text", name, f"{name}_missing"
    bits: list[tuple[str, str]] = []
    if each.required == "K":
        bits.append(("K1", f"{text} IS NULL"))
    elif each.required in {"R", "W"}:
        bits.append(("F1" if each.required == "R" else "F8", f"{text} IS NULL AND {reason} IS NULL"))
    if about.type not in {"text", "name", "id", "hcn", "postal"}:
        unread = f"({text} IS NOT NULL AND {value} IS NULL)"
        beyond = _beyond(value, about.hard) if about.hard else "false"
        unit = "false"
        if about.mistaken_unit:
            low, high, _ = about.mistaken_unit
            unit = f"coalesce({cast.number_of(text)} BETWEEN {low} AND {high}, false)"
            bits.append(("F6", unit))
        nines = "false"
        if about.type in {"int", "decimal", "date", "datetime", "event"}:
            nines = f"regexp_full_match({text}, '9[9/.-]*')"
            bits.append(("F7", f"({unread} OR {beyond}) AND NOT {unit} AND {nines}"))
        kind = "F3" if about.type in {"code", "codes"} else "F2"
        bits.append((kind, f"{unread} AND NOT {unit} AND NOT {nines}"))
        if about.hard:
            bits.append(("F4", f"{beyond} AND NOT {unit} AND NOT {nines}"))
        if about.soft:
            within = f"NOT {beyond}" if about.hard else f"NOT {unit}"
            bits.append(("F5", f"{_beyond(value, about.soft)} AND {within}"))
    return [Bit(id=check, severity=dictionary.checks[check].severity, field=name, fires=fires) for check, fires in bits]


def _beyond(value: str, limits: tuple[float | None, float | None]) -> str:
    parts = [f"{value} {sign} {limit}" for sign, limit in zip("<>", limits, strict=True) if limit is not None]
    return f"coalesce({' OR '.join(parts)}, false)"


def _rule_bit(rule: Rule) -> Bit:
    known = " AND ".join(f"{name} IS NOT NULL" for name in rule.fields) or "true"
    fires = f"({known}) AND NOT coalesce(({rule.holds}), true)"
    return Bit(id=rule.id, severity=rule.severity, field=rule.shows, fires=fires, rule=rule)


def _header_bits(
    dictionary: Dictionary, places: dict[str, str], *, submitter: str, sites: set[str] | None
) -> list[Bit]:
    bits: list[Bit] = []
    if "submitter" in places:
        other = f"nullif(trim({places['submitter']}), '') <> {literal(submitter)}"
        fires = f"coalesce({other}, false)"
        bits.append(Bit(id="H1", severity=dictionary.checks["H1"].severity, field="submitter", fires=fires))
    if sites is not None:
        known = ", ".join(literal(each) for each in sorted(sites)) or "NULL"
        fires = f"site_id IS NOT NULL AND NOT coalesce(site_id IN ({known}), false)"
        severity = dictionary.checks["H2"].severity
        bits.append(Bit(id="H2", severity=severity, field="site_id", fires=fires, registry=True))
    return bits


def _select(
    cells: dict[str, str],
    sources: dict[str, Source],
    carried: tuple[WideField, ...],
    absent: tuple[WideField, ...],
    row_rules: tuple[Rule, ...],
    bits: list[Bit],
    *,
    submitted_on: date,
    historical: bool,
) -> str:
    direct = [each for each in carried if each.name in sources]
    names = [each.name for each in direct]
    submitter = [bit.fires for bit in bits if bit.field == "submitter"]
    cell_layer = ["line", *(f"{cells[name]} AS {name}__cell" for name in names)]
    told_layer = ["line"]
    for each in direct:
        cell, source = f"{each.name}__cell", sources[each.name]
        told_layer.append(f"{cast.missing(each.field, source, cell)} AS {each.name}__reason")
        told_layer.append(f"{cast.decoded(source, cell)} AS {each.name}__decoded")
    text_layer = ["line"]
    for name in names:
        text_layer.append(f"{name}__reason")
        text_layer.append(f"CASE WHEN {name}__reason IS NULL THEN {name}__decoded END AS {name}__text")
    typed_layer = ["line"]
    for each in direct:
        text = f"{each.name}__text"
        value = cast.typed(each.field, sources[each.name], text)
        if each.field.name == "hcn_version" and (card := each.name.removesuffix("_version")) in sources:
            value = cast.hcn_version(text, f"{card}__text")
        typed_layer += [text, f"{value} AS {each.name}"]
        typed_layer.append(f"CAST({each.name}__reason AS {cast.MISSING_TYPE}) AS {each.name}_missing")
    followed = [each for each in carried if each.name not in sources]
    for each in followed:
        if each.field.name == "hcn_version":
            card = each.name.removesuffix("_version")
            typed_layer.append(f"{cast.hcn_version('NULL', f'{card}__text')} AS {each.name}")
            typed_layer.append(f"CAST(NULL AS {cast.MISSING_TYPE}) AS {each.name}_missing")
    used = {name for rule in row_rules for name in (*rule.fields, *rule.reads)}
    for each in absent:
        if each.name in used:
            typed_layer.append(f"CAST(NULL AS {cast.TYPES[each.field.type]}) AS {each.name}")
            typed_layer.append(f"CAST('NC' AS {cast.MISSING_TYPE}) AS {each.name}_missing")
    dated_layer = [
        "*",
        f"{cast.event_first('event_date')} AS event_first",
        f"{cast.event_last('event_date')} AS event_last",
        f"DATE '{submitted_on.isoformat()}' AS submitted_on",
        f"{'true' if historical else 'false'} AS historical",
    ]
    if any(each.name == AGE for each in followed):
        aged = "CAST(date_sub('year', mother_birth_date, event_first) AS BIGINT)"
        # Only a whole date of birth of the child gives an age; a wild date of birth is the rules' matter, not an age.
        fit = f"length(event_date) >= 10 AND {aged} BETWEEN 0 AND 99"
        dated_layer.append(f"CASE WHEN {fit} THEN {aged} END AS {AGE}")
        dated_layer.append(f"CAST(NULL AS {cast.MISSING_TYPE}) AS {AGE}_missing")
    judged_layer = ["line", "event_first", "event_last"]
    for each in carried:
        judged_layer += [each.name, f"{each.name}_missing"]
    judged_layer += _masks(bits)
    # `submitter` is compared on the raw row, so its bit is computed at the bottom and carried up.
    if submitter:
        cell_layer.append(f"{submitter[0]} AS other_submitter")
        told_layer.append("other_submitter")
        text_layer.append("other_submitter")
        typed_layer.append("other_submitter")
    sql = "staged_raw"
    for layer in (cell_layer, told_layer, text_layer, typed_layer, dated_layer, judged_layer):
        sql = f"(SELECT {', '.join(layer)} FROM {sql})"
    return sql[1:-1]


def _masks(bits: list[Bit]) -> list[str]:
    masks = []
    for start in range(0, len(bits), BITS_A_MASK):
        terms = []
        for offset, bit in enumerate(bits[start : start + BITS_A_MASK]):
            fires = "other_submitter" if bit.field == "submitter" else bit.fires
            terms.append(f"(CASE WHEN {fires} THEN {1 << offset}::UBIGINT ELSE 0::UBIGINT END)")
        masks.append(f"({' | '.join(terms)}) AS mask{start // BITS_A_MASK}")
    return masks
