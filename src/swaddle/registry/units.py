"""What indicators count, one relation each: births, screens, nicu_stays, cycles; a row is one of them. Pure: SQL only.

A birth's row may leave open what the same submitter sent as a record of its own: the delivery, the pregnancy, the stays
after the birth. Those are joined by key (the delivery's number, the person's), the latest where there are several; what
the row itself says comes first. A layout that does not carry a field makes it missing as NC; a record that was not
found leaves it so.

Whoever asked not to be counted is not there (consent.py). Columns `for_quality` and `for_peers` say what a row may be
counted for; one that may be for neither is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from swaddle.intake import cast
from swaddle.intake.engine import identifier, literal
from swaddle.registry import consent
from swaddle.registry.consent import Purpose
from swaddle.registry.lifecycle import Step
from swaddle.registry.records import BIRTH, DELIVERY, MISSING, TABLES, Placement
from swaddle.registry.views import BIRTH_FORM, current

FOR_PURPOSE = {Purpose.QUALITY: "for_quality", Purpose.PEERS: "for_peers"}
_COLUMNS = (
    *("load_id", "line", "submitter", "transfer", "source", "mother_subject", "child_subject"),
    *("event_year", "event_month"),
)
_MONTHS_OF_A_PREGNANCY = 10
_MONTH = "(12 * {0}.event_year + {0}.event_month)"


@dataclass(frozen=True)
class _Apart:
    """A record that may come in the birth's row, or on its own under a form.

    Attributes:
        record_type: of the dictionary.
        form: under which it comes on its own.
        key: the column by which it is found, beside submitter.
        near: a further condition, over `birth` and `apart`.
        line: the column of `kept` that points at its record in the birth's own load.
    """

    record_type: str
    form: str
    key: str
    near: str = ""
    line: str = "line"


_NEWBORN = "postpartum_child"
APART = (
    _Apart(DELIVERY, "delivery", "delivery", line="delivery_line"),
    _Apart("postpartum_mother", "postpartum_mother", "delivery"),
    _Apart(_NEWBORN, "postpartum_child", "child_subject"),
    _Apart(
        "antenatal",
        "antenatal",
        "mother_subject",
        f"{_MONTH.format('birth')} - {_MONTH.format('apart')} between 0 and {_MONTHS_OF_A_PREGNANCY}",
    ),
)
# The other units: relation, form, record type, and the person beside the record.
OTHERS: Mapping[str, tuple[str, str, str]] = {
    "screens": ("newborn_screen", "newborn_screen", "child"),
    "nicu_stays": ("nicu_stay", "nicu_stay", "child"),
    "cycles": ("fertility_cycle", "fertility_cycle", "mother"),
}
RELATIONS = ("births", *OTHERS)


def relation(name: str, placement: Placement, until: int | None = None) -> str:
    """SQL of a unit's relation.

    Args:
        name: one of RELATIONS.
        placement: which table holds which field.
        until: as it was when this load was the last; None for now.
    """
    return births(placement, until) if name == "births" else _of_one_record(name, placement, until)


def births(placement: Placement, until: int | None = None) -> str:
    """SQL of the births that count, one row for each child."""
    columns = [f"kept.{name}" for name in _COLUMNS]
    for alias, names in (
        ("kept", placement.header),
        ("born", placement.types[BIRTH]),
        ("kept", placement.plain["mother"]),
        ("kept", placement.plain["child"]),
    ):
        columns += with_reasons(alias, names)
    joins = [f"join clinical.{TABLES[BIRTH]} born on born.load_id = kept.load_id and born.line = kept.line"]
    for each in APART:
        own, other = TABLES[each.record_type], f"{TABLES[each.record_type]}_apart"
        joins.append(
            f"left join clinical.{own} on {own}.load_id = kept.load_id and {own}.line = kept.{each.line}"
            f" left join ({_sent_apart(each, placement, until)}) {other}"
            f" on {other}.birth_load = kept.load_id and {other}.birth_line = kept.line"
        )
        columns += _either(own, other, placement.types[each.record_type])
    died = f"{TABLES[_NEWBORN]}.newborn_death_dt, {TABLES[_NEWBORN]}_apart.newborn_death_dt"
    screened = f"coalesce({TABLES[_NEWBORN]}.newborn_cchd_dt, {TABLES[_NEWBORN]}_apart.newborn_cchd_dt)"
    known = _known(f"date_diff('day', event_day, coalesce(born.neonatal_death_dt, {died})::date)", screened)
    return _asked(columns, joins, (BIRTH_FORM,), until, known)


def _of_one_record(name: str, placement: Placement, until: int | None) -> str:
    """SQL of a unit whose row is one record and one person."""
    form, record_type, person = OTHERS[name]
    columns = [f"kept.{each}" for each in _COLUMNS]
    for alias, names in (
        ("kept", placement.header),
        ("record", placement.types[record_type]),
        ("kept", placement.plain[person]),
    ):
        columns += with_reasons(alias, names)
    joins = [f"join clinical.{TABLES[record_type]} record on record.load_id = kept.load_id and record.line = kept.line"]
    return _asked(columns, joins, (form,), until, _known("null", "null::timestamp"))


def _asked(columns: list[str], joins: list[str], forms: tuple[str, ...], until: int | None, known: list[str]) -> str:
    """The rows that count of these forms, with what is joined to them, of whom may be counted for something."""
    allowed = {
        column: f"({' and '.join(consent.permits_sql(purpose, f'{who}.directive') for who in ('hers', 'its'))})"
        for purpose, column in FOR_PURPOSE.items()
    }
    columns = [*columns, "kept.local_record_id as own_number", *known]
    # A community may ask that its births are told of to their own submitter alone.
    allowed[FOR_PURPOSE[Purpose.PEERS]] += " and apart_rows.load_id is null"
    columns += [f"{test} as {column}" for column, test in allowed.items()]
    asked = consent.in_force()  # no common table of the view's own: behind one, DuckDB reads every column for one
    first_came = (
        "select r.submitter, r.form, r.local_record_id, min(loaded_at) as first_came from clinical.stored_rows r"
        " join clinical.loads using (load_id) where (r.submitter, r.form, r.local_record_id) in"
        f" (select submitter, form, local_record_id from clinical.stored_rows where step <> {literal(Step.NEW.value)})"
        " group by all"
    )
    event = cast.event_first("told.event_date")
    rows = (
        f"(select rows.*, case when length(told.event_date) >= 10 then {event} end as event_day,"
        " try_cast(case when length(told.event_date) >= 16 then left(told.event_date, 16) end as timestamp)"
        " as event_moment,"
        f" coalesce(first_came, l.loaded_at) as came from {current(until, forms)} rows"
        " join clinical.loads l on l.load_id = rows.load_id"
        " left join identifiers.records told on told.load_id = rows.load_id and told.line = rows.line"
        f" left join ({first_came}) earlier on (earlier.submitter, earlier.form, earlier.local_record_id)"
        " = (rows.submitter, rows.form, rows.local_record_id))"
    )
    return (
        f"select {', '.join(columns)} from {rows} kept {' '.join(joins)}"
        " join clinical.loads load on load.load_id = kept.load_id"
        f" left join ({_open_warnings()}) warned on warned.load_id = kept.load_id and warned.line = kept.line"
        " left join (select distinct load_id, line from clinical.set_apart) apart_rows"
        " on apart_rows.load_id = kept.load_id and apart_rows.line = kept.line"
        f" left join {asked} hers on hers.subject = kept.mother_subject"
        f" left join {asked} its on its.subject = kept.child_subject"
        f" where {' or '.join(allowed.values())}"
    )


def _known(death_days: str, heart_screen: str) -> list[str]:
    """What the registry itself knows of a row, beside what was sent.

    A moment of which only the day was told stands at midnight: no hours can be counted from it, or to it.
    """
    hours = f"(epoch({heart_screen}) - epoch(event_moment)) / 3600.0"
    return [
        "date_diff('day', event_day, came::date)::double as data_days",
        "coalesce(warned.open_warnings, 0) as data_open_warnings",
        f"({death_days})::double as death_days",
        f"case when {heart_screen}::time <> time '00:00' then {hours} end as heart_screen_hours",
    ]


def _open_warnings() -> str:
    """SQL of the warnings of each row that nobody answered."""
    answer = ("local_record_id", "rule", "field", "asked")
    same = " and ".join(f"answers.{name} = {'w' if name != answer[0] else 'r'}.{name}" for name in answer)
    return (
        "select w.load_id, w.line, count(*) as open_warnings from clinical.warnings w"
        " join clinical.stored_rows r on r.load_id = w.load_id and r.line = w.line"
        f" where not exists (select 1 from clinical.answers where answers.submitter = r.submitter"
        f" and answers.form = r.form and {same}) group by all"
    )


def with_reasons(alias: str, names: tuple[str, ...]) -> list[str]:
    """Value columns, each with its missing reason behind it: NC where the load's layout does not carry the field."""
    columns = []
    for name, missing in _pairs(names):
        columns.append(f"{alias}.{identifier(name)}")
        columns.append(f"case when {_is_absent(name)} then 'NC' else {alias}.{missing} end as {missing}")
    return columns


