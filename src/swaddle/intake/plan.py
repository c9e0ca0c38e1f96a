"""The SQL of one check, written from the dictionary and the mapping. Pure: text in, text out.

One SELECT over staged_raw goes through four layers, each a projection over the one before:

    cell    the text of each field's cell, blanks taken off
    told    the missing reason that it states, else the text in the dictionary's codes
    typed   the typed value; a field that the layout does not carry is a NULL here
    judged  one bit for each thing that is wrong, packed into integers (mask0, mask1, …)

so that a row is read once, whatever the number of checks (layers.py writes them). Names in the SQL come from the
dictionary; whatever comes from a mapping or a file is a literal or a column number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from swaddle.dictionary.model import Dictionary, Rule, Severity, WideField
from swaddle.intake import cast, layers
from swaddle.intake.engine import literal
from swaddle.intake.expression import compile_expression
from swaddle.intake.mapping import Mapping, Source, folded


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
        return -(-len(self.bits) // layers.BITS_A_MASK)

    def test(self, positions: Iterable[int]) -> str:
        """SQL over checked_base: whether any of these bits is set."""
        wanted: dict[int, int] = {}
        for position in positions:
            mask, bit = divmod(position, layers.BITS_A_MASK)
            wanted[mask] = wanted.get(mask, 0) | 1 << bit
        parts = [f"(mask{mask} & {value}::UBIGINT) <> 0" for mask, value in wanted.items()]
        return "(" + " OR ".join(parts) + ")" if parts else "false"


def build(
    mapping: Mapping,
    columns: tuple[str, ...],
    dictionary: Dictionary,
    *,
    file_digest: str,
    submitter: str | None,
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
    used = {name for rule in row_rules for name in (*rule.fields, *rule.reads)}
    return Plan(
        select=layers.select(
            cells,
            sources,
            carried=carried,
            absent=tuple(each for each in absent if each.name in used),
            other_submitter=next((bit.fires for bit in bits if bit.field == "submitter"), ""),
            conditions=["other_submitter" if bit.field == "submitter" else bit.fires for bit in bits],
            submitted_on=submitted_on,
            historical=historical,
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
        follow.add(layers.AGE)
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
        # CASE, not AND: only rows that it may concern pay for the regular expressions.
        unread = f"({text} IS NOT NULL AND {value} IS NULL)"
        beyond = _beyond(value, about.hard) if about.hard else "false"
        unit = nines = "false"
        if about.mistaken_unit:
            low, high, _ = about.mistaken_unit
            number = f"CASE WHEN {value} IS NULL THEN {cast.number_of(text)} ELSE {value} END"
            unit = f"coalesce(({number}) BETWEEN {low} AND {high}, false)"
            bits.append(("F6", unit))
        if about.type in {"int", "decimal", "date", "datetime", "event"}:
            nines = f"(CASE WHEN {unread} OR {beyond} THEN regexp_full_match({text}, '9[9/.-]*') ELSE false END)"
            bits.append(("F7", f"{nines} AND NOT {unit}"))
        kind = "F3" if about.type in {"code", "codes"} else "F2"
        bits.append((kind, f"{unread} AND NOT {unit} AND NOT {nines}"))
        if about.hard:
            bits.append(("F4", f"{beyond} AND NOT {unit} AND NOT {nines}"))
        if about.soft:
            bits.append(("F5", f"{_beyond(value, about.soft)} AND NOT {beyond} AND NOT {unit}"))
    return [Bit(id=check, severity=dictionary.checks[check].severity, field=name, fires=fires) for check, fires in bits]


def _beyond(value: str, limits: tuple[float | None, float | None]) -> str:
    parts = [f"{value} {sign} {limit}" for sign, limit in zip("<>", limits, strict=True) if limit is not None]
    return f"coalesce({' OR '.join(parts)}, false)"


def _rule_bit(rule: Rule) -> Bit:
    known = " AND ".join(f"{name} IS NOT NULL" for name in rule.fields) or "true"
    fires = f"({known}) AND NOT coalesce(({rule.holds}), true)"
    return Bit(id=rule.id, severity=rule.severity, field=rule.shows, fires=fires, rule=rule)


def _header_bits(
    dictionary: Dictionary, places: dict[str, str], *, submitter: str | None, sites: set[str] | None
) -> list[Bit]:
    bits: list[Bit] = []
    if submitter is not None and "submitter" in places:
        other = f"nullif(trim({places['submitter']}), '') <> {literal(submitter)}"
        fires = f"coalesce({other}, false)"
        bits.append(Bit(id="H1", severity=dictionary.checks["H1"].severity, field="submitter", fires=fires))
    if sites is not None:
        known = ", ".join(literal(each) for each in sorted(sites)) or "NULL"
        fires = f"site_id IS NOT NULL AND NOT coalesce(site_id IN ({known}), false)"
        severity = dictionary.checks["H2"].severity
        bits.append(Bit(id="H2", severity=severity, field="site_id", fires=fires, registry=True))
    return bits
