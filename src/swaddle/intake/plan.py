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
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from datetime import date

from swaddle.dictionary.model import HEADER, MISSING_REASONS, Dictionary, Rule, Scope, Severity, WideField
from swaddle.intake import cast, layers, verified
from swaddle.intake.engine import literal
from swaddle.intake.expression import compile_expression
from swaddle.intake.mapping import Mapping, Source, folded
from swaddle.intake.sorting import Joined, sort_rules
from swaddle.intake.tables import NOT_VOID


@dataclass(frozen=True, kw_only=True)
class Bit:
    """One thing that can be wrong with a row: a check of one field, or a rule over the row.

    `only_where` is a cheap condition without which it cannot be wrong: few rows meet it, and only they are asked.
    """

    id: str
    severity: Severity
    field: str
    fires: str
    scope: Scope = "row"
    rule: Rule | None = None
    only_where: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What validate.py runs.

    Attributes:
        select: makes the rows of checked_base: line, values, reasons, event_first, event_last, masks.
        bits: what each bit of the masks means; bit n is bit n % 60 of mask n // 60.
        held: slots of which the layout holds a field, and those that every row of the form has.
        carried: wide fields that the layout holds, in the dictionary's order; the others are not carried.
        cells: wide field to the SQL of its cell over staged_raw, for showing what the file says.
        file_rules: over several rows of this form, through a window.
        joined: over records of other types, which are looked up (lookups.py).
        later: that only the registry can ask: of rows of this form together with those that it holds.
        off: rules that the layout cannot answer at all.
    """

    select: str
    bits: tuple[Bit, ...]
    held: frozenset[str]
    carried: tuple[WideField, ...]
    not_carried: tuple[WideField, ...]
    cells: dict[str, str]
    row_rules: tuple[Rule, ...]
    file_rules: tuple[Rule, ...]
    joined: tuple[Joined, ...]
    later: tuple[Rule, ...]
    off: tuple[Rule, ...]

    @property
    def over_file(self) -> tuple[Rule, ...]:
        """The rules that are asked of more than one record."""
        return (*self.file_rules, *(each.rule for each in self.joined), *self.later)

    @property
    def masks(self) -> int:
        """How many masks a row has."""
        return -(-len(self.bits) // layers.BITS_A_MASK)

    def select_of(self, rows: str) -> str:
        """`select` over some of the rows: `rows` is SQL of a relation with the columns of staged_raw."""
        before, _, after = self.select.rpartition(layers.STAGED)
        return f"{before}{rows}{after}"

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
    """The plan for one sheet.

    Raises:
        MappingFault: an expression of the mapping is not in its language.
    """
    places = {folded(name): f"c{n}" for n, name in enumerate(columns)}
    form, wide = dictionary.forms[mapping.form], dictionary.wide(mapping.form)
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
    follow = layers.derivable(wide, sources)
    carried = tuple(each for each in wide.values() if each.name in sources or each.name in follow)
    absent = tuple(each for each in wide.values() if each.name not in sources and each.name not in follow)
    held = frozenset({HEADER, *form.slots}) - form.optional | {wide[name].slot for name in sources}
    asked = sort_rules(dictionary, held, {each.name for each in absent}, follow - set(sources))
    where_told = form.where_told & held
    bits = [bit for each in carried if each.name in sources for bit in _field_bits(each, dictionary, where_told)]
    bits += [_rule_bit(rule) for rule in asked.row]
    bits += _header_bits(dictionary, places, submitter=submitter, sites=sites if "site_id" in sources else None)
    if verified.FIELD in sources:
        bits = _sparing_verified(bits, dictionary, wide)
    if "action" in sources:
        bits = [_sparing_voids(bit) for bit in bits]
    used = {name for rule in asked.row for name in rule.named}
    return Plan(
        select=layers.select(
            cells,
            sources,
            carried=carried,
            absent=tuple(each for name, each in dictionary.wide().items() if name in used - {c.name for c in carried}),
            follow=follow,
            where_told=where_told,
            raw={name: bit.fires for bit in bits if (name := _RAW.get(bit.id))},
            conditions=[(bit.only_where, _RAW.get(bit.id, bit.fires)) for bit in bits],
            submitted_on=submitted_on,
            historical=historical,
        ),
        bits=tuple(bits),
        held=held,
        carried=carried,
        not_carried=absent,
        cells=cells,
        row_rules=asked.row,
        file_rules=asked.file,
        joined=asked.joined,
        later=asked.later,
        off=asked.off,
    )


def _sparing_voids(bit: Bit) -> Bit:
    """A row that takes a record back needs its number and its date; what else it says is not asked, nor by any rule."""
    if bit.rule is None and bit.severity == "error" and (bit.id == "K1" or bit.field in _OF_A_VOID):
        return bit
    return replace(bit, fires=f"{NOT_VOID} AND ({bit.fires})")


def _sparing_verified(bits: list[Bit], dictionary: Dictionary, wide: Map[str, WideField]) -> list[Bit]:
    """What a row's sender has verified (verified.py) is asked no warning; the field itself is checked."""
    spared = [
        replace(bit, fires=f"NOT {verified.names(bit.field)} AND ({bit.fires})")
        if bit.severity == "warning" and bit.field in wide
        else bit
        for bit in bits
    ]
    return spared + [
        Bit(id=check, severity=dictionary.checks[check].severity, field=verified.FIELD, fires=fires)
        for check, fires in verified.told(wide)
    ]