def _pairs(names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each value column and its missing reason, which stands behind it."""
    return ((name, identifier(name + MISSING)) for name in names[::2])


def _is_absent(name: str) -> str:
    return f"list_contains(load.not_carried, {literal(name)})"


def _either(own: str, apart: str, names: tuple[str, ...]) -> list[str]:
    """Columns of a record: the row's own value first (twins may differ), else that of the record sent apart."""
    columns = []
    for name, missing in _pairs(names):
        value, other = f"{own}.{identifier(name)}", f"{apart}.{identifier(name)}"
        columns.append(f"coalesce({value}, {other}) as {identifier(name)}")
        columns.append(
            f"case when {value} is not null or {other} is not null then null"
            f" when {_is_absent(name)} then coalesce({apart}.{missing}, 'NC') else {own}.{missing} end as {missing}"
        )
    return columns


def _sent_apart(each: _Apart, placement: Placement, until: int | None) -> str:
    """SQL of the records that came on their own, beside the births that they belong to: the latest for each birth."""
    columns = ["birth.load_id as birth_load", "birth.line as birth_line"]
    columns += with_reasons("told", placement.types[each.record_type])
    same = f"birth.submitter = apart.submitter and birth.{each.key} = apart.{each.key}"
    same += f" and {each.near}" if each.near else ""
    return (
        f"select {', '.join(columns)} from {current(until, (BIRTH_FORM,))} birth"
        f" join {current(until, (each.form,))} apart on {same}"
        f" join clinical.{TABLES[each.record_type]} told on told.load_id = apart.load_id"
        f" and told.line = apart.{each.line} join clinical.loads load on load.load_id = apart.load_id"
        " qualify row_number() over (partition by birth.load_id, birth.line"
        " order by apart.load_id desc, apart.line desc) = 1"
    )