def _field_bits(each: WideField, dictionary: Dictionary, where_told: frozenset[str]) -> list[Bit]:
    """What can be wrong with one field; its conditions are over the typed layer (value, `_missing`, `__text`)."""
    name, about = each.name, each.field
    text, value, reason = f"{name}__text", name, f"{name}_missing"
    bits: list[tuple[str, str, str]] = []
    if each.required == "K":
        bits.append(("K1", f"{text} IS NULL", ""))
    elif each.required in {"R", "W"}:
        told = f"{each.slot}__is_told AND " if each.slot in where_told else ""
        bits.append(("F1" if each.required == "R" else "F8", f"{told}{text} IS NULL AND {reason} IS NULL", ""))
    if about.type not in {"text", "name", "id", "hcn", "postal"}:
        # CASE, not AND: only rows that it may concern pay for the regular expressions.
        unread = f"({text} IS NOT NULL AND {value} IS NULL)"
        odd = _odd(each, unread)
        beyond = _beyond(value, about.hard) if about.hard else "false"
        unit = nines = "false"
        if about.mistaken_unit:
            low, high, _ = about.mistaken_unit
            number = f"CASE WHEN {value} IS NULL THEN {cast.number_of(text)} ELSE {value} END"
            unit = f"coalesce(({number}) BETWEEN {low} AND {high}, false)"
            bits.append(("F6", unit, odd))
        if about.type in {"int", "decimal", "date", "datetime", "event"}:
            nines = f"(CASE WHEN {unread} OR {beyond} THEN regexp_full_match({text}, '9[9/.-]*') ELSE false END)"
            bits.append(("F7", f"{nines} AND NOT {unit}", odd))
        kind = "F3" if about.values else "F2"
        bits.append((kind, f"{unread} AND NOT {unit} AND NOT {nines}", odd))
        if about.hard:
            bits.append(("F4", f"{beyond} AND NOT {unit} AND NOT {nines}", odd))
        if about.soft:
            bits.append(("F5", f"{_beyond(value, about.soft)} AND NOT {beyond} AND NOT {unit}", odd))
    return [
        Bit(id=check, severity=dictionary.checks[check].severity, field=name, fires=fires, only_where=where)
        for check, fires, where in bits
    ]


def _odd(each: WideField, unread: str) -> str:
    """Whether there is anything to look at more closely: no value, or one that is not plainly usual."""
    about = each.field
    parts = [unread]
    for limits in (about.hard, about.soft):
        if limits:
            parts += [
                f"{each.name} {sign} {limit}" for sign, limit in zip("<>", limits, strict=True) if limit is not None
            ]
    if about.mistaken_unit:
        low, high, _ = about.mistaken_unit
        parts.append(f"{each.name} BETWEEN {low} AND {high}")
    return " OR ".join(parts)


def _beyond(value: str, limits: tuple[float | None, float | None]) -> str:
    parts = [f"{value} {sign} {limit}" for sign, limit in zip("<>", limits, strict=True) if limit is not None]
    return f"coalesce({' OR '.join(parts)}, false)"


def _rule_bit(rule: Rule) -> Bit:
    known = " AND ".join(f"{name} IS NOT NULL" for name in rule.fields) or "true"
    fires = f"({known}) AND NOT coalesce(({rule.holds}), true)"
    return Bit(id=rule.id, severity=rule.severity, field=rule.shows, fires=fires, rule=rule)


# Columns that are no fields, by the check that looks at them: a condition over the raw row.
_RAW = {"H1": "other_submitter", "H5": "other_version"}
_OF_A_VOID = frozenset({"submitter", "site_id", "local_record_id", "event_date", "action"})


def _header_bits(
    dictionary: Dictionary, places: dict[str, str], *, submitter: str | None, sites: set[str] | None
) -> list[Bit]:
    bits: list[Bit] = []
    if submitter is not None and "submitter" in places:
        other = f"nullif(trim({places['submitter']}), '') <> {literal(submitter)}"
        fires = f"coalesce({other}, false)"
        bits.append(Bit(id="H1", severity=dictionary.checks["H1"].severity, field="submitter", fires=fires))
    if "dictionary_version" in places:
        stated = f"lower(nullif(trim({places['dictionary_version']}), ''))"
        version = dictionary.version.casefold()
        same = ", ".join(literal(each) for each in (version, f"v{version}", *MISSING_REASONS))
        fires = f"coalesce({stated} NOT IN ({same.casefold()}), false)"
        bits.append(Bit(id="H5", severity=dictionary.checks["H5"].severity, field="dictionary_version", fires=fires))
    if sites is not None:
        known = ", ".join(literal(each) for each in sorted(sites)) or "NULL"
        fires = f"site_id IS NOT NULL AND NOT coalesce(site_id IN ({known}), false)"
        severity = dictionary.checks["H2"].severity
        bits.append(Bit(id="H2", severity=severity, field="site_id", fires=fires, scope="registry"))
    return bits
